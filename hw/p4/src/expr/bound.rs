//! How large an integer can be: the narrowest type that surely has it.
//!
//! `bit<n>` stands for 0 to 2^n - 1, `int<n>` for -2^(n-1) to 2^(n-1) - 1. Widths here can exceed what a
//! program may have; whoever needs the exact value finds that out.

use super::{Bin, Num};
use restage_program::Type;
use restage_program::types::ERROR_WIDTH;

/// Widths saturate here, far beyond every legal one.
const HUGE: u32 = 1 << 24;

/// A type that has every value of the integer.
pub(crate) fn bound(num: &Num) -> Type {
    match num {
        Num::Const(c) => c.ty(),
        Num::Leaf(_, ty) => *ty,
        Num::Error(_) => Type::Bit(ERROR_WIDTH),
        Num::FromTruth(_) => Type::Bit(1),
        Num::Mux(_, a, b) => union(bound(a), bound(b)),
        Num::Inv(a) => Type::Int(signed_width(bound(a))),
        Num::TwoComp(a, n) => {
            let inner = bound(a);
            if fits(inner, Type::Int(*n)) { inner } else { Type::Int(*n) }
        }
        Num::USat(a, n) => {
            let inner = bound(a);
            if fits(inner, Type::Bit(*n)) { inner } else { Type::Bit(*n) }
        }
        Num::Sat(a, n) => {
            let inner = bound(a);
            if fits(inner, Type::Int(*n)) { inner } else { Type::Int(*n) }
        }
        Num::Bin(op, a, b) => binary(*op, a, b),
    }
}

fn binary(op: Bin, left: &Num, right: &Num) -> Type {
    let (a, b) = (bound(left), bound(right));
    let unsigned = !a.is_signed() && !b.is_signed();
    let widest = a.width().max(b.width());
    let widest_signed = signed_width(a).max(signed_width(b));
    let clip = |w: u32| w.min(HUGE);
    match op {
        Bin::Add if unsigned => Type::Bit(clip(widest + 1)),
        Bin::Add => Type::Int(clip(widest_signed + 1)),
        // The difference of two numbers of n bits needs a sign and n bits, no carry.
        Bin::Sub if unsigned => Type::Int(clip(widest + 1)),
        Bin::Sub => Type::Int(clip(widest_signed + 1)),
        Bin::Mul if unsigned => Type::Bit(clip(a.width() + b.width())),
        Bin::Mul => Type::Int(clip(signed_width(a) + signed_width(b))),
        Bin::Div => a,
        Bin::Mod => Type::Bit(a.width().min(b.width())),
        Bin::And => match (a.is_signed(), b.is_signed()) {
            (false, false) => Type::Bit(a.width().min(b.width())),
            (false, true) => Type::Bit(a.width()),
            (true, false) => Type::Bit(b.width()),
            (true, true) => Type::Int(widest),
        },
        Bin::Or | Bin::Xor => union(a, b),
        Bin::Shl => {
            let by = match right {
                Num::Const(c) => c.to_u32().unwrap_or(HUGE),
                _ if b.width() < 20 => (1 << b.width()) - 1,
                _ => HUGE,
            };
            with_width(a, clip(a.width().saturating_add(by)))
        }
        Bin::Shr => {
            let by = match right {
                Num::Const(c) => c.to_u32().unwrap_or(HUGE),
                _ => 0,
            };
            with_width(a, a.width().saturating_sub(by).max(1))
        }
    }
}

fn with_width(ty: Type, width: u32) -> Type {
    if ty.is_signed() { Type::Int(width) } else { Type::Bit(width) }
}

/// Width of the `int` that has every value of a type.
pub(crate) fn signed_width(ty: Type) -> u32 {
    if ty.is_signed() { ty.width() } else { (ty.width() + 1).min(HUGE) }
}

/// The narrowest type that has the values of both.
pub(crate) fn union(a: Type, b: Type) -> Type {
    if a.is_signed() || b.is_signed() {
        Type::Int(signed_width(a).max(signed_width(b)))
    } else {
        Type::Bit(a.width().max(b.width()))
    }
}

/// Whether every value of a type is one of another.
pub(crate) fn fits(ty: Type, into: Type) -> bool {
    match (ty.is_signed(), into.is_signed()) {
        (_, true) => signed_width(ty) <= into.width(),
        (false, false) => ty.width() <= into.width(),
        (true, false) => false,
    }
}
