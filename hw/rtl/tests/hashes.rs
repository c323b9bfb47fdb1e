//! Every hash of lists of many shapes, simulated, against bytes packed bit by bit.

#![allow(clippy::unwrap_used)] // a test may

mod common;

use common::{Stream, folder, lint};
use crc::{CRC_16_ARC, CRC_16_IBM_3740, CRC_32_ISO_HDLC, Crc};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use restage_program::Bits;
use restage_program::program::HashAlgorithm::{self, *};
use restage_rtl::hash::{Item, hash};
use restage_rtl::pipe::{Latency, MAX_LEVELS, Pipe};

const ALL: [HashAlgorithm; 6] = [Crc32, Crc16, CrcCcitt, Csum16, Xor16, Identity];

/// A member of a list: its width, and the condition (a bit of a port) under which it is there.
#[derive(Clone, Copy, Debug)]
enum Member {
    Always(u32),
    If(usize, u32),
    /// At most so many bytes, and the condition.
    Varbit(usize, u32),
}

use Member::{Always, If, Varbit};

impl Member {
    fn width(self) -> u32 {
        match self {
            Always(width) | If(_, width) => width,
            Varbit(_, bytes) => 8 * bytes,
        }
    }
}

/// What is hashed for one set of inputs, and over how many bytes of payload.
struct Set {
    value: Bits,
    conditions: Bits,
    counts: Bits,
}

fn bits_of(list: &[Member], set: &Set) -> Vec<bool> {
    let mut all = Vec::new();
    let mut top = set.value.width();
    for (index, member) in list.iter().enumerate() {
        top -= member.width();
        let count = match *member {
            Always(width) => width,
            If(condition, width) => width * u32::from(set.conditions.bit(condition as u32)),
            Varbit(condition, _) => {
                let bytes = set.counts.limbs()[0] >> (8 * index) & 0xff;
                8 * bytes as u32 * u32::from(set.conditions.bit(condition as u32))
            }
        };
        let high = top + member.width();
        all.extend((0..count).map(|i| set.value.bit(high - 1 - i)));
    }
    all
}

fn bytes_of(bits: &[bool]) -> Vec<u8> {
    bits.chunks(8)
        .map(|c| c.iter().enumerate().fold(0, |byte, (i, bit)| byte | u8::from(*bit) << (7 - i)))
        .collect()
}

fn fold(mut sum: u64) -> u64 {
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum
}

fn words(bytes: &[u8]) -> Vec<u64> {
    let word = |c: &[u8]| u64::from(c[0]) << 8 | c.get(1).map_or(0, |b| u64::from(*b));
    bytes.chunks(2).map(word).collect()
}

fn wanted(algorithm: HashAlgorithm, bytes: &[u8]) -> u64 {
    match algorithm {
        Crc32 => Crc::<u32>::new(&CRC_32_ISO_HDLC).checksum(bytes).into(),
        Crc16 => Crc::<u16>::new(&CRC_16_ARC).checksum(bytes).into(),
        CrcCcitt => Crc::<u16>::new(&CRC_16_IBM_3740).checksum(bytes).into(),
        Csum16 => !fold(words(bytes).iter().sum()) & 0xffff,
        Xor16 => words(bytes).iter().fold(0, |a, w| a ^ w),
        Identity => bytes.iter().take(8).fold(0, |n, b| n << 8 | u64::from(*b)),
        Custom(_) => unreachable!("it is refused"),
    }
}

