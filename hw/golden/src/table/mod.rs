//! Tables at run time: entries, where they are looked up, and what goes with them.
//!
//! Entries have ids; id 0 is the default action. What a packet needs stands in flat arrays by id; what
//! only a control plane needs stands apart.

mod exact;
mod lpm;
mod ternary;

use crate::layout::Val;
use crate::matching::{Test, sign_bit};
use crate::meter::Meter;
use exact::Exact;
use lpm::Lpm;
use restage_program::Type;
use restage_program::accept::has_priority;
use restage_program::entry::{CounterValue, Entry, KeyMatch, prefix_mask};
use restage_program::program::{ActionCall, MatchKind};
use std::collections::HashMap;
use ternary::{ByteSet, Cube, Ternary, range_cubes};

/// What a match does, as the loop needs it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Goal {
    /// An action; its arguments stand with the table.
    Action(u32),
    /// A member of the table's profile, by its place there.
    Member(u32),
    /// A group, likewise.
    Group(u32),
}

/// What a packet reads and writes of an entry, together for the cache's sake.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hot {
    pub goal: Goal,
    /// When it was last hit, or installed.
    pub used: u64,
    pub counter: CounterValue,
}

impl Hot {
    fn new(goal: Goal, used: u64) -> Self {
        Hot { goal, used, counter: CounterValue::default() }
    }
}

/// Rules of more cubes than this are put in too widely and tested when they match.
const MOST_CUBES: usize = 64;

#[derive(Clone, Debug)]
enum Lookup {
    Keyless,
    Exact(Exact),
    Lpm(Lpm),
    Ternary(Ternary),
}

/// An entry as the control plane knows it.
#[derive(Clone, Debug)]
pub(crate) struct Installed {
    pub entry: Entry,
    /// Counts all installations: the order.
    pub order: u64,
}

/// A table.
#[derive(Clone, Debug)]
pub(crate) struct TableState {
    kinds: Vec<(MatchKind, Type)>,
    lookup: Lookup,
    pub hot: Vec<Hot>,
    /// Action data, `stride` slots for every id.
    pub args: Vec<u64>,
    pub stride: usize,
    pub meters: Vec<Meter>,
    /// Tests of rules that were put in too widely.
    tests: HashMap<u32, Vec<Test>>,
    pub installed: Vec<Option<Installed>>,
    by_key: HashMap<(Vec<KeyMatch>, u32), u32>,
    free: Vec<u32>,
    order: u64,
    /// The default action as it was last set.
    pub default: ActionCall,
}

/// Room for keys while they are looked up.
#[derive(Clone, Default, Debug)]
pub(crate) struct KeyRoom {
    words: Vec<u64>,
    bytes: Vec<u8>,
}

