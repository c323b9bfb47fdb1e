//! A stateful firewall is replaced by one that checks more, taken away and put in again, while two flows pass it: what becomes of
//! every packet, and how long it takes.
//!
//! After "P4 data plane runtime reconfiguration": 3000 and 1000 packets a second, of which one flow is blocked; and again with a
//! packet on every clock. There the latency doubled for 0.2 s.

pub mod firewall;
mod flows;
pub mod plot;

pub use flows::{CLOCKS, Flow};

use crate::hardware::card::Card;
use crate::hardware::live::Change;
use anyhow::{Result, anyhow, bail};
use firewall::{Firewall, program};
use flows::{Flows, Log, PORTS};
use restage_compile::change::Wishes;
use restage_gen::hardware::{Hardware, Target, build_with};
use restage_golden::{Golden, Input, Output};
use restage_manifest::ShellConfig;
use restage_manifest::address::shell::Count;
use restage_program::entry::Write;
use restage_program::{Checked, entries_text};
use restage_sim_verilator::BenchOptions;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The regions' entries: what comes in by one port goes out by the other.
const ENTRIES: &str = "table_add ports zone 1 => 1 2\ntable_add ports zone 2 => 0 1\n\
    table_add sources source 1 0 => 0x20000000001\ntable_add sources source 2 1 => 0x20000000002\n";
/// Regions of the card.
const REGIONS: u32 = 8;

/// What happens, in this order.
pub const STEPS: [(&str, Firewall); 3] = [
    ("replaced by one that checks more", Firewall::Second),
    ("bypassed", Firewall::Off),
    ("restored", Firewall::Second),
];

/// A packet of the experiment.
#[derive(Clone, Copy, Debug)]
pub struct Packet {
    /// Whose it is.
    pub flow: Flow,
    /// The clock in which it entered.
    pub at: u64,
    /// Clocks until its first beat left; `None` if it was dropped.
    pub latency: Option<u64>,
    /// How many steps had been taken when it entered.
    pub steps: usize,
}

/// A step that was taken.
#[derive(Clone, Debug)]
pub struct Step {
    /// The clock in which it was begun.
    pub begun: u64,
    /// The clock of its flip, which is when the first packet of the new program entered.
    pub flipped: u64,
    /// What it was.
    pub change: Change,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Every packet, in order.
    pub packets: Vec<Packet>,
    /// The steps.
    pub steps: Vec<Step>,
    /// Packets that are not what the golden model says.
    pub wrong: u64,
    /// What the monitors count: lost, collided, disordered.
    pub faults: u64,
}

#[derive(Clone)]
struct Version {
    program: Checked,
    writes: Vec<Write>,
    hardware: Hardware,
}

fn version(firewall: Firewall, old: Option<(&Hardware, &Card)>) -> Result<Version> {
    let program = program(firewall).check().map_err(|e| anyhow!("{e:?}"))?;
    let writes = entries_text::parse(&program, ENTRIES).map_err(|e| anyhow!("{e}"))?;
    let like = ShellConfig { regions: REGIONS, ..ShellConfig::default() };
    let target = Target {
        like: Some(&like),
        regions: Some(REGIONS),
        old: old.map(|(hardware, card)| (&hardware.placement, card.manifest())),
        ..Target::default()
    };
    let hardware = build_with(&program, &target)?;
    Ok(Version { program, writes, hardware })
}

