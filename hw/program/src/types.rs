//! Types of values.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The widest value of a program.
pub const MAX_WIDTH: u32 = 2048;

/// The longest varbit: nothing is computed with it, so it may be as long as a header.
pub const MAX_VARBIT: u32 = 16_384;

/// What kind of value an expression, a field or a parameter has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    /// `bit<N>`: an unsigned number.
    Bit(u32),
    /// `int<N>`: a two's complement number.
    Int(u32),
    /// `bool`, one bit.
    Bool,
    /// `error`: a parser error; only compared and copied.
    Error,
    /// `varbit<N>`: up to N bits whose number is known when the packet is parsed. Only extracted,
    /// emitted, copied and listed for checksums.
    Varbit(u32),
}

/// Width of an error code, as BMv2 stores it.
pub const ERROR_WIDTH: u32 = 32;

/// `bit<N>`, to be written in descriptions.
pub const fn bit(width: u32) -> Type {
    Type::Bit(width)
}

/// `int<N>`, to be written in descriptions.
pub const fn int(width: u32) -> Type {
    Type::Int(width)
}

/// `varbit<N>`, to be written in descriptions.
pub const fn varbit(width: u32) -> Type {
    Type::Varbit(width)
}

impl Type {
    /// Bits that a value takes (at most, for a varbit).
    pub const fn width(self) -> u32 {
        match self {
            Type::Bit(w) | Type::Int(w) | Type::Varbit(w) => w,
            Type::Bool => 1,
            Type::Error => ERROR_WIDTH,
        }
    }

    /// The widest type of this kind.
    pub const fn widest(self) -> u32 {
        match self {
            Type::Varbit(_) => MAX_VARBIT,
            _ => MAX_WIDTH,
        }
    }

    /// Whether its numbers are signed.
    pub const fn is_signed(self) -> bool {
        matches!(self, Type::Int(_))
    }

    /// Whether it is a number: `bit` or `int`.
    pub const fn is_number(self) -> bool {
        matches!(self, Type::Bit(_) | Type::Int(_))
    }
}

/// As P4 writes it.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Bit(w) => write!(f, "bit<{w}>"),
            Type::Int(w) => write!(f, "int<{w}>"),
            Type::Bool => f.write_str("bool"),
            Type::Error => f.write_str("error"),
            Type::Varbit(w) => write!(f, "varbit<{w}>"),
        }
    }
}
