//! Positions of a ternary table: in the order in which entries win, with gaps.
//!
//! A new entry goes between its neighbours. If there is no gap, the entries of the smallest block around it that is not
//! nearly full are spread evenly. Each epoch has positions of its own.

use crate::bus::{Log, Memory, field, join};
use restage_manifest::cell::{Cell, Column, ColumnTest, Part, Parts, TernaryKey, TernaryShape};
use restage_program::Bits;
use restage_program::entry::{KeyMatch, prefix_mask};
use std::collections::BTreeMap;

/// Where an entry stands among the others: the smaller wins.
pub(crate) type Rank = (u32, u64);

#[derive(Clone, Debug)]
struct Held {
    id: u32,
    keys: Vec<KeyMatch>,
}

#[derive(Clone, Debug, Default)]
struct Plane {
    ranked: BTreeMap<Rank, u32>,
    at: BTreeMap<u32, (Rank, Held)>,
}

/// A ternary table's columns.
#[derive(Clone, Debug)]
pub(crate) struct Ternary {
    shape: TernaryShape,
    columns: Vec<Memory>,
    positions: Memory,
    planes: [Plane; 2],
}

impl Ternary {
    pub fn new<S: Parts>(cell: &Cell<S>, shape: &TernaryShape) -> Self {
        let columns = 0..shape.columns.len() as u32;
        Ternary {
            shape: shape.clone(),
            columns: columns.map(|c| Memory::new(cell, Part::Column(c))).collect(),
            positions: Memory::new(cell, Part::Position),
            planes: [Plane::default(), Plane::default()],
        }
    }

    /// Adds an entry to an epoch. Says whether there was room.
    pub fn insert(&mut self, epoch: usize, rank: Rank, id: u32, keys: &[KeyMatch]) -> bool {
        let plane = &self.planes[epoch];
        let count = self.shape.positions();
        if plane.ranked.len() as u32 >= count {
            return false;
        }
        let below = plane.ranked.range(..rank).next_back().map(|(_, at)| *at);
        let above = plane.ranked.range(rank..).next().map(|(_, at)| *at);
        let (first, last) = (below.map_or(0, |at| at + 1), above.unwrap_or(count));
        let held = Held { id, keys: keys.to_vec() };
        if first < last {
            self.place(epoch, first + (last - first) / 2, Some((rank, held)));
        } else {
            self.spread(epoch, first.min(count - 1), rank, held);
        }
        true
    }

    /// Takes an entry out of an epoch.
    pub fn remove(&mut self, epoch: usize, rank: Rank) {
        if let Some(at) = self.planes[epoch].ranked.get(&rank).copied() {
            self.place(epoch, at, None);
        }
    }

    /// Logs what has changed: ids first.
    pub fn flush(&mut self, log: &mut Log) {
        self.positions.flush(log);
        for column in &mut self.columns {
            column.flush(log);
        }
    }

    /// Spreads the entries around a position, with a new one among them.
    fn spread(&mut self, epoch: usize, near: u32, rank: Rank, held: Held) {
        let count = self.shape.positions();
        let mut size = 2;
        loop {
            let start = near / size * size;
            let end = start.saturating_add(size).min(count);
            let plane = &self.planes[epoch];
            let inside = plane.at.range(start..end).count() as u32;
            let (room, whole) = (end - start, start == 0 && end == count);
            // The new entry must belong into the block: its neighbours are inside, or at its ends.
            let after = plane.at.range(..start).next_back().is_none_or(|(_, (r, _))| *r < rank);
            let before = plane.at.range(end..).next().is_none_or(|(_, (r, _))| *r > rank);
            if whole || after && before && (inside + 1) * 8 <= room * 7 {
                let mut all: Vec<(Rank, Held)> =
                    plane.at.range(start..end).map(|(_, entry)| entry.clone()).collect();
                let at = all.partition_point(|(other, _)| *other < rank);
                all.insert(at, (rank, held));
                let total = all.len() as u64;
                let mut new: BTreeMap<u32, (Rank, Held)> = BTreeMap::new();
                for (i, entry) in (0..).zip(all) {
                    new.insert(start + (i * u64::from(room) / total) as u32, entry);
                }
                for at in start..end {
                    self.place(epoch, at, new.remove(&at));
                }
                return;
            }
            size *= 2;
        }
    }

