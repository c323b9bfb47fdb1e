//! Programs changed at random, in their JSON: the checker must answer, and what it accepts must have a
//! type everywhere.

use crate::wrong;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use restage_program::check::Rule;
use restage_program::expr::{ElementIndex, Expr, HeaderRef, Place};
use restage_program::prelude::*;
use restage_program::program::{FieldDecl, Transition};
use restage_program::stmt::{AfterApply, Stmt, StmtKind};
use serde_json::Value as Json;
use std::collections::BTreeMap;

const MUTANTS: u64 = 3000;

/// A program with something of everything.
fn rich() -> Program {
    wrong(|p, b| {
        let bump = p.action("bump", [("by", bit(32)), ("port", bit(9))], |c, [by, port]| {
            c.read(b.m.index, b.cells, b.ip.src);
            c.write(b.cells, b.ip.src, b.m.index + by);
            c.if_(b.m.index.lt(by), |c| c.set(b.s.egress_spec, port)).else_(|c| c.exit());
        });
        let metered = p.table("metered", |t| {
            t.range(b.ip.delta).optional(b.tcp.sport).exact(b.tags.last().label);
            t.actions([bump]).table_only([b.drop]).default(bump, (7, 1)).size(32).idle_timeout();
            t.counter("metered_hits", Unit::Both).meter("metered_rate", Unit::Bytes, b.m.colour);
            t.entry((range(1, 9), ANY, 3), bump, (1, 2));
        });
        let mirrored = p.field_list("mirrored", [b.m.wide, b.m.flag, b.s.ingress_port]);
        p.state("long", |c| {
            c.verify(lookahead_at(4, 4).ge(5), error::HEADER_TOO_SHORT);
            c.set(b.m.cause, error::NO_MATCH);
            c.extract_var(b.more, 64);
            c.advance(b.m.index);
            c.select((b.more.kind, lookahead(16)))
                .case((mask(0x40, 0xf0), range(2, 9)), "start")
                .case((7, ANY), "long")
                .default("reject");
        });
        p.ingress(|c| {
            c.apply(b.route).on(b.to, |c| c.count(b.hits, b.ip.proto)).otherwise(|c| {
                c.apply(b.acl).hit(|c| c.resubmit(Some(mirrored))).miss(|c| c.exit());
            });
            c.apply(b.spread);
            c.map_lookup(b.flows, b.ip.src, b.m.flag, [b.s.egress_spec], true);
            c.map_put(b.flows, b.ip.src, b.s.egress_spec, Some(b.m.flag));
            c.hash(b.m.index, Crc16, list![b.ip, b.options.data, b.tcp.sport], 4, 60);
            c.random(b.m.wide, 5, b.m.wide);
            c.execute_meter(b.m.colour, b.rate, b.m.index);
            c.push_front(b.tags, 1);
            c.set(b.tags.at(b.m.index).label, b.ip.src.slice(19, 0));
            c.set(b.ip.len.slice(7, 4), mux(b.tcp.valid(), bits(4, 1), b.ip.ttl.slice(3, 0)));
            c.set(b.options.data, b.more.data);
            c.copy(b.options, b.more);
            c.call(bump, (b.ip.dst, 3));
            c.clone_ingress(b.m.index, Some(mirrored));
            c.digest(b.learn);
        });
        p.egress(|c| {
            c.apply(metered);
            c.map_remove(b.flows, b.ip.dst);
            c.truncate(b.m.index + 64);
            c.clone_egress(3, None);
            c.recirculate(Some(mirrored));
        });
        p.update_checksum(b.ip.valid(), list![b.ip.ttl, b.ip.src], b.ip.len, Csum16);
    })
}

/// Pointers to everything in a value.
fn pointers(value: &Json, at: String, all: &mut Vec<String>) {
    match value {
        Json::Array(list) => {
            list.iter().enumerate().for_each(|(i, v)| pointers(v, format!("{at}/{i}"), all));
        }
        Json::Object(map) => map.iter().for_each(|(k, v)| pointers(v, format!("{at}/{k}"), all)),
        _ => {}
    }
    all.push(at);
}

