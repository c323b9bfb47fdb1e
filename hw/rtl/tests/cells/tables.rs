//! Tables against a list of entries that is searched from one end to the other.
//!
//! Packets never stop while the host writes. Batches are written under the epoch that packets do not have, then the epoch
//! flips between two packets and the batch is repeated under the other; now and then one packet of the epoch that is not
//! being written comes in between.

use crate::bench::{Bench, Packet};
use crate::bus;
use crate::program::{cells, one_table, send};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use restage_encode::{Encoder, Epochs};
use restage_manifest::cell::TableShape;
use restage_program::entity::Table;
use restage_program::entry::{Entry, EntryTarget, KeyMatch, Write, prefix_mask};
use restage_program::program::{ActionCall, MatchKind, Program};
use restage_program::{Bits, Type};
use restage_rtl::cells::{TableIn, table};

/// What a test varies.
pub struct Plan {
    pub name: &'static str,
    pub keys: Vec<(MatchKind, Type)>,
    pub actions: Vec<Vec<u32>>,
    pub size: u32,
    /// Entries at which deleting becomes likelier than inserting.
    pub fill: u32,
    pub batches: u32,
    pub batch: u32,
    /// Packets for each batch.
    pub packets: u32,
    pub seed: u64,
}

struct Run {
    rng: StdRng,
    program: Program,
    table: Table,
    encoder: Encoder,
    bench: Bench,
    /// Entries of each epoch in the order of their installation, and the default.
    entries: [Vec<Entry>; 2],
    defaults: [ActionCall; 2],
    /// Values that keys often have.
    pool: Vec<Vec<Bits>>,
    now: bool,
    hits: u32,
}

/// Packets in [`Run::almost`], about.
const ALMOST: u32 = 4000;

pub fn bits(rng: &mut StdRng, width: u32) -> Bits {
    let limbs: Vec<u64> = (0..width.div_ceil(64)).map(|_| rng.random()).collect();
    Bits::from_limbs(width, &limbs)
}

impl Run {
    fn new(plan: &Plan) -> Self {
        let mut rng = StdRng::seed_from_u64(plan.seed);
        let actions: Vec<&[u32]> = plan.actions.iter().map(Vec::as_slice).collect();
        let (program, id) = one_table(&plan.keys, &actions, plan.size);
        let shape = TableShape::of(&program, id, 0).unwrap();
        let names: Vec<String> = (0..plan.keys.len()).map(|i| format!("key{i}_i")).collect();
        let mut inputs: Vec<(&str, u32)> = vec![("guard_i", 1)];
        inputs.extend(names.iter().map(String::as_str).zip(plan.keys.iter().map(|k| k.1.width())));
        let mut bench = Bench::new(plan.name, plan.seed, &inputs, |p, config, site, i| {
            let input =
                TableIn { guard: i[0], keys: i[1..].to_vec(), selector: None, length: None };
            let (out, ports) = table(p, config, &shape, site, &input);
            let mut listed = vec![("hit_o", out.hit), ("action_o", out.action)];
            let names = ["p0_o", "p1_o", "p2_o", "p3_o", "p4_o", "p5_o"];
            listed.extend(names.into_iter().zip(out.params.into_iter().flatten()));
            (listed, ports)
        });
        let cells = cells(&bench, id, &shape);
        let mut encoder = Encoder::new(&program, &cells);
        let first = encoder.initial(&[]).unwrap();
        send(&mut bench, &first);
        bench.drain();
        let pool: Vec<Vec<Bits>> = plan
            .keys
            .iter()
            .map(|(_, ty)| (0..6).map(|_| bits(&mut rng, ty.width())).collect())
            .collect();
        let default = program.tables[id].default.clone();
        let defaults = [default.clone(), default];
        let (entries, now, hits) = ([Vec::new(), Vec::new()], false, 0);
        Run { rng, program, table: id, encoder, bench, entries, defaults, pool, now, hits }
    }

