//! What the golden model makes of a run: the passes in the order in which the card's gate let them in, with the times and
//! queues that its monitors saw, and what leaves compared packet for packet.

use super::Packet;
use super::card::Run;
use super::tally::{Pass, Tally};
use super::words::{Sent, Told, difference, hex, kind};
use restage_golden::{Entering, Golden, Looped, Output, Queue};
use restage_program::entity::Digest;
use restage_program::{Bits, Checked};
use restage_sim_verilator::Seen;
use std::collections::VecDeque;
use std::ops::Range;

/// What a replay showed.
#[derive(Clone, Debug, Default)]
pub struct Replayed {
    /// What the traffic was like.
    pub tally: Tally,
    /// Messages, in order.
    pub messages: Vec<(Digest, Vec<Bits>)>,
    /// For each packet from outside that one packet left for, without going round: which was it of those that left.
    pub alone: Vec<Option<usize>>,
}

/// The first difference.
#[derive(Clone, Debug)]
pub struct Mismatch {
    /// The pass in which it showed, counted from 0; `None` when it shows behind all of them.
    pub pass: Option<usize>,
    /// The packet from outside that was the last to be let in then.
    pub packet: usize,
    /// In words.
    pub text: String,
}

/// Replays a run. The steps of pass `told` are told with a difference in it.
pub fn replay(
    program: &Checked,
    golden: &mut Golden,
    packets: &[Packet],
    run: &Run,
    told: Option<usize>,
) -> Result<Replayed, Mismatch> {
    let queues: Vec<Queue> =
        run.emitted.iter().filter(|seen| value(seen, 1) == 0).map(queue_of).collect();
    let mut replay = Replay {
        golden,
        packets,
        run,
        queues,
        emitted: 0,
        asked: 0,
        left: 0,
        next: 0,
        looped: VecDeque::new(),
        result: Replayed::default(),
        out: Output::new(),
    };
    for (number, gate) in run.gate.iter().enumerate() {
        let mut steps = Told::new(program, told == Some(number));
        replay.pass(gate, &mut steps).map_err(|text| Mismatch {
            pass: Some(number),
            packet: replay.next.saturating_sub(1),
            text,
        })?;
    }
    let packet = replay.next.saturating_sub(1);
    match replay.rest() {
        Some(text) => Err(Mismatch { pass: None, packet, text }),
        None => Ok(replay.result),
    }
}

struct Replay<'a> {
    golden: &'a mut Golden,
    packets: &'a [Packet],
    run: &'a Run,
    queues: Vec<Queue>,
    /// Copies that have entered egress, loop requests and packets that have been accounted for, packets let in.
    emitted: usize,
    asked: usize,
    left: usize,
    next: usize,
    looped: VecDeque<Looped>,
    result: Replayed,
    out: Output,
}

