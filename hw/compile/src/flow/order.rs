//! Puts a flow in order: operands before users, nothing that nobody needs.
//!
//! ```text
//! before: v0 = add(v2, v1)  v1 = 1  v2 = ipv4.ttl  v3 = 7   ipv4.ttl := v0
//! after:  v0 = ipv4.ttl  v1 = 1  v2 = add(v0, v1)           ipv4.ttl := v2
//! ```
//!
//! An access stays when one of its outputs is used, or when it does something: it counts, writes, draws. Tables
//! always stay, since a control plane knows them.

use super::{Access, AccessKind, Def, Flow, Value};
use restage_program::entity::{Entity, EntityMap};

/// Accesses that wait for each other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cycle(pub Vec<Access>);

#[derive(Clone, Copy, PartialEq)]
enum State {
    New,
    Open,
    Done,
}

/// The flow in order, or the accesses that wait for each other.
pub fn order(flow: &Flow) -> Result<Flow, Cycle> {
    let mut sorter = Sorter {
        flow,
        values: vec![State::New; flow.values.len()],
        sorted: Vec::with_capacity(flow.values.len()),
        used: vec![false; flow.accesses.len()],
    };
    for (_, value) in &flow.outputs {
        sorter.visit(*value)?;
    }
    for (access, decl) in flow.accesses.iter() {
        let never = matches!(&flow.values[decl.guard].def, Def::Const(b) if b.is_zero());
        if (decl.kind.acts() && !never) || matches!(decl.kind, AccessKind::Table(_)) {
            sorter.used[access.index()] = true;
        }
    }
    // What an access needs may use further accesses.
    let mut done = vec![false; flow.accesses.len()];
    while let Some(next) = (0..done.len()).find(|i| sorter.used[*i] && !done[*i]) {
        done[next] = true;
        let decl = &flow.accesses[Access::from_index(next)];
        let mut needs = vec![decl.guard];
        decl.kind.issue(&mut |v| needs.push(v));
        decl.kind.update(&mut |v| needs.push(v));
        for value in needs {
            sorter.visit(value)?;
        }
    }
    let Sorter { sorted, used, .. } = sorter;
    Ok(renumbered(flow, &sorted, &used))
}

fn renumbered(flow: &Flow, sorted: &[Value], used: &[bool]) -> Flow {
    let mut values = vec![Value(0); flow.values.len()];
    for (new, old) in sorted.iter().enumerate() {
        values[old.index()] = Value::from_index(new);
    }
    let mut accesses = vec![Access(0); flow.accesses.len()];
    let mut kept = EntityMap::new();
    for (access, decl) in flow.accesses.iter().filter(|(a, _)| used[a.index()]) {
        let mut decl = decl.clone();
        decl.guard = values[decl.guard.index()];
        decl.kind.map_values(&mut |v| values[v.index()]);
        accesses[access.index()] = kept.push(decl);
    }
    let moved = sorted.iter().map(|old| {
        let mut decl = flow.values[*old].clone();
        decl.def.map_operands(&mut |v| values[v.index()]);
        if let Def::Out(access, _) = &mut decl.def {
            *access = accesses[access.index()];
        }
        decl
    });
    Flow {
        name: flow.name.clone(),
        values: moved.collect(),
        accesses: kept,
        outputs: flow.outputs.iter().map(|(s, v)| (*s, values[v.index()])).collect(),
    }
}

struct Sorter<'a> {
    flow: &'a Flow,
    values: Vec<State>,
    sorted: Vec<Value>,
    used: Vec<bool>,
}

impl Sorter<'_> {
    /// Sorts a value in behind everything that it needs. Without recursion: chains are long.
    fn visit(&mut self, value: Value) -> Result<(), Cycle> {
        if self.values[value.index()] == State::Done {
            return Ok(());
        }
        let mut stack = vec![(value, self.needs(value), 0)];
        self.values[value.index()] = State::Open;
        while let Some((value, needs, next)) = stack.last_mut() {
            if let Some(need) = needs.get(*next).copied() {
                *next += 1;
                match self.values[need.index()] {
                    State::Done => {}
                    State::New => {
                        self.values[need.index()] = State::Open;
                        let needs = self.needs(need);
                        stack.push((need, needs, 0));
                    }
                    State::Open => {
                        let on: Vec<Value> = stack.iter().map(|(v, ..)| *v).collect();
                        let from = on.iter().position(|v| *v == need).unwrap_or(0);
                        let accesses =
                            on[from..].iter().filter_map(|v| match self.flow.values[*v].def {
                                Def::Out(access, _) => Some(access),
                                _ => None,
                            });
                        return Err(Cycle(accesses.collect()));
                    }
                }
            } else {
                self.values[value.index()] = State::Done;
                self.sorted.push(*value);
                stack.pop();
            }
        }
        Ok(())
    }

    fn needs(&mut self, value: Value) -> Vec<Value> {
        let mut needs = Vec::new();
        let def = &self.flow.values[value].def;
        def.operands(&mut |v| needs.push(v));
        if let Def::Out(access, _) = def {
            self.used[access.index()] = true;
            let decl = &self.flow.accesses[*access];
            needs.push(decl.guard);
            decl.kind.issue(&mut |v| needs.push(v));
        }
        needs
    }
}

impl AccessKind {
    /// Whether it changes something that outlives the packet.
    pub fn acts(&self) -> bool {
        match self {
            AccessKind::Counter { .. } | AccessKind::Meter { .. } => true,
            AccessKind::Random { draws, .. } => !draws.is_empty(),
            AccessKind::Register { write, .. } => write.is_some(),
            // A lookup may restart a time-out.
            AccessKind::Map(_) => true,
            AccessKind::Table(_) | AccessKind::ValueSet { .. } => false,
        }
    }
}
