//! Ways that change while packets flow: every packet goes one of them from end to end, in order, and the bubbles are as short
//! as can be.

use crate::card::Card;
use crate::packet;
use crate::stand_in::{byte, common, put, put_at};
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use restage_compile::change::{Bubbles, bubbles};
use restage_manifest::address::shell::{self as word, Count};
use restage_manifest::route::{Stop, Way};
use restage_manifest::socket::{LENGTH_BITS, RegionKind};
use restage_manifest::{ShellConfig, ShellField as F, address};
use restage_rtl::net::{Circuit, Module, Net};
use restage_rtl::shell::{fabric, region_interface, sockets};
use restage_sim_verilator::BenchOptions;

/// Bytes of a header.
pub const HEADER: u8 = 48;
/// The byte with the number of stages passed; their units follow.
const PASSED: u32 = 15;

/// A region that writes its unit into the packet: the parser into byte 14, the deparser into byte 13, stages into the first
/// free byte behind byte [`PASSED`].
pub fn stamper(config: &ShellConfig, kind: RegionKind, unit: u32, latency: u32) -> Circuit {
    let interface = region_interface(config, kind, "any");
    let mut module = Module::new(format!("stamper_{unit}"));
    let m = &mut module;
    let input = |m: &mut Module, name: &str| {
        let port = interface.port(name).unwrap();
        m.input(name, port.width)
    };
    common(m, &interface, latency);
    let window_bits = 8 * config.window_bytes;
    let stamp = m.lit(8, unit.into());
    let place = |index: u32| config.phv_bits - 8 * (index + 1);
    let out = |m: &mut Module, name: &str, net: Net| {
        let net = m.delay(net, latency);
        m.output(name, net);
    };
    if kind == RegionKind::Parser {
        let window = input(m, "window_i");
        input(m, "avail_i");
        let shell = input(m, "shell_i");
        let shell = m.zext(shell, config.phv_bits - window_bits);
        let phv = m.concat(&[window, shell]);
        let (b2, b3) = (byte(m, window, 2), byte(m, window, 3));
        let spec = m.concat(&[b2, b3]);
        let spec = m.slice(spec, 8, 0);
        let consumed = m.lit(LENGTH_BITS, HEADER.into());
        let phv = put(m, config, phv, F::Consumed, consumed);
        let phv = put(m, config, phv, F::EgressSpec, spec);
        let phv = put_at(m, phv, place(14), stamp);
        out(m, "phv_o", phv);
    } else {
        let phv = input(m, "phv_i");
        let window = m.slice(phv, config.phv_bits - 1, config.phv_bits - window_bits);
        let passed = byte(m, window, PASSED);
        if kind == RegionKind::Deparser {
            let window = put_at(m, window, window_bits - 8 * 14, stamp);
            out(m, "header_o", window);
            let length = m.lit(LENGTH_BITS, HEADER.into());
            out(m, "length_o", length);
        } else {
            let one = m.lit(8, 1);
            let more = m.add(passed, one);
            let mut next = put_at(m, phv, place(PASSED), more);
            for i in 0..20.min(u64::from(config.window_bytes - PASSED) - 1) {
                let number = m.lit(8, i);
                let here = m.eq(passed, number);
                let at = PASSED + 1 + i as u32;
                let old = byte(m, window, at);
                let new = m.mux(here, stamp, old);
                next = put_at(m, next, place(at), new);
            }
            out(m, "phv_o", next);
        }
    }
    module.finish().unwrap_or_else(|f| panic!("{f:?}"))
}

pub fn config() -> ShellConfig {
    ShellConfig { phv_bits: 2048, regions: 5, ..ShellConfig::default() }
}

/// Latencies of the regions, by unit less one.
pub const LATENCIES: [u32; 9] = [8, 13, 8, 16, 24, 5, 9, 11, 6];

pub fn stop(unit: u32) -> Stop {
    Stop { unit, latency: LATENCIES[unit as usize - 1] }
}

/// Some way.
fn some_way(config: &ShellConfig, rng: &mut SmallRng) -> Way {
    let mut stages: Vec<u32> = (0..config.regions).map(|i| address::stage(config, i)).collect();
    stages.shuffle(rng);
    let half = stages.len().div_ceil(2);
    let ingress = rng.random_range(0..=half);
    let egress = rng.random_range(0..=stages.len() - half);
    Way {
        parser: stop(address::PARSER + rng.random_range(0..2)),
        ingress: stages[..ingress].iter().copied().map(stop).collect(),
        egress: stages[half..half + egress].iter().copied().map(stop).collect(),
        deparser: stop(address::deparser(config, rng.random_range(0..2))),
    }
}

/// What a way leaves in a packet.
pub fn stamped(way: &Way, packet: &[u8]) -> Vec<u8> {
    let mut bytes = packet.to_vec();
    bytes[13] = way.deparser.unit as u8;
    bytes[14] = way.parser.unit as u8;
    let stages: Vec<u8> = way.ingress.iter().chain(&way.egress).map(|s| s.unit as u8).collect();
    bytes[PASSED as usize] = stages.len() as u8;
    let at = PASSED as usize + 1;
    bytes[at..at + stages.len()].copy_from_slice(&stages);
    bytes
}

pub struct Flip {
    /// The first packet that goes this way.
    at: u64,
    way: Way,
}

