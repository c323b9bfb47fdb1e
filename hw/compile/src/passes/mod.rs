//! Programs into programs that mean the same.
//!
//! Lowering needs none of these: it folds, inlines and unrolls on the way. They are for programs that people or
//! other tools go on working with, and they make what is lowered smaller. What comes out is checked again
//! by whoever needs a checked program.
//!
//! No pass removes, copies or moves a `random`: its place is its seed (`restage_program::random`).

mod flatten;
mod fold;
mod inline;
mod prune;
mod unroll;
pub mod walk;

pub use flatten::flatten;
pub use fold::fold;
pub use inline::inline;
pub use prune::prune;
pub use unroll::unroll;

use restage_program::Program;

/// A pass.
pub type Pass = fn(Program) -> Program;

/// All passes by name, in an order in which each finds what the one before has made.
pub const ALL: &[(&str, Pass)] = &[
    ("inline", inline),
    ("fold", fold),
    ("flatten", flatten),
    ("unroll", unroll),
    ("prune", prune),
];
