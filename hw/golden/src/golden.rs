//! The model: a program, compiled, with its entries and its state.

use crate::code::Code;
use crate::compile::compile;
use crate::error::BuildError;
use crate::input::{Input, Queue};
use crate::layout::Layout;
use crate::output::Output;
use crate::run::{Again, Context, Enters, Limits, Machine, Outside, Sink};
use crate::state::State;
use crate::trace::{Event, Names};
use crate::write::{self, entries};
use restage_program::Checked;
use restage_program::accept::WriteError;
use restage_program::entry::Write;
use std::collections::VecDeque;

/// Limits and the seed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// How often one packet may be processed: recirculated, resubmitted, cloned in egress.
    pub max_passes: u32,
    /// How many copies, further passes included, one input may cause.
    pub max_copies: u32,
    /// What the generators behind `random` start from.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options { max_passes: 32, max_copies: 4096, seed: 0 }
    }
}

/// What enters a pass.
#[derive(Debug)]
pub enum Entering<'a> {
    /// A packet from outside.
    New {
        /// Its port.
        port: u16,
        /// Its bytes.
        bytes: &'a [u8],
    },
    /// What has come round.
    Again(Looped),
}

/// A packet or a clone that waits for another pass.
#[derive(Debug)]
pub struct Looped(Again);

impl Looped {
    /// Bytes that come round: of a clone made in egress the payload only.
    pub fn bytes(&self) -> usize {
        self.0.describe().0
    }

    /// Its `instance_type`.
    pub fn instance(&self) -> u32 {
        self.0.describe().1
    }

    /// Which pass it waits for.
    pub fn pass(&self) -> u32 {
        self.0.describe().2
    }
}

/// A program that runs, with its entries and its state.
#[derive(Clone, Debug)]
pub struct Golden {
    pub(crate) program: Checked,
    code: Code,
    layout: Layout,
    names: Names,
    limits: Limits,
    machine: Machine,
    pub(crate) state: State,
}

impl Golden {
    /// Compiles a program and installs its own entries.
    pub fn new(program: &Checked) -> Result<Golden, BuildError> {
        Self::with_options(program, Options::default())
    }

    /// As [`new`](Self::new), with other limits or another seed.
    pub fn with_options(program: &Checked, options: Options) -> Result<Golden, BuildError> {
        let mut state = State::new(program, options.seed)?;
        let (code, layout) = compile(program);
        for (table, decl) in program.tables.iter() {
            let fault = |source| BuildError::Default { table: decl.preamble.name.clone(), source };
            entries::install_default(program, &mut state, table).map_err(fault)?;
            for (index, entry) in decl.entries.iter().enumerate() {
                entries::install(program, &mut state, table, entry).map_err(|source| {
                    BuildError::Entry { table: decl.preamble.name.clone(), index, source }
                })?;
            }
        }
        Ok(Golden {
            machine: Machine::new(&code),
            names: Names::new(program, &layout),
            limits: Limits { passes: options.max_passes, copies: options.max_copies },
            program: program.clone(),
            code,
            layout,
            state,
        })
    }

    /// The program.
    pub fn program(&self) -> &Checked {
        &self.program
    }

    /// Does what a control plane asks. A refused write changes nothing.
    pub fn write(&mut self, write: &Write) -> Result<(), WriteError> {
        write::write(&self.program, &mut self.state, write)
    }

    /// Processes one packet and everything that it causes.
    pub fn process(&mut self, input: &Input<'_>, out: &mut Output) {
        self.go::<false>(input, out, &mut |_| {});
    }

    /// As [`process`](Self::process), and tells every step.
    pub fn process_traced(
        &mut self,
        input: &Input<'_>,
        out: &mut Output,
        trace: &mut dyn FnMut(Event<'_>),
    ) {
        self.go::<true>(input, out, trace);
    }

    /// Does one pass, for who decides in which order passes follow each other. What comes round is appended to `looped`
    /// in the order in which it gets there: packets for another pass, and clones, which get their copies when they are
    /// handed in again. `queues` says what each copy finds at the traffic point, the last one for all further ones.
    /// Gives the number of copies that have entered egress.
    pub fn pass(
        &mut self,
        entering: Entering<'_>,
        time_us: u64,
        queues: &[Queue],
        out: &mut Output,
        looped: &mut VecDeque<Looped>,
        trace: &mut dyn FnMut(Event<'_>),
    ) -> usize {
        let enters = match entering {
            Entering::New { port, bytes } => Enters::New(port, bytes),
            Entering::Again(Looped(again)) => Enters::Again(again),
        };
        let outside = Outside { time_us, queues };
        let (limits, mut loops) = (self.limits, Vec::new());
        let copies = self.with(out, |machine, cx, state| {
            let all = (cx, limits, outside);
            machine.one_pass::<true>(all, state, enters, &mut loops, trace)
        });
        looped.extend(loops.into_iter().map(Looped));
        copies
    }

    fn go<const T: bool>(&mut self, input: &Input<'_>, out: &mut Output, sink: Sink<'_>) {
        let limits = self.limits;
        self.with(out, |machine, cx, state| machine.process::<T>(cx, state, limits, input, sink));
    }

    /// Lets the machine work with `out` as its output.
    fn with<R>(
        &mut self,
        out: &mut Output,
        work: impl FnOnce(&mut Machine, Context<'_>, &mut State) -> R,
    ) -> R {
        out.clear();
        self.machine.swap_output(out);
        let cx = Context {
            code: &self.code,
            layout: &self.layout,
            program: &self.program,
            names: &self.names,
        };
        let result = work(&mut self.machine, cx, &mut self.state);
        self.machine.swap_output(out);
        result
    }
}
