//! What operations compute, over whole numbers of any size.
//!
//! Written apart from `restage_program::eval` on purpose: there a value is a bit pattern in a machine
//! word, here it is the mathematical number that its type says, and the result is brought back into
//! the type's range at the end.

use num_bigint::{BigInt, BigUint, Sign};
use restage_program::op::Op;
use restage_program::{Bits, Type};

/// The number that a value of a type is.
pub fn number(ty: Type, value: &Bits) -> BigInt {
    let plain = natural(value);
    let width = value.width();
    if ty.is_signed() && width > 0 && value.bit(width - 1) { plain - power(width) } else { plain }
}

/// The number that the bits are without a sign.
pub fn natural(value: &Bits) -> BigInt {
    BigInt::from_biguint(Sign::Plus, BigUint::from_bytes_be(&value.to_be_bytes()))
}

/// A number modulo 2^width.
pub fn wrap(width: u32, number: &BigInt) -> Bits {
    let modulus = power(width);
    let rest = ((number % &modulus) + &modulus) % &modulus;
    Bits::from_be_bytes(width, &rest.to_bytes_be().1)
}

/// The nearest number that a type has.
fn clamp(ty: Type, number: BigInt) -> Bits {
    let one = BigInt::from(1);
    let (low, high) = match ty {
        Type::Int(w) => (-power(w - 1), power(w - 1) - one),
        other => (BigInt::from(0), power(other.width()) - one),
    };
    wrap(ty.width(), &number.max(low).min(high))
}

fn power(exponent: u32) -> BigInt {
    BigInt::from(1) << exponent
}

/// Applies an operation to values; `None` when their types do not fit it.
pub fn compute(op: Op, args: &[(Type, Bits)]) -> Option<(Type, Bits)> {
    let types: Vec<Type> = args.iter().map(|(t, _)| *t).collect();
    let result = op.result_type(&types).ok()?;
    let width = result.width();
    let n = |i: usize| number(args[i].0, &args[i].1);
    let wrapped = |number: BigInt| wrap(width, &number);
    let truth = |t: bool| Bits::new(1, t.into());
    let value = match op {
        Op::Not => wrapped(-n(0) - 1),
        Op::Neg => wrapped(-n(0)),
        Op::Cast(_) => wrapped(n(0)),
        Op::SatCast(to) => clamp(to, n(0)),
        Op::Slice { hi, lo } => {
            let mut picked = BigInt::from(0);
            for i in (lo..=hi).rev() {
                picked = picked * 2 + i32::from(args[0].1.bit(i));
            }
            wrapped(picked)
        }
        Op::Add => wrapped(n(0) + n(1)),
        Op::Sub => wrapped(n(0) - n(1)),
        Op::Mul => wrapped(n(0) * n(1)),
        Op::SatAdd => clamp(result, n(0) + n(1)),
        Op::SatSub => clamp(result, n(0) - n(1)),
        Op::Div | Op::Mod if n(1) == BigInt::from(0) => Bits::zero(width),
        Op::Div => wrapped(n(0) / n(1)),
        Op::Mod => wrapped(n(0) % n(1)),
        Op::And => bitwise(width, args, |a, b| a && b),
        Op::Or => bitwise(width, args, |a, b| a || b),
        Op::Xor => bitwise(width, args, |a, b| a != b),
        Op::Shl => match distance(&args[1].1, width) {
            Some(by) => wrapped(n(0) * power(by)),
            None => Bits::zero(width),
        },
        Op::Shr => {
            let by = distance(&args[1].1, width).unwrap_or(width);
            // Division that rounds down: what a shift of two's complement does.
            let (number, divisor) = (n(0), power(by));
            let rest = ((&number % &divisor) + &divisor) % &divisor;
            wrapped((number - rest) / divisor)
        }
        Op::Eq => truth(args[0].1 == args[1].1),
        Op::Ne => truth(args[0].1 != args[1].1),
        Op::Lt => truth(n(0) < n(1)),
        Op::Le => truth(n(0) <= n(1)),
        Op::Gt => truth(n(0) > n(1)),
        Op::Ge => truth(n(0) >= n(1)),
        Op::Concat => wrapped(natural(&args[0].1) * power(args[1].0.width()) + natural(&args[1].1)),
        Op::Mux => args[if args[0].1.is_zero() { 2 } else { 1 }].1.clone(),
    };
    Some((result, value))
}

/// A shift distance, unless it is the width or more.
fn distance(by: &Bits, width: u32) -> Option<u32> {
    by.to_u64().and_then(|by| u32::try_from(by).ok()).filter(|by| *by < width)
}

fn bitwise(width: u32, args: &[(Type, Bits)], f: impl Fn(bool, bool) -> bool) -> Bits {
    let mut out = BigInt::from(0);
    for i in (0..width).rev() {
        out = out * 2 + i32::from(f(args[0].1.bit(i), args[1].1.bit(i)));
    }
    wrap(width, &out)
}
