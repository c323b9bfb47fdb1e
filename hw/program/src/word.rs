//! Machine words that hold values: 64 bits, 128 bits, and as many as the widest value has.
//!
//! A word does plain unsigned arithmetic modulo its own size. Widths, signs and saturation are the
//! business of [`crate::eval`], which is written once over this trait.

use crate::types::MAX_WIDTH;

/// An unsigned machine word.
pub trait Word: Copy + Eq + Ord {
    /// Its size.
    const BITS: u32;
    /// The number 0.
    const ZERO: Self;
    /// A number of 64 bits.
    fn from_u64(value: u64) -> Self;
    /// From little-endian 64-bit words; missing ones are 0, others are ignored.
    fn from_limbs(limbs: &[u64]) -> Self;
    /// 64-bit word number `index`, 0 beyond the size.
    fn limb(self, index: usize) -> u64;
    /// Sum modulo the size.
    fn add(self, other: Self) -> Self;
    /// Difference modulo the size.
    fn sub(self, other: Self) -> Self;
    /// Product modulo the size.
    fn mul(self, other: Self) -> Self;
    /// Quotient and remainder; `(0, 0)` for a divisor of 0.
    fn div_rem(self, other: Self) -> (Self, Self);
    /// Bitwise and.
    fn and(self, other: Self) -> Self;
    /// Bitwise or.
    fn or(self, other: Self) -> Self;
    /// Bitwise exclusive or.
    fn xor(self, other: Self) -> Self;
    /// Shifted up; 0 from the size on.
    fn shl(self, by: u32) -> Self;
    /// Shifted down; 0 from the size on.
    fn shr(self, by: u32) -> Self;
    /// The lowest `width` bits set.
    fn ones(width: u32) -> Self;

    /// Bit `index`.
    #[inline(always)]
    fn bit(self, index: u32) -> bool {
        self.shr(index).limb(0) & 1 == 1
    }

    /// The number as a shift distance, at most `u32::MAX`.
    #[inline(always)]
    fn distance(self) -> u32 {
        if self > Self::from_u64(u64::from(u32::MAX)) { u32::MAX } else { self.limb(0) as u32 }
    }
}

macro_rules! native_word {
    ($word:ty) => {
        impl Word for $word {
            const BITS: u32 = <$word>::BITS;
            const ZERO: Self = 0;
            #[inline(always)]
            fn from_u64(value: u64) -> Self {
                <$word>::from(value)
            }
            #[inline(always)]
            fn from_limbs(limbs: &[u64]) -> Self {
                let mut word: $word = 0;
                for (i, limb) in limbs.iter().enumerate().take(Self::BITS as usize / 64) {
                    word |= <$word>::from(*limb) << (64 * i as u32);
                }
                word
            }
            #[inline(always)]
            fn limb(self, index: usize) -> u64 {
                self.checked_shr(64 * index as u32).unwrap_or(0) as u64
            }
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }
            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                self.wrapping_mul(other)
            }
            #[inline(always)]
            fn div_rem(self, other: Self) -> (Self, Self) {
                (self.checked_div(other).unwrap_or(0), self.checked_rem(other).unwrap_or(0))
            }
            #[inline(always)]
            fn and(self, other: Self) -> Self {
                self & other
            }
            #[inline(always)]
            fn or(self, other: Self) -> Self {
                self | other
            }
            #[inline(always)]
            fn xor(self, other: Self) -> Self {
                self ^ other
            }
            #[inline(always)]
            fn shl(self, by: u32) -> Self {
                self.checked_shl(by).unwrap_or(0)
            }
            #[inline(always)]
            fn shr(self, by: u32) -> Self {
                self.checked_shr(by).unwrap_or(0)
            }
            #[inline(always)]
            fn ones(width: u32) -> Self {
                if width == 0 { 0 } else { <$word>::MAX >> (Self::BITS - width.min(Self::BITS)) }
            }
        }
    };
}

native_word!(u64);
native_word!(u128);