impl Replay<'_> {
    /// One pass; a difference in words.
    fn pass(&mut self, gate: &Seen, told: &mut Told<'_>) -> Result<(), String> {
        let [time, source, size, again] = [1, 2, 3, 4].map(|i| value(gate, i));
        let (entering, came) = if again == 0 {
            let Some(packet) = self.packets.get(self.next) else {
                return Err(format!("packet {} passes the gate and was never sent", self.next));
            };
            if (source, size) != (packet.port.into(), packet.bytes.len() as u64) {
                return Err(format!(
                    "packet {} passes the gate as {size} bytes of port {source}",
                    self.next
                ));
            }
            self.next += 1;
            let tally = &mut self.result.tally;
            tally.packets += 1;
            tally.bytes += size;
            let came = format!(
                "packet {}: came on port {}, {size} bytes: {}",
                self.next - 1,
                packet.port,
                hex(&packet.bytes)
            );
            (Entering::New { port: packet.port, bytes: &packet.bytes }, came)
        } else {
            let what = format!("what comes round is {} of {size} bytes", kind(again));
            let Some(next) = self.looped.pop_front() else {
                return Err(format!("{what}; the model has nothing that does"));
            };
            let wanted = (u64::from(next.instance()), next.bytes() as u64);
            if wanted != (again, size) {
                let (instance, bytes) = wanted;
                return Err(format!(
                    "{what}; the model's is {} of {bytes} bytes, pass {}",
                    kind(instance),
                    next.pass()
                ));
            }
            let came = format!("{what}, pass {}", next.pass());
            self.result.tally.looped += 1;
            (Entering::Again(next), came)
        };
        let mut pass = Pass::default();
        let mut looped = VecDeque::new();
        let tally = &mut self.result.tally;
        let queues = self.queues.get(self.emitted..).unwrap_or_default();
        let copies =
            self.golden.pass(entering, time, queues, &mut self.out, &mut looped, &mut |event| {
                tally.step(&mut pass, &event);
                told.step(&event);
            });
        if copies > queues.len() {
            return Err(format!(
                "{came}\n  the model has {copies} copies enter egress, the hardware {}",
                queues.len()
            ));
        }
        self.emitted += copies;
        tally.drop(self.out.drops);
        tally.messages += self.out.digests().len() as u64;
        self.result.messages.extend(self.out.digests());
        let round = looped.len();
        for next in looped {
            let Some(asked) = self.run.loops.get(self.asked) else {
                return Err(format!(
                    "{came}\n  the model has {} come round, the hardware does not",
                    kind(next.instance().into())
                ));
            };
            self.asked += 1;
            match value(asked, 0) {
                0 => self.looped.push_back(next),
                _ => self.result.tally.no_room += 1,
            }
        }
        self.compare(again == 0, round, &came, told)?;
        if again == 0 {
            let tally = &mut self.result.tally;
            tally.accepted += u64::from(!pass.error);
            tally.met += u64::from(pass.met);
            let sent = self.out.packets();
            tally.dropped += u64::from(sent.len() == 0 && round == 0);
            let bytes = &self.packets[self.next - 1].bytes;
            tally.modified += u64::from(self.out.packets().any(|(_, b)| b != bytes));
        }
        Ok(())
    }

    /// What left, against what should.
    fn compare(
        &mut self,
        new: bool,
        round: usize,
        came: &str,
        told: &mut Told<'_>,
    ) -> Result<(), String> {
        let single = new && round == 0 && self.out.packets().len() == 1;
        if new {
            self.result.alone.push(single.then_some(self.left));
        }
        for (copy, (port, bytes)) in self.out.packets().enumerate() {
            let found = self.run.received.get(self.left);
            self.left += 1;
            self.result.tally.sent += 1;
            if found.is_some_and(|f| f.destination() == port && f.bytes == bytes) {
                continue;
            }
            let model = Sent { port, bytes };
            let hardware = found.map(|f| Sent { port: f.destination(), bytes: &f.bytes });
            return Err(format!("{came}\n{}", difference(copy, model, hardware, told)));
        }
        Ok(())
    }

    /// What there is beside what all passes explain.
    fn rest(&self) -> Option<String> {
        if let Some(packet) = self.packets.get(self.next) {
            let bytes = hex(&packet.bytes);
            return Some(format!("packet {} never passes the gate: {bytes}", self.next));
        }
        if let Some(next) = self.looped.front() {
            let what = kind(next.instance().into());
            return Some(format!("{what} of {} bytes never comes round", next.bytes()));
        }
        if let Some(more) = self.run.received.get(self.left) {
            let (port, bytes) = (more.destination(), hex(&more.bytes));
            return Some(format!("the hardware sends more: on port {port} {bytes}"));
        }
        let more = self.run.loops.len() - self.asked;
        (more > 0).then(|| format!("{more} packets more went to the loop buffer than in the model"))
    }
}

/// The packets of a range of those from outside that left alone: clocks from first beat to first beat.
pub fn latencies<'a>(
    replayed: &'a Replayed,
    run: &'a Run,
    packets: Range<usize>,
) -> impl Iterator<Item = u64> + 'a {
    packets.filter_map(|number| {
        let left = (*replayed.alone.get(number)?)?;
        Some(run.received.get(left)?.first - run.sent.get(number)?.first)
    })
}

fn value(seen: &Seen, index: usize) -> u64 {
    seen.values.get(index).copied().unwrap_or(0)
}

/// What the shell's monitor says of a queue.
fn queue_of(seen: &Seen) -> Queue {
    Queue {
        egress_time_us: value(seen, 2),
        enq_timestamp: value(seen, 3) as u32,
        enq_qdepth: value(seen, 4) as u32,
        deq_timedelta: value(seen, 5) as u32,
        deq_qdepth: value(seen, 6) as u32,
    }
}
