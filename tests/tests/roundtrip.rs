//! What is compared when programs go around through P4, without p4c.

#![allow(clippy::unwrap_used)]

use restage_program::check::Checked;
use restage_tests::random::compare::Case;
use restage_tests::random::trial::{case_for, trial};
use restage_tests::roundtrip::{behave, tame};

fn tamed(seed: u64) -> Case {
    let case = trial(seed, 1).unwrap();
    let program = tame::tame(&case.program).unwrap_or_else(|| panic!("seed {seed}"));
    let writes = tame::writes(&program, &case.writes);
    let program = program.check().unwrap_or_else(|e| panic!("seed {seed}: {e:?}"));
    case_for(program, writes, seed, 60)
}

/// Nearly all random programs can be said in P4 once they are tamed.
#[test]
fn tamed_programs_have_few_gaps() {
    let mut gaps = 0;
    for seed in 1..=40 {
        let case = tamed(seed);
        assert_eq!(case.program.to_string(), case.program.to_string());
        gaps += usize::from(!case.program.p4_gaps().is_empty());
    }
    assert!(gaps <= 15, "{gaps} of 40");
}

/// A program behaves as itself, and a difference is seen.
#[test]
fn behaviour_is_compared() {
    let mut seen = 0;
    for seed in 1..=12 {
        let case = tamed(seed);
        behave::compare(&case, &case.program).unwrap();
        let mut other = Checked::clone(&case.program).into_inner();
        other.ingress.push(restage_program::stmt::StmtKind::MarkToDrop.into());
        let other = other.check().unwrap();
        seen += usize::from(behave::compare(&case, &other).is_err());
    }
    assert!(seen >= 8, "{seen} of 12");
}
