//! Circuits without time: registers are put in while they are built.
//!
//! A [`Pipe`] is a module that takes a new packet (or none) at every clock. A [`Sig`] is a net and the
//! cycle at which it is valid, counted from the inputs at cycle 0. An operation on signals of different
//! cycles delays the earlier ones; one that would need more than [`MAX_LEVELS`] lookup tables in a row
//! puts registers before itself. Constants are valid at every cycle and are never delayed.
//! So the latency of a circuit is a result of building it.
//!
//! Everything here is feed-forward. State that packets change, configuration and whatever else has time
//! of its own is built on [`Pipe::module`], from nets at cycles that [`Pipe::at`] chooses, and comes back
//! with [`Pipe::sig`].

mod arithmetic;
mod ops;

pub use crate::net::{Drive, MemStyle, Memory, Reg, Resources, Timing};

use crate::net::{Circuit, FaultKind, Module, Net, NetFault};
use restage_program::Bits;
use std::panic::Location;

/// Lookup tables between registers, by the estimate of [`crate::net::Timing`].
pub const MAX_LEVELS: u32 = 5;

/// Lookup tables and carry chains together in a loop from what a cell reads to what it writes, which cannot have a
/// register. A chain is quicker than a table, but synthesis evens out the tables before, between and behind chains as if
/// each side were a path of its own, so that every chain may cost one more.
pub const LOOP_LEVELS: u32 = 6;

/// A value and the clock cycle at which it is valid.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Sig {
    pub(crate) net: Net,
    pub(crate) cycle: u32,
}

impl Sig {
    /// The net. Of a constant it is valid at any cycle.
    pub fn net(self) -> Net {
        self.net
    }

    /// The cycle at which it is valid; 0 for constants.
    pub fn cycle(self) -> u32 {
        self.cycle
    }
}

/// To which latency a pipe is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Latency {
    /// As short as it can be.
    Shortest,
    /// The next of 8, 16, 24, 32 and so on.
    Class,
    /// Exactly this; a fault when it cannot be.
    Exactly(u32),
}

/// A finished pipe.
#[derive(Clone, Debug)]
pub struct Piped {
    /// The module.
    pub circuit: Circuit,
    /// Clocks from inputs to outputs.
    pub latency: u32,
    /// Clocks that the logic needs by itself.
    pub needed: u32,
}

/// A pipeline under construction. See the [module documentation](self).
#[derive(Clone, Debug)]
pub struct Pipe {
    module: Module,
    levels: u32,
}

impl Pipe {
    /// An empty pipe.
    #[track_caller]
    pub fn new(name: impl Into<String>) -> Self {
        Pipe { levels: MAX_LEVELS, module: Module::new(name) }
    }

    /// Lets as many levels follow each other from here on; gives what was allowed before. For loops, which must fit
    /// a clock whatever they need; who builds one looks at the end whether it does.
    pub fn allow_levels(&mut self, levels: u32) -> u32 {
        std::mem::replace(&mut self.levels, levels)
    }

    /// The module, for what is not feed-forward.
    pub fn module(&mut self) -> &mut Module {
        &mut self.module
    }

    /// The module, to look at.
    pub fn module_ref(&self) -> &Module {
        &self.module
    }

    /// Lookup tables of it alone, carry chains not counted.
    pub fn luts(&self, a: Sig) -> u32 {
        self.module.luts(a.net)
    }

    /// Carry chains in a row behind it.
    pub fn chains(&self, a: Sig) -> u32 {
        self.module.chains(a.net)
    }

    /// A net of the module as a signal valid at a cycle.
    pub fn sig(&self, net: Net, cycle: u32) -> Sig {
        let cycle = if self.module.constant(net).is_some() { 0 } else { cycle };
        Sig { net, cycle }
    }

    /// What follows is for this; a comment over it in the Verilog.
    pub fn section(&mut self, title: impl Into<String>) {
        self.module.section(title);
    }

    /// An input port, valid at cycle 0.
    #[track_caller]
    pub fn input(&mut self, name: &str, width: u32) -> Sig {
        Sig { net: self.module.input(name, width), cycle: 0 }
    }

    /// A number in `width` bits; it must fit.
    #[track_caller]
    pub fn lit(&mut self, width: u32, value: u64) -> Sig {
        Sig { net: self.module.lit(width, value), cycle: 0 }
    }

    /// A constant.
    #[track_caller]
    pub fn bits(&mut self, bits: &Bits) -> Sig {
        Sig { net: self.module.bits(bits), cycle: 0 }
    }

