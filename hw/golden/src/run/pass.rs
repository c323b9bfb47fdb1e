//! The way of a packet: passes, halves, the traffic point, copies.
//!
//! A pass is parser, verification, ingress and traffic point; what the traffic point makes are jobs for
//! egress, in the order in which they were made. All jobs of a pass are done before the next pass, all
//! passes before the next packet.

mod apart;
mod copies;

pub(crate) use apart::Enters;

use super::{Context, Fate, Machine, Sink};
use crate::input::{Input, Queue};
use crate::state::State;
use crate::trace::Event;
use restage_program::entity::{Digest, Meta};
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

/// What the outside knows of a pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outside<'a> {
    /// When it begins.
    pub time_us: u64,
    /// What each copy finds at the traffic point, in order; the last one holds for all further ones.
    pub queues: &'a [Queue],
}

/// A copy that waits for egress.
#[derive(Clone, Debug)]
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
#[derive(Clone, Debug)]
pub(crate) struct Again {
    bytes: Vec<u8>,
    /// Metadata that was kept, at its place; the rest is 0. Of a clone made in egress its headers, too.
    slots: Vec<u64>,
    port: u16,
    instance: u32,
    pass: u32,
    /// It is a clone, which goes to egress when it comes round.
    clone: Option<apart::Returning>,
}

/// What all parts of one input's processing need.
#[derive(Clone, Copy)]
struct Pass<'a> {
    cx: Context<'a>,
    outside: Outside<'a>,
    port: u16,
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
        self.apart = false;
        let outside = Outside { time_us: input.time_us, queues: &[input.queue] };
        let new = (input.port, input.bytes);
        self.first::<T>((cx, limits, outside), state, new, sink);
        while let Some(again) = self.loops.pop_front() {
            self.further::<T>((cx, limits, outside), state, again, sink);
        }
    }

    /// The pass of a packet from outside.
    fn first<const T: bool>(
        &mut self,
        (cx, limits, outside): (Context<'_>, Limits, Outside<'_>),
        state: &mut State,
        (port, bytes): (u16, &[u8]),
        sink: Sink<'_>,
    ) {
        state.now = outside.time_us;
        (self.copies, self.egressed) = (0, 0);
        let pass = Pass { cx, outside, port, bytes, number: 1, limits };
        self.slots[..cx.layout.end as usize].fill(0);
        self.set_meta(cx, INGRESS_PORT, port.into());
        self.set_meta(cx, INGRESS_GLOBAL_TIMESTAMP, outside.time_us);
        self.pass::<T>(pass, state, instance::NORMAL, sink);
    }

    /// The pass of a packet that comes round.
    fn further<const T: bool>(
        &mut self,
        (cx, limits, outside): (Context<'_>, Limits, Outside<'_>),
        state: &mut State,
        again: Again,
        sink: Sink<'_>,
    ) {
        let pass =
            Pass { cx, outside, port: again.port, bytes: &again.bytes, number: again.pass, limits };
        self.slots[..cx.layout.end as usize].fill(0);
        match again.clone {
            None => {
                self.slots[..again.slots.len()].copy_from_slice(&again.slots);
                self.pass::<T>(pass, state, again.instance, sink);
            }
            Some(clone) => self.returned::<T>(pass, state, &again.slots, clone, sink),
        }
        self.spare_slots.push(again.slots);
        self.spare_bytes.push(again.bytes);
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
        self.run_jobs::<T>(pass, state, sink);
    }

    /// Egress of all copies that wait for it.
    fn run_jobs<const T: bool>(&mut self, pass: Pass<'_>, state: &mut State, sink: Sink<'_>) {
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

    /// Egress, checksums, deparser, and what follows.
    fn egress<const T: bool>(
        &mut self,
        pass: Pass<'_>,
        state: &mut State,
        port: u16,
        sink: Sink<'_>,
    ) {
        let Pass { cx, bytes, outside, .. } = pass;
        let queues = outside.queues;
        let queue = queues.get(self.egressed).or(queues.last()).copied().unwrap_or_default();
        self.egressed += 1;
        self.set_meta(cx, EGRESS_PORT, port.into());
        self.set_meta(cx, EGRESS_SPEC, 0);
        self.set_meta(cx, PACKET_LENGTH, self.length);
        self.set_meta(cx, ENQ_TIMESTAMP, queue.enq_timestamp.into());
        self.set_meta(cx, ENQ_QDEPTH, queue.enq_qdepth.into());
        self.set_meta(cx, DEQ_TIMEDELTA, queue.deq_timedelta.into());
        self.set_meta(cx, DEQ_QDEPTH, queue.deq_qdepth.into());
        self.set_meta(cx, EGRESS_GLOBAL_TIMESTAMP, queue.egress_time_us);
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
