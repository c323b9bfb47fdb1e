//! Turns branches that only assign into choices between values.
//!
//! ```text
//! before: if (c) { meta.a = x; } else { meta.b = y; }
//! after:  branch0 = c;  meta.a = branch0 ? x : meta.a;  meta.b = branch0 ? meta.b : y;
//! ```
//!
//! The condition is computed first, since the branch may change what it looks at.

use super::walk::{self, Visit};
use restage_program::entity::{EntityMap, Meta};
use restage_program::expr::{Expr, Place};
use restage_program::op::Op;
use restage_program::program::MetaDecl;
use restage_program::stmt::{Block, Stmt, StmtKind};
use restage_program::{Program, Type};

/// Branches with more assignments stay branches.
const MOST: usize = 16;

/// Flattens small branches, innermost first.
pub fn flatten(mut program: Program) -> Program {
    let types = program.clone();
    let mut flatten = Flatten { types: &types, metas: std::mem::take(&mut program.metas), made: 0 };
    let actions = program.actions.values_mut().map(|a| &mut a.body);
    for block in actions.chain([&mut program.ingress, &mut program.egress]) {
        walk::block(block, &mut flatten);
    }
    program.metas = flatten.metas;
    program
}

struct Flatten<'a> {
    types: &'a Program,
    metas: EntityMap<Meta, MetaDecl>,
    made: u32,
}

impl Flatten<'_> {
    /// What is assigned, if nothing else happens.
    fn assigns<'b>(&self, block: &'b [Stmt]) -> Option<Vec<(&'b Place, &'b Expr)>> {
        let assign = |stmt: &'b Stmt| match &stmt.kind {
            StmtKind::Assign { dst, src } if self.chooses(dst) => Some((dst, src)),
            _ => None,
        };
        block.iter().map(assign).collect()
    }

    /// Whether one of two values can be chosen for a place.
    fn chooses(&self, place: &Place) -> bool {
        match place {
            // Made by this pass.
            Place::Meta(meta) if !self.types.metas.contains(*meta) => true,
            place => !matches!(self.types.type_of_place(place), Ok(Type::Varbit(_)) | Err(_)),
        }
    }

    fn fresh(&mut self) -> Meta {
        let name = loop {
            let name = format!("branch{}", self.made);
            self.made += 1;
            if self.metas.values().all(|m| m.name != name) {
                break name;
            }
        };
        self.metas.push(MetaDecl { name, ty: Type::Bool, loc: Default::default() })
    }
}

impl Visit for Flatten<'_> {
    fn block(&mut self, block: &mut Block) {
        let mut out = Block::with_capacity(block.len());
        for stmt in std::mem::take(block) {
            let branches = match &stmt.kind {
                StmtKind::If { condition, then, otherwise } => {
                    let both = self.assigns(then).zip(self.assigns(otherwise));
                    both.filter(|(a, b)| a.len() + b.len() <= MOST).map(|both| (condition, both))
                }
                _ => None,
            };
            let Some((condition, (then, otherwise))) = branches else {
                out.push(stmt);
                continue;
            };
            let chosen = self.fresh();
            let mut push = |dst: &Place, src: Expr| {
                let kind = StmtKind::Assign { dst: dst.clone(), src };
                out.push(Stmt { kind, loc: stmt.loc.clone() });
            };
            push(&Place::Meta(chosen), condition.clone());
            for (dst, src) in then {
                let old = Expr::Read(dst.clone());
                push(dst, Expr::op(Op::Mux, [Expr::meta(chosen), src.clone(), old]));
            }
            for (dst, src) in otherwise {
                let old = Expr::Read(dst.clone());
                push(dst, Expr::op(Op::Mux, [Expr::meta(chosen), old, src.clone()]));
            }
        }
        *block = out;
    }
}
