//! The golden model against the slow evaluator, on random programs and on packets that are broken.

#![allow(clippy::unwrap_used)] // a test may

use restage_program::entries_text;
use restage_tests::random::Rng;
use restage_tests::random::compare::{Case, Packet, compare};
use restage_tests::random::trial::trial;
use restage_tests::traffic::Traffic;

#[test]
fn forty_programs() {
    for seed in 1..=39 {
        agree(seed, 60);
    }
}

/// Another program in every run; the seed is in the message of a failure and can be given to
/// `cargo run --bin random -- --programs 1 --seed SEED`.
#[test]
fn a_program_of_today() {
    let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let seed = clock.as_micros() as u64;
    println!("seed {seed}");
    agree(seed, 100);
}

fn agree(seed: u64, packets: usize) {
    let case = trial(seed, packets).unwrap();
    if let Err(difference) = compare(&case) {
        panic!("seed {seed}: {difference}");
    }
}

#[test]
fn malformed_packets_of_random_programs() {
    for seed in 200..212 {
        let case = trial(seed, 3).unwrap();
        let broken = case.packets.iter().flat_map(|p| broken(p, seed)).collect();
        let case = Case { packets: broken, ..case };
        if let Err(difference) = compare(&case) {
            panic!("seed {seed}: {difference}");
        }
    }
}

#[test]
fn malformed_packets_of_the_library() {
    for item in restage_library::ALL {
        let program = item.program().check().unwrap();
        let writes = entries_text::parse(&program, item.entries).unwrap();
        let traffic = Traffic::new(&program, &writes, 9).with_damage(0);
        let packets = traffic
            .take(2)
            .map(|(port, bytes)| Packet { port, bytes, time_us: 50, depth: 1 })
            .flat_map(|p| broken(&p, 9))
            .collect();
        if let Err(difference) = compare(&Case { program, writes, packets }) {
            panic!("{}: {difference}", item.name);
        }
    }
}

#[test]
fn traffic_of_the_library() {
    for item in restage_library::ALL {
        let program = item.program().check().unwrap();
        let writes = entries_text::parse(&program, item.entries).unwrap();
        let packets = Traffic::new(&program, &writes, 77)
            .take(60)
            .zip(0..)
            .map(|((port, bytes), i)| Packet { port, bytes, time_us: 9 * i, depth: i as u32 })
            .collect();
        if let Err(difference) = compare(&Case { program, writes, packets }) {
            panic!("{}: {difference}", item.name);
        }
    }
}

/// A packet cut at every byte, each of its bytes at its ends, runts, 9 KB, garbage.
fn broken(packet: &Packet, seed: u64) -> Vec<Packet> {
    let mut rng = Rng::new(seed);
    let mut out = Vec::new();
    let mut add = |bytes: Vec<u8>| out.push(Packet { bytes, ..packet.clone() });
    let bytes = &packet.bytes;
    for length in 0..bytes.len().min(160) {
        add(bytes[..length].to_vec());
    }
    for at in 0..bytes.len().min(80) {
        for value in [0, 0xff] {
            let mut changed = bytes.clone();
            changed[at] = value;
            add(changed);
        }
    }
    for length in [0, 1, 2, 13, 14, 59, 9000, 9216] {
        add((0..length).map(|_| rng.bits64() as u8).collect());
        add(vec![0; length]);
        add(vec![0xff; length]);
        let mut longer = bytes.clone();
        longer.resize(length.max(bytes.len()), 0xa5);
        add(longer);
    }
    out
}
