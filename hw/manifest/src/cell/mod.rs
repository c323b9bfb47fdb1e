//! Shapes of the cells with state: what the circuits, the encoder of entries and a driver must agree on.
//!
//! A cell's memories have consecutive numbers on the configuration bus of its region; [`Parts::parts`] lists them
//! in that order, with the width and the number of rows that the bus sees. The word layouts are said here at
//! the shapes. Rows that exist per epoch are at `2 * row + epoch`. All memories are 0 when a variant reports
//! ready, and 0 always means nothing: no entry, no count, no rate.

mod exact;
mod hash;
mod lpm;
mod state;
mod table;
mod ternary;

pub use exact::ExactShape;
pub use hash::hash_mask;
pub use lpm::LpmShape;
pub use state::{CounterShape, MapShape, MeterShape, RandomShape, RegisterShape, ValueSetShape};
pub use table::{ActionShape, DataShape, KeyShape, LookupShape, ProfileShape, TableShape};
pub use ternary::{Column, ColumnTest, TernaryKey, TernaryShape};

use restage_program::entity::{Counter, Map, Meter, Register, Table, ValueSet};
use serde::{Deserialize, Serialize};

/// What a memory of a cell is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Action data of the default action, per epoch.
    Default,
    /// Slots of a way of an exact table.
    Way(u32),
    /// Slots that are compared all at once.
    Stash,
    /// Nodes of a level of a search tree, per epoch; the last level has the ids.
    Level(u32),
    /// A column of a ternary table.
    Column(u32),
    /// Ids of the positions of a ternary table, per epoch.
    Position,
    /// Action data, or what of the profile an entry names, by id and epoch.
    Data,
    /// Action data of a profile's members, by place and epoch.
    Member,
    /// Groups of a profile, by place and epoch.
    Group,
    /// Members of groups, by place and epoch.
    Choice,
    /// Counters.
    Count,
    /// Rates and bursts of meters.
    Rates,
    /// When a meter was last filled.
    Filled,
    /// Tokens that are missing in a meter's buckets.
    Missing,
    /// When an entry was last hit.
    Used,
    /// Contents of registers.
    Content,
    /// A way of a map.
    MapWay(u32),
    /// Start of a random generator.
    Seed,
}

/// A memory as the configuration bus sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PartShape {
    /// What it is for.
    pub part: Part,
    /// Bits of a row.
    pub width: u32,
    /// Rows.
    pub rows: u32,
    /// Whether packets write it: it can be read, and the bus waits for a clock without a packet.
    pub live: bool,
}

/// What consists of memories.
pub trait Parts {
    /// The memories in the order of their numbers.
    fn parts(&self) -> Vec<PartShape>;

    /// The position of a memory in that order.
    fn position(&self, part: Part) -> Option<u32> {
        self.parts().iter().position(|p| p.part == part).map(|at| at as u32)
    }
}

/// A cell in a placed program.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Cell<S> {
    /// Unit of its region on the configuration bus.
    pub unit: u32,
    /// Number of its first memory there.
    pub first: u32,
    /// Its shape.
    pub shape: S,
}

impl<S: Parts> Cell<S> {
    /// The number of one of its memories, with its shape.
    pub fn memory(&self, part: Part) -> Option<(u32, PartShape)> {
        let parts = self.shape.parts();
        let at = parts.iter().position(|p| p.part == part)?;
        Some((self.first + at as u32, parts[at]))
    }
}

/// Bits of a number below `count`; at least 1.
pub fn bits_for(count: u32) -> u32 {
    (u32::BITS - count.saturating_sub(1).leading_zeros()).max(1)
}

fn fixed(part: Part, width: u32, rows: u32) -> PartShape {
    PartShape { part, width, rows, live: false }
}

fn live(part: Part, width: u32, rows: u32) -> PartShape {
    PartShape { part, width, rows, live: true }
}

/// All cells of a placed program. What is in several places (a parser's value set that is asked in several states)
/// is listed as often.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Cells {
    /// Tables.
    pub tables: Vec<(Table, Cell<TableShape>)>,
    /// Value sets.
    pub value_sets: Vec<(ValueSet, Cell<ValueSetShape>)>,
    /// Registers.
    pub registers: Vec<(Register, Cell<RegisterShape>)>,
    /// Counters.
    pub counters: Vec<(Counter, Cell<CounterShape>)>,
    /// Meters.
    pub meters: Vec<(Meter, Cell<MeterShape>)>,
    /// Maps.
    pub maps: Vec<(Map, Cell<MapShape>)>,
    /// Random generators, by the number of the call site, from 0 in the order of the program.
    pub randoms: Vec<(u32, Cell<RandomShape>)>,
}

impl Cells {
    /// Adds those of another region, which is this unit.
    pub fn append(&mut self, mut other: Cells, unit: u32) {
        other.move_to(&|_| unit);
        self.tables.append(&mut other.tables);
        self.value_sets.append(&mut other.value_sets);
        self.registers.append(&mut other.registers);
        self.counters.append(&mut other.counters);
        self.meters.append(&mut other.meters);
        self.maps.append(&mut other.maps);
        self.randoms.append(&mut other.randoms);
    }

    /// Has all in other regions, given what becomes of a unit.
    pub fn move_to(&mut self, unit: &dyn Fn(u32) -> u32) {
        fn place<I, S>(cells: &mut [(I, Cell<S>)], unit: &dyn Fn(u32) -> u32) {
            cells.iter_mut().for_each(|(_, cell)| cell.unit = unit(cell.unit));
        }
        place(&mut self.tables, unit);
        place(&mut self.value_sets, unit);
        place(&mut self.registers, unit);
        place(&mut self.counters, unit);
        place(&mut self.meters, unit);
        place(&mut self.maps, unit);
        place(&mut self.randoms, unit);
    }
}
