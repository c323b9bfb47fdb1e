//! The shell in Verilator, with stand-ins for regions.

#![allow(clippy::unwrap_used)] // a test may

mod card;
#[path = "../common/mod.rs"]
mod common;
mod image;
mod live;
mod model;
mod parts;
mod shed;
mod small;
mod stand_in;
mod traffic;

use card::Card;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use restage_manifest::ShellConfig;
use restage_manifest::address;
use restage_manifest::address::shell::{self as word, Count};
use restage_sim_verilator::{BenchOptions, Device};

/// The smallest shell, with room for the window in the PHV.
fn plain() -> ShellConfig {
    ShellConfig { phv_bits: 2048, regions: 3, slots: 1, ..ShellConfig::default() }
}

/// A packet whose first bytes say what happens to it.
fn packet(length: usize, consumed: u8, header: u8, port: u16) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..length).map(|i| (i * 7 + i / 251 + length) as u8).collect();
    let command = [consumed, header, (port >> 8) as u8, port as u8, 0, 0, 0, 0, 0, 0, 0, 0];
    for (byte, value) in bytes.iter_mut().zip(command) {
        *byte = value;
    }
    bytes
}

/// What comes out of it, without copies and drops.
fn expected(config: &ShellConfig, packet: &[u8]) -> Vec<u8> {
    let window = config.window_bytes as usize;
    let avail = packet.len().min(window);
    let at = |i: usize| packet.get(i).copied().unwrap_or(0);
    let consumed = usize::from(at(0)).min(avail);
    let header = usize::from(at(1)).min(window);
    let mut out: Vec<u8> = (0..header).map(at).collect();
    out.extend(&packet[consumed..]);
    out
}

#[test]
fn frames_of_one_beat_go_through_on_every_clock() {
    let config = plain();
    let mut card = Card::new(&config, BenchOptions::default());
    let packets: Vec<Vec<u8>> = (0..600).map(|i| packet(64, 14, 14, i % 8)).collect();
    for (i, packet) in packets.iter().enumerate() {
        card.nic.send(i as u16, packet.clone());
    }
    card.nic.drain(400, 20_000).unwrap();
    let (sent, received) = (card.nic.sent(), card.nic.received());
    assert_eq!(received.len(), packets.len());
    for (i, (packet, got)) in packets.iter().zip(&received).enumerate() {
        assert_eq!(got.bytes, *packet, "packet {i}");
        assert_eq!((got.source(), got.destination()), (i as u16, i as u16 % 8));
        assert_eq!(got.length(), 64);
    }
    let first = (sent[0].first, received[0].first);
    assert_eq!(sent.last().unwrap().last - first.0, 599, "every clock took a packet");
    assert_eq!(received.last().unwrap().last - first.1, 599, "every clock gave a packet");
    println!("latency {}", first.1 - first.0);
    assert_eq!(card.count(Count::Received), 600);
    assert_eq!(card.count(Count::Sent), 600);
}

/// Sends packets and compares what comes out, in order.
fn passes(config: &ShellConfig, options: BenchOptions, packets: &[Vec<u8>]) -> Card {
    let mut card = Card::new(config, options);
    for (i, packet) in packets.iter().enumerate() {
        card.nic.send(i as u16, packet.clone());
    }
    card.nic.drain(600, 2_000_000).unwrap();
    let received = card.nic.received();
    for (i, (packet, got)) in packets.iter().zip(&received).enumerate() {
        let want = expected(config, packet);
        let what = format!(
            "packet {i} of {} bytes, consumed and header {:?}",
            packet.len(),
            &packet[..packet.len().min(2)]
        );
        assert_eq!(got.bytes.len(), want.len(), "{what}");
        assert_eq!(got.bytes, want, "{what}");
        assert_eq!(usize::from(got.length()), want.len(), "{what}");
        assert_eq!(got.source(), i as u16, "{what}");
    }
    assert_eq!(received.len(), packets.len());
    assert_eq!(card.count(Count::Received), packets.len() as u64);
    assert_eq!(card.count(Count::Sent), packets.len() as u64);
    assert_eq!(card.count(Count::WrongSize), 0);
    assert_eq!(card.tag_errors(), 0);
    card
}

