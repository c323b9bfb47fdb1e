//! Changes of what runs: what they take.

mod adopt;
mod bubble;
mod plan;
mod regions;

pub use adopt::{Adoption, Carried, Reason, Stuck, adopt};
pub use bubble::{Bubbles, Crossed, Term, bubbles};
pub use plan::{Impossible, Plan, Wishes, plan};
pub use regions::{Running, Spare, Variant, units};
