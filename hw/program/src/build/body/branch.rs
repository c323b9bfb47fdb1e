//! What follows an `if` and an applied table.

use super::{Body, here};
use crate::build::value::Operand;
use crate::entity::Action;
use crate::stmt::{AfterApply, Block, Stmt, StmtKind, SwitchCase};
use crate::types::Type;

/// The other side of an `if`.
#[derive(Debug)]
pub struct Else<'c, 'b> {
    pub(super) body: &'c mut Body<'b>,
    /// How many `else if` deep the next branch goes.
    pub(super) depth: usize,
}

impl<'c, 'b> Else<'c, 'b> {
    /// `else { ... }`
    pub fn else_(self, otherwise: impl FnOnce(&mut Body<'b>)) {
        let block = self.body.block(otherwise);
        self.put(block);
    }

    /// `else if (condition) { ... }`
    #[track_caller]
    pub fn else_if(
        self,
        condition: impl Into<Operand>,
        then: impl FnOnce(&mut Body<'b>),
    ) -> Else<'c, 'b> {
        let mut stmt = here(StmtKind::Exit);
        let then = self.body.block(then);
        let condition = condition.into().fit(Type::Bool);
        stmt.kind = StmtKind::If { condition, then, otherwise: Vec::new() };
        let depth = self.depth + 1;
        Else { body: self.put(vec![stmt]), depth }
    }

    /// Puts a block into the innermost `else` of the last statement.
    fn put(self, block: Block) -> &'c mut Body<'b> {
        let mut at = &mut self.body.stmts;
        for level in 0..=self.depth {
            let Some(Stmt { kind: StmtKind::If { otherwise, .. }, .. }) = at.last_mut() else {
                break;
            };
            if level == self.depth {
                *otherwise = block;
                break;
            }
            at = otherwise;
        }
        self.body
    }
}

/// What follows the application of a table.
#[derive(Debug)]
pub struct Applied<'c, 'b> {
    pub(super) body: &'c mut Body<'b>,
}

impl<'b> Applied<'_, 'b> {
    fn then(&mut self) -> Option<&mut AfterApply> {
        match self.body.stmts.last_mut() {
            Some(Stmt { kind: StmtKind::Apply { then, .. }, .. }) => Some(then),
            _ => None,
        }
    }

    fn put(
        mut self,
        describe: impl FnOnce(&mut Body<'b>),
        put: impl FnOnce(&mut AfterApply, Block),
    ) -> Self {
        let block = self.body.block(describe);
        if let Some(then) = self.then() {
            put(then, block);
        }
        self
    }

    /// When an entry matched.
    pub fn hit(self, describe: impl FnOnce(&mut Body<'b>)) -> Self {
        self.put(describe, |then, block| match then {
            AfterApply::Hit { hit, .. } => *hit = block,
            other => *other = AfterApply::Hit { hit: block, miss: Vec::new() },
        })
    }

    /// When none did.
    pub fn miss(self, describe: impl FnOnce(&mut Body<'b>)) -> Self {
        self.put(describe, |then, block| match then {
            AfterApply::Hit { miss, .. } => *miss = block,
            other => *other = AfterApply::Hit { hit: Vec::new(), miss: block },
        })
    }

    /// When this action ran.
    pub fn on(self, action: Action, describe: impl FnOnce(&mut Body<'b>)) -> Self {
        self.put(describe, |then, body| {
            let case = SwitchCase { actions: vec![action], body };
            match then {
                AfterApply::Switch { cases, .. } => cases.push(case),
                other => *other = AfterApply::Switch { cases: vec![case], default: Vec::new() },
            }
        })
    }

    /// When none of the actions named before ran.
    pub fn otherwise(self, describe: impl FnOnce(&mut Body<'b>)) -> Self {
        self.put(describe, |then, block| match then {
            AfterApply::Switch { default, .. } => *default = block,
            other => *other = AfterApply::Switch { cases: Vec::new(), default: block },
        })
    }
}
