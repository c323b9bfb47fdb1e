//! Changes of what runs: what they take.

mod adopt;
mod bubble;

pub use adopt::{Adoption, Carried, Reason, Stuck, adopt};
pub use bubble::{Bubbles, Crossed, Term, bubbles};
