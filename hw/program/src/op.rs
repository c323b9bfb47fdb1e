//! Operations on values: which there are and what types they take.
//!
//! What they compute is in [`crate::eval`] and nowhere else; the hardware has one circuit for each.
//! P4's `&&`, `||` and `!` are `And`, `Or` and `Not` on `bool`: no operation has a side effect, so
//! evaluating both sides cannot be told from stopping early.

use crate::types::{MAX_WIDTH, Type};
use serde::{Deserialize, Serialize};

/// An operation. Widths that the operands do not determine are part of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// `~a`, on `bool` `!a`.
    Not,
    /// `-a`, modulo 2^N.
    Neg,
    /// `(T)a`: cut, or extended by the sign of the operand's type.
    Cast(Type),
    /// The nearest value that the type has.
    SatCast(Type),
    /// `a[hi:lo]`, a `bit`.
    Slice {
        /// Highest bit taken.
        hi: u32,
        /// Lowest bit taken.
        lo: u32,
    },
    /// `a + b`, modulo 2^N.
    Add,
    /// `a - b`, modulo 2^N.
    Sub,
    /// `a * b`, modulo 2^N.
    Mul,
    /// `a |+| b`.
    SatAdd,
    /// `a |-| b`.
    SatSub,
    /// `a / b` of unsigned numbers; the checker wants `b` to be a constant that is not 0.
    Div,
    /// `a % b`, as `Div`.
    Mod,
    /// `a & b`, on `bool` `a && b`.
    And,
    /// `a | b`, on `bool` `a || b`.
    Or,
    /// `a ^ b`, on `bool` `a != b`.
    Xor,
    /// `a << b`; 0 when `b` is the width or more.
    Shl,
    /// `a >> b`, filled with the sign for `int`; when `b` is the width or more only the filling is left.
    Shr,
    /// `a == b`.
    Eq,
    /// `a != b`.
    Ne,
    /// `a < b`.
    Lt,
    /// `a <= b`.
    Le,
    /// `a > b`.
    Gt,
    /// `a >= b`.
    Ge,
    /// `a ++ b`, `a` above `b`; the type is the first operand's kind.
    Concat,
    /// `a ? b : c`.
    Mux,
}

/// Why operands do not fit an operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{op:?}` takes {accepts}, not ({})", .found.iter().map(Type::to_string).collect::<Vec<_>>().join(", "))]
pub struct OpTypeError {
    /// The operation.
    pub op: Op,
    /// Types of the operands it was given.
    pub found: Vec<Type>,
    /// What it would accept, in words.
    pub accepts: &'static str,
}

impl Op {
    /// One of each, the parameters being examples; for tests and generators that want all of them.
    pub const ALL: [Op; 25] = [
        Op::Not,
        Op::Neg,
        Op::Cast(Type::Bit(8)),
        Op::SatCast(Type::Bit(8)),
        Op::Slice { hi: 3, lo: 0 },
        Op::Add,
        Op::Sub,
        Op::Mul,
        Op::SatAdd,
        Op::SatSub,
        Op::Div,
        Op::Mod,
        Op::And,
        Op::Or,
        Op::Xor,
        Op::Shl,
        Op::Shr,
        Op::Eq,
        Op::Ne,
        Op::Lt,
        Op::Le,
        Op::Gt,
        Op::Ge,
        Op::Concat,
        Op::Mux,
    ];

    /// Number of operands.
    pub const fn arity(self) -> usize {
        match self {
            Op::Not | Op::Neg | Op::Cast(_) | Op::SatCast(_) | Op::Slice { .. } => 1,
            Op::Mux => 3,
            _ => 2,
        }
    }

