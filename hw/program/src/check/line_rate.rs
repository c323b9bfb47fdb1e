//! What hardware cannot do at one packet per clock: rules W.
//!
//! A memory with one read and one write port serves a packet per clock when each packet reads one cell
//! and later writes the same one; both then happen in one place. A second access to the same array by
//! the same packet would need the memory again, while it serves the next packet. So does an access
//! from another half, which is elsewhere on the chip.
//!
//! The walk follows all paths at once: it keeps, for each array, the accesses that may have been the
//! last one. Branches start from the same set and their sets are united; parser loops are repeated
//! until nothing is added. Which entries a table has is not considered: any of its actions may run.
//!
//! Two indices are the same when they are written alike and nothing in them has changed between, or when
//! they are after metadata has been replaced by what it was set to: p4c copies an index into a variable
//! of its own for each use.

use super::cx::{Cx, Spot};
use super::{Rule, Violation};
use crate::entity::{Action, Entity, Header, Map, Meta, Register, Stack, State, Table};
use crate::expr::{Expr, HeaderRef, Place};
use crate::loc::Loc;
use crate::program::{ActionScope, Elements, Program};
use crate::stmt::{AfterApply, Stmt, StmtKind};
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
}

/// The last access to an array.
#[derive(Clone)]
struct Access {
    spot: Rc<Spot>,
    /// The index that was read, as written and with metadata replaced, as long as neither may have another
    /// value by now; a write at the same may follow. Nothing after a write.
    read: [Option<Rc<[Expr]>>; 2],
    write: bool,
}

/// What is known at a point of a path.
#[derive(Clone, Default)]
struct Seen<'p> {
    /// Accesses that may have been the last; arrays that were not accessed are not there.
    last: BTreeMap<Array, Vec<Access>>,
    /// What metadata was set to, as long as that still has the same value.
    set: BTreeMap<Meta, &'p Expr>,
}

/// Something that an index depends on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Root {
    Meta(Meta),
    Header(Header),
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
    told: HashSet<(String, String)>,
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
            StmtKind::Call { action, .. } => self.run(*action),
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
            _ => {}
        }
        let written = self.written(kind);
        self.moves(&written);
        self.sets(kind);
    }

    fn run(&mut self, action: Action) {
        let Some(decl) = self.p.actions.get(action) else { return };
        let at = At {
            path: format!("actions[{}].body", action.index()),
            subject: format!("action `{}`", decl.preamble.name),
            loc: decl.preamble.loc.clone(),
        };
        self.block(&at, &decl.body);
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
            self.run(listed.action);
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

    fn access(&mut self, at: At, array: Array, index: &'p [Expr], write: bool) {
        let name = match array {
            Array::Register(r) => {
                let decl = self.p.registers.get(r);
                format!("register `{}`", decl.map_or("?", |d| d.preamble.name.as_str()))
            }
            Array::Map(m) => {
                let decl = self.p.maps.get(m);
                format!("map `{}`", decl.map_or("?", |d| d.preamble.name.as_str()))
            }
        };
        let spot = Rc::new(Spot { path: at.path, subject: at.subject, loc: at.loc });
        let (part, owner) =
            self.owners.entry(array).or_insert_with(|| (self.part, spot.clone())).clone();
        if part != self.part
            && self.told.insert((owner.path.clone(), format!("{part}{}", spot.path)))
        {
            self.cx.fault_at(
                (*spot).clone(),
                Rule::W02,
                format!("{name} is accessed in {} and in {part}", self.part),
                "one of them only",
                vec![owner.related(format!("accessed in {part} here"))],
            );
        }
        let Some(seen) = &mut self.seen else { return };
        let read: [Rc<[Expr]>; 2] =
            [index.into(), index.iter().map(|e| replaced(e, &seen.set, 0)).collect()];
        let last = seen.last.entry(array).or_default();
        for before in last.iter() {
            let same = before.read.iter().flatten().any(|b| read.contains(b));
            let found = match (before.write, write) {
                (false, true) if same => continue,
                (false, true) => "is written at another index than it was read",
                (false, false) => "is read again",
                (true, true) => "is written again",
                (true, false) => "is read after it was written",
            };
            if self.told.insert((before.spot.path.clone(), spot.path.clone())) {
                self.cx.fault_at(
                    (*spot).clone(),
                    Rule::W01,
                    format!("{name} {found} by one packet"),
                    "one access, or a read and then a write at the same index",
                    vec![before.spot.related("accessed here before")],
                );
            }
        }
        *last = vec![Access { spot, read: read.map(Some), write }];
    }

    fn join(&mut self, other: Option<Seen<'p>>) {
        self.seen = joined(self.seen.take(), other);
    }

    /// Notes that these have another value, and with them every index that depends on them.
    fn moves(&mut self, written: &[Root]) {
        if written.is_empty() {
            return;
        }
        let Some(mut seen) = self.seen.take() else { return };
        seen.set.retain(|meta, _| !written.contains(&Root::Meta(*meta)));
        forget(&mut seen, |e| {
            let mut roots = Vec::new();
            match e {
                Expr::Read(place) => self.root(place, &mut roots),
                Expr::Valid(header) => self.header(header, &mut roots),
                Expr::LastIndex(stack) => self.stack(*stack, &mut roots),
                _ => {}
            }
            roots.iter().any(|r| written.contains(r))
        });
        self.seen = Some(seen);
    }

    /// Notes what metadata is set to.
    fn sets(&mut self, kind: &'p StmtKind) {
        if let (StmtKind::Assign { dst: Place::Meta(meta), src }, Some(seen)) =
            (kind, &mut self.seen)
            && !has(src, &|e| matches!(e, Expr::Lookahead { .. }) || *e == Expr::meta(*meta))
        {
            seen.set.insert(*meta, src);
        }
    }

    fn root(&self, place: &Place, roots: &mut Vec<Root>) {
        match place {
            Place::Meta(meta) => roots.push(Root::Meta(*meta)),
            Place::Field { header, .. } => self.header(header, roots),
            Place::Slice { of, .. } => self.root(of, roots),
        }
    }

    /// The headers that a reference may stand for.
    fn header(&self, header: &HeaderRef, roots: &mut Vec<Root>) {
        roots.extend(self.p.candidates(header).into_iter().map(Root::Header));
    }

    fn stack(&self, stack: Stack, roots: &mut Vec<Root>) {
        match self.p.stacks.get(stack).map(|s| &s.elements) {
            Some(Elements::Headers(list)) => roots.extend(list.iter().copied().map(Root::Header)),
            Some(Elements::Unions(list)) => {
                let members = list.iter().filter_map(|u| self.p.unions.get(*u));
                roots.extend(members.flat_map(|u| &u.members).copied().map(Root::Header));
            }
            None => {}
        }
    }

    /// What a statement without blocks writes.
    fn written(&self, kind: &StmtKind) -> Vec<Root> {
        let mut roots = Vec::new();
        match kind {
            StmtKind::Assign { dst, .. }
            | StmtKind::ReadRegister { dst, .. }
            | StmtKind::ExecuteMeter { dst, .. }
            | StmtKind::Hash { dst, .. }
            | StmtKind::Random { dst, .. } => self.root(dst, &mut roots),
            StmtKind::MapLookup { found, values, .. } => {
                self.root(found, &mut roots);
                values.iter().for_each(|v| self.root(v, &mut roots));
            }
            StmtKind::MapPut { stored: Some(stored), .. } => self.root(stored, &mut roots),
            StmtKind::CopyHeader { dst: header, .. }
            | StmtKind::SetValid(header)
            | StmtKind::SetInvalid(header)
            | StmtKind::Extract(header)
            | StmtKind::ExtractVar { header, .. } => self.header(header, &mut roots),
            StmtKind::CopyStack { dst: stack, .. }
            | StmtKind::PushFront { stack, .. }
            | StmtKind::PopFront { stack, .. } => self.stack(*stack, &mut roots),
            StmtKind::MarkToDrop => {
                roots.push(Root::Meta(crate::standard::EGRESS_SPEC));
                roots.push(Root::Meta(crate::standard::MCAST_GRP));
            }
            _ => {}
        }
        roots
    }
}

