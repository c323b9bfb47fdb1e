//! Digests whose fields may change after the call.
//!
//! A digest has the values of the end of ingress; P4 sends those of the call. The two are the same unless
//! a field is written on the way from the call to the end, which is what is looked for here: in the order
//! of the text, so that a write in the other branch of an `if` counts too.

use crate::check::MAX_DEPTH;
use crate::entity::{Action, Digest, Header, Meta, Stack, Table};
use crate::expr::{Expr, HeaderRef, Place};
use crate::program::{Elements, Program};
use crate::standard::{EGRESS_SPEC, MCAST_GRP};
use crate::stmt::{AfterApply, Block, StmtKind};
use std::collections::{BTreeMap, BTreeSet};

/// What a field is read of or written to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cell {
    Meta(Meta),
    Field(Header, u32),
    Valid(Header),
}

/// The digests that P4 may send with other values.
pub(super) fn late_digests(p: &Program) -> BTreeSet<Digest> {
    let mut walk = Walk { p, sent: BTreeMap::new(), late: BTreeSet::new() };
    walk.block(&p.ingress, 0);
    walk.late
}

struct Walk<'p> {
    p: &'p Program,
    /// Digests sent so far and what they read.
    sent: BTreeMap<Digest, BTreeSet<Cell>>,
    late: BTreeSet<Digest>,
}

impl Walk<'_> {
    fn block(&mut self, block: &Block, depth: u32) {
        for stmt in block.iter().filter(|_| depth <= MAX_DEPTH) {
            self.stmt(&stmt.kind, depth);
        }
    }

    fn stmt(&mut self, kind: &StmtKind, depth: u32) {
        match kind {
            StmtKind::Digest(digest) => self.send(*digest),
            StmtKind::Assign { dst, .. }
            | StmtKind::ExecuteMeter { dst, .. }
            | StmtKind::ReadRegister { dst, .. }
            | StmtKind::Hash { dst, .. }
            | StmtKind::Random { dst, .. } => self.place(dst),
            StmtKind::MapLookup { found, values, .. } => {
                self.place(found);
                values.iter().for_each(|v| self.place(v));
            }
            StmtKind::MapPut { stored: Some(stored), .. } => self.place(stored),
            StmtKind::CopyHeader { dst, .. }
            | StmtKind::SetValid(dst)
            | StmtKind::SetInvalid(dst) => self.whole(&self.p.candidates(dst)),
            StmtKind::CopyStack { dst: stack, .. }
            | StmtKind::PushFront { stack, .. }
            | StmtKind::PopFront { stack, .. } => self.whole(&elements(self.p, *stack)),
            StmtKind::MarkToDrop => {
                self.written(|cell| {
                    [Cell::Meta(EGRESS_SPEC), Cell::Meta(MCAST_GRP)].contains(&cell)
                });
            }
            StmtKind::If { then, otherwise, .. } => {
                self.block(then, depth + 1);
                self.block(otherwise, depth + 1);
            }
            StmtKind::Call { action, .. } => self.action(*action, depth),
            StmtKind::Apply { table, then } => self.apply(*table, then, depth),
            _ => {}
        }
    }

    fn apply(&mut self, table: Table, then: &AfterApply, depth: u32) {
        let p = self.p;
        if let Some(decl) = p.tables.get(table) {
            if let Some(meter) = &decl.meter {
                self.place(&meter.dst);
            }
            for action in decl.actions.iter().map(|r| r.action).chain([decl.default.action]) {
                self.action(action, depth);
            }
        }
        match then {
            AfterApply::Nothing => {}
            AfterApply::Hit { hit, miss } => {
                self.block(hit, depth + 1);
                self.block(miss, depth + 1);
            }
            AfterApply::Switch { cases, default } => {
                cases.iter().for_each(|c| self.block(&c.body, depth + 1));
                self.block(default, depth + 1);
            }
        }
    }

    fn action(&mut self, action: Action, depth: u32) {
        let p = self.p;
        // Deeper than any nesting of halves: actions do not call each other.
        if let Some(decl) = p.actions.get(action).filter(|_| depth < MAX_DEPTH) {
            self.block(&decl.body, depth + MAX_DEPTH / 2);
        }
    }

    fn send(&mut self, digest: Digest) {
        let mut cells = BTreeSet::new();
        let fields = self.p.digests.get(digest).map(|d| d.fields.as_slice()).unwrap_or_default();
        for (_, expr) in fields {
            expr.walk(&mut |e| match e {
                Expr::Read(place) => {
                    cells.extend(root(self.p, place));
                }
                Expr::Valid(h) => cells.extend(self.p.candidates(h).into_iter().map(Cell::Valid)),
                _ => {}
            });
        }
        self.sent.insert(digest, cells);
    }

    fn place(&mut self, place: &Place) {
        let cells = root(self.p, place);
        self.written(|cell| cells.contains(&cell));
    }

    /// All of some headers; of their unions too, where only one member is valid.
    fn whole(&mut self, headers: &[Header]) {
        let mut all: BTreeSet<Header> = headers.iter().copied().collect();
        for union in self.p.unions.values() {
            if union.members.iter().any(|m| headers.contains(m)) {
                all.extend(&union.members);
            }
        }
        self.written(|cell| match cell {
            Cell::Meta(_) => false,
            Cell::Field(header, _) | Cell::Valid(header) => all.contains(&header),
        });
    }

    fn written(&mut self, is: impl Fn(Cell) -> bool) {
        for (digest, cells) in &self.sent {
            if cells.iter().any(|cell| is(*cell)) {
                self.late.insert(*digest);
            }
        }
    }
}

