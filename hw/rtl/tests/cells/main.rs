//! Cells in Verilator, in lock step with models.

#![allow(clippy::unwrap_used)] // a test may

mod bench;
mod host;
mod program;
mod state;
mod tables;