    /// The name alone, without widths.
    pub const fn name(self) -> &'static str {
        match self {
            Op::Not => "not",
            Op::Neg => "neg",
            Op::Cast(_) => "cast",
            Op::SatCast(_) => "sat_cast",
            Op::Slice { .. } => "slice",
            Op::Add => "add",
            Op::Sub => "sub",
            Op::Mul => "mul",
            Op::SatAdd => "sat_add",
            Op::SatSub => "sat_sub",
            Op::Div => "div",
            Op::Mod => "mod",
            Op::And => "and",
            Op::Or => "or",
            Op::Xor => "xor",
            Op::Shl => "shl",
            Op::Shr => "shr",
            Op::Eq => "eq",
            Op::Ne => "ne",
            Op::Lt => "lt",
            Op::Le => "le",
            Op::Gt => "gt",
            Op::Ge => "ge",
            Op::Concat => "concat",
            Op::Mux => "mux",
        }
    }

    /// The type of the result, or what the operation would have accepted.
    pub fn result_type(self, args: &[Type]) -> Result<Type, OpTypeError> {
        use Type::{Bit, Bool, Int};
        let wrong = |accepts| Err(OpTypeError { op: self, found: args.to_vec(), accepts });
        match (self, args) {
            (Op::Not, [t @ (Bit(_) | Int(_) | Bool)]) => Ok(*t),
            (Op::Not, _) => wrong("one bit, int or bool"),
            (Op::Neg, [t]) if t.is_number() => Ok(*t),
            (Op::Neg, _) => wrong("one bit or int"),
            (Op::Cast(to), [from]) if castable(*from, to) => Ok(to),
            (Op::Cast(_), _) => wrong("a bit or int to another, or bool to or from bit<1>"),
            (Op::SatCast(to), [from]) if from.is_number() && to.is_number() => Ok(to),
            (Op::SatCast(_), _) => wrong("one bit or int, to bit or int"),
            (Op::Slice { hi, lo }, [t]) if t.is_number() && lo <= hi && hi < t.width() => {
                Ok(Bit(hi - lo + 1))
            }
            (Op::Slice { .. }, _) => {
                wrong("one bit or int that is wider than the slice's high end")
            }
            (Op::Add | Op::Sub | Op::Mul | Op::SatAdd | Op::SatSub, [a, b])
                if a == b && a.is_number() =>
            {
                Ok(*a)
            }
            (Op::Add | Op::Sub | Op::Mul | Op::SatAdd | Op::SatSub, _) => {
                wrong("two bit or two int of one width")
            }
            (Op::Div | Op::Mod, [Bit(a), Bit(b)]) if a == b => Ok(Bit(*a)),
            (Op::Div | Op::Mod, _) => wrong("two bit of one width"),
            (Op::And | Op::Or | Op::Xor, [a, b]) if a == b && (a.is_number() || *a == Bool) => {
                Ok(*a)
            }
            (Op::And | Op::Or | Op::Xor, _) => wrong("two bit, int or bool of one width"),
            (Op::Shl | Op::Shr, [a, Bit(_)]) if a.is_number() => Ok(*a),
            (Op::Shl | Op::Shr, _) => wrong("a bit or int, and a bit to shift by"),
            (Op::Eq | Op::Ne, [a, b]) if a == b && !matches!(a, Type::Varbit(_)) => Ok(Bool),
            (Op::Eq | Op::Ne, _) => wrong("two values of one type other than varbit"),
            (Op::Lt | Op::Le | Op::Gt | Op::Ge, [a, b]) if a == b && a.is_number() => Ok(Bool),
            (Op::Lt | Op::Le | Op::Gt | Op::Ge, _) => wrong("two bit or two int of one width"),
            (Op::Concat, [a, b]) if a.is_number() && b.is_number() => {
                let width = a.width() + b.width();
                if width > MAX_WIDTH {
                    return wrong("operands of 2048 bits together at most");
                }
                Ok(if a.is_signed() { Int(width) } else { Bit(width) })
            }
            (Op::Concat, _) => wrong("two bit or int"),
            (Op::Mux, [Bool, a, b]) if a == b && !matches!(a, Type::Varbit(_)) => Ok(*a),
            (Op::Mux, _) => wrong("a bool and two values of one type other than varbit"),
        }
    }
}

fn castable(from: Type, to: Type) -> bool {
    match (from, to) {
        (Type::Bool, Type::Bit(1)) | (Type::Bit(1), Type::Bool) => true,
        (a, b) => a == b && !matches!(a, Type::Varbit(_)) || a.is_number() && b.is_number(),
    }
}
