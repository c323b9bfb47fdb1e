//! A program takes the place of another while packets flow on every clock, and what the old one kept is carried over: not a
//! packet sees other state than if one program had seen all of them.

#![allow(clippy::unwrap_used)] // a test may

use restage_compile::change::Wishes;
use restage_gen::hardware::{Hardware, Target, build_with};
use restage_golden::{Golden, Input, Output};
use restage_manifest::ShellConfig;
use restage_manifest::address::shell::Count;
use restage_program::entry::Write;
use restage_program::prelude::*;
use restage_program::prelude::{bits as number, build as describe};
use restage_program::{Checked, entries_text};
use restage_sim_verilator::BenchOptions;
use restage_tests::hardware::card::Card;
use restage_tests::hardware::live::{Change, ChangeError};
use restage_tests::hardware::state;
use restage_tests::random::Rng;

header! { struct Ask { index: bit<8>, op: bit<8>, x: bit<32>, out: bit<64>, more: bit<64> } }

/// Words of the lane: all that the program keeps is in one stage.
const WORDS: u32 = 32;
/// Clocks of traffic before a change.
const BEFORE: u64 = 400;

/// Counts, adds, remembers, meters; the second version does one thing more, in between, and has wider and more registers.
fn counting(second: bool) -> Program {
    describe("counting", |p| {
        let ask: Ask = p.header("ask");
        p.state("start", |c| {
            c.extract(ask);
            c.accept();
        });
        let s = p.standard();
        let (wide, rows) = if second { (44, 12) } else { (40, 7) };
        let newest = p.register("newest", bit(16), 9);
        let seen = p.register("seen", bit(wide), rows);
        let level = p.register("level", int(if second { 30 } else { 20 }), 16);
        let flows = p.map("flows", [("key", bit(16))], [("sum", bit(16))], (4, 2), 50);
        let all = p.counter("all", Unit::Both, 16);
        let rate = p.meter("rate", Unit::Packets, 16);
        let (old, was) =
            (p.meta("old", bit(wide)), p.meta("was", int(if second { 30 } else { 20 })));
        let (found, sum) = (p.meta("found", Type::Bool), p.meta("sum", bit(16)));
        let (colour, last) = (p.meta("colour", bit(2)), p.meta("last", bit(16)));
        let mark = p.action("mark", [("value", bit(8))], move |c, [value]| {
            c.set(ask.more, ask.more ^ value.cast(bit(64)));
        });
        let rules = p.table("rules", |t| {
            t.exact(ask.op).actions([mark]).size(64).counter("hits", Unit::Packets);
        });
        p.ingress(|c| {
            c.set(s.egress_spec, s.ingress_port);
            if second {
                c.read(last, newest, ask.index);
                c.write(newest, ask.index, ask.x.cast(bit(16)));
                c.set(ask.more, last.cast(bit(64)) << number(8, 40));
            }
            c.apply(rules);
            c.read(old, seen, ask.index);
            c.write(seen, ask.index, old + ask.x.cast(bit(wide)));
            c.read(was, level, ask.index);
            c.write(level, ask.index, was - ask.x.cast(int(8)).cast(int(20)).cast(was.ty()));
            c.set(ask.out, old.cast(bit(64)));
            c.set(ask.more, ask.more ^ (was.cast(int(64)).cast(bit(64)) << number(8, 2)));
            c.count(all, ask.index);
            c.execute_meter(colour, rate, ask.index);
            c.set(ask.more, ask.more ^ (colour.cast(bit(64)) << number(8, 60)));
            let key = ask.x.cast(bit(16)) & 15;
            c.map_lookup(flows, (key.clone(),), found, [sum], true);
            c.if_(ask.op.lt(3), |c| c.map_put(flows, (key.clone(),), (sum + 1,), None));
            c.set(ask.more, ask.more ^ (sum.cast(bit(64)) << number(8, 20)));
        });
        p.emit(ask);
    })
}

struct Version {
    program: Checked,
    writes: Vec<Write>,
    hardware: Hardware,
}

