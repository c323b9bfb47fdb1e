//! Tables of the sizes that a card's user asks for, filled through the encoder. Ternary takes a while: `--ignored`.

use crate::bench::{Bench, Packet};
use crate::program::{cells, one_table, send};
use crate::tables::{bits, find};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use restage_encode::{Encoder, Epochs};
use restage_manifest::cell::TableShape;
use restage_program::accept::has_priority;
use restage_program::entry::{Entry, EntryTarget, KeyMatch, Write, prefix_mask};
use restage_program::program::{ActionCall, MatchKind};
use restage_program::{Bits, Type};
use restage_rtl::cells::{TableIn, table};
use std::collections::HashMap;

/// Fills a table to the brim, in both epochs or one, and looks everything up, also what is not there.
fn fill(
    name: &str,
    keys: &[(MatchKind, Type)],
    size: u32,
    sample: usize,
    both: bool,
    make: fn(&mut StdRng) -> Vec<KeyMatch>,
) {
    let seed = 9;
    let epochs = if both { Epochs::Both } else { Epochs::One(false) };
    let mut rng = StdRng::seed_from_u64(seed);
    let (program, id) = one_table(keys, &[&[32], &[]], size);
    let shape = TableShape::of(&program, id, 0).unwrap();
    let names: Vec<String> = (0..keys.len()).map(|i| format!("key{i}_i")).collect();
    let inputs: Vec<(&str, u32)> =
        names.iter().map(String::as_str).zip(keys.iter().map(|k| k.1.width())).collect();
    let mut bench = Bench::new(name, seed, &inputs, |p, config, site, i| {
        let guard = p.lit(1, 1);
        let input = TableIn { guard, keys: i.to_vec(), selector: None, length: None };
        let (out, ports) = table(p, config, &shape, site, &input);
        (vec![("hit_o", out.hit), ("data_o", out.params[0][0])], ports)
    });
    let cells = cells(&bench, id, &shape);
    let mut encoder = Encoder::new(&program, &cells);
    send(&mut bench, &encoder.initial(&[]).unwrap());
    let action = program.tables[id].actions[0].action;
    let prioritised = has_priority(keys.iter().map(|k| k.0));
    let mut entries: Vec<Entry> = Vec::new();
    let mut known: HashMap<Vec<KeyMatch>, u32> = HashMap::new();
    while entries.len() < size as usize {
        let keys = make(&mut rng);
        if known.contains_key(&keys) {
            continue;
        }
        let data = rng.random();
        known.insert(keys.clone(), data);
        let call = ActionCall { action, args: vec![Bits::new(32, data.into())] };
        let priority = if prioritised { rng.random_range(1..1000) } else { 0 };
        let target = EntryTarget::Action(call);
        entries.push(Entry { keys, priority, target, idle_timeout_us: 0 });
    }
    let writes: Vec<Write> = entries.iter().map(|e| Write::Insert(id, e.clone())).collect();
    let ops = encoder.write(epochs, &writes).unwrap();
    send(&mut bench, &ops);
    bench.drain();
    // One more is refused.
    let more = Entry { keys: make(&mut rng), ..entries[0].clone() };
    let refused = encoder.write(epochs, &[Write::Insert(id, more)]).unwrap_err();
    assert!(refused.to_string().contains(&format!("it holds {size} entries")), "{refused}");

    let value_of = |rng: &mut StdRng, keys: &[KeyMatch]| -> Vec<Bits> {
        keys.iter()
            .zip(&inputs)
            .map(|(on, (_, width))| {
                let noise = bits(rng, *width);
                let (want, mask) = match on {
                    KeyMatch::Exact(v) => (v.clone(), Bits::ones(*width)),
                    KeyMatch::Lpm { value, prefix } => {
                        (value.clone(), prefix_mask(*width, *prefix))
                    }
                    KeyMatch::Masked { value, mask } => (value.clone(), mask.clone()),
                    KeyMatch::Range { low, .. } => (low.clone(), Bits::ones(*width)),
                    KeyMatch::Any => (noise.clone(), Bits::zero(*width)),
                };
                let mixed = noise.limbs().iter().zip(mask.limbs()).zip(want.limbs());
                let limbs: Vec<u64> = mixed.map(|((n, m), w)| (n & !m) | (w & m)).collect();
                Bits::from_limbs(*width, &limbs)
            })
            .collect()
    };
    let (mut hits, mut misses) = (0, 0);
    for i in 0..sample {
        let values = match i % 4 {
            0 => inputs.iter().map(|(_, w)| bits(&mut rng, *w)).collect(),
            _ => {
                let keys = entries[rng.random_range(0..entries.len())].keys.clone();
                value_of(&mut rng, &keys)
            }
        };
        let data = match keys {
            [(MatchKind::Lpm, ty)] => (0..=ty.width())
                .rev()
                .find_map(|prefix| known.get(&vec![KeyMatch::lpm(&values[0], prefix)]).copied()),
            _ if !prioritised => {
                let exact: Vec<KeyMatch> = values.iter().cloned().map(KeyMatch::Exact).collect();
                known.get(&exact).copied()
            }
            _ => find(keys, &entries, &values).map(|e| known[&e.keys]),
        };
        hits += u32::from(data.is_some());
        misses += u32::from(data.is_none());
        let expect =
            vec![Some(Bits::new(1, data.is_some().into())), data.map(|d| Bits::new(32, d.into()))];
        let packet = Packet { epoch: both && rng.random(), time: 0, inputs: values };
        bench.step(Some(&packet), expect);
    }
    bench.drain();
    assert!(hits as usize > sample / 2 && misses > 0, "{hits} hits, {misses} misses");
}

use MatchKind::{Exact, Lpm, Range, Ternary};
use Type::Bit;

#[test]
fn exact_64k() {
    let key = |rng: &mut StdRng| vec![KeyMatch::Exact(bits(rng, 104))];
    fill("exact_64k", &[(Exact, Bit(104))], 65_536, 40_000, true, key);
}

#[test]
fn lpm_16k() {
    let key = |rng: &mut StdRng| {
        // Most routes are long, as they are in the world.
        let prefix = 32 - (rng.random_range(0..24u32) * rng.random_range(0..24) / 24).min(31);
        vec![KeyMatch::lpm(&bits(rng, 32), prefix)]
    };
    fill("lpm_16k", &[(Lpm, Bit(32))], 16_384, 40_000, true, key);
}

#[test]
#[ignore = "takes minutes"]
fn ternary_4k_of_five_tuples() {
    let keys = [
        (Ternary, Bit(32)),
        (Ternary, Bit(32)),
        (Range, Bit(16)),
        (Range, Bit(16)),
        (Ternary, Bit(8)),
    ];
    let key = |rng: &mut StdRng| {
        let mut address = || {
            let (value, prefix) = (bits(rng, 32), rng.random_range(4..=32));
            KeyMatch::masked(&value, prefix_mask(32, prefix))
        };
        let (source, target) = (address(), address());
        let mut ports = || {
            let low = rng.random_range(0..60_000u32);
            let high = low + rng.random_range(0..5000);
            let range = |v: u32| Bits::new(16, v.into());
            KeyMatch::Range { low: range(low), high: range(high) }
        };
        let (sport, dport) = (KeyMatch::Any, ports());
        let proto = KeyMatch::masked(&bits(rng, 8), Bits::ones(8));
        vec![source, target, sport, dport, proto]
    };
    fill("ternary_4k", &keys, 4096, 3000, false, key);
}
