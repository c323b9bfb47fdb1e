//! The oracle as a test, and proof that it notices what is wrong.

#![allow(clippy::unwrap_used)] // a test may

use restage_program::Program;
use restage_tests::oracle::all::{self, Device, Selection};
use restage_tests::oracle::case::{self, Case};
use restage_tests::oracle::hardware;
use restage_tests::oracle::report::{Outcome, table};
use restage_tests::oracle::run::{run_stf, run_trace};
use restage_tests::oracle::subject::{Source, Subject, imported};

#[test]
fn the_model_does_what_bmv2_did() {
    let names = case::names(&case::directory()).unwrap();
    assert_eq!(names.len(), 36);
    let sources = vec![Source::Imported, Source::Library];
    let selection = Selection { device: Device::Model, sources, stf: None };
    let outcomes = all::run(&case::directory(), &names, &selection).unwrap();
    assert!(!outcomes.iter().any(Outcome::failed), "\n{}", table(&outcomes));
    let sum = |f: fn(&Outcome) -> u64| outcomes.iter().map(f).sum::<u64>();
    assert_eq!(sum(|o| o.stf.passed), 2 * 1425);
    assert_eq!(sum(|o| o.packets.passed), 2 * 19528);
}

fn l3_acl() -> (Case, Program) {
    let case = Case::load(&case::directory(), "l3_acl").unwrap();
    let program = imported(&case).unwrap();
    (case, program)
}

/// Runs a case whose data or program has been tampered with.
fn outcome(case: &Case, program: Program, reference: &Program) -> Outcome {
    let subject = Subject::new(program, reference).unwrap();
    let mut outcome = Outcome::new(&case.name, Source::Imported);
    run_stf(case, &subject, None, &mut outcome);
    run_trace(case, &subject, &mut outcome);
    outcome
}

#[test]
fn a_wrong_entry_is_noticed() {
    let (mut case, program) = l3_acl();
    let right = "10.0.1.128/25 => 3";
    assert!(case.entries.contains(right));
    case.entries = case.entries.replace(right, "10.0.1.128/25 => 2");
    let outcome = outcome(&case, program.clone(), &program);
    assert_eq!(outcome.stf.failed, 0);
    assert!(outcome.packets.failed > 0);
    assert!(outcome.packets.passed > 0);
}

#[test]
fn a_wrong_operation_is_noticed() {
    let (case, program) = l3_acl();
    let text = serde_json::to_string(&program).unwrap();
    // The TTL goes up instead of down.
    let wrong = text.replace("\"sub\"", "\"add\"");
    assert_ne!(text, wrong);
    let outcome = outcome(&case, serde_json::from_str(&wrong).unwrap(), &program);
    assert!(outcome.stf.failed > 0);
    assert!(outcome.packets.failed > 0);
    assert!(outcome.first.is_some_and(|d| !d.trace.is_empty()));
}

#[test]
fn wrong_state_is_noticed() {
    let (mut case, program) = l3_acl();
    let line = case.trace.state.first_mut().unwrap();
    *line = line.replace("packets 7", "packets 8");
    let outcome = outcome(&case, program.clone(), &program);
    assert_eq!((outcome.stf.failed, outcome.packets.failed, outcome.state.failed), (0, 0, 1));
}

#[test]
fn a_wrong_entry_is_noticed_on_hardware() {
    let (mut case, _) = l3_acl();
    case.entries = case.entries.replace("10.0.1.128/25 => 3", "10.0.1.128/25 => 2");
    let outcome = hardware::run(&case, Source::Library, None);
    assert_eq!((outcome.stf.failed, outcome.stf.passed), (0, 40));
    assert!(outcome.packets.failed > 0 && outcome.packets.passed > 0);
    assert!(outcome.first.is_some_and(|d| !d.trace.is_empty()));
}

#[test]
fn wrong_tests_and_wrong_state_are_noticed_on_hardware() {
    let (mut case, _) = l3_acl();
    let line = case.trace.state.first_mut().unwrap();
    *line = line.replace("packets 7", "packets 8");
    let expecting = case.stf.values_mut().find(|text| text.contains("expect")).unwrap();
    *expecting = expecting.replacen("expect", "#", 1);
    let outcome = hardware::run(&case, Source::Library, None);
    assert_eq!((outcome.stf.failed, outcome.packets.failed, outcome.state.failed), (1, 0, 1));
}
