//! What stands behind the ids of a table's entries: direct counters, direct meters and hit times, for every kind of
//! table, while entries come and go.

use crate::behind::{Meter, rates, same_state};
use crate::bench::{Bench, Bus, Packet};
use crate::bus;
use crate::program::{cells, one_table, send};
use crate::tables::bits;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use restage_encode::{Encoder, Epochs, Rows, counter_value};
use restage_manifest::cell::TableShape;
use restage_program::entry::{CounterValue, Entry, EntryTarget, KeyMatch, Write};
use restage_program::expr::Place;
use restage_program::program::{
    ActionCall, DirectCounter, DirectMeter, MatchKind, MetaDecl, Preamble, Unit,
};
use restage_program::{Bits, Loc, Type};
use restage_rtl::cells::{TableIn, table};

/// Bits of a key, of which the upper ones say which entry.
const KEY: u32 = 10;
const PREFIX: u32 = 3;

fn read(bench: &mut Bench, rows: Rows, row: u32) -> Bits {
    let read = rows.read(row);
    send(bench, &read.ops);
    bench.bus.extend(read.words.iter().map(|(_, word)| Bus::Read(*word)));
    bench.drain();
    bench.answers.pop_front();
    let words: Vec<u32> = bench.answers.drain(..).collect();
    read.row(&words)
}

/// An entry as the model has it.
#[derive(Clone, Debug)]
struct Known {
    keys: Vec<KeyMatch>,
    count: CounterValue,
    used: u64,
    meter: Option<Meter>,
}

