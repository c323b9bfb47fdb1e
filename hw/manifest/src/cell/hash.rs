//! The hash functions of exact tables.

use restage_program::Bits;

/// The key bits whose parity is bit `bit` of the slot number in way `way`.
///
/// A random linear function: it needs exclusive ors only, the ways are independent, and no part of a key is
/// favoured. The numbers come from a fixed xorshift, so circuit and encoder have the same.
pub fn hash_mask(key_bits: u32, way: u32, bit: u32) -> Bits {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64
        ^ (u64::from(way) + 1).wrapping_mul(0xd1b5_4a32_d192_ed03)
        ^ (u64::from(bit) + 1).wrapping_mul(0x8cb9_2ba7_2f3d_8dd7);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    };
    (0..4).for_each(|_| {
        next();
    });
    let limbs: Vec<u64> = (0..key_bits.div_ceil(64)).map(|_| next()).collect();
    Bits::from_limbs(key_bits, &limbs)
}
