//! From a program to flows and the plan of the deparser.

mod deparser;

pub use deparser::{DeparserPlan, Emission, plan};
