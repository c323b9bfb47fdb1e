//! What operations compute. This is the only definition.
//!
//! A value of type T is a word whose bits above T's width are 0; an `int` is its two's complement.
//! Results are again of that form. The function is generic over the size of the word, so that the
//! model's narrow path is the same text as its wide one, compiled twice.

use crate::bits::Bits;
use crate::op::Op;
use crate::types::Type;
use crate::word::{Wide, Word};

/// Computes `op` on words. `types` are those of the first and second operand (the first's twice for
/// unary operations); operands that the operation does not take are ignored. Operands and result
/// must fit the word. Types must be ones that [`Op::result_type`] accepts.
#[inline(always)]
pub fn eval_word<W: Word>(op: Op, types: [Type; 2], a: W, b: W, c: W) -> W {
    let [ta, tb] = types;
    let (width, signed) = (ta.width(), ta.is_signed());
    let mask = W::ones(width);
    let sign = |x: W| width > 0 && x.bit(width - 1);
    let flag = |x: bool| W::from_u64(u64::from(x));
    let largest = W::ones(width - u32::from(signed));
    let smallest = if signed { mask.xor(largest) } else { W::ZERO };
    let ordered = |x: W| if signed { x.xor(smallest) } else { x };
    match op {
        Op::Not => a.xor(mask),
        Op::Neg => W::ZERO.sub(a).and(mask),
        Op::Cast(to) => extend(ta, a).and(W::ones(to.width())),
        Op::SatCast(to) => saturate(ta, to, a),
        Op::Slice { hi, lo } => a.shr(lo).and(W::ones(hi - lo + 1)),
        Op::Add => a.add(b).and(mask),
        Op::Sub => a.sub(b).and(mask),
        Op::Mul => a.mul(b).and(mask),
        Op::SatAdd => {
            let sum = a.add(b).and(mask);
            match signed {
                false if sum < a => mask,
                true if sign(a) == sign(b) && sign(sum) != sign(a) => {
                    if sign(a) {
                        smallest
                    } else {
                        largest
                    }
                }
                _ => sum,
            }
        }
        Op::SatSub => {
            let rest = a.sub(b).and(mask);
            match signed {
                false if a < b => W::ZERO,
                true if sign(a) != sign(b) && sign(rest) != sign(a) => {
                    if sign(a) {
                        smallest
                    } else {
                        largest
                    }
                }
                _ => rest,
            }
        }
        Op::Div => a.div_rem(b).0,
        Op::Mod => a.div_rem(b).1,
        Op::And => a.and(b),
        Op::Or => a.or(b),
        Op::Xor => a.xor(b),
        Op::Shl => match b.distance() {
            by if by >= width => W::ZERO,
            by => a.shl(by).and(mask),
        },
        Op::Shr => {
            let fill = if signed && sign(a) { mask } else { W::ZERO };
            match b.distance() {
                by if by >= width => fill,
                by => a.shr(by).or(fill.xor(fill.shr(by))),
            }
        }
        Op::Eq => flag(a == b),
        Op::Ne => flag(a != b),
        Op::Lt => flag(ordered(a) < ordered(b)),
        Op::Le => flag(ordered(a) <= ordered(b)),
        Op::Gt => flag(ordered(a) > ordered(b)),
        Op::Ge => flag(ordered(a) >= ordered(b)),
        Op::Concat => a.shl(tb.width()).or(b),
        Op::Mux => {
            if a == W::ZERO {
                c
            } else {
                b
            }
        }
    }
}

/// The operand's number as a word in two's complement.
#[inline(always)]
fn extend<W: Word>(from: Type, a: W) -> W {
    let width = from.width();
    if from.is_signed() && width > 0 && a.bit(width - 1) {
        a.or(W::ones(W::BITS).xor(W::ones(width)))
    } else {
        a
    }
}

/// The nearest number that `to` has.
#[inline(always)]
fn saturate<W: Word>(from: Type, to: Type, a: W) -> W {
    let (wide, narrow) = (from.width(), to.width());
    let largest = W::ones(narrow - u32::from(to.is_signed()));
    if !(from.is_signed() && a.bit(wide - 1)) {
        return if a > largest { largest } else { a };
    }
    if !to.is_signed() {
        return W::ZERO;
    }
    // A negative number fits when all bits from the new sign upwards are ones.
    let fits = wide < narrow || a.shr(narrow - 1) == W::ones(wide - narrow + 1);
    if fits { extend(from, a).and(W::ones(narrow)) } else { W::ones(narrow).xor(largest) }
}

