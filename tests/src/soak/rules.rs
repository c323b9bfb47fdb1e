//! Entries of the functions' tables, whatever version of them runs.

use super::pool::{FUNCTIONS, Versions, suffix};
use crate::random::Rng;
use restage_program::Bits;
use restage_program::entity::Table;
use restage_program::entry::{Entry, EntryTarget, KeyMatch, MeterConfig, Write};
use restage_program::program::{ActionCall, Program};
use std::collections::BTreeMap;

/// Entries of a function that are there at once, at most: each may be there twice, once for each epoch.
const MOST: usize = 7;
/// Writes of a batch, at most.
const BATCH: usize = 8;
/// Meters of a function.
const METERS: u32 = 16;

/// Key, mask or length of the prefix, priority.
type Key = (u32, u32, u32);

/// What an entry does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Does {
    /// Drops, where that can be.
    block: bool,
    value: u32,
}

/// All entries.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    functions: [BTreeMap<Key, Does>; FUNCTIONS],
}

impl Rules {
    /// Some for each function.
    pub fn new(rng: &mut Rng) -> Self {
        let mut rules = Rules::default();
        for function in 0..FUNCTIONS {
            for _ in 0..4 {
                rules.functions[function].insert(key(rng, function), does(rng));
            }
        }
        rules
    }

    /// What a control plane writes to have all of them in a program that has none, and the rates of its meters.
    pub fn writes(&self, program: &Program, versions: &Versions) -> Vec<Write> {
        let mut all = Vec::new();
        let there = |f: &usize| versions.functions[*f].is_some();
        for function in (0..FUNCTIONS).filter(there) {
            for (key, does) in &self.functions[function] {
                all.extend(insert(program, function, *key, *does));
            }
        }
        for (meter, _) in program.meters.iter() {
            for index in 0..METERS {
                let rates = MeterConfig { cir: 4e6, cburst: 20, pir: 9e6, pburst: 60 };
                all.push(Write::SetMeter(meter, index, Some(rates)));
            }
        }
        all
    }

    /// Changes some of the entries of functions that run; the writes that do it.
    pub fn change(&mut self, rng: &mut Rng, program: &Program, versions: &Versions) -> Vec<Write> {
        let mut all = Vec::new();
        let mut touched = Vec::new();
        let running: Vec<usize> =
            (0..FUNCTIONS).filter(|f| versions.functions[*f].is_some()).collect();
        for _ in 0..1 + rng.below(BATCH) {
            let Some(function) = rng.pick(&running).copied() else { break };
            let keys: Vec<Key> = self.functions[function].keys().copied().collect();
            let (old, new) = (rng.pick(&keys).copied(), key(rng, function));
            let entries = &mut self.functions[function];
            let does = does(rng);
            // What a batch does to one key twice has no order in a data plane.
            let mut once = |key: Key| {
                let first = !touched.contains(&(function, key));
                touched.push((function, key));
                first
            };
            let write = match (rng.below(3), old) {
                (0, Some(key)) if once(key) => {
                    entries.remove(&key);
                    let Some(Write::Insert(table, entry)) = insert(program, function, key, does)
                    else {
                        continue;
                    };
                    Some(Write::Delete { table, keys: entry.keys, priority: entry.priority })
                }
                (1, Some(key)) if once(key) => {
                    entries.insert(key, does);
                    match insert(program, function, key, does) {
                        Some(Write::Insert(table, entry)) => Some(Write::Modify(table, entry)),
                        other => other,
                    }
                }
                (2, _) if entries.len() < MOST && !entries.contains_key(&new) && once(new) => {
                    entries.insert(new, does);
                    insert(program, function, new, does)
                }
                _ => None,
            };
            all.extend(write);
        }
        all
    }
}

fn key(rng: &mut Rng, function: usize) -> Key {
    match function {
        2 => {
            let prefix = rng.between(4, 32);
            let value = if rng.chance(50) { rng.below(64) as u32 } else { rng.bits64() as u32 };
            (value & u32::MAX << (32 - prefix), prefix, 0)
        }
        3 => {
            let mask = [0xff, 0xf0, 0x0f, 0xc3][rng.below(4)];
            (rng.below(256) as u32 & mask, mask, rng.between(1, 50))
        }
        _ => (rng.below(256) as u32, 0, 0),
    }
}

fn does(rng: &mut Rng) -> Does {
    Does { block: rng.chance(60), value: rng.bits64() as u32 }
}

fn insert(
    program: &Program,
    function: usize,
    (key, mask, priority): Key,
    does: Does,
) -> Option<Write> {
    let own = |name: &str| format!("{name}{}", suffix(function));
    let tables = &mut program.tables.iter();
    let (table, _): (Table, _) = tables.find(|(_, t)| t.preamble.name == own("rule"))?;
    let block = does.block && function == 1;
    let name = if block { own("block") } else { own("hit") };
    let (action, _) = program.actions.iter().find(|(_, a)| a.preamble.name == name)?;
    let args = if block { Vec::new() } else { vec![Bits::new(32, does.value.into())] };
    let byte = |value: u32| Bits::new(8, value.into());
    let on = match function {
        2 => KeyMatch::Lpm { value: Bits::new(32, key.into()), prefix: mask },
        3 => KeyMatch::Masked { value: byte(key), mask: byte(mask) },
        _ => KeyMatch::Exact(byte(key)),
    };
    let target = EntryTarget::Action(ActionCall { action, args });
    let entry = Entry { keys: vec![on], priority, target, idle_timeout_us: 0 };
    Some(Write::Insert(table, entry))
}
