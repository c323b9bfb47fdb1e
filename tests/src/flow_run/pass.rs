//! The way of a packet, over PHVs.

use super::FlowRun;
use super::eval::Front;
use super::phv::Phv;
use crate::slow::hash::{from_wire, wire_bits};
use crate::slow::{MOST_PASSES, Outcome, Queue};
use restage_compile::flow::Slot;
use restage_manifest::ShellField;
use restage_program::entity::Digest;
use restage_program::entry::{CloneTarget, Replica};
use restage_program::standard::{self, instance};
use std::collections::VecDeque;

/// A packet in front of the parser.
struct Arrival {
    bytes: Vec<u8>,
    /// What the shell has kept: metadata slots, and the list.
    kept: Phv,
    list: u64,
    instance: u32,
    passes: u32,
}

/// A packet in front of egress.
struct Copy {
    phv: Phv,
    bytes: Vec<u8>,
    port: u16,
    rid: Option<u16>,
    limit: Option<u32>,
    passes: u32,
}

/// The sum of 16-bit words, no carry folded.
pub(super) fn plain_sum(bytes: &[u8]) -> u32 {
    bytes.chunks(2).fold(0u32, |sum, word| {
        let word = u32::from(word[0]) << 8 | word.get(1).map_or(0, |b| u32::from(*b));
        sum.wrapping_add(word)
    })
}

struct Way {
    port: u16,
    queue: Queue,
    arrivals: VecDeque<Arrival>,
    copies: VecDeque<Copy>,
    outcome: Outcome,
}

fn unlimited() -> u64 {
    (1 << ShellField::Truncate.width()) - 1
}

impl FlowRun {
    /// Processes a packet and everything that comes of it.
    pub fn process(&mut self, port: u16, bytes: &[u8], time_us: u64, queue: Queue) -> Outcome {
        self.slow.state.now = time_us;
        let first = Arrival {
            bytes: bytes.to_vec(),
            kept: self.fresh(),
            list: 0,
            instance: instance::NORMAL,
            passes: 1,
        };
        let mut way = Way {
            port,
            queue,
            arrivals: VecDeque::from([first]),
            copies: VecDeque::new(),
            outcome: Outcome::default(),
        };
        while let Some(arrival) = way.arrivals.pop_front() {
            self.ingress(arrival, &mut way);
            while let Some(copy) = way.copies.pop_front() {
                self.egress(copy, &mut way);
            }
        }
        way.outcome
    }

    /// The PHV of a packet behind the parser.
    fn parse(&mut self, way: &Way, run: bool, arrival: &Arrival) -> Phv {
        let mut phv = arrival.kept.clone();
        let (bytes, flows) = (&arrival.bytes, self.flows.clone());
        let layout = &flows.layout;
        phv.set_shell(layout, ShellField::Run, run.into());
        phv.set_shell(layout, ShellField::IngressPort, way.port.into());
        phv.set_shell(layout, ShellField::PacketLength, bytes.len() as u64);
        phv.set_shell(layout, ShellField::Instance, arrival.instance.into());
        phv.set_shell(layout, ShellField::Kept, arrival.list);
        phv.set_shell(layout, ShellField::IngressTime, self.slow.state.now);
        phv.set_shell(layout, ShellField::PacketSum, plain_sum(bytes).into());
        let front = Front { bytes: &bytes[..bytes.len().min(self.config.window_bytes as usize)] };
        self.run(&flows.parser, &mut phv, Some(front));
        phv
    }

    fn may_loop(way: &mut Way, passes: u32) -> bool {
        let may = passes < MOST_PASSES;
        way.outcome.looped_too_often += u64::from(!may);
        may
    }

    fn ingress(&mut self, arrival: Arrival, way: &mut Way) {
        let mut phv = self.parse(way, true, &arrival);
        let flows = self.flows.clone();
        let layout = &flows.layout;
        for stage in &flows.ingress {
            self.run(stage, &mut phv, None);
        }
        let passes = arrival.passes;
        let session = phv.shell(layout, ShellField::CloneSession) as u32;
        if self.config.ingress_clones
            && phv.shell(layout, ShellField::Clone) == 1
            && self.slow.state.sessions.contains_key(&session)
        {
            let clone = Arrival {
                bytes: arrival.bytes.clone(),
                kept: self.kept(&phv),
                list: phv.shell(layout, ShellField::CloneKeep),
                instance: instance::INGRESS_CLONE,
                passes,
            };
            let mut copy = self.parse(way, false, &clone);
            let state = format!("{:?}", self.slow.state);
            for stage in &flows.ingress {
                self.run(stage, &mut copy, None);
            }
            assert_eq!(state, format!("{:?}", self.slow.state), "a clone changed the state");
            self.mirror(copy, &arrival.bytes, session, passes, way);
        }
        if self.config.digest_bits > 0 && phv.shell(layout, ShellField::Digest) != 0 {
            let digest = Digest(phv.shell(layout, ShellField::Digest) as u32 - 1);
            let fields = self.slow.program.digests[digest].fields.len() as u32;
            let values =
                (0..fields).filter_map(|f| phv.get(layout, Slot::Message(digest, f))).collect();
            way.outcome.digests.push((digest, values));
        }
        if self.config.resubmit && phv.shell(layout, ShellField::Loop) == 1 {
            if Self::may_loop(way, passes) {
                way.arrivals.push_back(Arrival {
                    kept: self.kept(&phv),
                    list: phv.shell(layout, ShellField::LoopKeep),
                    bytes: arrival.bytes,
                    instance: instance::RESUBMITTED,
                    passes: passes + 1,
                });
            }
            return;
        }
        let bytes = arrival.bytes;
        let group = phv.shell(layout, ShellField::McastGrp) as u16;
        if group != 0 {
            phv.set_shell(layout, ShellField::Instance, instance::REPLICATED.into());
            phv.set_shell(layout, ShellField::Truncate, unlimited());
            for Replica { port, rid } in
                self.slow.state.multicast.get(&group).cloned().unwrap_or_default()
            {
                let (phv, bytes) = (phv.clone(), bytes.clone());
                way.copies.push_back(Copy {
                    phv,
                    bytes,
                    port,
                    rid: Some(rid),
                    limit: None,
                    passes,
                });
            }
            return;
        }
        let port = phv.shell(layout, ShellField::EgressSpec);
        if port != u64::from(standard::DROP_PORT) {
            phv.set_shell(layout, ShellField::Instance, instance::NORMAL.into());
            let port = port as u16;
            way.copies.push_back(Copy { phv, bytes, port, rid: None, limit: None, passes });
        }
    }

