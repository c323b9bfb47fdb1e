//! A program is put in the place of another while packets flow on every clock.

#![allow(clippy::unwrap_used)] // a test may

use restage_compile::change::Wishes;
use restage_gen::hardware::{Hardware, Target, build_with};
use restage_gen::images::image;
use restage_golden::{Golden, Input, Output};
use restage_image::{Header, Image, SIMULATED};
use restage_manifest::Region;
use restage_manifest::address::image::Code;
use restage_manifest::address::shell::Count;
use restage_manifest::socket::RegionKind;
use restage_program::entry::Write;
use restage_program::{Checked, entries_text};
use restage_sim_verilator::BenchOptions;
use restage_tests::hardware::card::Card;
use restage_tests::hardware::live::{Change, ChangeError};
use restage_tests::traffic::Traffic;

/// How often the traffic is sent: filling tables takes some hundred thousand clocks.
const ROUNDS: usize = 24;

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

/// Tries images that are not right for a free region, and one for a region that works; how many were refused, which is all.
fn refuses(card: &mut Card, next: &Hardware) -> usize {
    let free = |r: &&Region| !card.manifest().regions.iter().any(|old| old.unit == r.unit);
    let stage = next.manifest.regions.iter().position(|r| free(&r)).unwrap();
    let unit = next.manifest.regions[stage].unit;
    let good = image(next, stage, SIMULATED, 0).unwrap();
    let bytes = good.bytes().unwrap();
    let other = |change: &dyn Fn(&mut Header)| {
        let mut header = good.header().clone();
        change(&mut header);
        Image::new(header, good.payload().to_vec()).unwrap().bytes().unwrap()
    };
    let damaged = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 4;
        bytes
    };
    let kind = |h: &mut Header| {
        h.kind = if h.kind == RegionKind::Stage { RegionKind::Parser } else { RegionKind::Stage }
    };
    let cases = [
        (unit, damaged(40), Code::Format),
        (unit, damaged(bytes.len() / 2), Code::Payload),
        (unit, bytes[..bytes.len() / 8 * 4].to_vec(), Code::Truncated),
        (unit, other(&|h| h.part = "xcu50-fsvh2104-2-e".into()), Code::Part),
        (unit, other(&|h| h.shell ^= 1), Code::Shell),
        (unit, other(&|h| h.unit ^= 1), Code::Region),
        (unit, other(&kind), Code::Kind),
        (card.manifest().regions[0].unit, bytes.clone(), Code::Coupled),
    ];
    println!(
        "an image of {} bytes, its Verilog {}",
        bytes.len(),
        next.variants[stage].verilog().len()
    );
    for (unit, bytes, wanted) in &cases {
        match card.load_image(*unit, bytes) {
            Err(ChangeError::Load { code, .. }) => assert_eq!(code, Some(*wanted)),
            other => panic!("{wanted:?}: {other:?}"),
        }
    }
    cases.len()
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
    let mut refusals = 0;
    for next in [&filter, &again, &filter] {
        card.nic.run(300).unwrap();
        card.retire().unwrap();
        refusals += refuses(&mut card, &next.hardware);
        let start = card.nic.cycle();
        let wishes = Wishes::default();
        let Change { flip, plan, .. } =
            card.change(&next.program, &next.hardware, &next.writes, wishes).unwrap();
        let clocks = card.nic.cycle() - start;
        println!("{} from packet {} on, {clocks} clocks: {flip:?}", next.program.name, flip.at);
        // The deparser is the same circuit in both programs, and stays.
        assert!(
            !plan.loaded.is_empty() && plan.loaded.len() < next.hardware.manifest.regions.len()
        );
        assert!(flip.at > flips.last().unwrap().0);
        flips.push((flip.at, next));
    }
    assert!(card.nic.waiting() > 100, "there was traffic to the end");
    println!("{refusals} images refused");
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