/// What a place may be, slices taken as the whole.
fn root(p: &Program, place: &Place) -> Vec<Cell> {
    match super::path::flatten(place).0 {
        Place::Meta(meta) => vec![Cell::Meta(*meta)],
        Place::Field { header, field } => field_cells(p, header, *field),
        Place::Slice { .. } => Vec::new(),
    }
}

fn field_cells(p: &Program, header: &HeaderRef, field: u32) -> Vec<Cell> {
    p.candidates(header).into_iter().map(|h| Cell::Field(h, field)).collect()
}

fn elements(p: &Program, stack: Stack) -> Vec<Header> {
    match p.stacks.get(stack).map(|s| &s.elements) {
        Some(Elements::Headers(headers)) => headers.clone(),
        Some(Elements::Unions(unions)) => {
            unions.iter().filter_map(|u| p.unions.get(*u)).flat_map(|u| u.members.clone()).collect()
        }
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    header! { struct Ethernet { dst: bit<48>, src: bit<48> } }

    fn late(describe: impl FnOnce(&mut Body<'_>, Ethernet, Field, Digest)) -> bool {
        let p = build("digests", |p| {
            let eth: Ethernet = p.header("eth");
            let x = p.meta("x", bit(16));
            let digest = p.digest("d", [("src", eth.src), ("x", x)]);
            p.ingress(|c| describe(c, eth, x, digest));
        });
        !late_digests(&p).is_empty()
    }

    #[test]
    fn only_writes_behind_the_call_count() {
        assert!(!late(|c, eth, x, d| {
            c.set(x, 1);
            c.set_valid(eth);
            c.digest(d);
            c.set(eth.dst, 1);
            c.mark_to_drop();
        }));
        assert!(late(|c, _, x, d| {
            c.digest(d);
            c.if_(x.eq(1), |c| c.set(x, 2));
        }));
        assert!(late(|c, eth, _, d| {
            c.digest(d);
            c.set_invalid(eth);
        }));
        assert!(late(|c, eth, x, d| {
            c.if_(x.eq(1), |c| c.digest(d));
            c.random(eth.src.slice(3, 0), 0, 7);
        }));
    }
}