    fn value(&mut self, key: usize) -> Bits {
        let width = self.pool[key][0].width();
        if self.rng.random_range(0..3) == 0 {
            return bits(&mut self.rng, width);
        }
        let base = self.pool[key][self.rng.random_range(0..6)].clone();
        // Often a neighbour: the same but for some low bits.
        let low = self.rng.random_range(0..=width.min(10));
        let noise = bits(&mut self.rng, low);
        let mask = prefix_mask(width, width - low);
        let limbs: Vec<u64> = base
            .limbs()
            .iter()
            .zip(mask.limbs())
            .enumerate()
            .map(|(i, (b, m))| (b & m) | noise.limbs().get(i).copied().unwrap_or(0))
            .collect();
        Bits::from_limbs(width, &limbs)
    }

    fn call(&mut self) -> ActionCall {
        let refs = &self.program.tables[self.table].actions;
        let action = refs[self.rng.random_range(0..refs.len())].action;
        let widths: Vec<u32> =
            self.program.actions[action].params.iter().map(|p| p.ty.width()).collect();
        let args = widths.into_iter().map(|w| bits(&mut self.rng, w)).collect();
        ActionCall { action, args }
    }

    fn entry(&mut self, kinds: &[(MatchKind, Type)]) -> Entry {
        let mut keys = Vec::new();
        for (at, (kind, ty)) in kinds.iter().enumerate() {
            let (value, width) = (self.value(at), ty.width());
            let any = self.rng.random_range(0..6) == 0;
            keys.push(match kind {
                MatchKind::Exact => KeyMatch::Exact(value),
                MatchKind::Lpm if any => KeyMatch::Any,
                MatchKind::Lpm => KeyMatch::lpm(&value, self.rng.random_range(0..=width)),
                _ if any => KeyMatch::Any,
                MatchKind::Optional => KeyMatch::Exact(value),
                MatchKind::Ternary => {
                    let mask = match self.rng.random_range(0..3) {
                        0 => Bits::ones(width),
                        1 => prefix_mask(width, self.rng.random_range(0..=width)),
                        _ => bits(&mut self.rng, width),
                    };
                    KeyMatch::masked(&value, mask)
                }
                MatchKind::Range => {
                    let other = self.value(at);
                    let fits = |l: &Bits, h: &Bits| {
                        let range = KeyMatch::Range { low: l.clone(), high: h.clone() };
                        range.matches(l, ty.is_signed())
                    };
                    match fits(&value, &other) {
                        true => KeyMatch::Range { low: value, high: other },
                        false => KeyMatch::Range { low: other, high: value },
                    }
                }
            });
        }
        let prioritised = restage_program::accept::has_priority(kinds.iter().map(|k| k.0));
        let priority = if prioritised { self.rng.random_range(1..20) } else { 0 };
        let target = EntryTarget::Action(self.call());
        Entry { keys, priority, target, idle_timeout_us: 0 }
    }

    /// A batch that the model accepts, and the entries after it. Now and then one that is refused.
    fn batch(&mut self, plan: &Plan) -> (Vec<Write>, Vec<Entry>, ActionCall) {
        let mut entries = self.entries[usize::from(self.now)].clone();
        let mut default = self.defaults[usize::from(self.now)].clone();
        let mut writes = Vec::new();
        for _ in 0..self.rng.random_range(1..=plan.batch) {
            let full = entries.len() as u32 >= plan.fill;
            match self.rng.random_range(0..10) {
                0 if !entries.is_empty() => {
                    let at = self.rng.random_range(0..entries.len());
                    let target = EntryTarget::Action(self.call());
                    entries[at].target = target;
                    writes.push(Write::Modify(self.table, entries[at].clone()));
                }
                1 => {
                    default = self.call();
                    writes.push(Write::SetDefault(self.table, Some(default.clone())));
                }
                2..4 if !entries.is_empty() => self.delete(&mut entries, &mut writes),
                _ if full => self.delete(&mut entries, &mut writes),
                _ => {
                    let entry = self.entry(&plan.keys);
                    let key = self.encoder_key(&entry);
                    if !entries.iter().any(|e| self.encoder_key(e) == key) {
                        writes.push(Write::Insert(self.table, entry.clone()));
                        entries.push(entry);
                    }
                }
            }
        }
        (writes, entries, default)
    }

