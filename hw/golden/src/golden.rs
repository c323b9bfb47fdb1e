//! The model: a program, compiled, with its entries and its state.

use crate::error::{BuildError, WriteError};
use crate::input::Input;
use crate::output::Output;
use crate::trace::Event;
use restage_program::entity::{Counter, Register, Table};
use restage_program::entry::{CounterValue, KeyMatch, Write};
use restage_program::{Bits, Checked};

/// Limits and the seed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// How often one packet may be processed: recirculated, resubmitted, cloned in egress.
    pub max_passes: u32,
    /// How many copies, further passes included, one input may cause.
    pub max_copies: u32,
    /// Start of the generator behind `random`.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options { max_passes: 32, max_copies: 4096, seed: 0 }
    }
}

/// A program that runs.
#[derive(Debug)]
pub struct Golden {
    program: Checked,
}

impl Golden {
    /// Compiles a program and installs its own entries.
    pub fn new(program: &Checked) -> Result<Golden, BuildError> {
        Self::with_options(program, Options::default())
    }

    /// As [`new`](Self::new), with other limits or another seed.
    pub fn with_options(program: &Checked, _options: Options) -> Result<Golden, BuildError> {
        Ok(Golden { program: program.clone() })
    }

    /// The program.
    pub fn program(&self) -> &Checked {
        &self.program
    }

    /// Does what a control plane asks. A refused write changes nothing.
    pub fn write(&mut self, _write: &Write) -> Result<(), WriteError> {
        Ok(())
    }

    /// Processes one packet and everything that it causes.
    pub fn process(&mut self, _input: &Input<'_>, out: &mut Output) {
        out.clear();
    }

    /// As [`process`](Self::process), and tells every step.
    pub fn process_traced(
        &mut self,
        input: &Input<'_>,
        out: &mut Output,
        _trace: &mut dyn FnMut(Event<'_>),
    ) {
        self.process(input, out);
    }

    /// Content of a register.
    pub fn register(&self, _register: Register, _index: u32) -> Option<Bits> {
        None
    }

    /// Content of a counter.
    pub fn counter(&self, _counter: Counter, _index: u32) -> Option<CounterValue> {
        None
    }

    /// Content of the direct counter of an entry.
    pub fn direct_counter(
        &self,
        _table: Table,
        _keys: &[KeyMatch],
        _priority: u32,
    ) -> Option<CounterValue> {
        None
    }
}
