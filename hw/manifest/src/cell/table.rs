//! Tables: what is looked up, and what stands behind an id.

use super::state::{counter_bits, meter_parts};
use super::{
    ExactShape, LpmShape, Part, PartShape, Parts, TernaryKey, TernaryShape, bits_for, fixed, live,
};
use restage_program::entity::{Action, Table};
use restage_program::program::{MatchKind, Program, Unit};
use serde::{Deserialize, Serialize};

/// A key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KeyShape {
    /// Its bits.
    pub width: u32,
    /// How it is matched.
    pub kind: MatchKind,
    /// Whether ranges compare with the sign.
    pub signed: bool,
}

/// How the id of the matching entry is found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LookupShape {
    /// Never: a table without keys has its default action only.
    Keyless,
    /// Exact keys only.
    Exact(ExactShape),
    /// One lpm key, perhaps with exact ones.
    Lpm(LpmShape),
    /// Anything else.
    Ternary(TernaryShape),
}

/// An action and the widths of its parameters.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ActionShape {
    /// The action.
    pub action: Action,
    /// Bits of each parameter.
    pub params: Vec<u32>,
}

/// Action data: from bit 0 up the position of the action in `actions`, then its parameters, the first one lowest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DataShape {
    /// The table's actions in order; behind them those that are only its default, or only in its profile.
    pub actions: Vec<ActionShape>,
}

impl DataShape {
    /// Bits of the position of the action.
    pub fn index_bits(&self) -> u32 {
        bits_for(self.actions.len() as u32)
    }

    /// Bits of the whole.
    pub fn width(&self) -> u32 {
        let params = |a: &ActionShape| a.params.iter().sum::<u32>();
        self.index_bits() + self.actions.iter().map(params).max().unwrap_or(0)
    }

    /// Lowest bit and width of each parameter of an action.
    pub fn params(&self, action: usize) -> Vec<(u32, u32)> {
        let mut at = self.index_bits();
        let widths = self.actions.get(action).map(|a| a.params.as_slice()).unwrap_or_default();
        let place = |width: &u32| {
            at += width;
            (at - width, *width)
        };
        widths.iter().map(place).collect()
    }

    /// The position of an action.
    pub fn index_of(&self, action: Action) -> Option<usize> {
        self.actions.iter().position(|a| a.action == action)
    }
}

/// An action profile, as each of its tables has it. An entry's data is then the place of a member or, with the bit
/// above it set (if there is a selector), of a group. A group is from bit 0 up: its number of choices (members, each
/// as often as its weight says), the first row of its choices, and `ceil(2^(hash + count) / choices)`: the hash times
/// this, shifted down by `hash + count` bits, is the hash divided by the number of choices.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProfileShape {
    /// Places for members: as many as there are in both epochs.
    pub members: u32,
    /// Places for groups, likewise.
    pub groups: u32,
    /// Choices of all groups of an epoch together.
    pub choices: u32,
    /// Bits of the selector's hash; 0 if there is no selector.
    pub hash_bits: u32,
}

impl ProfileShape {
    /// Bits of an entry's data.
    pub fn target_bits(&self) -> u32 {
        self.place_bits() + u32::from(self.hash_bits > 0)
    }

    /// Bits of the place of a member or group.
    pub fn place_bits(&self) -> u32 {
        bits_for(self.members.max(self.groups))
    }

    /// Bits of the number of choices of a group.
    pub fn count_bits(&self) -> u32 {
        bits_for(self.choices + 1)
    }

    /// Bits of a row of choices.
    pub fn first_bits(&self) -> u32 {
        bits_for(self.choices)
    }

    /// Bits of the reciprocal.
    pub fn reciprocal_bits(&self) -> u32 {
        self.hash_bits + self.count_bits() + 1
    }

    /// Bits of a group.
    pub fn group_bits(&self) -> u32 {
        self.count_bits() + self.first_bits() + self.reciprocal_bits()
    }
}

/// A table.
///
/// A lookup gives the id of an entry, below [`ids`](Self::ids). Behind the id stand, per epoch, the action data,
/// and, once for both epochs, the direct counter, the direct meter and the time of the last hit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TableShape {
    /// Its keys.
    pub keys: Vec<KeyShape>,
    /// Most entries in an epoch.
    pub entries: u32,
    /// How ids are found.
    pub lookup: LookupShape,
    /// What its actions are.
    pub data: DataShape,
    /// Its profile, if it has one.
    pub profile: Option<ProfileShape>,
    /// What its direct counter counts.
    pub counter: Option<Unit>,
    /// What its direct meter measures.
    pub meter: Option<Unit>,
    /// Whether the times of hits are kept.
    pub idle: bool,
}

