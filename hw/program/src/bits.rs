//! A value of a given width: constants, keys, action data, register contents.
//!
//! Bit 0 is the least significant. Arithmetic is not here but in [`crate::eval`], which is the only
//! place that knows what operations mean.

use bitvec::field::BitField;
use bitvec::prelude::{BitSlice, BitVec, Lsb0, Msb0};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;

/// A string of bits with a width of its own.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Bits(BitVec<u64, Lsb0>);

/// Why a text is not a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BitsError {
    /// The text is no number.
    #[error("`{0}` is not a number; write decimal, 0x... or 0b...")]
    NotANumber(String),
    /// The number needs more bits than there are.
    #[error("`{text}` needs {needed} bits, and there are {width}")]
    TooWide {
        /// What was written.
        text: String,
        /// Bits that the number needs.
        needed: u32,
        /// Bits that there are.
        width: u32,
    },
}

impl Bits {
    /// The number 0 in `width` bits.
    pub fn zero(width: u32) -> Self {
        Bits(BitVec::repeat(false, width as usize))
    }

    /// All ones.
    pub fn ones(width: u32) -> Self {
        Self::from_limbs(width, &vec![u64::MAX; limb_count(width)])
    }

    /// The low `width` bits of a number.
    pub fn new(width: u32, value: u128) -> Self {
        Self::from_limbs(width, &[value as u64, (value >> 64) as u64])
    }

    /// The low `width` bits of little-endian words; missing words are zero.
    pub fn from_limbs(width: u32, limbs: &[u64]) -> Self {
        let mut words: Vec<u64> = limbs.iter().copied().take(limb_count(width)).collect();
        words.resize(limb_count(width), 0);
        let mut bits = BitVec::from_vec(words);
        bits.truncate(width as usize);
        // Equality and hashing are of the bits; the tail of the last word is kept clear for `limbs`.
        bits.set_uninitialized(false);
        Bits(bits)
    }

    /// The low `width` bits of a number in network byte order; missing bytes are zero.
    pub fn from_be_bytes(width: u32, bytes: &[u8]) -> Self {
        let mut limbs = vec![0u64; limb_count(width)];
        for (i, byte) in bytes.iter().rev().enumerate().take(limbs.len() * 8) {
            limbs[i / 8] |= u64::from(*byte) << (8 * (i % 8));
        }
        Self::from_limbs(width, &limbs)
    }

    /// Reads `width` bits of a packet, the first bit being the most significant one.
    pub fn from_wire(bits: &BitSlice<u8, Msb0>) -> Self {
        let mut out = BitVec::<u64, Lsb0>::with_capacity(bits.len());
        out.extend(bits.iter().by_vals().rev());
        out.set_uninitialized(false);
        Bits(out)
    }

    /// Reads decimal, `0x`, `0b`, with `_` between digits, into `width` bits. Numbers that do not
    /// fit are refused; a decimal may be negative down to `-2^(width-1)`.
    pub fn parse(width: u32, text: &str) -> Result<Self, BitsError> {
        let wrong = || BitsError::NotANumber(text.chars().take(80).collect());
        let clean: String = text.chars().filter(|c| *c != '_').collect();
        let (negative, digits) = match clean.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, clean.as_str()),
        };
        let lower = digits.to_ascii_lowercase();
        let (radix, digits) = match (lower.strip_prefix("0x"), lower.strip_prefix("0b")) {
            (Some(hex), _) => (16, hex),
            (_, Some(bin)) => (2, bin),
            _ => (10, lower.as_str()),
        };
        // The longest number of the widest value is 2048 binary digits.
        if digits.is_empty() || digits.len() > 2 * crate::types::MAX_WIDTH as usize {
            return Err(wrong());
        }
        let mut limbs: Vec<u64> = vec![0];
        for c in digits.chars() {
            let digit = c.to_digit(radix).ok_or_else(wrong)?;
            let mut carry = u128::from(digit);
            for limb in &mut limbs {
                let wide = u128::from(*limb) * u128::from(radix) + carry;
                *limb = wide as u64;
                carry = wide >> 64;
            }
            if carry != 0 {
                limbs.push(carry as u64);
            }
        }
        let needed = significant(&limbs).max(1);
        let too_wide = BitsError::TooWide { text: text.chars().take(80).collect(), needed, width };
        if !negative {
            return if needed > width {
                Err(too_wide)
            } else {
                Ok(Self::from_limbs(width, &limbs))
            };
        }
        let magnitude = Self::from_limbs(width.max(needed), &limbs);
        let power = magnitude.0.count_ones() == 1 && needed == width;
        if needed >= width && !power && magnitude.0.any() {
            return Err(too_wide);
        }
        limbs.resize(limb_count(width), 0);
        let mut carry = true;
        for limb in &mut limbs {
            let (sum, over) = (!*limb).overflowing_add(u64::from(carry));
            *limb = sum;
            carry = over;
        }
        Ok(Self::from_limbs(width, &limbs))
    }

    /// Number of bits.
    pub fn width(&self) -> u32 {
        self.0.len() as u32
    }

    /// Little-endian words; bits above the width are zero.
    pub fn limbs(&self) -> &[u64] {
        self.0.as_raw_slice()
    }

    /// The low 64 bits.
    pub fn low_u64(&self) -> u64 {
        self.limbs().first().copied().unwrap_or(0)
    }

    /// The low 128 bits.
    pub fn low_u128(&self) -> u128 {
        let high = self.limbs().get(1).copied().unwrap_or(0);
        u128::from(self.low_u64()) | u128::from(high) << 64
    }

    /// The number, if it fits in 64 bits.
    pub fn to_u64(&self) -> Option<u64> {
        self.limbs().iter().skip(1).all(|l| *l == 0).then(|| self.low_u64())
    }

    /// Bits that the number needs, 0 for 0.
    pub fn significant(&self) -> u32 {
        significant(self.limbs())
    }

    /// Whether all bits are 0.
    pub fn is_zero(&self) -> bool {
        self.0.not_any()
    }

    /// Bit `index`, 0 beyond the width.
    pub fn bit(&self, index: u32) -> bool {
        self.0.get(index as usize).is_some_and(|b| *b)
    }

    /// The bits themselves, least significant first.
    pub fn as_bitslice(&self) -> &BitSlice<u64, Lsb0> {
        &self.0
    }

    /// The same number in another width: cut, or filled with zeros.
    pub fn resize(&self, width: u32) -> Self {
        Self::from_limbs(width, self.limbs())
    }

    /// Network byte order, `ceil(width / 8)` bytes.
    pub fn to_be_bytes(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = self.0.chunks(8).map(|c| c.load_le::<u8>()).collect();
        bytes.reverse();
        bytes
    }
}

