//! BMv2's expressions, and how they become typed ones.
//!
//! BMv2 computes on integers without bounds; p4c writes the masks and modulo operations that make the
//! results what P4-16 says. Here an expression is first read as it stands ([`read`]), over integers
//! ([`Num`]) and truth values ([`Truth`]); then it is lowered to the operations of a program
//! ([`lower`]), exactly, in types that are as wide as what is asked of it needs ([`bound`]).

pub(crate) mod bound;
mod compare;
pub(crate) mod lower;
pub(crate) mod read;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use restage_program::bits::limb_count;
use restage_program::expr::Expr;
use restage_program::{Bits, Type};

/// An integer without bounds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Num {
    /// A constant.
    Const(Int),
    /// A value of a numeric type; the integer is its number.
    Leaf(Expr, Type),
    /// An error; the integer is its code.
    Error(Expr),
    /// An operation on two integers.
    Bin(Bin, Box<Num>, Box<Num>),
    /// `-a - 1`.
    Inv(Box<Num>),
    /// The number that the low bits are in two's complement.
    TwoComp(Box<Num>, u32),
    /// The nearest number from 0 to 2^n - 1.
    USat(Box<Num>, u32),
    /// The nearest number that `int<n>` has.
    Sat(Box<Num>, u32),
    /// One or the other.
    Mux(Box<Truth>, Box<Num>, Box<Num>),
    /// 1 or 0.
    FromTruth(Box<Truth>),
}

/// Operations on two integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bin {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    And,
    Or,
    Xor,
    Shl,
    Shr,
}

/// A truth value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Truth {
    /// A constant.
    Const(bool),
    /// A `bool` expression.
    Is(Expr),
    /// A comparison of integers.
    Compare(Compare, Num, Num),
    /// Other than 0.
    NonZero(Num),
    /// Not.
    Not(Box<Truth>),
    /// Both.
    And(Box<Truth>, Box<Truth>),
    /// One at least.
    Or(Box<Truth>, Box<Truth>),
    /// Equal.
    Same(Box<Truth>, Box<Truth>),
    /// One or the other.
    Mux(Box<Truth>, Box<Truth>, Box<Truth>),
}

/// Comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compare {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// A constant: sign and magnitude.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Int {
    negative: bool,
    limbs: Vec<u64>,
}

/// Hexadecimal digits of the largest constant: twice the widest value.
const MAX_DIGITS: usize = 1024;

impl From<u32> for Int {
    fn from(value: u32) -> Self {
        Int { negative: false, limbs: vec![value.into()] }
    }
}

impl Int {
    /// Zero.
    pub const ZERO: Int = Int { negative: false, limbs: Vec::new() };

    /// Reads hexadecimal, `0x` or not, with a sign or not.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let digits = digits.strip_prefix("0x").unwrap_or(digits);
        if digits.is_empty() || digits.len() > MAX_DIGITS {
            return None;
        }
        let mut limbs = vec![0u64; digits.len().div_ceil(16)];
        for (i, c) in digits.chars().rev().enumerate() {
            limbs[i / 16] |= u64::from(c.to_digit(16)?) << (4 * (i % 16));
        }
        let negative = negative && limbs.iter().any(|l| *l != 0);
        Some(Int { negative, limbs })
    }

    /// Bits of the magnitude.
    pub fn significant(&self) -> u32 {
        match self.limbs.iter().rposition(|l| *l != 0) {
            Some(top) => top as u32 * 64 + 64 - self.limbs[top].leading_zeros(),
            None => 0,
        }
    }

    /// Whether it is below 0.
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// Whether it is 0.
    pub fn is_zero(&self) -> bool {
        self.significant() == 0
    }

    /// The number, if it is from 0 to 2^32 - 1.
    pub fn to_u32(&self) -> Option<u32> {
        (!self.negative && self.significant() <= 32)
            .then(|| self.limbs.first().copied().unwrap_or(0) as u32)
    }

    /// n, when this is 2^n - 1 with n of 1 at least.
    pub fn mask_width(&self) -> Option<u32> {
        let ones: u32 = self.limbs.iter().map(|l| l.count_ones()).sum();
        (!self.negative && ones > 0 && ones == self.significant()).then_some(ones)
    }

    /// The narrowest type that has the number.
    pub fn ty(&self) -> Type {
        let bits = self.significant();
        if !self.negative {
            return Type::Bit(bits.max(1));
        }
        let power = self.limbs.iter().map(|l| l.count_ones()).sum::<u32>() == 1;
        Type::Int(if power { bits } else { bits + 1 })
    }

    /// The number modulo 2^width.
    pub fn bits(&self, width: u32) -> Bits {
        let mut limbs = self.limbs.clone();
        limbs.resize(limb_count(width), 0);
        if self.negative {
            let mut carry = true;
            for limb in &mut limbs {
                let (sum, over) = (!*limb).overflowing_add(u64::from(carry));
                *limb = sum;
                carry = over;
            }
        }
        Bits::from_limbs(width, &limbs)
    }
}
