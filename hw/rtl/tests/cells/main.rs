//! Cells in Verilator, in lock step with models.

#![allow(clippy::unwrap_used)] // a test may

mod behind;
mod bench;
mod bus;
mod direct;
mod host;
mod map;
mod moving;
mod program;
mod sizes;
mod state;
mod tables;
