//! State of 65,536 rows moves to another stage: under 148.8 million packets a second, and with a packet on every clock.

#![allow(clippy::unwrap_used)] // a test may

use restage_compile::change::Wishes;
use restage_gen::hardware::{Hardware, Target, build_with};
use restage_golden::{Golden, Input, Output};
use restage_manifest::ShellConfig;
use restage_manifest::address::shell::Count;
use restage_program::Checked;
use restage_program::prelude::*;
use restage_program::prelude::{bits as number, build as describe};
use restage_sim_verilator::BenchOptions;
use restage_tests::hardware::card::Card;
use restage_tests::hardware::live::Change;
use restage_tests::hardware::state;
use restage_tests::random::Rng;

header! { struct Ask { index: bit<16>, x: bit<32>, out: bit<64> } }

const ROWS: u32 = 65_536;
/// Clocks in a second.
const CLOCKS: f64 = 250e6;

/// Sums up in many registers; the second version says one more.
fn summing(more: u32) -> Checked {
    let program = describe("summing", |p| {
        let ask: Ask = p.header("ask");
        p.state("start", |c| {
            c.extract(ask);
            c.accept();
        });
        let s = p.standard();
        let sums = p.register("sums", bit(48), ROWS);
        let old = p.meta("old", bit(48));
        p.ingress(|c| {
            c.set(s.egress_spec, s.ingress_port);
            c.read(old, sums, ask.index);
            c.write(sums, ask.index, old + ask.x.cast(bit(48)));
            c.set(ask.out, old.cast(bit(64)) + number(64, more.into()));
        });
        p.emit(ask);
    });
    program.check().unwrap()
}

fn hardware(program: &Checked, old: Option<&Hardware>) -> Hardware {
    let like = ShellConfig::default();
    let old = old.map(|h| (&h.placement, &h.manifest));
    let target = Target { regions: Some(4), like: Some(&like), old, ..Target::default() };
    build_with(program, &target).unwrap()
}

fn packets(seed: u64, count: usize) -> Vec<Vec<u8>> {
    let mut rng = Rng::new(seed);
    let packet = |_| {
        let mut bytes = rng.bits64().to_be_bytes()[..6].to_vec();
        bytes.resize(64, 0);
        bytes
    };
    (0..count).map(packet).collect()
}

/// Of so many packets on their way. `gaps` in a hundred clocks, but a quarter of the time none, and a quarter 95.
fn moves(gaps: u8, count: usize) -> (f64, f64) {
    let (first, second) = (summing(0), summing(1));
    let (old, options) = (hardware(&first, None), BenchOptions { gaps, ..BenchOptions::default() });
    let new = hardware(&second, Some(&old));
    let mut card = Card::new(&first, &old, options).unwrap();
    let packets = packets(7, count);
    for bytes in &packets {
        card.nic.send(1, bytes.clone());
    }
    card.nic.run(200_000).unwrap();
    let Change { flip, plan, copying } =
        card.change(&second, &new, &[], Wishes::default()).unwrap();
    assert_eq!(plan.adoption.carried.len(), 1);
    assert!(card.nic.waiting() > 1000, "there was traffic to the end");
    let run = card.run(&[]).unwrap();
    let mut out = Output::new();
    let mut model = Golden::new(&first).unwrap();
    let mut received = run.received.iter();
    for (i, bytes) in packets.iter().enumerate() {
        if i as u64 == flip.at {
            let mut next = Golden::new(&second).unwrap();
            next.adopt(&model, &|_| true).unwrap();
            model = next;
        }
        model.process(&Input::new(1, bytes), &mut out);
        for (port, bytes) in out.packets() {
            let got = received.next().unwrap();
            assert_eq!((got.destination(), got.bytes.as_slice()), (port, bytes), "packet {i}");
        }
    }
    assert!(received.next().is_none());
    let behind = state::compare_cells(&second, &model, &mut card, 5).unwrap();
    assert!(behind.rows > 300 && behind.wrong.is_empty(), "{behind:?}");
    for count in [Count::Collided, Count::Disordered, Count::Lost] {
        assert_eq!(card.count(count).unwrap(), 0, "{count:?}");
    }
    let entered = run.sent.last().unwrap().last - run.sent[0].first;
    let rate = packets.len() as f64 / entered as f64 * CLOCKS / 1e6;
    println!(
        "{rate:.1} million packets a second: {ROWS} rows in {copying} clocks, {:.2} ms; bubble {} + {}",
        copying as f64 / CLOCKS * 1e3,
        plan.there.ingress,
        plan.there.egress
    );
    (copying as f64, rate)
}

#[test]
#[ignore = "two minutes"]
fn many_rows_move_under_load() {
    let (slots, rate) = moves(32, 700_000);
    assert!((148.8..152.0).contains(&rate) && slots < CLOCKS / 1e3, "{slots} clocks at {rate}");
    let (slots, _) = moves(0, 2_100_000);
    // One slot in sixteen, once it is clear that it takes them.
    assert!(slots < (4.0 + 1.2 * 16.0) * f64::from(ROWS), "{slots}");
}
