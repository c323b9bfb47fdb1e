//! Meters, random numbers, value sets and selectors.

use crate::bench::{Bench, Bus, Packet};
use crate::bus;
use crate::host::{read_row, take_row, write_row};
use crate::program::{cells, one_table, send};
use crate::tables::bits;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use restage_encode::{Encoder, Epochs};
use restage_manifest::cell::{
    Cell, Cells, MeterShape, Part, Parts, RandomShape, TableShape, ValueSetShape,
};
use restage_program::entry::{Entry, EntryTarget, KeyMatch, MeterConfig, Write};
use restage_program::program::{
    FieldDecl, HashAlgorithm, MatchKind, MeterDecl, Preamble, ProfileDecl, Program, SelectorDecl,
    Unit, ValueSetDecl,
};
use restage_program::{Bits, Type};
use restage_rtl::cells::{TableIn, meter, random, table, value_set};

/// Two rates, three colours, tokens in 2^-40: what is in the buckets, not what is missing.
#[derive(Clone, Copy, Debug)]
pub struct Meter {
    rates: [u128; 2],
    bursts: [u128; 2],
    tokens: [u128; 2],
    at: u64,
}

impl Meter {
    pub fn new(c: MeterConfig) -> Self {
        let rate = |r: f64| (r / 1e6 * (1u64 << 40) as f64).ceil().min(u64::MAX as f64) as u64;
        let bursts = [u128::from(c.cburst) << 40, u128::from(c.pburst) << 40];
        let rates = [rate(c.cir).into(), rate(c.pir).into()];
        Meter { rates, bursts, tokens: bursts, at: 0 }
    }

    /// What is missing in the buckets, committed first, and when they were last filled.
    pub fn state(&self) -> ([u128; 2], u64) {
        ([0, 1].map(|i| self.bursts[i] - self.tokens[i]), self.at)
    }

    pub fn execute(&mut self, cost: u64, now: u64) -> u64 {
        let passed = u128::from(now.saturating_sub(self.at));
        self.at = self.at.max(now);
        for i in 0..2 {
            self.tokens[i] = (self.tokens[i] + self.rates[i] * passed).min(self.bursts[i]);
        }
        let cost = u128::from(cost) << 40;
        if self.tokens[1] < cost {
            return 2;
        }
        self.tokens[1] -= cost;
        if self.tokens[0] < cost {
            return 1;
        }
        self.tokens[0] -= cost;
        0
    }
}

pub fn rates(rng: &mut StdRng, unit: Unit) -> MeterConfig {
    // Now and then as fast as can be said.
    let (power, size) = match rng.random_range(0..6) {
        0 => (13, 60),
        _ if unit == Unit::Packets => (6, 6),
        _ => (11, 24),
    };
    let pir = rng.random::<f64>() * 10f64.powi(rng.random_range(0..power));
    let cir = pir * rng.random::<f64>();
    let top = 1u64 << rng.random_range(1..size);
    let pburst = if rng.random_range(0..12) == 0 { u64::MAX } else { rng.random_range(0..top) };
    MeterConfig { cir, cburst: rng.random_range(0..=pburst.min(top)), pir, pburst }
}

