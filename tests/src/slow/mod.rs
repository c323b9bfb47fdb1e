//! An independent evaluator of checked programs: slow, simple, for comparison only.
//!
//! It shares the description of a program with everything else and nothing with the golden model: a
//! walk over the statements as written, tables searched entry by entry, values as numbers of any size,
//! hashes bit by bit. What it does follows from ARCHITECTURE.md, "The way of a packet" and "Undefined
//! behaviour is defined".
//!
//! It does not check what a control plane writes beyond what needs its state (that an entry exists).

pub mod hash;
pub mod num;

pub(crate) mod chance;
mod edges;
mod meter;
pub(crate) mod packet;
pub(crate) mod pass;
pub(crate) mod run;
pub(crate) mod state;
pub(crate) mod value;

pub use pass::{Outcome, Queue};
pub use state::Refused;

use restage_program::check::Checked;
use restage_program::entity::{Counter, Map, Register, Table};
use restage_program::entry::{CounterValue, Entry, Write};
use restage_program::{Bits, Entity};

/// What [`Slow::tally`] calls a write to a field of an invalid header. Legal, without effect, and undefined in P4.
pub const LOST_WRITE: &str = "field of an invalid header written";

/// Passes that a packet may make, unless said otherwise.
pub const MOST_PASSES: u32 = 32;

/// The evaluator of one program, with its state.
#[derive(Clone, Debug)]
pub struct Slow {
    pub(crate) program: Checked,
    pub(crate) state: state::State,
    most_passes: u32,
}

impl Slow {
    /// The program with its own entries and everything else empty.
    pub fn new(program: &Checked) -> Self {
        Slow {
            state: state::State::new(program),
            program: program.clone(),
            most_passes: MOST_PASSES,
        }
    }

    /// Changes how many passes a packet may make.
    pub fn with_passes(mut self, most: u32) -> Self {
        self.most_passes = most;
        self
    }

    /// One step of a control plane.
    pub fn write(&mut self, write: &Write) -> Result<(), Refused> {
        self.state.write(&self.program, write)
    }

    /// Processes a packet and everything that comes of it.
    pub fn process(&mut self, port: u16, bytes: &[u8], time_us: u64, queue: Queue) -> Outcome {
        self.state.now = time_us;
        let mut way = pass::Way {
            program: &self.program,
            state: &mut self.state,
            port,
            queue,
            most_passes: self.most_passes,
            outcome: Outcome::default(),
        };
        way.run(bytes);
        way.outcome
    }

    /// What has happened to packets so far, counted by name.
    pub fn tally(&self) -> &std::collections::BTreeMap<&'static str, u64> {
        &self.state.tally
    }

    /// Counts something that only an observer can see.
    pub fn note(&mut self, what: &'static str) {
        self.state.note(what);
    }

    /// Contents of a register array.
    pub fn registers(&self, register: Register) -> &[Bits] {
        &self.state.registers[register.index()]
    }

    /// Contents of a counter array.
    pub fn counters(&self, counter: Counter) -> &[CounterValue] {
        &self.state.counters[counter.index()]
    }

    /// Entries of a table with their direct counters, in the order in which they were installed.
    pub fn entries(&self, table: Table) -> impl Iterator<Item = (&Entry, CounterValue)> {
        self.state.tables[table.index()].entries.iter().map(|e| (&e.entry, e.counter))
    }

    /// Live entries of a map, sorted by key.
    pub fn map(&self, map: Map) -> Vec<(Vec<Bits>, Vec<Bits>)> {
        self.state.map_entries(&self.program, map)
    }
}
