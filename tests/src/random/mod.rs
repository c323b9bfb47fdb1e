//! Random programs, entries and packets, and what compares models with them.

pub mod rng;

pub use rng::Rng;
