//! One small shell with all that can be in a shell; its model is built in seconds. Each test is over in a second or so: it is by
//! these that mutations of the shell's modules are judged.

use crate::card::{Card, circuits};
use crate::live::live;
use crate::model::Model;
use crate::packet;
use crate::stand_in::common;
use crate::traffic::{compare, request};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use restage_manifest::address::shell::{self as word, Count};
use restage_manifest::address::{self, guard};
use restage_manifest::socket::{LENGTH_BITS, RegionKind};
use restage_manifest::{ShellConfig, ShellField as F};
use restage_rtl::net::{Circuit, Module};
use restage_rtl::shell::{region_interface, sockets};
use restage_sim_verilator::{BenchOptions, Device};

/// All there is, as small as can be.
pub fn small() -> ShellConfig {
    ShellConfig {
        data_bytes: 16,
        window_bytes: 48,
        phv_bits: 864,
        regions: 3,
        slots: 2,
        lane_words: 2,
        ingress_time: true,
        queue_times: true,
        payload_sum: true,
        multicast: true,
        ingress_clones: true,
        egress_clones: true,
        resubmit: true,
        recirculate: true,
        keep_bits: 20,
        digest_bits: 88,
        sessions: 256,
        replicas: 64,
        queue: 32,
        payload_beats: 2048,
        max_passes: 3,
        max_latency: 32,
        ..ShellConfig::default()
    }
}

fn options(seed: u64) -> BenchOptions {
    BenchOptions { seed, ..BenchOptions::default() }
}

#[test]
fn traffic_of_all_kinds() {
    let model = compare(&small(), BenchOptions { gaps: 20, ..options(1) }, 40, 600, 900);
    for count in [
        Count::DroppedIngress,
        Count::DroppedEgress,
        Count::NoGroup,
        Count::NoSession,
        Count::MaxPasses,
    ] {
        assert!(model.counts[&count] > 10, "{count:?}");
    }
}

#[test]
fn long_packets_and_back_pressure() {
    compare(&small(), BenchOptions { back_pressure: 60, ..options(2) }, 2, 60, 3000);
    compare(&small(), BenchOptions { gaps: 60, back_pressure: 30, ..options(3) }, 3, 100, 300);
}

#[test]
fn ways_change_while_packets_flow() {
    for (seed, gaps, back_pressure) in [(1, 0, 0), (2, 30, 30)] {
        let options = BenchOptions { gaps, back_pressure, ..options(seed) };
        let mut life = live(&small(), seed, 12, options, 0, |rng| rng.random_range(48..120));
        assert_eq!(life.wrong(), 0);
        // A packet waits for the other epoch as long as the formula says, or less.
        for (half, count) in [Count::HeldIngress, Count::HeldEgress].into_iter().enumerate() {
            let held = life.card.count(count);
            assert!(
                held <= life.asked[half] && (held > 0 || gaps > 0),
                "{held} of {:?}",
                life.asked
            );
        }
        life.card.settle();
        assert_eq!(life.card.count(Count::Sent), life.packets.len() as u64);
        assert_eq!(life.card.tag_errors(), 0);
    }
}

/// Bubbles that are too short: packets meet and overtake each other, and that is counted. Long enough ones are not.
#[test]
fn packets_that_meet_are_counted() {
    let mut seen = [0; 2];
    for seed in 1..=3 {
        let mut life = live(&small(), seed, 12, options(seed), 9, |_| 48);
        assert!(life.wrong() > 0);
        seen[0] += life.card.count(Count::Collided);
        seen[1] += life.card.count(Count::Disordered);
    }
    assert!(seen[0] > 0 && seen[1] > 0, "{seen:?}");
}

/// A deparser whose header is the lower end of the PHV: what the shell tells programs.
fn shower(config: &ShellConfig, latency: u32) -> Circuit {
    let interface = region_interface(config, RegionKind::Deparser, "any");
    let mut module = Module::new("shower");
    let m = &mut module;
    common(m, &interface, latency);
    let phv = m.input("phv_i", config.phv_bits);
    let header = m.slice(phv, 8 * config.window_bytes - 1, 0);
    let header = m.delay(header, latency);
    m.output("header_o", header);
    let length = m.lit(LENGTH_BITS, config.window_bytes.into());
    m.output("length_o", length);
    module.finish().unwrap_or_else(|f| panic!("{f:?}"))
}

