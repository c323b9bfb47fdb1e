//! What programs do with a register between reading and writing it: as hardware it is done in one clock, packet behind
//! packet on the same row, and what does not fit one clock is refused in words.

#![allow(clippy::unwrap_used)] // a test may

use restage_gen::hardware::{Hardware, build};
use restage_program::prelude::*;
use restage_program::prelude::{bits as number, build as describe};
use restage_sim_verilator::{BenchOptions, Cache};
use restage_tests::hardware::Packet;
use restage_tests::hardware::regress::{Job, regress_on};
use restage_tests::random::Rng;
use restage_tests::tools::Design;
use restage_tests::tools::synth::{Luts, synth_cached};

header! { struct Ask { index: bit<8>, op: bit<8>, x: bit<32>, y: bit<16>, out: bit<64> } }

/// Rows of every register; indices go beyond.
const ROWS: u32 = 5;

/// A program that reads a packet's `Ask`, does something, and sends it back.
fn program(name: &str, ingress: impl FnOnce(&mut Builder, Ask)) -> Program {
    describe(name, |p| {
        let ask: Ask = p.header("ask");
        p.state("start", |c| {
            c.extract(ask);
            c.accept();
        });
        ingress(p, ask);
        p.emit(ask);
    })
}

/// What is done to one register: its type, and its new content from the old one.
type Update = fn(Field, Ask) -> Val;

/// Updates as programs have them.
fn updates() -> Vec<(&'static str, Type, Update)> {
    vec![
        ("sum", bit(32), |old, ask| old + ask.x),
        ("at_most", bit(32), |old, ask| old.sat_add(ask.x)),
        ("at_least", bit(32), |old, ask| old.sat_sub(ask.x)),
        ("longest", bit(16), |old, ask| max(old, ask.y)),
        ("warmest", int(16), |old, ask| max(old, ask.y.cast(int(16)))),
        ("average", bit(32), |old, ask| old - (old >> number(8, 3)) + (ask.x >> number(8, 3))),
        ("random", bit(32), |old, ask| {
            let once = old ^ (old << number(8, 13));
            once.clone() ^ (once >> number(8, 17)) ^ ask.x
        }),
        ("seen", bit(32), |old, ask| old | (number(32, 1) << (ask.y & 31).cast(bit(8)))),
        ("moved", bit(32), |old, ask| old << (ask.y & 7).cast(bit(8))),
        ("window", bit(32), |old, ask| {
            mux(old.eq(ask.x), number(32, 0), mux(old.gt(1000), ask.x - old, old + 1))
        }),
        ("state", bit(3), |old, ask| {
            let is = |n: i32| old.eq(n);
            let got = |n: i32| (ask.op & 7).eq(n);
            mux(
                is(0) & got(1),
                number(3, 1),
                mux(
                    is(1) & (got(2) | got(3)),
                    number(3, 2),
                    mux(is(2) & ask.x.gt(9), number(3, 5), mux(got(7), number(3, 0), old + 1)),
                ),
            )
        }),
        ("power", bit(5), |old, ask| {
            let scaled = (number(40, 1) << (number(8, 30) - old.cast(bit(8)))) >> number(8, 20);
            mux(ask.op.lt(9), scaled.cast(bit(5)) + 3, old * 5)
        }),
        ("wide", bit(128), |old, ask| {
            old + ask.x.cast(bit(128)) + (ask.x.cast(bit(128)) << number(8, 90))
        }),
    ]
}

fn all_updates() -> Program {
    program("loops", |p, ask| {
        let olds: Vec<(Field, Register, Update)> = updates()
            .into_iter()
            .map(|(name, ty, update)| {
                (p.meta(&format!("old_{name}"), ty), p.register(name, ty, ROWS), update)
            })
            .collect();
        // Of two, each becomes what the other makes of it.
        let (a, b) = (p.meta("old_a", bit(32)), p.meta("old_b", bit(32)));
        let (first, second) =
            (p.register("first", bit(32), ROWS), p.register("second", bit(32), ROWS));
        let s = p.standard();
        p.ingress(|c| {
            c.set(s.egress_spec, s.ingress_port);
            for (old, register, update) in olds {
                c.read(old, register, ask.index);
                c.if_(ask.op.ne(0), |c| c.write(register, ask.index, update(old, ask)));
                let shown = if old.ty().width() == 128 { old >> number(8, 64) } else { old.into() };
                let shown = if old.ty().is_signed() { shown.cast(bit(16)) } else { shown };
                c.set(
                    ask.out,
                    (ask.out << number(8, 3)) ^ (ask.out >> number(8, 61)) ^ shown.cast(bit(64)),
                );
            }
            c.read(a, first, ask.index);
            c.read(b, second, ask.index);
            c.if_(a.gt(b), |c| {
                c.write(first, ask.index, min(a, b).sat_add(ask.x));
                c.write(second, ask.index, a - b);
            })
            .else_(|c| c.write(second, ask.index, max(a.sat_add(ask.x), b)));
            c.set(ask.out, ask.out ^ a.cast(bit(64)) ^ (b.cast(bit(64)) << number(8, 32)));
        });
    })
}