fn meters(unit: Unit, seed: u64) {
    let mut program = Program::new("cell");
    let preamble = Preamble { name: "meter".into(), ..Preamble::default() };
    let size = 6;
    let id = program.meters.push(MeterDecl { preamble, unit, size });
    let shape = MeterShape { unit, size };
    let inputs = [("index_i", 4), ("length_i", 16), ("guard_i", 1)];
    let name = format!("meter_{unit:?}").to_lowercase();
    let mut bench = Bench::new(&name, seed, &inputs, |p, config, site, i| {
        let (colour, ports) = meter(p, config, &shape, site, i[2], i[0], i[1]);
        (vec![("colour_o", colour)], ports)
    });
    let cell = Cell { unit: 1, first: bench.ports.first, shape: shape.clone() };
    let cells = Cells { meters: vec![(id, cell)], ..Cells::default() };
    let mut encoder = Encoder::new(&program, &cells);
    let mut rng = StdRng::seed_from_u64(seed);
    let mut model: Vec<Option<Meter>> = vec![None; size as usize];
    let (mut now, mut owned, mut colours, mut whole) = (1u64 << 46, None, [0u32; 3], 0);
    for clock in 0..20_000u32 {
        if bench.bus.is_empty() {
            owned = None;
            bench.answers.clear();
            if rng.random_range(0..60) == 0 {
                let index = rng.random_range(0..size);
                let config = (rng.random_range(0..6) > 0).then(|| rates(&mut rng, unit));
                model[index as usize] = config.map(Meter::new);
                let write = Write::SetMeter(id, index, config);
                let ops = encoder.write(Epochs::One(false), &[write]).unwrap();
                send(&mut bench, &ops);
                owned = Some(index as usize);
            }
        }
        now += match rng.random_range(0..20) {
            0..4 => rng.random_range(0..2000),
            4 if clock % 100 == 0 => rng.random::<u64>() >> rng.random_range(20..60),
            _ => 0,
        };
        if clock % 400 == 399 {
            bench.drain();
            bench.answers.clear();
            owned = None;
            for (row, meter) in model.iter().enumerate() {
                if let Some(meter) = meter {
                    whole += same_state(&mut bench, &shape, row as u32, meter);
                }
            }
        }
        // Now and then a packet that comes too late.
        let time = if rng.random_range(0..50) == 0 { now.saturating_sub(3) } else { now };
        let gap = [0, 3, 7][clock as usize / 7000];
        let index = rng.random_range(0..size as usize + 1) / 2 * 2;
        if rng.random_range(0..8) < gap || owned == Some(index) {
            bench.step(None, Vec::new());
            continue;
        }
        let size = rng.random_range(1..17);
        let length = rng.random_range(0..1u64 << size);
        let guard = rng.random_range(0..8) > 0;
        let cost = if unit == Unit::Packets { 1 } else { length };
        let colour = match model.get_mut(index).filter(|_| guard) {
            Some(Some(meter)) => meter.execute(cost, time),
            _ => 0,
        };
        colours[colour as usize] += 1;
        let inputs = vec![
            Bits::new(4, index as u128),
            Bits::new(16, length.into()),
            Bits::new(1, guard.into()),
        ];
        let expect = vec![Some(Bits::new(2, colour.into()))];
        bench.step(Some(&Packet { epoch: false, time, inputs }), expect);
    }
    bus::play(&mut bench, false);
    assert!(colours.iter().all(|c| *c > 100), "{name}, seed {seed}: {colours:?}");
    assert!(whole > 50, "{name}, seed {seed}: {whole}");
}

/// What the memories of a meter hold must be what the model has, to the last bit; whether a bucket was not full.
pub fn same_state(bench: &mut Bench, shape: &impl Parts, row: u32, meter: &Meter) -> u32 {
    const TOKENS: u32 = MeterShape::TOKENS;
    let parts = shape.parts();
    let number = |part| parts.iter().position(|p| p.part == part).unwrap() as u32;
    let [missing, filled] = [Part::Missing, Part::Filled].map(|p| bench.ports.first + number(p));
    bench.bus.extend(read_row(missing, row, 2 * TOKENS));
    bench.bus.extend(read_row(filled, row, 48));
    bench.drain();
    let got = take_row(bench, 2 * TOKENS);
    let at = take_row(bench, 48);
    let ([committed, peak], filled) = meter.state();
    let bit = |i: u32| match i < TOKENS {
        true => committed >> i & 1 == 1,
        false => peak >> (i - TOKENS) & 1 == 1,
    };
    let wrong: Vec<u32> = (0..2 * TOKENS)
        .filter(|i| (got.limbs()[*i as usize / 64] >> (i % 64) & 1 == 1) != bit(*i))
        .collect();
    assert!(wrong.is_empty(), "{}: row {row}, bits {wrong:?} of what is missing", bench.note);
    assert_eq!(at.low_u64(), filled, "{}: row {row} was filled", bench.note);
    u32::from(committed > 0 && peak > 0)
}

#[test]
fn meter_bytes() {
    meters(Unit::Bytes, 1);
}

#[test]
fn meter_packets() {
    meters(Unit::Packets, 2);
}

#[test]
fn random_16() {
    randoms(1, 16);
}

#[test]
fn random_64() {
    randoms(2, 64);
}

#[test]
fn random_1() {
    randoms(3, 1);
}

