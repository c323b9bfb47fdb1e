//! What statements change, so that an index written alike may mean another cell.

use super::Walk;
use super::access::Seen;
use crate::entity::{Header, Meta, Stack};
use crate::expr::{Expr, HeaderRef, Place};
use crate::program::Elements;
use crate::stmt::StmtKind;
use std::collections::BTreeMap;

/// Something that an index depends on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    Meta(Meta),
    Header(Header),
}

impl<'p> Walk<'p> {
    /// Notes that these have another value, and with them every index that depends on them.
    pub(super) fn moves(&mut self, written: &[Root]) {
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
    pub(super) fn sets(&mut self, kind: &'p StmtKind) {
        if let (StmtKind::Assign { dst: Place::Meta(meta), src }, Some(seen)) =
            (kind, &mut self.seen)
            && !has(src, &|e| matches!(e, Expr::Lookahead { .. }) || *e == Expr::meta(*meta))
        {
            seen.set.insert(*meta, src);
        }
    }

    pub(super) fn root(&self, place: &Place, roots: &mut Vec<Root>) {
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
    pub(super) fn written(&self, kind: &StmtKind) -> Vec<Root> {
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

/// Forgets the indices, and what metadata was set to, in which there is such an expression.
pub(super) fn forget(seen: &mut Seen<'_>, changed: impl Fn(&Expr) -> bool) {
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
pub(super) fn replaced(expr: &Expr, set: &BTreeMap<Meta, &Expr>, depth: u32) -> Expr {
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
