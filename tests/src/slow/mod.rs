//! An independent evaluator of checked programs: slow, simple, for comparison only.
//!
//! It shares the description of a program with everything else and nothing with the golden model.

pub mod hash;
pub mod num;
