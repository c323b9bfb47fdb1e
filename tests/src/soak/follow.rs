//! The golden model follows a card: it changes at the packets at which the card did, with the same state.

use super::pool::{FUNCTIONS, MARKED, MARKS, STAMPS, Versions, order, suffix};
use super::traffic::Log;
use crate::hardware::card::Card;
use restage_golden::{Golden, Input, Output};
use restage_program::Checked;
use restage_program::entry::Write;
use std::collections::VecDeque;

/// Differences that are said.
const SAID: usize = 5;

/// A packet that is waited for.
#[derive(Debug)]
struct Expected {
    number: u64,
    port: u16,
    bytes: Vec<u8>,
    /// The program that it met, by its place in the list.
    program: usize,
}

/// What was seen of packets.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Packets that entered.
    pub sent: u64,
    /// Packets that left.
    pub received: u64,
    /// Packets that the program dropped.
    pub dropped: u64,
    /// Packets that left and are not the next one that the model says.
    pub different: u64,
    /// Packets whose stamps are not all of the program that ran.
    pub mixed: u64,
    /// The first differences in words.
    pub wrong: Vec<String>,
}

/// The model beside a card.
#[derive(Debug)]
pub struct Follower {
    model: Golden,
    /// What served before the last change, as it was then, and what did not go on from it.
    previous: Option<(Golden, Versions, Vec<String>)>,
    /// Functions that were taken away, as they were then.
    aside: [Option<Golden>; FUNCTIONS],
    programs: Vec<Versions>,
    waiting: VecDeque<(u16, Vec<u8>)>,
    times: VecDeque<u64>,
    expected: VecDeque<Expected>,
    next: u64,
    out: Output,
    /// What was seen.
    pub seen: Seen,
}

impl Follower {
    /// Beside a card that has just been booted.
    pub fn new(model: Golden, versions: Versions) -> Self {
        Follower {
            model,
            previous: None,
            aside: Default::default(),
            programs: vec![versions],
            waiting: VecDeque::new(),
            times: VecDeque::new(),
            expected: VecDeque::new(),
            next: 0,
            out: Output::new(),
            seen: Seen::default(),
        }
    }

    /// What runs.
    pub fn versions(&self) -> &Versions {
        &self.programs[self.programs.len() - 1]
    }

    /// The version that a function had when it last ran; the first one if it never did.
    pub fn last(&self, function: usize) -> u8 {
        let mut all =
            self.programs.iter().rev().filter_map(|versions| versions.functions[function]);
        all.next().unwrap_or(1)
    }

    /// The model of what runs.
    pub fn model(&self) -> &Golden {
        &self.model
    }

    /// Takes over what has happened, and compares up to the packet of this number, or as far as is known.
    pub fn follow(&mut self, card: &mut Card, log: &mut Log, until: Option<u64>) {
        self.waiting.extend(log.sent.drain(..));
        let run = card.seen();
        self.times.extend(run.gate.iter().map(|seen| seen.values[1]));
        while until.is_none_or(|until| self.next < until) {
            let Some(time_us) = self.times.pop_front() else { break };
            let Some((port, bytes)) = self.waiting.pop_front() else { break };
            self.seen.sent += 1;
            self.model.process(&Input { time_us, ..Input::new(port, &bytes) }, &mut self.out);
            let mut any = false;
            for (port, bytes) in self.out.packets() {
                any = true;
                let (number, program) = (self.next, self.programs.len() - 1);
                let bytes = bytes.to_vec();
                self.expected.push_back(Expected { number, port, bytes, program });
            }
            self.seen.dropped += u64::from(!any);
            self.next += 1;
        }
        while let Some(expected) = self.expected.pop_front() {
            let Some(got) = log.received.pop_front() else {
                self.expected.push_front(expected);
                break;
            };
            self.seen.received += 1;
            self.compare(&expected, got.destination(), &got.bytes);
        }
    }