fn mutate(value: &mut Json, places: &[String], rng: &mut SmallRng) {
    let donor = places.choose(rng).and_then(|p| value.pointer(p)).cloned();
    let Some(target) = places.choose(rng).and_then(|p| value.pointer_mut(p)) else { return };
    match target {
        Json::Number(n) => {
            let old = n.as_u64().unwrap_or(0);
            let odd = [0u64, 1, 2, 7, 8, 9, 32, 64, 2048, 2049, 4095, 1 << 20, u32::MAX.into()];
            *target = match rng.random_range(0..3) {
                0 => (old + 1).into(),
                1 => old.saturating_sub(1).into(),
                _ => odd[rng.random_range(0..odd.len())].into(),
            };
        }
        Json::Bool(b) => *b = !*b,
        Json::Array(list) if !list.is_empty() => {
            let (i, j) = (rng.random_range(0..list.len()), rng.random_range(0..list.len()));
            match rng.random_range(0..4) {
                0 => drop(list.remove(i)),
                1 => list.insert(i, list[j].clone()),
                2 => list.swap(i, j),
                _ => list.extend(donor),
            }
        }
        _ => *target = donor.unwrap_or(Json::Null),
    }
}

/// What is like what: replacing a thing by one of the same shape keeps most mutants readable.
fn swap_alike(value: &mut Json, places: &[String], rng: &mut SmallRng) {
    let Some(to) = places.choose(rng) else { return };
    let last = |p: &str| p.rsplit('/').next().unwrap_or("").to_owned();
    let alike: Vec<&String> = places.iter().filter(|p| last(p) == last(to)).collect();
    let donor = alike.choose(rng).and_then(|p| value.pointer(p)).cloned();
    if let (Some(donor), Some(target)) = (donor, value.pointer_mut(to)) {
        *target = donor;
    }
}

#[test]
fn mutants_are_answered_and_what_is_accepted_has_types() {
    let rich = rich();
    rich.clone().check().unwrap();
    let base = serde_json::to_value(&rich).unwrap();
    let mut places = Vec::new();
    pointers(&base, String::new(), &mut places);
    let (mut read, mut accepted) = (0, 0);
    let mut broken: BTreeMap<Rule, u32> = BTreeMap::new();
    for seed in 0..MUTANTS {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut value = base.clone();
        for _ in 0..rng.random_range(1..4) {
            match rng.random_bool(0.5) {
                true => mutate(&mut value, &places, &mut rng),
                false => swap_alike(&mut value, &places, &mut rng),
            }
        }
        let Ok(program) = serde_json::from_value::<Program>(value) else { continue };
        read += 1;
        match program.check() {
            Ok(checked) => {
                accepted += 1;
                types(&checked).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
                checked.beyond_line_rate();
                assert_eq!(
                    Program::from_json(&checked.to_json()).as_ref(),
                    Ok(&*checked),
                    "{seed}"
                );
            }
            Err(violations) => {
                violations.iter().for_each(|v| *broken.entry(v.rule).or_default() += 1);
                assert!(!violations.0.is_empty() && !violations.report(|_| None).is_empty());
            }
        }
    }
    println!("{MUTANTS} mutants, {read} read, {accepted} accepted, {broken:?}");
    assert!(read > MUTANTS / 4, "only {read} are programs");
    assert!(accepted > MUTANTS / 10, "only {accepted} are accepted");
    assert!(broken.len() > 40, "only {} rules are reached", broken.len());
}

/// Asks for the type of everything that has one.
fn types(p: &Program) -> Result<(), String> {
    for (_, action) in p.actions.iter() {
        block(p, &action.body, &action.params)?;
    }
    for (_, state) in p.states.iter() {
        block(p, &state.body, &[])?;
        if let Transition::Select { keys, .. } = &state.next {
            keys.iter().try_for_each(|k| expr(p, k, &[]))?;
        }
    }
    block(p, &p.ingress, &[])?;
    block(p, &p.egress, &[])?;
    for table in p.tables.values() {
        table.keys.iter().try_for_each(|k| expr(p, &k.value, &[]))?;
        table.meter.iter().try_for_each(|m| place(p, &m.dst))?;
    }
    for sum in p.verify.iter().chain(&p.update) {
        expr(p, &sum.condition, &[])?;
        place(p, &sum.field)?;
        items(p, &sum.items, &[])?;
    }
    let selectors = p.profiles.values().filter_map(|d| d.selector.as_ref());
    for selector in selectors {
        items(p, &selector.items, &[])?;
    }
    p.digests.values().flat_map(|d| &d.fields).try_for_each(|(_, e)| expr(p, e, &[]))
}

