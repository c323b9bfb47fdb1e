//! Regions are loaded through the image port while packets flow on every clock.

use crate::card::Card;
use crate::live::{HEADER, LATENCIES, stamped, stamper, stop};
use crate::packet;
use crate::small::small as config;
use restage_image::{HEADER_BYTES, Header, Image, SIMULATED, SigningKey, verilog, words};
use restage_manifest::address::image::{ABORT, BEGIN, Code, State, Status};
use restage_manifest::address::shell as word;
use restage_manifest::address::{self, guard, region};
use restage_manifest::route::Way;
use restage_manifest::socket::RegionKind;
use restage_rtl::net::Circuit;
use restage_rtl::shell::{Socket, fabric, sockets};
use restage_sim_verilator::{BenchOptions, Build, Cache, Device, Fpga, Nic, PartOptions, SimError};

/// The region that is loaded: packets pass it, whether it is coupled or not.
const UNIT: u32 = 4;

fn socket(unit: u32) -> Socket {
    sockets(&config()).into_iter().find(|s| s.unit == unit).unwrap()
}

/// A way through three stages; the second one is [`UNIT`].
fn way() -> Way {
    let last = address::deparser(&config(), 0);
    Way {
        parser: stop(address::PARSER),
        ingress: vec![stop(3), stop(UNIT)],
        egress: vec![stop(5)],
        deparser: stop(last),
    }
}

/// The way that packets take when [`UNIT`] does nothing.
fn without() -> Way {
    Way { ingress: vec![stop(3)], ..way() }
}

/// A card with stampers in all regions on the way. `spoil` may change the Verilog of the guard of stages.
fn card(spoil: impl Fn(&str) -> String) -> Card {
    card_of(PartOptions::default(), spoil)
}

fn card_of(part: PartOptions, spoil: impl Fn(&str) -> String) -> Card {
    let config = config();
    let mut build = Build::new("restage_fabric");
    for part in fabric(&config).unwrap().circuits() {
        let text = match part.name() {
            "restage_guard_stage" => spoil(&part.verilog()),
            _ => part.verilog(),
        };
        build = build.source(format!("{}.v", part.name()), text);
    }
    let cache = Cache::standard();
    let shell = build.build(&cache).unwrap().instance(1).unwrap();
    let mut fpga = Fpga::new(shell, &config, part).unwrap();
    for unit in [1, 3, UNIT, 5, address::deparser(&config, 0)] {
        let circuit = stamper(&config, socket(unit).kind, unit, stop(unit).latency);
        let build = Build::new(circuit.name()).source("region.v", circuit.verilog());
        fpga.configure(unit, &build.build(&cache).unwrap()).unwrap();
    }
    let nic = Nic::on(fpga, BenchOptions::default()).unwrap();
    let mut card = Card { nic, config };
    card.couple(&LATENCIES);
    card.route(0, &way());
    card.write(word::GATE, 1);
    while card.read(word::STATUS) & 1 == 0 {}
    card
}

fn header(unit: u32) -> Header {
    let config = config();
    let (kind, latency) = (socket(unit).kind, stop(unit).latency as u16);
    Header {
        part: SIMULATED.into(),
        shell: config.fingerprint(),
        kind,
        unit: unit as u8,
        latency,
        variant: 1,
        schema: 0,
        number: 0,
        payload: 0,
        payload_crc: 0,
        signature: [0; 64],
    }
}

fn circuit() -> Circuit {
    stamper(&config(), RegionKind::Stage, UNIT, stop(UNIT).latency)
}

fn image() -> Vec<u8> {
    let circuit = circuit();
    let payload = verilog::pack(circuit.name(), &circuit.verilog());
    Image::new(header(UNIT), payload).unwrap().bytes().unwrap()
}

