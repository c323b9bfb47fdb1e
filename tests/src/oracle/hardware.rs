//! The oracle on hardware: the recorded tests and traces on verilated cards, against what BMv2 did.
//!
//! A card is built for a program once and reset between tests, which clears all its state; entries are installed over
//! the configuration bus as a host would. A trace is played at full rate where a packet's fate cannot depend on when the
//! next one comes. Packets that come back, messages that wait to be read and meters make a difference: there each packet is
//! sent when nothing of the one before is inside, at the time that the golden model is given for it. A trace that is not right at
//! full rate is played again like that, so that the packets that differ are named.
//!
//! No program of the oracle reads a clock or a queue (its README says why), so no test is left out for that.
//! A description that cannot be hardware fails with all its tests. Nothing else is left out but numbers that a counter is not
//! declared to keep, which the report counts.

use super::case::{Case, Frame};
use super::compare::{self, Verdict};
use super::report::{Difference, Outcome};
use super::run::{GAP_US, count, subject, verdict};
use super::state::{self, State};
use super::stf::Stf;
use super::subject::{Source, Subject};
use crate::hardware::Packet;
use crate::hardware::card::{Card, CardError};
use restage_gen::hardware::build;
use restage_program::Bits;
use restage_program::entity::{Counter, Digest, Register, Table};
use restage_program::entry::{CounterValue, KeyMatch, Write};
use restage_program::program::Unit;
use restage_sim_verilator::BenchOptions;

/// Runs a case on the hardware of one description.
pub fn run(case: &Case, source: Source, only_stf: Option<u32>) -> Outcome {
    let mut outcome = Outcome::new(&case.name, source);
    match subject(case, source) {
        Ok(Some(subject)) => {
            if let Err(e) = run_on(case, &subject, only_stf, &mut outcome) {
                outcome.broken(case, only_stf.is_some(), e);
            }
        }
        Ok(None) => outcome.missing = true,
        Err(e) => outcome.broken(case, only_stf.is_some(), e),
    }
    outcome
}

fn run_on(
    case: &Case,
    subject: &Subject,
    only: Option<u32>,
    outcome: &mut Outcome,
) -> Result<(), String> {
    let hardware = build(subject.program()).map_err(|e| e.to_string())?;
    let card = Card::new(subject.program(), &hardware, BenchOptions::default()).map_err(said)?;
    let mut bench = Bench { card, subject, used: false };
    for (number, text) in case.stf.iter().filter(|(n, _)| only.is_none_or(|only| **n == only)) {
        let result = subject.stf(text).and_then(|test| {
            let have = bench.test(&test)?;
            compare::patterns(&test.expected, &have)
        });
        match result {
            Ok(()) => outcome.stf.passed += 1,
            Err(what) => {
                outcome.stf.failed += 1;
                let place = format!("stf {number}");
                outcome.note(|| Difference { place, what, trace: Vec::new() });
            }
        }
    }
    if only.is_none() {
        bench.trace(case, outcome)?;
    }
    Ok(())
}

fn said(error: CardError) -> String {
    error.to_string()
}

/// What a packet caused.
type Caused = (Vec<Frame>, Vec<(Digest, Vec<Bits>)>);

/// A card for a description.
struct Bench<'a> {
    card: Card,
    subject: &'a Subject,
    used: bool,
}

