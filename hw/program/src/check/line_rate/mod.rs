//! What hardware cannot do at one packet per clock: rules W.
//!
//! A memory with one read and one write port serves a packet per clock when each packet reads one cell
//! and later writes the same one; both then happen in one place. A second access to the same array by
//! the same packet would need the memory again, while it serves the next packet. So does an access
//! from another half, which is elsewhere on the chip. The generator behind a `random` is such an array with
//! one cell, which every run of the statement reads and writes: only an action that is run from several
//! places can run it twice.
//!
//! The walk follows all paths at once: it keeps, for each array, the accesses that may have been the
//! last one. Branches start from the same set and their sets are united; parser loops are repeated
//! until nothing is added. Which entries a table has is not considered: any of its actions may run.
//!
//! Two indices are the same when they are written alike and nothing in them has changed between, or when
//! they are after metadata has been replaced by what it was set to: p4c copies an index into a variable
//! of its own for each use.

mod access;
mod change;

use super::Violation;
use super::cx::{Cx, Spot};
use crate::entity::{Action, Entity, Map, Register, State, Table};
use crate::expr::Expr;
use crate::loc::Loc;
use crate::program::{ActionScope, Program};
use crate::random::Sites;
use crate::stmt::{AfterApply, Stmt, StmtKind};
use access::{Seen, joined, unite};
use change::forget;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

/// Rules W of a program that the checker has accepted.
pub(super) fn check(program: &Program) -> Vec<Violation> {
    let mut walk = Walk {
        p: program,
        cx: Cx::new(program),
        seen: Some(Seen::default()),
        part: "the parser",
        owners: BTreeMap::new(),
        sites: Sites::of(program),
        from: None,
        told: HashSet::new(),
    };
    walk.parser();
    for (part, block) in [("ingress", &program.ingress), ("egress", &program.egress)] {
        walk.part = part;
        walk.seen = Some(Seen::default());
        walk.block(&At { path: part.into(), subject: part.into(), loc: Loc::default() }, block);
    }
    walk.cx.found
}

/// An array with one read and one write port.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Array {
    Register(Register),
    Map(Map),
    /// The generator of a `random`, by site.
    Random(u32),
}

/// Where a block stands.
#[derive(Clone)]
struct At {
    path: String,
    subject: String,
    loc: Loc,
}

impl At {
    fn step(&self, step: &str) -> At {
        At { path: format!("{}{step}", self.path), ..self.clone() }
    }
}

struct Walk<'p> {
    p: &'p Program,
    cx: Cx<'p>,
    /// `None` where nothing comes.
    seen: Option<Seen<'p>>,
    part: &'static str,
    owners: BTreeMap<Array, (&'static str, Rc<Spot>)>,
    sites: Sites<'p>,
    /// Where the action that is walked through is run.
    from: Option<At>,
    /// What was found, by the array and both places.
    told: HashSet<(Array, String, String)>,
}

impl<'p> Walk<'p> {
    fn parser(&mut self) {
        let mut at: BTreeMap<State, Seen<'p>> = BTreeMap::new();
        let mut todo: Vec<State> = self.p.start.into_iter().collect();
        at.extend(self.p.start.map(|s| (s, Seen::default())));
        while let Some(state) = todo.pop() {
            let Some(decl) = self.p.states.get(state) else { continue };
            self.seen = at.get(&state).cloned();
            let place = At {
                path: format!("states[{}].body", state.index()),
                subject: format!("state `{}`", decl.name),
                loc: decl.loc.clone(),
            };
            self.block(&place, &decl.body);
            let Some(seen) = self.seen.take() else { continue };
            for to in decl.targets() {
                let new = match at.entry(to) {
                    Entry::Vacant(entry) => {
                        entry.insert(seen.clone());
                        true
                    }
                    Entry::Occupied(mut entry) => unite(entry.get_mut(), seen.clone()),
                };
                if new {
                    todo.push(to);
                }
            }
        }
    }

    fn block(&mut self, at: &At, block: &'p [Stmt]) {
        for (i, stmt) in block.iter().enumerate() {
            if self.seen.is_none() {
                return;
            }
            let mut here = at.step(&format!("[{i}]"));
            if stmt.loc.site().is_some() {
                here.loc = stmt.loc.clone();
            }
            self.stmt(&here, &stmt.kind);
        }
    }