/// Traffic on every clock while `during` runs; how many packets did not come out as one way or the other would have them.
fn flows(card: &mut Card, ways: &[Way], during: impl FnOnce(&mut Card)) -> usize {
    let mut packets: Vec<Vec<u8>> = Vec::new();
    for port in 0..7500u16 {
        let mut bytes = packet(64, HEADER, HEADER, port % 500);
        bytes[4..36].fill(0);
        card.nic.send(port, bytes.clone());
        packets.push(bytes);
    }
    during(card);
    assert!(card.nic.waiting() > 100, "there was traffic to the end");
    card.nic.drain(600, 100_000).unwrap();
    let received = card.nic.received();
    let right = packets
        .iter()
        .zip(&received)
        .filter(|(packet, got)| ways.iter().any(|way| got.bytes == stamped(way, packet)));
    packets.len() - right.count() + received.len().abs_diff(packets.len())
}

fn couple(card: &mut Card, on: bool) {
    if on {
        let all = sockets(&card.config);
        let socket = all.iter().find(|s| s.unit == UNIT).unwrap();
        card.introduce(socket, LATENCIES[UNIT as usize - 1]);
    }
    card.write(word::guard(UNIT, guard::COUPLED), u32::from(on));
}

fn coupled(card: &mut Card) -> bool {
    card.read(word::guard(UNIT, guard::COUPLED)) & 1 == 1
}

fn begin(card: &mut Card, unit: u32, count: u32) -> Status {
    card.write(word::IMAGE_WORDS, count);
    card.write(word::IMAGE_CONTROL, BEGIN | unit);
    status(card)
}

fn status(card: &mut Card) -> Status {
    Status::of(card.read(word::IMAGE_STATUS))
}

fn give(card: &mut Card, bytes: &[u8]) {
    let at = address::byte(address::SHELL, word::IMAGE_DATA);
    let writes: Vec<(u32, u32)> = words(bytes).map(|word| (at, word)).collect();
    card.nic.write_all(&writes).unwrap();
}

/// Loads bytes as an image; how that ended.
fn load(card: &mut Card, bytes: &[u8]) -> Status {
    let begun = begin(card, UNIT, words(bytes).len() as u32);
    assert_eq!((begun.state, begun.code(), begun.unit), (State::Loading, Some(Code::None), UNIT));
    give(card, bytes);
    let start = card.nic.cycle();
    while status(card).state == State::Loading {
        assert!(card.nic.cycle() - start < 10_000, "no end");
    }
    status(card)
}

#[test]
fn a_region_is_loaded_and_nobody_notices() {
    let mut card = card(str::to_string);
    assert_eq!(flows(&mut card, &[way()], |_| ()), 0);
    couple(&mut card, false);
    card.nic.run(200).unwrap();
    let image = image();
    let wrong = flows(&mut card, &[without()], |card| {
        let start = card.nic.cycle();
        assert_eq!(load(card, &image).state, State::Done);
        println!("{} bytes in {} clocks", image.len(), card.nic.cycle() - start);
        assert_eq!(card.read(word::IMAGE_PROGRESS) as usize, image.len() / 4);
        assert!(card.nic.fpga().refused().is_none());
    });
    assert_eq!(wrong, 0);
    // It stands there and does its work as soon as it is coupled.
    assert!(!coupled(&mut card));
    couple(&mut card, true);
    assert_eq!(flows(&mut card, &[way()], |_| ()), 0);
    card.settle();
    assert_eq!(card.tag_errors(), 0);
}

#[test]
fn a_region_that_is_loaded_is_not_heard() {
    let mut card = card(str::to_string);
    couple(&mut card, false);
    let image = image();
    let (front, rest) = image.split_at(image.len() / 8 * 4);
    let wrong = flows(&mut card, &[without()], |card| {
        begin(card, UNIT, (image.len() / 4) as u32);
        // Its clock stands, so it is silent; before its first word is written it is still what it was.
        let magic = address::byte(UNIT, region::MAGIC);
        assert!(matches!(card.nic.read(magic), Err(SimError::Bus { .. })));
        give(card, front);
        assert_eq!(card.read(word::IMAGE_PROGRESS) as usize, front.len() / 4);
        couple(card, true);
        assert!(!coupled(card), "a region cannot be coupled while it is loaded");
        // What stands on its outputs is random, and no answer.
        for _ in 0..4 {
            assert!(matches!(card.nic.read(magic), Err(SimError::Bus { .. })));
        }
        assert!(card.nic.fpga().variant(UNIT).is_none());
        give(card, rest);
        card.nic.run(100).unwrap();
        assert_eq!(status(card).state, State::Done);
        assert!(!coupled(card));
        card.nic.read(magic).unwrap();
    });
    assert_eq!(wrong, 0);
}

