//! Changes of what runs: what they take.

mod bubble;

pub use bubble::{Bubbles, Term, bubbles};