/// Packets of many lengths and of every growth.
fn mix(config: &ShellConfig, seed: u64, count: usize) -> Vec<Vec<u8>> {
    let mut rng = SmallRng::seed_from_u64(seed);
    let window = config.window_bytes as u8 - u8::from(config.window_bytes == 256);
    (0..count)
        .map(|i| {
            let length = match rng.random_range(0..10) {
                0 => rng.random_range(1..=64),
                1..=5 => rng.random_range(1..=400),
                6 => 64 * rng.random_range(1..8),
                7 => rng.random_range(1000..1600),
                8 => i % 300 + 1,
                _ => rng.random_range(1..=if i % 4 == 0 { 9000 } else { 200 }),
            };
            let (consumed, header) = (rng.random_range(0..=window), rng.random_range(0..=window));
            packet(length, consumed, header, rng.random_range(0..511))
        })
        .collect()
}

#[test]
fn headers_grow_and_shrink_by_every_amount_at_every_length() {
    let config = plain();
    let mut packets: Vec<Vec<u8>> =
        (1..=300).map(|l| packet(l, (l % 129) as u8, (l * 5 % 129) as u8, 1)).collect();
    for difference in 0..=128u8 {
        packets.push(packet(200, difference, 128, 2));
        packets.push(packet(150, 128, difference, 3));
    }
    packets.extend([1499, 4000, 8999, 9000].map(|l| packet(l, 54, 14, 4)));
    packets.extend(mix(&config, 1, 300));
    passes(&config, BenchOptions::default(), &packets);
}

#[test]
fn gaps_and_back_pressure_change_nothing() {
    let config = plain();
    for (seed, gaps, back_pressure) in [(2, 50, 0), (3, 0, 50), (4, 40, 40), (5, 0, 90)] {
        let packets = mix(&config, seed, 400);
        passes(
            &config,
            BenchOptions { gaps, back_pressure, seed, ..BenchOptions::default() },
            &packets,
        );
    }
}

#[test]
fn the_tools_accept_it() {
    card::lint_all(&plain(), "shell_plain");
    card::lint_all(&traffic::everything(), "shell_everything");
    for (name, config) in [
        ("shell_sums", ShellConfig { payload_sum: true, ..plain() }),
        (
            "shell_wide",
            ShellConfig { data_bytes: 128, window_bytes: 256, phv_bits: 4096, ..plain() },
        ),
        ("shell_clones", ShellConfig { ingress_clones: true, ..plain() }),
        ("shell_egress_clones", ShellConfig { egress_clones: true, payload_sum: true, ..plain() }),
        ("shell_resubmit", ShellConfig { resubmit: true, ..plain() }),
        ("shell_digests", ShellConfig { digest_bits: 31, ..plain() }),
    ] {
        card::lint_all(&config, name);
    }
}

#[test]
fn registers_answer_always_and_regions_are_reached() {
    let config = plain();
    let mut card = Card::new(&config, BenchOptions::default());
    assert_eq!(card.read(word::MAGIC), word::MAGIC_VALUE);
    assert_eq!(card.read(word::HASH), config.fingerprint());
    assert_eq!(card.read(word::guard(2, address::guard::LATENCY)), 5);
    card.write(word::LOOP_GROWTH, 77);
    assert_eq!(card.read(word::LOOP_GROWTH), 77);
    assert_eq!(card.read(0x333), 0, "nothing is there");
    let units = address::last(&config);
    for unit in 1..=units {
        card.nic.write(address::byte(unit, 0x20), 1000 * unit).unwrap();
    }
    // Packets on every clock do not keep anybody from answering.
    (0..4000).for_each(|i| card.nic.send(i, packet(64, 14, 14, 1)));
    for unit in 1..=units {
        assert_eq!(card.nic.read(address::byte(unit, 0x21)).unwrap(), 1000 * unit + 0x21);
        let start = card.nic.cycle();
        let text = card.nic.read(address::byte(unit, 0x3fff)).unwrap_err().to_string();
        assert!(text.contains("SLVERR"), "{text}");
        let took = card.nic.cycle() - start;
        assert!((1000..1100).contains(&took), "{took} clocks");
        assert_eq!(card.nic.read(address::byte(unit, 0)).unwrap(), 1000 * unit);
    }
    assert!(card.nic.read(address::byte(units + 1, 0)).is_err());
    assert!(card.nic.waiting() == 0);
    card.nic.drain(400, 100_000).unwrap();
    assert_eq!(card.nic.received().len(), 4000);
}
