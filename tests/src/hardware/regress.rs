//! A program's hardware against the golden model: entries installed in both, the same packets through both,
//! and what leaves compared, packet for packet and byte for byte.

use super::Packet;
use super::card::{Card, CardError};
use super::expect::{Tally, expect};
use restage_gen::hardware::{Hardware, HardwareError, build};
use restage_golden::{Golden, Output, Queue};
use restage_program::Checked;
use restage_program::entry::Write;
use restage_sim_verilator::{BenchOptions, Seen};

/// Packets that are sent one after the other where packets can come back.
const MOST_APART: usize = 300;

/// What a run showed.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What the traffic was like.
    pub tally: Tally,
    /// Clocks from the first beat in to the last beat out.
    pub cycles: u64,
    /// Fewest and most clocks from a packet's first beat in to its first beat out; programs that send one
    /// packet for each only.
    pub latency: Option<(u64, u64)>,
    /// The first difference in words.
    pub difference: Option<String>,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum RegressError {
    /// The program cannot be hardware.
    #[error(transparent)]
    Hardware(#[from] HardwareError),
    /// The card does not work.
    #[error(transparent)]
    Card(#[from] CardError),
    /// The model refuses it.
    #[error("the golden model: {0}")]
    Golden(String),
}

/// Builds a program's card, installs entries and sends packets.
pub fn regress(
    program: &Checked,
    writes: &[Write],
    packets: &[Packet],
    options: BenchOptions,
) -> Result<Report, RegressError> {
    let hardware = build(program)?;
    regress_on(&hardware, program, writes, packets, options)
}

/// As [`regress`], on hardware that there is.
pub fn regress_on(
    hardware: &Hardware,
    program: &Checked,
    writes: &[Write],
    packets: &[Packet],
    options: BenchOptions,
) -> Result<Report, RegressError> {
    let mut golden = Golden::new(program).map_err(|e| RegressError::Golden(e.to_string()))?;
    let mut card = Card::new(program, hardware, options)?;
    for write in writes {
        let model = golden.write(write);
        let hardware = card.install(write)?;
        if model.is_ok() != hardware.is_ok() {
            let difference =
                format!("{write:?}: the model says {model:?}, the encoder {hardware:?}");
            return Ok(Report { difference: Some(difference), ..Report::default() });
        }
    }
    let apart = card.loops();
    let packets = if apart { &packets[..packets.len().min(MOST_APART)] } else { packets };
    let run = if apart { card.run_apart(packets)? } else { card.run(packets)? };
    let mut emitted = run.emitted.iter();
    let mut report = Report::default();
    let mut out = Output::new();
    let mut left = run.received.iter();
    let mut latencies = Vec::new();
    for (number, packet) in packets.iter().enumerate() {
        let Some(gate) = run.gate.get(number) else {
            report.difference = Some(format!("packet {number} never passed the gate"));
            break;
        };
        let time = gate.values[1];
        // The model takes one description of the queue for all copies of a packet: that of the first one.
        let queue = emitted.as_slice().first().map_or_else(Queue::default, queue_of);
        let mut wanted = expect(&mut golden, packet, time, queue, &mut out, &mut report.tally);
        if apart {
            wanted.sort();
        }
        let copies = report.tally.copies;
        emitted.by_ref().take(copies as usize).for_each(drop);
        for (copy, (port, bytes)) in wanted.iter().enumerate() {
            let found = left.next();
            if let Some(found) = found
                && found.destination() == *port
                && found.bytes == *bytes
            {
                if wanted.len() == 1 {
                    latencies.push(found.first - run.sent[number].first);
                }
                continue;
            }
            let found = found.map_or("nothing".to_string(), |f| {
                format!("port {} {}", f.destination(), hex(&f.bytes))
            });
            report.difference = Some(format!(
                "packet {number}, copy {copy}: came on port {}: {}\n  wanted: port {port} {}\n  found:  {found}",
                packet.port,
                hex(&packet.bytes),
                hex(bytes),
            ));
            break;
        }
        if report.difference.is_some() {
            break;
        }
    }
    if report.difference.is_none()
        && let Some(more) = left.next()
    {
        report.difference =
            Some(format!("more came out: port {} {}", more.destination(), hex(&more.bytes)));
    }
    let first = run.sent.first().map_or(0, |s| s.first);
    report.cycles = run.received.last().map_or(0, |r| r.last).saturating_sub(first);
    report.latency = latencies.iter().min().copied().zip(latencies.iter().max().copied());
    Ok(report)
}

/// What the shell's monitor says of a queue.
fn queue_of(seen: &Seen) -> Queue {
    let value = |i: usize| seen.values.get(i).copied().unwrap_or(0);
    Queue {
        egress_time_us: value(1),
        enq_timestamp: value(2) as u32,
        enq_qdepth: value(3) as u32,
        deq_timedelta: value(4) as u32,
        deq_qdepth: value(5) as u32,
    }
}

/// Bytes for people.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
