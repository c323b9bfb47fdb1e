//! Copies of a packet, within the limits, and further passes.

use super::{Again, Job, Pass};
use crate::run::{Context, Machine, Sink};
use crate::state::State;
use crate::trace::Event;
use restage_program::entry::{CloneTarget, Replica};
use restage_program::standard::{EGRESS_RID, INGRESS_PORT, INSTANCE_TYPE, instance};

impl Machine {
    /// Queues the packet as it stands in the slots.
    pub(super) fn job(&mut self, pass: Pass<'_>, port: u16, truncate: u64, number: u32) {
        let mut slots = self.spare_slots.pop().unwrap_or_default();
        slots.clear();
        slots.extend_from_slice(&self.slots[..pass.cx.layout.end as usize]);
        let (taken, entered, length) = (self.taken, self.entered, self.length);
        self.jobs.push_back(Job { slots, taken, entered, length, truncate, port, pass: number });
    }

    /// Queues a copy for each replica, within the limits.
    pub(super) fn copies<const T: bool>(
        &mut self,
        pass: Pass<'_>,
        replicas: &[Replica],
        truncate: u64,
        number: u32,
        sink: Sink<'_>,
    ) {
        for replica in replicas {
            if number > pass.limits.passes {
                self.out.drops.max_passes += 1;
                continue;
            }
            if self.copies >= pass.limits.copies {
                self.out.drops.max_copies += 1;
                continue;
            }
            self.copies += 1;
            self.set_meta(pass.cx, EGRESS_RID, replica.rid.into());
            if T {
                let Replica { port, rid } = replica;
                sink(Event::Fate(format!("copy to port {port}, rid {rid}")));
            }
            self.job(pass, replica.port, truncate, number);
        }
    }

    /// Makes the copies of a clone session of the packet as it stands in the slots.
    pub(super) fn clones<const T: bool>(
        &mut self,
        pass: Pass<'_>,
        state: &State,
        session: u64,
        number: u32,
        sink: Sink<'_>,
    ) {
        let Some((target, most)) = session_of(state, session) else { return };
        let truncate = most.map_or(u64::MAX, u64::from);
        match target {
            CloneTarget::Replicas(replicas) => {
                self.copies::<T>(pass, replicas, truncate, number, sink);
            }
            CloneTarget::Group(group) => {
                let replicas = state.groups.get(group).map(Vec::as_slice).unwrap_or_default();
                if replicas.is_empty() {
                    self.out.drops.no_group += 1;
                }
                self.copies::<T>(pass, replicas, truncate, number, sink);
            }
        }
    }

    /// A copy of the packet as it arrived, parsed again, with the metadata that is kept.
    pub(super) fn ingress_clone<const T: bool>(
        &mut self,
        pass: Pass<'_>,
        state: &mut State,
        session: u64,
        keep: Option<u32>,
        sink: Sink<'_>,
    ) {
        let cx = pass.cx;
        if session_of(state, session).is_none() {
            return self.no_session::<T>(session, sink);
        }
        if T {
            sink(Event::Fate(format!("ingress clone, session {session}")));
        }
        if self.apart {
            return self.round_from_ingress(pass, session, keep);
        }
        let end = cx.layout.end as usize;
        let mut saved = self.spare_slots.pop().unwrap_or_default();
        saved.clear();
        saved.extend_from_slice(&self.slots[..end]);
        let (taken, length) = (self.taken, self.length);
        self.slots[..end].fill(0);
        // Parsers may ask for the port, so that it is parsed as it was.
        self.set_meta(cx, INGRESS_PORT, pass.port.into());
        self.length = self.entered;
        self.parse::<T>(pass, state, sink);
        self.keep(cx, &saved, keep, instance::INGRESS_CLONE);
        self.clones::<T>(pass, state, session, pass.number, sink);
        self.slots[..end].copy_from_slice(&saved);
        (self.taken, self.length) = (taken, length);
        self.spare_slots.push(saved);
    }

    pub(super) fn no_session<const T: bool>(&mut self, session: u64, sink: Sink<'_>) {
        self.out.drops.no_session += 1;
        if T {
            sink(Event::Fate(format!("no clone: there is no session {session}")));
        }
    }

    /// Clears all metadata but what a list keeps of `from`.
    pub(super) fn keep(&mut self, cx: Context<'_>, from: &[u64], keep: Option<u32>, instance: u32) {
        self.slots[..cx.layout.metas_len as usize].fill(0);
        for (slot, len) in keep.map(|k| &cx.code.keeps[k as usize]).into_iter().flatten() {
            let range = *slot as usize..(*slot + *len) as usize;
            self.slots[range.clone()].copy_from_slice(&from[range]);
        }
        self.set_meta(cx, INSTANCE_TYPE, instance.into());
    }

    /// Queues another pass.
    pub(super) fn again<const T: bool>(
        &mut self,
        pass: Pass<'_>,
        bytes: Vec<u8>,
        keep: Option<u32>,
        instance: u32,
        sink: Sink<'_>,
    ) {
        if pass.number >= pass.limits.passes {
            self.out.drops.max_passes += 1;
            self.spare_bytes.push(bytes);
            if T {
                let most = pass.limits.passes;
                sink(Event::Fate(format!("dropped: it has been processed {most} times")));
            }
            return;
        }
        if self.copies >= pass.limits.copies {
            self.out.drops.max_copies += 1;
            self.spare_bytes.push(bytes);
            return;
        }
        self.copies += 1;
        if T {
            let what =
                if instance == instance::RESUBMITTED { "resubmitted" } else { "recirculated" };
            sink(Event::Fate(what.into()));
        }
        let slots = self.kept(pass.cx, keep);
        let (port, pass) = (pass.port, pass.number + 1);
        self.loops.push_back(Again { bytes, slots, port, instance, pass, clone: None });
    }

    /// Metadata, of which only what a list keeps is not 0.
    pub(super) fn kept(&mut self, cx: Context<'_>, keep: Option<u32>) -> Vec<u64> {
        let mut metas = self.spare_slots.pop().unwrap_or_default();
        metas.clear();
        metas.resize(cx.layout.metas_len as usize, 0);
        for (slot, len) in keep.map(|k| &cx.code.keeps[k as usize]).into_iter().flatten() {
            let range = *slot as usize..(*slot + *len) as usize;
            metas[range.clone()].copy_from_slice(&self.slots[range]);
        }
        metas
    }

    /// A copy of the packet as it is at the end of egress, with the metadata that is kept.
    pub(super) fn egress_clone<const T: bool>(
        &mut self,
        pass: Pass<'_>,
        state: &State,
        session: u64,
        keep: Option<u32>,
        sink: Sink<'_>,
    ) {
        let cx = pass.cx;
        if self.apart {
            return self.round_from_egress(pass, session, keep);
        }
        if session_of(state, session).is_none() {
            return self.no_session::<T>(session, sink);
        }
        if T {
            sink(Event::Fate(format!("egress clone, session {session}")));
        }
        let mut saved = self.spare_slots.pop().unwrap_or_default();
        saved.clear();
        saved.extend_from_slice(&self.slots[..cx.layout.metas_len as usize]);
        self.keep(cx, &saved, keep, instance::EGRESS_CLONE);
        self.clones::<T>(pass, state, session, pass.number + 1, sink);
        self.slots[..saved.len()].copy_from_slice(&saved);
        self.spare_slots.push(saved);
    }
}

pub(super) fn session_of(state: &State, session: u64) -> Option<&crate::state::Session> {
    state.sessions.get(&u32::try_from(session).ok()?)
}
