//! What a control plane installs: entries, members, groups, sessions, contents of state.
//!
//! The same types serve the golden model, the encoders and the services. Priorities are P4Runtime's:
//! among entries that match, the larger number wins.

use crate::bits::Bits;
use crate::entity::{Counter, Crc, Map, Meter, Profile, Register, Table, ValueSet};
use crate::program::ActionCall;
use serde::{Deserialize, Serialize};

/// What one key must be. Values have the width of the key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyMatch {
    /// Equal.
    Exact(Bits),
    /// Equal in the first `prefix` bits; the others of `value` are 0.
    Lpm {
        /// The value.
        value: Bits,
        /// Length of the prefix.
        prefix: u32,
    },
    /// Equal where the mask is 1; the other bits of `value` are 0.
    Masked {
        /// The value.
        value: Bits,
        /// The mask.
        mask: Bits,
    },
    /// Between two numbers, both included. Numbers of an `int` key are compared with their sign.
    Range {
        /// The lowest.
        low: Bits,
        /// The highest.
        high: Bits,
    },
    /// Anything.
    Any,
}

/// An entry of a table. Keys and priority together identify it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// One match for every key of the table, of the key's kind: an exact key takes `Exact`; an lpm key
    /// `Lpm` (or `Any`); a ternary key `Masked` or `Any`; a range key `Range` or `Any`; an optional key
    /// `Exact` or `Any`.
    pub keys: Vec<KeyMatch>,
    /// The larger wins. Only for tables with a ternary, range or optional key, else 0.
    #[serde(default)]
    pub priority: u32,
    /// What a match does.
    pub target: EntryTarget,
    /// After so many microseconds without a match the control plane is told; 0 for never.
    #[serde(default)]
    pub idle_timeout_us: u64,
}

/// What a match does.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryTarget {
    /// Runs an action.
    Action(ActionCall),
    /// Runs the action of a member of the table's profile.
    Member(u32),
    /// Runs the action of a member of a group of the table's profile, chosen by its selector.
    Group(u32),
}

/// A copy to be made: of a multicast group or a clone session.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Replica {
    /// Where it goes.
    pub port: u16,
    /// Its `egress_rid`.
    pub rid: u16,
}

/// Where the clones of a session go.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloneTarget {
    /// To these.
    Replicas(Vec<Replica>),
    /// To the replicas of a multicast group, as it is when the clone is made.
    Group(u16),
}

/// Rates and bursts of a meter (RFC 2698): tokens are packets or bytes.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct MeterConfig {
    /// Committed tokens per second.
    pub cir: f64,
    /// Committed burst in tokens.
    pub cburst: u64,
    /// Peak tokens per second.
    pub pir: f64,
    /// Peak burst in tokens.
    pub pburst: u64,
}

/// Parameters of a CRC, as the catalogues of CRCs give them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CrcParams {
    /// The polynomial without its highest term.
    pub polynomial: u32,
    /// What the register starts from.
    pub start: u32,
    /// What the result is combined with by exclusive or.
    pub xor: u32,
    /// Whether the bits of a byte enter from the lowest on.
    pub reflect_data: bool,
    /// Whether the register is turned around before `xor`.
    pub reflect_result: bool,
}

impl CrcParams {
    /// Those of `Crc16` for 16 bits, of `Crc32` for others.
    pub fn standard(width: u32) -> CrcParams {
        let (polynomial, ones) = if width == 16 { (0x8005, 0) } else { (0x04c1_1db7, u32::MAX) };
        CrcParams { polynomial, start: ones, xor: ones, reflect_data: true, reflect_result: true }
    }
}

/// Contents of a counter.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct CounterValue {
    /// Packets counted.
    pub packets: u64,
    /// Bytes counted.
    pub bytes: u64,
}

