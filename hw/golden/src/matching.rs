//! Whether a value matches: what select cases, value sets and rules of range keys come down to.

use restage_program::Type;
use restage_program::entry::{KeyMatch, prefix_mask};

/// A match of one value, in slots.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Test {
    Any,
    Masked {
        value: Box<[u64]>,
        mask: Box<[u64]>,
    },
    /// `flip` has the sign bit set for signed numbers; with it flipped they compare like unsigned ones.
    Range {
        low: Box<[u64]>,
        high: Box<[u64]>,
        flip: Box<[u64]>,
    },
}

impl Test {
    pub fn new(on: &KeyMatch, ty: Type) -> Self {
        let width = ty.width();
        let limbs =
            |bits: &restage_program::Bits| -> Box<[u64]> { bits.resize(width).limbs().into() };
        match on {
            KeyMatch::Any => Test::Any,
            KeyMatch::Exact(value) => {
                Test::Masked { value: limbs(value), mask: limbs(&prefix_mask(width, width)) }
            }
            KeyMatch::Lpm { value, prefix } => {
                Test::Masked { value: limbs(value), mask: limbs(&prefix_mask(width, *prefix)) }
            }
            KeyMatch::Masked { value, mask } => {
                Test::Masked { value: limbs(value), mask: limbs(mask) }
            }
            KeyMatch::Range { low, high } => {
                let flip = sign_bit(ty);
                let turn = |bits: Box<[u64]>| bits.iter().zip(&flip).map(|(b, f)| b ^ f).collect();
                Test::Range { low: turn(limbs(low)), high: turn(limbs(high)), flip }
            }
        }
    }

    pub fn matches(&self, value: &[u64]) -> bool {
        match self {
            Test::Any => true,
            Test::Masked { value: want, mask } => {
                value.iter().zip(want).zip(mask).all(|((v, w), m)| (v ^ w) & m == 0)
            }
            Test::Range { low, high, flip } => {
                let turned = || value.iter().zip(flip).rev().map(|(v, f)| v ^ f);
                turned().ge(low.iter().rev().copied()) && turned().le(high.iter().rev().copied())
            }
        }
    }
}

/// The sign bit of a signed type, nothing of another, in slots.
pub(crate) fn sign_bit(ty: Type) -> Box<[u64]> {
    let mut limbs = vec![0; restage_program::bits::limb_count(ty.width())];
    if let (true, Some(top)) = (ty.is_signed(), limbs.last_mut()) {
        *top = 1 << ((ty.width() - 1) % 64);
    }
    limbs.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use restage_program::Bits;

    #[test]
    fn tests_agree_with_the_definition() {
        let b = |v: u128| Bits::new(5, v);
        for ty in [Type::Bit(5), Type::Int(5)] {
            for x in 0..32u128 {
                for y in [0u128, 1, 15, 16, 17, 31] {
                    let all = [
                        KeyMatch::Any,
                        KeyMatch::Exact(b(x)),
                        KeyMatch::lpm(&b(x), 2),
                        KeyMatch::masked(&b(x), b(y)),
                        KeyMatch::Range { low: b(x), high: b(y) },
                    ];
                    for on in &all {
                        let test = Test::new(on, ty);
                        for v in 0..32 {
                            let want = on.matches(&b(v), ty.is_signed());
                            assert_eq!(test.matches(&[v as u64]), want, "{on:?} {ty} {v}");
                        }
                    }
                }
            }
        }
    }
}
