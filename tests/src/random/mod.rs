//! Random programs, entries and packets, and what compares models with them.

pub mod census;
pub mod entries;
pub mod make;
pub mod rng;

pub use rng::Rng;
