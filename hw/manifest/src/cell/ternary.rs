//! Ternary, range and optional keys: a memory that answers, for each value of a few key bits, which positions they
//! fit.

use super::{Part, PartShape, bits_for, fixed};
use serde::{Deserialize, Serialize};

/// What a key of a ternary table can be compared with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TernaryKey {
    /// Its bits.
    pub width: u32,
    /// Whether ranges compare with the sign.
    pub signed: bool,
    /// Whether matches with a mask occur.
    pub masks: bool,
    /// Whether ranges occur.
    pub ranges: bool,
}

/// What a column says of the bits that it looks at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnTest {
    /// Whether they fit.
    Fits,
    /// Whether they are above those of the low end of a range.
    AboveLow,
    /// Whether they are those of the low end.
    IsLow,
    /// Whether they are below those of the high end.
    BelowHigh,
    /// Whether they are those of the high end.
    IsHigh,
}

/// A column: some bits of the key, and for each of their values one bit for each position.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Column {
    /// The key; all keys that are only compared under masks are one, the first most significant, and are
    /// meant by `None`.
    pub key: Option<u32>,
    /// Lowest bit that it looks at.
    pub lo: u32,
    /// How many.
    pub bits: u32,
    /// What it says.
    pub test: ColumnTest,
}

/// A ternary table of positions; of those that match, the lowest wins.
///
/// A position matches when all its `Fits` columns say so and, for each key with a range, the value is at least the
/// low and at most the high end: above it in the first differing chunk, or the same in all. So a range of any width takes
/// one position. Column `c` has the row `(block << bits | value) << 1 | epoch`, in which bit `b` is position
/// `block * width + reversed(b)`: with the bits of `b` reversed, the first of neighbours is found by halving.
///
/// RAM instead of registers also for few positions: five key bits and the epoch cost one lookup table per position, a
/// register comparison costs two and four flip-flops a bit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TernaryShape {
    /// The keys.
    pub keys: Vec<TernaryKey>,
    /// Bits of an id; 0 when the position itself is of no interest.
    pub id_bits: u32,
    /// Positions of a block, a power of two up to 64.
    pub block: u32,
    /// Blocks.
    pub blocks: u32,
    /// The columns.
    pub columns: Vec<Column>,
}

impl TernaryShape {
    /// A table that takes `entries` entries with ids below `ids`; without ids it only says whether something matches.
    pub fn new(keys: Vec<TernaryKey>, entries: u32, ids: Option<u32>) -> Self {
        // Block RAM has 512 rows at its widest, lookup tables have 64; one address bit is the epoch.
        let chunk = if entries > 512 { 8 } else { 5 };
        Self::with_chunks(keys, entries, ids, chunk)
    }

    /// As [`new`](Self::new), with columns of `chunk` key bits.
    pub fn with_chunks(keys: Vec<TernaryKey>, entries: u32, ids: Option<u32>, chunk: u32) -> Self {
        let block = entries.clamp(2, 64).next_power_of_two();
        let mut columns = Vec::new();
        let joined = keys.iter().filter(|k| !k.ranges).map(|k| k.width).sum();
        push_fits(&mut columns, None, joined, chunk);
        for (index, key) in (0..).zip(&keys).filter(|(_, k)| k.ranges) {
            // A chunk can hold any set of values, so also any range.
            if key.masks || key.width <= chunk {
                push_fits(&mut columns, Some(index), key.width, chunk);
            }
            if key.width > chunk {
                push_range(&mut columns, index, key.width, chunk);
            }
        }
        TernaryShape {
            keys,
            id_bits: ids.map_or(0, bits_for),
            block,
            blocks: entries.div_ceil(block).max(1),
            columns,
        }
    }

    /// Positions.
    pub fn positions(&self) -> u32 {
        self.block * self.blocks
    }

    /// Rows of a column in a block, those of both epochs.
    pub fn rows(column: &Column) -> u32 {
        2 << column.bits
    }

    pub(super) fn parts(&self) -> Vec<PartShape> {
        let column = |(at, column): (u32, &Column)| {
            fixed(Part::Column(at), self.block, self.blocks * Self::rows(column))
        };
        let mut parts: Vec<PartShape> = (0..).zip(&self.columns).map(column).collect();
        if self.id_bits > 0 {
            parts.push(fixed(Part::Position, self.id_bits, 2 * self.positions()));
        }
        parts
    }
}

/// Columns for `width` bits from the top.
fn chunks(width: u32, chunk: u32) -> impl Iterator<Item = (u32, u32)> {
    let count = width.div_ceil(chunk);
    // Chunks of equal size cost fewer rows than full ones and a rest.
    (0..count).map(move |i| {
        let (high, low) = (width - width * i / count, width - width * (i + 1) / count);
        (low, high - low)
    })
}

fn push_fits(columns: &mut Vec<Column>, key: Option<u32>, width: u32, chunk: u32) {
    let test = ColumnTest::Fits;
    columns.extend(chunks(width, chunk).map(|(lo, bits)| Column { key, lo, bits, test }));
}

fn push_range(columns: &mut Vec<Column>, key: u32, width: u32, chunk: u32) {
    for (lo, bits) in chunks(width, chunk) {
        use ColumnTest::{AboveLow, BelowHigh, IsHigh, IsLow};
        let tests = [AboveLow, IsLow, BelowHigh, IsHigh];
        columns.extend(tests.map(|test| Column { key: Some(key), lo, bits, test }));
    }
}
