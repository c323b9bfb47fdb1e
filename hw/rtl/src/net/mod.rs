//! One Verilog module under construction.
//!
//! A [`Net`] is an index into its [`Module`]; its width is known. Pure operations are shared when they
//! are equal and folded when they are constant, so circuits may be written as if every case mattered.
//! Mistakes do not panic: an operation that cannot be made gives some net of the likely width, and
//! [`Module::finish`] returns what was wrong with the line of code that asked for it.
//!
//! Clock `clk_i` and reset `rst_ni` (synchronous, active low) are inputs of every module that has
//! registers; the builder adds them. Registers have a reset only where one is asked for.
//!
//! What it does not do: know clock cycles (that is [`crate::pipe`]), infer widths, or take signed
//! numbers; those are made of the operations here.

mod check;
mod circuit;
mod covered;
mod fault;
mod fold;
mod instance;
mod live;
mod luts;
mod memory;
mod names;
mod ops;
mod resources;
mod shape;
mod state;
mod timing;

pub use circuit::{Circuit, Direction, ModuleInterface, Port, RESET};
pub use fault::{FaultKind, NetFault};
pub use instance::Instance;
use luts::Luts;
pub use memory::{MemStyle, Memory, address_width};
pub use resources::Resources;
pub use state::{Drive, Reg, Wire};
pub(crate) use timing::INPUTS as LUT_INPUTS;
pub use timing::Timing;

pub(crate) use instance::InstanceDecl;
pub(crate) use live::Live;
pub(crate) use memory::MemoryDecl;
pub(crate) use resources::DelayLine;

use fault::Faults;
use restage_program::Bits;
use state::{RegDecl, WireDecl};
use std::collections::{HashMap, HashSet};
use std::panic::Location;

/// The widest net. Verilog tools take 65536 at least; nothing here comes near.
pub const MAX_NET: u32 = 65_536;

/// A value in a module: some bits, carried by a wire, a register, a port or an expression.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Net(pub(crate) u32);

/// Operations of two operands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Binary {
    And,
    Or,
    Xor,
    Add,
    Sub,
    Mul,
    Eq,
    Ne,
    Lt,
    Le,
}

/// Operations over all bits of an operand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Reduce {
    Any,
    All,
    Parity,
}

/// What a net is.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Def {
    /// A port; its name is the net's.
    Input,
    Const(Bits),
    Not(Net),
    Binary(Binary, Net, Net),
    Reduce(Reduce, Net),
    /// First if the condition is 1.
    Mux(Net, Net, Net),
    Case {
        sel: Net,
        arms: Vec<(Bits, Net)>,
        default: Net,
    },
    /// From bit `lo` upwards; the width is the net's.
    Slice {
        of: Net,
        lo: u32,
    },
    /// The most significant part first.
    Concat(Vec<Net>),
    /// One bit, as often as the net is wide.
    Repeat(Net),
    /// The value some clock cycles ago.
    Delay {
        of: Net,
        cycles: u32,
    },
    Reg(Reg),
    Wire(Wire),
    /// Output of a read port.
    Read(Memory, u32),
    /// Output of an instance.
    Pin(Instance, u32),
    /// In place of what could not be made.
    Fault,
}

/// A net and what is known of it.
#[derive(Clone, Debug)]
pub(crate) struct NetDecl {
    pub def: Def,
    pub width: u32,
    pub name: Option<String>,
    pub section: u32,
    pub timing: Timing,
    pub luts: Luts,
    pub chains: u32,
}

/// An output port.
#[derive(Clone, Debug)]
pub(crate) struct OutputDecl {
    pub name: String,
    pub net: Net,
    /// Meant to be logic.
    pub logic: bool,
    pub at: &'static Location<'static>,
}

