//! What the parts of the hardware and its host agree on.
//!
//! The shell, the region variants, the encoder of entries, the simulated device and the driver are made
//! apart and must fit: here are the words they share. [`ShellConfig`] says what a shell can do,
//! [`ShellField`] which PHV bits it reads and writes itself, [`socket`] what ports a region has,
//! [`address`] where what is found behind AXI4-Lite, [`cell`] how tables and state lie in memories. This crate computes
//! nothing but sizes.

pub mod address;
pub mod cell;
mod config;
mod manifest;
mod phv;
pub mod route;
pub mod socket;

pub use config::{ConfigError, ShellConfig};
pub use manifest::{Cost, FORMAT, Half, Kept, Manifest, NamedBits, Region, Sublane};
pub use phv::{PhvBits, ShellField};
