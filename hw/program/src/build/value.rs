//! Values in a description: fields, action parameters, literals, and what is computed from them.
//!
//! `ip.ttl - 1`, `!tcp.valid() | ip.ttl.le(1)`: Rust's operators where Rust lets them return something
//! new, methods where it does not. A number takes its type from the value it meets. Nothing is refused
//! here; a width that does not fit is for the checker, which knows the place.

use crate::bits::Bits;
use crate::entity::{ErrorCode, Header, Meta, Stack};
use crate::expr::{ElementIndex, Expr, HeaderRef, Place};
use crate::op::Op;
use crate::types::{ERROR_WIDTH, Type};

/// A header, or the element of a stack, in a form that can be copied around.
#[derive(Clone, Copy, Debug)]
pub enum Href {
    /// This one.
    One(Header),
    /// `stack.next`, and the member of a union.
    Next(Stack, u32),
    /// `stack.last`.
    Last(Stack, u32),
    /// The element whose index stands in a metadata field.
    At(Stack, Meta, u32),
}

impl From<Href> for HeaderRef {
    fn from(href: Href) -> HeaderRef {
        let element = |stack, at, member| HeaderRef::Element { stack, at, member };
        match href {
            Href::One(header) => HeaderRef::Header(header),
            Href::Next(stack, member) => element(stack, ElementIndex::Next, member),
            Href::Last(stack, member) => element(stack, ElementIndex::Last, member),
            Href::At(stack, index, member) => {
                element(stack, ElementIndex::Expr(Box::new(Expr::meta(index))), member)
            }
        }
    }
}

/// A field of a header or of the metadata.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    at: At,
    ty: Type,
}

#[derive(Clone, Copy, Debug)]
enum At {
    Meta(Meta),
    Header(Href, u32),
}

impl Field {
    /// A metadata field.
    pub fn meta(meta: Meta, ty: Type) -> Self {
        Field { at: At::Meta(meta), ty }
    }

    /// A field of a header by position.
    pub fn of(header: Href, field: u32, ty: Type) -> Self {
        Field { at: At::Header(header, field), ty }
    }

    /// Its type.
    pub fn ty(self) -> Type {
        self.ty
    }

    /// Which metadata field it is, if it is one.
    pub fn as_meta(self) -> Option<Meta> {
        match self.at {
            At::Meta(meta) => Some(meta),
            At::Header(..) => None,
        }
    }

    /// Its place in a header's type, if it is a header's.
    pub fn position(self) -> Option<u32> {
        match self.at {
            At::Meta(_) => None,
            At::Header(_, field) => Some(field),
        }
    }

    /// `field[hi:lo]`, to be read or written.
    pub fn slice(self, hi: u32, lo: u32) -> FieldSlice {
        FieldSlice { field: self, hi, lo }
    }
}

impl From<Field> for Place {
    fn from(field: Field) -> Place {
        match field.at {
            At::Meta(meta) => Place::Meta(meta),
            At::Header(header, field) => Place::Field { header: header.into(), field },
        }
    }
}

/// Some bits of a field.
#[derive(Clone, Copy, Debug)]
pub struct FieldSlice {
    field: Field,
    hi: u32,
    lo: u32,
}

impl From<FieldSlice> for Place {
    fn from(s: FieldSlice) -> Place {
        Place::Slice { of: Box::new(s.field.into()), hi: s.hi, lo: s.lo }
    }
}

/// A parameter of the action that is being described.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    pub(super) index: u32,
    pub(super) ty: Type,
}

/// A computed value.
#[derive(Clone, Debug)]
pub struct Val {
    pub(super) expr: Expr,
    pub(super) ty: Type,
}

impl Val {
    /// A value from an expression and its type.
    pub fn new(expr: Expr, ty: Type) -> Self {
        Val { expr, ty }
    }

    /// The expression.
    pub fn into_expr(self) -> Expr {
        self.expr
    }
}