/// Computes `op` on values of any width; the operands' types must be ones that it accepts.
pub fn eval(op: Op, args: &[(Type, &Bits)]) -> Option<Bits> {
    let types: Vec<Type> = args.iter().map(|(t, _)| *t).collect();
    let result = op.result_type(&types).ok()?;
    let first = *types.first()?;
    let types = [first, types.get(1).copied().unwrap_or(first)];
    let word =
        |i: usize| args.get(i).map_or(Wide::ZERO, |(_, bits)| Wide::from_limbs(bits.limbs()));
    let out = eval_word(op, types, word(0), word(1), word(2));
    Some(Bits::from_limbs(result.width(), out.limbs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{bit, int};

    /// The definition again, over numbers instead of bit patterns; small widths only.
    fn by_numbers(op: Op, types: &[Type], result: Type, args: &[u64]) -> u64 {
        let number = |i: usize| -> i128 {
            let w = types[i].width();
            let v = i128::from(args[i]);
            if types[i].is_signed() && v >> (w - 1) & 1 == 1 { v - (1 << w) } else { v }
        };
        let (low, high) = match result {
            Type::Int(w) => (-(1i128 << (w - 1)), (1i128 << (w - 1)) - 1),
            other => (0, (1i128 << other.width()) - 1),
        };
        let wrap = |v: i128| (v & ((1i128 << result.width()) - 1)) as u64;
        match op {
            Op::Not => wrap(!number(0)),
            Op::Neg => wrap(-number(0)),
            Op::Cast(_) => wrap(number(0)),
            Op::SatCast(_) => wrap(number(0).clamp(low, high)),
            Op::Slice { lo, .. } => wrap(number(0) >> lo),
            Op::Add => wrap(number(0) + number(1)),
            Op::Sub => wrap(number(0) - number(1)),
            Op::Mul => wrap(number(0) * number(1)),
            Op::SatAdd => wrap((number(0) + number(1)).clamp(low, high)),
            Op::SatSub => wrap((number(0) - number(1)).clamp(low, high)),
            Op::Div => number(0).checked_div(number(1)).map_or(0, wrap),
            Op::Mod => number(0).checked_rem(number(1)).map_or(0, wrap),
            Op::And => wrap(number(0) & number(1)),
            Op::Or => wrap(number(0) | number(1)),
            Op::Xor => wrap(number(0) ^ number(1)),
            Op::Shl => wrap(number(0) << number(1)),
            Op::Shr => wrap(number(0) >> number(1)),
            Op::Eq => u64::from(number(0) == number(1)),
            Op::Ne => u64::from(number(0) != number(1)),
            Op::Lt => u64::from(number(0) < number(1)),
            Op::Le => u64::from(number(0) <= number(1)),
            Op::Gt => u64::from(number(0) > number(1)),
            Op::Ge => u64::from(number(0) >= number(1)),
            Op::Concat => args[0] << types[1].width() | args[1],
            Op::Mux => args[if args[0] == 1 { 1 } else { 2 }],
        }
    }

    fn ops() -> Vec<Op> {
        let mut ops: Vec<Op> = Op::ALL
            .into_iter()
            .filter(|op| !matches!(op, Op::Cast(_) | Op::SatCast(_) | Op::Slice { .. }))
            .collect();
        for to in [bit(1), bit(3), bit(6), int(1), int(2), int(4), int(7)] {
            ops.extend([Op::Cast(to), Op::SatCast(to)]);
        }
        ops.push(Op::Cast(Type::Bool));
        for (hi, lo) in [(0, 0), (2, 0), (2, 1), (3, 3), (3, 0)] {
            ops.push(Op::Slice { hi, lo });
        }
        ops
    }

    #[test]
    fn every_operation_exhaustively_at_small_widths() {
        let types = [bit(1), bit(3), bit(4), int(1), int(3), int(4), Type::Bool];
        let mut checked = 0;
        for op in ops() {
            let mut seen = 0;
            let lists: Vec<Vec<Type>> = match op.arity() {
                1 => types.iter().map(|t| vec![*t]).collect(),
                2 => types.iter().flat_map(|a| types.iter().map(|b| vec![*a, *b])).collect(),
                _ => types.iter().map(|t| vec![Type::Bool, *t, *t]).collect(),
            };
            for list in lists {
                let Ok(result) = op.result_type(&list) else { continue };
                let total: u32 = list.iter().map(|t| t.width()).sum();
                for all in 0..1u64 << total {
                    let mut rest = all;
                    let args: Vec<u64> = list
                        .iter()
                        .map(|t| {
                            let v = rest & ((1 << t.width()) - 1);
                            rest >>= t.width();
                            v
                        })
                        .collect();
                    let want = by_numbers(op, &list, result, &args);
                    let two = [list[0], *list.get(1).unwrap_or(&list[0])];
                    let arg = |i: usize| args.get(i).copied().unwrap_or(0);
                    let narrow = eval_word(op, two, arg(0), arg(1), arg(2));
                    assert_eq!(narrow, want, "{op:?} {list:?} {args:?}");
                    if all % 7 == 0 {
                        let bits: Vec<Bits> = list
                            .iter()
                            .zip(&args)
                            .map(|(t, v)| Bits::new(t.width(), u128::from(*v)))
                            .collect();
                        let pairs: Vec<_> = list.iter().copied().zip(&bits).collect();
                        assert_eq!(
                            eval(op, &pairs).unwrap().low_u64(),
                            want,
                            "{op:?} {list:?} {args:?}"
                        );
                    }
                    seen += 1;
                }
            }
            assert!(seen > 0, "{op:?} was never evaluated");
            checked += seen;
        }
        assert!(checked > 10_000);
    }

    /// At widths that no native number has, the three word sizes must agree with each other.
    #[test]
    fn word_sizes_agree_at_wide_widths() {
        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            if state.is_multiple_of(5) { u64::MAX } else { state }
        };
        for op in ops() {
            for round in 0..300 {
                for ty in [bit(63), bit(64), int(63), int(64), bit(127), bit(128), int(128)] {
                    let amount = bit(9);
                    let list: Vec<Type> = match (op.arity(), op) {
                        (_, Op::Shl | Op::Shr) => vec![ty, amount],
                        (1, _) => vec![ty],
                        (2, Op::Concat) => vec![bit(ty.width() / 2), bit(ty.width() / 2)],
                        (2, _) => vec![ty, ty],
                        _ => vec![Type::Bool, ty, ty],
                    };
                    let Ok(result) = op.result_type(&list) else { continue };
                    let args: Vec<u128> = list
                        .iter()
                        .map(|t| {
                            (u128::from(next()) | u128::from(next()) << 64) & u128::ones(t.width())
                        })
                        .collect();
                    let two = [list[0], *list.get(1).unwrap_or(&list[0])];
                    let arg = |i: usize| args.get(i).copied().unwrap_or(0);
                    let middle = eval_word(op, two, arg(0), arg(1), arg(2));
                    assert_eq!(middle & !u128::ones(result.width()), 0, "{op:?} {list:?}");
                    let wide = |i: usize| Wide::from_limbs(&[arg(i) as u64, (arg(i) >> 64) as u64]);
                    let broad = eval_word(op, two, wide(0), wide(1), wide(2));
                    assert_eq!(
                        broad,
                        Wide::from_limbs(&[middle as u64, (middle >> 64) as u64]),
                        "{op:?} {list:?} {args:?} {round}"
                    );
                    if list.iter().all(|t| t.width() <= 64) && result.width() <= 64 {
                        let narrow =
                            eval_word(op, two, arg(0) as u64, arg(1) as u64, arg(2) as u64);
                        assert_eq!(u128::from(narrow), middle, "{op:?} {list:?} {args:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn arithmetic_carries_through_two_thousand_bits() {
        let width = 2048;
        let ty = bit(width);
        let all = Bits::ones(width);
        let one = Bits::new(width, 1);
        let run = |op, a: &Bits, b: &Bits| eval(op, &[(ty, a), (ty, b)]).unwrap();
        assert!(run(Op::Add, &all, &one).is_zero());
        assert_eq!(run(Op::Sub, &Bits::zero(width), &one), all);
        assert_eq!(run(Op::SatAdd, &all, &one), all);
        assert_eq!(run(Op::Mul, &all, &all), one);
        assert_eq!(run(Op::Div, &all, &all), one);
        let three = Bits::new(width, 3);
        let third = run(Op::Div, &all, &three);
        assert_eq!(run(Op::Mul, &third, &three), all);
        assert!(run(Op::Mod, &all, &three).is_zero());
    }
}
