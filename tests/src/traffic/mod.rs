//! Packets for a program: made from its parser and from the entries installed.
//!
//! A packet is made by walking the parser. At every select a case is chosen and the bits that it looks at
//! are set accordingly; conditions of `verify` are made to hold; then bits that tables match on are set
//! to what some installed entry wants, as far as that does not change the way through the parser;
//! checksums that are verified are made right; a payload is added. Some packets are then damaged
//! (cut, extended, bits flipped), and some are sent again, so that state is met twice.
//!
//! Nothing is promised for a single packet: what cannot be solved is left to chance.

mod damage;
mod walk;
mod wish;

use crate::random::Rng;
use crate::slow::{Queue, Slow};
use restage_program::check::Checked;
use restage_program::entry::Write;
use restage_program::standard;
use wish::Wishes;

/// Packets for one program.
#[derive(Clone, Debug)]
pub struct Traffic {
    /// Holds the program and what its parser needs of the entries.
    slow: Slow,
    wishes: Wishes,
    rng: Rng,
    sent: Vec<(u16, Vec<u8>)>,
    damage: u32,
    repeat: u32,
}

/// Attempts at a packet that meets an entry.
const ATTEMPTS: u32 = 4;

/// Packets remembered to be sent again.
const REMEMBERED: usize = 32;

impl Traffic {
    /// Traffic for a program with these entries. Writes that are refused are left out.
    pub fn new(program: &Checked, entries: &[Write], seed: u64) -> Self {
        let mut slow = Slow::new(program);
        for write in entries {
            // Refused writes are part of the game; who installs entries sees which they are.
            let _ = slow.write(write);
        }
        let wishes = Wishes::new(&slow);
        Traffic { slow, wishes, rng: Rng::new(seed), sent: Vec::new(), damage: 10, repeat: 15 }
    }

    /// Changes how many packets in a hundred are damaged.
    pub fn with_damage(mut self, percent: u32) -> Self {
        self.damage = percent;
        self
    }

    /// Changes how many packets in a hundred are ones that were sent before.
    pub fn with_repeats(mut self, percent: u32) -> Self {
        self.repeat = percent;
        self
    }

    /// The next packet: its port and its bytes.
    pub fn packet(&mut self) -> (u16, Vec<u8>) {
        if self.rng.chance(self.repeat)
            && let Some(again) = self.rng.pick(&self.sent)
        {
            return again.clone();
        }
        let (mut port, mut bytes) = self.fresh();
        // Most packets should meet an entry: some attempts are worth it.
        if self.wishes.any() && self.rng.chance(85) {
            for _ in 0..ATTEMPTS {
                if self.meets_an_entry(port, &bytes) {
                    break;
                }
                (port, bytes) = self.fresh();
            }
        }
        if self.rng.chance(self.damage) {
            damage::damage(&mut bytes, &mut self.rng);
        }
        if self.sent.len() >= REMEMBERED {
            let at = self.rng.below(REMEMBERED);
            self.sent.swap_remove(at);
        }
        self.sent.push((port, bytes.clone()));
        (port, bytes)
    }
}

impl Traffic {
    /// A packet, undamaged.
    fn fresh(&mut self) -> (u16, Vec<u8>) {
        let (table, wishes) = self.wishes.draw(&mut self.rng);
        let port = wishes
            .iter()
            .find_map(|w| w.of_meta(standard::INGRESS_PORT))
            .map_or_else(|| self.rng.below(8) as u16, |value| value.low_u64() as u16);
        let walk = walk::Walk::new(&mut self.slow, &self.wishes, &mut self.rng);
        (port, walk.packet(port, table, &wishes))
    }

    fn meets_an_entry(&mut self, port: u16, bytes: &[u8]) -> bool {
        let hits = |slow: &Slow| slow.tally().get("hit").copied();
        let before = hits(&self.slow);
        let time = self.slow.state.now;
        self.slow.process(port, bytes, time, Queue::default());
        hits(&self.slow) != before
    }
}

impl Iterator for Traffic {
    type Item = (u16, Vec<u8>);

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.packet())
    }
}