/// A value, or a number that takes the type of what it meets.
#[derive(Clone, Debug)]
pub enum Operand {
    /// A number without a type.
    Number(i128),
    /// A value.
    Val(Val),
}

impl Operand {
    /// The expression, a number being of the given type.
    pub fn fit(self, ty: Type) -> Expr {
        match self {
            Operand::Val(val) => val.expr,
            Operand::Number(n) => number(n, ty),
        }
    }

    /// The value, a number being of the given type.
    pub fn fit_val(self, ty: Type) -> Val {
        match self {
            Operand::Val(val) => val,
            Operand::Number(n) => Val::new(number(n, ty), ty),
        }
    }
}

/// A constant. A number that does not fit keeps all its bits, so that the checker sees it.
pub(super) fn number(n: i128, ty: Type) -> Expr {
    let width = ty.width();
    let sign = if n < 0 { 1 } else { 0 };
    let magnitude = 128 - if n < 0 { n.leading_ones() } else { n.leading_zeros() };
    let needed = magnitude + if ty.is_signed() { 1 } else { sign };
    let limbs = [n as u64, (n >> 64) as u64];
    let mut value = Bits::from_limbs(width.max(needed).min(128), &limbs);
    if width > 128 {
        let mut wide = vec![if n < 0 { u64::MAX } else { 0 }; width.div_ceil(64) as usize];
        wide[..2].copy_from_slice(&limbs);
        value = Bits::from_limbs(width, &wide);
    }
    Expr::Const { ty, value }
}

/// A constant of a given width: `bits(32, 5)`.
pub fn bits(width: u32, value: u128) -> Val {
    Val::new(Expr::bit(width, value), Type::Bit(width))
}

/// `condition ? then : otherwise`.
pub fn mux(
    condition: impl Into<Operand>,
    then: impl Into<Operand>,
    otherwise: impl Into<Operand>,
) -> Val {
    let (then, otherwise) = (then.into(), otherwise.into());
    let ty = match (&then, &otherwise) {
        (Operand::Val(v), _) | (_, Operand::Val(v)) => v.ty,
        // Two numbers have no type; the checker will say that this one does not fit.
        _ => Type::Bool,
    };
    let args = [condition.into().fit(Type::Bool), then.fit(ty), otherwise.fit(ty)];
    Val::new(Expr::op(Op::Mux, args), ty)
}

/// The smaller of two values.
pub fn min(a: impl Into<Val>, b: impl Into<Val>) -> Val {
    let (a, b) = (a.into(), b.into());
    mux(a.clone().lt(b.clone()), a, b)
}

/// The larger of two values.
pub fn max(a: impl Into<Val>, b: impl Into<Val>) -> Val {
    let (a, b) = (a.into(), b.into());
    mux(a.clone().lt(b.clone()), b, a)
}

fn unary(op: Op, a: Val) -> Val {
    let ty = op.result_type(&[a.ty]).unwrap_or(a.ty);
    Val::new(Expr::op(op, [a.expr]), ty)
}

fn binary(op: Op, a: Val, b: Operand) -> Val {
    let want = match (op, &b) {
        (Op::Shl | Op::Shr, Operand::Number(n)) if (0..256).contains(n) => Type::Bit(8),
        (Op::Shl | Op::Shr, _) => Type::Bit(32),
        _ => a.ty,
    };
    let b = b.fit_val(want);
    let ty = op.result_type(&[a.ty, b.ty]).unwrap_or(a.ty);
    Val::new(Expr::op(op, [a.expr, b.expr]), ty)
}