#[test]
fn what_cannot_be_begun_changes_nothing() {
    let mut card = card(str::to_string);
    for blank in [2, 7] {
        card.write(word::guard(blank, guard::COUPLED), 0);
    }
    let refused = |card: &mut Card, unit: u32, count: u32, why: Code| {
        let status = begin(card, unit, count);
        assert_eq!((status.state, status.code(), status.unit), (State::Failed, Some(why), unit));
    };
    let wrong = flows(&mut card, &[way()], |card| {
        assert_eq!(status(card).state, State::Idle);
        refused(card, UNIT, 100, Code::Coupled);
        // Words are nobody's then.
        give(card, &[1; 40]);
        assert_eq!(card.read(word::IMAGE_PROGRESS), 0);
        refused(card, 1, 100, Code::Coupled);
        refused(card, 0, 100, Code::Unit);
        refused(card, address::last(&config()) + 1, 100, Code::Unit);
        for bit in 3..8 {
            refused(card, UNIT | 1 << bit, 100, Code::Unit);
        }
        refused(card, 7, 0, Code::Length);
        assert!(card.nic.fpga().variant(UNIT).is_some() && coupled(card));
        // One load at a time: the first goes on.
        assert_eq!(begin(card, 7, 100).state, State::Loading);
        let second = begin(card, 2, 100);
        assert_eq!((second.state, second.code()), (State::Loading, Some(Code::Busy)));
        assert_eq!(second.unit, 7);
        card.write(word::IMAGE_CONTROL, ABORT);
        let end = status(card);
        assert_eq!((end.state, end.code()), (State::Failed, Some(Code::Aborted)));
    });
    assert_eq!(wrong, 0);
}

#[test]
fn bad_images_are_refused_and_traffic_goes_on() {
    let mut card = card(str::to_string);
    couple(&mut card, false);
    let good = image();
    let circuit = circuit();
    let payload = verilog::pack(circuit.name(), &circuit.verilog());
    let other = |change: &dyn Fn(&mut Header)| {
        let mut header = header(UNIT);
        change(&mut header);
        Image::new(header, payload.clone()).unwrap().bytes().unwrap()
    };
    let damaged = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 0x10;
        bytes
    };
    let text = |text: &str| {
        let payload = verilog::pack(circuit.name(), text);
        Image::new(header(UNIT), payload).unwrap().bytes().unwrap()
    };
    let end = good.len() - 4;
    let mut cases = vec![
        (other(&|h| h.part = "xcu50".into()), Code::Part),
        (other(&|h| h.shell ^= 1), Code::Shell),
        (other(&|h| h.unit = 3), Code::Region),
        (other(&|h| h.kind = RegionKind::Parser), Code::Kind),
        (good[..4].to_vec(), Code::Truncated),
        (good[..HEADER_BYTES - 4].to_vec(), Code::Truncated),
        (good[..HEADER_BYTES].to_vec(), Code::Truncated),
        (good[..end].to_vec(), Code::Truncated),
        ([good.clone(), vec![0; 4]].concat(), Code::TooLong),
        (text("module nothing; endmodule"), Code::Circuit),
        (text("no Verilog at all"), Code::Circuit),
        (text("initial $finish;"), Code::Circuit),
    ];
    // A byte of every field of the header, and some of the payload.
    let fields = [0, 4, 6, 8, 12, 13, 14, 16, 24, 32, 40, 44, 48, 60, 112, 176, 188];
    cases.extend(fields.map(|at| (damaged(at), Code::Format)));
    cases.extend([HEADER_BYTES, good.len() / 2, end - 4].map(|at| (damaged(at), Code::Payload)));
    let count = cases.len();
    let mut refused = 0;
    for some in cases.chunks(3) {
        let wrong = flows(&mut card, &[without()], |card| {
            for (bytes, code) in some {
                let end = load(card, bytes);
                assert_eq!((end.state, end.code()), (State::Failed, Some(*code)));
                let told = card.nic.fpga().refused().map(|e| e.code());
                assert_eq!(told, Some(*code));
                assert!(card.nic.fpga().variant(UNIT).is_none(), "the region is blank");
                couple(card, true);
                assert!(!coupled(card), "a blank region cannot be coupled");
                refused += 1;
            }
        });
        assert_eq!(wrong, 0);
    }
    println!("{refused} of {count} refused");
    // After all that a good one is as good as ever; an older one behind a newer one is not.
    assert_eq!(load(&mut card, &other(&|h| h.number = 5)).state, State::Done);
    let older = load(&mut card, &other(&|h| h.number = 4));
    assert_eq!((older.state, older.code()), (State::Failed, Some(Code::Older)));
    assert_eq!(load(&mut card, &other(&|h| h.number = 5)).state, State::Done);
    couple(&mut card, true);
    assert_eq!(flows(&mut card, &[way()], |_| ()), 0);
}

