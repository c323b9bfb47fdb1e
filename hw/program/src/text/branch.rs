//! Statements that choose: `if`, tables and what follows them.

use super::expr::{Piece, bind};
use super::gaps::Gap;
use super::layout::Layout;
use super::names::is_no_action;
use super::stmt::Body;
use crate::check::MAX_DEPTH;
use crate::entity::Table;
use crate::stmt::{AfterApply, Block, Stmt, StmtKind};
use crate::types::Type;

/// How a condition is introduced.
#[derive(Clone, Copy)]
pub(super) enum Head {
    If,
    ElseIf,
}

impl Body<'_> {
    /// `if (condition) { then } else if ... else { otherwise`, still open.
    pub(super) fn branch(
        &self,
        head: Head,
        condition: &Piece,
        then: &Block,
        otherwise: &Block,
        out: &mut Layout,
    ) {
        let (condition, then, otherwise) = match then.is_empty() && !otherwise.is_empty() {
            true => (format!("!{}", condition.at_least(bind::WHOLE)), otherwise, then),
            false => (condition.text.clone(), then, otherwise),
        };
        match head {
            Head::If => out.open(format!("if ({condition})")),
            Head::ElseIf => out.reopen(format!("else if ({condition})")),
        }
        self.block(then, out);
        self.otherwise(otherwise, out);
    }

    fn otherwise(&self, otherwise: &Block, out: &mut Layout) {
        if self.depth.get() > MAX_DEPTH {
            return out.line("...");
        }
        self.depth.set(self.depth.get() + 1);
        self.chain(otherwise, out);
        self.depth.set(self.depth.get() - 1);
    }

    fn chain(&self, otherwise: &Block, out: &mut Layout) {
        match otherwise.as_slice() {
            [] => {}
            [Stmt { kind: StmtKind::If { condition, then, otherwise }, .. }] => {
                self.branch(Head::ElseIf, &self.exprs.piece(condition), then, otherwise, out);
            }
            [
                Stmt {
                    kind: StmtKind::Apply { table, then: AfterApply::Hit { hit, miss } }, ..
                },
            ] if !hit.is_empty() || !miss.is_empty() => {
                self.hit(Head::ElseIf, *table, hit, miss, out);
            }
            _ => {
                out.reopen("else");
                self.block(otherwise, out);
            }
        }
    }

    pub(super) fn hit(
        &self,
        head: Head,
        table: Table,
        hit: &Block,
        miss: &Block,
        out: &mut Layout,
    ) {
        let name = self.object(table.into());
        let result = |word: &str| Piece::whole(format!("{name}.apply().{word}"), Some(Type::Bool));
        let default = self.profile_default(table);
        let Some(default) = default else {
            return match hit.is_empty() {
                true => self.branch(head, &result("miss"), miss, hit, out),
                false => self.branch(head, &result("hit"), hit, miss, out),
            };
        };
        let word = if hit.is_empty() { "miss" } else { "hit" };
        self.branch(head, &result(word), hit, &Vec::new(), out);
        if !hit.is_empty() {
            out.reopen("else");
        }
        out.line(default);
        self.block(miss, out);
    }

    /// The call of the default action of a table with a profile, where p4c has no default actions.
    fn profile_default(&self, table: Table) -> Option<String> {
        let decl = self.file.program.tables.get(table).filter(|d| d.profile.is_some())?;
        let nothing = is_no_action(self.file.program, decl.default.action);
        (!nothing).then(|| format!("{};", super::table::call(self.file, self.part, &decl.default)))
    }

    pub(super) fn apply(&self, table: Table, then: &AfterApply, out: &mut Layout) {
        let name = self.object(table.into());
        match then {
            AfterApply::Hit { hit, miss } if !hit.is_empty() || !miss.is_empty() => {
                self.hit(Head::If, table, hit, miss, out);
                out.close();
            }
            AfterApply::Switch { cases, default } => {
                if self.profile_default(table).is_some() {
                    self.file.gap(Gap::PROFILE_SWITCH);
                }
                out.open(format!("switch ({name}.apply().action_run)"));
                for case in cases {
                    let labels: Vec<String> =
                        case.actions.iter().map(|a| format!("{}:", self.action(*a))).collect();
                    if let Some((last, before)) = labels.split_last() {
                        before.iter().for_each(|l| out.line(l));
                        out.open(last);
                        self.block(&case.body, out);
                        out.close();
                    }
                }
                if !default.is_empty() {
                    out.open("default:");
                    self.block(default, out);
                    out.close();
                }
                out.close();
            }
            _ if self.profile_default(table).is_some() => {
                self.hit(Head::If, table, &Vec::new(), &Vec::new(), out);
                out.close();
            }
            _ => out.line(format!("{name}.apply();")),
        }
    }
}