const LIMBS: usize = (MAX_WIDTH / 64) as usize;

/// A word as wide as the widest value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wide([u64; LIMBS]);

impl Wide {
    /// Little-endian 64-bit words.
    pub fn limbs(&self) -> &[u64; LIMBS] {
        &self.0
    }

    fn zip(self, other: Self, f: impl Fn(u64, u64) -> u64) -> Self {
        Wide(std::array::from_fn(|i| f(self.0[i], other.0[i])))
    }
}

impl Ord for Wide {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.iter().rev().cmp(other.0.iter().rev())
    }
}

impl PartialOrd for Wide {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Word for Wide {
    const BITS: u32 = MAX_WIDTH;
    const ZERO: Self = Wide([0; LIMBS]);

    fn from_u64(value: u64) -> Self {
        Self::from_limbs(&[value])
    }

    fn from_limbs(limbs: &[u64]) -> Self {
        let mut word = Self::ZERO;
        for (to, from) in word.0.iter_mut().zip(limbs) {
            *to = *from;
        }
        word
    }

    fn limb(self, index: usize) -> u64 {
        self.0.get(index).copied().unwrap_or(0)
    }

    fn add(self, other: Self) -> Self {
        let mut carry = false;
        Wide(std::array::from_fn(|i| {
            let (sum, first) = self.0[i].overflowing_add(other.0[i]);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            carry = first || second;
            sum
        }))
    }

    fn sub(self, other: Self) -> Self {
        self.add(other.zip(Self::ZERO, |a, _| !a)).add(Self::from_u64(1))
    }

    fn mul(self, other: Self) -> Self {
        let mut out = [0u64; LIMBS];
        for (i, a) in self.0.iter().enumerate().filter(|(_, a)| **a != 0) {
            let mut carry = 0u128;
            for (j, b) in other.0.iter().enumerate().take(LIMBS - i) {
                let wide = u128::from(*a) * u128::from(*b) + u128::from(out[i + j]) + carry;
                out[i + j] = wide as u64;
                carry = wide >> 64;
            }
        }
        Wide(out)
    }

    fn div_rem(self, other: Self) -> (Self, Self) {
        let (mut quotient, mut rest) = (Self::ZERO, Self::ZERO);
        if other == Self::ZERO {
            return (quotient, rest);
        }
        for i in (0..MAX_WIDTH).rev() {
            let lost = rest.bit(MAX_WIDTH - 1);
            rest = rest.shl(1).or(Self::from_u64(u64::from(self.bit(i))));
            if lost || rest >= other {
                rest = rest.sub(other);
                quotient = quotient.or(Self::from_u64(1).shl(i));
            }
        }
        (quotient, rest)
    }

    fn and(self, other: Self) -> Self {
        self.zip(other, |a, b| a & b)
    }

    fn or(self, other: Self) -> Self {
        self.zip(other, |a, b| a | b)
    }

    fn xor(self, other: Self) -> Self {
        self.zip(other, |a, b| a ^ b)
    }

    fn shl(self, by: u32) -> Self {
        let (words, bits) = ((by / 64) as usize, by % 64);
        let from = |i: usize| i.checked_sub(words).map_or(0, |i| self.0[i]);
        let below = |i: usize| i.checked_sub(words + 1).map_or(0, |i| self.0[i]);
        Wide(std::array::from_fn(|i| match bits {
            0 => from(i),
            _ => from(i) << bits | below(i) >> (64 - bits),
        }))
    }

    fn shr(self, by: u32) -> Self {
        let (words, bits) = ((by / 64) as usize, by % 64);
        let at = |i: usize| self.0.get(i).copied().unwrap_or(0);
        Wide(std::array::from_fn(|i| match bits {
            0 => at(i + words),
            _ => at(i + words) >> bits | at(i + words + 1) << (64 - bits),
        }))
    }

    fn ones(width: u32) -> Self {
        Wide(std::array::from_fn(|i| u64::ones(width.saturating_sub(64 * i as u32).min(64))))
    }
}
