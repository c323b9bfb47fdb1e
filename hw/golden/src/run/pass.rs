//! The way of a packet: passes, halves, the traffic point, copies.
//!
//! A pass is parser, verification, ingress and traffic point; what the traffic point makes are jobs for
//! egress, in the order in which they were made. All jobs of a pass are done before the next pass, all
//! passes before the next packet.

use super::{Context, Fate, Machine, Sink};
use crate::input::Input;
use crate::state::State;
use crate::trace::Event;
use restage_program::entity::{Digest, Meta};
use restage_program::entry::{CloneTarget, Replica};
use restage_program::standard::{
    CHECKSUM_ERROR, DEQ_QDEPTH, DEQ_TIMEDELTA, DROP_PORT, EGRESS_GLOBAL_TIMESTAMP, EGRESS_PORT,
    EGRESS_RID, EGRESS_SPEC, ENQ_QDEPTH, ENQ_TIMESTAMP, INGRESS_GLOBAL_TIMESTAMP, INGRESS_PORT,
    INSTANCE_TYPE, MCAST_GRP, PACKET_LENGTH, instance,
};

/// How much one input may cause.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub passes: u32,
    pub copies: u32,
}

/// A copy that waits for egress.
#[derive(Debug)]
pub(super) struct Job {
    slots: Vec<u64>,
    taken: usize,
    entered: u64,
    length: u64,
    truncate: u64,
    port: u16,
    pass: u32,
}

/// A packet that waits for another pass.
#[derive(Debug)]
pub(super) struct Again {
    bytes: Vec<u8>,
    /// Metadata that was kept, at its place; the rest is 0.
    metas: Vec<u64>,
    instance: u32,
    pass: u32,
}

/// What all parts of one input's processing need.
#[derive(Clone, Copy)]
struct Pass<'a> {
    cx: Context<'a>,
    input: &'a Input<'a>,
    bytes: &'a [u8],
    number: u32,
    limits: Limits,
}

impl Machine {
    /// Processes a packet and everything that it causes. What comes out is in `out`.
    pub fn process<const T: bool>(
        &mut self,
        cx: Context<'_>,
        state: &mut State,
        limits: Limits,
        input: &Input<'_>,
        sink: Sink<'_>,
    ) {
        state.now = input.time_us;
        self.copies = 0;
        let first = Pass { cx, input, bytes: input.bytes, number: 1, limits };
        self.slots[..cx.layout.end as usize].fill(0);
        self.set_meta(cx, INGRESS_PORT, input.port.into());
        self.set_meta(cx, INGRESS_GLOBAL_TIMESTAMP, input.time_us);
        self.pass::<T>(first, state, instance::NORMAL, sink);
        while let Some(again) = self.loops.pop_front() {
            let pass = Pass { bytes: &again.bytes, number: again.pass, ..first };
            self.slots[..cx.layout.end as usize].fill(0);
            self.slots[..again.metas.len()].copy_from_slice(&again.metas);
            self.pass::<T>(pass, state, again.instance, sink);
            self.spare_slots.push(again.metas);
            self.spare_bytes.push(again.bytes);
        }
    }

    /// What came out of the last input; what is handed in is used for the next.
    pub fn swap_output(&mut self, out: &mut crate::output::Output) {
        std::mem::swap(&mut self.out, out);
    }

    /// A standard metadata field: they all fit one slot.
    #[inline(always)]
    fn meta(&self, cx: Context<'_>, meta: Meta) -> u64 {
        self.get(cx.layout.standard[meta.0 as usize].0)
    }

    #[inline(always)]
    fn set_meta(&mut self, cx: Context<'_>, meta: Meta, value: u64) {
        let (slot, mask) = cx.layout.standard[meta.0 as usize];
        self.set(slot, value & mask);
    }

    fn pass<const T: bool>(
        &mut self,
        pass: Pass<'_>,
        state: &mut State,
        instance: u32,
        sink: Sink<'_>,
    ) {
        let Pass { cx, bytes, .. } = pass;
        self.entered = bytes.len() as u64;
        self.length = self.entered;
        self.set_meta(cx, PACKET_LENGTH, self.entered);
        self.set_meta(cx, INSTANCE_TYPE, instance.into());
        if T {
            let port = self.meta(cx, INGRESS_PORT);
            let (pass, bytes, instance) = (pass.number, bytes.len(), instance.into());
            sink(Event::Enter { pass, port, bytes, instance });
        }
        self.parse::<T>(pass, state, sink);
        self.wrong_sum = false;
        self.run::<T>(cx, state, bytes, cx.code.verify, sink);
        self.set_meta(cx, CHECKSUM_ERROR, self.wrong_sum.into());
        self.fate = Fate::default();
        if T {
            let (port, instance) = (self.meta(cx, INGRESS_PORT), instance.into());
            sink(Event::Half { egress: false, port, rid: 0, instance });
        }
        self.run::<T>(cx, state, bytes, cx.code.ingress, sink);
        self.traffic_point::<T>(pass, state, sink);
        while let Some(job) = self.jobs.pop_front() {
            self.slots[..job.slots.len()].copy_from_slice(&job.slots);
            self.taken = job.taken;
            self.entered = job.entered;
            self.length = job.length;
            self.fate = Fate { truncate: job.truncate, ..Fate::default() };
            let (port, number) = (job.port, job.pass);
            self.spare_slots.push(job.slots);
            self.egress::<T>(Pass { number, ..pass }, state, port, sink);
        }
    }