    /// Puts an entry, or none, at a position.
    fn place(&mut self, epoch: usize, at: u32, entry: Option<(Rank, Held)>) {
        let plane = &mut self.planes[epoch];
        if let Some((rank, _)) = plane.at.remove(&at)
            && plane.ranked.get(&rank) == Some(&at)
        {
            plane.ranked.remove(&rank);
        }
        let keys = entry.as_ref().map(|(_, held)| held.keys.as_slice());
        let block = self.shape.block;
        let bits = block.trailing_zeros();
        let lane = match bits {
            0 => 0,
            bits => (at % block).reverse_bits() >> (u32::BITS - bits),
        };
        for (column, memory) in self.shape.columns.iter().zip(&mut self.columns) {
            let first = at / block * TernaryShape::rows(column);
            let test = keys.map(|keys| ColumnKey::new(&self.shape.keys, column, keys));
            for value in 0..1u32 << column.bits {
                let fits = test.as_ref().is_some_and(|test| test.says(value));
                memory.set_bit(first + 2 * value + epoch as u32, lane, fits);
            }
        }
        if let Some((rank, held)) = entry {
            let id = Bits::new(self.shape.id_bits, held.id.into());
            self.positions.set(2 * at + epoch as u32, &id);
            let plane = &mut self.planes[epoch];
            plane.ranked.insert(rank, at);
            plane.at.insert(at, (rank, held));
        }
    }
}

/// What a column has to say of one entry's keys.
struct ColumnKey {
    says: Says,
    /// Turned round in a value before it is compared: the sign bit of a range, so that numbers are in order.
    turn: u32,
}

enum Says {
    Masked { value: u32, mask: u32 },
    Between { low: u32, high: u32 },
    Order { to: u32, is: std::cmp::Ordering },
    Always(bool),
}

impl ColumnKey {
    fn new(shape: &[TernaryKey], column: &Column, keys: &[KeyMatch]) -> Self {
        let chunk = |bits: &Bits| field(bits, column.lo, column.bits).low_u64() as u32;
        let Some(index) = column.key else {
            let plain = || shape.iter().zip(keys).filter(|(k, _)| !k.ranges);
            let values: Vec<Bits> = plain().map(|(k, on)| masked(k.width, on).0).collect();
            let masks: Vec<Bits> = plain().map(|(k, on)| masked(k.width, on).1).collect();
            let (value, mask) = (chunk(&join(&values)), chunk(&join(&masks)));
            return ColumnKey { says: Says::Masked { value, mask }, turn: 0 };
        };
        let (Some(key), Some(on)) = (shape.get(index as usize), keys.get(index as usize)) else {
            return ColumnKey { says: Says::Always(false), turn: 0 };
        };
        let top = key.signed && column.lo + column.bits == key.width;
        let sign = if top { 1 << (column.bits - 1) } else { 0 };
        use std::cmp::Ordering::{Equal, Greater, Less};
        let (says, turn) = match (column.test, on) {
            // Only a chunk that is the whole key can say it; else the other columns do.
            (ColumnTest::Fits, KeyMatch::Range { .. }) if column.bits < key.width => {
                (Says::Always(true), 0)
            }
            (ColumnTest::Fits, KeyMatch::Range { low, high }) => {
                (Says::Between { low: chunk(low) ^ sign, high: chunk(high) ^ sign }, sign)
            }
            (ColumnTest::Fits, _) => {
                let (value, mask) = masked(key.width, on);
                (Says::Masked { value: chunk(&value), mask: chunk(&mask) }, 0)
            }
            (test, KeyMatch::Range { low, high }) => {
                let (to, is) = match test {
                    ColumnTest::AboveLow => (low, Greater),
                    ColumnTest::BelowHigh => (high, Less),
                    ColumnTest::IsLow => (low, Equal),
                    _ => (high, Equal),
                };
                (Says::Order { to: chunk(to) ^ sign, is }, sign)
            }
            // No range: whatever it is, it is inside.
            (ColumnTest::AboveLow | ColumnTest::BelowHigh, _) => (Says::Always(false), 0),
            (ColumnTest::IsLow | ColumnTest::IsHigh, _) => (Says::Always(true), 0),
        };
        ColumnKey { says, turn }
    }

    fn says(&self, value: u32) -> bool {
        let turned = value ^ self.turn;
        match &self.says {
            Says::Masked { value: want, mask } => (turned ^ want) & mask == 0,
            Says::Between { low, high } => (low..=high).contains(&&turned),
            Says::Order { to, is } => turned.cmp(to) == *is,
            Says::Always(fits) => *fits,
        }
    }
}

/// A match as value and mask.
fn masked(width: u32, on: &KeyMatch) -> (Bits, Bits) {
    match on {
        KeyMatch::Exact(value) => (value.clone(), Bits::ones(width)),
        KeyMatch::Lpm { value, prefix } => (value.clone(), prefix_mask(width, *prefix)),
        KeyMatch::Masked { value, mask } => (value.clone(), mask.clone()),
        KeyMatch::Range { .. } | KeyMatch::Any => (Bits::zero(width), Bits::zero(width)),
    }
}
