//! Circuits, from description to Verilog.
//!
//! * [`net`]: one module under construction, and the checks it must pass to become Verilog.
//! * [`pipe`]: the same operations on signals that know their clock cycle; registers put themselves
//!   where they are needed.
//! * `hdl`: the only place that knows `rust_hdl`, and the only one that writes Verilog by hand.
//!
//! Building never fails halfway: whatever is wrong is collected and returned by `finish`.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod cells;
mod hdl;
pub mod net;
pub mod pipe;
pub mod shell;

pub use net::{Circuit, Module, ModuleInterface, Net, NetFault};
pub use pipe::{Pipe, Sig};
