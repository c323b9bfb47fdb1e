//! Exact tables: cuckoo hashing with a stash.

use super::{Part, PartShape, bits_for, fixed};
use serde::{Deserialize, Serialize};

/// An exact table. The key is all keys of the table, the first one most significant. A slot is from bit 0 up: the
/// key, the id, a valid bit for each epoch. A key is in one slot of one way, where
/// [`hash_mask`](super::hash_mask) says, or in the stash.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ExactShape {
    /// Bits of the key.
    pub key_bits: u32,
    /// Bits of an id.
    pub id_bits: u32,
    /// Ways, all read in the same clock; 0 for few entries.
    pub ways: u32,
    /// Slots of a way, a power of two.
    pub depth: u32,
    /// Slots in registers.
    pub stash: u32,
}

impl ExactShape {
    /// A table that takes `entries` entries with ids below `ids`.
    pub fn new(key_bits: u32, entries: u32, ids: u32) -> Self {
        let (few, stash) = if key_bits <= 256 { (8, 4) } else { (2, 2) };
        let id_bits = bits_for(ids);
        if entries <= few {
            return ExactShape { key_bits, id_bits, ways: 0, depth: 0, stash: ids };
        }
        // More ways can be filled further.
        let fits = |ways: u32, percent: u64| {
            let slots = u64::from(entries) * 100 / percent + 1;
            let depth = (slots.div_ceil(u64::from(ways)) as u32).next_power_of_two().max(4);
            (ways, depth)
        };
        let (ways, depth) = [fits(3, 70), fits(4, 80), fits(5, 84)]
            .into_iter()
            .min_by_key(|(ways, depth)| u64::from(*ways) * u64::from(*depth))
            .unwrap_or((4, 4));
        ExactShape { key_bits, id_bits, ways, depth, stash }
    }

    /// Bits of a slot.
    pub fn slot_bits(&self) -> u32 {
        self.key_bits + self.id_bits + 2
    }

    /// Lowest bit of the id in a slot.
    pub fn id_at(&self) -> u32 {
        self.key_bits
    }

    /// Bit of a slot that says whether it is valid in epoch 0; epoch 1 follows.
    pub fn valid_at(&self) -> u32 {
        self.key_bits + self.id_bits
    }

    pub(super) fn parts(&self) -> Vec<PartShape> {
        let way = |w| fixed(Part::Way(w), self.slot_bits(), self.depth);
        let stash = fixed(Part::Stash, self.slot_bits(), self.stash);
        (0..self.ways).map(way).chain([stash]).collect()
    }
}
