//! Circuits, from description to Verilog.
//!
//! * [`net`]: one module under construction, and the checks it must pass to become Verilog.
//! * [`pipe`]: the same operations on signals that know their clock cycle; registers put themselves
//!   where they are needed.
//! * [`op`]: one circuit for every operation of a program; [`divide`] is of use elsewhere too.
//! * [`hash`]: CRCs and checksums of lists of which some members may be missing.
//! * `hdl`: the only place that knows `rust_hdl`, and the only one that writes Verilog by hand.
//!
//! Building never fails halfway: whatever is wrong is collected and returned by `finish`.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod cells;
pub mod divide;
pub mod hash;
mod hdl;
pub mod net;
pub mod op;
pub mod pipe;
pub mod region;
pub mod shell;
mod shift;

pub use net::{Circuit, Module, ModuleInterface, Net, NetFault};
pub use pipe::{Pipe, Sig};
