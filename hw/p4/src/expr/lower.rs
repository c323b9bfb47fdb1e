//! From integers without bounds to typed operations.
//!
//! Before: `((a + b) & 0xff) >> 1`, over integers. After: `(a + b) >> 1`, over `bit<8>`.
//!
//! Every function is told of which type the result must be. [`Lower::modulo`] gives the value modulo
//! 2^width of that type, so that sums, products and masks are computed in that width and no wider one;
//! [`Lower::exact`] chooses the type that has every value. Where p4c's patterns for saturating
//! arithmetic, slices and concatenation are found, the operation they came from is used.

use super::bound::{bound, fits, signed_width, union};
use super::{Bin, Compare, Int, Num, Truth};
use restage_program::expr::Expr;
use restage_program::op::Op;
use restage_program::types::MAX_WIDTH;
use restage_program::{Bits, Type};

/// Why an expression cannot be lowered, in words that continue `the expression`.
pub(crate) type Refusal = String;
type Result<T> = std::result::Result<T, Refusal>;

/// What lowering needs to know of the program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lower<'a> {
    /// The integer that the input uses for each error, in order of the program's codes.
    pub errors: &'a [u32],
}

impl Lower<'_> {
    /// The value, exactly, and its type.
    pub fn exact(&self, num: &Num) -> Result<(Expr, Type)> {
        let ty = bound(num);
        if ty.width() > MAX_WIDTH {
            return Err(format!("needs {} bits, more than {MAX_WIDTH}", ty.width()));
        }
        Ok((self.modulo(num, ty)?, ty))
    }

    /// The value modulo 2^width of a `bit` or `int` type.
    pub fn modulo(&self, num: &Num, ty: Type) -> Result<Expr> {
        match num {
            Num::Const(c) => Ok(Expr::Const { ty, value: c.bits(ty.width()) }),
            Num::Leaf(expr, from) => Ok(cast(expr.clone(), *from, ty)),
            Num::Error(error) => Ok(self.code_of(error, ty)),
            Num::FromTruth(truth) => Ok(self.as_number(truth, ty)?),
            Num::Inv(a) => Ok(Expr::op(Op::Not, [self.modulo(a, ty)?])),
            Num::Mux(c, a, b) => {
                Ok(Expr::op(Op::Mux, [self.truth(c)?, self.modulo(a, ty)?, self.modulo(b, ty)?]))
            }
            Num::TwoComp(a, n) => self.low_bits(a, Type::Int(*n), ty),
            Num::USat(a, n) => {
                let own = Type::Bit(*n);
                Ok(cast(self.saturated(a, own)?, own, ty))
            }
            Num::Sat(a, n) => {
                let own = Type::Int(*n);
                Ok(cast(self.saturated(a, own)?, own, ty))
            }
            Num::Bin(op, a, b) => self.binary(*op, a, b, ty),
        }
    }

    /// The value of the low bits in the type `own`, as `ty`.
    fn low_bits(&self, num: &Num, own: Type, ty: Type) -> Result<Expr> {
        if ty.width() <= own.width() || fits(bound(num), own) {
            return self.modulo(num, ty);
        }
        Ok(cast(self.modulo(num, own)?, own, ty))
    }

    fn saturated(&self, num: &Num, ty: Type) -> Result<Expr> {
        if fits(bound(num), ty) {
            return self.modulo(num, ty);
        }
        if let Num::Bin(op @ (Bin::Add | Bin::Sub), a, b) = num
            && fits(bound(a), ty)
            && fits(bound(b), ty)
        {
            let op = if *op == Bin::Add { Op::SatAdd } else { Op::SatSub };
            return Ok(Expr::op(op, [self.modulo(a, ty)?, self.modulo(b, ty)?]));
        }
        Ok(Expr::op(Op::SatCast(ty), [self.exact(num)?.0]))
    }

    fn binary(&self, op: Bin, a: &Num, b: &Num, ty: Type) -> Result<Expr> {
        let plain = |op| Ok(Expr::op(op, [self.modulo(a, ty)?, self.modulo(b, ty)?]));
        match op {
            Bin::Add => match negated(b, ty.width()) {
                Some(c) => Ok(Expr::op(Op::Sub, [self.modulo(a, ty)?, constant(ty, c)])),
                None => plain(Op::Add),
            },
            Bin::Sub if matches!(a, Num::Const(c) if c.is_zero()) => {
                Ok(Expr::op(Op::Neg, [self.modulo(b, ty)?]))
            }
            Bin::Sub => plain(Op::Sub),
            Bin::Mul => plain(Op::Mul),
            Bin::Xor => plain(Op::Xor),
            // A constant 0 is what is left of the upper part of a concatenation.
            Bin::Or if matches!(a, Num::Const(c) if c.is_zero()) => self.modulo(b, ty),
            Bin::Or => match self.concat(a, b, ty)? {
                Some(joined) => Ok(joined),
                None => plain(Op::Or),
            },
            Bin::And => match (a, b) {
                (other, Num::Const(c)) | (Num::Const(c), other) => self.masked(other, c, ty),
                _ => plain(Op::And),
            },
            Bin::Div | Bin::Mod => self.quotient(op, a, b, ty),
            Bin::Shl => {
                if let Num::Const(c) = b
                    && c.to_u32().is_none_or(|by| by >= ty.width())
                {
                    return Ok(zero(ty));
                }
                Ok(Expr::op(Op::Shl, [self.modulo(a, ty)?, self.amount(b)?]))
            }
            Bin::Shr => self.shifted_right(a, b, ty),
        }
    }

    /// What a value is shifted by.
    fn amount(&self, by: &Num) -> Result<Expr> {
        match by {
            Num::Const(c) if c.is_negative() => Err("shifts by a negative number".into()),
            Num::Const(c) if c.significant() <= 8 => self.modulo(by, Type::Bit(8)),
            _ if bound(by).is_signed() => Err("shifts by a number that can be negative".into()),
            _ => Ok(self.exact(by)?.0),
        }
    }

    fn shifted_right(&self, num: &Num, by: &Num, ty: Type) -> Result<Expr> {
        let own = bound(num);
        if let (Num::Const(c), Type::Bit(width)) = (by, own) {
            let Some(by) = c.to_u32().filter(|by| *by < width) else { return Ok(zero(ty)) };
            if ty.width().saturating_add(by) <= width && by > 0 {
                return self.slice(num, by + ty.width() - 1, by, ty);
            }
        }
        let (value, own) = self.exact(num)?;
        Ok(cast(Expr::op(Op::Shr, [value, self.amount(by)?]), own, ty))
    }

    /// Some bits of a number that is not negative, as `ty`. Only that many bits of it are computed.
    fn slice(&self, num: &Num, hi: u32, lo: u32, ty: Type) -> Result<Expr> {
        let width = match bound(num) {
            Type::Bit(width) if width <= MAX_WIDTH => width,
            _ => hi + 1,
        };
        if hi >= MAX_WIDTH {
            return Err(format!("takes bit {hi} of a value, and the widest has {MAX_WIDTH} bits"));
        }
        let value = self.modulo(num, Type::Bit(width))?;
        let part = if lo == 0 && hi + 1 == width {
            value
        } else {
            Expr::op(Op::Slice { hi, lo }, [value])
        };
        Ok(cast(part, Type::Bit(hi - lo + 1), ty))
    }

    /// `num & c`.
    fn masked(&self, num: &Num, c: &Int, ty: Type) -> Result<Expr> {
        let own = bound(num);
        let Some(n) = c.mask_width() else {
            let mask = Expr::Const { ty, value: c.bits(ty.width()) };
            return if c.is_zero() {
                Ok(zero(ty))
            } else {
                Ok(Expr::op(Op::And, [self.modulo(num, ty)?, mask]))
            };
        };
        if ty.width() <= n || fits(own, Type::Bit(n)) {
            return self.modulo(num, ty);
        }
        if let Num::Bin(Bin::Shr, of, by) = num
            && let (Num::Const(by), Type::Bit(width)) = (&**by, bound(of))
            && let Some(lo) = by.to_u32()
            && lo.saturating_add(n) <= width
        {
            return self.slice(of, lo + n - 1, lo, ty);
        }
        if fits(own, Type::Bit(ty.width())) {
            let mask = Expr::Const { ty, value: c.bits(ty.width()) };
            return Ok(Expr::op(Op::And, [self.modulo(num, ty)?, mask]));
        }
        Ok(cast(self.modulo(num, Type::Bit(n))?, Type::Bit(n), ty))
    }

    /// `(a << k) | b` with b below 2^k is `a ++ b`.
    fn concat(&self, a: &Num, b: &Num, ty: Type) -> Result<Option<Expr>> {
        let Type::Bit(width) = ty else { return Ok(None) };
        for (high, low) in [(a, b), (b, a)] {
            if let Num::Bin(Bin::Shl, high, by) = strip(high, width)
                && let Num::Const(by) = &**by
                && let Some(by) = by.to_u32().filter(|by| (1..width).contains(by))
                && fits(bound(low), Type::Bit(by))
            {
                let high = self.modulo(high, Type::Bit(width - by))?;
                let low = self.modulo(low, Type::Bit(by))?;
                return Ok(Some(Expr::op(Op::Concat, [high, low])));
            }
        }
        Ok(None)
    }

    fn quotient(&self, op: Bin, a: &Num, b: &Num, ty: Type) -> Result<Expr> {
        let name = if op == Bin::Div { "divides" } else { "takes a remainder" };
        match b {
            Num::Const(c) if !c.is_negative() && !c.is_zero() => {}
            _ => return Err(format!("{name} by something other than a positive constant")),
        }
        if bound(a).is_signed() {
            return Err(format!("{name} of a number that can be negative"));
        }
        let own = union(bound(a), bound(b));
        if own.width() > MAX_WIDTH {
            return Err(format!("needs {} bits, more than {MAX_WIDTH}", own.width()));
        }
        let op = if op == Bin::Div { Op::Div } else { Op::Mod };
        Ok(cast(Expr::op(op, [self.modulo(a, own)?, self.modulo(b, own)?]), own, ty))
    }

    /// 1 or 0.
    fn as_number(&self, truth: &Truth, ty: Type) -> Result<Expr> {
        if let Truth::NonZero(num @ Num::Leaf(_, Type::Bit(1))) = truth {
            return self.modulo(num, ty);
        }
        if let Truth::Const(value) = truth {
            return Ok(constant(ty, u128::from(*value)));
        }
        let bit = Expr::op(Op::Cast(Type::Bit(1)), [self.truth(truth)?]);
        Ok(cast(bit, Type::Bit(1), ty))
    }

    /// The code that the input has for an error.
    fn code_of(&self, error: &Expr, ty: Type) -> Expr {
        let code = |c: u32| constant(ty, c.into());
        self.errors.iter().enumerate().rev().fold(zero(ty), |rest, (i, c)| {
            let is = Expr::op(Op::Eq, [error.clone(), error_constant(i as u32)]);
            if *c == 0 && rest == zero(ty) { rest } else { Expr::op(Op::Mux, [is, code(*c), rest]) }
        })
    }

    /// The value as an error: a constant code, or an error itself.
    pub fn error(&self, num: &Num) -> Result<Expr> {
        match num {
            Num::Error(error) => Ok(error.clone()),
            Num::Const(c) => {
                let code = c.to_u32();
                let at = self.errors.iter().position(|e| Some(*e) == code);
                Ok(error_constant(at.ok_or("names an error code that no error has")? as u32))
            }
            _ => Err("makes an error out of something other than an error or a constant".into()),
        }
    }

    /// A truth value, as a `bool`.
    pub fn truth(&self, truth: &Truth) -> Result<Expr> {
        let two = |op, a: &Truth, b: &Truth| Ok(Expr::op(op, [self.truth(a)?, self.truth(b)?]));
        match truth {
            Truth::Const(value) => Ok(Expr::bool(*value)),
            Truth::Is(expr) => Ok(expr.clone()),
            Truth::Not(a) => Ok(Expr::op(Op::Not, [self.truth(a)?])),
            Truth::And(a, b) => two(Op::And, a, b),
            Truth::Or(a, b) => two(Op::Or, a, b),
            Truth::Same(a, b) => two(Op::Eq, a, b),
            Truth::Mux(c, a, b) => {
                Ok(Expr::op(Op::Mux, [self.truth(c)?, self.truth(a)?, self.truth(b)?]))
            }
            Truth::NonZero(Num::FromTruth(truth)) => self.truth(truth),
            Truth::NonZero(num) => match bound(num) {
                Type::Bit(1) => {
                    let bit = self.modulo(num, Type::Bit(1))?;
                    Ok(Expr::op(Op::Cast(Type::Bool), [bit]))
                }
                _ => self.compare(Compare::Ne, num, &Num::Const(Int::ZERO)),
            },
            Truth::Compare(op, a, b) => self.compare(*op, a, b),
        }
    }

    fn compare(&self, op: Compare, a: &Num, b: &Num) -> Result<Expr> {
        let name = match op {
            Compare::Eq => Op::Eq,
            Compare::Ne => Op::Ne,
            Compare::Lt => Op::Lt,
            Compare::Le => Op::Le,
            Compare::Gt => Op::Gt,
            Compare::Ge => Op::Ge,
        };
        let is_error = matches!(a, Num::Error(_)) || matches!(b, Num::Error(_));
        if is_error
            && matches!(op, Compare::Eq | Compare::Ne)
            && let (Ok(a), Ok(b)) = (self.error(a), self.error(b))
        {
            return Ok(Expr::op(name, [a, b]));
        }
        let ty = union(bound(a), bound(b));
        if ty.width() > MAX_WIDTH {
            return Err(format!("needs {} bits, more than {MAX_WIDTH}", ty.width()));
        }
        Ok(Expr::op(name, [self.modulo(a, ty)?, self.modulo(b, ty)?]))
    }
}

