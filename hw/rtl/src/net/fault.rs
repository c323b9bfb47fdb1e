//! What can be wrong with a module, said of the code that built it.

use std::panic::Location;

/// Something that keeps a module from becoming Verilog. All of them are mistakes of the code that
/// builds the circuit, not of the program it is built for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("module `{module}`, section `{section}`: {kind} ({file}:{line})")]
pub struct NetFault {
    /// The module.
    pub module: String,
    /// The section in which it was noticed.
    pub section: String,
    /// What is wrong.
    pub kind: FaultKind,
    /// File of the code that asked for it.
    pub file: &'static str,
    /// Its line.
    pub line: u32,
}

/// Kinds of faults.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultKind {
    /// Operands that must have one width have two.
    #[error("`{what}` has operands of {left} and {right} bits; extend or slice one of them")]
    Widths {
        /// The operation.
        what: &'static str,
        /// Width of the first.
        left: u32,
        /// Width of the other.
        right: u32,
    },
    /// One bit is wanted.
    #[error("`{what}` wants one bit and was given {width}; compare, or reduce with `any`")]
    NotOneBit {
        /// Where it is wanted.
        what: &'static str,
        /// What was given.
        width: u32,
    },
    /// Bits outside of a net.
    #[error("bits {hi}..{lo} of a net of {width} bits")]
    Slice {
        /// Highest bit asked for.
        hi: u32,
        /// Lowest bit asked for.
        lo: u32,
        /// Bits there are.
        width: u32,
    },
    /// Extending to fewer bits than there are.
    #[error("a net of {width} bits cannot be extended to {to}; slice it")]
    Extend {
        /// Bits there are.
        width: u32,
        /// Bits asked for.
        to: u32,
    },
    /// Nothing is no net.
    #[error("`{what}` of nothing")]
    Empty {
        /// The operation.
        what: &'static str,
    },
    /// A net without bits, or with more than Verilog tools like.
    #[error("{width} bits for `{what}`; 1 to {} are possible", super::MAX_NET)]
    NoWidth {
        /// What.
        what: String,
        /// Its width.
        width: u32,
    },
    /// A constant that does not fit.
    #[error("the number {value:#x} does not fit {width} bits")]
    Literal {
        /// The number.
        value: u64,
        /// Bits there are.
        width: u32,
    },
    /// Two drivers.
    #[error("`{name}` is driven twice")]
    DrivenTwice {
        /// Register, wire or write port.
        name: String,
    },
    /// No driver.
    #[error("`{name}` is never driven")]
    NeverDriven {
        /// Register, wire or input of an instance.
        name: String,
    },
    /// Logic that feeds itself without a register.
    #[error("combinational loop through {}", .names.join(" -> "))]
    Loop {
        /// Nets with a name on the way.
        names: Vec<String>,
    },
    /// An output that is not a register.
    #[error(
        "output `{name}` is not registered; use `output_reg`, or `output_logic` where that is meant"
    )]
    Unregistered {
        /// The port.
        name: String,
    },
    /// A name for two things, or one that Verilog keeps for itself.
    #[error("the name `{name}` {why}")]
    Name {
        /// The name.
        name: String,
        /// Why it cannot be had.
        why: &'static str,
    },
    /// No such port.
    #[error("`{instance}` is a `{module}`, which has no {direction} `{port}`")]
    NoPort {
        /// Name of the instance.
        instance: String,
        /// Its module.
        module: String,
        /// `input` or `output`.
        direction: &'static str,
        /// What was asked for.
        port: String,
    },
    /// A net of another module.
    #[error("a net, register or memory that belongs to another module")]
    Foreign,
    /// A memory asked for something it cannot be.
    #[error("memory `{name}`: {why}")]
    Memory {
        /// The memory.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// A pipeline's rule is broken.
    #[error("{0}")]
    Pipe(String),
}

/// Collects faults of one module.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    list: Vec<NetFault>,
}

/// More than this many are not worth reading.
const MOST: usize = 50;

impl Faults {
    pub fn add(&mut self, module: &str, section: &str, at: &Location<'static>, kind: FaultKind) {
        if self.list.len() < MOST {
            self.list.push(NetFault {
                module: module.to_string(),
                section: section.to_string(),
                kind,
                file: at.file(),
                line: at.line(),
            });
        }
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub fn take(self) -> Vec<NetFault> {
        self.list
    }
}
