//! One declaration for the copies of an action.
//!
//! The compiler copies an action for every table and call that names it, with temporaries of its own in
//! every copy. Before: `Ing.drop`, `Ing.drop`. After: one. Copies that are not the same, which no
//! compiler is known to make, stay, with a number behind the name.

use crate::names::unique;
use restage_program::entity::{Action, Meta};
use restage_program::program::{ActionDecl, Preamble};
use restage_program::stmt::{AfterApply, Block, StmtKind};
use restage_program::{EntityMap, Program};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// Merges the copies of actions. `compiler_made` says which metadata are temporaries.
pub(crate) fn merge(program: &mut Program, compiler_made: impl Fn(&str) -> bool) {
    let bodies: Vec<Value> = program.actions.values().map(|a| plain(&a.body)).collect();
    let private = private(program, &bodies, compiler_made);
    let mut kept: EntityMap<Action, ActionDecl> = EntityMap::new();
    let mut forms: HashMap<String, Vec<(Action, Value)>> = HashMap::new();
    let mut new = Vec::new();
    let mut taken = HashSet::new();
    for (action, body) in std::mem::take(&mut program.actions).values().zip(bodies) {
        let form = canonical(body, &private);
        let same = forms.entry(action.preamble.name.clone()).or_default();
        let found = same
            .iter()
            .find(|(a, f)| *f == form && kept.get(*a).is_some_and(|k| k.params == action.params));
        if let Some((a, _)) = found {
            new.push(*a);
            continue;
        }
        let mut action = action.clone();
        let name = unique(&mut taken, &action.preamble.name);
        if name != action.preamble.name {
            action.preamble = Preamble { name, id: 0, ..action.preamble };
        }
        let a = kept.push(action);
        same.push((a, form));
        new.push(a);
    }
    program.actions = kept;
    let map = |a: &mut Action| {
        if let Some(to) = new.get(a.0 as usize) {
            *a = *to;
        }
    };
    for table in program.tables.values_mut() {
        let mut seen = HashSet::new();
        table.actions.iter_mut().for_each(|r| map(&mut r.action));
        table.actions.retain(|r| seen.insert(r.action.0));
        map(&mut table.default.action);
        for entry in &mut table.entries {
            if let restage_program::entry::EntryTarget::Action(call) = &mut entry.target {
                map(&mut call.action);
            }
        }
    }
    rename(&mut program.ingress, &map);
    rename(&mut program.egress, &map);
}

fn rename(block: &mut Block, map: &impl Fn(&mut Action)) {
    for stmt in block {
        match &mut stmt.kind {
            StmtKind::Call { action, .. } => map(action),
            StmtKind::If { then, otherwise, .. } => {
                rename(then, map);
                rename(otherwise, map);
            }
            StmtKind::Apply { then: AfterApply::Hit { hit, miss }, .. } => {
                rename(hit, map);
                rename(miss, map);
            }
            StmtKind::Apply { then: AfterApply::Switch { cases, default }, .. } => {
                for case in cases {
                    case.actions.iter_mut().for_each(map);
                    rename(&mut case.body, map);
                }
                rename(default, map);
            }
            _ => {}
        }
    }
}

/// The serde form, in which metadata is `{"meta": n}`.
fn plain(block: &Block) -> Value {
    serde_json::to_value(block).unwrap_or(Value::Null)
}

fn metas(value: &mut Value, f: &mut impl FnMut(&mut Value)) {
    match value {
        Value::Object(map) => {
            if let (1, Some(meta)) = (map.len(), map.get_mut("meta")) {
                f(meta);
                return;
            }
            map.values_mut().for_each(|v| metas(v, f));
        }
        Value::Array(items) => items.iter_mut().for_each(|v| metas(v, f)),
        _ => {}
    }
}

/// Temporaries that one action alone uses.
fn private(
    program: &Program,
    bodies: &[Value],
    compiler_made: impl Fn(&str) -> bool,
) -> HashSet<u64> {
    let mut users: HashMap<u64, usize> = HashMap::new();
    let count = |value: &Value, users: &mut HashMap<u64, usize>| {
        let mut seen = HashSet::new();
        metas(&mut value.clone(), &mut |m| {
            if let Some(meta) = m.as_u64().filter(|m| seen.insert(*m)) {
                *users.entry(meta).or_default() += 1;
            }
        });
    };
    bodies.iter().for_each(|b| count(b, &mut users));
    let mut rest = program.clone();
    rest.actions = EntityMap::new();
    count(&serde_json::to_value(&rest).unwrap_or(Value::Null), &mut users);
    for list in program.field_lists.values() {
        for meta in &list.metas {
            *users.entry(meta.0.into()).or_default() += 1;
        }
    }
    let made = |m: &u64| program.metas.get(Meta(*m as u32)).is_some_and(|d| compiler_made(&d.name));
    users.into_iter().filter(|(m, n)| *n == 1 && made(m)).map(|(m, _)| m).collect()
}

/// The body with private temporaries numbered in the order of their use.
fn canonical(mut body: Value, private: &HashSet<u64>) -> Value {
    let mut names: HashMap<u64, usize> = HashMap::new();
    metas(&mut body, &mut |m| {
        if let Some(meta) = m.as_u64().filter(|m| private.contains(m)) {
            let next = names.len();
            *m = Value::String(format!("private {}", names.entry(meta).or_insert(next)));
        }
    });
    body
}
