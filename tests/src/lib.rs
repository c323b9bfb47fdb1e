//! What checks restage as a whole: the oracle's data and its runner, random programs, and an evaluator
//! written apart from the golden model.
//!
//! Nothing here is used by the other crates.

pub mod experiment;
pub mod flow_run;
pub mod hardware;
pub mod mutants;
pub mod oracle;
pub mod random;
pub mod robust;
pub mod roundtrip;
pub mod slow;
pub mod soak;
pub mod tools;
pub mod traffic;

/// The program in the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