fn randoms(seed: u64, width: u32) {
    let shape = RandomShape {};
    let inputs = [("low_i", width), ("high_i", width), ("guard_i", 1)];
    let mut bench = Bench::new(&format!("random_{width}"), seed, &inputs, |p, config, site, i| {
        let (number, ports) = random(p, config, &shape, site, i[2], i[0], i[1]);
        (vec![("number_o", number)], ports)
    });
    let mut rng = StdRng::seed_from_u64(seed);
    let mut state = if seed == 3 { 1u64 } else { rng.random() };
    if seed != 3 {
        let cell = Cell { unit: 1, first: bench.ports.first, shape: shape.clone() };
        let cells = Cells { randoms: vec![(0, cell)], ..Cells::default() };
        let ops = Encoder::new(&Program::new("cell"), &cells).initial(&[state]).unwrap();
        send(&mut bench, &ops);
        bench.drain();
        bench.answers.clear();
    }
    let mut passed = vec![state];
    for i in 0..4000 {
        if i == 1000 {
            bench.bus.extend(read_row(bench.ports.first, 0, 64));
        }
        if rng.random_range(0..5) == 0 {
            bench.step(None, Vec::new());
            continue;
        }
        let (a, b) = (bits(&mut rng, width), bits(&mut rng, width));
        let guard = rng.random_range(0..6) > 0;
        let mut expect = vec![None];
        if guard {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            passed.push(state);
            let (low, high) = (a.low_u64(), b.low_u64());
            let number = match low > high {
                true => low,
                false => {
                    let count = u128::from(high - low) + 1;
                    low + ((u128::from(state) * count) >> 64) as u64
                }
            };
            expect = vec![Some(Bits::new(width, number.into()))];
        }
        let inputs = vec![a, b, Bits::new(1, guard.into())];
        bench.step(Some(&Packet { epoch: false, time: 0, inputs }), expect);
    }
    bench.drain();
    let between = take_row(&mut bench, 64).low_u64();
    assert!(passed[..passed.len() - 1000].contains(&between), "{between:#x} under way");
    bench.bus.extend(read_row(bench.ports.first, 0, 64));
    bench.drain();
    assert_eq!(take_row(&mut bench, 64), Bits::new(64, state.into()));
    // Every state but 0 can be written.
    for seed in (0..64).map(|bit| 1u64 << bit).chain([0, u64::MAX]) {
        bench.bus.extend(write_row(bench.ports.first, 0, &Bits::new(64, seed.into())));
        bench.bus.push_back(Bus::Settle);
        bench.bus.extend(read_row(bench.ports.first, 0, 64));
        bench.drain();
        bench.answers.pop_front();
        assert_eq!(take_row(&mut bench, 64), Bits::new(64, seed.max(1).into()));
    }
    bus::play(&mut bench, false);
    assert!(bench.checked > 2000);
}

