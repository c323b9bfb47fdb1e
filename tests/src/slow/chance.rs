//! `random(dst, low, high)`.

use super::num;
use num_bigint::BigInt;
use restage_program::Bits;

/// A number between two others; `low` when they are the wrong way round.
pub(crate) fn random(state: &mut u64, low: &Bits, high: &Bits) -> BigInt {
    *state = state.wrapping_add(1);
    let (low, high) = (num::natural(low), num::natural(high));
    low.min(high)
}