    fn mirror(&mut self, mut phv: Phv, bytes: &[u8], session: u32, passes: u32, way: &mut Way) {
        let Some((target, limit)) = self.slow.state.sessions.get(&session).cloned() else { return };
        let flows = self.flows.clone();
        let layout = &flows.layout;
        let replicas = match target {
            CloneTarget::Replicas(replicas) => replicas,
            CloneTarget::Group(group) => {
                self.slow.state.multicast.get(&group).cloned().unwrap_or_default()
            }
        };
        phv.set_shell(layout, ShellField::Truncate, unlimited());
        for Replica { port, rid } in replicas {
            let (phv, bytes) = (phv.clone(), bytes.to_vec());
            way.copies.push_back(Copy { phv, bytes, port, rid: Some(rid), limit, passes });
        }
    }

    fn egress(&mut self, copy: Copy, way: &mut Way) {
        let Copy { mut phv, bytes, port, rid, limit, passes } = copy;
        let flows = self.flows.clone();
        let layout = &flows.layout;
        if let Some(rid) = rid {
            phv.set_shell(layout, ShellField::EgressRid, rid.into());
        }
        let queue = way.queue;
        phv.set_shell(layout, ShellField::Run, 1);
        phv.set_shell(layout, ShellField::EgressPort, port.into());
        phv.set_shell(layout, ShellField::EnqTime, queue.enq_timestamp.into());
        phv.set_shell(layout, ShellField::EnqDepth, queue.enq_qdepth.into());
        phv.set_shell(layout, ShellField::DeqDelta, queue.deq_timedelta.into());
        phv.set_shell(layout, ShellField::DeqDepth, queue.deq_qdepth.into());
        phv.set_shell(layout, ShellField::EgressTime, queue.egress_time_us);
        for stage in &flows.egress {
            self.run(stage, &mut phv, None);
        }
        if self.config.egress_clones
            && phv.shell(layout, ShellField::Clone) == 1
            && Self::may_loop(way, passes)
        {
            let mut copy = phv.clone();
            let list = phv.shell(layout, ShellField::CloneKeep);
            copy.set_shell(layout, ShellField::Kept, list);
            copy.set_shell(layout, ShellField::Instance, instance::EGRESS_CLONE.into());
            let session = phv.shell(layout, ShellField::CloneSession) as u32;
            self.mirror(copy, &bytes, session, passes + 1, way);
        }
        if phv.shell(layout, ShellField::EgressSpec) == u64::from(standard::DROP_PORT) {
            return;
        }
        if let Some(update) = &flows.update {
            self.run(update, &mut phv, None);
        }
        let mut sent = self.deparse(&phv, &bytes);
        if self.config.recirculate && phv.shell(layout, ShellField::Loop) == 1 {
            if Self::may_loop(way, passes) {
                way.arrivals.push_back(Arrival {
                    bytes: sent,
                    kept: self.kept(&phv),
                    list: phv.shell(layout, ShellField::LoopKeep),
                    instance: instance::RECIRCULATED,
                    passes: passes + 1,
                });
            }
            return;
        }
        let asked = phv.shell(layout, ShellField::Truncate);
        let asked = (asked != unlimited()).then_some(asked as u32);
        for most in [asked, limit].into_iter().flatten() {
            sent.truncate(most as usize);
        }
        way.outcome.sent.push((port, sent));
    }

    fn deparse(&self, phv: &Phv, bytes: &[u8]) -> Vec<u8> {
        let layout = &self.flows.layout;
        let get = |slot| phv.get(layout, slot).unwrap_or_default();
        let mut bits = Vec::new();
        for emission in &self.flows.deparser.emissions {
            let header = emission.header;
            if get(Slot::Valid(header)).is_zero() {
                for field in 0..emission.widths.len() as u32 {
                    if self.flows.sharing.of(Slot::Field(header, field)).is_some() {
                        continue;
                    }
                    let value = get(Slot::Field(header, field));
                    assert!(value.is_zero(), "a field of the invalid header {header:?} is {value}");
                }
                continue;
            }
            let at = bits.len() as u32 / 8;
            assert!(emission.offsets.contains(&at), "{header:?} begins at {at}");
            for field in 0..emission.widths.len() as u32 {
                let wire = wire_bits(&get(Slot::Field(header, field)));
                let count = match emission.varbit == Some(field) {
                    true => 8 * get(Slot::VarLength(header)).low_u64() as usize,
                    false => wire.len(),
                };
                assert!(wire[count..].iter().all(|b| !b), "a varbit goes on behind its end");
                bits.extend_from_slice(&wire[..count]);
            }
        }
        let mut sent = from_wire(&bits).to_be_bytes();
        let consumed = phv.shell(layout, ShellField::Consumed) as usize;
        sent.extend_from_slice(&bytes[consumed..]);
        sent
    }
}
