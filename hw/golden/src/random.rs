//! The generator behind `random`.
//!
//! The state is a 64-bit number that is never 0. Each call steps it once by Marsaglia's xorshift
//! (13, 7, 17) and takes the new state x. The result between `low` and `high` is
//! `low + floor(x * (high - low + 1) / 2^64)`: shifts, exclusive ors and one multiplication, the same
//! bits in hardware. A call with `low` above `high` gives `low` and steps too.

/// The generator.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// Starts at a seed. The seed is spread by a constant; the one seed that would give 0 gives 1.
    pub fn new(seed: u64) -> Self {
        Random((seed ^ 0x9e37_79b9_7f4a_7c15).max(1))
    }

    /// The next number between two, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        if low > high {
            return low;
        }
        let count = u128::from(high - low) + 1;
        low + ((u128::from(self.0) * count) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_range_and_even() {
        let mut random = Random::new(1);
        let mut seen = [0u32; 6];
        for _ in 0..60_000 {
            seen[random.between(10, 15) as usize - 10] += 1;
        }
        assert!(seen.iter().all(|n| (9_500..10_500).contains(n)), "{seen:?}");
        assert_eq!(random.between(9, 3), 9);
        assert_eq!(random.between(7, 7), 7);
        let all: Vec<u64> = (0..4).map(|_| random.between(0, u64::MAX)).collect();
        assert!(all.iter().all(|n| *n > 1 << 32), "{all:?}");
    }

    /// The sequence is part of what programs mean: a circuit must give the same.
    #[test]
    fn the_sequence_is_fixed() {
        let mut random = Random::new(0x9e37_79b9_7f4a_7c15);
        assert_eq!(random.between(0, u64::MAX), 0x0000_0000_4082_2041);
        let mut again = Random::new(0);
        let (a, b) = (again.between(0, 999), again.between(0, 999));
        assert_eq!(Random::new(0).between(0, 999), a);
        assert_ne!(a, b);
    }
}
