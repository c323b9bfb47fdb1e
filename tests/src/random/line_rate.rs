//! Random programs without what hardware cannot do at one packet per clock, so that the rest of them can be
//! tried there.
//!
//! What is taken out is found by asking: statements that break rules W by their paths, then what lowering
//! refuses. The result means something else than the program that went in, but is as good a program.

use super::compare::Case;
use restage_compile::lower::{Refusal, lower, plan, shell_for};
use restage_manifest::ShellConfig;
use restage_program::check::Checked;
use restage_program::entry::Write;
use restage_program::expr::Expr;
use restage_program::program::{Target, Transition};
use restage_program::stmt::{Stmt, StmtKind};
use restage_program::{Bits, Entity, Program, Type};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Rounds of taking out before a program is given up.
const ROUNDS: usize = 100;

/// The case without what hardware cannot do; `None` when nothing is left of its program. Headers take `window`
/// bytes at most.
pub fn line_rate(case: Case, window: u32) -> Option<Case> {
    let program = program(&case.program, window)?;
    // What a CRC is is fixed in a circuit.
    let writes = case.writes.into_iter().filter(|w| !matches!(w, Write::SetCrc(..))).collect();
    Some(Case { program, writes, packets: case.packets })
}

fn program(program: &Program, window: u32) -> Option<Checked> {
    let mut value = serde_json::to_value(program).ok()?;
    shared_cells(&mut value);
    hashes(&mut value);
    checksums(&mut value);
    remember(&mut value)?;
    let mut thinned = 0;
    for _ in 0..ROUNDS {
        let program: Program = serde_json::from_value(value.clone()).ok()?;
        let mut checked = program.check().ok()?;
        let found = checked.beyond_line_rate();
        if found.is_empty() {
            let mut program = checked.into_inner();
            while plan(&program).most_bytes > window {
                program.deparser.pop()?;
            }
            checked = program.check().ok()?;
            let refused = refusals(&checked, window);
            let because = |what: &str| refused.iter().any(|r| r.found.contains(what));
            if thinned < 2 && because("used again") {
                meters(&mut value, 1 - thinned);
                thinned += 1;
                continue;
            }
            if because("looks at the first") {
                let mut program: Program = serde_json::from_value(value.clone()).ok()?;
                if shorten(&mut program) {
                    value = serde_json::to_value(&program).ok()?;
                    continue;
                }
            }
            return Some(checked);
        }
        for violation in found {
            take_out(&mut value, &violation.path);
        }
    }
    None
}

/// What lowering says against a program for a shell of any size but for the window.
fn refusals(program: &Checked, window: u32) -> Vec<Refusal> {
    let like = ShellConfig { window_bytes: window, phv_bits: 8192, ..ShellConfig::default() };
    lower(program, &shell_for(program, &like)).err().unwrap_or_default()
}

/// Leaves each meter so many statements.
fn meters(program: &mut Value, most: usize) {
    let mut seen: BTreeMap<u64, usize> = BTreeMap::new();
    walk(program, &mut |v| {
        let Value::Array(items) = v else { return };
        items.retain(|item| {
            let Some(meter) = item.get("execute_meter").and_then(|m| m["meter"].as_u64()) else {
                return true;
            };
            let count = seen.entry(meter).or_default();
            *count += 1;
            *count <= most
        });
    });
}

/// Takes a way out of the parser: back to a state before if there is one, else the last one there is; if none is left, the
/// first state's last statement.
fn shorten(program: &mut Program) -> bool {
    let leads = |to: Target, own: usize, back: bool| match to {
        Target::State(state) => !back || state.index() <= own,
        _ => false,
    };
    for back in [true, false] {
        for (own, decl) in program.states.iter_mut().rev() {
            let own = own.index();
            match &mut decl.next {
                Transition::To(to) if leads(*to, own, back) => {
                    *to = Target::Accept;
                    return true;
                }
                Transition::Select { cases, .. } => {
                    if let Some(at) = cases.iter().rposition(|c| leads(c.to, own, back)) {
                        cases[at].to = Target::Accept;
                        return true;
                    }
                }
                Transition::To(_) => {}
            }
        }
    }
    let first = program.start.and_then(|state| program.states.get_mut(state));
    first.is_some_and(|state| state.body.pop().is_some())
}

/// Removes the statement at a path such as `ingress[2].if.then[0].write_register`. A statement that is
/// gone already, or moved, is none.
fn take_out(program: &mut Value, path: &str) {
    let Some((list, index)) = path.rsplit_once('[') else { return };
    let Some(index) = index.split(']').next().and_then(|i| i.parse::<usize>().ok()) else { return };
    let mut at = program;
    for step in list.split(['.', '[', ']']).filter(|s| !s.is_empty()) {
        let next = match step.parse::<usize>() {
            Ok(index) => at.get_mut(index),
            Err(_) => at.get_mut(step),
        };
        match next {
            Some(next) => at = next,
            None => return,
        }
    }
    if let Value::Array(items) = at
        && index < items.len()
    {
        items.remove(index);
    }
}