/// One step of a control plane. Inserting what exists, and modifying or deleting what does not, is an
/// error and changes nothing.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    /// Adds an entry.
    Insert(Table, Entry),
    /// Changes what an entry does.
    Modify(Table, Entry),
    /// Removes the entry with these keys and this priority.
    Delete {
        /// The table.
        table: Table,
        /// Its keys.
        keys: Vec<KeyMatch>,
        /// Its priority.
        priority: u32,
    },
    /// Sets the default action; `None` restores the program's.
    SetDefault(Table, Option<ActionCall>),
    /// Adds or changes a member of a profile.
    SetMember {
        /// The profile.
        profile: Profile,
        /// The member's id.
        member: u32,
        /// Its action.
        call: ActionCall,
    },
    /// Removes a member that no group and no entry names.
    DeleteMember(Profile, u32),
    /// Adds or changes a group: member ids and weights. A member of weight n counts n times.
    SetGroup {
        /// The profile.
        profile: Profile,
        /// The group's id.
        group: u32,
        /// Members and weights.
        members: Vec<(u32, u32)>,
    },
    /// Removes a group that no entry names.
    DeleteGroup(Profile, u32),
    /// Adds or changes a multicast group; `None` removes it.
    SetMulticast {
        /// Its number, not 0.
        group: u16,
        /// Its replicas, in the order in which they are made.
        replicas: Option<Vec<Replica>>,
    },
    /// Adds or changes a clone session; `None` removes it.
    SetClone {
        /// Its number.
        session: u32,
        /// Where its clones go, and at most how many bytes of each.
        target: Option<(CloneTarget, Option<u32>)>,
    },
    /// Replaces the members of a value set; each member matches every column.
    SetValueSet(ValueSet, Vec<Vec<KeyMatch>>),
    /// Sets one register.
    SetRegister(Register, u32, Bits),
    /// Sets one counter.
    SetCounter(Counter, u32, CounterValue),
    /// Sets one meter; `None` makes it always green.
    SetMeter(Meter, u32, Option<MeterConfig>),
    /// Sets the direct counter of an entry.
    SetDirectCounter {
        /// The table.
        table: Table,
        /// The entry's keys.
        keys: Vec<KeyMatch>,
        /// The entry's priority.
        priority: u32,
        /// The new content.
        value: CounterValue,
    },
    /// Sets the direct meter of an entry.
    SetDirectMeter {
        /// The table.
        table: Table,
        /// The entry's keys.
        keys: Vec<KeyMatch>,
        /// The entry's priority.
        priority: u32,
        /// Its rates; `None` makes it always green.
        config: Option<MeterConfig>,
    },
    /// Adds or changes an entry of a map; refused when its bucket is full.
    SetMapEntry {
        /// The map.
        map: Map,
        /// The key's fields.
        key: Vec<Bits>,
        /// Its values.
        values: Vec<Bits>,
    },
    /// Sets the parameters of a custom CRC, each number within its width.
    SetCrc(Crc, CrcParams),
    /// Removes an entry of a map.
    DeleteMapEntry(Map, Vec<Bits>),
}

impl KeyMatch {
    /// The match of `value` where `mask` is 1, with the other bits cleared.
    pub fn masked(value: &Bits, mask: Bits) -> Self {
        let limbs: Vec<u64> = value.limbs().iter().zip(mask.limbs()).map(|(v, m)| v & m).collect();
        KeyMatch::Masked { value: Bits::from_limbs(mask.width(), &limbs), mask }
    }

    /// The match of the first `prefix` bits of `value`, with the other bits cleared.
    pub fn lpm(value: &Bits, prefix: u32) -> Self {
        match Self::masked(value, prefix_mask(value.width(), prefix)) {
            KeyMatch::Masked { value, .. } => KeyMatch::Lpm { value, prefix },
            other => other,
        }
    }

    /// Whether a value matches; `signed` says how a range compares.
    pub fn matches(&self, value: &Bits, signed: bool) -> bool {
        let under = |v: &Bits, mask: &Bits| {
            v.limbs()
                .iter()
                .zip(value.limbs())
                .zip(mask.limbs())
                .all(|((a, b), m)| (a ^ b) & m == 0)
        };
        match self {
            KeyMatch::Any => true,
            KeyMatch::Exact(v) => v == value,
            KeyMatch::Lpm { value: v, prefix } => under(v, &prefix_mask(v.width(), *prefix)),
            KeyMatch::Masked { value: v, mask } => under(v, mask),
            KeyMatch::Range { low, high } => {
                let rank = |b: &Bits| {
                    let negative = signed && b.width() > 0 && b.bit(b.width() - 1);
                    (!negative, b.limbs().iter().rev().copied().collect::<Vec<u64>>())
                };
                rank(low) <= rank(value) && rank(value) <= rank(high)
            }
        }
    }
}

/// A mask of `width` bits whose first `prefix` are 1.
pub fn prefix_mask(width: u32, prefix: u32) -> Bits {
    let zeros = width.saturating_sub(prefix);
    let limbs: Vec<u64> = (0..crate::bits::limb_count(width) as u32)
        .map(|i| match zeros.saturating_sub(64 * i) {
            0 => u64::MAX,
            z if z >= 64 => 0,
            z => u64::MAX << z,
        })
        .collect();
    Bits::from_limbs(width, &limbs)
}
