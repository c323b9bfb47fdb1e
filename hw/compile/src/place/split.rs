//! Cuts a flow into stages, given the stage of every access.
//!
//! ```text
//! before: v1 = ipv4.dst  a0: table `route` keys v1  v2 = a0.nexthop  a1: table `nexthop` keys v2
//!         meta.nexthop := v2   ipv4.ttl := ipv4.ttl - 1
//! after:  stage 0: ... a0 ...  meta.nexthop := v2   ipv4.ttl := ipv4.ttl - 1
//!         stage 1: v0 = meta.nexthop  a1: table `nexthop` keys v0
//! ```
//!
//! A value that waits for an access is computed in that access's stage, and goes on in a slot if it was written
//! to one, else in a temporary. What waits for no access is computed again wherever it is used, unless it is
//! a hash or a product. A slot is not written before the last stage that reads what it held in the beginning.

use super::own::own;
use crate::flow::{Access, Def, Flow, Slot, Value, ValueDecl};
use restage_program::entity::{Entity, EntityMap};
use restage_program::op::Op;
use std::collections::{BTreeMap, BTreeSet};

/// Temporaries that one stage may write.
const TEMPS: u32 = 1 << 12;

/// Where everything goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Split {
    /// The stage of each access.
    pub accesses: Vec<usize>,
    /// The earliest stage in which a slot may be written; 0 if not said.
    pub floors: BTreeMap<Slot, usize>,
    /// How many stages.
    pub stages: usize,
    /// How many stages of other halves come before: temporaries are numbered by stage.
    pub before: usize,
}

/// The flows of all stages. What else is in a half says nothing of the order in a stage: unchanged stages are the same text.
pub fn split(flow: &Flow, how: &Split) -> Vec<Flow> {
    let mut plan = Plan::new(flow, how);
    plan.settle();
    let stages = (0..how.stages).map(|stage| plan.stage(stage));
    stages.map(own).collect()
}

struct Plan<'a> {
    flow: &'a Flow,
    how: &'a Split,
    /// The stage of values that wait for an access, or that are computed once.
    stages: Vec<Option<usize>>,
    /// Values without an access that are computed in one stage only.
    pinned: BTreeMap<Value, usize>,
    /// The stage in which each output is written.
    written: Vec<usize>,
    /// What each stage computes or reads.
    wanted: Vec<BTreeSet<Value>>,
    /// What each stage hands on as temporaries.
    exports: Vec<BTreeSet<Value>>,
}

impl<'a> Plan<'a> {
    fn new(flow: &'a Flow, how: &'a Split) -> Self {
        Plan {
            flow,
            how,
            stages: Vec::new(),
            pinned: BTreeMap::new(),
            written: flow
                .outputs
                .iter()
                .map(|(slot, _)| how.floors.get(slot).copied().unwrap_or(0))
                .collect(),
            wanted: Vec::new(),
            exports: Vec::new(),
        }
    }

    /// Stages of values: that of the last access that they wait for.
    fn wait(&mut self) {
        self.stages.clear();
        for (value, decl) in self.flow.values.iter() {
            let mut stage = match decl.def {
                Def::Out(access, _) => Some(self.of(access)),
                _ => self.pinned.get(&value).copied(),
            };
            decl.def.operands(&mut |v| stage = stage.max(self.stages[v.index()]));
            self.stages.push(stage);
        }
    }

    fn of(&self, access: Access) -> usize {
        self.how.accesses.get(access.index()).copied().unwrap_or(0)
    }

    /// Repeats until nothing has to be later: every round something is.
    fn settle(&mut self) {
        loop {
            self.wait();
            for (i, (_, value)) in self.flow.outputs.iter().enumerate() {
                self.written[i] = self.written[i].max(self.stages[value.index()].unwrap_or(0));
            }
            self.want();
            if !self.later() && !self.pin() {
                return;
            }
        }
    }

    /// What every stage needs, the last one first.
    fn want(&mut self) {
        let count = self.how.stages;
        self.wanted = vec![BTreeSet::new(); count];
        self.exports = vec![BTreeSet::new(); count];
        for stage in (0..count).rev() {
            let mut todo: Vec<Value> = self.exports[stage].iter().copied().collect();
            for (i, (_, value)) in self.flow.outputs.iter().enumerate() {
                if self.written[i] == stage {
                    todo.push(*value);
                }
            }
            for (access, decl) in self.flow.accesses.iter() {
                if self.of(access) == stage {
                    todo.push(decl.guard);
                    decl.kind.issue(&mut |v| todo.push(v));
                    decl.kind.update(&mut |v| todo.push(v));
                }
            }
            while let Some(value) = todo.pop() {
                if !self.wanted[stage].insert(value) {
                    continue;
                }
                match self.stages[value.index()] {
                    Some(from) if from < stage => {
                        if self.slot_of(value, stage).is_none() {
                            self.exports[from].insert(value);
                        }
                    }
                    _ => self.flow.values[value].def.operands(&mut |v| todo.push(v)),
                }
            }
        }
    }