fn version(program: Program, entries: &str, after: Option<&Hardware>) -> Version {
    let program = program.check().unwrap();
    let writes = entries_text::parse(&program, entries).unwrap();
    let old = after.map(|h| (&h.placement, &h.manifest));
    let like = ShellConfig { lane_words: WORDS, ..ShellConfig::default() };
    let target = Target { regions: Some(6), like: Some(&like), old, ..Target::default() };
    let hardware = build_with(&program, &target).unwrap_or_else(|e| panic!("{e}"));
    Version { program, writes, hardware }
}

fn change(card: &mut Card, next: &Version) -> Result<Change, ChangeError> {
    card.nic.run(BEFORE).unwrap();
    card.change(&next.program, &next.hardware, &next.writes, Wishes::default())
}

/// A golden model of a version that goes on where another one stopped.
fn golden(version: &Version, before: Option<&Golden>) -> Golden {
    let mut new = Golden::new(&version.program).unwrap();
    version.writes.iter().for_each(|write| new.write(write).unwrap());
    if let Some(before) = before {
        new.adopt(before, &|_| true).unwrap();
    }
    new
}

const ENTRIES: &str =
    "table_add rules mark 1 => 17\ntable_add rules mark 2 => 34\ntable_add rules mark 5 => 85\n";
/// The same ones and one more, in another order.
const MORE: &str = "table_add rules mark 7 => 77\ntable_add rules mark 5 => 85\ntable_add rules mark 2 => 35\ntable_add rules mark 1 => 17\n";

fn packets(seed: u64, count: usize) -> Vec<Vec<u8>> {
    let mut rng = Rng::new(seed);
    let packet = |_| {
        let index = if rng.chance(60) { 3 } else { rng.below(10) as u8 };
        let mut bytes = vec![index, rng.below(8) as u8];
        bytes.extend((rng.bits64() as u32).to_be_bytes());
        bytes.resize(64, 0);
        bytes
    };
    (0..count).map(packet).collect()
}

#[test]
fn what_a_program_kept_is_kept_by_the_next() {
    let first = version(counting(false), ENTRIES, None);
    let second = version(counting(true), MORE, Some(&first.hardware));
    let options = BenchOptions { seed: 3, ..BenchOptions::default() };
    let mut card = Card::new(&first.program, &first.hardware, options).unwrap();
    for write in &first.writes {
        card.install(write).unwrap().unwrap();
    }
    let packets = packets(11, 75_000);
    for bytes in &packets {
        card.nic.send(1, bytes.clone());
    }
    let Change { flip, plan, copying } = change(&mut card, &second).unwrap();
    println!(
        "from packet {} on; bubbles {} and {}; copied in {} clocks; inside {:?}; {} clocks in all",
        flip.at,
        plan.there.ingress,
        plan.there.egress,
        copying,
        flip.inside,
        card.nic.cycle()
    );
    assert_eq!(plan.adoption.carried.len(), 7, "{:?}", plan.adoption.carried);
    assert_eq!(plan.adoption.fresh, ["newest"]);
    assert!(flip.inside.iter().all(|inside| *inside > 0), "{:?}", flip.inside);
    assert!(card.nic.waiting() > 1000, "there was traffic to the end");
    let run = card.run(&[]).unwrap();
    let mut out = Output::new();
    let mut model = golden(&first, None);
    let mut received = run.received.iter();
    for (i, (bytes, gate)) in packets.iter().zip(&run.gate).enumerate() {
        if i as u64 == flip.at {
            model = golden(&second, Some(&model));
        }
        let time_us = gate.values[1];
        model.process(&Input { time_us, ..Input::new(1, bytes) }, &mut out);
        for (port, bytes) in out.packets() {
            let got = received.next().unwrap();
            assert_eq!((got.destination(), got.bytes.as_slice()), (port, bytes), "packet {i}");
        }
    }
    assert!(received.next().is_none());
    let behind = state::compare_cells(&second.program, &model, &mut card, 5).unwrap();
    assert!(behind.rows > 50 && behind.wrong.is_empty(), "{behind:?}");
    for count in [Count::Collided, Count::Disordered, Count::Lost] {
        assert_eq!(card.count(count).unwrap(), 0, "{count:?}");
    }
}
