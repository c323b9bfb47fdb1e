//! Keeps packets of the two epochs apart.

use super::kit::is;
use crate::net::{Drive, Module, Net, Reg};
use restage_program::Bits;

/// Bits of a number of clocks that are left free.
pub(super) const BUBBLE_BITS: u32 = 12;

/// Whether a packet may begin: at once behind one of its own epoch, else only when so many clocks as its
/// epoch asks for have passed since the other was emitted. Clocks are counted from the emission, so that a
/// long packet hides its bubble.
///
/// The answers come from registers that are computed a clock ahead.
pub(super) struct Turn {
    last: Reg,
    since: Reg,
    /// For each epoch: enough clocks have passed.
    enough: [Reg; 2],
    bubbles: [Net; 2],
}

impl Turn {
    /// With ports for the bubbles.
    pub fn new(m: &mut Module) -> Turn {
        m.section("epochs");
        Turn {
            last: m.reg("last_epoch", 1),
            since: m.reg("since", BUBBLE_BITS),
            enough: [0, 1].map(|e| m.reg(&format!("enough{e}"), 1)),
            bubbles: [0, 1].map(|e| m.input(&format!("bubble{e}_i"), BUBBLE_BITS)),
        }
    }

    /// Whether a packet may begin.
    pub fn may(&self, m: &mut Module, epoch: Net) -> Net {
        let same = m.eq(epoch, self.last.q());
        let enough = m.mux(epoch, self.enough[1].q(), self.enough[0].q());
        m.or(same, enough)
    }

    /// What happens: a packet begins, one is emitted.
    pub fn drive(self, m: &mut Module, begins: Net, epoch: Net, emitted: Net) {
        m.drive(self.last, epoch, Drive::when(begins).reset(Bits::zero(1)));
        let one = m.lit(BUBBLE_BITS, 1);
        let up = m.add(self.since.q(), one);
        let full = m.all(self.since.q());
        let up = m.mux(full, self.since.q(), up);
        let up = m.named("since_next", up);
        let zero = m.lit(BUBBLE_BITS, 0);
        let next = m.mux(emitted, zero, up);
        m.drive(self.since, next, Drive::always().reset(Bits::zero(BUBBLE_BITS)));
        for (bubble, reg) in self.bubbles.into_iter().zip(self.enough) {
            let enough = m.le(bubble, up);
            let none = is(m, bubble, 0);
            let next = m.mux(emitted, none, enough);
            m.drive(reg, next, Drive::always().reset(Bits::zero(1)));
        }
    }
}