/// Words of 64 bits that `width` bits need.
pub fn limb_count(width: u32) -> usize {
    width.div_ceil(64) as usize
}

fn significant(limbs: &[u64]) -> u32 {
    match limbs.iter().rposition(|l| *l != 0) {
        Some(top) => top as u32 * 64 + 64 - limbs[top].leading_zeros(),
        None => 0,
    }
}

/// Hexadecimal without leading zeros.
impl fmt::LowerHex for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits: String = self.to_be_bytes().iter().map(|b| format!("{b:02x}")).collect();
        let short = digits.trim_start_matches('0');
        f.pad_integral(true, "0x", if short.is_empty() { "0" } else { short })
    }
}

/// Decimal up to 64 bits, hexadecimal beyond.
impl fmt::Display for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_u64() {
            Some(n) => write!(f, "{n}"),
            None => write!(f, "{self:#x}"),
        }
    }
}

impl fmt::Debug for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}w{:#x}", self.width(), self)
    }
}

/// Written as `"WIDTHw0xHEX"`, as P4 writes constants.
impl Serialize for Bits {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&format_args!("{self:?}"))
    }
}

impl<'de> Deserialize<'de> for Bits {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(d)?;
        let (width, value) = text
            .split_once('w')
            .ok_or_else(|| D::Error::custom(format!("`{text}`: a constant is written 16w0x800")))?;
        let width: u32 = width
            .parse()
            .ok()
            .filter(|w| *w <= 2 * crate::types::MAX_WIDTH)
            .ok_or_else(|| D::Error::custom(format!("`{text}`: `{width}` is not a width")))?;
        if width == 0 {
            return Ok(Bits::zero(0));
        }
        Bits::parse(width, value).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_and_written() {
        for (width, text, want) in [
            (8, "255", "8w0xff"),
            (8, "-128", "8w0x80"),
            (8, "-1", "8w0xff"),
            (1, "-1", "1w0x1"),
            (9, "0x1_ff", "9w0x1ff"),
            (4, "0b1010", "4w0xa"),
            (8, "0", "8w0x0"),
            (128, "0x20010db8000000000000000000000001", "128w0x20010db8000000000000000000000001"),
            (65, "18446744073709551616", "65w0x10000000000000000"),
        ] {
            let bits = Bits::parse(width, text).unwrap();
            assert_eq!(format!("{bits:?}"), want);
            let json = serde_json::to_string(&bits).unwrap();
            assert_eq!(serde_json::from_str::<Bits>(&json).unwrap(), bits);
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (width, text) in
            [(8, "256"), (8, "-129"), (8, "0x1ff"), (8, ""), (8, "0x"), (8, "12z"), (8, "--1")]
        {
            assert!(Bits::parse(width, text).is_err(), "{text}");
        }
    }

    #[test]
    fn bytes_and_limbs_agree() {
        let bits = Bits::from_be_bytes(72, &[1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(bits.limbs(), &[0x0203_0405_0607_0809, 1]);
        assert_eq!(bits.to_be_bytes(), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(Bits::from_limbs(4, &[0xff]).limbs(), &[0xf]);
        assert_eq!(Bits::new(9, 0x1ff).resize(4), Bits::ones(4));
    }
}