/// The value in another type, by P4's cast.
pub(crate) fn cast(expr: Expr, from: Type, to: Type) -> Expr {
    match expr {
        _ if from == to => expr,
        Expr::Const { value, .. } => {
            let negative = from.is_signed() && from.width() > 0 && value.bit(from.width() - 1);
            let mut limbs = value.limbs().to_vec();
            if negative {
                // The bits above the width are the sign's.
                if let (Some(top), used) = (limbs.last_mut(), from.width() % 64)
                    && used != 0
                {
                    *top |= u64::MAX << used;
                }
                limbs.resize(
                    restage_program::bits::limb_count(to.width()).max(limbs.len()),
                    u64::MAX,
                );
            }
            Expr::Const { ty: to, value: Bits::from_limbs(to.width(), &limbs) }
        }
        _ => Expr::op(Op::Cast(to), [expr]),
    }
}

/// A constant.
pub(crate) fn constant(ty: Type, value: u128) -> Expr {
    Expr::Const { ty, value: Bits::new(ty.width(), value) }
}

/// An error constant, by the program's code.
pub(crate) fn error_constant(code: u32) -> Expr {
    constant(Type::Error, code.into())
}

fn zero(ty: Type) -> Expr {
    constant(ty, 0)
}

/// c, when adding the constant is subtracting a c that is the smaller number, as p4c writes `x - c`.
fn negated(num: &Num, width: u32) -> Option<u128> {
    let Num::Const(c) = num else { return None };
    if !(4..=64).contains(&width) {
        return None;
    }
    let modulus = 1u128 << width;
    let value = c.bits(width).low_u128();
    (value > modulus - modulus / 8).then(|| modulus - value)
}

/// The number without masks that keep all of its low `width` bits.
fn strip(mut num: &Num, width: u32) -> &Num {
    while let Num::Bin(Bin::And, a, b) = num {
        match (&**a, &**b) {
            (other, Num::Const(c)) | (Num::Const(c), other)
                if c.mask_width().is_some_and(|n| n >= width) =>
            {
                num = other;
            }
            _ => break,
        }
    }
    num
}

/// Whether a place of this type can hold every value of the integer.
pub(crate) fn has_room(num: &Num, ty: Type) -> bool {
    ty.is_number() && fits(bound(num), ty) && signed_width(ty) > 0
}