    fn encoder_key(&self, entry: &Entry) -> (Vec<KeyMatch>, u32) {
        let kinds = self.program.tables[self.table].keys.iter();
        let keys = kinds.zip(&entry.keys).map(|(k, on)| match on {
            KeyMatch::Lpm { prefix: 0, .. } if k.kind == MatchKind::Lpm => KeyMatch::Any,
            KeyMatch::Masked { mask, .. } if mask.is_zero() => KeyMatch::Any,
            other => other.clone(),
        });
        (keys.collect(), entry.priority)
    }

    fn delete(&mut self, entries: &mut Vec<Entry>, writes: &mut Vec<Write>) {
        let entry = entries.remove(self.rng.random_range(0..entries.len()));
        let (keys, priority) = (entry.keys, entry.priority);
        writes.push(Write::Delete { table: self.table, keys, priority });
    }

    /// One packet of an epoch, or none.
    fn packet(&mut self, plan: &Plan, epoch: bool) {
        if self.rng.random_range(0..10) == 0 {
            return self.bench.step(None, Vec::new());
        }
        let mut values: Vec<Bits> = (0..plan.keys.len()).map(|k| self.value(k)).collect();
        let entries = &self.entries[usize::from(epoch)];
        if !entries.is_empty() && self.rng.random() {
            // What an entry wants, often.
            let entry = entries[self.rng.random_range(0..entries.len())].clone();
            for (value, on) in values.iter_mut().zip(&entry.keys) {
                let (want, mask) = match on {
                    KeyMatch::Exact(v) => (v.clone(), Bits::ones(v.width())),
                    KeyMatch::Lpm { value, prefix } => {
                        (value.clone(), prefix_mask(value.width(), *prefix))
                    }
                    KeyMatch::Masked { value, mask } => (value.clone(), mask.clone()),
                    KeyMatch::Range { low, high } => match self.rng.random_range(0..3) {
                        0 => (low.clone(), Bits::ones(low.width())),
                        1 => (high.clone(), Bits::ones(low.width())),
                        _ => continue,
                    },
                    KeyMatch::Any => continue,
                };
                let limbs: Vec<u64> = (value.limbs().iter().zip(mask.limbs()))
                    .zip(want.limbs())
                    .map(|((v, m), w)| (v & !m) | (w & m))
                    .collect();
                *value = Bits::from_limbs(value.width(), &limbs);
            }
        }
        self.look(plan, epoch, values);
    }

    /// A packet of an epoch with these keys.
    fn look(&mut self, plan: &Plan, epoch: bool, values: Vec<Bits>) {
        let guard = self.rng.random_range(0..20) > 0;
        let found = find(&plan.keys, &self.entries[usize::from(epoch)], &values);
        let call = match found {
            Some(Entry { target: EntryTarget::Action(call), .. }) => call,
            _ => &self.defaults[usize::from(epoch)],
        };
        self.hits += u32::from(found.is_some());
        let refs = &self.program.tables[self.table].actions;
        let index = refs.iter().position(|r| r.action == call.action).unwrap();
        let mut expect = vec![Some(Bits::new(1, u128::from(guard && found.is_some())))];
        let width = restage_manifest::cell::bits_for(refs.len() as u32);
        expect.push(guard.then(|| Bits::new(width, index as u128)));
        for (at, action) in refs.iter().enumerate() {
            for (p, _) in self.program.actions[action.action].params.iter().enumerate() {
                expect.push((guard && at == index).then(|| call.args[p].clone()));
            }
        }
        let mut inputs = vec![Bits::new(1, guard.into())];
        inputs.extend(values);
        self.bench.step(Some(&Packet { epoch, time: 0, inputs }), expect);
    }

