//! Where what packets have written stands, and how to read it.

use crate::bus::{BusOp, NOWHERE};
use crate::encoder::Encoder;
use restage_manifest::address::region;
use restage_manifest::cell::{Cell, Part, Parts};
use restage_program::Bits;
use restage_program::accept::WriteError;
use restage_program::entity::{Counter, Map, Meter, Register, Table};
use restage_program::entry::KeyMatch;

/// Rows of one memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rows {
    /// Unit of the region.
    pub unit: u32,
    /// Number of the memory.
    pub number: u32,
    /// Bits of a row.
    pub width: u32,
    /// How many rows there are.
    pub rows: u32,
}

/// How to read one row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RowRead {
    /// What to do first.
    pub ops: Vec<BusOp>,
    /// Words of the unit to be read then, in order.
    pub words: Vec<(u32, u32)>,
    width: u32,
}

impl Rows {
    fn of<S: Parts>(cell: &Cell<S>, part: Part) -> Option<Self> {
        let (number, shape) = cell.memory(part).filter(|_| cell.unit != NOWHERE)?;
        Some(Rows { unit: cell.unit, number, width: shape.width, rows: shape.rows })
    }

    /// How to read a row.
    pub fn read(&self, row: u32) -> RowRead {
        let unit = self.unit;
        let write = |word, value| BusOp::Write { unit, word, value };
        RowRead {
            ops: vec![
                write(region::MEM, self.number),
                write(region::ROW, row),
                write(region::CMD, region::READ),
                BusOp::Settle { unit },
            ],
            words: (0..self.width.div_ceil(32)).map(|i| (unit, region::HOLD + i)).collect(),
            width: self.width,
        }
    }
}

impl RowRead {
    /// The row, from the words that were read.
    pub fn row(&self, words: &[u32]) -> Bits {
        let limb =
            |pair: &[u32]| pair.iter().rev().fold(0u64, |limb, word| limb << 32 | u64::from(*word));
        Bits::from_limbs(self.width, &words.chunks(2).map(limb).collect::<Vec<_>>())
    }
}

impl Encoder {
    /// An array of registers; a row is one.
    pub fn registers(&self, register: Register) -> Option<Rows> {
        let cell = self.cells.registers.iter().find(|(r, _)| *r == register)?;
        Rows::of(&cell.1, Part::Content)
    }

    /// The random generators that are in a circuit, by the number of the call site; each has one row, its state.
    pub fn generators(&self) -> Vec<(u32, Rows)> {
        let all = self.cells.randoms.iter();
        all.filter_map(|(site, cell)| Some((*site, Rows::of(cell, Part::Seed)?))).collect()
    }

    /// The banks of an array of counters: a count is the sum of what [`counter_value`](crate::counter_value) reads in each.
    pub fn counters(&self, counter: Counter) -> Vec<Rows> {
        let banks = self.cells.counters.iter().filter(|(c, _)| *c == counter);
        banks.filter_map(|(_, cell)| Rows::of(cell, Part::Count)).collect()
    }

    /// An array of meters: when each bucket was last filled, and what is missing in them.
    /// [`meter_missing`](crate::meter_missing) reads the latter.
    pub fn meters(&self, meter: Meter) -> Option<[Rows; 2]> {
        let (_, cell) = self.cells.meters.iter().find(|(m, _)| *m == meter)?;
        Some([Rows::of(cell, Part::Filled)?, Rows::of(cell, Part::Missing)?])
    }

    /// The ways of a map, in order; [`map_entry`](crate::map_entry) reads a row. Entry `way` of bucket `row` has the place
    /// `row * ways + way`.
    pub fn map_ways(&self, map: Map) -> Vec<Rows> {
        let cell = self.cells.maps.iter().find(|(m, _)| *m == map);
        let ways = |cell: &Cell<_>| {
            let cell: &Cell<restage_manifest::cell::MapShape> = cell;
            (0..cell.shape.ways).filter_map(|w| Rows::of(cell, Part::MapWay(w))).collect()
        };
        cell.map(|(_, cell)| ways(cell)).unwrap_or_default()
    }

    /// The direct counter of an entry: its rows, and which one.
    pub fn direct_counter(
        &self,
        epoch: bool,
        table: Table,
        keys: &[KeyMatch],
        priority: u32,
    ) -> Result<Option<(Rows, u32)>, WriteError> {
        let (_, of, id) = self.direct(epoch.into(), table, keys, priority)?;
        Ok(Rows::of(&of.cell, Part::Count).map(|rows| (rows, id)))
    }

    /// The time of an entry's last hit: its rows, and which one. 0 when it was never hit.
    pub fn last_hit(
        &self,
        epoch: bool,
        table: Table,
        keys: &[KeyMatch],
        priority: u32,
    ) -> Result<Option<(Rows, u32)>, WriteError> {
        let (_, of, id) = self.direct(epoch.into(), table, keys, priority)?;
        Ok(Rows::of(&of.cell, Part::Used).map(|rows| (rows, id)))
    }
}