/// A module under construction. See the [module documentation](self).
#[derive(Clone, Debug)]
pub struct Module {
    pub(crate) name: String,
    /// What it is, line by line: a comment at its top.
    pub(crate) about: Vec<String>,
    pub(crate) nets: Vec<NetDecl>,
    pub(crate) sections: Vec<String>,
    pub(crate) inputs: Vec<Net>,
    pub(crate) outputs: Vec<OutputDecl>,
    pub(crate) regs: Vec<RegDecl>,
    pub(crate) wires: Vec<WireDecl>,
    pub(crate) memories: Vec<MemoryDecl>,
    pub(crate) instances: Vec<InstanceDecl>,
    /// Constants that get their values in the end.
    pub(crate) stamps: Vec<Net>,
    known: HashMap<(Def, u32), Net>,
    taken: HashSet<String>,
    /// The next number to try for a name that is taken.
    numbers: HashMap<String, u32>,
    faults: Faults,
    /// Whom to blame instead of the caller: the user of a pipe, not the pipe.
    pub(crate) blame: Option<&'static Location<'static>>,
}

impl Module {
    /// An empty module. The name is the Verilog module's.
    #[track_caller]
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        let mut module = Module {
            name: name.clone(),
            about: Vec::new(),
            nets: Vec::new(),
            sections: vec![String::new()],
            inputs: Vec::new(),
            outputs: Vec::new(),
            regs: Vec::new(),
            wires: Vec::new(),
            memories: Vec::new(),
            instances: Vec::new(),
            stamps: Vec::new(),
            known: HashMap::new(),
            taken: HashSet::new(),
            numbers: HashMap::new(),
            faults: Faults::default(),
            blame: None,
        };
        module.claim(&name, Location::caller());
        module.taken.extend(["clk_i".to_string(), "rst_ni".to_string(), "unused".to_string()]);
        module
    }

    /// The module's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Says what the module is, in a comment at the top of its Verilog. Each text begins a line.
    pub fn about(&mut self, text: impl Into<String>) {
        self.about.extend(text.into().lines().map(str::to_string));
    }

    /// What follows is for this; a comment over it in the Verilog.
    pub fn section(&mut self, title: impl Into<String>) {
        self.sections.push(title.into().replace(['\n', '\r'], " "));
    }

    /// An input port.
    #[track_caller]
    pub fn input(&mut self, name: &str, width: u32) -> Net {
        let at = Location::caller();
        let width = self.some_width(name, width, at);
        self.claim(name, at);
        let net = self.push(Def::Input, width);
        self.nets[net.0 as usize].name = Some(name.to_string());
        self.inputs.push(net);
        net
    }

    /// An output port, which must be registered: a register, bits of registers, a RAM's output
    /// register, or a registered output of an instance.
    #[track_caller]
    pub fn output(&mut self, name: &str, net: Net) {
        self.add_output(name, net, false, Location::caller());
    }

    /// An output port with a register of its own.
    #[track_caller]
    pub fn output_reg(&mut self, name: &str, net: Net) {
        let held = self.delay(net, 1);
        self.add_output(name, held, false, Location::caller());
    }

    /// An output port that is logic, for modules whose neighbours are in the same region. Whoever
    /// instantiates it is told so by the interface.
    #[track_caller]
    pub fn output_logic(&mut self, name: &str, net: Net) {
        self.add_output(name, net, true, Location::caller());
    }

    fn add_output(&mut self, name: &str, net: Net, logic: bool, at: &'static Location<'static>) {
        self.claim(name, at);
        if !self.has(net) {
            return self.fault(at, FaultKind::Foreign);
        }
        self.outputs.push(OutputDecl { name: name.to_string(), net, logic, at });
    }

    /// Gives a net its name in the Verilog; a number is added when the name is taken. A net keeps the
    /// first name it is given. Constants and bits of other nets need none.
    #[track_caller]
    pub fn named(&mut self, name: &str, net: Net) -> Net {
        if !self.has(net) {
            self.fault(Location::caller(), FaultKind::Foreign);
            return net;
        }
        if matches!(self.nets[net.0 as usize].def, Def::Slice { .. }) {
            return net;
        }
        self.field(name, net)
    }

    /// As [`named`](Self::named), also for bits of another net: a field of a word that has a name of its own.
    #[track_caller]
    pub fn field(&mut self, name: &str, net: Net) -> Net {
        if !self.has(net) {
            self.fault(Location::caller(), FaultKind::Foreign);
            return net;
        }
        let decl = &self.nets[net.0 as usize];
        if decl.name.is_some() || matches!(decl.def, Def::Const(_) | Def::Fault) {
            return net;
        }
        let name = self.free_name(name);
        self.nets[net.0 as usize].name = Some(name);
        net
    }

    /// Number of bits.
    pub fn width(&self, net: Net) -> u32 {
        self.nets.get(net.0 as usize).map_or(1, |d| d.width)
    }

    /// The constant that a net is, if it is one.
    pub fn constant(&self, net: Net) -> Option<&Bits> {
        match self.nets.get(net.0 as usize).map(|d| &d.def) {
            Some(Def::Const(bits)) => Some(bits),
            _ => None,
        }
    }

    /// Estimate of the logic between the last registers and this net.
    pub fn timing(&self, net: Net) -> Timing {
        self.nets.get(net.0 as usize).map_or(Timing::START, |d| d.timing)
    }

    /// Lookup tables since the last register, by a closer estimate that does not count carry chains.
    pub fn luts(&self, net: Net) -> u32 {
        self.nets.get(net.0 as usize).map_or(0, |d| d.luts.level)
    }

    /// Carry chains that follow each other since the last register.
    pub fn chains(&self, net: Net) -> u32 {
        self.nets.get(net.0 as usize).map_or(0, |d| d.chains)
    }

    /// All names that are taken.
    pub(crate) fn names(&self) -> &HashSet<String> {
        &self.taken
    }

    pub(crate) fn has(&self, net: Net) -> bool {
        (net.0 as usize) < self.nets.len()
    }

    pub(crate) fn decl(&self, net: Net) -> &NetDecl {
        &self.nets[net.0 as usize]
    }

    /// Adds a net without looking for an equal one.
    pub(crate) fn push(&mut self, def: Def, width: u32) -> Net {
        let (timing, luts) = (self.estimate(&def, width), self.estimate_luts(&def));
        let chains = self.estimate_chains(&def);
        let section = self.sections.len() as u32 - 1;
        self.nets.push(NetDecl { def, width, name: None, section, timing, luts, chains });
        Net(self.nets.len() as u32 - 1)
    }

    /// Adds a net, or finds the equal one.
    pub(crate) fn share(&mut self, def: Def, width: u32) -> Net {
        let key = (def, width);
        if let Some(net) = self.known.get(&key) {
            return *net;
        }
        let net = self.push(key.0.clone(), width);
        self.known.insert(key, net);
        net
    }

    /// Some net, after a fault.
    pub(crate) fn broken(&mut self, width: u32) -> Net {
        self.share(Def::Fault, width.clamp(1, MAX_NET))
    }

    pub(crate) fn fault(&mut self, at: &'static Location<'static>, kind: FaultKind) {
        let section = self.sections.last().map_or("", String::as_str);
        self.faults.add(&self.name, section, self.blame.unwrap_or(at), kind);
    }

    /// Notes a fault that a user of the builder noticed; [`finish`](Self::finish) will return it.
    #[track_caller]
    pub fn refuse(&mut self, what: impl Into<String>) {
        self.fault(Location::caller(), FaultKind::Pipe(what.into()));
    }

    fn some_width(&mut self, name: &str, width: u32, at: &'static Location<'static>) -> u32 {
        if width == 0 || width > MAX_NET {
            self.fault(at, FaultKind::NoWidth { what: name.to_string(), width });
        }
        width.clamp(1, MAX_NET)
    }

    /// Checks everything and makes the circuit.
    pub fn finish(mut self) -> Result<Circuit, Vec<NetFault>> {
        check::check(&mut self);
        if !self.faults.is_empty() {
            return Err(self.faults.take());
        }
        Ok(Circuit::of(self))
    }
}
