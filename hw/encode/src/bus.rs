//! Memories as they are in the hardware, and what to write on the bus to make them so.

use restage_manifest::address::region;
use restage_manifest::cell::{Cell, Part, Parts};
use restage_program::Bits;
use restage_program::bits::limb_count;
use std::collections::BTreeSet;

/// One step of a driver.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BusOp {
    /// Writes a word of a unit.
    Write {
        /// The unit.
        unit: u32,
        /// The word.
        word: u32,
        /// What.
        value: u32,
    },
    /// Reads `STATUS` of a unit until no command is under way. Then bit 1 must be 0: a command was not refused.
    Settle {
        /// The unit.
        unit: u32,
    },
}

/// The unit of cells that no region has: of tables that a program never applies. Entries of theirs are accepted as any
/// others, and no word says them.
pub(crate) const NOWHERE: u32 = u32::MAX;

/// A row to be written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct RowWrite {
    pub unit: u32,
    pub number: u32,
    pub row: u32,
    pub bits: Bits,
    /// A command of the cell instead of a plain write, and whether the bus must come to rest after it.
    pub command: u32,
    pub live: bool,
}

/// Rows in the order in which they must be written, and writes to the shell, which wait for nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(pub Vec<RowWrite>, pub Vec<BusOp>);

impl Log {
    /// The words to be written. What the bus holds already is not written again.
    pub fn ops(self) -> Vec<BusOp> {
        let mut ops = self.1;
        let mut at: Option<(u32, u32, u32)> = None;
        let mut held: Vec<Option<u32>> = Vec::new();
        for RowWrite { unit, number, row, bits, command, live } in self.0 {
            if unit == NOWHERE {
                continue;
            }
            let mut write = |word, value| ops.push(BusOp::Write { unit, word, value });
            let (before, memory, next) = at.unwrap_or((u32::MAX, u32::MAX, u32::MAX));
            if before != unit {
                held.clear();
            }
            if (before, memory) != (unit, number) {
                write(region::MEM, number);
            }
            if (before, next) != (unit, row) {
                write(region::ROW, row);
            }
            let words = bits.width().div_ceil(32);
            held.resize(held.len().max(words as usize), None);
            for word in 0..words {
                let limb = bits.limbs().get(word as usize / 2).copied().unwrap_or(0);
                let value = (limb >> (32 * (word % 2))) as u32;
                if held[word as usize] != Some(value) {
                    held[word as usize] = Some(value);
                    write(region::HOLD + word, value);
                }
            }
            write(region::CMD, command);
            if live {
                ops.push(BusOp::Settle { unit });
            }
            let next = if command == region::WRITE { row + 1 } else { u32::MAX };
            at = Some((unit, number, next));
        }
        ops
    }
}

/// A memory of a cell as it will be when everything logged has been written.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    unit: u32,
    number: u32,
    width: u32,
    rows: u32,
    limbs: usize,
    words: Vec<u64>,
    dirty: BTreeSet<u32>,
}

impl Memory {
    /// A memory of 0s. A part that the shape does not have is a memory without rows.
    pub fn new<S: Parts>(cell: &Cell<S>, part: Part) -> Self {
        let found = cell.memory(part);
        let (number, width, rows) =
            found.map_or((0, 1, 0), |(n, shape)| (n, shape.width, shape.rows));
        let limbs = limb_count(width);
        let words = vec![0; limbs * rows as usize];
        Memory { unit: cell.unit, number, width, rows, limbs, words, dirty: BTreeSet::new() }
    }

    fn range(&self, row: u32) -> std::ops::Range<usize> {
        row as usize * self.limbs..(row as usize + 1) * self.limbs
    }

    /// A row.
    pub fn get(&self, row: u32) -> Bits {
        let limbs = self.words.get(self.range(row)).unwrap_or_default();
        Bits::from_limbs(self.width, limbs)
    }

    /// Changes a row and logs it, unless it is so already.
    pub fn put(&mut self, log: &mut Log, row: u32, bits: &Bits) {
        if self.store(row, bits) {
            log.0.push(self.write(row));
        }
    }

    /// Changes a row, to be logged by [`flush`](Self::flush).
    pub fn set(&mut self, row: u32, bits: &Bits) {
        if self.store(row, bits) {
            self.dirty.insert(row);
        }
    }

    /// Changes one bit of a row, to be logged by [`flush`](Self::flush).
    pub fn set_bit(&mut self, row: u32, bit: u32, value: bool) {
        let at = self.range(row).start + bit as usize / 64;
        let Some(word) = self.words.get_mut(at) else { return };
        let mask = 1 << (bit % 64);
        if (*word & mask != 0) != value {
            *word ^= mask;
            self.dirty.insert(row);
        }
    }

    fn store(&mut self, row: u32, bits: &Bits) -> bool {
        let range = self.range(row);
        let bits = bits.resize(self.width);
        match self.words.get_mut(range) {
            Some(words) if words != bits.limbs() => {
                words.copy_from_slice(bits.limbs());
                true
            }
            _ => false,
        }
    }

    fn write(&self, row: u32) -> RowWrite {
        let (unit, number, bits) = (self.unit, self.number, self.get(row));
        RowWrite { unit, number, row, bits, command: region::WRITE, live: false }
    }

    /// Logs the rows that were set.
    pub fn flush(&mut self, log: &mut Log) {
        let dirty = std::mem::take(&mut self.dirty);
        log.0.extend(dirty.into_iter().filter(|r| *r < self.rows).map(|row| self.write(row)));
    }
}

/// A word put together from fields.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    limbs: Vec<u64>,
    width: u32,
}

impl Word {
    pub fn new(width: u32) -> Self {
        Word { limbs: vec![0; limb_count(width) + 1], width }
    }

    /// Puts a value at a place that is 0.
    pub fn put(&mut self, at: u32, value: &Bits) -> &mut Self {
        let (word, shift) = ((at / 64) as usize, at % 64);
        for (i, limb) in value.limbs().iter().enumerate() {
            let both = u128::from(*limb) << shift;
            for (j, part) in [both as u64, (both >> 64) as u64].into_iter().enumerate() {
                if let Some(into) = self.limbs.get_mut(word + i + j) {
                    *into |= part;
                }
            }
        }
        self
    }

    /// As [`put`](Self::put), for a number.
    pub fn number(&mut self, at: u32, width: u32, value: u64) -> &mut Self {
        self.put(at, &Bits::new(width, value.into()))
    }

    pub fn bits(&self) -> Bits {
        Bits::from_limbs(self.width, &self.limbs)
    }
}

/// The field of a word.
pub(crate) fn field(bits: &Bits, at: u32, width: u32) -> Bits {
    let (word, shift) = ((at / 64) as usize, at % 64);
    let limb = |i: usize| u128::from(bits.limbs().get(i).copied().unwrap_or(0));
    let limbs: Vec<u64> = (0..limb_count(width))
        .map(|i| ((limb(word + i) | limb(word + i + 1) << 64) >> shift) as u64)
        .collect();
    Bits::from_limbs(width, &limbs)
}

/// Values joined, the first most significant.
pub(crate) fn join(values: &[Bits]) -> Bits {
    let width = values.iter().map(Bits::width).sum();
    let mut word = Word::new(width);
    let mut at = width;
    for value in values {
        at -= value.width();
        word.put(at, value);
    }
    word.bits()
}
