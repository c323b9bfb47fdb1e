//! One program, entries and packets through both models; the first difference in words.

use super::make::PORTS;
use crate::slow::{self, Slow};
use restage_golden::{Golden, Input, Output, Queue};
use restage_program::check::Checked;
use restage_program::entry::Write;
use std::collections::BTreeMap;

/// A packet and when it comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Its port.
    pub port: u16,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// When it comes, in microseconds.
    pub time_us: u64,
    /// What its queue is like.
    pub depth: u32,
}

impl Packet {
    /// What the models are told of its queue: numbers that differ, so that none stands for another.
    pub(crate) fn queue(&self) -> Queue {
        Queue {
            enq_timestamp: (self.time_us as u32).wrapping_add(1),
            enq_qdepth: self.depth,
            deq_timedelta: self.depth.wrapping_mul(3),
            deq_qdepth: self.depth / 2,
            egress_time_us: self.time_us + 5,
        }
    }
}

/// What is run.
#[derive(Clone, Debug)]
pub struct Case {
    /// The program of the golden model.
    pub program: Checked,
    /// What is installed before the first packet.
    pub writes: Vec<Write>,
    /// The packets in order.
    pub packets: Vec<Packet>,
}

/// Where the models differ.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Difference {
    /// In what.
    pub kind: Kind,
    /// In words.
    pub text: String,
}

/// In what the models differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One of them does not load the program.
    Load,
    /// One of them refuses a write.
    Write,
    /// What came of a packet.
    Packet,
    /// What packets have left behind.
    State,
}

/// What happened when the models agreed.
#[derive(Clone, Debug, Default)]
pub struct Agreement {
    /// Writes that both refused.
    pub refused: u64,
    /// Packets that came out.
    pub sent: u64,
    /// What happened to packets, counted by the slow evaluator.
    pub tally: BTreeMap<&'static str, u64>,
}

/// Runs a case on both models.
pub fn compare(case: &Case) -> Result<Agreement, Difference> {
    compare_with(case, &case.program, &case.writes)
}

/// As [`compare`], with another program and other entries for the slow evaluator. Only good for showing
/// that a difference is found.
pub fn compare_with(
    case: &Case,
    slow_program: &Checked,
    slow_writes: &[Write],
) -> Result<Agreement, Difference> {
    let fail = |kind, text: String| Err(Difference { kind, text });
    let mut golden = match Golden::new(&case.program) {
        Ok(golden) => golden,
        Err(error) => {
            return fail(
                Kind::Load,
                format!("the golden model does not load the program: {error}"),
            );
        }
    };
    let mut slow = Slow::new(slow_program);
    let mut agreement = Agreement::default();
    for (i, (write, other)) in case.writes.iter().zip(slow_writes).enumerate() {
        match (golden.write(write), slow.write(other)) {
            (Ok(()), Ok(())) => {}
            (Err(_), Err(_)) => agreement.refused += 1,
            (Err(error), Ok(())) => {
                return fail(
                    Kind::Write,
                    format!("write {i} {write:?}: golden refuses it: {error}"),
                );
            }
            (Ok(()), Err(error)) => {
                return fail(Kind::Write, format!("write {i} {write:?}: only slow has it {error}"));
            }
        }
    }
    let mut out = Output::new();
    for (i, packet) in case.packets.iter().enumerate() {
        let queue = packet.queue();
        let input =
            Input { port: packet.port, bytes: &packet.bytes, time_us: packet.time_us, queue };
        golden.process(&input, &mut out);
        let want = slow.process(packet.port, &packet.bytes, packet.time_us, slow_queue(queue));
        let got = slow::Outcome {
            sent: out.packets().map(|(port, bytes)| (port, bytes.to_vec())).collect(),
            digests: out.digests().collect(),
            looped_too_often: out.drops.max_passes,
        };
        if got != want {
            let text = format!(
                "packet {i}, {} bytes on port {}: {}\n{}",
                packet.bytes.len(),
                packet.port,
                hex(&packet.bytes),
                explain(&got, &want)
            );
            return fail(Kind::Packet, text);
        }
        agreement.sent += want.sent.len() as u64;
        if want.sent.iter().any(|(port, _)| *port == PORTS[0]) {
            slow.note("sent to the cpu");
        }
    }
    if let Some(text) = state(case, &golden, &slow) {
        return fail(Kind::State, text);
    }
    agreement.tally = slow.tally().clone();
    Ok(agreement)
}

