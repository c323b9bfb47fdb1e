//! `random(dst, low, high)`: the generator that the golden model documents.

use super::num::natural;
use num_bigint::BigInt;
use restage_program::Bits;

/// The state that seed 0 starts at.
pub(crate) const START: u64 = 0x9e37_79b9_7f4a_7c15;

/// A number between two others; `low` when they are the wrong way round.
pub(crate) fn random(state: &mut u64, low: &Bits, high: &Bits) -> BigInt {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    let (low, high) = (natural(low), natural(high));
    if low > high {
        return low;
    }
    let count: BigInt = &high - &low + 1;
    low + BigInt::from(*state) * count / (BigInt::from(1) << 64)
}