    fn stmt(&mut self, at: &At, kind: &'p StmtKind) {
        match kind {
            StmtKind::Exit => self.seen = None,
            StmtKind::If { then, otherwise, .. } => {
                let before = self.seen.clone();
                self.block(&at.step(".if.then"), then);
                let after = std::mem::replace(&mut self.seen, before);
                self.block(&at.step(".if.otherwise"), otherwise);
                self.join(after);
            }
            StmtKind::Apply { table, then } => self.apply(at, *table, then),
            StmtKind::Call { action, .. } => self.run(&at.step(".call"), *action),
            StmtKind::ReadRegister { register, index, .. } => {
                let step = at.step(".read_register");
                self.access(step, Array::Register(*register), std::slice::from_ref(index), false);
            }
            StmtKind::WriteRegister { register, index, .. } => {
                let step = at.step(".write_register");
                self.access(step, Array::Register(*register), std::slice::from_ref(index), true);
            }
            StmtKind::MapLookup { map, key, .. } => {
                self.access(at.step(".map_lookup"), Array::Map(*map), key, false);
            }
            StmtKind::MapPut { map, key, .. } => {
                self.access(at.step(".map_put"), Array::Map(*map), key, true);
            }
            StmtKind::MapRemove { map, key } => {
                self.access(at.step(".map_remove"), Array::Map(*map), key, true);
            }
            StmtKind::Random { .. } => {
                if let Some(site) = self.sites.number(kind) {
                    self.access(at.step(".random"), Array::Random(site), &[], true);
                }
            }
            _ => {}
        }
        let written = self.written(kind);
        self.moves(&written);
        self.sets(kind);
    }

    fn run(&mut self, from: &At, action: Action) {
        let Some(decl) = self.p.actions.get(action) else { return };
        let at = At {
            path: format!("actions[{}].body", action.index()),
            subject: format!("action `{}`", decl.preamble.name),
            loc: decl.preamble.loc.clone(),
        };
        self.from = Some(from.clone());
        self.block(&at, &decl.body);
        self.from = None;
        // A parameter is another value in another action.
        if let Some(seen) = &mut self.seen {
            forget(seen, |e| matches!(e, Expr::Param(_)));
        }
    }

    fn apply(&mut self, at: &At, table: Table, then: &'p AfterApply) {
        let Some(decl) = self.p.tables.get(table) else { return };
        if let Some(meter) = &decl.meter {
            let mut roots = Vec::new();
            self.root(&meter.dst, &mut roots);
            self.moves(&roots);
        }
        let before = self.seen.take();
        let mut after: Vec<(Action, bool, bool, Option<Seen<'p>>)> = Vec::new();
        for listed in &decl.actions {
            self.seen = before.clone();
            self.run(&at.step(".apply"), listed.action);
            let hits = listed.scope != ActionScope::DefaultOnly;
            let misses = match decl.const_default {
                true => listed.action == decl.default.action,
                false => listed.scope != ActionScope::TableOnly,
            };
            after.push((listed.action, hits, misses, self.seen.take()));
        }
        let united = |wanted: &dyn Fn(Action, bool, bool) -> bool| {
            let mut all = None;
            for (action, hits, misses, seen) in &after {
                if wanted(*action, *hits, *misses) {
                    all = joined(all, seen.clone());
                }
            }
            all
        };
        let mut branches: Vec<(String, &'p [Stmt], Option<Seen<'p>>)> = Vec::new();
        match then {
            AfterApply::Nothing => self.seen = united(&|_, _, _| true),
            AfterApply::Hit { hit, miss } => {
                branches.push((".hit.hit".into(), hit, united(&|_, hits, _| hits)));
                branches.push((".hit.miss".into(), miss, united(&|_, _, misses| misses)));
            }
            AfterApply::Switch { cases, default } => {
                for (i, case) in cases.iter().enumerate() {
                    let seen = united(&|action, _, _| case.actions.contains(&action));
                    branches.push((format!(".switch.cases[{i}].body"), &case.body, seen));
                }
                let named = |a| cases.iter().any(|c| c.actions.contains(&a));
                let seen = united(&|action, _, _| !named(action));
                branches.push((".switch.default".into(), default, seen));
            }
        }
        let mut all = self.seen.take();
        for (step, block, seen) in branches {
            self.seen = seen;
            self.block(&at.step(&format!(".apply.then{step}")), block);
            all = joined(all, self.seen.take());
        }
        self.seen = all;
    }
}
