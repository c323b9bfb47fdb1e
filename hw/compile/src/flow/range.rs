//! Bounds of values, as far as their definitions show them.

use super::{Def, Maker, Value};
use restage_program::Type;
use restage_program::op::Op;

/// How deep definitions are followed.
const DEPTH: u32 = 12;

/// The largest number that a value can be, and how many of its lowest bits are always 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Range {
    most: u64,
    zeros: u32,
}

impl Maker<'_> {
    /// The numbers up to `limit` that an unsigned value can be, ascending; more than it really can be
    /// perhaps, but none is missing. Never empty.
    pub fn possible(&self, value: Value, limit: u32) -> Vec<u32> {
        if let Some(known) = self.as_const(value) {
            let known = known.to_u64().unwrap_or(u64::MAX);
            return vec![known.min(limit.into()) as u32];
        }
        let range = self.range(value, DEPTH);
        let step = 1u64 << range.zeros.min(31);
        let most = range.most.min(limit.into());
        (0..=most / step).map(|i| (i * step) as u32).collect()
    }

    fn range(&self, value: Value, depth: u32) -> Range {
        let ty = self.ty(value);
        let width = ty.width();
        let top = if width >= 64 { u64::MAX } else { (1 << width) - 1 };
        let any = Range { most: top, zeros: 0 };
        if depth == 0 || ty.is_signed() {
            return any;
        }
        let of = |v: Value| self.range(v, depth - 1);
        let range = match &self.decl(value).def {
            Def::Const(bits) => match bits.to_u64() {
                Some(0) => Range { most: 0, zeros: 63 },
                Some(n) => Range { most: n, zeros: n.trailing_zeros() },
                None => any,
            },
            Def::Select { arms, default } => {
                arms.iter().map(|(_, v)| *v).fold(of(*default), |a, v| a.either(of(v)))
            }
            Def::Op(op, args) => match (op, args.as_slice()) {
                (Op::Cast(Type::Bit(_)), [a]) if !self.ty(*a).is_signed() => of(*a),
                (Op::Slice { lo, .. }, [a]) if self.ty(*a).width() <= 64 => {
                    let of = of(*a);
                    Range { most: of.most >> lo, zeros: of.zeros.saturating_sub(*lo) }
                }
                (Op::Add, [a, b]) => {
                    let (a, b) = (of(*a), of(*b));
                    let most = a.most.checked_add(b.most).filter(|m| *m <= top).unwrap_or(top);
                    Range { most, zeros: a.zeros.min(b.zeros) }
                }
                (Op::Sub, [a, b]) => Range { most: top, zeros: of(*a).zeros.min(of(*b).zeros) },
                (Op::SatSub, [a, b]) => {
                    Range { most: of(*a).most, zeros: of(*a).zeros.min(of(*b).zeros) }
                }
                (Op::Mul, [a, b]) => {
                    let (a, b) = (of(*a), of(*b));
                    let most = a.most.checked_mul(b.most).filter(|m| *m <= top).unwrap_or(top);
                    Range { most, zeros: a.zeros + b.zeros }
                }
                (Op::Shl, [a, b]) => match self.as_const(*b).and_then(|b| b.to_u64()) {
                    Some(by @ 0..=63) => {
                        let a = of(*a);
                        let fits = a.most.leading_zeros() >= by as u32;
                        let most = if fits { (a.most << by).min(top) } else { top };
                        Range { most, zeros: a.zeros + by as u32 }
                    }
                    _ => any,
                },
                (Op::And, [a, b]) => {
                    let (a, b) = (of(*a), of(*b));
                    Range { most: a.most.min(b.most), zeros: a.zeros.max(b.zeros) }
                }
                (Op::Or | Op::Xor, [a, b]) => {
                    let (a, b) = (of(*a), of(*b));
                    let bits = 64 - (a.most | b.most).leading_zeros();
                    let most = if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
                    Range { most, zeros: a.zeros.min(b.zeros) }
                }
                (Op::Mux, [_, a, b]) => of(*a).either(of(*b)),
                (Op::Mod, [_, b]) => match self.as_const(*b).and_then(|b| b.to_u64()) {
                    Some(b @ 1..) => Range { most: b - 1, zeros: 0 },
                    _ => any,
                },
                _ => any,
            },
            _ => any,
        };
        Range { most: range.most.min(top), zeros: range.zeros.min(63) }
    }
}

impl Range {
    fn either(self, other: Range) -> Range {
        Range { most: self.most.max(other.most), zeros: self.zeros.min(other.zeros) }
    }
}
