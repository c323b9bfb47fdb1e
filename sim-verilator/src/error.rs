//! What can go wrong between Verilog and a running model, and what to do about it.

use restage_image::ImageError;
use std::io;
use std::path::PathBuf;

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// A program that is needed is not installed.
    #[error("`{program}` is not installed: `apt install {package}`, or `make setup`")]
    Missing {
        /// Which.
        program: String,
        /// The Debian package that has it.
        package: String,
    },
    /// Verilator refuses the Verilog, or the compiler what Verilator made of it.
    #[error("{tool} failed for module `{top}`:\n{text}")]
    Tool {
        /// Which program.
        tool: String,
        /// The module that was built.
        top: String,
        /// What it said.
        text: String,
    },
    /// A source cannot be written as a file of that name.
    #[error("`{0}` is no name for a source; letters, digits, `_`, `-` and `.` are")]
    SourceName(String),
    /// Two sources have one name.
    #[error("two sources are named `{0}`")]
    SourceTwice(String),
    /// The generated C++ is not as this crate knows it.
    #[error("Verilator's output for `{top}` is not understood ({what}); versions 5.006 and on are")]
    Generated {
        /// The module.
        top: String,
        /// What was not found.
        what: String,
    },
    /// A file of the cache cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A shared object cannot be loaded.
    #[error("{} cannot be loaded: {what}; remove it to have it built again", path.display())]
    Load {
        /// Which.
        path: PathBuf,
        /// Why.
        what: String,
    },
    /// There is no such port.
    #[error("`{model}` has no port `{name}`; it has {}", known.join(", "))]
    NoPort {
        /// The module.
        model: String,
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// Two ports cannot be coupled.
    #[error("{from} cannot drive {to}: {why}")]
    Coupling {
        /// The source.
        from: String,
        /// The destination.
        to: String,
        /// Why not.
        why: String,
    },
    /// The other end of the card's streams failed.
    #[error("packets: {0}")]
    Line(io::Error),
    /// There is no such region.
    #[error("there is no unit {0}")]
    NoUnit(u32),
    /// An image is of no use.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The model stopped: `$stop`, `$finish`, or logic that does not settle.
    #[error("`{model}` stopped: {what}")]
    Stopped {
        /// The module.
        model: String,
        /// What it said.
        what: String,
    },
    /// A stream breaks the rules of its protocol.
    #[error("{port} in clock {cycle}: {what}")]
    Protocol {
        /// Which.
        port: String,
        /// When.
        cycle: u64,
        /// What is wrong.
        what: String,
    },
    /// A register access failed.
    #[error("the register at {address:#08x} answers {response}")]
    Bus {
        /// Its byte address.
        address: u32,
        /// What came back.
        response: &'static str,
    },
    /// The card does not come to rest.
    #[error(
        "after {clocks} clocks {waiting} packets wait to be taken{}",
        if *partial { " and one has begun to leave" } else { "" }
    )]
    Busy {
        /// Clocks that were made.
        clocks: u64,
        /// Packets that have not been taken.
        waiting: usize,
        /// Whether a packet has begun to come out.
        partial: bool,
    },
    /// The model was built without waves.
    #[error("`{0}` was built without a trace; ask for one with `Build::trace`")]
    NotTraced(String),
}

impl SimError {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> SimError {
        let path = path.into();
        move |source| SimError::Io { path, source }
    }
}
