//! One circuit for every operation of a program: the only match from [`Op`] to hardware.
//!
//! What an operation means is said in `restage_program::eval`; here it is built of unsigned pieces, of
//! any width up to 2048 bits and pipelined so that no more than [`crate::pipe::MAX_LEVELS`] lookup
//! tables follow each other. Division is by constants in checked programs; by a signal it is a row of
//! as many subtractions as there are bits (see [`crate::divide`]).

use crate::pipe::{Pipe, Sig};
use crate::{divide, shift};
use restage_program::op::Op;
use restage_program::{Bits, Type};

/// The circuit of an operation. The operands' types must be ones that [`Op::result_type`] accepts and
/// their widths those of the signals; otherwise a fault is noted and some signal returned.
#[track_caller]
pub fn circuit(p: &mut Pipe, op: Op, operands: &[(Type, Sig)]) -> Sig {
    let types: Vec<Type> = operands.iter().map(|(t, _)| *t).collect();
    let result = match op.result_type(&types) {
        Ok(result) => result,
        Err(error) => return refused(p, error.to_string()),
    };
    if let Some((t, sig)) = operands.iter().find(|(t, s)| t.width() != p.width(*s)) {
        let found = p.width(*sig);
        return refused(p, format!("a {t} in {found} bits as an operand of {op:?}"));
    }
    let first = types.first().copied().unwrap_or(result);
    let signed = first.is_signed();
    let width = first.width();
    // Operations without an operand there have been refused.
    let at = |i: usize| operands.get(i).or(operands.first()).map(|(_, s)| *s);
    let (Some(a), Some(b), Some(c)) = (at(0), at(1), at(2)) else {
        return refused(p, format!("{op:?} without operands"));
    };
    match op {
        Op::Not => p.not(a),
        Op::Neg => {
            let zero = p.bits(&Bits::zero(width));
            p.sub(zero, a)
        }
        Op::Cast(to) => convert(p, first, a, to.width()),
        Op::SatCast(to) => saturating_cast(p, first, to, a),
        Op::Slice { hi, lo } => p.slice(a, hi, lo),
        Op::Add => p.add(a, b),
        Op::Sub => p.sub(a, b),
        Op::Mul => p.mul_low(a, b, width),
        Op::SatAdd if signed => {
            let sum = p.add(a, b);
            saturate_signed(p, a, b, sum, false)
        }
        Op::SatAdd => {
            let sum = p.add_carry(a, b);
            let low = p.slice(sum, width - 1, 0);
            let carry = p.bit(sum, width);
            let all = p.repeat(carry, width);
            p.or(low, all)
        }
        Op::SatSub if signed => {
            let rest = p.sub(a, b);
            saturate_signed(p, a, b, rest, true)
        }
        Op::SatSub => {
            let rest = p.sub(a, b);
            let below = p.lt(a, b);
            let zero = p.bits(&Bits::zero(width));
            p.mux(below, zero, rest)
        }
        Op::Div => divide::divide(p, a, b).0,
        Op::Mod => divide::divide(p, a, b).1,
        Op::And => p.and(a, b),
        Op::Or => p.or(a, b),
        Op::Xor => p.xor(a, b),
        Op::Shl => shift::left(p, a, b),
        Op::Shr => {
            let fill = if signed { p.bit(a, width - 1) } else { p.lit(1, 0) };
            shift::right(p, a, b, fill)
        }
        Op::Eq => p.eq(a, b),
        Op::Ne => p.ne(a, b),
        Op::Lt => less(p, signed, a, b),
        Op::Le => at_most(p, signed, a, b),
        Op::Gt => less(p, signed, b, a),
        Op::Ge => at_most(p, signed, b, a),
        Op::Concat => p.concat(&[a, b]),
        Op::Mux => p.mux(a, b, c),
    }
}

#[track_caller]
fn refused(p: &mut Pipe, why: String) -> Sig {
    p.refuse(why);
    p.lit(1, 0)
}

/// A number in another width: cut, or extended as its own type says.
fn convert(p: &mut Pipe, from: Type, a: Sig, to: u32) -> Sig {
    if from.is_signed() && to > from.width() { p.sext(a, to) } else { p.resize(a, to) }
}

/// Signed numbers are in the order of unsigned ones once their highest bits are turned.
fn ordered(p: &mut Pipe, signed: bool, a: Sig) -> Sig {
    let width = p.width(a);
    if !signed {
        return a;
    }
    let sign = p.bit(a, width - 1);
    let turned = p.not(sign);
    if width == 1 {
        return turned;
    }
    let rest = p.slice(a, width - 2, 0);
    p.concat(&[turned, rest])
}

fn less(p: &mut Pipe, signed: bool, a: Sig, b: Sig) -> Sig {
    let (a, b) = (ordered(p, signed, a), ordered(p, signed, b));
    p.lt(a, b)
}

fn at_most(p: &mut Pipe, signed: bool, a: Sig, b: Sig) -> Sig {
    let (a, b) = (ordered(p, signed, a), ordered(p, signed, b));
    p.le(a, b)
}

/// The wrapped sum (or difference) of signed numbers, made the nearest possible if it wrapped: when the
/// operands pull into one direction and the result's sign is not the first operand's.
fn saturate_signed(p: &mut Pipe, a: Sig, b: Sig, wrapped: Sig, difference: bool) -> Sig {
    let width = p.width(a);
    let (sign_a, sign_b) = (p.bit(a, width - 1), p.bit(b, width - 1));
    let sign = p.bit(wrapped, width - 1);
    let turned = p.xor(sign_a, sign_b);
    let same = if difference { turned } else { p.not(turned) };
    let changed = p.xor(sign_a, sign);
    let over = p.and(same, changed);
    let limit = limit(p, sign_a, width);
    p.mux(over, limit, wrapped)
}

/// The smallest number of a signed type if `negative`, else the largest.
fn limit(p: &mut Pipe, negative: Sig, width: u32) -> Sig {
    if width == 1 {
        return negative;
    }
    let rest = p.not(negative);
    let rest = p.repeat(rest, width - 1);
    p.concat(&[negative, rest])
}

fn saturating_cast(p: &mut Pipe, from: Type, to: Type, a: Sig) -> Sig {
    let (wide, narrow) = (from.width(), to.width());
    // Bits of a number of `to` without its sign.
    let kept = narrow - u32::from(to.is_signed());
    // Bits of the operand without its sign.
    let given = wide - u32::from(from.is_signed());
    let negative = if from.is_signed() { p.bit(a, wide - 1) } else { p.lit(1, 0) };
    let plain = convert(p, from, a, narrow);
    let positive = if given > kept {
        let above = p.slice(a, given - 1, kept);
        let over = p.any(above);
        let largest = p.bits(&Bits::ones(kept.max(1)));
        let largest = if kept == 0 { p.bits(&Bits::zero(narrow)) } else { p.zext(largest, narrow) };
        p.mux(over, largest, plain)
    } else {
        plain
    };
    if !from.is_signed() {
        return positive;
    }
    let below = if !to.is_signed() {
        p.bits(&Bits::zero(narrow))
    } else if given > kept {
        let above = p.slice(a, given - 1, kept);
        let fits = p.all(above);
        let one = p.lit(1, 1);
        let smallest = limit(p, one, narrow);
        p.mux(fits, plain, smallest)
    } else {
        plain
    };
    p.mux(negative, below, positive)
}