impl TableShape {
    /// The shape of a table of a program that the checker has accepted; `hash_bits` is the width of its
    /// selector's hash, if it has one.
    pub fn of(program: &Program, table: Table, hash_bits: u32) -> Option<Self> {
        let decl = program.tables.get(table)?;
        let key = |k: &restage_program::program::Key| {
            let ty = program.type_of(&k.value, &[]).ok()?;
            Some(KeyShape { width: ty.width(), kind: k.kind, signed: ty.is_signed() })
        };
        let keys: Vec<KeyShape> = decl.keys.iter().map(key).collect::<Option<_>>()?;
        let entries = match decl.const_entries {
            true => decl.entries.len() as u32,
            false => decl.size.max(decl.entries.len() as u32),
        };
        let mut shape = TableShape::new(keys, entries);
        let sharing = program.tables.values().filter(|t| t.profile == decl.profile);
        let others = sharing.filter(|_| decl.profile.is_some()).flat_map(|t| &t.actions);
        let all = decl.actions.iter().chain(others).map(|a| a.action).chain([decl.default.action]);
        for action in all {
            if shape.data.index_of(action).is_none() {
                let params =
                    program.actions.get(action)?.params.iter().map(|p| p.ty.width()).collect();
                shape.data.actions.push(ActionShape { action, params });
            }
        }
        if let Some(profile) = decl.profile {
            let profile = program.profiles.get(profile)?;
            let (size, selects) = (profile.size.max(1), profile.selector.is_some());
            shape.profile = Some(ProfileShape {
                members: 2 * size,
                groups: if selects { 2 * size } else { 0 },
                choices: if selects { size } else { 0 },
                hash_bits: if selects { hash_bits } else { 0 },
            });
        }
        shape.counter = decl.counter.as_ref().map(|c| c.unit);
        shape.meter = decl.meter.as_ref().map(|m| m.unit);
        shape.idle = decl.idle_timeout;
        Some(shape)
    }

    /// A table with these keys and no actions yet.
    pub fn new(keys: Vec<KeyShape>, entries: u32) -> Self {
        let ids = ids_for(entries);
        let count = |kind| keys.iter().filter(|k| k.kind == kind).count();
        let bits: u32 = keys.iter().map(|k| k.width).sum();
        let plain = count(MatchKind::Exact) + count(MatchKind::Lpm) == keys.len();
        let lookup = if keys.is_empty() || entries == 0 {
            LookupShape::Keyless
        } else if !plain || count(MatchKind::Lpm) > 1 {
            let key = |k: &KeyShape| TernaryKey {
                width: k.width,
                signed: k.signed,
                masks: k.kind != MatchKind::Range,
                ranges: k.kind == MatchKind::Range,
            };
            let keys = keys.iter().map(key).collect();
            LookupShape::Ternary(TernaryShape::new(keys, entries, Some(ids)))
        } else if count(MatchKind::Lpm) == 1 {
            LookupShape::Lpm(LpmShape::new(bits, entries, ids))
        } else {
            LookupShape::Exact(ExactShape::new(bits, entries, ids))
        };
        TableShape {
            keys,
            entries,
            lookup,
            data: DataShape { actions: Vec::new() },
            profile: None,
            counter: None,
            meter: None,
            idle: false,
        }
    }

    /// Ids are below this: more than there are entries in one epoch, so that a full table can have other entries in
    /// the next one.
    pub fn ids(&self) -> u32 {
        ids_for(self.entries)
    }

    /// Bits of an id.
    pub fn id_bits(&self) -> u32 {
        bits_for(self.ids())
    }

    /// Bits of what stands behind an id.
    pub fn target_bits(&self) -> u32 {
        self.profile.as_ref().map_or(self.data.width(), ProfileShape::target_bits)
    }
}

fn ids_for(entries: u32) -> u32 {
    entries + (entries / 8).max(2)
}

impl Parts for TableShape {
    fn parts(&self) -> Vec<PartShape> {
        let mut parts = vec![fixed(Part::Default, self.data.width(), 2)];
        match &self.lookup {
            LookupShape::Keyless => return parts,
            LookupShape::Exact(shape) => parts.extend(shape.parts()),
            LookupShape::Lpm(shape) => parts.extend(shape.parts()),
            LookupShape::Ternary(shape) => parts.extend(shape.parts()),
        }
        parts.push(fixed(Part::Data, self.target_bits(), 2 * self.ids()));
        if let Some(profile) = &self.profile {
            parts.push(fixed(Part::Member, self.data.width(), 2 * profile.members));
            if profile.hash_bits > 0 {
                parts.push(fixed(Part::Group, profile.group_bits(), 2 * profile.groups));
                parts.push(fixed(Part::Choice, profile.place_bits(), 2 * profile.choices));
            }
        }
        if let Some(unit) = self.counter {
            parts.push(live(Part::Count, counter_bits(unit), self.ids()));
        }
        if self.meter.is_some() {
            parts.extend(meter_parts(self.ids()));
        }
        if self.idle {
            parts.push(live(Part::Used, 48, self.ids()));
        }
        parts
    }
}
