//! Copies, drops and loops against the model.

use crate::card::Card;
use crate::model::{Model, Out, Replica};
use crate::packet;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use restage_manifest::ShellConfig;
use restage_manifest::address::shell::{self as word, Count};
use restage_sim_verilator::BenchOptions;

/// A shell whose PHV has room for the window, and one stage for each half.
fn base() -> ShellConfig {
    ShellConfig {
        phv_bits: 2048,
        ingress_regions: 1,
        egress_regions: 1,
        keep_bits: 20,
        ..ShellConfig::default()
    }
}

fn everything() -> ShellConfig {
    ShellConfig {
        ingress_time: true,
        queue_times: true,
        multicast: true,
        ingress_clones: true,
        egress_clones: true,
        resubmit: true,
        recirculate: true,
        digest_bits: 88,
        ..base()
    }
}

/// Groups and sessions: the same for the model and the card.
fn install(card: &mut Card, model: &mut Model, rng: &mut SmallRng) {
    let mut next = 0;
    let mut list = |card: &mut Card, rng: &mut SmallRng, least: usize| {
        let count = rng.random_range(least..5);
        let replicas: Vec<Replica> =
            (0..count).map(|_| (rng.random_range(0..511), rng.random())).collect();
        card.write(word::REPLICA_ROW, next);
        for (port, rid) in &replicas {
            card.write(word::REPLICA_DATA, u32::from(*rid) << 16 | u32::from(*port));
        }
        let entry = next << 16 | replicas.len() as u32;
        next += replicas.len() as u32;
        (entry, replicas)
    };
    for group in [1, 2, 3, 900] {
        let (entry, replicas) = list(card, rng, 0);
        card.write(word::GROUP_ROW, u32::from(group));
        card.write(word::GROUP_DATA, entry);
        model.groups.insert(group, replicas);
    }
    for session in [0, 1, 2, 250] {
        let (entry, replicas) = list(card, rng, usize::from(session > 1));
        let truncate = if rng.random() { 0x3fff } else { rng.random_range(0..300) };
        card.write(word::SESSION_ROW, u32::from(session));
        card.write(word::SESSION_HOLD, 1 << 31 | u32::from(truncate));
        card.write(word::SESSION_DATA, entry);
        model.sessions.insert(session, (replicas, truncate));
    }
}

/// A packet that asks for all kinds of things.
fn request(config: &ShellConfig, rng: &mut SmallRng, most: usize) -> Vec<u8> {
    let length = match rng.random_range(0..6) {
        0 => rng.random_range(1..70),
        1 => 64,
        2 => rng.random_range(64..most.max(65)),
        _ => rng.random_range(64..300),
    };
    let window = config.window_bytes as u8;
    let (consumed, header) = match rng.random_range(0..3) {
        0 => (rng.random_range(0..=window), rng.random_range(0..=window)),
        1 => (20, 20),
        _ => (rng.random_range(0..=32), rng.random_range(16..=48)),
    };
    let port = if rng.random_range(0..5) == 0 { 511 } else { rng.random_range(0..511) };
    let mut bytes = packet(length, consumed, header, port);
    let mut set = |at: usize, value: u16| {
        for (i, byte) in value.to_be_bytes().into_iter().enumerate() {
            if let Some(place) = bytes.get_mut(at + i) {
                *place = byte;
            }
        }
    };
    if rng.random_range(0..3) == 0 {
        set(4, [1, 2, 3, 900, 4, 5000][rng.random_range(0..6)]);
    }
    if rng.random_range(0..4) == 0 {
        set(6, !rng.random_range(0..400u16));
    }
    set(9, [0, 1, 2, 250, 7, 60000][rng.random_range(0..6)]);
    set(11, u16::from(rng.random_range(0..3u8)) << 8);
    if let Some(flags) = bytes.get_mut(8) {
        *flags = (0..6).filter(|_| rng.random_range(0..4) == 0).map(|bit| 1 << bit).sum();
    }
    bytes
}

/// Sends requests, one at a time or all at once, and compares.
fn compare(config: &ShellConfig, options: BenchOptions, count: usize, most: usize) -> Model {
    let mut rng = SmallRng::seed_from_u64(options.seed);
    let options_seed = options.seed;
    let mut card = Card::new(config, options);
    let mut model = Model { config: config.clone(), ..Model::default() };
    install(&mut card, &mut model, &mut rng);
    let packets: Vec<Vec<u8>> = (0..count).map(|_| request(config, &mut rng, most)).collect();
    for packet in &packets {
        card.nic.send(7, packet.clone());
        model.packet(packet);
    }
    card.nic.drain(100, 4_000_000).unwrap();
    card.settle();
    let mut got: Vec<_> =
        card.nic.received().into_iter().map(|r| (r.destination(), r.bytes)).collect();
    let mut want = model.out.clone();
    println!("{} of {} with seed {}", got.len(), want.len(), options_seed);
    assert_eq!(card.count(Count::LoopFull), 0);
    got.sort();
    want.sort();
    for (i, (got, want)) in got.iter().zip(&want).enumerate() {
        let head = |(port, bytes): &Out| {
            format!("{port} {} {:?}", bytes.len(), &bytes[..bytes.len().min(20)])
        };
        assert!(
            got == want,
            "output {i} in order of ports and bytes:\n{}\n{}",
            head(got),
            head(want)
        );
    }
    assert_eq!(got.len(), want.len());
    for count in [
        Count::Sent,
        Count::DroppedIngress,
        Count::DroppedEgress,
        Count::NoGroup,
        Count::NoSession,
        Count::MaxPasses,
    ] {
        assert_eq!(card.count(count), model.counts.get(&count).copied().unwrap_or(0), "{count:?}");
    }
    for zero in [Count::WrongSize, Count::Lost] {
        assert_eq!(card.count(zero), 0, "{zero:?}");
    }
    assert_eq!(card.tag_errors(), 0);
    model
}

fn options(seed: u64) -> BenchOptions {
    BenchOptions { seed, ..BenchOptions::default() }
}

#[test]
fn copies_and_drops() {
    let config = ShellConfig { multicast: true, ..base() };
    let model = compare(&config, options(1), 1000, 600);
    for count in [Count::DroppedIngress, Count::DroppedEgress, Count::NoGroup] {
        assert!(model.counts[&count] > 10, "{count:?}");
    }
    let (gaps, back_pressure) = (40, 40);
    compare(&config, BenchOptions { gaps, back_pressure, ..options(2) }, 500, 9000);
}

#[test]
fn each_kind_of_loop_alone() {
    for (seed, config) in [
        (3, ShellConfig { ingress_clones: true, ..base() }),
        (4, ShellConfig { egress_clones: true, ..base() }),
        (5, ShellConfig { resubmit: true, ..base() }),
        (6, ShellConfig { recirculate: true, ..base() }),
    ] {
        println!("{config:?}");
        compare(&config, options(seed), 400, 600);
    }
}

#[test]
fn everything_together() {
    for seed in 10..14 {
        let gaps = 30 * (seed % 2) as u8;
        let back_pressure = 20 * (seed / 2 % 2) as u8;
        compare(&everything(), BenchOptions { gaps, back_pressure, ..options(seed) }, 300, 1000);
    }
}
