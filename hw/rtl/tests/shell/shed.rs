//! Sources that cannot wait: what finds no room is dropped whole, and nothing else is lost.

use crate::card::Card;
use crate::traffic::everything;
use crate::{expected, mix, packet, plain};
use restage_manifest::ShellConfig;
use restage_manifest::address::shell::{self as word, Count};
use restage_sim_verilator::BenchOptions;

/// The gate is open, and packets do not wait.
const SHEDS: u32 = 3;
/// Asks for another pass behind egress.
const RECIRCULATE: u8 = 1 << 4;

/// Sends packets on every clock to a card whose output takes beats in so many percent of the clocks. Gives how many came out;
/// all of them must be whole and in order, and all others counted.
fn sheds(config: &ShellConfig, seed: u64, back_pressure: u8, packets: &[Vec<u8>]) -> usize {
    let options = BenchOptions { seed, back_pressure, ..BenchOptions::default() };
    let mut card = Card::new(config, options);
    card.write(word::GATE, SHEDS);
    card.write(word::LOOP_GROWTH, 0);
    assert_eq!(card.read(word::GATE), SHEDS);
    for (i, packet) in packets.iter().enumerate() {
        card.nic.send(i as u16, packet.clone());
    }
    card.nic.drain(600, 4_000_000).unwrap();
    card.settle();
    let sent = card.nic.sent();
    let beats: usize = packets.iter().map(|p| p.len().div_ceil(64)).sum();
    let clocks = sent[sent.len() - 1].last - sent[0].first + 1;
    assert_eq!(clocks, beats as u64, "the source never waits");
    let received = card.nic.received();
    let mut next = 0;
    for got in &received {
        let index = usize::from(got.source());
        assert!(index >= next, "packet {index} behind packet {next}");
        assert!(got.bytes == expected(config, &packets[index]), "packet {index}");
        next = index + 1;
    }
    let out = received.len() as u64;
    assert_eq!([card.count(Count::Received), card.count(Count::Sent)], [out; 2]);
    assert_eq!(card.count(Count::Shed), packets.len() as u64 - out);
    assert_eq!([card.count(Count::WrongSize), card.count(Count::Lost)], [0; 2]);
    received.len()
}

#[test]
fn packets_without_room_are_dropped_whole() {
    for (seed, back_pressure) in [(1, 50), (2, 90)] {
        let packets = mix(&plain(), seed, 1500);
        let out = sheds(&plain(), seed, back_pressure, &packets);
        println!("{out} of {} came through", packets.len());
        assert!((100..1200).contains(&out), "{out}");
    }
    // Frames of one beat: what stops is the queue of packets, not the buffer of beats.
    let packets: Vec<Vec<u8>> = (0..6000).map(|i| packet(64, 14, 14, i % 8)).collect();
    let out = sheds(&plain(), 3, 70, &packets);
    assert!((1500..3500).contains(&out), "{out}");
}

#[test]
fn nothing_is_dropped_where_there_is_room() {
    let packets: Vec<Vec<u8>> = (0..3000).map(|i| packet(64, 14, 14, i % 8)).collect();
    assert_eq!(sheds(&plain(), 4, 0, &packets), packets.len());
    let loops = ShellConfig { resubmit: true, ..plain() };
    assert_eq!(sheds(&loops, 5, 0, &packets), packets.len());
}

#[test]
fn packets_wait_again_when_they_are_told() {
    let options = BenchOptions { seed: 6, back_pressure: 80, ..BenchOptions::default() };
    let mut card = Card::new(&plain(), options);
    let packets = mix(&plain(), 6, 2400);
    let mut shed = Vec::new();
    for (round, part) in packets.chunks(600).enumerate() {
        card.write(word::GATE, if round % 2 == 0 { SHEDS } else { 1 });
        part.iter().for_each(|packet| card.nic.send(round as u16, packet.clone()));
        // What is still offered when the mode changes is under way.
        while card.nic.waiting() > 0 {
            card.nic.step().unwrap();
        }
        shed.push(card.count(Count::Shed));
    }
    card.nic.drain(600, 4_000_000).unwrap();
    card.settle();
    println!("dropped {shed:?}");
    let received = card.nic.received();
    let of_round = |r: u16| received.iter().filter(|p| p.source() == r).count() as u64;
    assert_eq!([of_round(1), of_round(3)], [600; 2]);
    assert_eq!(of_round(0) + of_round(2) + shed[3], 1200);
    assert!(shed[0] > 50 && shed[2] > shed[0] + 50, "{shed:?}");
    assert_eq!([shed[1], shed[3]], [shed[0], shed[2]]);
}

/// Packets that come round go before new ones, which then find no room for a while.
#[test]
fn packets_that_come_round_are_not_lost() {
    let config = everything();
    let packets: Vec<Vec<u8>> = (0..3000)
        .map(|i| {
            let mut packet = packet(200, 20, 20, i % 8);
            packet[8] = if i % 2 == 0 { 0 } else { RECIRCULATE };
            packet
        })
        .collect();
    let options = BenchOptions { seed: 7, back_pressure: 30, ..BenchOptions::default() };
    let mut card = Card::new(&config, options);
    card.write(word::GATE, SHEDS);
    for (i, packet) in packets.iter().enumerate() {
        card.nic.send(i as u16, packet.clone());
    }
    card.nic.drain(2000, 4_000_000).unwrap();
    card.settle();
    let (received, shed) = (card.count(Count::Received), card.count(Count::Shed));
    assert_eq!(received + shed, 3000);
    assert_eq!(card.nic.received().len() as u64, received);
    let looped = card.count(Count::Looped);
    assert!(looped > 200 && shed > 200, "{looped} came round, {shed} dropped");
    assert_eq!([card.count(Count::LoopFull), card.count(Count::Lost)], [0; 2]);
}