/// Of a packet that went through [`shower`].
fn shown(config: &ShellConfig, bytes: &[u8], field: F) -> u64 {
    let at = field.at(config).unwrap();
    let bit = |i: u32| {
        let byte = bytes[(config.window_bytes - 1 - i / 8) as usize];
        u64::from(byte >> (i % 8) & 1)
    };
    (0..at.width).map(|i| bit(at.low + i) << i).sum()
}

#[test]
fn programs_are_told_of_packets_and_queues() {
    let config = small();
    let (parts, mut regions) = circuits(&config);
    let units: Vec<_> = sockets(&config).iter().map(|s| s.unit).collect();
    let last = units.iter().position(|u| *u == address::deparser(&config, 0)).unwrap();
    regions[last] = shower(&config, 9);
    // A microsecond a clock, and late enough for all bits of a time to change.
    let time = (1 << 45) - 3000;
    let options = BenchOptions { clocks_per_microsecond: 1, time, back_pressure: 70, ..options(5) };
    let mut card = Card::coupled(&config, &(parts, regions), options);
    card.boot();
    card.write(word::guard(address::deparser(&config, 0), guard::LATENCY), 9);
    let gate = card.nic.watch("mon_gate_valid_o", &["mon_gate_time_o"]).unwrap();
    let emit = card
        .nic
        .watch(
            "mon_emit_valid_o",
            &[
                "mon_emit_time_o",
                "mon_emit_gate_time_o",
                "mon_emit_enq_time_o",
                "mon_emit_enq_depth_o",
                "mon_emit_deq_delta_o",
                "mon_emit_deq_depth_o",
                "mon_emit_port_o",
                "mon_emit_rid_o",
                "mon_emit_instance_o",
            ],
        )
        .unwrap();
    let mut rng = SmallRng::seed_from_u64(6);
    let packets: Vec<Vec<u8>> = (0..400)
        .map(|_| packet(rng.random_range(48..700), 48, 48, rng.random_range(0..511)))
        .collect();
    for (i, packet) in packets.iter().enumerate() {
        card.nic.send(100 + 7 * i as u16, packet.clone());
    }
    card.settle();
    let (gate, emit, got) = (card.nic.seen(gate), card.nic.seen(emit), card.nic.received());
    assert_eq!([gate.len(), emit.len(), got.len()], [packets.len(); 3]);
    let low = |value: u64| value & 0xffff_ffff;
    let since = |value: u64| low(value.wrapping_sub(time));
    let mut queued: Vec<(u64, u64)> = Vec::new();
    for (i, packet) in packets.iter().enumerate() {
        let at = |field: F| shown(&config, &got[i].bytes, field);
        let e = &emit[i].values;
        let port = u64::from(packet[2]) << 8 | u64::from(packet[3]);
        let words = packet.chunks(2);
        let sum: u64 =
            words.map(|w| u64::from(w[0]) << 8 | w.get(1).map_or(0, |b| u64::from(*b))).sum();
        for (field, want) in [
            (F::Run, 1),
            (F::IngressPort, (100 + 7 * i as u64) & 511),
            (F::PacketLength, packet.len() as u64),
            (F::Instance, 0),
            (F::Consumed, 48),
            (F::EgressPort, port),
            (F::EgressRid, 0),
            (F::IngressTime, gate[i].values[0]),
            (F::EgressTime, e[0]),
            (F::EnqTime, e[2]),
            (F::EnqDepth, e[3]),
            (F::DeqDelta, e[4]),
            (F::DeqDepth, e[5]),
            (F::PacketSum, sum),
        ] {
            assert_eq!(at(field), want, "{field:?} of packet {i}");
        }
        assert_eq!(u64::from(got[i].destination()), port);
        assert_eq!(got[i].bytes[48..], packet[48..]);
        assert_eq!([e[1], e[6], e[7], e[8]], [gate[i].values[0], port, 0, 0]);
        assert_eq!(low(e[2] + e[4]), low(e[0]));
        assert!(low(e[2].wrapping_sub(e[1])) < 5000 && e[4] >= 3, "{e:?}");
        queued.push((since(e[2]), since(e[0])));
    }
    // Both depths again, from the times: a packet leaves the queue two clocks before its copy is there.
    const READ: u64 = 2;
    let inside = |now: u64| {
        let there = |(came, left): &&(u64, u64)| *came < now && now + READ <= *left;
        queued.iter().filter(there).count() as u64
    };
    let mut deep = 0;
    for (i, e) in emit.iter().map(|seen| &seen.values).enumerate() {
        assert_eq!(e[3], inside(since(e[2])), "packets in the queue when packet {i} came");
        assert_eq!(e[5], inside(since(e[0]) - READ), "packets in the queue when packet {i} left");
        deep += u64::from(e[3] > 2);
    }
    assert!(deep > 50, "{deep}");
}

