//! Maps against a list of buckets.

use crate::bench::{Bench, Packet};
use crate::bus;
use crate::program::send;
use crate::tables::bits;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use restage_encode::{Encoder, Epochs, map_entry};
use restage_manifest::cell::{Cell, Cells, MapShape};
use restage_program::entity::Map;
use restage_program::entry::Write;
use restage_program::program::{FieldDecl, MapDecl, Preamble, Program};
use restage_program::{Bits, Type};
use restage_rtl::cells::{MapIn, MapStep, map};

#[derive(Clone, Debug, PartialEq)]
struct Live {
    key: Vec<Bits>,
    values: Vec<Bits>,
    used: u64,
}

/// As the golden model: the first matching live way, the first free one.
struct Model {
    buckets: Vec<Vec<Option<Live>>>,
    timeout: u64,
}

impl Model {
    fn alive(&self, place: &Option<Live>, now: u64) -> bool {
        place
            .as_ref()
            .is_some_and(|l| self.timeout == 0 || now.saturating_sub(l.used) <= self.timeout)
    }

    fn find(&self, bucket: usize, key: &[Bits], now: u64) -> Option<usize> {
        self.buckets[bucket].iter().position(|place| {
            self.alive(place, now) && place.as_ref().is_some_and(|l| l.key == key)
        })
    }

    fn put(&mut self, bucket: usize, key: &[Bits], values: &[Bits], now: u64) -> bool {
        let free = || self.buckets[bucket].iter().position(|place| !self.alive(place, now));
        let Some(way) = self.find(bucket, key, now).or_else(free) else { return false };
        self.buckets[bucket][way] =
            Some(Live { key: key.to_vec(), values: values.to_vec(), used: now });
        true
    }
}

/// The key's fields joined, zeros behind to whole bytes.
fn crc32(key: &[Bits]) -> u32 {
    let mut text: String = key
        .iter()
        .map(|k| (0..k.width()).rev().map(|i| if k.bit(i) { '1' } else { '0' }).collect::<String>())
        .collect();
    while !text.len().is_multiple_of(8) {
        text.push('0');
    }
    let bytes: Vec<u8> = (0..text.len() / 8)
        .map(|i| u8::from_str_radix(&text[8 * i..8 * i + 8], 2).unwrap())
        .collect();
    crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&bytes)
}