    /// Runs the parser from the first byte; headers must be invalid.
    fn parse<const T: bool>(&mut self, pass: Pass<'_>, state: &mut State, sink: Sink<'_>) {
        self.taken = 0;
        self.visited = 0;
        self.parser_error = 0;
        if let Some(start) = pass.cx.code.parser {
            self.run::<T>(pass.cx, state, pass.bytes, start, sink);
        }
        if T {
            sink(Event::Parsed(self.taken));
        }
    }

    fn traffic_point<const T: bool>(&mut self, pass: Pass<'_>, state: &mut State, sink: Sink<'_>) {
        let Pass { cx, bytes, .. } = pass;
        let fate = self.fate;
        if let Some((session, keep)) = fate.clone {
            self.ingress_clone::<T>(pass, state, session, keep, sink);
        }
        if let Some(digest) = fate.digest {
            self.digest::<T>(pass, state, digest, sink);
        }
        if let Some(keep) = fate.resubmit {
            let mut copy = self.spare_bytes.pop().unwrap_or_default();
            copy.clear();
            copy.extend_from_slice(bytes);
            return self.again::<T>(pass, copy, keep, instance::RESUBMITTED, sink);
        }
        let group = self.meta(cx, MCAST_GRP);
        if group != 0 {
            self.set_meta(cx, INSTANCE_TYPE, instance::REPLICATED.into());
            match state.groups.get(&(group as u16)).filter(|r| !r.is_empty()) {
                Some(replicas) => {
                    self.copies::<T>(pass, replicas, u64::MAX, pass.number, sink);
                }
                None => {
                    self.out.drops.no_group += 1;
                    if T {
                        sink(Event::Fate(format!("dropped: no multicast group {group}")));
                    }
                }
            }
            return;
        }
        let port = self.meta(cx, EGRESS_SPEC);
        if port == u64::from(DROP_PORT) {
            self.out.drops.ingress += 1;
            if T {
                sink(Event::Fate("dropped in ingress".into()));
            }
            return;
        }
        if T {
            sink(Event::Fate(format!("to port {port}")));
        }
        self.set_meta(cx, INSTANCE_TYPE, instance::NORMAL.into());
        if self.jobs.is_empty() {
            self.fate = Fate { truncate: fate.truncate, ..Fate::default() };
            self.egress::<T>(pass, state, port as u16, sink);
        } else {
            self.job(pass, port as u16, fate.truncate, pass.number);
        }
    }

    /// Queues the packet as it stands in the slots.
    fn job(&mut self, pass: Pass<'_>, port: u16, truncate: u64, number: u32) {
        let mut slots = self.spare_slots.pop().unwrap_or_default();
        slots.clear();
        slots.extend_from_slice(&self.slots[..pass.cx.layout.end as usize]);
        let (taken, entered, length) = (self.taken, self.entered, self.length);
        self.jobs.push_back(Job { slots, taken, entered, length, truncate, port, pass: number });
    }

