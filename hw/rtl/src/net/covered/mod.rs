//! What a module costs, found out by covering it with lookup tables bit by bit.
//!
//! Logic becomes gates, gates are covered. What is no logic (registers, carry chains, RAM, multipliers, instances) cuts it:
//! its outputs are sources of gates, its inputs are wanted from them. Only what an output needs is counted, bit by
//! bit, and what is constant is not. Carry chains and memories are cut as yosys cuts them.

mod bits;
mod cover;
mod gates;

pub(super) use bits::{Line, find};
