//! Random programs, entries and packets, and what compares models with them.

pub mod census;
pub mod compare;
pub mod entries;
pub mod line_rate;
pub mod make;
pub mod rng;
pub mod shrink;
pub mod trial;

pub use rng::Rng;
