//! A finished module: what it looks like from outside, what it costs, its Verilog.

use super::{Def, Module, Resources};
use restage_program::Bits;

/// Which way a port goes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Direction {
    /// Into the module.
    Input,
    /// Out of it.
    Output,
}

/// A port of a module.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// Its bits.
    pub width: u32,
    /// Which way it goes.
    pub direction: Direction,
    /// For outputs that are logic: positions of the inputs it depends on within a clock.
    pub depends: Vec<u32>,
    /// Whether it is an output that changes only with the clock.
    pub registered: bool,
}

impl Port {
    /// An input.
    pub fn input(name: impl Into<String>, width: u32) -> Self {
        Port {
            name: name.into(),
            width,
            direction: Direction::Input,
            depends: Vec::new(),
            registered: false,
        }
    }

    /// A registered output.
    pub fn output(name: impl Into<String>, width: u32) -> Self {
        Port {
            name: name.into(),
            width,
            direction: Direction::Output,
            depends: Vec::new(),
            registered: true,
        }
    }
}

/// The name of the reset.
pub const RESET: &str = "rst_ni";

/// A module from outside.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ModuleInterface {
    /// The module's name.
    pub name: String,
    /// Whether it has `clk_i` and `rst_ni`, which are not among the ports.
    pub clocked: bool,
    /// Inputs in the order they were made, then outputs.
    pub ports: Vec<Port>,
}

impl ModuleInterface {
    /// The interface of a module that is written elsewhere, or that several modules must have.
    pub fn new(name: impl Into<String>, ports: Vec<Port>) -> Self {
        ModuleInterface { name: name.into(), clocked: true, ports }
    }

    /// The same module with its reset among the ports, to be connected by who puts it in.
    pub fn with_reset(mut self) -> Self {
        self.ports.insert(0, Port::input(RESET, 1));
        self
    }

    /// A port by its name.
    pub fn port(&self, name: &str) -> Option<&Port> {
        self.ports.iter().find(|p| p.name == name)
    }

    /// The module without what is in it, as a black box that `restage_shell` can be synthesised with.
    pub fn stub(&self) -> String {
        crate::hdl::stub(self)
    }
}

/// A module that passed all checks.
#[derive(Clone, Debug)]
pub struct Circuit {
    module: Module,
    interface: ModuleInterface,
}

impl Circuit {
    /// The module must have been checked.
    pub(crate) fn of(module: Module) -> Self {
        let interface = module.interface();
        Circuit { module, interface }
    }

    /// The module's name.
    pub fn name(&self) -> &str {
        &self.interface.name
    }

    /// The same under another name, with the values of its stamps, in the order in which they were made.
    pub fn stamped(mut self, name: &str, values: &[Bits]) -> Self {
        for (stamp, value) in self.module.stamps.iter().zip(values) {
            let decl = &mut self.module.nets[stamp.0 as usize];
            decl.def = Def::Const(value.resize(decl.width));
        }
        if let Some(first) = self.module.about.first_mut() {
            *first = first.replacen(&self.module.name, name, 1);
        }
        self.module.name = name.to_string();
        self.interface.name = name.to_string();
        self
    }

    /// What it looks like from outside.
    pub fn interface(&self) -> &ModuleInterface {
        &self.interface
    }

    /// Estimate of what it costs.
    pub fn resources(&self) -> Resources {
        self.module.resources()
    }

    /// One Verilog-2005 module, the same text every time.
    pub fn verilog(&self) -> String {
        crate::hdl::verilog(&self.module, &self.interface)
    }
}
