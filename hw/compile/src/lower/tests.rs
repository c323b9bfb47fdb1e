use super::{Refusal, lower, shell_for};
use restage_manifest::ShellConfig;
use restage_program::prelude::*;

header! {
    struct Byte { value: bit<8>, more: bit<8> }
    struct Long { tag: bit<8>, rest: varbit<2048> }
}

fn refusals(describe: impl FnOnce(&mut Builder)) -> String {
    let program = build("p", describe).check().unwrap();
    let config = shell_for(&program, &ShellConfig::default());
    let refusals = lower(&program, &config).expect_err("it was lowered");
    let line = |r: &Refusal| format!("{}: {}; {}", r.subject, r.found, r.accepts);
    refusals.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What is said of each program that hardware cannot run.
#[test]
fn what_cannot_be_done_is_refused() {
    let mut said = Vec::new();
    let mut refused = |what: &str, text: String| said.push(format!("-- {what}\n{text}"));
    refused(
        "a parser that goes on behind the window",
        refusals(|p| {
            let long: Long = p.header("long");
            p.state("start", |c| {
                c.extract_var(long, lookahead(8).cast(bit(32)) << 3);
                c.accept();
            });
        }),
    );
    refused(
        "a loop without an end",
        refusals(|p| {
            let byte: Byte = p.header("byte");
            p.state("start", |c| {
                c.extract(byte);
                c.advance(lookahead(3).cast(bit(32)));
                c.select(byte.value).case(1, "start").default("accept");
            });
        }),
    );
    refused(
        "a meter asked twice",
        refusals(|p| {
            let (meter, colour) = (p.meter("m", Unit::Packets, 4), p.meta("colour", bit(2)));
            p.ingress(|c| {
                c.execute_meter(colour, meter, 0);
                c.execute_meter(colour, meter, 1);
            });
        }),
    );
    refused(
        "a register in both halves",
        refusals(|p| {
            let (cells, x) = (p.register("r", bit(8), 4), p.meta("x", bit(8)));
            p.ingress(|c| c.read(x, cells, 0));
            p.egress(|c| c.read(x, cells, 0));
        }),
    );
    refused(
        "accesses that wait for each other",
        refusals(|p| {
            let (a, b) = (p.register("a", bit(8), 4), p.register("b", bit(8), 4));
            let (x, y, which) =
                (p.meta("x", bit(8)), p.meta("y", bit(8)), p.standard().ingress_port);
            p.ingress(|c| {
                c.if_(which.eq(1), |c| {
                    c.read(x, a, y);
                    c.read(y, b, x);
                })
                .else_(|c| {
                    c.read(x, b, y);
                    c.read(y, a, x);
                });
            });
        }),
    );
    refused(
        "a hash by a number that is computed",
        refusals(|p| {
            let (x, s) = (p.meta("x", bit(8)), p.standard());
            p.ingress(|c| c.hash(x, Crc16, list![s.packet_length], 0, s.ingress_port));
        }),
    );
    insta::assert_snapshot!(said.join("\n"));
}

/// A shell that lacks what a program asks is named with what is missing.
#[test]
fn a_shell_that_lacks_something_is_refused() {
    let program = restage_library::get("mirror").unwrap().program().check().unwrap();
    let refusals = lower(&program, &ShellConfig::default()).unwrap_err();
    let text: Vec<String> = refusals.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(text.join("\n"));
}
