//! Random programs as hardware.
//!
//! A program of [`random`](crate::random), without what no hardware does at line rate, is built for one of a few shells, so
//! that their fabric is built once; a shell may have more than a program asks for. What is refused all the same is counted
//! with the reason by who asks.

use super::Packet;
use super::card::Special;
use super::regress::{Difference, Job, RegressError, Report, regress_with};
use crate::random::compare::Case;
use crate::random::line_rate::line_rate;
use crate::random::shrink::shrink;
use crate::random::trial::{TrialError, trial};
use restage_compile::lower::shell_for;
use restage_gen::hardware::{Hardware, HardwareError, build_for};
use restage_manifest::ShellConfig;
use restage_program::Checked;
use restage_program::program::Program;
use restage_sim_verilator::BenchOptions;
use std::time::{Duration, Instant};

/// Bytes of headers.
const WINDOW: u32 = 256;

/// PHVs and regions of the shells, the smallest first.
const SHELLS: [(u32, u32); 4] = [(2048, 3), (2048, 6), (4096, 8), (8192, 16)];

/// Seconds between two words on how far making a case smaller is.
const TOLD: u64 = 10;

/// Bits of kept metadata and of messages that shells have.
const AREAS: [u32; 5] = [0, 64, 256, 1024, 3072];

/// The program of a seed for hardware, with entries and traffic; `None` when nothing is left of it at line rate.
pub fn case(seed: u64, packets: usize) -> Result<Option<Case>, TrialError> {
    let Some(case) = line_rate(trial(seed, packets)?, WINDOW) else { return Ok(None) };
    // Circuits of the same content are found in the cache when they have the same name.
    let renamed = Program { name: "random".into(), ..case.program.into_inner() };
    let program = renamed.check().map_err(|e| TrialError::Refused(seed, e))?;
    Ok(Some(Case { program, ..case }))
}

/// Builds a program for the first of the shells that holds it.
pub fn build(program: &Checked) -> Result<Hardware, HardwareError> {
    let mut last = None;
    for (phv_bits, regions) in SHELLS {
        let like = ShellConfig {
            phv_bits,
            regions,
            slots: 1,
            window_bytes: WINDOW,
            ..ShellConfig::default()
        };
        let config = richer(shell_for(program, &like));
        if config.fixed_bits() > phv_bits {
            continue;
        }
        let mut built = build_for(program, &config);
        if let Err(HardwareError::Latency { latency, .. }) = built {
            let config = ShellConfig { max_latency: latency.next_power_of_two(), ..config };
            built = build_for(program, &config);
        }
        match built {
            Err(error @ HardwareError::Refused(_)) => last = Some(error),
            other => return other,
        }
    }
    Err(last.unwrap_or(HardwareError::Refused(Vec::new())))
}

/// A shell that has at least what another has, of which there are not many kinds.
fn richer(config: ShellConfig) -> ShellConfig {
    let area = |bits: u32| AREAS.into_iter().find(|area| *area >= bits).unwrap_or(bits);
    let loops = config.loops();
    ShellConfig {
        ingress_time: true,
        queue_times: true,
        multicast: true,
        ingress_clones: loops,
        egress_clones: loops,
        resubmit: loops,
        recirculate: loops,
        keep_bits: area(config.keep_bits),
        digest_bits: area(config.digest_bits),
        ..config
    }
}

/// Runs a case. The seed says how the bench behaves.
pub fn run(
    hardware: &Hardware,
    case: &Case,
    seed: u64,
    special: Special<'_>,
) -> Result<Report, RegressError> {
    let packets: Vec<Packet> = case
        .packets
        .iter()
        .map(|packet| Packet { port: packet.port, bytes: packet.bytes.clone() })
        .collect();
    let (gaps, back_pressure) = [(0, 0), (30, 0), (0, 30), (20, 20)][(seed % 4) as usize];
    // Time goes quickly, so that meters fill and maps age.
    let clocks_per_microsecond = [1, 3, 17][(seed % 3) as usize];
    let options = BenchOptions {
        gaps,
        back_pressure,
        seed,
        clocks_per_microsecond,
        ..BenchOptions::default()
    };
    let job = Job {
        program: &case.program,
        writes: &case.writes,
        lone: &[],
        packets: &packets,
        dense: &[],
        options,
    };
    regress_with(hardware, &job, special)
}

/// A case made smaller while the hardware of it still differs in the same kind of thing, for so long at most; and what then
/// differs. `said` is told now and then how far it is.
pub fn shrunk(
    case: &Case,
    seed: u64,
    found: &Difference,
    special: Special<'_>,
    limit: Duration,
    said: &mut dyn FnMut(String),
) -> (Case, Difference) {
    let start = Instant::now();
    let mut last = found.clone();
    // Most candidates differ in packets and entries only.
    let mut known: Option<(Program, Option<Hardware>)> = None;
    let (mut tried, mut told) = (0, 0);
    let mut fails = |case: &Case| {
        let seconds = start.elapsed().as_secs();
        if start.elapsed() > limit {
            return false;
        }
        if seconds >= told + TOLD {
            told = seconds;
            let (packets, writes) = (case.packets.len(), case.writes.len());
            let size = case.program.to_string().lines().count();
            said(format!(
                "{seconds} s, {tried} tried: {packets} packets, {writes} writes, {size} lines of P4"
            ));
        }
        tried += 1;
        if known.as_ref().is_none_or(|(program, _)| *program != *case.program) {
            known = Some(((*case.program).clone(), build(&case.program).ok()));
        }
        let Some((_, Some(hardware))) = &known else { return false };
        let Ok(report) = run(hardware, case, seed, special) else { return false };
        match report.difference {
            Some(difference) if difference.kind == found.kind => {
                last = difference;
                true
            }
            _ => false,
        }
    };
    let first = seen_first(case, found, &mut fails);
    let small = shrink(&first, u32::MAX, &mut fails);
    (small, last)
}

/// The case without what comes behind the packet that differs, and without what comes before it if that shows it too.
fn seen_first(case: &Case, found: &Difference, fails: &mut dyn FnMut(&Case) -> bool) -> Case {
    let Some(at) = found.packet.filter(|at| *at < case.packets.len()) else { return case.clone() };
    let mut best = case.clone();
    for range in [0..at + 1, at..at + 1] {
        let part = Case { packets: case.packets[range].to_vec(), ..case.clone() };
        if fails(&part) {
            best = part;
        }
    }
    best
}
