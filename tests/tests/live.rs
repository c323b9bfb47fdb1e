//! A program is put in the place of another while packets flow on every clock.

#![allow(clippy::unwrap_used)] // a test may

use restage_gen::hardware::{Hardware, Target, build_with};
use restage_golden::{Golden, Input, Output};
use restage_manifest::address::shell::Count;
use restage_program::entry::Write;
use restage_program::{Checked, entries_text};
use restage_sim_verilator::BenchOptions;
use restage_tests::hardware::card::Card;
use restage_tests::traffic::Traffic;

/// How often the traffic is sent: filling tables takes some hundred thousand clocks.
const ROUNDS: usize = 8;

struct Program {
    program: Checked,
    writes: Vec<Write>,
    hardware: Hardware,
}

fn program(name: &str, after: Option<&Hardware>) -> Program {
    let item = restage_library::get(name).unwrap();
    let program = item.program().check().unwrap();
    let writes = entries_text::parse(&program, item.entries).unwrap();
    let old = after.map(|h| (&h.placement, &h.manifest));
    let target = Target { regions: Some(4), old, ..Target::default() };
    let hardware = build_with(&program, &target).unwrap();
    Program { program, writes, hardware }
}

#[test]
fn a_router_becomes_a_filter_and_a_router_again() {
    let router = program("l3_acl", None);
    let filter = program("acl5", Some(&router.hardware));
    let again = program("l3_acl", Some(&filter.hardware));
    let mut card = Card::new(
        &router.program,
        &router.hardware,
        BenchOptions { seed: 3, ..BenchOptions::default() },
    )
    .unwrap();
    for write in &router.writes {
        card.install(write).unwrap().unwrap();
    }
    let traffic = Traffic::new(&router.program, &router.writes, 5).take(6000).zip(Traffic::new(
        &filter.program,
        &filter.writes,
        6,
    ));
    let packets: Vec<(u16, Vec<u8>)> = traffic.flat_map(|(a, b)| [a, b]).collect();
    let packets: Vec<_> = packets.iter().cycle().take(ROUNDS * packets.len()).collect();
    for (port, bytes) in packets.iter().copied() {
        card.nic.send(*port, bytes.clone());
    }
    let mut flips = vec![(0, &router)];
    for next in [&filter, &again, &filter] {
        card.nic.run(300).unwrap();
        let start = card.nic.cycle();
        let flip = card.change(&next.program, &next.hardware, &next.writes).unwrap();
        let clocks = card.nic.cycle() - start;
        println!("{} from packet {} on, {clocks} clocks: {flip:?}", next.program.name, flip.at);
        // The deparser is the same circuit in both programs, and stays.
        assert!(
            !flip.loaded.is_empty() && flip.loaded.len() < next.hardware.manifest.regions.len()
        );
        assert!(flip.at > flips.last().unwrap().0);
        flips.push((flip.at, next));
    }
    assert!(card.nic.waiting() > 100, "there was traffic to the end");
    let run = card.run(&[]).unwrap();
    for count in [Count::Collided, Count::Disordered, Count::Lost] {
        assert_eq!(card.count(count).unwrap(), 0, "{count:?}");
    }
    let mut received = run.received.iter();
    let mut out = Output::new();
    let mut golden: Option<(u64, Golden)> = None;
    for (i, (port, bytes)) in packets.iter().copied().enumerate() {
        let (at, now) = flips.iter().rev().find(|f| f.0 <= i as u64).unwrap();
        if golden.as_ref().is_none_or(|g| g.0 != *at) {
            let mut new = Golden::new(&now.program).unwrap();
            now.writes.iter().for_each(|w| new.write(w).unwrap());
            golden = Some((*at, new));
        }
        golden.as_mut().unwrap().1.process(&Input::new(*port, bytes), &mut out);
        for (port, bytes) in out.packets() {
            let got = received.next().unwrap();
            assert_eq!((got.destination(), got.bytes.as_slice()), (port, bytes), "packet {i}");
        }
    }
    assert!(received.next().is_none());
}