#[test]
fn registers_keep_what_is_written() {
    let config = small();
    let mut card = Card::new(&config, options(7));
    assert_eq!(card.read(word::MAGIC), word::MAGIC_VALUE);
    assert_eq!(card.read(word::HASH), config.fingerprint());
    let mut rng = SmallRng::seed_from_u64(8);
    let mut plain = vec![
        (word::LOOP_GROWTH, 0xffff),
        (word::BUBBLE_INGRESS, 0x1ff),
        (word::BUBBLE_INGRESS + 1, 0x1ff),
        (word::BUBBLE_EGRESS, 0x1ff),
        (word::BUBBLE_EGRESS + 1, 0x1ff),
        (word::YIELD, 1),
    ];
    let units = 1..=address::last(&config);
    for unit in units.clone().chain([word::POINT, word::JOIN]) {
        if unit != address::PARSER && unit != address::PARSER + 1 {
            plain.extend([0, 1].map(|epoch| (word::route(epoch, unit), 0x107)));
        }
    }
    for region in 0..config.regions {
        plain.extend((0..config.lane_words).map(|w| (word::lane(region, w), 0x107)));
    }
    plain.extend(units.clone().map(|unit| (word::guard(unit, guard::COUPLED), 1)));
    let before: Vec<u32> = plain.iter().map(|(at, _)| card.read(*at)).collect();
    for round in 0..3 {
        let mut want = Vec::new();
        for (at, mask) in &plain {
            let value: u32 = rng.random();
            let value = if round == 0 { *mask } else { value };
            card.write(*at, value);
            want.push(value & mask);
        }
        for ((at, mask), want) in plain.iter().zip(&want) {
            let got = card.read(*at);
            assert_eq!(got & mask, *want, "word {at:#x}");
            assert_eq!(got & !0xffff, 0, "word {at:#x}");
        }
    }
    for ((at, _), value) in plain.iter().zip(&before) {
        card.write(*at, *value);
    }
    for (at, value) in [(word::GATE, 3), (word::GATE, 1)] {
        card.write(at, value);
        assert_eq!(card.read(at), value);
    }
    // What nobody has is 0 and takes nothing.
    for at in [0x02, 0x07, 0x15, 0x1f, 0x25, 0x3f, 0x7f, 0x183, 0x300, 0x7ff, 0xfff] {
        card.write(at, u32::MAX);
        assert_eq!(card.read(at), 0, "word {at:#x}");
    }
    let counts = Count::ALL.map(|count| card.count(count));
    assert_eq!(counts, [0; Count::ALL.len()]);
}