fn hardware() -> (restage_program::Checked, Hardware) {
    let checked = all_updates().check().unwrap();
    let hardware = build(&checked).unwrap_or_else(|e| panic!("{e}"));
    (checked, hardware)
}

#[test]
fn updates_of_packets_behind_each_other_are_sequential() {
    let (checked, hardware) = hardware();
    let mut rng = Rng::new(7);
    let mut index = 0;
    let mut packets = Vec::new();
    for _ in 0..6000 {
        // Often the row before.
        if rng.chance(50) {
            index = rng.below(ROWS as usize + 2) as u8;
        }
        let mut bytes = vec![index, rng.below(16) as u8];
        let x = if rng.chance(50) { rng.below(2000) as u32 } else { rng.bits64() as u32 };
        bytes.extend(x.to_be_bytes());
        bytes.extend((rng.bits64() as u16).to_be_bytes());
        bytes.resize(64, 0);
        packets.push(Packet { port: 1, bytes });
    }
    for gaps in [0, 40] {
        let options = BenchOptions { gaps, seed: 3, ..BenchOptions::default() };
        let (lone, packets) = packets.split_at(20);
        let (packets, dense) = packets.split_at(3000);
        let job = Job { program: &checked, writes: &[], lone, packets, dense, options };
        let report = regress_on(&hardware, &job).unwrap();
        assert!(report.difference.is_none(), "{:?}", report.difference);
        assert!(report.rows >= 16 * u64::from(ROWS), "{}", report.rows);
    }
}

#[test]
fn updates_that_are_accepted_fit_a_clock() {
    let (_, hardware) = hardware();
    for circuit in hardware.variants.iter().filter(|c| c.name().contains("ingress")) {
        let design = Design::new(circuit.name(), circuit.verilog());
        let cost = synth_cached(&design, Luts::Plain, &Cache::standard()).unwrap();
        let worst = &cost.worst;
        println!("{}: {} LUTs, {} levels", circuit.name(), cost.luts, worst.luts);
        assert!(worst.luts <= 6, "{}: {worst:?}", circuit.name());
    }
}

/// What is said of a register that is updated like this.
fn refusal(update: impl Fn(&mut Body, Field, Ask)) -> String {
    let program = program("refused", |p, ask| {
        let (old, cell) = (p.meta("old", bit(32)), p.register("totals", bit(32), ROWS));
        let new = p.meta("new", bit(32));
        let s = p.standard();
        p.ingress(|c| {
            c.set(s.egress_spec, s.ingress_port);
            c.read(old, cell, ask.index);
            c.set(new, old);
            update(c, new, ask);
            c.write(cell, ask.index, new);
        });
    });
    let checked = program.check().unwrap();
    build(&checked).map(|_| ()).expect_err("a refusal").to_string()
}

#[test]
fn updates_that_do_not_fit_a_clock_are_refused_in_words() {
    let longer = refusal(|c, new, ask| {
        for _ in 0..5 {
            c.set(new, (new + ask.x) ^ ask.y.cast(bit(32)));
        }
    });
    let clocks = refusal(|c, new, ask| c.set(new, new * new + ask.x));
    let divided = refusal(|c, new, ask| c.set(new, (new + ask.x) % 1000));
    // A bucket that is filled, cut and emptied again: nearly.
    let bucket = refusal(|c, new, ask| {
        let filled = min(new.sat_add(ask.x), number(32, 50_000));
        let taken = ask.y.cast(bit(32));
        c.set(new, mux(filled.clone().ge(taken.clone()), filled.clone() - taken, filled));
    });
    println!("{longer}\n{clocks}\n{divided}\n{bucket}");
    assert!(bucket.contains("5 lookup tables and 2 carry chains in a row"), "{bucket}");
    assert!(bucket.contains("in which 6 lookup tables and carry chains fit"), "{bucket}");
    assert!(longer.contains("5 carry chains"), "{longer}");
    assert!(clocks.contains("clocks, but"), "{clocks}");
    for text in [&longer, &clocks, &divided, &bucket] {
        assert!(text.contains("register `totals` in ingress"), "{text}");
        assert!(text.contains("which becomes"), "{text}");
        assert!(text.contains("in one clock"), "{text}");
        assert!(text.contains("divide the work between two cells"), "{text}");
    }
    assert!(longer.contains("xor(ask.y, add("), "{longer}");
    assert!(clocks.contains("mul("), "{clocks}");
}