/// Runs it, `clocks` between two steps; `rates` packets a second of the two flows, or as many as the card takes. `skip`: clocks in
/// which nothing is inside are not evaluated. `say` is told how far it is, in hundredths.
pub fn run(
    rates: Option<[u64; 2]>,
    clocks: u64,
    skip: bool,
    say: &mut dyn FnMut(u32, &str),
) -> Result<Outcome> {
    let pass = |card: &mut Card| match skip {
        true => card.nic.pass(clocks),
        false => card.nic.run(clocks),
    };
    say(0, "the card is built and booted");
    let first = version(Firewall::First, None)?;
    let mut card = Card::new(&first.program, &first.hardware, BenchOptions::default())?;
    for write in &first.writes {
        card.install(write)??;
    }
    let (flows, log) = Flows::new(rates, card.nic.cycle());
    card.forget();
    card.nic.attach(Box::new(flows));
    card.nic.exchange()?;
    let mut versions = vec![first];
    let mut steps: Vec<(u64, Change)> = Vec::new();
    for (number, (name, firewall)) in STEPS.into_iter().enumerate() {
        say(10 + 30 * number as u32, &format!("the firewall is {name}"));
        pass(&mut card)?;
        let old = &versions[versions.len() - 1];
        // The one that was taken away is still there.
        let next = match firewall {
            _ if number + 1 == STEPS.len() => versions[versions.len() - 2].clone(),
            _ => version(firewall, Some((&old.hardware, &card)))?,
        };
        let begun = card.nic.cycle();
        let change = card.change(&next.program, &next.hardware, &next.writes, Wishes::default())?;
        steps.push((begun, change));
        versions.push(next);
    }
    pass(&mut card)?;
    open(&log).stopped = true;
    card.nic.drain(2000, 1_000_000)?;
    card.nic.exchange()?;
    say(100, "every packet is compared");
    let run = card.seen();
    let mut faults = 0;
    for count in [Count::Lost, Count::Collided, Count::Disordered] {
        faults += card.count(count)?;
    }
    let entered: Vec<u64> = run.sent.iter().map(|sent| sent.first).collect();
    let times: Vec<u64> = run.gate.iter().map(|seen| seen.values[1]).collect();
    let (packets, wrong) = compare(&versions, &steps, &mut open(&log), &entered, &times)?;
    let steps = steps.into_iter().map(|(begun, change)| {
        let flipped = entered.get(change.flip.at as usize).copied().unwrap_or(begun);
        Step { begun, flipped, change }
    });
    Ok(Outcome { packets, steps: steps.collect(), wrong, faults })
}

fn open(log: &Mutex<Log>) -> MutexGuard<'_, Log> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the golden model through the same, and looks what became of each packet.
fn compare(
    versions: &[Version],
    steps: &[(u64, Change)],
    log: &mut Log,
    entered: &[u64],
    times: &[u64],
) -> Result<(Vec<Packet>, u64)> {
    if log.sent.len() != entered.len() || entered.len() != times.len() {
        bail!("{} packets were sent, {} entered", log.sent.len(), entered.len());
    }
    let golden = |version: &Version| -> Result<Golden> {
        let mut golden = Golden::new(&version.program)?;
        version.writes.iter().try_for_each(|write| golden.write(write))?;
        Ok(golden)
    };
    let mut model = golden(&versions[0])?;
    // The firewall that was taken away, as it was then.
    let mut aside: Option<Golden> = None;
    let (mut packets, mut wrong, mut taken) = (Vec::new(), 0, 0);
    let mut out = Output::new();
    for (number, (((flow, bytes), at), time_us)) in
        (0..).zip(log.sent.iter().zip(entered).zip(times))
    {
        while let Some((_, change)) = steps.get(taken).filter(|(_, c)| c.flip.at <= number) {
            taken += 1;
            let mut next = golden(&versions[taken])?;
            if let Some(aside) = aside.as_ref().filter(|_| !change.plan.adoption.resumed.is_empty())
            {
                next.adopt(aside, &|_| true)?;
            }
            next.adopt(&model, &|_| true)?;
            aside = Some(std::mem::replace(&mut model, next));
        }
        let port = PORTS[usize::from(*flow != Flow::Opens)];
        model.process(&Input { time_us: *time_us, ..Input::new(port, bytes) }, &mut out);
        let mut latency = None;
        for (port, bytes) in out.packets() {
            match log.received.pop_front() {
                Some(got) => {
                    wrong += u64::from((got.destination(), got.bytes.as_slice()) != (port, bytes));
                    latency = Some(got.first.saturating_sub(*at));
                }
                None => wrong += 1,
            }
        }
        packets.push(Packet { flow: *flow, at: *at, latency, steps: taken });
    }
    Ok((packets, wrong + log.received.len() as u64))
}