/// What every value can do beyond Rust's operators.
pub trait Value: Into<Val> + Sized {
    /// `==`
    fn eq(self, other: impl Into<Operand>) -> Val {
        binary(Op::Eq, self.into(), other.into())
    }
    /// `!=`
    fn ne(self, other: impl Into<Operand>) -> Val {
        binary(Op::Ne, self.into(), other.into())
    }
    /// `<`
    fn lt(self, other: impl Into<Operand>) -> Val {
        binary(Op::Lt, self.into(), other.into())
    }
    /// `<=`
    fn le(self, other: impl Into<Operand>) -> Val {
        binary(Op::Le, self.into(), other.into())
    }
    /// `>`
    fn gt(self, other: impl Into<Operand>) -> Val {
        binary(Op::Gt, self.into(), other.into())
    }
    /// `>=`
    fn ge(self, other: impl Into<Operand>) -> Val {
        binary(Op::Ge, self.into(), other.into())
    }
    /// `|+|`
    fn sat_add(self, other: impl Into<Operand>) -> Val {
        binary(Op::SatAdd, self.into(), other.into())
    }
    /// `|-|`
    fn sat_sub(self, other: impl Into<Operand>) -> Val {
        binary(Op::SatSub, self.into(), other.into())
    }
    /// `++`, this one above the other, which must have a type of its own.
    fn concat(self, other: impl Into<Val>) -> Val {
        binary(Op::Concat, self.into(), Operand::Val(other.into()))
    }
    /// `[hi:lo]`
    fn bits(self, hi: u32, lo: u32) -> Val {
        unary(Op::Slice { hi, lo }, self.into())
    }
    /// `(T)`
    fn cast(self, ty: Type) -> Val {
        unary(Op::Cast(ty), self.into())
    }
    /// The nearest value that the type has.
    fn sat_cast(self, ty: Type) -> Val {
        unary(Op::SatCast(ty), self.into())
    }
}

impl From<Field> for Val {
    fn from(field: Field) -> Val {
        Val::new(Expr::Read(field.into()), field.ty)
    }
}

impl From<FieldSlice> for Val {
    fn from(s: FieldSlice) -> Val {
        Value::bits(s.field, s.hi, s.lo)
    }
}

impl From<Param> for Val {
    fn from(param: Param) -> Val {
        Val::new(Expr::Param(param.index), param.ty)
    }
}

impl From<ErrorCode> for Operand {
    fn from(code: ErrorCode) -> Operand {
        let value = Bits::new(ERROR_WIDTH, code.0.into());
        Operand::Val(Val::new(Expr::Const { ty: Type::Error, value }, Type::Error))
    }
}

impl From<bool> for Operand {
    fn from(value: bool) -> Operand {
        Operand::Val(Val::new(Expr::bool(value), Type::Bool))
    }
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl From<$number> for Operand {
            fn from(n: $number) -> Operand {
                Operand::Number(n as i128)
            }
        }
    )*};
}

numbers! { i32 u8 u16 u32 i64 u64 i128 usize }

macro_rules! values {
    ($($value:ty)*) => {$(
        impl Value for $value {}

        impl From<$value> for Operand {
            fn from(value: $value) -> Operand {
                Operand::Val(value.into())
            }
        }

        values! { binary $value:
            Add add Add, Sub sub Sub, Mul mul Mul, Div div Div, Rem rem Mod,
            BitAnd bitand And, BitOr bitor Or, BitXor bitxor Xor, Shl shl Shl, Shr shr Shr }
        values! { unary $value: Not not Not, Neg neg Neg }
    )*};
    (binary $value:ty: $($ops:ident $method:ident $op:ident),*) => {$(
        impl<R: Into<Operand>> std::ops::$ops<R> for $value {
            type Output = Val;
            fn $method(self, other: R) -> Val {
                binary(Op::$op, self.into(), other.into())
            }
        }
    )*};
    (unary $value:ty: $($ops:ident $method:ident $op:ident),*) => {$(
        impl std::ops::$ops for $value {
            type Output = Val;
            fn $method(self) -> Val {
                unary(Op::$op, self.into())
            }
        }
    )*};
}

values! { Field FieldSlice Param Val }
