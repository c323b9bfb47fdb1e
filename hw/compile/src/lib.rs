//! From a checked program to placed hardware.
//!
//! ```text
//! Program --passes--> Program --lower--> Flows --layout, place--> Placement
//! ```
//!
//! [`flow`] is the form between: what a parser or a half computes for one packet, without control flow and
//! without time. This crate knows nothing of circuits; what one costs is asked of whoever builds it.

pub mod change;
pub mod flow;
pub mod layout;
pub mod lower;
pub mod passes;
pub mod place;
pub mod share;