fn expr(p: &Program, e: &Expr, params: &[FieldDecl]) -> Result<(), String> {
    let mut all = Vec::new();
    e.walk(&mut |e| all.push(e));
    for e in all {
        let ty = p.type_of(e, params).map_err(|error| format!("{e:?}: {error}"))?;
        if !(1..=2048).contains(&ty.width()) {
            return Err(format!("{e:?} is a {ty}"));
        }
    }
    Ok(())
}

fn place(p: &Program, place: &Place) -> Result<(), String> {
    let ty = p.type_of_place(place).map_err(|error| format!("{place:?}: {error}"))?;
    if (1..=2048).contains(&ty.width()) { Ok(()) } else { Err(format!("{place:?} is a {ty}")) }
}

fn header(p: &Program, header: &HeaderRef) -> Result<(), String> {
    if let HeaderRef::Element { at: ElementIndex::Expr(index), .. } = header {
        expr(p, index, &[])?;
    }
    p.header_type(header).map(|_| ()).map_err(|error| format!("{header:?}: {error}"))
}

fn items(p: &Program, items: &[Item], params: &[FieldDecl]) -> Result<(), String> {
    items.iter().try_for_each(|item| match item {
        Item::Value(e) => expr(p, e, params),
        Item::IfValid { header: h, field } => {
            place(p, &Place::Field { header: h.clone(), field: *field })
        }
        Item::Header(h) => header(p, h),
    })
}

fn block(p: &Program, stmts: &[Stmt], params: &[FieldDecl]) -> Result<(), String> {
    for stmt in stmts {
        let (exprs, places, blocks): (Vec<&Expr>, Vec<&Place>, Vec<&[Stmt]>) = match &stmt.kind {
            StmtKind::Assign { dst, src } => (vec![src], vec![dst], vec![]),
            StmtKind::CopyHeader { dst, src } => {
                header(p, dst)?;
                header(p, src)?;
                (vec![], vec![], vec![])
            }
            StmtKind::SetValid(h) | StmtKind::SetInvalid(h) | StmtKind::Extract(h) => {
                header(p, h)?;
                (vec![], vec![], vec![])
            }
            StmtKind::ExtractVar { header: h, bits } => {
                header(p, h)?;
                (vec![bits], vec![], vec![])
            }
            StmtKind::Advance(e) | StmtKind::Verify { condition: e, .. } => {
                (vec![e], vec![], vec![])
            }
            StmtKind::If { condition, then, otherwise } => {
                (vec![condition], vec![], vec![then, otherwise])
            }
            StmtKind::Apply { then: AfterApply::Hit { hit, miss }, .. } => {
                (vec![], vec![], vec![hit, miss])
            }
            StmtKind::Apply { then: AfterApply::Switch { cases, default }, .. } => {
                let bodies = cases.iter().map(|c| c.body.as_slice());
                (vec![], vec![], bodies.chain([default.as_slice()]).collect())
            }
            StmtKind::Call { args, .. } => (args.iter().collect(), vec![], vec![]),
            StmtKind::Count { index, .. } => (vec![index], vec![], vec![]),
            StmtKind::ExecuteMeter { index, dst, .. } => (vec![index], vec![dst], vec![]),
            StmtKind::ReadRegister { index, dst, .. } => (vec![index], vec![dst], vec![]),
            StmtKind::WriteRegister { index, value, .. } => (vec![index, value], vec![], vec![]),
            StmtKind::MapLookup { key, found, values, .. } => {
                (key.iter().collect(), values.iter().chain([found]).collect(), vec![])
            }
            StmtKind::MapPut { key, values, stored, .. } => {
                (key.iter().chain(values).collect(), stored.iter().collect(), vec![])
            }
            StmtKind::MapRemove { key, .. } => (key.iter().collect(), vec![], vec![]),
            StmtKind::Hash { dst, base, items: list, max, .. } => {
                items(p, list, params)?;
                (vec![base, max], vec![dst], vec![])
            }
            StmtKind::Random { dst, low, high } => (vec![low, high], vec![dst], vec![]),
            StmtKind::CloneIngress { session, .. } | StmtKind::CloneEgress { session, .. } => {
                (vec![session], vec![], vec![])
            }
            StmtKind::Truncate { bytes } => (vec![bytes], vec![], vec![]),
            _ => continue,
        };
        exprs.into_iter().try_for_each(|e| expr(p, e, params))?;
        places.into_iter().try_for_each(|e| place(p, e))?;
        blocks.into_iter().try_for_each(|b| block(p, b, params))?;
    }
    Ok(())
}
