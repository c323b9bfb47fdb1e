//! The description of a match/action program: what it consists of, not how it runs.
//!
//! A [`Program`] is made by the builder, read from its serde form, or imported from p4c's output. It is
//! shaped like P4-16 for the v1model architecture. It means nothing until [`check`](Program::check) has
//! accepted it; what it then means is said by [`eval`] for operations and by the golden model for the rest.
//!
//! This crate does no I/O and knows nothing of hardware.

pub mod accept;
pub mod bits;
pub mod build;
pub mod check;
pub mod entity;
pub mod entries_text;
pub mod entry;
pub mod eval;
pub mod expr;
pub mod ids;
pub mod json;
pub mod loc;
pub mod names;
pub mod op;
pub mod program;
pub mod random;
pub mod standard;
pub mod stmt;
pub mod text;
pub mod types;
pub mod typing;
pub mod word;

pub use bits::Bits;
pub use check::{Checked, Violations};
pub use entity::{Entity, EntityMap};
pub use loc::Loc;
pub use program::Program;
pub use types::Type;

/// What a description needs: `use restage_program::prelude::*;`
pub mod prelude {
    pub use crate::build::{
        ANY, Body, Builder, Field, HeaderView, Match, Operand, Param, StackView, Standard,
        StateBody, Val, Value, bits, build, lookahead, lookahead_at, mask, max, min, mux, range,
        value,
    };
    pub use crate::entity::{Action, Counter, ErrorCode, Map, Meter, Register, Table};
    pub use crate::program::{HashAlgorithm, HashAlgorithm::*, Item, Program, Unit};
    pub use crate::standard::{DROP_PORT, error, instance};
    pub use crate::types::{Type, bit, int, varbit};
    pub use crate::{header, list, metadata};
}