/// Units answer, or the shell says that they do not.
#[test]
fn units_answer_or_the_shell_does() {
    let config = small();
    let mut card = Card::new(&config, options(9));
    let mut rng = SmallRng::seed_from_u64(10);
    let units = address::last(&config);
    let mut held = vec![0u32; units as usize + 1];
    for i in 0..200 {
        let unit = if i < units { i + 1 } else { rng.random_range(1..=units) };
        if i < units || rng.random() {
            held[unit as usize] = rng.random();
            card.nic.write(address::byte(unit, 0x20), held[unit as usize]).unwrap();
        }
        let at = rng.random_range(0..0x3fff);
        let got = card.nic.read(address::byte(unit, at)).unwrap();
        assert_eq!(got, held[unit as usize].wrapping_add(at), "word {at:#x} of unit {unit}");
    }
    for unit in [1, units] {
        for write in [false, true] {
            let start = card.nic.cycle();
            let at = address::byte(unit, 0x3fff);
            let failed = match write {
                true => card.nic.write(at, 1).is_err(),
                false => card.nic.read(at).is_err(),
            };
            assert!(failed);
            let took = card.nic.cycle() - start;
            assert!((1000..1100).contains(&took), "{took} clocks");
        }
        card.nic.read(address::byte(unit, 0)).unwrap();
    }
    // Nobody is at a number that differs in one bit from that of somebody.
    let near = (0..=units).flat_map(|unit| (0..8).map(move |bit| unit ^ (1 << bit)));
    for unit in near.filter(|unit| *unit > units) {
        assert!(card.nic.read(address::byte(unit, 0)).is_err(), "unit {unit}");
        assert!(card.nic.write(address::byte(unit, 8), 0).is_err(), "unit {unit}");
    }
    assert_eq!(card.read(word::MAGIC), word::MAGIC_VALUE);
}

#[test]
fn what_finds_no_room_is_dropped_whole() {
    let config = small();
    let options = BenchOptions { back_pressure: 60, ..options(11) };
    let mut card = Card::new(&config, options);
    card.write(word::GATE, 3);
    card.write(word::LOOP_GROWTH, 1);
    let mut rng = SmallRng::seed_from_u64(12);
    let packets: Vec<Vec<u8>> = (0..900u16)
        .map(|i| match i % 3 {
            // Beats run out, or places for packets.
            0 if i < 450 => packet(rng.random_range(1..3000), 20, 30, i % 500),
            _ => packet(rng.random_range(1..60), 16, 18, i % 500),
        })
        .collect();
    for (i, packet) in packets.iter().enumerate() {
        card.nic.send(i as u16, packet.clone());
    }
    card.nic.drain(600, 4_000_000).unwrap();
    card.settle();
    let sent = card.nic.sent();
    let beats: usize = packets.iter().map(|p| p.len().div_ceil(16)).sum();
    assert_eq!(sent[sent.len() - 1].last - sent[0].first + 1, beats as u64, "the source waits");
    let received = card.nic.received();
    let mut next = 0;
    for got in &received {
        let index = usize::from(got.source());
        assert!(index >= next, "packet {index} behind packet {next}");
        let mut model = Model { config: config.clone(), ..Model::default() };
        model.packet(&packets[index]);
        assert!(got.bytes == model.out[0].1, "packet {index}");
        next = index + 1;
    }
    let out = received.len() as u64;
    assert_eq!([card.count(Count::Received), card.count(Count::Sent)], [out; 2]);
    assert_eq!(card.count(Count::Shed), packets.len() as u64 - out);
    assert_eq!([card.count(Count::WrongSize), card.count(Count::Lost)], [0; 2]);
    assert!((200..800).contains(&out), "{out}");
}

/// Originals get through a loop buffer that is full, and copies that find no room are counted; all room comes back.
#[test]
fn a_full_loop_buffer() {
    let config = small();
    let mut card = Card::new(&config, options(13));
    let mut model = Model { config: config.clone(), ..Model::default() };
    let mut rng = SmallRng::seed_from_u64(14);
    crate::traffic::install(&mut card, &mut model, &mut rng);
    card.write(word::LOOP_GROWTH, 8);
    // Once more: room that was not given back the first time is missing.
    let most = room(&mut card);
    (0..2).for_each(|_| storm(&mut card, &mut rng));
    assert_eq!(room(&mut card), most, "beats that are free when nothing is inside");
    card.write(word::LOOP_GROWTH, 8);
    assert!(card.count(Count::LoopFull) > 0);
    assert_eq!(card.count(Count::Lost), 0);
    let full = card.count(Count::LoopFull);
    for _ in 0..20 {
        let mut packet = packet(300, 20, 20, 1);
        packet[8] = 24;
        packet[10] = 2;
        packet[11] = 1;
        card.nic.send(1, packet);
        card.settle();
    }
    assert_eq!(card.count(Count::LoopFull), full);
}