#[test]
fn a_load_that_is_aborted_leaves_a_blank_region() {
    let mut card = card(str::to_string);
    couple(&mut card, false);
    let image = image();
    let wrong = flows(&mut card, &[without()], |card| {
        begin(card, UNIT, (image.len() / 4) as u32);
        give(card, &image[..400]);
        card.write(word::IMAGE_CONTROL, ABORT);
        assert_eq!(status(card).code(), Some(Code::Aborted));
        assert!(card.nic.fpga().variant(UNIT).is_none());
        // Words behind the end are nobody's.
        give(card, &image[400..800]);
        assert_eq!(status(card).code(), Some(Code::Aborted));
        assert_eq!(load(card, &image).state, State::Done);
    });
    assert_eq!(wrong, 0);
}

#[test]
fn a_slow_part_makes_the_host_wait() {
    let slow = |clocks| PartOptions { rate: (clocks, 1), ..PartOptions::default() };
    let mut card = card_of(slow(100), str::to_string);
    couple(&mut card, false);
    let start = card.nic.cycle();
    assert_eq!(load(&mut card, &image()).state, State::Done);
    let clocks = card.nic.cycle() - start;
    let words = image().len() as u64 / 4;
    assert!((100 * words..100 * words + 1000).contains(&clocks), "{clocks} for {words} words");

    // One that takes nothing for longer than an answer may take: the host is told, and what it gives then is too much.
    let mut card = card_of(slow(5000), str::to_string);
    couple(&mut card, false);
    begin(&mut card, UNIT, 8);
    let at = address::byte(address::SHELL, word::IMAGE_DATA);
    assert!(matches!(card.nic.write(at, 1), Err(SimError::Bus { .. })));
    assert_eq!(status(&mut card).state, State::Loading);
    card.nic.write(at, 2).unwrap();
    assert_eq!(status(&mut card).code(), Some(Code::Overrun));
}

#[test]
fn a_part_with_a_key_wants_it() {
    let key = SigningKey::from_bytes(&[7; 32]);
    let part = PartOptions { key: Some(key.verifying_key()), ..PartOptions::default() };
    let mut card = card_of(part, str::to_string);
    couple(&mut card, false);
    assert_eq!(load(&mut card, &image()).code(), Some(Code::Signature));
    let mut signed = Image::parse(&image()).unwrap();
    signed.sign(&SigningKey::from_bytes(&[8; 32])).unwrap();
    assert_eq!(load(&mut card, &signed.bytes().unwrap()).code(), Some(Code::Signature));
    signed.sign(&key).unwrap();
    assert_eq!(load(&mut card, &signed.bytes().unwrap()).state, State::Done);
}

/// A guard that takes the outputs of a region that is not coupled for results shows what stands there during a load.
#[test]
fn a_guard_that_lets_garbage_through_is_caught() {
    let mut card = card(|text| {
        let spoilt = text.replace("if (heard) begin", "if (1'b1) begin");
        assert!(spoilt != text, "the guard is written otherwise");
        spoilt
    });
    couple(&mut card, false);
    let image = image();
    let wrong = flows(&mut card, &[way(), without()], |card| {
        load(card, &image);
    });
    assert!(wrong > 0);
}
