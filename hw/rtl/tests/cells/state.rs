//! Registers and counters.

use crate::bench::{Bench, Packet};
use crate::bus;
use crate::host::{Host, read_row, take_row};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use restage_manifest::cell::{CounterShape, RegisterShape};
use restage_program::Bits;
use restage_program::program::Unit;
use restage_rtl::cells::{counter, register};

/// How many of 64 clocks have a packet; changes while a test runs.
const RATES: [u32; 4] = [64, 56, 32, 3];

/// An index that often is the one before or one of the few before it, and sometimes out of range.
fn index(rng: &mut StdRng, last: &mut [u64; 4], size: u32, hot: u32) -> u64 {
    let index = match rng.random_range(0..8) {
        0..3 => last[0],
        3..5 => last[rng.random_range(0..4)],
        5 => u64::from(size) + rng.random_range(0..3),
        _ => rng.random_range(0..hot.min(size)).into(),
    };
    last.rotate_right(1);
    last[0] = index;
    index
}

fn registers(width: u32, size: u32, seed: u64) {
    let name = format!("register_{width}x{size}");
    let inputs = [("index_i", 16), ("x_i", width), ("op_i", 2), ("write_i", 1)];
    let shape = RegisterShape { width, size, signed: false };
    let mut bench = Bench::new(&name, seed, &inputs, |p, config, site, i| {
        let (old, ports) = register(p, config, &shape, site, i[0], &i[1..], |p, old, rest| {
            let (sum, mixed) = (p.add(old, rest[0]), p.xor(old, rest[0]));
            let new = p.case(rest[1], &[(0, sum), (1, mixed)], rest[0]);
            (rest[2], new)
        });
        (vec![("old_o", old)], ports)
    });
    let mut rng = StdRng::seed_from_u64(seed);
    let mut rows = vec![Bits::zero(width); size as usize];
    let mut host = Host::new(bench.ports.first, width);
    let (hot, mut last) = (5, [0u64; 4]);
    let clocks = 12_000;
    for clock in 0..clocks {
        host.turn(&mut bench, &mut rng, &mut rows, hot);
        let rate = RATES[clock * RATES.len() / clocks];
        let at = index(&mut rng, &mut last, size, hot as u32) as usize;
        if rng.random_range(0..64) >= rate || host.owns(at) {
            bench.step(None, Vec::new());
            continue;
        }
        let x = Bits::from_limbs(
            width,
            &(0..width.div_ceil(64)).map(|_| rng.random()).collect::<Vec<u64>>(),
        );
        let (op, write) = (rng.random_range(0..3), rng.random_range(0..3) > 0);
        let old = rows.get(at).cloned().unwrap_or(Bits::zero(width));
        if write && at < rows.len() {
            let mut carry = 0;
            let mut limbs = Vec::new();
            for (a, b) in old.limbs().iter().zip(x.limbs()) {
                let sum = u128::from(*a) + u128::from(*b) + carry;
                carry = sum >> 64;
                limbs.push(match op {
                    0 => sum as u64,
                    1 => a ^ b,
                    _ => *b,
                });
            }
            rows[at] = Bits::from_limbs(width, &limbs);
            host.changed(at, &rows[at]);
        }
        let inputs =
            vec![Bits::new(16, at as u128), x, Bits::new(2, op), Bits::new(1, write.into())];
        bench.step(Some(&Packet { epoch: false, time: 0, inputs }), vec![Some(old)]);
    }
    bench.drain();
    host.turn(&mut bench, &mut rng, &mut rows, hot);
    bench.drain();
    bench.answers.clear();
    for (row, want) in rows.iter().enumerate() {
        bench.bus.extend(read_row(bench.ports.first, row as u32, width));
        bench.drain();
        assert_eq!(take_row(&mut bench, width), *want, "{}: row {row} at the end", bench.note);
    }
    bus::play(&mut bench, true);
    assert!(bench.checked > 3_000 && host.reads > 10 && host.writes > 10, "{host:?}");
}

#[test]
fn register_8x16() {
    registers(8, 16, 0);
}

#[test]
fn register_33x5() {
    registers(33, 5, 1);
}

#[test]
fn register_1x1() {
    registers(1, 1, 2);
}

#[test]
fn register_64x100() {
    registers(64, 100, 3);
}

#[test]
fn register_48x300() {
    registers(48, 300, 4);
}

#[test]
fn counter_packets() {
    counters(Unit::Packets, 50);
}

#[test]
fn counter_bytes() {
    counters(Unit::Bytes, 51);
}

#[test]
fn counter_both() {
    counters(Unit::Both, 52);
}

fn counters(unit: Unit, seed: u64) {
    let size = 12;
    let name = format!("counter_{unit:?}").to_lowercase();
    let shape = CounterShape { unit, size };
    let inputs = [("index_i", 8), ("length_i", 16), ("guard_i", 1)];
    let mut bench = Bench::new(&name, seed, &inputs, |p, config, site, i| {
        let ports = counter(p, config, &shape, site, i[2], i[0], i[1]);
        (Vec::new(), ports)
    });
    let width = if unit == Unit::Both { 128 } else { 64 };
    let mut rng = StdRng::seed_from_u64(seed);
    let mut rows = vec![Bits::zero(width); size as usize];
    let mut host = Host::new(bench.ports.first, width);
    let mut last = [0; 4];
    for clock in 0..8000 {
        host.turn(&mut bench, &mut rng, &mut rows, 4);
        let at = index(&mut rng, &mut last, size, 4) as usize;
        if rng.random_range(0..64) >= RATES[clock / 2000] || host.owns(at) {
            bench.step(None, Vec::new());
            continue;
        }
        let (length, guard) = (rng.random_range(0..=65535u64), rng.random_range(0..4) > 0);
        if guard && at < rows.len() {
            let limbs = rows[at].limbs();
            let new = match unit {
                Unit::Packets => vec![limbs[0].wrapping_add(1)],
                Unit::Bytes => vec![limbs[0].wrapping_add(length)],
                Unit::Both => vec![limbs[0].wrapping_add(1), limbs[1].wrapping_add(length)],
            };
            rows[at] = Bits::from_limbs(width, &new);
            host.changed(at, &rows[at]);
        }
        let inputs = vec![
            Bits::new(8, at as u128),
            Bits::new(16, length.into()),
            Bits::new(1, guard.into()),
        ];
        bench.step(Some(&Packet { epoch: false, time: 0, inputs }), Vec::new());
    }
    bench.drain();
    host.turn(&mut bench, &mut rng, &mut rows, 4);
    bench.drain();
    bench.answers.clear();
    for (row, want) in rows.iter().enumerate() {
        bench.bus.extend(read_row(bench.ports.first, row as u32, width));
        bench.drain();
        assert_eq!(take_row(&mut bench, width), *want, "{}: row {row} at the end", bench.note);
    }
    bus::play(&mut bench, true);
    assert!(host.reads > 10 && host.writes > 10, "{host:?}");
}
