//! Random numbers that stay the same for a seed, whatever versions of crates are used.

use restage_program::{Bits, Type};

/// A generator (splitmix64).
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// The generator of a seed.
    pub fn new(seed: u64) -> Self {
        Rng(seed)
    }

    /// Another generator, whose numbers have nothing to do with this one's. Parts that draw from forks
    /// of their own do not change each other when one of them is changed.
    pub fn fork(&mut self) -> Self {
        Rng(self.bits64() ^ 0x5851_f42d_4c95_7f2d)
    }

    /// 64 random bits.
    pub fn bits64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number below `n` (0 when `n` is 0).
    pub fn below(&mut self, n: usize) -> usize {
        if n == 0 { 0 } else { (self.bits64() % n as u64) as usize }
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below((high.saturating_sub(low) + 1) as usize) as u32
    }

    /// True `percent` times out of a hundred.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent as usize
    }

    /// One of these, if there is one.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len()))
    }

    /// One of these by weight: its position. All weights 0 give the first.
    pub fn weighted(&mut self, weights: &[u32]) -> usize {
        let total: u32 = weights.iter().sum();
        let mut at = self.below(total as usize) as u32;
        for (i, weight) in weights.iter().enumerate() {
            if at < *weight {
                return i;
            }
            at -= weight;
        }
        0
    }

    /// Shuffles.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }

    /// A value of a type; ends of the range and small numbers come up often.
    pub fn value(&mut self, ty: Type) -> Bits {
        let width = ty.width();
        match self.below(8) {
            0 => Bits::zero(width),
            1 => Bits::ones(width),
            2 => Bits::new(width, self.below(4) as u128),
            3 if width > 0 => {
                let mut limbs = vec![0u64; restage_program::bits::limb_count(width)];
                let bit = self.below(width as usize);
                limbs[bit / 64] |= 1 << (bit % 64);
                Bits::from_limbs(width, &limbs)
            }
            _ => self.uniform(width),
        }
    }

    /// Any value, each as likely as any other.
    pub fn uniform(&mut self, width: u32) -> Bits {
        let limbs: Vec<u64> =
            (0..restage_program::bits::limb_count(width)).map(|_| self.bits64()).collect();
        Bits::from_limbs(width, &limbs)
    }
}
