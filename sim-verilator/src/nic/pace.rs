//! When a side of a stream is idle: phases of random length, some of them without a pause, some with the
//! asked share of pauses, and some with nearly nothing else.

use rand::Rng;
use rand::rngs::SmallRng;

/// Decides clock by clock.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Percent of idle clocks asked for.
    percent: u8,
    /// Percent in this phase.
    now: u8,
    /// Clocks that are left of it.
    left: u32,
}

/// The longest phase.
const PHASE: u32 = 100;

impl Pace {
    pub fn new(percent: u8) -> Self {
        Pace { percent: percent.min(95), now: 0, left: 0 }
    }

    pub fn idle(&mut self, rng: &mut SmallRng) -> bool {
        if self.percent == 0 {
            return false;
        }
        if self.left == 0 {
            self.left = rng.random_range(1..=PHASE);
            self.now = [0, self.percent, self.percent, 95][rng.random_range(0..4)];
        }
        self.left -= 1;
        rng.random_range(0..100) < self.now
    }
}