/// What came of a life.
pub struct Life {
    pub card: Card,
    flips: Vec<Flip>,
    /// What the formula asks for, all flips together: ingress, egress.
    pub asked: [u64; 2],
    pub packets: Vec<Vec<u8>>,
}

/// A card through which packets flow while its way changes. `shorter` makes bubbles too short by so many clocks.
pub fn live(
    config: &ShellConfig,
    seed: u64,
    changes: usize,
    options: BenchOptions,
    shorter: u32,
    length: impl Fn(&mut SmallRng) -> usize,
) -> Life {
    let mut rng = SmallRng::seed_from_u64(seed);
    let parts = fabric(config).unwrap().circuits().cloned().collect();
    let regions = sockets(config)
        .iter()
        .map(|s| stamper(config, s.kind, s.unit, stop(s.unit).latency))
        .collect();
    let mut card = Card::coupled(config, &(parts, regions), options);
    card.couple(&LATENCIES);
    let mut way = some_way(config, &mut rng);
    card.route(0, &way);
    card.write(word::GATE, 1);
    let (mut flips, mut asked) = (vec![Flip { at: 0, way: way.clone() }], [0, 0]);
    let mut packets: Vec<Vec<u8>> = Vec::new();
    let mut epoch = 0;
    while flips.len() <= changes {
        while card.nic.waiting() < 3000 {
            let port = packets.len() as u16;
            let mut bytes = packet(length(&mut rng), HEADER, HEADER, port % 500);
            bytes[4..PASSED as usize + 21].fill(0);
            card.nic.send(port, bytes.clone());
            packets.push(bytes);
        }
        let next = some_way(config, &mut rng);
        let Ok(Bubbles { ingress, egress, .. }) = bubbles(&way, &next, &[]) else { continue };
        let other = 1 - epoch;
        let start = card.nic.cycle();
        while card.in_flight(other) != 0 && card.nic.cycle() - start < 50_000 {}
        if card.in_flight(other) != 0 {
            // A packet of an epoch that is over is lost; that is for the caller to find.
            break;
        }
        card.route(other, &next);
        card.write(word::BUBBLE_INGRESS + other, ingress.saturating_sub(shorter));
        card.write(word::BUBBLE_EGRESS + other, egress.saturating_sub(shorter));
        let before = card.count(Count::Received);
        card.write(word::EPOCH, other);
        card.nic.run(rng.random_range(0..300)).unwrap();
        // The flip shows with the first packet.
        let start = card.nic.cycle();
        while card.count(Count::Received) < before + 200 {
            assert!(card.nic.cycle() - start < 100_000, "packets do not go on");
        }
        let low = u64::from(card.read(word::FLIPPED_AT));
        let at = u64::from(card.read(word::FLIPPED_AT + 1)) << 32 | low;
        assert!(
            at >= before && at > flips.last().unwrap().at,
            "flipped at {at}, not behind {before}"
        );
        flips.push(Flip { at, way: next.clone() });
        asked = [asked[0] + u64::from(ingress), asked[1] + u64::from(egress)];
        (way, epoch) = (next, other);
    }
    card.nic.drain(600, 4_000_000).unwrap();
    Life { card, flips, asked, packets }
}

impl Life {
    /// Packets that came out otherwise than one way would have them, or not at all.
    pub fn wrong(&mut self) -> usize {
        let received = self.card.nic.received();
        let mut wrong = self.packets.len().abs_diff(received.len());
        for (i, (packet, got)) in self.packets.iter().zip(&received).enumerate() {
            let flip = self.flips.iter().rev().find(|f| f.at <= i as u64).unwrap();
            wrong += usize::from(got.bytes != stamped(&flip.way, packet));
        }
        wrong
    }
}

#[test]
fn every_packet_goes_one_way_whatever_changes() {
    for (seed, gaps, back_pressure) in [(1, 0, 0), (2, 30, 0), (3, 0, 40), (4, 40, 40)] {
        let options = BenchOptions { gaps, back_pressure, seed, ..BenchOptions::default() };
        let mut life = live(&config(), seed, 30, options, 0, |rng| match rng.random_range(0..4) {
            0 => rng.random_range(64..1500),
            1 => rng.random_range(64..130),
            _ => 64,
        });
        assert_eq!(life.wrong(), 0);
        life.card.settle();
        assert_eq!(life.card.count(Count::Sent), life.packets.len() as u64);
        assert_eq!(life.card.tag_errors(), 0);
    }
}

/// Packets of one beat on every clock: nothing hides a bubble, so the gate waits exactly as long as the formula asks.
#[test]
fn bubbles_are_what_the_formula_says() {
    let mut life =
        live(&config(), 5, 30, BenchOptions { seed: 5, ..BenchOptions::default() }, 0, |_| 64);
    assert_eq!(life.wrong(), 0);
    assert!(life.asked[0] > 100 && life.asked[1] > 50, "{:?}", life.asked);
    assert_eq!(life.card.count(Count::HeldIngress), life.asked[0]);
    // The gate's bubble goes through the queue: at its exit some of it is hidden.
    assert!(life.card.count(Count::HeldEgress) <= life.asked[1]);
}

/// One clock less, and packets meet or overtake each other: the card counts it and the packets show it.
#[test]
fn a_clock_less_is_too_few() {
    let mut life =
        live(&config(), 5, 30, BenchOptions { seed: 5, ..BenchOptions::default() }, 1, |_| 64);
    assert!(life.card.faults() > 0);
    assert!(life.wrong() > 0);
}