pub(crate) fn slow_queue(queue: Queue) -> slow::Queue {
    slow::Queue {
        enq_timestamp: queue.enq_timestamp,
        enq_qdepth: queue.enq_qdepth,
        deq_timedelta: queue.deq_timedelta,
        deq_qdepth: queue.deq_qdepth,
        egress_time_us: queue.egress_time_us,
    }
}

/// How what came out differs.
pub(crate) fn explain(got: &slow::Outcome, want: &slow::Outcome) -> String {
    let mut text = String::new();
    let most = got.sent.len().max(want.sent.len());
    let line = |p: Option<&(u16, Vec<u8>)>| match p {
        Some((port, bytes)) => format!("{} bytes on port {port}: {}", bytes.len(), hex(bytes)),
        None => "nothing".to_string(),
    };
    for i in 0..most {
        let (g, w) = (got.sent.get(i), want.sent.get(i));
        if g != w {
            text += &format!("  output {i}: golden {}\n            slow   {}\n", line(g), line(w));
            if let (Some((_, g)), Some((_, w))) = (g, w)
                && let Some(at) = g.iter().zip(w).position(|(a, b)| a != b)
            {
                text += &format!("            first differing byte: {at}\n");
            }
            break;
        }
    }
    if got.digests != want.digests {
        text +=
            &format!("  digests: golden {:?}\n           slow   {:?}\n", got.digests, want.digests);
    }
    if got.looped_too_often != want.looped_too_often {
        text += &format!(
            "  dropped for too many passes: golden {}, slow {}\n",
            got.looped_too_often, want.looped_too_often
        );
    }
    text
}

/// The first difference in what packets have left behind.
pub(crate) fn state(case: &Case, golden: &Golden, slow: &Slow) -> Option<String> {
    let program = &case.program;
    for (register, decl) in program.registers.iter() {
        for (i, want) in slow.registers(register).iter().enumerate() {
            let got = golden.register(register, i as u32);
            if got.as_ref() != Some(want) {
                let name = &decl.preamble.name;
                return Some(format!("register {name}[{i}]: golden {got:?}, slow {want:?}"));
            }
        }
    }
    for (counter, decl) in program.counters.iter() {
        for (i, want) in slow.counters(counter).iter().enumerate() {
            let got = golden.counter(counter, i as u32);
            if got.as_ref() != Some(want) {
                let name = &decl.preamble.name;
                return Some(format!("counter {name}[{i}]: golden {got:?}, slow {want:?}"));
            }
        }
    }
    for (table, decl) in program.tables.iter().filter(|(_, t)| t.counter.is_some()) {
        for (entry, want) in slow.entries(table) {
            let got = golden.direct_counter(table, &entry.keys, entry.priority);
            if got != Some(want) {
                let name = &decl.preamble.name;
                return Some(format!("entry {entry:?} of {name}: golden {got:?}, slow {want:?}"));
            }
        }
    }
    for (map, decl) in program.maps.iter() {
        let mut got: Vec<_> = golden.map(map).into_iter().map(|e| (e.key, e.values)).collect();
        got.sort();
        let want = slow.map(map);
        if got != want {
            let name = &decl.preamble.name;
            return Some(format!("map {name}: golden {got:?}, slow {want:?}"));
        }
    }
    None
}

/// Bytes in hexadecimal, not more than a line or two.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let text: String = bytes.iter().take(200).map(|b| format!("{b:02x}")).collect();
    if bytes.len() > 200 { format!("{text}...") } else { text }
}
