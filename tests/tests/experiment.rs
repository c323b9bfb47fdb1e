//! The experiment with the firewall: every verdict is right, and no packet takes longer than the bubble allows.

#![allow(clippy::unwrap_used)] // a test may

use restage_tests::experiment::{Flow, Outcome, STEPS, run};

fn checked(outcome: &Outcome) {
    assert_eq!((outcome.wrong, outcome.faults), (0, 0));
    assert_eq!(outcome.steps.len(), STEPS.len());
    let passed = |flow: Flow, steps: usize| {
        let here = outcome.packets.iter().filter(|p| p.flow == flow && p.steps == steps);
        let all: Vec<bool> = here.map(|p| p.latency.is_some()).collect();
        let passed = all.iter().filter(|passed| **passed).count();
        (passed, all.len() - passed)
    };
    let some = |n: usize| n > 0;
    // Unknown ones pass while there is no firewall, known ones that came far until one looks.
    for (steps, known, unknown) in [
        (0, (true, false), (false, true)),
        (1, (true, true), (false, true)),
        (2, (true, false), (true, false)),
        (3, (true, true), (false, true)),
    ] {
        for (flow, wanted) in [(Flow::Known, known), (Flow::Unknown, unknown)] {
            let (passed, dropped) = passed(flow, steps);
            assert_eq!((some(passed), some(dropped)), wanted, "{flow:?} after {steps} steps");
        }
    }
}

#[test]
fn a_firewall_is_replaced_bypassed_and_restored() {
    let slow = run(Some([3000, 1000]), 1_500_000, true, &mut |_, _| {}).unwrap();
    checked(&slow);
    let latency = |steps: usize| {
        let here = slow.packets.iter().filter(move |p| p.steps == steps);
        here.filter_map(|p| p.latency).collect::<Vec<_>>()
    };
    let usual = latency(0)[0];
    for (steps, step) in (1..).zip(&slow.steps) {
        let bubble = step.change.plan.there.ingress + step.change.plan.there.egress;
        for clocks in latency(steps) {
            assert!(clocks <= usual + u64::from(bubble), "{clocks} clocks, {usual} before");
        }
    }
    let fast = run(None, 1500, true, &mut |_, _| {}).unwrap();
    checked(&fast);
    for step in &fast.steps {
        assert!(step.change.flip.inside.iter().all(|n| *n > 0), "{:?}", step.change.flip);
    }
}

/// Clocks in which nothing is inside may be skipped: packets leave in the same clocks.
#[test]
fn skipped_clocks_make_no_difference() {
    let [skipped, evaluated] = [true, false].map(|skip| {
        let outcome = run(Some([12_000, 4000]), 120_000, skip, &mut |_, _| {}).unwrap();
        assert_eq!((outcome.wrong, outcome.faults), (0, 0));
        outcome.packets.iter().map(|p| (p.flow, p.at, p.latency)).collect::<Vec<_>>()
    });
    assert!(skipped.len() > 30, "{}", skipped.len());
    assert_eq!(skipped, evaluated);
}