impl TableState {
    pub fn new(kinds: Vec<(MatchKind, Type)>, stride: usize, default: ActionCall) -> Self {
        let only = |kind| kinds.iter().filter(|(k, _)| *k == kind).count();
        let lookup = if kinds.is_empty() {
            Lookup::Keyless
        } else if has_priority(kinds.iter().map(|(k, _)| *k)) {
            Lookup::Ternary(Ternary::new(
                kinds.iter().map(|(_, ty)| ty.width().div_ceil(8) as usize).sum(),
            ))
        } else if only(MatchKind::Lpm) == 1 {
            Lookup::Lpm(Lpm::new())
        } else {
            Lookup::Exact(Exact::new(
                kinds.iter().map(|(_, ty)| crate::layout::slots_of(*ty) as usize).sum(),
            ))
        };
        TableState {
            kinds,
            lookup,
            hot: vec![Hot::new(Goal::Action(0), 0)],
            args: vec![0; stride],
            stride,
            meters: vec![Meter::default()],
            tests: HashMap::new(),
            installed: vec![None],
            by_key: HashMap::new(),
            free: Vec::new(),
            order: 0,
            default,
        }
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    pub fn find(&self, keys: &[KeyMatch], priority: u32) -> Option<u32> {
        self.by_key.get(&(self.canonical(keys), priority)).copied()
    }

    /// Entries in the order in which they were installed, with their ids.
    pub fn entries(&self) -> Vec<(u32, &Installed)> {
        let mut all: Vec<(u32, &Installed)> = (0..)
            .zip(&self.installed)
            .filter_map(|(id, entry)| Some((id, entry.as_ref()?)))
            .collect();
        all.sort_by_key(|(_, e)| e.order);
        all
    }

    /// Takes over what packets left behind entries that both have.
    pub fn adopt(&mut self, old: &TableState) {
        for id in 0..self.installed.len() {
            let Some(installed) = &self.installed[id] else { continue };
            let (keys, priority) = (&installed.entry.keys, installed.entry.priority);
            let Some(from) = old.find(keys, priority).map(|from| from as usize) else { continue };
            (self.hot[id].used, self.hot[id].counter) = (old.hot[from].used, old.hot[from].counter);
            self.meters[id].adopt(&old.meters[from]);
        }
    }

    /// One spelling for every match.
    fn canonical(&self, keys: &[KeyMatch]) -> Vec<KeyMatch> {
        let one = |((kind, ty), key): (&(MatchKind, Type), &KeyMatch)| match (kind, key) {
            (MatchKind::Lpm, KeyMatch::Any) => {
                KeyMatch::Lpm { value: restage_program::Bits::zero(ty.width()), prefix: 0 }
            }
            (_, KeyMatch::Masked { mask, .. }) if mask.is_zero() => KeyMatch::Any,
            _ => key.clone(),
        };
        self.kinds.iter().zip(keys).map(one).collect()
    }

    /// Adds an entry whose keys fit the table and which is not there.
    pub fn insert(&mut self, entry: Entry, goal: Goal, args: &[u64], now: u64) {
        let id = self.free.pop().unwrap_or(self.hot.len() as u32);
        let at = id as usize;
        if at == self.hot.len() {
            self.hot.push(Hot::new(goal, now));
            self.args.resize(self.args.len() + self.stride, 0);
            self.meters.push(Meter::default());
            self.installed.push(None);
        }
        self.hot[at] = Hot::new(goal, now);
        self.meters[at] = Meter::default();
        self.aim(id, goal, args);
        let keys = self.canonical(&entry.keys);
        match &mut self.lookup {
            Lookup::Keyless => {}
            Lookup::Exact(exact) => exact.insert(&exact_key(&keys), id),
            Lookup::Lpm(lpm) => {
                let (key, length) = prefix_key(&self.kinds, &keys);
                lpm.insert(&key, length, id);
            }
            Lookup::Ternary(ternary) => {
                let (cubes, whole) = cubes(&self.kinds, &keys);
                if !whole {
                    let tests = self.kinds.iter().zip(&keys);
                    self.tests.insert(id, tests.map(|((_, ty), k)| Test::new(k, *ty)).collect());
                }
                ternary.insert((u32::MAX - entry.priority, self.order), id, &cubes);
            }
        }
        self.by_key.insert((keys, entry.priority), id);
        self.installed[at] = Some(Installed { entry, order: self.order });
        self.order += 1;
    }

    /// Changes what an id does.
    pub fn aim(&mut self, id: u32, goal: Goal, args: &[u64]) {
        self.hot[id as usize].goal = goal;
        let at = id as usize * self.stride;
        self.args[at..at + args.len()].copy_from_slice(args);
    }

    pub fn remove(&mut self, id: u32) {
        let Some(Installed { entry, order }) = self.installed[id as usize].take() else { return };
        let keys = self.canonical(&entry.keys);
        match &mut self.lookup {
            Lookup::Keyless => {}
            Lookup::Exact(exact) => exact.remove(&exact_key(&keys)),
            Lookup::Lpm(lpm) => {
                let (key, length) = prefix_key(&self.kinds, &keys);
                lpm.remove(&key, length);
            }
            Lookup::Ternary(ternary) => ternary.remove((u32::MAX - entry.priority, order), id),
        }
        self.tests.remove(&id);
        self.by_key.remove(&(keys, entry.priority));
        self.free.push(id);
    }

    /// The entry that matches.
    #[inline(always)]
    pub fn lookup(&self, keys: &[Val], slots: &[u64], room: &mut KeyRoom) -> Option<u32> {
        match &self.lookup {
            Lookup::Keyless => None,
            Lookup::Exact(exact) => {
                if let [key] = keys {
                    return exact.get(&slots[key.range()]);
                }
                room.words.clear();
                for key in keys {
                    room.words.extend_from_slice(&slots[key.range()]);
                }
                exact.get(&room.words)
            }
            Lookup::Lpm(lpm) => {
                if let [key] = keys
                    && key.width() <= 64
                {
                    return lpm.get(&[slots[key.slot as usize] << (64 - key.width())]);
                }
                pack(&self.kinds, keys.iter().map(|k| &slots[k.range()]), &mut room.words);
                lpm.get(&room.words)
            }
            Lookup::Ternary(ternary) => {
                room.bytes.clear();
                for ((kind, ty), key) in self.kinds.iter().zip(keys) {
                    let value = &slots[key.range()];
                    let flip = *kind == MatchKind::Range && ty.is_signed();
                    append_bytes(value, ty.width(), flip, &mut room.bytes);
                }
                ternary.get(&room.bytes, |id| {
                    self.tests.is_empty()
                        || self.tests.get(&id).is_none_or(|tests| {
                            tests.iter().zip(keys).all(|(t, k)| t.matches(&slots[k.range()]))
                        })
                })
            }
        }
    }
}

fn exact_key(keys: &[KeyMatch]) -> Vec<u64> {
    let value = |k: &KeyMatch| match k {
        KeyMatch::Exact(value) => value.limbs().to_vec(),
        _ => Vec::new(),
    };
    keys.iter().flat_map(value).collect()
}

/// Exact keys and behind them the prefix, packed as a bit string; and its length.
fn prefix_key(kinds: &[(MatchKind, Type)], keys: &[KeyMatch]) -> (Vec<u64>, u32) {
    let (mut length, mut values) = (0, Vec::new());
    for key in keys {
        match key {
            KeyMatch::Exact(value) => {
                length += value.width();
                values.push(value.limbs());
            }
            KeyMatch::Lpm { value, prefix } => {
                length += prefix;
                values.push(value.limbs());
            }
            _ => {}
        }
    }
    let mut words = Vec::new();
    pack(kinds, values.into_iter(), &mut words);
    (words, length)
}

/// Packs the values of exact keys, then that of the lpm key, first bit on top of the first word.
fn pack<'a>(
    kinds: &[(MatchKind, Type)],
    values: impl Iterator<Item = &'a [u64]> + Clone,
    words: &mut Vec<u64>,
) {
    words.clear();
    let mut at = 0u32;
    for last in [false, true] {
        for ((kind, ty), value) in kinds.iter().zip(values.clone()) {
            if (*kind == MatchKind::Lpm) != last {
                continue;
            }
            let mut rest = ty.width();
            for limb in value.iter().rev() {
                let width = if rest.is_multiple_of(64) { 64 } else { rest % 64 };
                let room = 64 - at % 64;
                if room == 64 {
                    words.push(0);
                }
                if let Some(word) = words.last_mut() {
                    *word |=
                        if width <= room { limb << (room - width) } else { limb >> (width - room) };
                }
                if width > room {
                    words.push(limb << (64 - (width - room)));
                }
                at += width;
                rest -= width;
            }
        }
    }
}