fn belongs_to_entries(kind: MatchKind, unit: Unit, seed: u64) {
    let (mut program, id) = one_table(&[(kind, Type::Bit(KEY))], &[&[4], &[]], 8);
    let preamble = |name: &str| Preamble { name: name.into(), ..Preamble::default() };
    let colour = MetaDecl { name: "colour".into(), ty: Type::Bit(2), loc: Loc::default() };
    let dst = Place::Meta(program.metas.push(colour));
    program.tables[id].counter =
        Some(DirectCounter { preamble: preamble("hits"), unit: Unit::Both });
    program.tables[id].meter = Some(DirectMeter { preamble: preamble("rate"), unit, dst });
    program.tables[id].idle_timeout = true;
    let shape = TableShape::of(&program, id, 0).unwrap();
    let inputs = [("key_i", KEY), ("length_i", 16), ("guard_i", 1)];
    let name = format!("direct_{kind:?}").to_lowercase();
    let mut bench = Bench::new(&name, seed, &inputs, |p, config, site, i| {
        let input = TableIn { guard: i[2], keys: vec![i[0]], selector: None, length: Some(i[1]) };
        let (out, ports) = table(p, config, &shape, site, &input);
        (vec![("hit_o", out.hit), ("colour_o", out.colour)], ports)
    });
    let cells = cells(&bench, id, &shape);
    let mut encoder = Encoder::new(&program, &cells);
    let ops = encoder.initial(&[]).unwrap();
    send(&mut bench, &ops);
    bench.drain();
    let mut rng = StdRng::seed_from_u64(seed);
    let action = program.tables[id].actions[1].action;
    let priority = if kind == MatchKind::Ternary { 3 } else { 0 };
    let mut model: Vec<Known> = Vec::new();
    let (mut now, mut colours, mut whole) = (1u64 << 46, [0u32; 3], 0);
    for _ in 0..60 {
        let mut writes = Vec::new();
        if model.len() == 8 || !model.is_empty() && rng.random_range(0..4) == 0 {
            let Known { keys, .. } = model.remove(rng.random_range(0..model.len()));
            writes.push(Write::Delete { table: id, keys, priority });
        } else {
            let value = bits(&mut rng, KEY);
            let mask = Bits::new(KEY, 0x380);
            let keys = vec![match kind {
                MatchKind::Exact => {
                    KeyMatch::Exact(Bits::new(KEY, value.low_u64() as u128 & 0x387))
                }
                MatchKind::Lpm => KeyMatch::lpm(&value, PREFIX),
                _ => KeyMatch::masked(&value, mask),
            }];
            if !model.iter().any(|k| k.keys == keys) {
                let call = ActionCall { action, args: Vec::new() };
                let target = EntryTarget::Action(call);
                let entry = Entry { keys: keys.clone(), priority, target, idle_timeout_us: 9 };
                writes.push(Write::Insert(id, entry));
                let mut count = CounterValue::default();
                if rng.random() {
                    count.packets = rng.random();
                    let keys = keys.clone();
                    let value = count;
                    writes.push(Write::SetDirectCounter { table: id, keys, priority, value });
                }
                model.push(Known { keys, count, used: 0, meter: None });
            }
        }
        // Rates of any entry, a new one too.
        if !model.is_empty() && rng.random_range(0..3) > 0 {
            let of = if rng.random() { model.len() - 1 } else { rng.random_range(0..model.len()) };
            let config = (rng.random_range(0..6) > 0).then(|| rates(&mut rng, unit));
            model[of].meter = config.map(Meter::new);
            let keys = model[of].keys.clone();
            writes.push(Write::SetDirectMeter { table: id, keys, priority, config });
        }
        send(&mut bench, &encoder.write(Epochs::Both, &writes).unwrap());
        bench.drain();
        bench.answers.clear();
        for _ in 0..200 {
            now += rng.random_range(0..3) * rng.random_range(0..400);
            let key = match rng.random_range(0..4) {
                0 => bits(&mut rng, KEY),
                _ => Bits::new(KEY, rng.random_range(0..8) << 7 | rng.random_range(0..2)),
            };
            let (length, guard) = (rng.random_range(0..2000u64), rng.random_range(0..9) > 0);
            let found = model.iter_mut().find(|k| guard && k.keys[0].matches(&key, false));
            let (hit, mut colour) = (found.is_some(), 0);
            if let Some(known) = found {
                known.count.packets = known.count.packets.wrapping_add(1);
                known.count.bytes += length;
                known.used = now;
                let cost = if unit == Unit::Packets { 1 } else { length };
                colour = known.meter.as_mut().map_or(0, |meter| meter.execute(cost, now));
                colours[colour as usize] += 1;
            }
            let inputs = vec![key, Bits::new(16, length.into()), Bits::new(1, guard.into())];
            // The colour of what does not hit means nothing.
            let expect =
                vec![Some(Bits::new(1, hit.into())), hit.then(|| Bits::new(2, colour.into()))];
            bench.step(Some(&Packet { epoch: rng.random(), time: now, inputs }), expect);
        }
        bench.drain();
        for Known { keys, count, used, meter } in &model {
            let (rows, row) = encoder.direct_counter(false, id, keys, priority).unwrap().unwrap();
            let got = counter_value(Unit::Both, &read(&mut bench, rows, row));
            assert_eq!(got, *count, "{}", bench.note);
            let (rows, row) = encoder.last_hit(false, id, keys, priority).unwrap().unwrap();
            assert_eq!(read(&mut bench, rows, row).low_u64(), *used, "{}", bench.note);
            bench.answers.clear();
            if let Some(meter) = meter {
                whole += same_state(&mut bench, &shape, row, meter);
            }
        }
    }
    bus::play(&mut bench, false);
    assert!(colours.iter().all(|c| *c > 50) && whole > 10, "{name}: {colours:?}, {whole}");
}

#[test]
fn direct_exact() {
    belongs_to_entries(MatchKind::Exact, Unit::Packets, 4);
}

#[test]
fn direct_lpm() {
    belongs_to_entries(MatchKind::Lpm, Unit::Bytes, 5);
}

#[test]
fn direct_ternary() {
    belongs_to_entries(MatchKind::Ternary, Unit::Bytes, 6);
}