    /// A slot that holds a value when a stage begins.
    fn slot_of(&self, value: Value, stage: usize) -> Option<Slot> {
        let outputs = self.flow.outputs.iter().zip(&self.written);
        let mut found = outputs.filter(|((_, v), written)| *v == value && **written < stage);
        found.next().map(|((slot, _), _)| *slot)
    }

    /// Moves what is written too early for readers of what was there before; whether there was any.
    fn later(&mut self) -> bool {
        let mut moved = false;
        for (i, (slot, _)) in self.flow.outputs.iter().enumerate() {
            let reads = |wanted: &BTreeSet<Value>| {
                wanted.iter().any(|v| self.flow.values[*v].def == Def::Slot(*slot))
            };
            let last = self.wanted.iter().rposition(reads).unwrap_or(0);
            if last > self.written[i] {
                self.written[i] = last;
                moved = true;
            }
        }
        moved
    }

    /// Pins what is expensive and would be computed in several stages to the first; whether there was any.
    fn pin(&mut self) -> bool {
        let mut pinned = false;
        for (value, decl) in self.flow.values.iter() {
            let dear = match &decl.def {
                Def::Hash(_) => true,
                Def::Op(op, _) => matches!(op, Op::Mul | Op::Div | Op::Mod),
                _ => false,
            };
            if !dear || self.stages[value.index()].is_some() {
                continue;
            }
            let mut used = (0..self.how.stages).filter(|s| self.wanted[*s].contains(&value));
            if let (Some(first), Some(_)) = (used.next(), used.next()) {
                self.pinned.insert(value, first);
                pinned = true;
            }
        }
        pinned
    }

    fn temp(&self, value: Value) -> Slot {
        let from = self.stages[value.index()].unwrap_or(0);
        let number = self.exports[from].iter().position(|v| *v == value).unwrap_or(0) as u32;
        Slot::Temp((self.how.before + from) as u32 * TEMPS + number)
    }

    /// The flow of a stage.
    fn stage(&self, stage: usize) -> Flow {
        let mut made: BTreeMap<Value, Value> = BTreeMap::new();
        let mut values: EntityMap<Value, ValueDecl> = EntityMap::new();
        let mut accesses = EntityMap::new();
        let mut of: BTreeMap<Access, Access> = BTreeMap::new();
        for (access, _) in self.flow.accesses.iter().filter(|(a, _)| self.of(*a) == stage) {
            of.insert(access, Access::from_index(of.len()));
        }
        let mut slots: BTreeMap<Slot, Value> = BTreeMap::new();
        for value in &self.wanted[stage] {
            let mut decl = self.flow.values[*value].clone();
            match self.stages[value.index()] {
                Some(from) if from < stage => {
                    let slot = self.slot_of(*value, stage).unwrap_or_else(|| self.temp(*value));
                    decl.def = Def::Slot(slot);
                }
                _ => {
                    decl.def.map_operands(&mut |v| made.get(&v).copied().unwrap_or(v));
                    if let Def::Out(access, _) = &mut decl.def {
                        *access = of.get(access).copied().unwrap_or(*access);
                    }
                }
            }
            let new = match decl.def {
                Def::Slot(slot) => match slots.get(&slot) {
                    Some(known) => *known,
                    None => {
                        let new = values.push(decl);
                        slots.insert(slot, new);
                        new
                    }
                },
                _ => values.push(decl),
            };
            made.insert(*value, new);
        }
        let get = |v: Value| made.get(&v).copied().unwrap_or(v);
        for (access, decl) in self.flow.accesses.iter().filter(|(a, _)| self.of(*a) == stage) {
            let _ = access;
            let mut decl = decl.clone();
            decl.guard = get(decl.guard);
            decl.kind.map_values(&mut |v| get(v));
            accesses.push(decl);
        }
        let outputs = self.flow.outputs.iter().zip(&self.written);
        let written = outputs.filter(|(_, at)| **at == stage).map(|((s, v), _)| (*s, get(*v)));
        let handed = self.exports[stage].iter().map(|v| (self.temp(*v), get(*v)));
        let name = format!("{} {stage}", self.flow.name);
        Flow { name, values, accesses, outputs: written.chain(handed).collect() }
    }
}