    /// What every entry wants but for one bit, as far as there is time.
    fn almost(&mut self, plan: &Plan, epoch: bool) {
        let entries = self.entries[usize::from(epoch)].clone();
        let bits: u32 = plan.keys.iter().map(|k| k.1.width()).sum();
        let share = (entries.len() as u32 * bits).div_ceil(ALMOST).max(1);
        for entry in &entries {
            let wanted: Vec<Bits> = entry
                .keys
                .iter()
                .enumerate()
                .map(|(k, on)| match on {
                    KeyMatch::Exact(value) => value.clone(),
                    KeyMatch::Lpm { value, .. } | KeyMatch::Masked { value, .. } => value.clone(),
                    KeyMatch::Range { low, .. } => low.clone(),
                    KeyMatch::Any => self.value(k),
                })
                .collect();
            for (key, value) in wanted.iter().enumerate() {
                for bit in 0..value.width() {
                    if self.rng.random_range(0..share) > 0 {
                        continue;
                    }
                    let mut limbs = value.limbs().to_vec();
                    limbs[bit as usize / 64] ^= 1 << (bit % 64);
                    let mut values = wanted.clone();
                    values[key] = Bits::from_limbs(value.width(), &limbs);
                    self.look(plan, epoch, values);
                }
            }
        }
    }

    /// Other defaults, one after the other, and packets that find nothing else.
    fn other_defaults(&mut self, plan: &Plan) {
        for epoch in [self.now, !self.now] {
            let (mut entries, mut writes) = (self.entries[usize::from(epoch)].clone(), Vec::new());
            while !entries.is_empty() {
                self.delete(&mut entries, &mut writes);
            }
            assert!(self.write(plan, epoch, &writes));
            self.entries[usize::from(epoch)].clear();
        }
        for round in 0..24 {
            let (call, epoch) = (self.call(), round % 2 == 0);
            let writes = [Write::SetDefault(self.table, Some(call.clone()))];
            assert!(self.write(plan, epoch, &writes));
            self.defaults[usize::from(epoch)] = call;
            (0..12).for_each(|i| self.packet(plan, i % 2 == 0));
        }
    }

    /// Writes a batch under an epoch. A full table may refuse it: then nothing has happened.
    fn write(&mut self, plan: &Plan, epoch: bool, writes: &[Write]) -> bool {
        let note = format!("{}, seed {}", plan.name, plan.seed);
        let ops = match self.encoder.write(Epochs::One(epoch), writes) {
            Ok(ops) => ops,
            Err(e) if e.to_string().contains("in both epochs together") => return false,
            Err(e) => panic!("{note}: {e}"),
        };
        send(&mut self.bench, &ops);
        while !self.bench.bus.is_empty() {
            self.packet(plan, !epoch);
        }
        self.bench.answers.clear();
        true
    }
}

/// The entry that wins.
pub fn find<'a>(
    keys: &[(MatchKind, Type)],
    entries: &'a [Entry],
    values: &[Bits],
) -> Option<&'a Entry> {
    let fits = |e: &&Entry| {
        let pairs = e.keys.iter().zip(values).zip(keys);
        pairs.into_iter().all(|((on, value), (_, ty))| on.matches(value, ty.is_signed()))
    };
    let length = |e: &Entry| -> u32 {
        let prefix =
            |on: &KeyMatch| if let KeyMatch::Lpm { prefix, .. } = on { *prefix } else { 0 };
        e.keys.iter().map(prefix).sum()
    };
    let ranked = restage_program::accept::has_priority(keys.iter().map(|k| k.0));
    let rank = |e: &Entry| if ranked { e.priority } else { length(e) };
    // Of equals the first installed.
    let mut best: Option<&Entry> = None;
    for entry in entries.iter().filter(fits) {
        if best.is_none_or(|b| rank(entry) > rank(b)) {
            best = Some(entry);
        }
    }
    best
}