impl Bench<'_> {
    /// As new, with these entries, said as the data says them.
    fn begin(&mut self, writes: &[Write]) -> Result<(), String> {
        if self.used {
            self.card.restart(self.subject.program()).map_err(said)?;
        }
        self.used = true;
        for write in writes {
            let write = self.subject.translation().write(write)?;
            let done = self.card.install(&write).map_err(said)?;
            done.map_err(|e| format!("{e}, in {write:?}"))?;
        }
        Ok(())
    }

    fn one(&mut self, port: u16, bytes: &[u8], time: u64) -> Result<Caused, String> {
        self.card.nic.set_time(time);
        let packet = Packet { port, bytes: bytes.to_vec() };
        let run = self.card.run_one(&packet).map_err(said)?;
        let frame =
            |r: restage_sim_verilator::Received| Frame { port: r.destination(), bytes: r.bytes };
        let messages = self.card.messages(self.subject.program()).map_err(said)?;
        Ok((run.received.into_iter().map(frame).collect(), messages))
    }

    fn test(&mut self, test: &Stf) -> Result<Vec<Frame>, String> {
        self.begin(&test.writes)?;
        let mut frames = Vec::new();
        for (at, (port, bytes)) in (0..).zip(&test.packets) {
            frames.extend(self.one(*port, bytes, at * GAP_US)?.0);
        }
        Ok(frames)
    }

    fn trace(&mut self, case: &Case, outcome: &mut Outcome) -> Result<(), String> {
        let entries = self.subject.entries(&case.entries)?;
        let program = self.subject.program();
        let metered = !program.meters.is_empty()
            || program.tables.values().any(|table| table.meter.is_some());
        let apart = self.card.loops() || metered || !program.digests.is_empty();
        let number = case.trace.inputs.len() as u64;
        self.begin(&entries)?;
        let fast = match apart {
            true => Some("not tried".to_string()),
            false => self.at_full_rate(case)?,
        };
        match fast {
            None => {
                outcome.packets.passed += number;
                outcome.at_full_rate += number;
            }
            Some(_) if apart => self.one_by_one(case, outcome)?,
            Some(what) => {
                self.begin(&entries)?;
                self.one_by_one(case, outcome)?;
                // The packets may all be right when there is time between them.
                if outcome.packets.failed == 0 {
                    outcome.packets.failed = 1;
                    outcome.packets.passed -= 1;
                    let place = "trace at full rate".to_string();
                    outcome.note(|| Difference { place, what, trace: Vec::new() });
                }
            }
        }
        let mut state = OnCard { card: &mut self.card, subject: self.subject };
        outcome.compared(&state::compare(self.subject, &mut state, &entries, &case.trace.state)?);
        Ok(())
    }

    /// Sends the whole trace without a gap; the first difference in words. What leaves is in the order of what came, so as many
    /// packets as BMv2 sent for one belong to it.
    fn at_full_rate(&mut self, case: &Case) -> Result<Option<String>, String> {
        let packet = |f: &Frame| Packet { port: f.port, bytes: f.bytes.clone() };
        let packets: Vec<Packet> = case.trace.inputs.values().map(packet).collect();
        let run = self.card.run(&packets).map_err(said)?;
        let mut left = run.received.into_iter();
        let frame =
            |r: restage_sim_verilator::Received| Frame { port: r.destination(), bytes: r.bytes };
        for number in case.trace.inputs.keys() {
            let count = case.trace.outputs.get(number).map_or(0, Vec::len);
            let have: Vec<Frame> = left.by_ref().take(count).map(frame).collect();
            if let Verdict::Different(what) = verdict(case, self.subject, *number, &have, &[]) {
                return Ok(Some(format!("packet {number}: {what}")));
            }
        }
        Ok(left.next().map(|more| format!("more came out: {:?}", frame(more))))
    }

    fn one_by_one(&mut self, case: &Case, outcome: &mut Outcome) -> Result<(), String> {
        for (number, frame) in &case.trace.inputs {
            let time = u64::from(*number) * GAP_US;
            let (have, digests) = self.one(frame.port, &frame.bytes, time)?;
            count(case, self.subject, *number, (&have, &digests), outcome);
        }
        Ok(())
    }
}

/// The state of a card, read over the configuration bus.
struct OnCard<'a> {
    card: &'a mut Card,
    subject: &'a Subject,
}

impl State for OnCard<'_> {
    const KEEPS_ALL: bool = false;

    fn register(&mut self, register: Register, index: u32) -> Result<Bits, String> {
        let found = self.card.register(register, index).map_err(said)?;
        found.ok_or_else(|| "a register is in no region".into())
    }

    fn counter(&mut self, counter: Counter, index: u32) -> Result<CounterValue, String> {
        let unit = self.subject.program().counters[counter].unit;
        self.card.counter(counter, unit, index).map_err(said)
    }

    fn direct_counter(
        &mut self,
        table: Table,
        keys: &[KeyMatch],
        priority: u32,
    ) -> Result<CounterValue, String> {
        let counter = self.subject.program().tables[table].counter.as_ref();
        let unit = counter.map_or(Unit::Both, |c| c.unit);
        self.card.direct_counter(table, unit, keys, priority).map_err(said)
    }
}