fn run(
    name: &str,
    widths: &[u32],
    values: &[u32],
    buckets: u32,
    ways: u32,
    timeout: u64,
    seed: u64,
) {
    let field = |(i, w): (usize, &u32)| FieldDecl { name: format!("f{i}"), ty: Type::Bit(*w) };
    let mut program = Program::new("cell");
    let id: Map = program.maps.push(MapDecl {
        preamble: Preamble { name: "map".into(), ..Preamble::default() },
        key: widths.iter().enumerate().map(field).collect(),
        values: values.iter().enumerate().map(field).collect(),
        buckets,
        ways,
        idle_timeout_us: timeout,
    });
    let shape = MapShape::of(&program.maps[id]);
    let key_names: Vec<String> = (0..widths.len()).map(|i| format!("key{i}_i")).collect();
    let value_names: Vec<String> = (0..values.len()).map(|i| format!("value{i}_i")).collect();
    let mut inputs: Vec<(&str, u32)> =
        vec![("hash_i", 32), ("touch_i", 1), ("put_i", 1), ("remove_i", 1), ("add_i", 1)];
    inputs.extend(key_names.iter().map(String::as_str).zip(widths.iter().copied()));
    inputs.extend(value_names.iter().map(String::as_str).zip(values.iter().copied()));
    let (keys_at, values_at) = (5, 5 + widths.len());
    let mut bench = Bench::new(name, seed, &inputs, |p, config, site, i| {
        let mut operands = vec![i[2], i[3], i[4]];
        operands.extend(&i[values_at..]);
        let input = MapIn {
            key: i[keys_at..values_at].to_vec(),
            hash: i[0],
            touch: i[1],
            operands: &operands,
        };
        let (out, ports) = map(p, config, &shape, site, &input, |p, found, old, rest| {
            // What is found is removed, or put with the given values, in part added to the old ones.
            let new: Vec<_> = old
                .iter()
                .zip(&rest[3..])
                .map(|(old, given)| {
                    let mixed = p.xor(*old, *given);
                    p.mux(rest[2], mixed, *given)
                })
                .collect();
            let remove = p.and(rest[1], found);
            MapStep { put: Some((rest[0], new)), remove: Some(remove) }
        });
        let mut listed = vec![("found_o", out.found), ("stored_o", out.stored)];
        listed.extend(["v0_o", "v1_o", "v2_o"].into_iter().zip(out.values));
        (listed, ports)
    });
    let cell = Cell { unit: 1, first: bench.ports.first, shape: shape.clone() };
    let cells = Cells { maps: vec![(id, cell)], ..Cells::default() };
    let mut encoder = Encoder::new(&program, &cells);

    let mut rng = StdRng::seed_from_u64(seed);
    let places = vec![vec![None; ways as usize]; buckets as usize];
    let mut model = Model { buckets: places, timeout };
    let count = (buckets * ways * 2).min(24) as usize;
    let pool: Vec<Vec<Bits>> =
        (0..count).map(|_| widths.iter().map(|w| bits(&mut rng, *w)).collect()).collect();
    let (mut now, mut last, mut refused, mut done) = (5u64, [0usize; 4], 0, 0);
    let mut found_count = 0;
    // A host's operation: the bucket that packets leave alone, and what is expected.
    let mut host: Option<(usize, bool)> = None;
    // Every bit of a time is 0 and 1 for a while.
    let mut jumps = vec![(10_000, 0xaaaa_5555_ccccu64), (5000, 0x5555_aaaa_3333)];
    for clock in 0..15_000u32 {
        if bench.bus.is_empty() {
            if let Some((_, fails)) = host.take() {
                let status = bench.answers.pop_front().unwrap();
                assert_eq!(status & 2 != 0, fails, "{}: refused at clock {clock}", bench.note);
                done += 1;
                refused += u32::from(fails);
            } else if rng.random_range(0..30) == 0 {
                let key = pool[rng.random_range(0..count)].clone();
                let bucket = (crc32(&key) % buckets) as usize;
                let write = if rng.random_range(0..3) > 0 {
                    let values: Vec<Bits> = values.iter().map(|w| bits(&mut rng, *w)).collect();
                    Write::SetMapEntry { map: id, key, values }
                } else {
                    Write::DeleteMapEntry(id, key)
                };
                // The time of the last packet counts: nobody may move it on meanwhile.
                let fails = match &write {
                    Write::SetMapEntry { key, values, .. } => !model.put(bucket, key, values, now),
                    Write::DeleteMapEntry(_, key) => match model.find(bucket, key, now) {
                        Some(way) => {
                            model.buckets[bucket][way] = None;
                            false
                        }
                        None => true,
                    },
                    _ => unreachable!(),
                };
                let ops = encoder.write(Epochs::One(false), &[write]).unwrap();
                send(&mut bench, &ops);
                host = Some((bucket, fails));
            }
        }
        let phase = clock / 3000;
        let gap = [0, 1, 4, 7, 2][phase as usize % 5];
        if host.is_none() && rng.random_range(0..12) == 0 {
            now += rng.random_range(0..=timeout.max(1) / 2);
        }
        let jump = jumps.pop_if(|(at, _)| host.is_none() && clock >= *at);
        now = jump.map_or(now, |(_, time)| time);
        let pick = match rng.random_range(0..8) {
            0..3 => last[0],
            3..5 => last[rng.random_range(0..4)],
            _ => rng.random_range(0..count),
        };
        let key = &pool[pick];
        let bucket = (crc32(key) % buckets) as usize;
        if jump.is_none() && rng.random_range(0..8) < gap || host.is_some_and(|(b, _)| b == bucket)
        {
            bench.step(None, Vec::new());
            continue;
        }
        last.rotate_right(1);
        last[0] = pick;
        let (touch, add) = (rng.random::<bool>(), rng.random::<bool>());
        let put = rng.random_range(0..3) == 0;
        let remove = !put && rng.random_range(0..5) == 0;
        let given: Vec<Bits> = values.iter().map(|w| bits(&mut rng, *w)).collect();
        let at = model.find(bucket, key, now);
        let old: Vec<Bits> = match at {
            Some(way) => model.buckets[bucket][way].clone().unwrap().values,
            None => values.iter().map(|w| Bits::zero(*w)).collect(),
        };
        found_count += u32::from(at.is_some());
        let room = model.buckets[bucket].iter().any(|place| !model.alive(place, now));
        let mut expect = vec![
            Some(Bits::new(1, at.is_some().into())),
            Some(Bits::new(1, (at.is_some() || room).into())),
        ];
        expect.extend(old.iter().cloned().map(Some));
        if let (true, Some(way)) = (touch, at)
            && let Some(live) = &mut model.buckets[bucket][way]
        {
            live.used = now;
        }
        if put {
            let new: Vec<Bits> = old
                .iter()
                .zip(&given)
                .map(|(o, g)| {
                    let limbs: Vec<u64> =
                        o.limbs().iter().zip(g.limbs()).map(|(o, g)| o ^ g).collect();
                    if add { Bits::from_limbs(g.width(), &limbs) } else { g.clone() }
                })
                .collect();
            model.put(bucket, key, &new, now);
        }
        if let (true, Some(way)) = (remove, at) {
            model.buckets[bucket][way] = None;
        }
        let mut inputs = vec![Bits::new(32, crc32(key).into())];
        inputs.extend([touch, put, remove, add].map(|b| Bits::new(1, b.into())));
        inputs.extend(key.iter().cloned());
        inputs.extend(given);
        bench.step(Some(&Packet { epoch: false, time: now, inputs }), expect);
    }
    bench.drain();
    bench.answers.clear();
    // What the host reads at the end: live entries as the model has them, in their places.
    for (way, rows) in encoder.map_ways(id).into_iter().enumerate() {
        for bucket in 0..buckets {
            let read = rows.read(bucket);
            send(&mut bench, &read.ops);
            bench.bus.extend(read.words.iter().map(|(_, word)| crate::bench::Bus::Read(*word)));
            bench.drain();
            bench.answers.pop_front();
            let words: Vec<u32> = bench.answers.drain(..).collect();
            let got = map_entry(&shape, &read.row(&words));
            let want = model.buckets[bucket as usize][way].clone();
            let want = want.map(|l| (l.key, l.values, l.used));
            assert_eq!(got, want, "{}: bucket {bucket}, way {way}", bench.note);
        }
    }
    bus::play(&mut bench, true);
    assert!(
        done > 30 && refused > 3 && found_count > 1000,
        "{name}: {done} {refused} {found_count}"
    );
}

#[test]
fn map_conntrack() {
    run("map_conntrack", &[32, 16, 32, 16, 8], &[2], 4, 4, 300, 1);
}

#[test]
fn map_tiny() {
    run("map_tiny", &[5], &[7, 64], 1, 2, 0, 2);
}

#[test]
fn map_odd() {
    run("map_odd", &[33, 1], &[40], 8, 3, 1, 3);
}

#[test]
fn map_no_values() {
    run("map_no_values", &[48], &[], 16, 1, 50, 4);
}
