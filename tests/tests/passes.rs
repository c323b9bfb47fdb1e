//! Passes keep what a program means: the golden model of what comes out does what that of what went in does.

#![allow(clippy::unwrap_used)] // a test may

use restage_compile::passes::{self, ALL as PASSES};
use restage_golden::{Golden, Input, Output};
use restage_library::ALL;
use restage_program::check::Checked;
use restage_program::{Program, entries_text};
use restage_tests::random::compare::Case;
use restage_tests::random::trial::{case_for, trial};

/// The first difference between a case's program and another.
fn difference(case: &Case, after: &Checked) -> Option<String> {
    let mut models = [Golden::new(&case.program).unwrap(), Golden::new(after).unwrap()];
    for write in &case.writes {
        let [a, b] = models.each_mut().map(|m| m.write(write).is_ok());
        if a != b {
            return Some(format!("{write:?}"));
        }
    }
    let mut outs = [Output::new(), Output::new()];
    for (i, packet) in case.packets.iter().enumerate() {
        let input = Input { time_us: packet.time_us, ..Input::new(packet.port, &packet.bytes) };
        for (model, out) in models.iter_mut().zip(&mut outs) {
            model.process(&input, out);
        }
        let [a, b] = outs.each_ref().map(|out| {
            let packets: Vec<(u16, Vec<u8>)> =
                out.packets().map(|(port, bytes)| (port, bytes.to_vec())).collect();
            (packets, out.digests().collect::<Vec<_>>(), out.drops)
        });
        if a != b {
            return Some(format!("packet {i}: {a:?} before, {b:?} after"));
        }
    }
    let [a, b] = models.each_ref();
    for (register, decl) in case.program.registers.iter() {
        for i in 0..decl.size {
            if a.register(register, i) != b.register(register, i) {
                return Some(format!("register {}[{i}]", decl.preamble.name));
            }
        }
    }
    for (counter, decl) in case.program.counters.iter() {
        for i in 0..decl.size {
            if a.counter(counter, i) != b.counter(counter, i) {
                return Some(format!("counter {}[{i}]", decl.preamble.name));
            }
        }
    }
    None
}

/// After every pass on top of those before: checked again, and the same behaviour. Returns the passes that
/// changed something.
fn try_all(name: &str, case: &Case) -> Vec<&'static str> {
    let mut program: Program = case.program.clone().into_inner();
    let mut changed = Vec::new();
    for (pass, run) in PASSES {
        let after = run(program.clone());
        if after != program {
            changed.push(*pass);
        }
        let checked =
            after.clone().check().unwrap_or_else(|v| panic!("{name} after {pass}: {v:?}"));
        if let Some(text) = difference(case, &checked) {
            panic!("{name} after {pass}: {text:.600}\n{}", *checked);
        }
        program = after;
    }
    changed
}

#[test]
fn passes_keep_what_library_programs_do() {
    let mut changed: Vec<&str> = Vec::new();
    for item in ALL {
        let program = item.program().check().unwrap();
        let writes = entries_text::parse(&program, item.entries).unwrap();
        changed.extend(try_all(item.name, &case_for(program, writes, 3, 150)));
    }
    for pass in ["inline", "flatten", "unroll"] {
        assert!(changed.contains(&pass), "{pass} changed none of the library's programs");
    }
}

#[test]
fn passes_keep_what_random_programs_do() {
    let mut changed: Vec<&str> = Vec::new();
    for seed in 1..=80 {
        changed.extend(try_all(&format!("seed {seed}"), &trial(seed, 60).unwrap()));
    }
    for (pass, _) in PASSES {
        assert!(changed.contains(pass), "{pass} changed none of the random programs");
    }
}

/// A pass that has run has nothing left to do.
#[test]
fn passes_finish() {
    let once = passes::prune(restage_library::get("mpls").unwrap().program());
    assert_eq!(passes::prune(once.clone()), once);
    let unrolled = passes::unroll(once.clone());
    assert!(unrolled.states.len() > once.states.len());
    assert_eq!(passes::unroll(unrolled.clone()), unrolled);
}