    /// Gives a signal its name in the Verilog.
    #[track_caller]
    pub fn named(&mut self, name: &str, a: Sig) -> Sig {
        Sig { net: self.module.named(name, a.net), ..a }
    }

    /// As [`Module::field`].
    #[track_caller]
    pub fn field(&mut self, name: &str, a: Sig) -> Sig {
        Sig { net: self.module.field(name, a.net), ..a }
    }

    /// Number of bits.
    pub fn width(&self, a: Sig) -> u32 {
        self.module.width(a.net)
    }

    /// The constant that a signal is, if it is one.
    pub fn constant(&self, a: Sig) -> Option<&Bits> {
        self.module.constant(a.net)
    }

    /// Estimate of the logic between the last registers and this signal.
    pub fn timing(&self, a: Sig) -> Timing {
        self.module.timing(a.net)
    }

    /// The value at a cycle that is not before its own; a constant as it is.
    #[track_caller]
    pub fn at(&mut self, a: Sig, cycle: u32) -> Sig {
        if self.constant(a).is_some() {
            return a;
        }
        let Some(later) = cycle.checked_sub(a.cycle) else {
            let kind = FaultKind::Pipe(format!(
                "a value of cycle {} is wanted at cycle {cycle}, which is earlier",
                a.cycle
            ));
            self.module.fault(Location::caller(), kind);
            return a;
        };
        Sig { net: self.module.delay(a.net, later), cycle }
    }

    /// The value one cycle later, from a register.
    #[track_caller]
    pub fn register(&mut self, a: Sig) -> Sig {
        self.at(a, a.cycle + 1)
    }

    /// The signal if it comes from a register, else the same behind one.
    #[track_caller]
    pub fn registered(&mut self, a: Sig) -> Sig {
        if self.timing(a).level == 0 { a } else { self.register(a) }
    }

    /// The latest cycle of some signals, constants aside.
    pub fn latest(&self, signals: &[Sig]) -> u32 {
        let moving = signals.iter().filter(|s| self.constant(**s).is_none());
        moving.map(|s| s.cycle).max().unwrap_or(0)
    }

    /// All signals at the latest cycle of any.
    #[track_caller]
    pub fn align(&mut self, signals: &[Sig]) -> Vec<Sig> {
        let cycle = self.latest(signals);
        signals.iter().map(|s| self.at(*s, cycle)).collect()
    }

    /// Reads a memory of the module: two cycles after the address. Every cycle reads.
    #[track_caller]
    pub fn ram_read(&mut self, memory: Memory, addr: Sig) -> Sig {
        let addr = self.settled(addr);
        let on = self.module.lit(1, 1);
        let net = self.module.read_port(memory, on, addr.net, 2);
        Sig { net, cycle: addr.cycle + 2 }
    }

    /// Looks a constant table up: up to 64 words of logic, more in a RAM. Words behind the contents
    /// are 0.
    #[track_caller]
    pub fn rom(&mut self, name: &str, width: u32, contents: &[Bits], addr: Sig) -> Sig {
        let memory = self.module.rom(name, width, contents, MemStyle::Auto);
        self.ram_read(memory, addr)
    }

    /// At most one lookup table behind a register, so that an address may go to a RAM.
    fn settled(&mut self, a: Sig) -> Sig {
        if self.timing(a).level > 1 { self.register(a) } else { a }
    }

    /// Notes a fault; [`finish`](Self::finish) will return it.
    #[track_caller]
    pub fn refuse(&mut self, what: impl Into<String>) {
        self.module.refuse(what);
    }

    /// Estimate of what has been built so far, dead ends included.
    pub fn resources(&self) -> Resources {
        self.module.resources()
    }

    /// Makes all outputs, registered and valid at the same last cycle.
    #[track_caller]
    pub fn finish(
        mut self,
        outputs: &[(&str, Sig)],
        latency: Latency,
    ) -> Result<Piped, Vec<NetFault>> {
        let signals: Vec<Sig> = outputs.iter().map(|(_, s)| *s).collect();
        let needed = self.latest(&signals) + 1;
        let latency = match latency {
            Latency::Shortest => needed,
            Latency::Class => needed.next_multiple_of(8),
            Latency::Exactly(latency) => {
                if latency < needed {
                    self.refuse(format!("a latency of {latency} is wanted and {needed} is needed"));
                }
                latency.max(needed)
            }
        };
        for (name, signal) in outputs {
            let held = self.at(*signal, latency - 1);
            self.module.output_reg(name, held.net);
        }
        Ok(Piped { circuit: self.module.finish()?, latency, needed })
    }
}
