//! Paths through the two halves: which tables are applied on them, and which actions they run.

use super::cx::{Cx, Half, Spot};
use super::headers::Holds;
use super::stmt::Context;
use super::{MAX_DEPTH, Rule};
use crate::entity::{Action, Table};
use crate::program::TableDecl;
use crate::stmt::{AfterApply, Stmt, StmtKind, SwitchCase};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Tables that may have been applied, and where.
pub(super) type Applied = BTreeMap<Table, Rc<Spot>>;

impl<'p> Cx<'p> {
    /// Checks actions and halves, and that no action does what the half that runs it cannot.
    pub fn halves(&mut self) {
        let p = self.p;
        self.each(".actions", p.actions.iter(), |cx, _, (action, decl)| {
            cx.object("action", &decl.preamble, |cx| {
                cx.field_types(".params", &decl.params, Holds::Values);
                cx.at(".body", |cx| cx.block(&decl.body, Context::Action(action, decl)));
            });
        });
        for (half, block) in [(Half::Ingress, &p.ingress), (Half::Egress, &p.egress)] {
            self.applied = Some(Applied::new());
            self.about(half.name(), |cx| {
                cx.at(format_args!(".{}", half.name()), |cx| cx.block(block, Context::Half(half)));
            });
        }
        for (action, half, spot) in std::mem::take(&mut self.half_only) {
            let other = match half {
                Half::Ingress => Half::Egress,
                Half::Egress => Half::Ingress,
            };
            if let Some(from) = self.action_halves.get(&(action, other)) {
                let related = vec![from.related(format!("run from {} here", other.name()))];
                self.fault_at(
                    spot,
                    Rule::S11,
                    format!("it stands in an action that {} runs", other.name()),
                    format!("in {} only: give {} an action of its own", half.name(), other.name()),
                    related,
                );
            }
        }
    }

    /// Notes what a statement without blocks does to the paths through a half.
    pub fn flow(&mut self, kind: &'p StmtKind, context: Context<'p>) {
        let Context::Half(half) = context else { return };
        match kind {
            StmtKind::Exit => self.applied = None,
            StmtKind::Call { action, .. } => {
                self.runs(*action, half);
                if self.p.actions.get(*action).is_some_and(|a| exits(&a.body, 0)) {
                    self.applied = None;
                }
            }
            _ => {}
        }
    }

    fn runs(&mut self, action: Action, half: Half) {
        if !self.action_halves.contains_key(&(action, half)) {
            let spot = self.spot();
            self.action_halves.insert((action, half), spot);
        }
    }

    /// Checks blocks of which one is executed.
    pub fn branches<const N: usize>(
        &mut self,
        context: Context<'p>,
        blocks: [(&str, &'p [Stmt]); N],
    ) {
        self.each_branch(context, blocks.map(|(step, block)| (step.to_owned(), block)));
    }

    fn each_branch(
        &mut self,
        context: Context<'p>,
        blocks: impl IntoIterator<Item = (String, &'p [Stmt])>,
    ) {
        let before = self.applied.take();
        let mut after: Option<Applied> = None;
        for (step, block) in blocks {
            self.applied = before.clone();
            self.at(step, |cx| cx.block(block, context));
            match (&mut after, self.applied.take()) {
                (Some(all), Some(this)) => all.extend(this),
                (None, this) => after = this,
                (Some(_), None) => {}
            }
        }
        self.applied = after;
    }

    /// Checks the application of a table and what follows it.
    pub fn apply(&mut self, table: Table, then: &'p AfterApply, context: Context<'p>) {
        let there =
            self.at(".table", |cx| cx.about("apply", |cx| cx.exists(table, cx.p.tables.len())));
        let decl = self.p.tables.get(table);
        if there && let (Some(decl), Context::Half(half)) = (decl, context) {
            self.once(table, &decl.preamble.name, half);
            for action in decl.actions.iter().map(|a| a.action).chain([decl.default.action]) {
                self.about(format!("table `{}`", decl.preamble.name), |cx| cx.runs(action, half));
            }
        }
        match then {
            AfterApply::Nothing => {}
            AfterApply::Hit { hit, miss } => self.at(".then.hit", |cx| {
                cx.branches(context, [(".hit", hit), (".miss", miss)]);
            }),
            AfterApply::Switch { cases, default } => self.at(".then.switch", |cx| {
                if let Some(decl) = decl {
                    cx.about("switch", |cx| cx.cases(cases, decl));
                }
                let blocks = cases.iter().enumerate();
                let blocks = blocks.map(|(i, c)| (format!(".cases[{i}].body"), c.body.as_slice()));
                cx.each_branch(
                    context,
                    blocks.chain([(".default".to_owned(), default.as_slice())]),
                );
            }),
        }
    }

    /// A table is applied in one half, and there once on every path.
    fn once(&mut self, table: Table, name: &str, half: Half) {
        let spot = Rc::new(self.spot());
        match self.table_half.get(&table) {
            Some((first, at)) if *first != half => {
                let found =
                    format!("table `{name}` is applied in {} and {}", first.name(), half.name());
                let related = vec![at.related("applied here first")];
                self.fault_with(Rule::S09, found, "one table for each half", related);
            }
            Some(_) => {}
            None => {
                self.table_half.insert(table, (half, (*spot).clone()));
            }
        }
        if let Some(first) = self.applied.as_ref().and_then(|a| a.get(&table)).cloned() {
            self.fault_with(
                Rule::S10,
                format!("table `{name}` is applied a second time on a path"),
                "one application of a table per packet, or several in branches that exclude each other",
                vec![first.related("applied here before")],
            );
        } else if let Some(applied) = &mut self.applied {
            applied.insert(table, spot);
        }
    }

    fn cases(&mut self, cases: &'p [SwitchCase], table: &'p TableDecl) {
        let mut seen = Vec::new();
        self.each(".cases", cases, |cx, _, case| {
            cx.each(".actions", &case.actions, |cx, _, action| {
                if !cx.exists(*action, cx.p.actions.len()) {
                    return;
                }
                let name = cx.action_name(*action);
                if !table.actions.iter().any(|a| a.action == *action) {
                    let found =
                        format!("action `{name}` is none of table `{}`", table.preamble.name);
                    cx.fault(Rule::S07, found, cx.listed(table));
                } else if seen.contains(action) {
                    let found = format!("action `{name}` has a case already");
                    cx.fault(Rule::S07, found, "one case for an action");
                } else {
                    seen.push(*action);
                }
            });
        });
    }
}

/// Whether a block always ends the half.
fn exits(block: &[Stmt], depth: u32) -> bool {
    block.iter().any(|stmt| match &stmt.kind {
        StmtKind::Exit => true,
        StmtKind::If { then, otherwise, .. } => {
            depth < MAX_DEPTH && exits(then, depth + 1) && exits(otherwise, depth + 1)
        }
        _ => false,
    })
}
