//! Cells with state: what tables and state are as circuits.
//!
//! Every cell is a function on a [`Pipe`]: it takes signals, takes the numbers of its memories from the region's
//! [`Config`], and gives signals and those numbers ([`Ports::first`] is what the manifest needs). It serves one packet
//! at every clock. Signals may come at any cycle; the outputs' cycles say how long the cell takes. Without a packet, or
//! when its guard is 0, a cell changes nothing and its outputs mean nothing (a table's `hit` is 0).

pub mod config;
mod exact;
mod lane;
mod lpm;
mod map;
mod meter;
mod ram;
mod random;
mod register;
mod rmw;
mod selector;
mod table;
mod ternary;

pub use config::{Config, PATIENCE, Ports};
pub use lane::{Lane, Wish};
pub use map::{MapIn, MapOut, MapStep, map};
pub use meter::meter;
pub use random::random;
pub use register::{RegisterIn, counter, register, registers};
pub use table::{TableIn, TableOut, table, value_set};

use crate::pipe::Sig;

/// What all cells of a region are told.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// The cell's name in the Verilog.
    pub name: &'a str,
    /// Whether there is a packet.
    pub packet: Sig,
    /// Its epoch.
    pub epoch: Sig,
    /// Its time in microseconds, 48 bits.
    pub time: Sig,
}