/// Each array is used in one part: most in ingress, some in egress or the parser.
fn shared_cells(program: &mut Value) {
    let egress_actions: Vec<usize> = program["actions"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
        .filter(|(_, a)| a["name"].as_str().is_some_and(|n| n.starts_with("Eg.")))
        .map(|(i, _)| i)
        .collect();
    let mut parsed = BTreeSet::new();
    walk(&mut program["states"], &mut |v| {
        let access = v.get("read_register").or(v.get("write_register"));
        parsed.extend(access.and_then(|access| access["register"].as_u64()));
    });
    for part in ["states", "ingress", "egress"] {
        if let Some(value) = program.get_mut(part) {
            only_of(value, part, &parsed);
        }
    }
    for (i, action) in program["actions"].as_array_mut().into_iter().flatten().enumerate() {
        let part = if egress_actions.contains(&i) { "egress" } else { "ingress" };
        only_of(action, part, &parsed);
    }
}

/// Removes the uses of cells that another part has. `parsed`: registers that the parser uses, of which it keeps some.
fn only_of(value: &mut Value, part: &str, parsed: &BTreeSet<u64>) {
    const KINDS: [(&str, &str); 7] = [
        ("read_register", "register"),
        ("write_register", "register"),
        ("map_lookup", "map"),
        ("map_put", "map"),
        ("map_remove", "map"),
        ("count", "counter"),
        ("execute_meter", "meter"),
    ];
    walk(value, &mut |v| {
        let Value::Array(items) = v else { return };
        items.retain(|item| {
            if item.get("random").is_some() {
                return part == "ingress";
            }
            KINDS.iter().all(|(kind, field)| {
                let Some(index) = item.get(*kind).and_then(|s| s[*field].as_u64()) else {
                    return true;
                };
                let owner = match (index, *field) {
                    (2, _) => "egress",
                    (1, "register") if parsed.contains(&index) => "states",
                    _ => "ingress",
                };
                owner == part
            })
        });
    });
}

/// What is looked up in a map is put there next, so that it is found again: most other uses of the map have to go. Maps without
/// a time-out have room for one entry, so that they are full.
fn remember(value: &mut Value) -> Option<()> {
    let mut program: Program = serde_json::from_value(value.clone()).ok()?;
    let zeros: Vec<Vec<Expr>> = program
        .maps
        .values()
        .map(|decl| decl.values.iter().map(|v| zero(v.ty)).collect::<Option<Vec<_>>>())
        .collect::<Option<_>>()?;
    for decl in program.maps.values_mut().filter(|decl| decl.idle_timeout_us == 0) {
        (decl.buckets, decl.ways) = (1, 1);
    }
    let bodies = program.actions.values_mut().map(|a| &mut a.body);
    let mut blocks: Vec<&mut Vec<Stmt>> = bodies.chain([&mut program.ingress]).collect();
    while let Some(block) = blocks.pop() {
        let mut at = 0;
        while at < block.len() {
            if let StmtKind::MapLookup { map, key, .. } = &block[at].kind {
                let (map, key) = (*map, key.clone());
                let values = zeros.get(map.index())?.clone();
                block.insert(at + 1, StmtKind::MapPut { map, key, values, stored: None }.into());
                at += 1;
            }
            at += 1;
        }
        for stmt in block {
            if let StmtKind::If { then, otherwise, .. } = &mut stmt.kind {
                blocks.extend([then, otherwise]);
            }
        }
    }
    *value = serde_json::to_value(&program).ok()?;
    Some(())
}

/// A number of 0.
fn zero(ty: Type) -> Option<Expr> {
    let value = Bits::zero(ty.width());
    matches!(ty, Type::Bit(_) | Type::Int(_) | Type::Bool).then_some(Expr::Const { ty, value })
}

/// What a hash is reduced by is a constant.
fn hashes(program: &mut Value) {
    walk(program, &mut |v| {
        if let Some(hash) = v.get_mut("hash").filter(|h| h.get("max").is_some())
            && hash["max"].get("const").is_none()
        {
            hash["max"] = json!({"const": {"ty": {"bit": 16}, "value": "16w0x3e8"}});
        }
    });
}

/// Payloads are summed by `csum16`, behind whole bytes.
fn checksums(program: &mut Value) {
    for part in ["verify", "update"] {
        for sum in program[part].as_array_mut().into_iter().flatten() {
            if sum["with_payload"] == json!(true) {
                sum["algorithm"] = json!("csum16");
            }
        }
    }
}

/// Calls `f` on every value, innermost last.
fn walk(value: &mut Value, f: &mut dyn FnMut(&mut Value)) {
    f(value);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|v| walk(v, f)),
        Value::Object(fields) => fields.values_mut().for_each(|v| walk(v, f)),
        _ => {}
    }
}
