//! Longest prefix match: a search tree over the bounds of the prefixes.
//!
//! The prefixes cut the numbers of the key into at most `2n + 1` intervals in each of which one prefix is the
//! longest. The intervals' lower bounds, sorted, are the leaves of a tree of fixed height, searched one level
//! after another. Against a tree bitmap of stride 4, for 16 K prefixes of 32 bits: five levels instead of eight, 90
//! block RAMs instead of about 120 (both with a plane per epoch or as much room for copies), and the height grows
//! with the number of entries and not with the width of the key: 128 bits, or exact keys on top of the prefix, need
//! no more levels. The price is that a short prefix with many longer ones inside changes many leaves.

use super::{Part, PartShape, bits_for, fixed};
use serde::{Deserialize, Serialize};

/// A table with one lpm key. The key is all exact keys, the first one most significant, and below them the
/// lpm key.
///
/// A node has `fanout` children and `fanout - 1` bounds. From bit 0 up: for child 1, 2, ... the bound
/// (`key_bits`) and a bit that says that it counts; in a leaf then for child 0, 1, ... the id and a bit that says
/// that there is a prefix. The child taken is the last whose bound counts and is not above the key. Its row one level
/// down is `row * fanout + child`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LpmShape {
    /// Bits of the key.
    pub key_bits: u32,
    /// Bits of an id.
    pub id_bits: u32,
    /// Children of a node, a power of two.
    pub fanout: u32,
    /// Nodes of each level, the root first; the last level are the leaves.
    pub levels: Vec<u32>,
}

impl LpmShape {
    /// A table that takes `entries` prefixes with ids below `ids`.
    pub fn new(key_bits: u32, entries: u32, ids: u32) -> Self {
        let fanout: u32 = match key_bits {
            0..=256 => 8,
            257..=1024 => 4,
            _ => 2,
        };
        let intervals = 2 * u64::from(entries) + 1;
        // Leaves that are not full let an insert move little; those of a small table are all looked at anyway.
        let roomy = if entries > 64 { intervals * 9 / 8 } else { intervals };
        let mut levels = vec![roomy.div_ceil(u64::from(fanout)) as u32];
        while let Some(below) = levels.first().copied().filter(|n| *n > 1) {
            levels.insert(0, below.div_ceil(fanout));
        }
        LpmShape { key_bits, id_bits: bits_for(ids), fanout, levels }
    }

    /// Bits of the bounds of a node.
    pub fn bounds_bits(&self) -> u32 {
        (self.fanout - 1) * (self.key_bits + 1)
    }

    /// Bits of a node of a level.
    pub fn node_bits(&self, level: u32) -> u32 {
        let leaf = level as usize + 1 == self.levels.len();
        self.bounds_bits() + if leaf { self.fanout * (self.id_bits + 1) } else { 0 }
    }

    pub(super) fn parts(&self) -> Vec<PartShape> {
        let level = |(level, nodes): (u32, &u32)| {
            fixed(Part::Level(level), self.node_bits(level), 2 * nodes)
        };
        (0..).zip(&self.levels).map(level).collect()
    }
}
