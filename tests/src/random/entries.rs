//! What a control plane could install: entries, members, groups, sessions, contents of state.

use super::Rng;
use super::make::{GROUPS, PORTS, SESSIONS};
use restage_program::entity::Table;
use restage_program::entry::{
    CloneTarget, CounterValue, CrcParams, Entry, EntryTarget, KeyMatch, MeterConfig, Replica, Write,
};
use restage_program::program::{ActionCall, ActionScope, MatchKind, Program, TableDecl};
use restage_program::{Bits, Type};

/// Two values with the smaller one first.
pub fn ordered(ty: Type, a: Bits, b: Bits) -> (Bits, Bits) {
    use crate::slow::num::number;
    if number(ty, &a) <= number(ty, &b) { (a, b) } else { (b, a) }
}

/// Whether entries of this table have priorities.
pub fn has_priority(table: &TableDecl) -> bool {
    table
        .keys
        .iter()
        .any(|k| matches!(k.kind, MatchKind::Ternary | MatchKind::Range | MatchKind::Optional))
}

/// A match for every key of a table. Values are often small, so that entries meet packets.
pub fn keys(program: &Program, table: &TableDecl, rng: &mut Rng) -> Vec<KeyMatch> {
    let kinds = table.keys.iter();
    kinds
        .map(|key| {
            let ty = program.type_of(&key.value, &[]).unwrap_or(Type::Bool);
            let width = ty.width();
            let value = match rng.below(3) {
                0 => Bits::new(width, rng.below(4) as u128),
                _ => rng.value(ty),
            };
            match key.kind {
                MatchKind::Exact => KeyMatch::Exact(value),
                MatchKind::Lpm => match rng.below(8) {
                    0 => KeyMatch::Any,
                    1 => KeyMatch::lpm(&value, width),
                    _ => KeyMatch::lpm(&value, rng.between(1, width)),
                },
                MatchKind::Ternary => {
                    let mask = match rng.below(3) {
                        0 => Bits::ones(width),
                        1 => rng.value(ty),
                        _ => restage_program::entry::prefix_mask(width, rng.between(0, width)),
                    };
                    if mask.is_zero() { KeyMatch::Any } else { KeyMatch::masked(&value, mask) }
                }
                MatchKind::Range if rng.chance(85) => {
                    let other = rng.value(ty);
                    let (low, high) = ordered(ty, value, other);
                    KeyMatch::Range { low, high }
                }
                MatchKind::Optional if rng.chance(75) => KeyMatch::Exact(value),
                MatchKind::Range | MatchKind::Optional => KeyMatch::Any,
            }
        })
        .collect()
}

fn call(program: &Program, table: &TableDecl, default: bool, rng: &mut Rng) -> Option<ActionCall> {
    let not = if default { ActionScope::TableOnly } else { ActionScope::DefaultOnly };
    let usable: Vec<_> = table.actions.iter().filter(|a| a.scope != not).collect();
    let action = rng.pick(&usable)?.action;
    let params = program.actions.get(action)?.params.iter();
    Some(ActionCall { action, args: params.map(|p| rng.value(p.ty)).collect() })
}

/// Everything that is installed before the first packet, in order. Some are refused (an entry that
/// exists already), which is as good a test as any.
pub fn writes(program: &Program, rng: &mut Rng) -> Vec<Write> {
    let mut out = Vec::new();
    for group in GROUPS {
        let replicas = (0..[0, 1, 1, 2, 2, 3][rng.below(6)])
            .map(|_| Replica { port: PORTS[rng.below(PORTS.len())], rid: rng.below(4) as u16 })
            .collect();
        out.push(Write::SetMulticast { group, replicas: Some(replicas) });
    }
    for session in SESSIONS {
        let target = match rng.below(4) {
            0 => CloneTarget::Group(GROUPS[rng.below(GROUPS.len())]),
            _ => CloneTarget::Replicas(vec![Replica {
                port: PORTS[rng.below(PORTS.len())],
                rid: rng.below(3) as u16,
            }]),
        };
        let most = rng.chance(30).then(|| rng.between(1, 60));
        out.push(Write::SetClone { session, target: Some((target, most)) });
    }
    for (set, decl) in program.value_sets.iter() {
        let members = (0..rng.between(0, decl.size))
            .map(|_| {
                let columns = decl.columns.iter();
                columns
                    .map(|c| KeyMatch::Exact(Bits::new(c.ty.width(), rng.below(8) as u128)))
                    .collect()
            })
            .collect();
        out.push(Write::SetValueSet(set, members));
    }
    for (crc, decl) in program.crcs.iter() {
        if rng.chance(80) {
            let mut number = || rng.value(Type::Bit(decl.width)).low_u64() as u32;
            let (polynomial, start, xor) = (number(), number(), number());
            let (reflect_data, reflect_result) = (rng.chance(50), rng.chance(50));
            let params = CrcParams { polynomial, start, xor, reflect_data, reflect_result };
            out.push(Write::SetCrc(crc, params));
        }
    }
    for (register, decl) in program.registers.iter() {
        if rng.chance(50) {
            let index = rng.below(decl.size as usize) as u32;
            out.push(Write::SetRegister(register, index, rng.value(decl.ty)));
        }
    }
    for (counter, decl) in program.counters.iter() {
        if rng.chance(30) {
            let index = rng.below(decl.size as usize) as u32;
            out.push(Write::SetCounter(counter, index, CounterValue { packets: 7, bytes: 700 }));
        }
    }
    for (meter, decl) in program.meters.iter() {
        for index in 0..decl.size {
            if rng.chance(60) {
                out.push(Write::SetMeter(meter, index, Some(rates(rng))));
            }
        }
    }
    for (map, decl) in program.maps.iter() {
        for _ in 0..rng.below(3) {
            let key = decl.key.iter().map(|k| rng.value(k.ty)).collect();
            let values = decl.values.iter().map(|v| rng.value(v.ty)).collect();
            out.push(Write::SetMapEntry { map, key, values });
        }
    }
    for table in program.tables.keys() {
        table_writes(program, table, rng, &mut out);
    }
    out
}

