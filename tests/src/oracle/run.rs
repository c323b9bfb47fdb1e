//! Runs the tests and the trace of a case on a subject.

use super::case::{Case, Frame};
use super::compare::{self, Verdict, hex};
use super::report::{Difference, Outcome};
use super::state;
use super::stf::Stf;
use super::subject::{Source, Subject, from_library, imported};
use restage_golden::{Golden, Input, Output};
use restage_program::Bits;
use restage_program::entity::Digest;

/// Between two packets of a trace, in microseconds. No trace depends on it.
pub const GAP_US: u64 = 1000;

/// One description of a case; `None` if the library has none.
pub fn subject(case: &Case, source: Source) -> Result<Option<Subject>, String> {
    let reference = imported(case)?;
    match source {
        Source::Imported => Subject::new(reference.clone(), &reference).map(Some),
        Source::Library => {
            from_library(case).map(|program| Subject::new(program, &reference)).transpose()
        }
    }
}

/// Runs a case on one description.
pub fn run(case: &Case, source: Source, only_stf: Option<u32>) -> Outcome {
    let mut outcome = Outcome::new(&case.name, source);
    match subject(case, source) {
        Ok(Some(subject)) => {
            run_stf(case, &subject, only_stf, &mut outcome);
            if only_stf.is_none() {
                run_trace(case, &subject, &mut outcome);
            }
        }
        Ok(None) => outcome.missing = true,
        Err(e) => outcome.broken(case, only_stf.is_some(), e),
    }
    outcome
}

/// Runs the symbolic tests.
pub fn run_stf(case: &Case, subject: &Subject, only: Option<u32>, outcome: &mut Outcome) {
    for (number, text) in case.stf.iter().filter(|(n, _)| only.is_none_or(|only| **n == only)) {
        let result = subject.stf(text).and_then(|test| {
            let have = replay(subject, &test, None)?;
            compare::patterns(&test.expected, &have)
        });
        match result {
            Ok(()) => outcome.stf.passed += 1,
            Err(what) => {
                outcome.stf.failed += 1;
                outcome.note(|| {
                    let mut trace = Vec::new();
                    if let Ok(test) = subject.stf(text) {
                        // What went wrong is known already; this run is for the trace alone.
                        let _ = replay(subject, &test, Some(&mut trace));
                    }
                    Difference { place: format!("stf {number}"), what, trace }
                });
            }
        }
    }
}

/// What a test makes come out.
fn replay(
    subject: &Subject,
    test: &Stf,
    mut trace: Option<&mut Vec<String>>,
) -> Result<Vec<Frame>, String> {
    let mut golden = subject.model(&test.writes)?;
    let mut out = Output::new();
    let mut frames = Vec::new();
    for (at, (port, bytes)) in (0..).zip(&test.packets) {
        let input = Input { time_us: at * GAP_US, ..Input::new(*port, bytes) };
        process(&mut golden, &input, &mut out, trace.as_deref_mut());
        frames.extend(sent(&out));
    }
    Ok(frames)
}

fn process(golden: &mut Golden, input: &Input, out: &mut Output, trace: Option<&mut Vec<String>>) {
    match trace {
        Some(lines) => golden.process_traced(input, out, &mut |e| lines.push(e.to_string())),
        None => golden.process(input, out),
    }
}

fn sent(out: &Output) -> impl Iterator<Item = Frame> {
    out.packets().map(|(port, bytes)| Frame { port, bytes: bytes.to_vec() })
}

/// Runs the trace and compares the state behind it.
pub fn run_trace(case: &Case, subject: &Subject, outcome: &mut Outcome) {
    if let Err(e) = try_trace(case, subject, outcome) {
        outcome.packets.failed = case.trace.inputs.len() as u64 - outcome.packets.passed;
        outcome.state.failed = case.trace.state.len() as u64;
        outcome.note(|| Difference { place: "trace".into(), what: e, trace: Vec::new() });
    }
}

fn try_trace(case: &Case, subject: &Subject, outcome: &mut Outcome) -> Result<(), String> {
    let entries = subject.entries(&case.entries)?;
    let mut golden = subject.model(&entries)?;
    let mut out = Output::new();
    for (number, frame) in &case.trace.inputs {
        process(&mut golden, &input(*number, frame), &mut out, None);
        let have: Vec<Frame> = sent(&out).collect();
        let digests: Vec<_> = out.digests().collect();
        count(case, subject, *number, (&have, &digests), outcome);
    }
    outcome.compared(&state::compare(subject, &mut golden, &entries, &case.trace.state)?);
    Ok(())
}

fn input(number: u32, frame: &Frame) -> Input<'_> {
    Input { time_us: u64::from(number) * GAP_US, ..Input::new(frame.port, &frame.bytes) }
}

/// Counts what one packet caused, its frames and its digests, against what it caused in BMv2.
pub fn count(
    case: &Case,
    subject: &Subject,
    number: u32,
    (have, digests): (&[Frame], &[(Digest, Vec<Bits>)]),
    outcome: &mut Outcome,
) {
    match verdict(case, subject, number, have, digests) {
        Verdict::Same => outcome.packets.passed += 1,
        Verdict::Reordered => {
            outcome.packets.passed += 1;
            outcome.reordered += 1;
        }
        Verdict::Different(what) => {
            outcome.packets.failed += 1;
            outcome.note(|| {
                let trace = trace_of(case, subject, number).unwrap_or_default();
                Difference { place: format!("packet {number}"), what, trace }
            });
        }
    }
}

/// What one packet caused against what it caused in BMv2.
pub fn verdict(
    case: &Case,
    subject: &Subject,
    number: u32,
    have: &[Frame],
    digests: &[(Digest, Vec<Bits>)],
) -> Verdict {
    let none = Vec::new();
    let verdict = compare::frames(case.trace.outputs.get(&number).unwrap_or(&none), have);
    if matches!(verdict, Verdict::Different(_)) {
        return verdict;
    }
    let want: Vec<&str> = case.trace.digests.get(&number).map_or(Vec::new(), |digests| {
        digests.iter().map(|(_, content)| content.as_str()).collect()
    });
    let text = |fields: &Vec<Bits>| fields.iter().map(|f| hex(&f.to_be_bytes())).collect();
    let have: Vec<String> = digests.iter().map(|(_, fields)| text(fields)).collect();
    if want != have {
        return Verdict::Different(format!("digests: BMv2 sent {want:?}, the model {have:?}"));
    }
    if let Some((name, _)) = case.trace.digests.get(&number).and_then(|d| d.first()) {
        let sent: Option<&str> = digests.first().and_then(|(digest, _)| {
            subject.program().digests.get(*digest).map(|d| d.preamble.name.as_str())
        });
        // The library may call the only digest of a program otherwise.
        if sent != Some(name) && subject.program().digests.len() > 1 {
            return Verdict::Different(format!("BMv2 sent the digest {name}, the model {sent:?}"));
        }
    }
    verdict
}

/// The steps of one packet, after all packets before it.
pub fn trace_of(case: &Case, subject: &Subject, number: u32) -> Result<Vec<String>, String> {
    let mut golden = subject.model(&subject.entries(&case.entries)?)?;
    let mut out = Output::new();
    for (before, frame) in case.trace.inputs.range(..number) {
        process(&mut golden, &input(*before, frame), &mut out, None);
    }
    let frame = case.trace.inputs.get(&number).ok_or_else(|| format!("no packet {number}"))?;
    let mut lines = Vec::new();
    process(&mut golden, &input(number, frame), &mut out, Some(&mut lines));
    Ok(lines)
}
