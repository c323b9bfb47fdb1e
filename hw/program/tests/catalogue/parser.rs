//! The parser.

use restage_program::entity::State;
use restage_program::prelude::*;
use restage_program::program::{SelectOn, Target, Transition};

crate::cases! {
    states_without_a_start breaks P01: |p, b| p.program_mut().start = None;
    a_start_that_does_not_exist breaks I01: |p, b| p.program_mut().start = Some(State(40));
    a_transition_to_nowhere breaks I01: |p, b| p.program_mut().states[State(0)].next = Transition::To(Target::State(State(9)));
    a_select_without_keys breaks P02: |p, b| {
        let next = Transition::Select { keys: vec![], cases: vec![] };
        p.program_mut().states[State(0)].next = next
    };
    a_case_with_a_match_too_few breaks P02: |p, b| p.state("more", |c| {
        c.select((b.ip.ttl, b.ip.proto)).case(6, "accept").default("reject");
    });
    a_value_set_of_another_width breaks P03: |p, b| p.state("more", |c| {
        c.select(b.ip.ttl).value_set(b.ports, "accept").default("reject");
    });
    a_value_set_without_columns breaks P03: |p, b| p.value_set("nothing", [], 4);
    an_lpm_match_in_a_select breaks M01: |p, b| {
        let Transition::Select { cases, .. } = &mut p.program_mut().states[State(0)].next else { return };
        let value = restage_program::Bits::new(16, 0x800);
        cases[0].on = SelectOn::Keys(vec![restage_program::entry::KeyMatch::Lpm { value, prefix: 8 }])
    };
    a_case_that_does_not_fit_the_key breaks M02: |p, b| p.state("more", |c| {
        c.select(b.ip.ttl).case(0x1ff, "accept").default("reject");
    });
    a_range_upside_down breaks M03: |p, b| p.state("more", |c| {
        c.select(b.ip.ttl).case(range(7, 3), "accept").default("reject");
    });
    a_state_that_waits_for_itself breaks P04: |p, b| p.state("wait", |c| c.goto("wait"));
    a_cycle_that_only_looks_ahead breaks P04: |p, b| {
        p.state("look", |c| c.select(lookahead(8)).case(1, "skip").default("accept"));
        p.state("skip", |c| { c.advance(0); c.goto("look") })
    };
}

/// A cycle with an extract or an advance anywhere in it ends with the packet.
#[test]
fn cycles_that_consume_are_legal() {
    crate::wrong(|p, b| {
        p.state("look", |c| c.select(lookahead(8)).case(1, "skip").default("accept"));
        p.state("skip", |c| {
            c.advance(b.m.index);
            c.goto("look");
        });
    })
    .check()
    .unwrap();
}
