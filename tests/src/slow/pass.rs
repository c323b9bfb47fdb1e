//! The way of a packet: passes, the traffic point, copies.

use super::packet::Packet;
use super::run::Runner;
use super::state::State;
use super::value::Scope;
use restage_program::entity::{ErrorCode, Meta};
use restage_program::entry::{CloneTarget, Replica};
use restage_program::program::Program;
use restage_program::standard::{self, instance};
use restage_program::{Bits, Entity};
use std::collections::VecDeque;

/// What the queue in front of egress says of a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    /// When it was queued.
    pub enq_timestamp: u32,
    /// Length of the queue then.
    pub enq_qdepth: u32,
    /// Time in the queue.
    pub deq_timedelta: u32,
    /// Length of the queue when it left it.
    pub deq_qdepth: u32,
    /// When it entered egress, in microseconds.
    pub egress_time_us: u64,
}

/// What comes of a packet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Packets sent, in order.
    pub sent: Vec<(u16, Vec<u8>)>,
    /// Messages to the control plane.
    pub digests: Vec<(restage_program::entity::Digest, Vec<Bits>)>,
    /// Looped packets dropped because they had too many passes.
    pub looped_too_often: u64,
}

/// A packet in front of the parser.
struct Arrival {
    bytes: Vec<u8>,
    metas: Vec<(Meta, Bits)>,
    passes: u32,
}

/// A packet in front of egress.
struct Copy {
    packet: Packet,
    port: u16,
    rid: Option<u16>,
    limit: Option<u32>,
    passes: u32,
}

pub(crate) struct Way<'a> {
    pub program: &'a Program,
    pub state: &'a mut State,
    pub port: u16,
    pub queue: Queue,
    pub most_passes: u32,
    pub outcome: Outcome,
}