/// The most that a packet may grow and still be let in.
fn room(card: &mut Card) -> u32 {
    let (mut fits, mut beyond) = (0, 0x4000);
    while fits + 1 < beyond {
        let growth = (fits + beyond) / 2;
        card.write(word::LOOP_GROWTH, growth);
        let before = card.count(Count::Received);
        card.nic.send(1, packet(64, 20, 20, 1));
        card.nic.run(300).unwrap();
        if card.count(Count::Received) > before {
            fits = growth;
        } else {
            beyond = growth;
        }
        card.write(word::LOOP_GROWTH, 8);
        card.settle();
        card.nic.received();
    }
    fits
}

/// Packets that come round, with copies on the way; every original must come out in the end.
fn storm(card: &mut Card, rng: &mut SmallRng) {
    let count = 300u16;
    for i in 0..count {
        let length = [64, 300, 1500, 9000][rng.random_range(0..4)];
        let mut packet = packet(length, 20, 36, i % 500);
        packet[8] = [16, 2, 17, 24, 3, 26][rng.random_range(0..6)];
        packet[10] = rng.random_range(0..3);
        packet[11] = 1;
        packet[30..32].copy_from_slice(&i.to_be_bytes());
        card.nic.send(1, packet);
    }
    card.nic.drain(3000, 4_000_000).unwrap();
    card.settle();
    let mut arrived = vec![0; count.into()];
    for packet in card.nic.received().iter().filter(|p| p.bytes.len() >= 32) {
        let number = usize::from(u16::from_be_bytes([packet.bytes[30], packet.bytes[31]]));
        arrived[number] += usize::from(packet.bytes[12] & 7 == 0);
    }
    let missing: Vec<usize> = (0..count.into()).filter(|i| arrived[*i] == 0).collect();
    assert_eq!(missing, [0usize; 0], "originals that are missing");
}

/// More messages than there is room for: the first ones stay, whole and in order.
#[test]
fn messages_wait_to_be_read() {
    let config = small();
    let mut card = Card::new(&config, options(15));
    let mut want = Vec::new();
    for i in 0..300u16 {
        let mut bytes = packet(60, 20, 20, i % 8);
        bytes[8] = 4;
        bytes[4..8].copy_from_slice(&[0, 0, 0xff, 0xff]);
        bytes[9..11].copy_from_slice(&(i * 211).to_be_bytes());
        want.push(bytes[..11].to_vec());
        card.nic.send(1, bytes);
    }
    card.settle();
    assert_eq!(card.digests(256), want[..256]);
    assert_eq!(card.count(Count::DigestsLost), 44);
}

/// Lengths that are not what was announced are counted, and neither hide nor spoil what follows.
#[test]
fn packets_of_another_length_than_they_say() {
    let config = small();
    let mut card = Card::new(&config, options(16));
    let mut rng = SmallRng::seed_from_u64(17);
    let mut wrong = 0;
    let mut model = Model { config: config.clone(), ..Model::default() };
    for i in 0..220u64 {
        let bytes = request(&config, &mut rng, 300);
        let mut plain = packet(bytes.len(), 16, 18, 3);
        plain.iter_mut().skip(12).for_each(|b| *b = rng.random());
        let lies = i % 5 == 4 && i < 200;
        let said = match lies {
            true => (plain.len() as i64 + [1, -1, 16, -16, 200][i as usize / 5 % 5]).max(1) as u64,
            false => plain.len() as u64,
        };
        wrong += u64::from(said.div_ceil(16) != plain.len().div_ceil(16) as u64);
        if !lies {
            model.packet(&plain);
        }
        card.nic.send_with_user(plain, said | (i + 1000 * u64::from(lies)) << 16);
    }
    card.settle();
    let got = card.nic.received();
    let right: Vec<_> = got.iter().filter(|p| p.source() < 1000).map(|p| &p.bytes).collect();
    let want: Vec<_> = model.out.iter().map(|(_, bytes)| bytes).collect();
    assert_eq!(right, want);
    assert_eq!(card.count(Count::WrongSize), wrong);
}
