//! The golden model: what a checked program means, packet by packet and bit for bit.
//!
//! [`Golden`] runs the program as written, with the behaviour of BMv2's simple_switch where P4-16 leaves
//! something open. It is compiled once to a flat code that works on 64-bit slots; what operations
//! compute is taken from [`restage_program::eval`]. Nothing is allocated per packet once its buffers have
//! grown to what the traffic needs.
//!
//! This crate does no I/O. Time is an input.

mod adopt;
mod checksum;
mod code;
mod compile;
mod crc;
mod error;
mod golden;
mod input;
mod layout;
mod map;
mod matching;
mod meter;
mod output;
mod profile;
mod read;
mod run;
mod state;
mod table;
mod trace;
mod wire;
mod write;

pub use adopt::Smaller;
pub use error::BuildError;
pub use golden::{Entering, Golden, Looped, Options};
pub use input::{Input, Queue};
pub use meter::Missing;
pub use output::{Drops, Output};
pub use read::{MapEntry, TableEntry};
pub use restage_program::accept::{Fault, WriteError};
pub use trace::Event;
