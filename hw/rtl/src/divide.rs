//! Quotient and remainder of unsigned numbers; both 0 if the divisor is 0.
//!
//! By a constant: a multiplication by its reciprocal (Granlund and Montgomery, "Division by invariant
//! integers using multiplication", 1994). By a signal: one subtraction for every bit of the quotient.

use crate::pipe::{Pipe, Sig};
use num_bigint::BigUint;
use restage_program::Bits;

/// Quotients by a signal that are wider need more subtractions than anybody wants to wait for.
const MOST_STEPS: u32 = 256;

/// `(a / b, a % b)`, both as wide as the operands. What is not used is not built.
#[track_caller]
pub fn divide(p: &mut Pipe, a: Sig, b: Sig) -> (Sig, Sig) {
    match p.constant(b).cloned() {
        Some(divisor) => by_constant(p, a, &divisor),
        None => by_signal(p, a, b),
    }
}

fn by_constant(p: &mut Pipe, a: Sig, divisor: &Bits) -> (Sig, Sig) {
    let width = p.width(a);
    let zero = p.bits(&Bits::zero(width));
    let size = divisor.significant();
    if size == 0 {
        return (zero, zero);
    }
    if divisor.as_bitslice().count_ones() == 1 {
        let by = size - 1;
        let quotient = p.shr_const(a, by);
        let rest = if by == 0 { zero } else { p.slice(a, by - 1, 0) };
        return (quotient, p.resize(rest, width));
    }
    // An even divisor: the low bits are remainder in any case.
    let low = divisor.as_bitslice().leading_zeros() as u32; // from bit 0 up
    let high = p.slice(a, width - 1, low);
    let odd = Bits::from_limbs(width - low, &shifted(divisor, low));
    let (quotient, rest) = by_odd(p, high, &odd);
    let quotient = p.resize(quotient, width);
    let rest = if low == 0 {
        rest
    } else {
        let below = p.slice(a, low - 1, 0);
        p.concat(&[rest, below])
    };
    (quotient, p.resize(rest, width))
}

fn shifted(bits: &Bits, by: u32) -> Vec<u64> {
    (big(bits) >> by).to_u64_digits()
}

/// With `2^s >= divisor`, `m = ceil(2^(width+s) / divisor)` and any `a` below `2^width` the quotient is
/// `a * m >> (width + s)`: the error `a * (m * divisor - 2^(width+s))` is below `2^(width+s)`.
fn by_odd(p: &mut Pipe, a: Sig, divisor: &Bits) -> (Sig, Sig) {
    let width = p.width(a);
    let size = divisor.significant();
    let shift = width + size;
    let number = big(divisor);
    let reciprocal = ((BigUint::from(1u32) << shift) + &number - 1u32) / &number;
    let reciprocal = p.bits(&Bits::from_limbs(width + 1, &reciprocal.to_u64_digits()));
    let product = p.mul(a, reciprocal);
    let top = p.width(product) - 1;
    let quotient = p.slice(product, top.min(shift + width - 1), shift);
    let quotient = p.resize(quotient, width);
    // The remainder has no more bits than the divisor, so no more are computed.
    let quotient_low = p.slice(quotient, size - 1, 0);
    let divisor = p.bits(&divisor.resize(size));
    let back = p.mul_low(quotient_low, divisor, size);
    let a_low = p.slice(a, size - 1, 0);
    let rest = p.sub(a_low, back);
    (quotient, p.resize(rest, width))
}

fn big(bits: &Bits) -> BigUint {
    let bytes = bits.to_be_bytes();
    BigUint::from_bytes_be(&bytes)
}

/// The remainder so far, with the next bit below it, less the divisor if that is possible.
fn by_signal(p: &mut Pipe, a: Sig, b: Sig) -> (Sig, Sig) {
    let width = p.width(a);
    if width > MOST_STEPS {
        p.refuse(format!(
            "a division of {width} bits by a value that is no constant; {MOST_STEPS} are possible"
        ));
        return (a, a);
    }
    let mut rest = p.lit(1, 0);
    let mut bits = Vec::new();
    for index in (0..width).rev() {
        // No more bits than the dividend had so far.
        let size = (width - index).min(width);
        let next = p.bit(a, index);
        let tried = p.concat(&[rest, next]);
        let tried = p.resize(tried, size + 1);
        // Two extra bits: one that the shift filled, one for the borrow.
        let (wide, divisor) = (p.zext(tried, width + 2), p.zext(b, width + 2));
        let less = p.sub(wide, divisor);
        let borrow = p.bit(less, width + 1);
        let less = p.resize(less, size);
        let tried = p.resize(tried, size);
        rest = p.mux(borrow, tried, less);
        bits.push(p.not(borrow));
    }
    let quotient = p.concat(&bits);
    let rest = p.resize(rest, width);
    let some = p.any(b);
    let zero = p.bits(&Bits::zero(width));
    (p.mux(some, quotient, zero), p.mux(some, rest, zero))
}