/// Rates that some of the packets exceed: they come some microseconds apart.
fn rates(rng: &mut Rng) -> MeterConfig {
    let cir = [1e4, 5e4, 1e6][rng.below(3)];
    MeterConfig {
        cir,
        cburst: rng.between(0, 150).into(),
        pir: cir * 2.0,
        pburst: rng.between(0, 300).into(),
    }
}

fn table_writes(program: &Program, table: Table, rng: &mut Rng, out: &mut Vec<Write>) {
    let decl = &program.tables[table];
    if !decl.const_default && rng.chance(30) {
        out.push(Write::SetDefault(table, call(program, decl, true, rng)));
    }
    if decl.const_entries || decl.keys.is_empty() {
        return;
    }
    let profile = decl.profile;
    let groups = profile.is_some_and(|p| program.profiles[p].selector.is_some());
    if let Some(profile) = profile {
        for member in 1..=4 {
            if let Some(call) = call(program, decl, false, rng) {
                out.push(Write::SetMember { profile, member, call });
            }
        }
        for group in 1..=if groups { 3 } else { 0 } {
            let mut members: Vec<(u32, u32)> = Vec::new();
            for member in 1..=4 {
                if rng.chance(45) {
                    members.push((member, rng.between(1, 2)));
                }
            }
            out.push(Write::SetGroup { profile, group, members });
        }
    }
    let mut installed: Vec<Entry> = Vec::new();
    for i in 0..rng.between(1, 8) {
        let target = match profile {
            Some(_) if groups && rng.chance(60) => EntryTarget::Group(rng.between(1, 3)),
            Some(_) => EntryTarget::Member(rng.between(1, 4)),
            None => match call(program, decl, false, rng) {
                Some(call) => EntryTarget::Action(call),
                None => return,
            },
        };
        let keys = match rng.pick(&installed) {
            // Now and then the keys of another entry, at another priority or in vain.
            Some(other) if rng.chance(15) => other.keys.clone(),
            _ => keys(program, decl, rng),
        };
        let priority = match (has_priority(decl), rng.below(5)) {
            (false, _) => 0,
            (true, 0) => 5,
            (true, _) => 10 + i,
        };
        let entry = Entry { keys, priority, target, idle_timeout_us: 0 };
        out.push(Write::Insert(table, entry.clone()));
        installed.push(entry);
    }
    let Some(entry) = rng.pick(&installed).cloned() else { return };
    let (keys, priority) = (entry.keys.clone(), entry.priority);
    match rng.below(5) {
        0 => out.push(Write::Delete { table, keys, priority }),
        1 => {
            if let (None, Some(call)) = (profile, call(program, decl, false, rng)) {
                let target = EntryTarget::Action(call);
                out.push(Write::Modify(table, Entry { target, ..entry }));
            }
        }
        2 if decl.counter.is_some() => {
            let value = CounterValue { packets: 1, bytes: 99 };
            out.push(Write::SetDirectCounter { table, keys, priority, value });
        }
        _ if decl.meter.is_some() => {
            let config = Some(rates(rng));
            out.push(Write::SetDirectMeter { table, keys, priority, config });
        }
        _ => {}
    }
}
