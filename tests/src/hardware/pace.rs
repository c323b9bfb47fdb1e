//! How fast a card is when frames of one beat are offered in every clock.
//!
//! Measured in the steady state: over the second half of the time in which frames come in, when every queue is as full as it gets
//! and what comes round does so. What fills and drains is left out. Every place of the shell can take one thing in a clock: the
//! gate and the merge a beat, the traffic point a copy. A card is at full speed when one of them has something to do in every
//! clock.

use super::card::Run;
use restage_sim_verilator::Seen;

/// Bytes of a beat.
const BEAT: u64 = 64;

/// Where the monitor of the gate says the size of a packet, and whether it came round; the loop port's, whether it was full.
const SIZE: usize = 3;
const LOOPED: usize = 4;
const FULL: usize = 0;

/// What went through each place in a clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Clocks for each frame that came in.
    pub clocks_in: f64,
    /// Beats, those that came round too, that passed the gate.
    pub gate: f64,
    /// Copies that passed the traffic point.
    pub copies: f64,
    /// Beats that the merge put together, for the loop port too.
    pub merged: f64,
    /// Beats that left.
    pub beats_out: f64,
}

impl Pace {
    /// Of the frames in a run; `None` when there were none.
    pub fn of(run: &Run) -> Option<Self> {
        let (first, last) = (run.sent.first()?.first, run.sent.last()?.first);
        let within = Window { from: first + (last - first) / 2, to: last };
        let clocks = within.to.checked_sub(within.from).filter(|c| *c > 0)? as f64;
        let sent: u64 = run.sent.iter().map(|s| within.part(s.first, 1)).sum();
        let copies: u64 = run.emitted.iter().map(|s| within.part(s.cycle, 1)).sum();
        let gate: u64 = run.gate.iter().map(|s| within.part(s.cycle, beats(at(s, SIZE)))).sum();
        let out: u64 =
            run.received.iter().map(|r| within.part(r.first, beats(r.bytes.len() as u64))).sum();
        // How long a packet is that goes to the loop port is seen when it comes in again, in the same order.
        let again = run.gate.iter().filter(|s| at(s, LOOPED) != 0);
        let looped = run.loops.iter().filter(|s| at(s, FULL) == 0).zip(again);
        let looped: u64 = looped.map(|(s, g)| within.part(s.cycle, beats(at(g, SIZE)))).sum();
        Some(Pace {
            clocks_in: clocks / sent.max(1) as f64,
            gate: gate as f64 / clocks,
            copies: copies as f64 / clocks,
            merged: (out + looped) as f64 / clocks,
            beats_out: out as f64 / clocks,
        })
    }

    /// The part of the clocks in which the busiest place had something to do.
    pub fn busiest(&self) -> f64 {
        let all = [1.0 / self.clocks_in, self.gate, self.copies, self.merged];
        all.into_iter().fold(0.0, f64::max)
    }
}

/// Clocks that are looked at.
struct Window {
    from: u64,
    to: u64,
}

impl Window {
    /// How many of so many clocks from one on are inside.
    fn part(&self, first: u64, clocks: u64) -> u64 {
        (first + clocks).min(self.to).saturating_sub(first.max(self.from))
    }
}

fn beats(bytes: u64) -> u64 {
    bytes.div_ceil(BEAT).max(1)
}

fn at(seen: &Seen, index: usize) -> u64 {
    seen.values.get(index).copied().unwrap_or(0)
}
