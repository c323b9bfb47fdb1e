//! Visiting all of a program to change it.

use restage_program::Program;
use restage_program::expr::{ElementIndex, Expr, HeaderRef, Place};
use restage_program::program::{Checksum, Item, Transition};
use restage_program::stmt::{AfterApply, Block, Stmt, StmtKind};

/// What is told of a program's parts, innermost first. Methods that are not given change nothing.
pub trait Visit {
    /// An expression.
    fn expr(&mut self, _: &mut Expr) {}
    /// A place, read or written.
    fn place(&mut self, _: &mut Place) {}
    /// The statements of a state, an action, a half or a branch.
    fn block(&mut self, _: &mut Block) {}
}

/// Visits everything.
pub fn program(program: &mut Program, visit: &mut dyn Visit) {
    for state in program.states.values_mut() {
        block(&mut state.body, visit);
        if let Transition::Select { keys, .. } = &mut state.next {
            keys.iter_mut().for_each(|k| expr(k, visit));
        }
    }
    for action in program.actions.values_mut() {
        block(&mut action.body, visit);
    }
    for table in program.tables.values_mut() {
        table.keys.iter_mut().for_each(|k| expr(&mut k.value, visit));
        if let Some(meter) = &mut table.meter {
            place(&mut meter.dst, visit);
        }
    }
    for profile in program.profiles.values_mut() {
        if let Some(selector) = &mut profile.selector {
            items(&mut selector.items, visit);
        }
    }
    for digest in program.digests.values_mut() {
        digest.fields.iter_mut().for_each(|(_, e)| expr(e, visit));
    }
    block(&mut program.ingress, visit);
    block(&mut program.egress, visit);
    let sums = program.verify.iter_mut().chain(&mut program.update);
    for Checksum { condition, items: list, field, .. } in sums {
        expr(condition, visit);
        items(list, visit);
        place(field, visit);
    }
}

/// Visits a block and all in it.
pub fn block(block: &mut Block, visit: &mut dyn Visit) {
    block.iter_mut().for_each(|s| stmt(s, visit));
    visit.block(block);
}

/// Visits an expression and all in it.
pub fn expr(e: &mut Expr, visit: &mut dyn Visit) {
    match e {
        Expr::Read(p) => place(p, visit),
        Expr::Valid(h) => header(h, visit),
        Expr::Op { args, .. } => args.iter_mut().for_each(|a| expr(a, visit)),
        Expr::Const { .. } | Expr::Param(_) | Expr::LastIndex(_) | Expr::Lookahead { .. } => {}
    }
    visit.expr(e);
}

fn place(p: &mut Place, visit: &mut dyn Visit) {
    match p {
        Place::Meta(_) => {}
        Place::Field { header: h, .. } => header(h, visit),
        Place::Slice { of, .. } => place(of, visit),
    }
    visit.place(p);
}

fn header(h: &mut HeaderRef, visit: &mut dyn Visit) {
    if let HeaderRef::Element { at: ElementIndex::Expr(index), .. } = h {
        expr(index, visit);
    }
}

fn items(list: &mut [Item], visit: &mut dyn Visit) {
    for item in list {
        match item {
            Item::Value(e) => expr(e, visit),
            Item::IfValid { header: h, .. } | Item::Header(h) => header(h, visit),
        }
    }
}

fn stmt(stmt: &mut Stmt, visit: &mut dyn Visit) {
    match &mut stmt.kind {
        StmtKind::Assign { dst, src } => {
            expr(src, visit);
            place(dst, visit);
        }
        StmtKind::CopyHeader { dst, src } => {
            header(src, visit);
            header(dst, visit);
        }
        StmtKind::SetValid(h) | StmtKind::SetInvalid(h) | StmtKind::Extract(h) => header(h, visit),
        StmtKind::ExtractVar { header: h, bits } => {
            expr(bits, visit);
            header(h, visit);
        }
        StmtKind::Advance(e)
        | StmtKind::Verify { condition: e, .. }
        | StmtKind::Count { index: e, .. }
        | StmtKind::CloneIngress { session: e, .. }
        | StmtKind::CloneEgress { session: e, .. }
        | StmtKind::Truncate { bytes: e } => expr(e, visit),
        StmtKind::If { condition, then, otherwise } => {
            expr(condition, visit);
            block(then, visit);
            block(otherwise, visit);
        }
        StmtKind::Apply { then, .. } => match then {
            AfterApply::Nothing => {}
            AfterApply::Hit { hit, miss } => {
                block(hit, visit);
                block(miss, visit);
            }
            AfterApply::Switch { cases, default } => {
                cases.iter_mut().for_each(|c| block(&mut c.body, visit));
                block(default, visit);
            }
        },
        StmtKind::Call { args, .. } => args.iter_mut().for_each(|a| expr(a, visit)),
        StmtKind::ExecuteMeter { index, dst, .. } | StmtKind::ReadRegister { index, dst, .. } => {
            expr(index, visit);
            place(dst, visit);
        }
        StmtKind::WriteRegister { index, value, .. } => {
            expr(index, visit);
            expr(value, visit);
        }
        StmtKind::MapLookup { key, found, values, .. } => {
            key.iter_mut().for_each(|k| expr(k, visit));
            place(found, visit);
            values.iter_mut().for_each(|v| place(v, visit));
        }
        StmtKind::MapPut { key, values, stored, .. } => {
            key.iter_mut().chain(values).for_each(|e| expr(e, visit));
            stored.iter_mut().for_each(|p| place(p, visit));
        }
        StmtKind::MapRemove { key, .. } => key.iter_mut().for_each(|k| expr(k, visit)),
        StmtKind::Hash { dst, base, items: list, max, .. } => {
            expr(base, visit);
            items(list, visit);
            expr(max, visit);
            place(dst, visit);
        }
        StmtKind::Random { dst, low, high } => {
            expr(low, visit);
            expr(high, visit);
            place(dst, visit);
        }
        StmtKind::CopyStack { .. }
        | StmtKind::PushFront { .. }
        | StmtKind::PopFront { .. }
        | StmtKind::Exit
        | StmtKind::MarkToDrop
        | StmtKind::Digest(_)
        | StmtKind::Resubmit { .. }
        | StmtKind::Recirculate { .. } => {}
    }
}

/// Whether there is a `random` in a block: such a block stays where it is.
pub fn draws(block: &[Stmt]) -> bool {
    let mut found = false;
    crate::lower::walk(block, &mut |stmt| found |= matches!(stmt, StmtKind::Random { .. }));
    found
}

/// Whether an expression can end parsing: what looks ahead, or into a stack that may be empty or full.
pub fn fails(e: &Expr) -> bool {
    let risky = |h: &HeaderRef| {
        matches!(h, HeaderRef::Element { at: ElementIndex::Next | ElementIndex::Last, .. })
    };
    fn of(p: &Place) -> Option<&HeaderRef> {
        match p {
            Place::Meta(_) => None,
            Place::Field { header, .. } => Some(header),
            Place::Slice { of: inner, .. } => of(inner),
        }
    }
    let mut found = false;
    e.walk(&mut |e| {
        found |= match e {
            Expr::Lookahead { .. } => true,
            Expr::Read(p) => of(p).is_some_and(risky),
            Expr::Valid(h) => risky(h),
            _ => false,
        };
    });
    found
}