    /// Queues a copy for each replica, within the limits.
    fn copies<const T: bool>(
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
    fn clones<const T: bool>(
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
    fn ingress_clone<const T: bool>(
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
        let end = cx.layout.end as usize;
        let mut saved = self.spare_slots.pop().unwrap_or_default();
        saved.clear();
        saved.extend_from_slice(&self.slots[..end]);
        let (taken, length) = (self.taken, self.length);
        self.slots[..end].fill(0);
        // Parsers may ask for the port, so that it is parsed as it was.
        self.set_meta(cx, INGRESS_PORT, pass.input.port.into());
        self.length = self.entered;
        self.parse::<T>(pass, state, sink);
        self.keep(cx, &saved, keep, instance::INGRESS_CLONE);
        self.clones::<T>(pass, state, session, pass.number, sink);
        self.slots[..end].copy_from_slice(&saved);
        (self.taken, self.length) = (taken, length);
        self.spare_slots.push(saved);
    }

    fn no_session<const T: bool>(&mut self, session: u64, sink: Sink<'_>) {
        self.out.drops.no_session += 1;
        if T {
            sink(Event::Fate(format!("no clone: there is no session {session}")));
        }
    }

    /// Clears all metadata but what a list keeps of `from`.
    fn keep(&mut self, cx: Context<'_>, from: &[u64], keep: Option<u32>, instance: u32) {
        self.slots[..cx.layout.metas_len as usize].fill(0);
        for (slot, len) in keep.map(|k| &cx.code.keeps[k as usize]).into_iter().flatten() {
            let range = *slot as usize..(*slot + *len) as usize;
            self.slots[range.clone()].copy_from_slice(&from[range]);
        }
        self.set_meta(cx, INSTANCE_TYPE, instance.into());
    }

    fn digest<const T: bool>(
        &mut self,
        pass: Pass<'_>,
        state: &mut State,
        digest: u32,
        sink: Sink<'_>,
    ) {
        let plan = &pass.cx.code.digests[digest as usize];
        self.run::<T>(pass.cx, state, pass.bytes, plan.start, sink);
        let fields = self.out.values.len();
        for val in &plan.values {
            let start = self.out.limbs.len();
            self.out.limbs.extend_from_slice(&self.slots[val.range()]);
            self.out.values.push((val.width(), start..self.out.limbs.len()));
        }
        let fields = fields..self.out.values.len();
        self.out.digests.push((Digest(digest), fields));
        if T {
            let name = &pass.cx.program.digests[Digest(digest)].preamble.name;
            sink(Event::Fate(format!("digest {name}")));
        }
    }

    /// Queues another pass.
    fn again<const T: bool>(
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
        let mut metas = self.spare_slots.pop().unwrap_or_default();
        metas.clear();
        metas.resize(pass.cx.layout.metas_len as usize, 0);
        for (slot, len) in keep.map(|k| &pass.cx.code.keeps[k as usize]).into_iter().flatten() {
            let range = *slot as usize..(*slot + *len) as usize;
            metas[range.clone()].copy_from_slice(&self.slots[range]);
        }
        self.loops.push_back(Again { bytes, metas, instance, pass: pass.number + 1 });
    }

    /// Egress, checksums, deparser, and what follows.
    fn egress<const T: bool>(
        &mut self,
        pass: Pass<'_>,
        state: &mut State,
        port: u16,
        sink: Sink<'_>,
    ) {
        let Pass { cx, bytes, input, .. } = pass;
        self.set_meta(cx, EGRESS_PORT, port.into());
        self.set_meta(cx, EGRESS_SPEC, 0);
        self.set_meta(cx, PACKET_LENGTH, self.length);
        self.set_meta(cx, ENQ_TIMESTAMP, input.queue.enq_timestamp.into());
        self.set_meta(cx, ENQ_QDEPTH, input.queue.enq_qdepth.into());
        self.set_meta(cx, DEQ_TIMEDELTA, input.queue.deq_timedelta.into());
        self.set_meta(cx, DEQ_QDEPTH, input.queue.deq_qdepth.into());
        self.set_meta(cx, EGRESS_GLOBAL_TIMESTAMP, input.queue.egress_time_us);
        if T {
            let (rid, instance) = (self.meta(cx, EGRESS_RID), self.meta(cx, INSTANCE_TYPE));
            sink(Event::Half { egress: true, port: port.into(), rid, instance });
        }
        self.run::<T>(cx, state, bytes, cx.code.egress, sink);
        let fate = self.fate;
        if let Some((session, keep)) = fate.clone {
            self.egress_clone::<T>(pass, state, session, keep, sink);
        }
        if self.meta(cx, EGRESS_SPEC) == u64::from(DROP_PORT) {
            self.out.drops.egress += 1;
            if T {
                sink(Event::Fate("dropped in egress".into()));
            }
            return;
        }
        self.run::<T>(cx, state, bytes, cx.code.update, sink);
        if let Some(keep) = fate.recirculate {
            let mut whole = self.spare_bytes.pop().unwrap_or_default();
            whole.clear();
            self.deparse::<T>(pass, &mut whole, sink);
            return self.again::<T>(pass, whole, keep, instance::RECIRCULATED, sink);
        }
        let mut all = std::mem::take(&mut self.out.bytes);
        let start = all.len();
        self.deparse::<T>(pass, &mut all, sink);
        let length = (all.len() - start).min(usize::try_from(fate.truncate).unwrap_or(usize::MAX));
        all.truncate(start + length);
        self.out.bytes = all;
        self.out.finish(port, start);
        if T {
            sink(Event::Fate(format!("sent to port {port}, {length} bytes")));
        }
    }

    /// A copy of the packet as it is at the end of egress, with the metadata that is kept.
    fn egress_clone<const T: bool>(
        &mut self,
        pass: Pass<'_>,
        state: &State,
        session: u64,
        keep: Option<u32>,
        sink: Sink<'_>,
    ) {
        let cx = pass.cx;
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

    /// Puts the valid headers and the payload together.
    fn deparse<const T: bool>(&mut self, pass: Pass<'_>, out: &mut Vec<u8>, sink: Sink<'_>) {
        let (cx, start) = (pass.cx, out.len());
        for header in &cx.code.emits {
            let plan = &cx.code.headers[*header as usize];
            if self.is_valid(plan.base) {
                plan.store(&self.slots, out);
            }
        }
        out.extend_from_slice(pass.bytes.get(self.taken..).unwrap_or_default());
        if T {
            self.tell_deparse(cx, out.len() - start, sink);
        }
    }
}

fn session_of(state: &State, session: u64) -> Option<&crate::state::Session> {
    state.sessions.get(&u32::try_from(session).ok()?)
}