fn check(name: &str, lists: &[Vec<Member>], rounds: usize) {
    let mut p = Pipe::new(name);
    let width = lists.iter().map(|l| l.iter().map(|m| m.width()).sum::<u32>()).max().unwrap();
    let all = p.input("value_i", width.max(1));
    let conditions = p.input("conditions_i", 8);
    let counts = p.input("counts_i", 64);
    let payload = p.input("payload_i", 16);
    let mut outputs = Vec::new();
    let mut asked = Vec::new();
    for (number, list) in lists.iter().enumerate() {
        for algorithm in ALL {
            for with_payload in [false, true] {
                if with_payload && algorithm != Csum16 {
                    continue;
                }
                p.section(format!("{algorithm:?} of {list:?}"));
                let mut top: u32 = list.iter().map(|m| m.width()).sum();
                let mut items = Vec::new();
                for (index, member) in list.iter().enumerate() {
                    let value = p.slice(all, top - 1, top - member.width());
                    top -= member.width();
                    items.push(match *member {
                        Always(_) => Item::new(value),
                        If(condition, _) => Item::when(value, p.bit(conditions, condition as u32)),
                        Varbit(condition, _) => {
                            let base = 8 * index as u32;
                            let bytes = p.slice(counts, base + 7, base);
                            let present = p.bit(conditions, condition as u32);
                            Item { bytes: Some(bytes), ..Item::when(value, present) }
                        }
                    });
                }
                let out = hash(&mut p, algorithm, &items, with_payload.then_some(payload));
                assert!(p.timing(out).level <= MAX_LEVELS);
                let name = format!("out{}_o", outputs.len());
                p.module().output_reg(&name, out.net());
                outputs.push((name, out.cycle() as usize + 1));
                asked.push((number, algorithm, with_payload));
            }
        }
    }
    let piped = p.finish(&[], Latency::Shortest).unwrap_or_else(|f| panic!("{f:#?}"));
    let longest = outputs.iter().map(|(_, latency)| *latency).max().unwrap_or(0);
    println!("{name}: {longest} clocks, {:?}", piped.circuit.resources());
    lint(&[&piped.circuit], &folder(name));
    let names: Vec<_> = outputs.iter().map(|(n, latency)| (n.as_str(), *latency)).collect();
    let ports = ["value_i", "conditions_i", "counts_i", "payload_i"];
    let mut stream = Stream::new(&piped.circuit, &ports, &names);
    let mut random = SmallRng::seed_from_u64(5);
    let mut sets = Vec::new();
    let mut payloads = Vec::new();
    for round in 0..rounds {
        let limbs: Vec<u64> = (0..width.div_ceil(64))
            .map(|_| match round % 7 {
                0 => 0,
                1 => u64::MAX,
                _ => random.random(),
            })
            .collect();
        // No more bytes than any varbit has.
        let most = lists.iter().flatten().filter_map(|m| match m {
            Varbit(_, bytes) => Some(*bytes),
            _ => None,
        });
        let most = most.min().unwrap_or(0);
        let counts = (0..8).fold(0u64, |n, _| n << 8 | u64::from(random.random_range(0..=most)));
        let bytes: Vec<u8> = match round % 5 {
            0 => vec![0; random.random_range(0..4)],
            1 => vec![0xff; random.random_range(0..5)],
            _ => (0..random.random_range(0..9)).map(|_| random.random()).collect(),
        };
        sets.push(Set {
            value: Bits::from_limbs(width, &limbs),
            conditions: Bits::new(8, random.random::<u8>().into()),
            counts: Bits::new(64, counts.into()),
        });
        payloads.push(bytes);
    }
    let inputs: Vec<Vec<Bits>> = sets
        .iter()
        .zip(&payloads)
        .map(|(set, bytes)| {
            let sum = fold(words(bytes).iter().sum());
            let payload = Bits::new(16, sum.into());
            vec![set.value.clone(), set.conditions.clone(), set.counts.clone(), payload]
        })
        .collect();
    let results = stream.run(&inputs);
    for ((set, payload), got) in sets.iter().zip(&payloads).zip(&results) {
        for ((number, algorithm, with_payload), got) in asked.iter().zip(got) {
            let list = &lists[*number];
            // A list takes the lowest bits of the port.
            let own: u32 = list.iter().map(|m| m.width()).sum();
            let own = Set {
                value: set.value.resize(own),
                conditions: set.conditions.clone(),
                counts: set.counts.clone(),
            };
            let mut bytes = bytes_of(&bits_of(list, &own));
            if *with_payload {
                bytes.extend_from_slice(payload);
            }
            let wanted = wanted(*algorithm, &bytes);
            assert_eq!(
                got.low_u64(),
                wanted,
                "{algorithm:?} of {list:?}, payload {with_payload}: bytes {bytes:02x?}"
            );
        }
    }
}

#[test]
fn lists_that_are_always_whole() {
    let lists = [
        vec![],
        vec![Always(8)],
        vec![Always(1)],
        vec![Always(32), Always(32), Always(8), Always(16), Always(16)],
        vec![Always(9), Always(3), Always(48)],
        vec![Always(4), Always(4), Always(8), Always(16), Always(128)],
        vec![Always(160)],
        vec![Always(2048)],
    ];
    check("hashes_whole", &lists, 60);
}

#[test]
fn lists_with_members_missing() {
    let lists = [
        vec![If(0, 32)],
        vec![Always(32), Always(32), If(0, 16), If(0, 16), If(1, 16), If(2, 8), Always(8)],
        vec![If(0, 3), Always(16), If(1, 5), Always(40)],
        vec![If(0, 8), If(1, 8), If(2, 8), If(3, 24), Always(16)],
        vec![Always(13), If(4, 32), If(5, 128), Always(11)],
        // Nearly three hundred lengths, each a whole number of bytes or not.
        (0..8).map(|n| If(n, 9 << n)).chain([Always(5)]).collect(),
    ];
    check("hashes_missing", &lists, 400);
}

#[test]
fn lists_with_varbits() {
    let lists =
        [vec![Always(160), Varbit(0, 40)], vec![If(1, 16), Varbit(0, 40), Always(16), If(2, 8)]];
    check("hashes_varbit", &lists, 300);
}
