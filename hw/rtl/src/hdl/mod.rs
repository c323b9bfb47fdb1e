//! From checked modules to Verilog: the only place that knows `rust_hdl`.
//!
//! `rust_hdl` writes the head of the module, its declarations and all expressions and combinational
//! statements (`block`); what it has no words for is in `text` and nowhere else. `lower` decides what
//! becomes a signal, `emit` in which order all is written.

mod block;
mod emit;
mod lower;
mod text;

use crate::net::{Module, ModuleInterface};

/// The text of a module that passed its checks.
pub(crate) fn verilog(module: &Module, interface: &ModuleInterface) -> String {
    emit::emit(module, interface)
}

/// A black box with the module's ports.
pub(crate) fn stub(interface: &ModuleInterface) -> String {
    text::stub(interface)
}