fn joined<'p>(a: Option<Seen<'p>>, b: Option<Seen<'p>>) -> Option<Seen<'p>> {
    match (a, b) {
        (Some(mut a), Some(b)) => {
            unite(&mut a, b);
            Some(a)
        }
        (a, b) => a.or(b),
    }
}

/// Adds what another path knows; whether that changed anything.
fn unite<'p>(all: &mut Seen<'p>, more: Seen<'p>) -> bool {
    let mut new = false;
    for (array, accesses) in more.last {
        let known = all.last.entry(array).or_default();
        for access in accesses {
            match known.iter_mut().find(|k| k.spot.path == access.spot.path) {
                Some(known) => {
                    for (known, other) in known.read.iter_mut().zip(&access.read) {
                        if known.is_some() && known != other {
                            *known = None;
                            new = true;
                        }
                    }
                }
                None => {
                    known.push(access);
                    new = true;
                }
            }
        }
    }
    let before = all.set.len();
    all.set.retain(|meta, src| more.set.get(meta) == Some(src));
    new || all.set.len() != before
}

/// Forgets the indices, and what metadata was set to, in which there is such an expression.
fn forget(seen: &mut Seen<'_>, changed: impl Fn(&Expr) -> bool) {
    for read in seen.last.values_mut().flatten().flat_map(|a| &mut a.read) {
        if read.as_ref().is_some_and(|index| index.iter().any(|e| has(e, &changed))) {
            *read = None;
        }
    }
    seen.set.retain(|_, src| !has(src, &changed));
}

fn has(expr: &Expr, wanted: &dyn Fn(&Expr) -> bool) -> bool {
    let mut found = false;
    expr.walk(&mut |e| found |= wanted(e));
    found
}

/// The expression with metadata replaced by what it was set to, a few times over: temporaries of
/// temporaries are not deep, and the text must not explode.
fn replaced(expr: &Expr, set: &BTreeMap<Meta, &Expr>, depth: u32) -> Expr {
    match expr {
        Expr::Read(Place::Meta(meta)) if depth < 4 => match set.get(meta) {
            Some(src) => replaced(src, set, depth + 1),
            None => expr.clone(),
        },
        Expr::Op { op, args } => {
            Expr::Op { op: *op, args: args.iter().map(|a| replaced(a, set, depth)).collect() }
        }
        _ => expr.clone(),
    }
}
