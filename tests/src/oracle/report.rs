//! What came of it: counts, the first difference, a table.

use super::case::Case;
use super::state::Compared;
use super::subject::Source;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// How many agreed and how many did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// As in the data.
    pub passed: u64,
    /// Otherwise.
    pub failed: u64,
}

impl Count {
    fn cell(self) -> String {
        match self.failed {
            0 => format!("{} ok", self.passed),
            n => format!("{} ok, {n} FAILED", self.passed),
        }
    }
}

impl std::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Count) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// One difference.
#[derive(Clone, Debug, Serialize)]
pub struct Difference {
    /// Where in the data.
    pub place: String,
    /// What is different.
    pub what: String,
    /// What the model did, step by step.
    pub trace: Vec<String>,
}

/// What came of a case on one description.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The program.
    pub program: String,
    /// Which description.
    pub source: &'static str,
    /// There is no such description.
    pub missing: bool,
    /// Symbolic tests.
    pub stf: Count,
    /// Packets of the trace.
    pub packets: Count,
    /// Passed packets whose copies on one port came in another order.
    pub reordered: u64,
    /// Passed packets that came without a gap, one packet per clock where they are short.
    pub at_full_rate: u64,
    /// Registers and counters behind the trace.
    pub state: Count,
    /// What was not run, by the reason.
    pub skipped: BTreeMap<String, u64>,
    /// The first difference.
    pub first: Option<Difference>,
}

impl Outcome {
    /// Nothing has been run.
    pub fn new(program: &str, source: Source) -> Self {
        Outcome {
            program: program.to_string(),
            source: source.name(),
            missing: false,
            stf: Count::default(),
            packets: Count::default(),
            reordered: 0,
            at_full_rate: 0,
            state: Count::default(),
            skipped: BTreeMap::new(),
            first: None,
        }
    }

    /// Keeps a difference if it is the first one.
    pub fn note(&mut self, difference: impl FnOnce() -> Difference) {
        if self.first.is_none() {
            self.first = Some(difference());
        }
    }

    /// Everything has failed, because there is no program to run.
    pub fn broken(&mut self, case: &Case, one_test: bool, why: String) {
        self.stf.failed = if one_test { 1 } else { case.stf.len() as u64 };
        if !one_test {
            self.packets.failed = case.trace.inputs.len() as u64;
            self.state.failed = case.trace.state.len() as u64;
        }
        self.note(|| Difference { place: "program".into(), what: why, trace: Vec::new() });
    }

    /// Tests, packets and contents that are not looked at, and why.
    pub fn skip(&mut self, why: &str, count: u64) {
        if count > 0 {
            *self.skipped.entry(why.to_string()).or_default() += count;
        }
    }

    /// Takes what a comparison of the state found.
    pub fn compared(&mut self, found: &Compared) {
        self.state.passed += found.right as u64;
        self.state.failed += found.wrong.len() as u64;
        self.skip("numbers that a counter is not declared to keep", found.not_kept as u64);
        if !found.wrong.is_empty() {
            let what = found.wrong.iter().take(8).cloned().collect::<Vec<_>>().join("\n    ");
            self.note(|| Difference { place: "state".into(), what, trace: Vec::new() });
        }
    }

    /// Whether anything is not as in the data.
    pub fn failed(&self) -> bool {
        self.missing || self.stf.failed + self.packets.failed + self.state.failed > 0
    }
}

/// How many tests, packets and contents agreed and did not; a missing program is one that did not.
pub fn sum(outcomes: &[Outcome]) -> (u64, u64) {
    let each = outcomes.iter().map(|o| {
        let mut all = Count { passed: 0, failed: u64::from(o.missing) };
        [o.stf, o.packets, o.state].into_iter().for_each(|c| all += c);
        all
    });
    let mut all = Count::default();
    each.for_each(|c| all += c);
    (all.passed, all.failed)
}

/// The table that people read, a line for each outcome and one for their sum.
pub fn table(outcomes: &[Outcome]) -> String {
    let mut out = String::new();
    let mut line = |cells: [&str; 6]| {
        let [program, source, stf, packets, state, first] = cells;
        let text = format!("{program:<18} {source:<9} {stf:<18} {packets:<24} {state:<20} {first}");
        // Writing to a string does not fail.
        let _ = writeln!(out, "{}", text.trim_end());
    };
    line(["program", "from", "tests", "packets", "state", "first difference"]);
    let (mut stf, mut packets, mut state) = (Count::default(), Count::default(), Count::default());
    for o in outcomes {
        if o.missing {
            line([&o.program, o.source, "MISSING", "", "", "the library has no such program"]);
            continue;
        }
        let first = o.first.as_ref().map_or(String::new(), |d| {
            let what = d.what.lines().next().unwrap_or_default();
            format!("{}: {}", d.place, what.chars().take(100).collect::<String>())
        });
        let cells = [o.stf.cell(), o.packets.cell(), o.state.cell()];
        line([&o.program, o.source, &cells[0], &cells[1], &cells[2], &first]);
        stf += o.stf;
        packets += o.packets;
        state += o.state;
    }
    let missing = outcomes.iter().filter(|o| o.missing).count();
    let note = if missing > 0 { format!("{missing} programs missing") } else { String::new() };
    line(["all", "", &stf.cell(), &packets.cell(), &state.cell(), &note]);
    let sum = |count: fn(&Outcome) -> u64| outcomes.iter().map(count).sum::<u64>();
    for (count, what) in [
        (sum(|o| o.at_full_rate), "packets came without a gap, the others one at a time"),
        (sum(|o| o.reordered), "packets with copies in another order on one port"),
    ] {
        if count > 0 {
            let _ = writeln!(out, "{count} {what}");
        }
    }
    let mut reasons: BTreeMap<&str, (u64, Vec<String>)> = BTreeMap::new();
    for o in outcomes {
        for (why, count) in &o.skipped {
            let (sum, of) = reasons.entry(why).or_default();
            *sum += count;
            of.push(format!("{} ({}) {count}", o.program, o.source));
        }
    }
    for (why, (sum, of)) in reasons {
        let _ = writeln!(out, "left out: {sum} {why}: {}", of.join(", "));
    }
    out
}