#[test]
fn value_sets() {
    let mut program = Program::new("cell");
    let columns = [("a", Type::Bit(16)), ("b", Type::Int(9)), ("c", Type::Bit(4))];
    let columns: Vec<FieldDecl> =
        columns.iter().map(|(n, ty)| FieldDecl { name: n.to_string(), ty: *ty }).collect();
    let preamble = Preamble { name: "set".into(), ..Preamble::default() };
    let decl = ValueSetDecl { preamble, columns: columns.clone(), size: 5 };
    let shape = ValueSetShape::of(&decl);
    let id = program.value_sets.push(decl);
    let inputs = [("a_i", 16), ("b_i", 9), ("c_i", 4)];
    let mut bench = Bench::new("value_set", 1, &inputs, |p, config, site, i| {
        let (found, ports) = value_set(p, config, &shape, site, i);
        (vec![("found_o", found)], ports)
    });
    let cell = Cell { unit: 1, first: bench.ports.first, shape };
    let cells = Cells { value_sets: vec![(id, cell)], ..Cells::default() };
    let mut encoder = Encoder::new(&program, &cells);
    let mut rng = StdRng::seed_from_u64(7);
    let (mut members, mut epoch, mut found) = (Vec::<Vec<KeyMatch>>::new(), false, 0);
    for _ in 0..120 {
        epoch = !epoch;
        let next: Vec<Vec<KeyMatch>> = (0..rng.random_range(0..=5))
            .map(|_| {
                let one = |c: &FieldDecl| {
                    let (w, ty) = (c.ty.width(), c.ty);
                    let (a, b) = (bits(&mut rng, w), bits(&mut rng, w));
                    let range = KeyMatch::Range { low: a.clone(), high: b.clone() };
                    match rng.random_range(0..5) {
                        0 => KeyMatch::Any,
                        1 => KeyMatch::masked(&a, b),
                        2 => KeyMatch::lpm(&a, rng.random_range(0..=w)),
                        3 if rng.random_range(0..3) == 0 => KeyMatch::Exact(a),
                        _ if range.matches(&a, ty.is_signed()) => range,
                        _ => KeyMatch::Range { low: b, high: a },
                    }
                };
                columns.iter().map(one).collect()
            })
            .collect();
        let write = Write::SetValueSet(id, next.clone());
        let ops = encoder.write(Epochs::One(epoch), &[write]).unwrap();
        send(&mut bench, &ops);
        let mut rest = 100;
        while !bench.bus.is_empty() || rest > 0 {
            let writing = !bench.bus.is_empty();
            rest -= i32::from(!writing);
            let of = if writing { &members } else { &next };
            let mut values: Vec<Bits> =
                columns.iter().map(|c| bits(&mut rng, c.ty.width())).collect();
            // Often what a member wants, but for one bit.
            if !of.is_empty() && rng.random() {
                let member = &of[rng.random_range(0..of.len())];
                for (value, on) in values.iter_mut().zip(member) {
                    *value = match on {
                        KeyMatch::Exact(v) => v.clone(),
                        KeyMatch::Lpm { value, .. } | KeyMatch::Masked { value, .. } => {
                            value.clone()
                        }
                        KeyMatch::Range { low, high } => {
                            if rng.random() {
                                low.clone()
                            } else {
                                high.clone()
                            }
                        }
                        KeyMatch::Any => continue,
                    };
                }
                let column = rng.random_range(0..values.len());
                let width = values[column].width();
                let bit = rng.random_range(0..2 * width);
                let value = values[column].low_u64() ^ u64::from(bit < width) << (bit % width);
                values[column] = Bits::new(width, value.into());
            }
            let matches = of.iter().any(|m| {
                m.iter()
                    .zip(&values)
                    .zip(&columns)
                    .all(|((on, v), c)| on.matches(v, c.ty.is_signed()))
            });
            found += u32::from(matches);
            let packet = Packet { epoch: epoch != writing, time: 0, inputs: values };
            bench.step(Some(&packet), vec![Some(Bits::new(1, matches.into()))]);
        }
        members = next;
    }
    bus::play(&mut bench, false);
    assert!(found > 500, "{found}");
}

