//! One pass at a time, for who has a loop port and an order of passes of their own: a clone too comes round and is
//! given its copies then.

use super::copies::session_of;
use super::{Again, Limits, Outside, Pass};
use crate::run::{Context, Machine, Sink};
use crate::state::State;
use restage_program::standard::{INGRESS_PORT, INSTANCE_TYPE, instance};

/// A clone that comes round.
#[derive(Clone, Copy, Debug)]
pub(super) struct Returning {
    session: u64,
    /// Of a clone made in egress, which is not parsed again: bytes that its parser has taken, the length with which it
    /// entered, and the one that egress saw.
    parsed: Option<(usize, u64, u64)>,
}

/// What enters a pass.
#[derive(Debug)]
pub(crate) enum Enters<'a> {
    New(u16, &'a [u8]),
    Again(Again),
}

impl Again {
    /// Its length, how it came to be, and which pass it waits for.
    pub fn describe(&self) -> (usize, u32, u32) {
        let taken = self.clone.and_then(|c| c.parsed).map_or(0, |(taken, ..)| taken);
        (self.bytes.len().saturating_sub(taken), self.instance, self.pass)
    }
}

impl Machine {
    /// Does one pass. What would be processed again is left in `loops`, in the order in which it gets there; says how
    /// many copies have entered egress.
    pub fn one_pass<const T: bool>(
        &mut self,
        (cx, limits, outside): (Context<'_>, Limits, Outside<'_>),
        state: &mut State,
        enters: Enters<'_>,
        loops: &mut impl Extend<Again>,
        sink: Sink<'_>,
    ) -> usize {
        self.apart = true;
        match enters {
            Enters::New(port, bytes) => {
                self.first::<T>((cx, limits, outside), state, (port, bytes), sink);
            }
            Enters::Again(again) => {
                state.now = outside.time_us;
                (self.copies, self.egressed) = (0, 0);
                self.further::<T>((cx, limits, outside), state, again, sink);
            }
        }
        loops.extend(self.loops.drain(..));
        self.egressed
    }

    /// A clone made in ingress: the packet as it came.
    pub(super) fn round_from_ingress(&mut self, pass: Pass<'_>, session: u64, keep: Option<u32>) {
        let slots = self.kept(pass.cx, keep);
        self.loops.push_back(Again {
            bytes: pass.bytes.to_vec(),
            slots,
            port: pass.port,
            instance: instance::INGRESS_CLONE,
            pass: pass.number,
            clone: Some(Returning { session, parsed: None }),
        });
    }

    /// A clone made in egress: the packet as it is.
    pub(super) fn round_from_egress(&mut self, pass: Pass<'_>, session: u64, keep: Option<u32>) {
        if pass.number >= pass.limits.passes {
            self.out.drops.max_passes += 1;
            return;
        }
        let mut slots = self.kept(pass.cx, keep);
        slots.extend_from_slice(&self.slots[slots.len()..pass.cx.layout.end as usize]);
        self.loops.push_back(Again {
            bytes: pass.bytes.to_vec(),
            slots,
            port: pass.port,
            instance: instance::EGRESS_CLONE,
            pass: pass.number + 1,
            clone: Some(Returning {
                session,
                parsed: Some((self.taken, self.entered, self.length)),
            }),
        });
    }

    /// Egress of the copies of a clone that has come round. All slots are 0.
    pub(super) fn returned<const T: bool>(
        &mut self,
        pass: Pass<'_>,
        state: &mut State,
        kept: &[u64],
        Returning { session, parsed }: Returning,
        sink: Sink<'_>,
    ) {
        let cx = pass.cx;
        let kind = match parsed {
            Some((taken, entered, length)) => {
                (self.taken, self.entered, self.length) = (taken, entered, length);
                instance::EGRESS_CLONE
            }
            None => {
                self.set_meta(cx, INGRESS_PORT, pass.port.into());
                self.entered = pass.bytes.len() as u64;
                self.length = self.entered;
                self.parse::<T>(pass, state, sink);
                instance::INGRESS_CLONE
            }
        };
        self.slots[..kept.len()].copy_from_slice(kept);
        self.set_meta(cx, INSTANCE_TYPE, kind.into());
        match session_of(state, session) {
            Some(_) => self.clones::<T>(pass, state, session, pass.number, sink),
            None => self.no_session::<T>(session, sink),
        }
        self.run_jobs::<T>(pass, state, sink);
    }
}