#[inline(always)]
fn append_bytes(value: &[u64], width: u32, flip: bool, out: &mut Vec<u8>) {
    let count = width.div_ceil(8) as usize;
    let start = out.len();
    if let ([word], true) = (value, width <= 64) {
        let bytes = word.to_be_bytes();
        // A few constant lengths are much faster than a length at run time.
        match count {
            1 => out.push(bytes[7]),
            2 => out.extend_from_slice(&bytes[6..]),
            4 => out.extend_from_slice(&bytes[4..]),
            _ => out.extend_from_slice(&bytes[8 - count..]),
        }
    } else {
        let byte = |i: usize| value.get(i / 8).map_or(0, |limb| (limb >> (8 * (i % 8))) as u8);
        out.extend((0..count).rev().map(byte));
    }
    if flip && let Some(top) = out.get_mut(start) {
        *top ^= 1 << ((width - 1) % 8);
    }
}

/// A rule as cubes, and whether they are exactly the rule.
fn cubes(kinds: &[(MatchKind, Type)], keys: &[KeyMatch]) -> (Vec<Cube>, bool) {
    let each: Vec<Vec<Cube>> =
        kinds.iter().zip(keys).map(|((kind, ty), key)| key_cubes(*kind, *ty, key)).collect();
    let count = each.iter().fold(1usize, |n, c| n.saturating_mul(c.len()));
    if count <= MOST_CUBES {
        let mut all: Vec<Cube> = vec![Vec::new()];
        for cubes in &each {
            let longer = |start: Cube| {
                cubes.iter().map(move |rest| [start.as_slice(), rest.as_slice()].concat())
            };
            all = all.into_iter().flat_map(longer).collect();
        }
        return (all, true);
    }
    let whole = |cubes: &Vec<Cube>| match cubes.as_slice() {
        [one] => one.clone(),
        other => vec![ByteSet::ANY; other.first().map_or(0, Vec::len)],
    };
    (vec![each.iter().flat_map(whole).collect()], false)
}

fn key_cubes(kind: MatchKind, ty: Type, key: &KeyMatch) -> Vec<Cube> {
    let width = ty.width();
    let bytes = |limbs: &[u64], flip: bool| {
        let mut out = Vec::new();
        append_bytes(limbs, width, flip, &mut out);
        out
    };
    let masked = |value: &[u64], mask: &[u64]| {
        let flip = kind == MatchKind::Range && ty.is_signed();
        let pairs = bytes(value, flip).into_iter().zip(bytes(mask, false));
        vec![pairs.map(|(value, mask)| ByteSet::Masked { value, mask }).collect()]
    };
    match key {
        KeyMatch::Any => vec![vec![ByteSet::ANY; width.div_ceil(8) as usize]],
        KeyMatch::Exact(value) => masked(value.limbs(), prefix_mask(width, width).limbs()),
        KeyMatch::Lpm { value, prefix } => {
            masked(value.limbs(), prefix_mask(width, *prefix).limbs())
        }
        KeyMatch::Masked { value, mask } => masked(value.limbs(), mask.limbs()),
        KeyMatch::Range { low, high } => {
            let flip = sign_bit(ty).iter().any(|limb| *limb != 0);
            range_cubes(&bytes(low.limbs(), flip), &bytes(high.limbs(), flip))
        }
    }
}
