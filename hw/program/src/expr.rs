//! Expressions and the places that can be read and written.
//!
//! Expressions have no side effects. Reading a field of an invalid header, or beyond a stack, gives 0.

use crate::bits::Bits;
use crate::entity::{Header, Meta, Stack};
use crate::op::Op;
use crate::types::Type;
use serde::{Deserialize, Serialize};

/// A value to be computed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expr {
    /// A constant. The width of the value is the type's.
    Const {
        /// Its type.
        ty: Type,
        /// Its value.
        value: Bits,
    },
    /// The content of a place.
    Read(Place),
    /// A parameter of the action in whose body this stands, counted from 0.
    Param(u32),
    /// Whether a header is valid.
    Valid(HeaderRef),
    /// `stack.lastIndex`: the index of the element extracted last, a `bit<32>`; 2^32-1 when there is none.
    LastIndex(Stack),
    /// The bits `skip .. skip + width` after the parser's position, not consumed. In parser states only;
    /// beyond the packet it is the error `PacketTooShort`.
    Lookahead {
        /// Bits to skip.
        skip: u32,
        /// Type of the result.
        ty: Type,
    },
    /// An operation on values.
    Op {
        /// Which.
        op: Op,
        /// Its operands.
        args: Vec<Expr>,
    },
}

/// Something that can be read and written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A metadata field.
    Meta(Meta),
    /// A field of a header. Written while the header is invalid: nothing happens.
    Field {
        /// The header.
        header: HeaderRef,
        /// The field's position in the header's type.
        field: u32,
    },
    /// Some bits of a place, of type `bit`.
    Slice {
        /// The place.
        of: Box<Place>,
        /// Highest bit.
        hi: u32,
        /// Lowest bit.
        lo: u32,
    },
}

/// A header instance, perhaps one that is chosen while the packet is processed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeaderRef {
    /// This one. Also an element of a stack at a fixed index, or a member of a union.
    Header(Header),
    /// An element of a stack.
    Element {
        /// The stack.
        stack: Stack,
        /// Which element.
        at: ElementIndex,
        /// For a stack of unions the position of the member in the union, else 0.
        member: u32,
    },
}

/// Which element of a stack.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ElementIndex {
    /// `stack.next`, the one to be extracted next. In parser states only; beyond the stack it is the
    /// error `StackOutOfBounds`.
    Next,
    /// `stack.last`, the one extracted last. Before any extraction: in parser states the error
    /// `StackOutOfBounds`, elsewhere like an index out of range.
    Last,
    /// Computed at run time. Out of range reads give 0, writes do nothing.
    Expr(Box<Expr>),
}

impl Expr {
    /// An operation.
    pub fn op(op: Op, args: impl IntoIterator<Item = Expr>) -> Expr {
        Expr::Op { op, args: args.into_iter().collect() }
    }

    /// A `bit<width>` constant: the low bits of a number.
    pub fn bit(width: u32, value: u128) -> Expr {
        Expr::Const { ty: Type::Bit(width), value: Bits::new(width, value) }
    }

    /// A `bool` constant.
    pub fn bool(value: bool) -> Expr {
        Expr::Const { ty: Type::Bool, value: Bits::new(1, value.into()) }
    }

    /// A metadata field.
    pub fn meta(meta: Meta) -> Expr {
        Expr::Read(Place::Meta(meta))
    }

    /// A field of a header.
    pub fn field(header: Header, field: u32) -> Expr {
        Expr::Read(Place::field(header, field))
    }

    /// Calls `f` on this expression and everything in it, outermost first.
    pub fn walk<'a>(&'a self, f: &mut impl FnMut(&'a Expr)) {
        f(self);
        match self {
            Expr::Read(place) => place.walk(f),
            Expr::Valid(header) => header.walk(f),
            Expr::Op { args, .. } => args.iter().for_each(|a| a.walk(f)),
            Expr::Const { .. } | Expr::Param(_) | Expr::LastIndex(_) | Expr::Lookahead { .. } => {}
        }
    }
}

impl Place {
    /// A field of a header.
    pub fn field(header: Header, field: u32) -> Place {
        Place::Field { header: HeaderRef::Header(header), field }
    }

    /// Calls `f` on the expressions inside (indices of stacks).
    pub fn walk<'a>(&'a self, f: &mut impl FnMut(&'a Expr)) {
        match self {
            Place::Meta(_) => {}
            Place::Field { header, .. } => header.walk(f),
            Place::Slice { of, .. } => of.walk(f),
        }
    }
}

impl HeaderRef {
    /// Calls `f` on the expressions inside (the index).
    pub fn walk<'a>(&'a self, f: &mut impl FnMut(&'a Expr)) {
        if let HeaderRef::Element { at: ElementIndex::Expr(index), .. } = self {
            index.walk(f);
        }
    }
}
