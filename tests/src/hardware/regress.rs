//! A program's hardware against the golden model: entries installed in both, the same packets through both, what leaves
//! compared packet for packet, and what stays behind cell for cell.
//!
//! Traffic comes in three parts: some packets one by one, which shows the latency; then as fast as the bench's options let
//! it; then frames of 64 bytes in every clock, which shows the throughput.

use super::Packet;
use super::card::{Built, Card, CardError, Run, Special};
use super::pace::Pace;
use super::replay::{Mismatch, latencies, replay};
use super::state;
use super::tally::Tally;
use restage_gen::hardware::{Hardware, HardwareError};
use restage_golden::Golden;
use restage_program::Checked;
use restage_program::entry::Write;
use restage_sim_verilator::BenchOptions;

/// What is run.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    /// The program.
    pub program: &'a Checked,
    /// What is installed first.
    pub writes: &'a [Write],
    /// Packets that are sent one by one.
    pub lone: &'a [Packet],
    /// Packets that are sent as the options say.
    pub packets: &'a [Packet],
    /// Frames that are sent in every clock.
    pub dense: &'a [Packet],
    /// How the bench behaves.
    pub options: BenchOptions,
}

/// What a run showed.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What the traffic was like.
    pub tally: Tally,
    /// Clocks from the first beat in to the last beat out, of the packets sent as the options say.
    pub cycles: u64,
    /// Fewest and most clocks from a packet's first beat in to its first beat out, of those sent one by one.
    pub latency: Option<(u64, u64)>,
    /// Of the frames in every clock.
    pub pace: Option<Pace>,
    /// Whether packets can come round.
    pub loops: bool,
    /// Rows of state that were compared.
    pub rows: u64,
    /// What models took to build.
    pub built: Built,
    /// The first difference in words.
    pub difference: Option<Difference>,
}

/// A difference.
#[derive(Clone, Debug)]
pub struct Difference {
    /// In what.
    pub kind: Kind,
    /// The packet that showed it, if one did: in the order of all parts of the traffic.
    pub packet: Option<usize>,
    /// In words.
    pub text: String,
}

/// In what there can be a difference.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// One of them refuses a write.
    Write,
    /// What came of a packet.
    Packet,
    /// What packets left behind.
    State,
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

/// Makes a card, installs entries and sends packets.
pub fn regress_on(hardware: &Hardware, job: &Job<'_>) -> Result<Report, RegressError> {
    regress_with(hardware, job, Special::default())
}

/// As [`regress_on`], on a special card.
pub fn regress_with(
    hardware: &Hardware,
    job: &Job<'_>,
    special: Special<'_>,
) -> Result<Report, RegressError> {
    let mut golden = golden(job.program)?;
    let mut card = Card::special(job.program, hardware, job.options.clone(), special)?;
    let mut report = Report { loops: card.loops(), built: card.built, ..Report::default() };
    for write in job.writes {
        let model = golden.write(write);
        // Only a map finds out by itself that it is full, and one that no packet asks is not there.
        let there = match write {
            Write::SetMapEntry { map, .. } | Write::DeleteMapEntry(map, _) => {
                hardware.manifest.cells.maps.iter().any(|(m, _)| m == map)
            }
            _ => true,
        };
        let hardware = card.install(write)?;
        if there && model.is_ok() != hardware.is_ok() {
            let text = format!("{write:?}: the model says {model:?}, the encoder {hardware:?}");
            report.difference = Some(Difference { kind: Kind::Write, packet: None, text });
            return Ok(report);
        }
    }
    let parts = send(&mut card, job)?;
    let [mut run, fast, dense] = parts;
    report.cycles = match (fast.sent.first(), fast.received.last()) {
        (Some(sent), Some(received)) => received.last.saturating_sub(sent.first),
        _ => 0,
    };
    report.pace = Pace::of(&dense);
    run.extend(fast);
    run.extend(dense);
    let packets = [job.lone, job.packets, job.dense].concat();
    match replay(job.program, &mut golden, &packets, &run, None) {
        Err(mismatch) => {
            report.difference = Some(told(job, &packets, &run, mismatch)?);
        }
        Ok(replayed) => {
            let alone = || latencies(&replayed, &run, 0..job.lone.len());
            report.latency = alone().min().zip(alone().max());
            let seed = job.options.seed;
            let seen = (&run, &replayed);
            let behind = state::compare(job.program, &golden, &mut card, seen, seed)?;
            report.rows = behind.rows;
            if !behind.wrong.is_empty() {
                let text = format!("behind all packets\n  {}", behind.wrong.join("\n  "));
                report.difference = Some(Difference { kind: Kind::State, packet: None, text });
            }
            report.tally = replayed.tally;
        }
    }
    Ok(report)
}

fn golden(program: &Checked) -> Result<Golden, RegressError> {
    Golden::new(program).map_err(|e| RegressError::Golden(e.to_string()))
}

/// All parts of the traffic, one after the other.
fn send(card: &mut Card, job: &Job<'_>) -> Result<[Run; 3], CardError> {
    card.nic.set_pace(0, 0);
    let lone = card.lone(job.program, job.lone)?;
    card.nic.set_pace(job.options.gaps, job.options.back_pressure);
    let fast = card.flow(job.program, job.packets)?;
    card.nic.set_pace(0, 0);
    let dense = card.burst(job.program, job.dense)?;
    Ok([lone, fast, dense])
}

/// The mismatch with all that the model did in that pass: the run is replayed on a new model.
fn told(
    job: &Job<'_>,
    packets: &[Packet],
    run: &Run,
    mismatch: Mismatch,
) -> Result<Difference, RegressError> {
    let mut golden = golden(job.program)?;
    for write in job.writes {
        // Refused ones are refused again.
        let _ = golden.write(write);
    }
    let again = replay(job.program, &mut golden, packets, run, mismatch.pass);
    let Mismatch { packet, text, .. } = again.err().unwrap_or(mismatch);
    Ok(Difference { kind: Kind::Packet, packet: Some(packet), text })
}