    /// Packets that the model has sent and the card has not, and the other way round. 0 when all is out.
    pub fn missing(&self, log: &Log) -> (usize, usize) {
        (self.expected.len() + self.waiting.len(), log.received.len())
    }

    fn compare(&mut self, expected: &Expected, port: u16, bytes: &[u8]) {
        let programs = &self.programs;
        let versions = &programs[expected.program];
        if !stamped(versions, bytes) {
            self.seen.mixed += 1;
            self.say(format!(
                "packet {} left with stamps {:?} and marks {:?} while {versions} ran",
                expected.number,
                bytes.get(STAMPS..STAMPS + FUNCTIONS),
                bytes.get(MARKS..MARKS + 3)
            ));
        }
        if (port, bytes) != (expected.port, expected.bytes.as_slice()) {
            self.seen.different += 1;
            let at = bytes.iter().zip(&expected.bytes).position(|(a, b)| a != b);
            self.say(format!(
                "packet {} left by port {port} with {} bytes, the model says port {} and {} bytes; the first byte that differs: {at:?}",
                expected.number,
                bytes.len(),
                expected.port,
                expected.bytes.len()
            ));
        }
    }

    fn say(&mut self, text: String) {
        if self.seen.wrong.len() < SAID {
            self.seen.wrong.push(text);
        }
    }

    /// From now on entries are others.
    pub fn batch(&mut self, writes: &[Write]) -> anyhow::Result<()> {
        writes.iter().try_for_each(|write| self.model.write(write))?;
        self.previous = None;
        Ok(())
    }

    /// From now on another program runs. `resumed`: functions that are where they were; `reset`: state that begins anew.
    pub fn change(
        &mut self,
        program: &Checked,
        versions: &Versions,
        writes: &[Write],
        resumed: &[usize],
        reset: &[&str],
    ) -> anyhow::Result<()> {
        let mut model = Golden::new(program)?;
        writes.iter().try_for_each(|write| model.write(write))?;
        for function in resumed {
            if let Some(aside) = &self.aside[*function] {
                let end = suffix(*function);
                model.adopt(aside, &|name| name.ends_with(&end))?;
            }
        }
        model.adopt(&self.model, &|name| !reset.contains(&name))?;
        let old = std::mem::replace(&mut self.model, model);
        let reset = reset.iter().map(ToString::to_string).collect();
        self.leave(old, versions.clone(), reset);
        Ok(())
    }

    /// From now on what ran before the last change runs again.
    pub fn roll_back(&mut self) -> anyhow::Result<()> {
        let (mut model, versions, reset) =
            self.previous.take().ok_or_else(|| anyhow::anyhow!("nothing to go back to"))?;
        model.go_back(&self.model, &|name| !reset.iter().any(|other| other == name))?;
        let old = std::mem::replace(&mut self.model, model);
        self.leave(old, versions, reset);
        Ok(())
    }

    fn leave(&mut self, old: Golden, versions: Versions, reset: Vec<String>) {
        let before = self.versions().clone();
        for function in 0..FUNCTIONS {
            if before.functions[function].is_some() && versions.functions[function].is_none() {
                self.aside[function] = Some(old.clone());
            }
        }
        self.previous = Some((old, before, reset));
        self.programs.push(versions);
    }
}

/// Whether the stamps in a packet are those of the versions of one program. A packet too short for them says nothing.
fn stamped(versions: &Versions, bytes: &[u8]) -> bool {
    let Some(marks) = bytes.get(MARKS..MARKS + 3) else { return true };
    let of = |at: usize| match versions.functions[at] {
        Some(version) => bytes[STAMPS + at] & 0x7f == version,
        None => bytes[STAMPS + at] == 0,
    };
    bytes[3] == versions.parser
        && (0..FUNCTIONS).all(of)
        && order(versions.deparser).map(|at| MARKED[at]) == marks
}