#[test]
fn selector() {
    let (mut program, id) = one_table(&[(MatchKind::Exact, Type::Bit(8))], &[&[16], &[7], &[]], 12);
    let preamble = |name: &str| Preamble { name: name.into(), ..Preamble::default() };
    let selector =
        SelectorDecl { algorithm: HashAlgorithm::Crc32, items: Vec::new(), max_group_size: 0 };
    let profile = program.profiles.push(ProfileDecl {
        preamble: preamble("profile"),
        size: 20,
        selector: Some(selector),
    });
    program.tables[id].profile = Some(profile);
    let shape = TableShape::of(&program, id, 32).unwrap();
    let inputs = [("key_i", 8), ("hash_i", 32)];
    let mut bench = Bench::new("selector", 3, &inputs, |p, config, site, i| {
        let guard = p.lit(1, 1);
        let input = TableIn { guard, keys: vec![i[0]], selector: Some(i[1]), length: None };
        let (out, ports) = table(p, config, &shape, site, &input);
        let params = ["p0_o", "p1_o"].into_iter().zip(out.params.into_iter().flatten());
        let outputs = [("hit_o", out.hit), ("action_o", out.action)].into_iter().chain(params);
        (outputs.collect(), ports)
    });
    let cells = cells(&bench, id, &shape);
    let mut encoder = Encoder::new(&program, &cells);
    let ops = encoder.initial(&[]).unwrap();
    send(&mut bench, &ops);
    bench.drain();
    let actions: Vec<_> = program.tables[id].actions.iter().map(|a| a.action).collect();
    let mut rng = StdRng::seed_from_u64(11);
    let (mut members, mut groups) =
        (std::collections::BTreeMap::new(), Vec::<Vec<(u32, u32)>>::new());
    let mut entries: Vec<Option<(bool, u32)>> = vec![None; 12];
    let mut hits = 0;
    for round in 0..60u32 {
        let mut writes = Vec::new();
        for _ in 0..4 {
            let (member, action) = (rng.random_range(0..9) * 7, actions[rng.random_range(0..3)]);
            let widths = program.actions[action].params.iter().map(|p| p.ty.width());
            let args = widths.map(|w| bits(&mut rng, w)).collect();
            let call = restage_program::program::ActionCall { action, args };
            members.insert(member, call.clone());
            writes.push(Write::SetMember { profile, member, call });
        }
        let group = if groups.len() < 5 { groups.len() } else { rng.random_range(0..5) };
        let known: Vec<u32> = members.keys().copied().collect();
        let mut chosen: Vec<(u32, u32)> = Vec::new();
        for member in known {
            if chosen.len() < 3 && rng.random_range(0..3) == 0 {
                chosen.push((member, rng.random_range(1..=1 + round % 2)));
            }
        }
        if group == groups.len() {
            groups.push(chosen.clone());
        }
        // At most 20 choices in all groups together.
        let others: u32 = groups
            .iter()
            .enumerate()
            .filter(|(g, _)| *g != group)
            .flat_map(|(_, m)| m)
            .map(|(_, w)| w)
            .sum();
        if others + chosen.iter().map(|(_, w)| w).sum::<u32>() <= 20 {
            groups[group] = chosen.clone();
        }
        chosen = groups[group].clone();
        chosen.reverse();
        writes.push(Write::SetGroup { profile, group: group as u32 * 3, members: chosen });
        let at = rng.random_range(0..12usize);
        let target = match rng.random_range(0..3) {
            0 => (false, *members.keys().next().unwrap()),
            _ => (true, rng.random_range(0..groups.len() as u32)),
        };
        let entry = Entry {
            keys: vec![KeyMatch::Exact(Bits::new(8, at as u128 * 5))],
            priority: 0,
            target: match target {
                (false, member) => EntryTarget::Member(member),
                (true, group) => EntryTarget::Group(group * 3),
            },
            idle_timeout_us: 0,
        };
        let exists = entries[at].is_some();
        writes.push(if exists { Write::Modify(id, entry) } else { Write::Insert(id, entry) });
        entries[at] = Some(target);
        let ops = encoder.write(Epochs::Both, &writes).unwrap();
        send(&mut bench, &ops);
        bench.drain();
        for _ in 0..120 {
            let at = rng.random_range(0..12usize);
            // Where the remainder begins again, too.
            let hash = match rng.random_range(0..10) {
                0 => u32::MAX,
                1..6 => {
                    let by = rng.random_range(1..=6);
                    let beyond = rng.random_range(0..2);
                    ((rng.random::<u32>() >> rng.random_range(0..24)) / by * by)
                        .wrapping_sub(beyond)
                }
                _ => rng.random(),
            };
            let member = match entries[at] {
                Some((false, member)) => Some(member),
                Some((true, group)) => {
                    let all: Vec<u32> = groups[group as usize]
                        .iter()
                        .flat_map(|(m, w)| std::iter::repeat_n(*m, *w as usize))
                        .collect();
                    all.get(hash as usize % all.len().max(1)).copied()
                }
                None => None,
            };
            hits += u32::from(member.is_some());
            let call = member.map_or(&program.tables[id].default, |m| &members[&m]);
            let index = actions.iter().position(|a| *a == call.action).unwrap();
            let mut expect = vec![
                Some(Bits::new(1, member.is_some().into())),
                Some(Bits::new(2, index as u128)),
            ];
            expect.push((index == 0).then(|| call.args[0].clone()));
            expect.push((index == 1).then(|| call.args[0].clone()));
            let inputs = vec![Bits::new(8, at as u128 * 5), Bits::new(32, hash.into())];
            bench.step(Some(&Packet { epoch: rng.random(), time: 0, inputs }), expect);
        }
        bench.drain();
    }
    bus::play(&mut bench, false);
    assert!(hits > 1000, "{hits}");
    // What is in use stays.
    let named = entries.iter().flatten().find(|(group, _)| *group).unwrap().1;
    let refused = encoder.write(Epochs::Both, &[Write::DeleteGroup(profile, named * 3)]);
    assert!(refused.unwrap_err().to_string().contains("in use"));
}