pub fn run(plan: &Plan) {
    let mut run = Run::new(plan);
    let mut refused = 0;
    for round in 0..plan.batches {
        let (writes, entries, default) = run.batch(plan);
        let next = !run.now;
        if !run.write(plan, next, &writes) {
            refused += 1;
            continue;
        }
        run.entries[usize::from(next)] = entries.clone();
        run.defaults[usize::from(next)] = default.clone();
        let old = run.now;
        for _ in 0..plan.packets {
            let epoch = if run.rng.random_range(0..4) == 0 { old } else { next };
            run.packet(plan, epoch);
        }
        run.now = next;
        assert!(run.write(plan, old, &writes), "{}: refused when repeated", plan.name);
        run.entries[usize::from(old)] = entries;
        run.defaults[usize::from(old)] = default;
        if round == plan.batches / 2 || round + 1 == plan.batches {
            run.almost(plan, round % 2 == 0);
        }
    }
    run.other_defaults(plan);
    run.bench.drain();
    bus::play(&mut run.bench, false);
    let (hits, checked) = (run.hits, run.bench.checked);
    assert!(hits > 200 && checked > 1000, "{}: {hits} hits, {checked} checks", plan.name);
    assert!(refused < plan.batches / 2, "{}: {refused} batches refused", plan.name);
}

fn plan(name: &'static str, keys: Vec<(MatchKind, Type)>, size: u32, seed: u64) -> Plan {
    let actions = vec![vec![9, 48], vec![], vec![3]];
    let (fill, batches, batch, packets) = (size, 40, size.min(30), 60);
    Plan { name, keys, actions, size, fill, batches, batch, packets, seed }
}

use MatchKind::{Exact, Lpm, Optional, Range, Ternary};
use Type::{Bit, Bool, Int};

#[test]
fn exact_few() {
    run(&plan("exact_few", vec![(Exact, Bit(9)), (Exact, Bool)], 6, 1));
}

#[test]
fn exact_48() {
    run(&plan("exact_48", vec![(Exact, Bit(48))], 64, 2));
}

#[test]
fn exact_odd() {
    run(&plan("exact_odd", vec![(Exact, Bit(33)), (Exact, Int(7)), (Exact, Bit(1))], 200, 3));
}

#[test]
fn exact_keys_of_2048_bits() {
    run(&Plan { batches: 15, ..plan("exact_2048", vec![(Exact, Bit(2048))], 20, 4) });
}

#[test]
fn keyless() {
    let mut plan = plan("keyless", vec![], 8, 5);
    plan.fill = 0;
    let mut run = Run::new(&plan);
    run.other_defaults(&plan);
    run.bench.drain();
    bus::play(&mut run.bench, false);
}

#[test]
fn lpm_few() {
    run(&plan("lpm_few", vec![(Lpm, Bit(8))], 5, 10));
}

#[test]
fn lpm_32() {
    run(&plan("lpm_32", vec![(Lpm, Bit(32))], 100, 11));
}

#[test]
fn lpm_128() {
    run(&plan("lpm_128", vec![(Lpm, Bit(128))], 60, 12));
}

#[test]
fn lpm_exact() {
    run(&plan("lpm_exact", vec![(Exact, Bit(12)), (Lpm, Bit(32)), (Exact, Bit(3))], 80, 13));
}

#[test]
fn lpm_wide() {
    run(&Plan {
        batches: 12,
        ..plan("lpm_wide", vec![(Exact, Bit(300)), (Lpm, Bit(500))], 20, 14)
    });
}

#[test]
fn ternary_few() {
    run(&plan("ternary_few", vec![(Ternary, Bit(13))], 3, 20));
}

#[test]
fn ternary_acl() {
    run(&plan(
        "ternary_acl",
        vec![(Ternary, Bit(32)), (Range, Bit(16)), (Optional, Bit(8)), (Exact, Bit(4))],
        40,
        21,
    ));
}

#[test]
fn range_signed() {
    run(&plan("range_signed", vec![(Range, Int(12)), (Range, Int(5)), (Range, Bit(3))], 100, 22));
}

#[test]
fn lpm_twice() {
    run(&plan("lpm_twice", vec![(Lpm, Bit(16)), (Lpm, Bit(16))], 70, 23));
}
