//! A window of 256 bytes and a PHV of 4096 bits: a program that needs both, as a whole card against the model.

#![allow(clippy::unwrap_used)] // a test may

use restage_gen::hardware::{Hardware, HardwareError, Target, build_with};
use restage_manifest::ShellConfig;
use restage_program::prelude::*;
use restage_program::{Checked, entries_text};
use restage_sim_verilator::BenchOptions;
use restage_tests::hardware::prepare::prepare;
use restage_tests::hardware::regress::{Job, regress_on};

/// Segments behind the first header: 16 + 15 * 16 bytes fill the window.
const SEGMENTS: u32 = 15;

const ENTRIES: &str = "
table_add by_last forward 0x01020304&&&0xffffffff 7 => 3 10
table_add by_last forward 0x01000000&&&0xff000000 7 => 4 20
table_add by_last forward 0&&&0 9 => 5 30
";

header! {
    struct First { mark: bit<16>, count: bit<4>, left: bit<44>, right: bit<64> }
    struct Segment { id: bit<32>, address: bit<96> }
}

metadata! {
    struct Meta { rest: bit<4>, a: bit<512>, b: bit<512>, c: bit<512> }
}

/// Up to 15 segments are parsed. What is gathered of them in ingress is used in egress, so it crosses the traffic point together
/// with all headers.
fn program() -> Checked {
    let program = restage_program::build::build("wide", |p| {
        let first: First = p.header("first");
        let segments: StackView<Segment> = p.stack("segments", SEGMENTS);
        let (m, s) = (p.metadata::<Meta>(), p.standard());
        p.state("start", |c| {
            c.extract(first);
            c.set(m.rest, first.count);
            c.select(first.count).case(0, "accept").default("segment");
        });
        p.state("segment", |c| {
            c.extract(segments.next());
            c.set(m.rest, m.rest - 1);
            c.select(m.rest).case(0, "accept").default("segment");
        });
        let forward =
            p.action("forward", [("port", bit(9))], |c, [port]| c.set(s.egress_spec, port));
        let flood = p.action("flood", [], |c, []| c.set(s.egress_spec, 1));
        let by_last = p.table("by_last", |t| {
            t.ternary(segments.get(0).id).exact(first.mark);
            t.actions([forward, flood]).default(flood, []).size(64);
        });
        p.ingress(|c| {
            for (into, from) in [(m.a, 0), (m.b, 5), (m.c, 10)] {
                let of = |i: u32| segments.get(from + i).address;
                let five = of(0).concat(of(1)).concat(of(2)).concat(of(3)).concat(of(4));
                c.set(into, five.concat(segments.get(from).id));
            }
            c.apply(by_last);
        });
        p.egress(|c| {
            c.if_(segments.get(SEGMENTS - 1).valid(), |c| {
                for i in 0..5 {
                    let bits = |of: Field| of.slice(96 * i + 127, 96 * i + 32);
                    c.set(segments.get(3 * i).address, bits(m.a) + (bits(m.b) ^ bits(m.c)));
                }
                c.set(segments.get(1).id, m.a.slice(31, 0) ^ m.b.slice(31, 0) ^ m.c.slice(31, 0));
            });
        });
        p.emit(first);
        p.emit(segments);
    });
    program.check().unwrap()
}

fn hardware(
    program: &Checked,
    phv_bits: u32,
    window_bytes: u32,
) -> Result<Hardware, HardwareError> {
    let like = ShellConfig { phv_bits, window_bytes, slots: 1, ..ShellConfig::default() };
    build_with(program, &Target { like: Some(&like), ..Target::default() })
}

#[test]
fn it_needs_both() {
    let program = program();
    for (phv_bits, window_bytes) in [(2048, 256), (4096, 128)] {
        let refused = hardware(&program, phv_bits, window_bytes);
        assert!(matches!(refused, Err(HardwareError::Refused(_))), "{phv_bits}, {window_bytes}");
    }
}

#[test]
fn a_card_does_what_the_model_does() {
    let program = program();
    let hardware = hardware(&program, 4096, 256).unwrap();
    let writes = entries_text::parse(&program, ENTRIES).unwrap();
    let prepared = prepare(&program, writes, 1, (800, 200));
    let options = BenchOptions { gaps: 20, back_pressure: 20, seed: 1, ..BenchOptions::default() };
    let job = Job {
        program: &program,
        writes: &prepared.writes,
        lone: &prepared.lone,
        packets: &prepared.packets,
        dense: &prepared.dense,
        options,
    };
    let report = regress_on(&hardware, &job).unwrap();
    assert!(report.difference.is_none(), "{}", report.difference.unwrap().text);
    let full = prepared.packets.iter().filter(|p| p.bytes.len() >= 256 && p.bytes[2] >> 4 == 15);
    let full = full.count();
    let (accepted, met) = (report.tally.accepted, report.tally.met);
    println!("{accepted} accepted, {met} met an entry, {full} fill the window");
    assert!(full > 20 && accepted > 700 && met > 200, "{full}, {accepted}, {met}");
}
