//! Copies, drops and loops against the model.

use crate::card::Card;
use crate::model::{Model, Replica};
use crate::packet;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use restage_manifest::ShellConfig;
use restage_manifest::address::shell::{self as word, Count};
use restage_sim_verilator::BenchOptions;

/// A shell whose PHV has room for the window, and one stage for each half.
fn base() -> ShellConfig {
    ShellConfig { phv_bits: 2048, regions: 2, slots: 1, keep_bits: 20, ..ShellConfig::default() }
}

pub fn everything() -> ShellConfig {
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
pub fn install(card: &mut Card, model: &mut Model, rng: &mut SmallRng) {
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
pub fn request(config: &ShellConfig, rng: &mut SmallRng, most: usize) -> Vec<u8> {
    let length = match rng.random_range(0..6) {
        0 => rng.random_range(1..70),
        1 => 64,
        2 => rng.random_range(64..most.max(65)),
        _ => rng.random_range(64..300),
    };
    let window = config.window_bytes as u8;
    // Of a small window all is looked at more often.
    let (consumed, header) = match rng.random_range(0..if window < 64 { 4 } else { 3 }) {
        3 => (rng.random_range(0..=window), window),
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

/// Sends requests, so many together on average, and compares.
pub fn compare(
    config: &ShellConfig,
    options: BenchOptions,
    together: usize,
    count: usize,
    most: usize,
) -> Model {
    let mut rng = SmallRng::seed_from_u64(options.seed);
    let options_seed = options.seed;
    let mut card = Card::new(config, options);
    let mut model = Model { config: config.clone(), ..Model::default() };
    install(&mut card, &mut model, &mut rng);
    card.write(word::LOOP_GROWTH, 4);
    let packets: Vec<Vec<u8>> = (0..count).map(|_| request(config, &mut rng, most)).collect();
    let mut sources = Vec::new();
    for packet in &packets {
        let source = rng.random();
        card.nic.send(source, packet.clone());
        model.packet(packet);
        sources.resize(model.out.len(), source);
        if rng.random_range(0..together) == 0 {
            card.settle();
        }
    }
    card.nic.drain(100, 4_000_000).unwrap();
    card.settle();
    let mut got: Vec<_> =
        card.nic.received().into_iter().map(|r| (r.destination(), r.source(), r.bytes)).collect();
    let sent = model.out.iter().zip(&sources);
    let mut want: Vec<_> =
        sent.map(|((port, bytes), from)| (*port, *from, bytes.clone())).collect();
    println!("{} of {} with seed {}", got.len(), want.len(), options_seed);
    assert_eq!(card.count(Count::LoopFull), 0);
    got.sort();
    want.sort();
    for (i, (got, want)) in got.iter().zip(&want).enumerate() {
        let head = |(port, source, bytes): &(u16, u16, Vec<u8>)| {
            format!("{port} {source} {} {:?}", bytes.len(), &bytes[..bytes.len().min(20)])
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
    let (mut told, mut want) = (card.digests(model.digests.len()), model.digests.clone());
    if want.len() <= 256 {
        told.sort();
        want.sort();
        assert_eq!(told, want);
    }
    let lost = model.digests.len().saturating_sub(256) as u64;
    assert_eq!(card.count(Count::DigestsLost), lost);
    model
}

fn options(seed: u64) -> BenchOptions {
    BenchOptions { seed, ..BenchOptions::default() }
}

#[test]
fn copies_and_drops() {
    let config = ShellConfig { multicast: true, ..base() };
    let model = compare(&config, options(1), 1000, 1000, 600);
    for count in [Count::DroppedIngress, Count::DroppedEgress, Count::NoGroup] {
        assert!(model.counts[&count] > 10, "{count:?}");
    }
    let (gaps, back_pressure) = (40, 40);
    compare(&config, BenchOptions { gaps, back_pressure, ..options(2) }, 100, 500, 9000);
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
        compare(&config, options(seed), 400, 400, 600);
    }
}

#[test]
fn everything_together() {
    for seed in 10..14 {
        let gaps = 30 * (seed % 2) as u8;
        let back_pressure = 20 * (seed / 2 % 2) as u8;
        compare(
            &everything(),
            BenchOptions { gaps, back_pressure, ..options(seed) },
            100,
            300,
            1000,
        );
    }
}

#[test]
fn other_widths_and_sums() {
    let wide = ShellConfig { window_bytes: 256, phv_bits: 4096, ..everything() };
    compare(&wide, options(20), 1, 200, 1000);
    let narrow =
        ShellConfig { data_bytes: 16, window_bytes: 48, payload_beats: 4096, ..everything() };
    compare(&narrow, BenchOptions { gaps: 30, ..options(21) }, 20, 200, 1000);
    let sums = ShellConfig { payload_sum: true, phv_bits: 4096, ..everything() };
    compare(&sums, BenchOptions { back_pressure: 30, ..options(22) }, 20, 200, 9000);
}

#[test]
fn passes_are_bounded() {
    let config = ShellConfig { max_passes: 3, ..everything() };
    let mut card = Card::new(&config, options(1));
    for flags in [2u8, 16] {
        let before = card.count(Count::MaxPasses);
        let mut packet = packet(100, 20, 20, 1);
        packet[8] = flags;
        packet[11] = 255;
        card.nic.send(1, packet);
        card.settle();
        assert_eq!(card.count(Count::MaxPasses), before + 1);
    }
    assert_eq!(card.count(Count::Looped), 4);
    assert!(card.nic.received().is_empty());
}

#[test]
fn originals_survive_a_full_loop_buffer_and_copies_are_counted() {
    let config = everything();
    for (seed, growth) in [(30, 4), (31, 4), (32, 20)] {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut card = Card::new(
            &config,
            BenchOptions { back_pressure: 30 * (seed % 2) as u8, ..options(seed) },
        );
        let mut model = Model { config: config.clone(), ..Model::default() };
        install(&mut card, &mut model, &mut rng);
        card.write(word::LOOP_GROWTH, growth);
        let count = 1500u16;
        for i in 0..count {
            // Every packet is recirculated or resubmitted again and again, and asks for copies on the way.
            let length = [64, 300, 1500, 9000][rng.random_range(0..if seed == 31 { 4 } else { 3 })];
            let mut packet = packet(length, 20, 36, i % 500);
            packet[8] = [16, 2, 17, 24, 3, 26][rng.random_range(0..6)];
            packet[10] = rng.random_range(0..3);
            packet[11] = 4;
            // Where nothing rewrites it.
            packet[30..32].copy_from_slice(&i.to_be_bytes());
            card.nic.send(1, packet);
        }
        card.nic.drain(3000, 4_000_000).unwrap();
        card.settle();
        let mut arrived = vec![0; count.into()];
        for packet in card.nic.received() {
            // Only copies are cut.
            if packet.bytes.len() < 32 {
                continue;
            }
            let instance = packet.bytes[12] & 7;
            let number = usize::from(u16::from_be_bytes([packet.bytes[30], packet.bytes[31]]));
            arrived[number] += usize::from(instance == 0);
        }
        let missing: Vec<usize> = (0..count.into()).filter(|i| arrived[*i] == 0).collect();
        assert_eq!(missing, [0usize; 0], "originals that are missing");
        println!("{} copies had no room", card.count(Count::LoopFull));
        assert!(card.count(Count::LoopFull) > 0);
        assert_eq!(card.count(Count::Lost), 0);
        // All room is given back: one at a time, nothing is refused.
        let full = card.count(Count::LoopFull);
        for _ in 0..50 {
            let mut packet = packet(300, 20, 20, 1);
            packet[8] = 24;
            packet[10] = 2;
            packet[11] = 2;
            card.nic.send(1, packet);
            card.settle();
        }
        assert_eq!(card.count(Count::LoopFull), full);
    }
}

#[test]
fn monitors_tell_times_and_order() {
    let config = everything();
    let mut card = Card::new(&config, BenchOptions { clocks_per_microsecond: 10, ..options(40) });
    card.write(word::LOOP_GROWTH, 1);
    let ports = ["mon_gate_time_o", "mon_gate_looped_o", "mon_gate_size_o", "mon_gate_source_o"];
    let gate = card.nic.watch("mon_gate_valid_o", &ports).unwrap();
    let ports = [
        "mon_emit_time_o",
        "mon_emit_gate_time_o",
        "mon_emit_port_o",
        "mon_emit_raw_o",
        "mon_emit_deq_delta_o",
    ];
    let emit = card.nic.watch("mon_emit_valid_o", &ports).unwrap();
    for i in 0..20u16 {
        let mut packet = packet(64 + usize::from(i), 20, 20, i);
        packet[8] = if i == 5 { 2 } else { 0 };
        card.nic.send(100 + i, packet);
    }
    card.settle();
    let (gate, emit) = (card.nic.seen(gate), card.nic.seen(emit));
    assert_eq!(gate.len(), 21, "one came again");
    let first: Vec<_> = gate.iter().filter(|s| s.values[1] == 0).collect();
    for (i, seen) in first.iter().enumerate() {
        assert_eq!(seen.values[2..], [64 + i as u64, 100 + i as u64]);
    }
    let again: Vec<_> = gate.iter().filter(|s| s.values[1] == 6).collect();
    assert_eq!((again.len(), again[0].values[2]), (1, 69));
    // The resubmitted one passed the traffic point on its way to the loop port, and again behind it.
    assert_eq!(emit.len(), 21);
    let raw: Vec<u64> = emit.iter().map(|s| s.values[3]).collect();
    assert_eq!(raw.iter().sum::<u64>(), 1);
    for (gate, emit) in gate.iter().zip(&emit) {
        assert_eq!(emit.values[1], gate.values[0], "in the order of the gate");
        assert!(
            emit.values[0] >= emit.values[1] && emit.values[4] <= emit.values[0] - emit.values[1]
        );
    }
    let ports: Vec<u64> = emit.iter().filter(|s| s.values[3] == 0).map(|s| s.values[2]).collect();
    assert_eq!(ports.last(), Some(&5));
}