impl Way<'_> {
    /// A packet from outside, and everything that comes of it.
    pub fn run(&mut self, bytes: &[u8]) {
        let mut arrivals = VecDeque::new();
        arrivals.push_back(Arrival {
            bytes: bytes.to_vec(),
            metas: vec![
                (standard::INGRESS_PORT, Bits::new(9, self.port.into())),
                (standard::INGRESS_GLOBAL_TIMESTAMP, Bits::new(48, self.state.now.into())),
            ],
            passes: 1,
        });
        let mut copies = VecDeque::new();
        while let Some(arrival) = arrivals.pop_front() {
            self.ingress(arrival, &mut arrivals, &mut copies);
            while let Some(copy) = copies.pop_front() {
                self.egress(copy, &mut arrivals, &mut copies);
            }
        }
    }

    pub(crate) fn runner(&mut self, in_parser: bool) -> Runner<'_> {
        Runner { program: self.program, state: self.state, in_parser }
    }

    pub(super) fn scope(&self) -> Scope<'_> {
        Scope { program: self.program, params: &[], in_parser: false }
    }

    /// Whether a further pass is allowed; counts it when not.
    fn may_loop(&mut self, passes: u32) -> bool {
        let may = passes < self.most_passes;
        self.outcome.looped_too_often += u64::from(!may);
        may
    }

    fn ingress(
        &mut self,
        arrival: Arrival,
        arrivals: &mut VecDeque<Arrival>,
        copies: &mut VecDeque<Copy>,
    ) {
        let program = self.program;
        let mut packet = Packet::new(program, &arrival.bytes);
        packet.set_meta(standard::PACKET_LENGTH, packet.entered());
        for (meta, value) in &arrival.metas {
            packet.metas[meta.index()] = value.clone();
        }
        let error = self.parse(&mut packet);
        self.note_error(error);
        packet.set_meta(standard::PARSER_ERROR, error.0.into());
        let wrong = program.verify.iter().any(|c| self.is_wrong(&packet, c));
        if wrong {
            self.state.note("checksum wrong");
        }
        packet.set_meta(standard::CHECKSUM_ERROR, wrong.into());
        // Outside the parser there are no errors.
        let _ = self.runner(false).block(&mut packet, &program.ingress, &[]);
        self.note_lost_write(&mut packet);

        if let Some((session, keep)) = packet.clone.take() {
            if session.is_some_and(|s| self.state.sessions.contains_key(&s)) {
                // The copy is parsed again, and all that its parser knows is the port.
                let mut copy = Packet::new(program, &arrival.bytes);
                copy.set_meta(standard::INGRESS_PORT, self.port.into());
                self.parse(&mut copy);
                self.reset(&mut copy, packet.kept(program, keep), instance::INGRESS_CLONE);
                self.mirror(copy, session, arrival.passes, copies, "ingress clone");
            } else {
                self.state.note("no session");
            }
        }
        if let Some(digest) = packet.digest.take() {
            let scope = self.scope();
            let fields = program.digests[digest].fields.iter();
            let values = fields.filter_map(|(_, e)| scope.bits(&packet, e).ok()).collect();
            self.outcome.digests.push((digest, values));
            self.state.note("digest");
        }
        if let Some(keep) = packet.again.take() {
            if self.may_loop(arrival.passes) {
                let mut metas = packet.kept(program, keep);
                self.state.note("resubmitted");
                let ty = Bits::new(32, instance::RESUBMITTED.into());
                metas.push((standard::INSTANCE_TYPE, ty));
                let length = Bits::new(32, packet.entered().into());
                metas.push((standard::PACKET_LENGTH, length));
                arrivals.push_back(Arrival {
                    bytes: arrival.bytes,
                    metas,
                    passes: arrival.passes + 1,
                });
            }
            return;
        }
        let group = packet.meta(standard::MCAST_GRP) as u16;
        let passes = arrival.passes;
        if group != 0 {
            let known = self.state.multicast.contains_key(&group);
            self.state.note(if known { "multicast" } else { "no group" });
            packet.set_meta(standard::INSTANCE_TYPE, instance::REPLICATED.into());
            packet.truncate = None;
            for Replica { port, rid } in self.state.multicast.get(&group).into_iter().flatten() {
                let packet = packet.clone();
                copies.push_back(Copy {
                    packet,
                    port: *port,
                    rid: Some(*rid),
                    limit: None,
                    passes,
                });
            }
            return;
        }
        let port = packet.meta(standard::EGRESS_SPEC);
        if port != u64::from(standard::DROP_PORT) {
            packet.set_meta(standard::INSTANCE_TYPE, instance::NORMAL.into());
            copies.push_back(Copy { packet, port: port as u16, rid: None, limit: None, passes });
        } else {
            self.state.note("dropped in ingress");
        }
    }

    /// Clears metadata but what is kept.
    fn reset(&self, packet: &mut Packet, kept: Vec<(Meta, Bits)>, instance: u32) {
        for meta in &mut packet.metas {
            *meta = Bits::zero(meta.width());
        }
        for (meta, value) in kept {
            packet.metas[meta.index()] = value;
        }
        packet.set_meta(standard::INSTANCE_TYPE, instance.into());
        packet.clone = None;
        packet.digest = None;
        packet.again = None;
        packet.truncate = None;
    }

    /// The clones of a session.
    fn mirror(
        &mut self,
        packet: Packet,
        session: Option<u32>,
        passes: u32,
        copies: &mut VecDeque<Copy>,
        what: &'static str,
    ) {
        let Some((target, limit)) = session.and_then(|s| self.state.sessions.get(&s).cloned())
        else {
            self.state.note("no session");
            return;
        };
        let replicas = match target {
            CloneTarget::Replicas(replicas) => replicas,
            CloneTarget::Group(group) => {
                self.state.multicast.get(&group).cloned().unwrap_or_default()
            }
        };
        self.state.note(what);
        for Replica { port, rid } in replicas {
            copies.push_back(Copy { packet: packet.clone(), port, rid: Some(rid), limit, passes });
        }
    }

    fn egress(
        &mut self,
        copy: Copy,
        arrivals: &mut VecDeque<Arrival>,
        copies: &mut VecDeque<Copy>,
    ) {
        let program = self.program;
        let Copy { mut packet, port, rid, limit, passes } = copy;
        if let Some(rid) = rid {
            packet.set_meta(standard::EGRESS_RID, rid.into());
        }
        packet.set_meta(standard::ENQ_TIMESTAMP, self.queue.enq_timestamp.into());
        packet.set_meta(standard::ENQ_QDEPTH, self.queue.enq_qdepth.into());
        packet.set_meta(standard::DEQ_TIMEDELTA, self.queue.deq_timedelta.into());
        packet.set_meta(standard::DEQ_QDEPTH, self.queue.deq_qdepth.into());
        packet.set_meta(standard::EGRESS_GLOBAL_TIMESTAMP, self.queue.egress_time_us);
        packet.set_meta(standard::EGRESS_PORT, port.into());
        packet.set_meta(standard::EGRESS_SPEC, 0);
        packet.set_meta(standard::PACKET_LENGTH, packet.length.into());
        let _ = self.runner(false).block(&mut packet, &program.egress, &[]);
        self.note_lost_write(&mut packet);

        if let Some((session, keep)) = packet.clone.take()
            && self.may_loop(passes)
        {
            let mut copy = packet.clone();
            self.reset(&mut copy, packet.kept(program, keep), instance::EGRESS_CLONE);
            self.mirror(copy, session, passes + 1, copies, "egress clone");
        }
        if packet.meta(standard::EGRESS_SPEC) == u64::from(standard::DROP_PORT) {
            self.state.note("dropped in egress");
            return;
        }
        let mut bytes = self.deparse(&mut packet);
        if let Some(keep) = packet.again.take() {
            if self.may_loop(passes) {
                let mut metas = packet.kept(program, keep);
                self.state.note("recirculated");
                let ty = Bits::new(32, instance::RECIRCULATED.into());
                metas.push((standard::INSTANCE_TYPE, ty));
                let length = Bits::new(32, bytes.len() as u128);
                metas.push((standard::PACKET_LENGTH, length));
                arrivals.push_back(Arrival { bytes, metas, passes: passes + 1 });
            }
            return;
        }
        for most in [packet.truncate, limit].into_iter().flatten() {
            if (most as usize) < bytes.len() {
                self.state.note("truncated");
                bytes.truncate(most as usize);
            }
        }
        self.state.note("sent");
        self.outcome.sent.push((port, bytes));
    }

    fn note_lost_write(&mut self, packet: &mut Packet) {
        if std::mem::take(&mut packet.lost_write) {
            self.state.note(super::LOST_WRITE);
        }
    }

    fn note_error(&mut self, error: ErrorCode) {
        match standard::ERRORS.get(error.index()) {
            Some(&"NoError") => {}
            Some(name) => self.state.note(name),
            None => self.state.note("own error"),
        }
    }
}
