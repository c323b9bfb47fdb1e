//! What the judging of mutants rests on: proofs are found where there is no difference, and only there.

#![allow(clippy::unwrap_used)] // a test may

use restage_tests::mutants::check::Check;
use restage_tests::mutants::prove::{Proof, gates, prove};
use restage_tests::mutants::{Fate, Tally};
use restage_tests::tools::Design;
use restage_tests::tools::mutate::{Mutation, SELECT};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

/// A circuit with an input that chooses what one of its wires is.
fn design(body: &str) -> Design {
    let text = format!(
        "module m(input clk_i, input rst_ni, input {SELECT}, input a_i, input b_i, input [3:0] c_i, output reg q_o);
            {body}
        endmodule"
    );
    Design::new("m", text)
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Whether it is shown to be the same.
fn same(body: &str) -> bool {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mutants{number}"));
    std::fs::create_dir_all(&folder).unwrap();
    let gates = gates(&design(body), &folder).unwrap().unwrap();
    let [mode, place, source] = [const { String::new() }; 3];
    let mutation = Mutation { number: 1, mode, place, source, part: 0 };
    prove(&gates, &mutation, &folder).unwrap().is_some()
}

#[test]
fn what_makes_no_difference_is_found() {
    for body in [
        // Nothing reads it.
        format!("reg x; always @(posedge clk_i) begin x <= a_i ^ {SELECT}; q_o <= b_i; end"),
        // The same function.
        format!("always @(posedge clk_i) q_o <= a_i & (a_i | (b_i ^ {SELECT}));"),
        // A register that differs and is not looked at.
        format!(
            "reg v, x; always @(posedge clk_i) begin v <= a_i; x <= a_i ? b_i : {SELECT}; q_o <= v & x; end"
        ),
        // A memory that is not written then.
        format!(
            "reg [3:0] r [0:63]; always @(posedge clk_i) begin
                if (a_i & !{SELECT} | a_i) r[c_i] <= c_i; q_o <= r[{{b_i, c_i}}][0]; end"
        ),
        // A state that no reset leads to.
        format!(
            "reg [1:0] s; always @(posedge clk_i) begin
                s <= !rst_ni ? 2'd1 : {{s[0], s[1]}}; q_o <= s == 2'd0 ? a_i ^ {SELECT} : b_i; end"
        ),
    ] {
        assert!(same(&body), "{body}");
    }
}

#[test]
fn what_makes_a_difference_is_never_the_same() {
    for body in [
        format!("always @(posedge clk_i) q_o <= a_i & (b_i ^ {SELECT});"),
        format!("reg x; always @(posedge clk_i) begin x <= a_i ^ {SELECT}; q_o <= x; end"),
        format!(
            "reg [1:0] s; always @(posedge clk_i) begin
                s <= !rst_ni ? 2'd1 : s + {{1'b0, b_i}}; q_o <= s == 2'd3 ? a_i ^ {SELECT} : b_i; end"
        ),
        format!(
            "reg [3:0] r [0:63]; always @(posedge clk_i) begin
                if (a_i ^ {SELECT}) r[c_i] <= c_i; q_o <= r[{{b_i, c_i}}][0]; end"
        ),
        format!(
            "reg [3:0] r [0:63]; always @(posedge clk_i) begin
                if (a_i) r[c_i] <= c_i; q_o <= r[{{b_i ^ {SELECT}, c_i}}][0]; end"
        ),
        format!(
            "reg [3:0] r [0:7]; always @(posedge clk_i) begin
                if (a_i) r[c_i[2:0]] <= c_i ^ {{3'b0, {SELECT}}}; q_o <= r[c_i[3:1]][0]; end"
        ),
    ] {
        assert!(!same(&body), "{body}");
    }
}

#[test]
fn what_is_caught_must_be_enough_and_what_is_not_have_a_reason() {
    let caught = Fate::Caught(Check::Rtl("cells", "a"));
    let tally = |fates: &[(usize, &Fate, Option<&str>)]| {
        let mut tally = Tally::default();
        for (count, fate, reason) in fates {
            (0..*count).for_each(|_| tally.add(fate, *reason));
        }
        tally.fine()
    };
    let equal = Fate::Equal(Proof::Structure);
    let reason = Some("nobody reads it");
    assert!(tally(&[(19, &caught, None), (1, &Fate::Survived, reason)]));
    assert!(tally(&[(19, &caught, None), (1, &Fate::Survived, reason), (40, &equal, None)]));
    assert!(!tally(&[(19, &caught, None), (1, &Fate::Survived, None)]), "no reason");
    assert!(!tally(&[(18, &caught, None), (1, &Fate::Survived, reason)]), "too few");
    assert!(!tally(&[(20, &Fate::Survived, None)]), "nobody looks");
    assert!(!tally(&[(20, &equal, None)]), "nothing was tried");
}
