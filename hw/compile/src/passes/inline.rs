//! Replaces direct calls of actions by their bodies.
//!
//! ```text
//! before: set_port(meta.x + 1);             where action set_port(p) { s.egress_spec = p; }
//! after:  call0.p = meta.x + 1;  s.egress_spec = call0.p;
//! ```
//!
//! Arguments are computed before the body, so those that are no constants get metadata of their own. The action
//! itself stays for tables. Actions that draw random numbers are left alone.

use super::walk::{self, Visit};
use restage_program::Program;
use restage_program::entity::{Action, EntityMap, Meta};
use restage_program::expr::{Expr, Place};
use restage_program::program::{ActionDecl, MetaDecl};
use restage_program::stmt::{Block, Stmt, StmtKind};

/// Inlines direct calls.
pub fn inline(mut program: Program) -> Program {
    let mut inline = Inline {
        actions: program.actions.clone(),
        metas: std::mem::take(&mut program.metas),
        calls: 0,
    };
    for half in [&mut program.ingress, &mut program.egress] {
        walk::block(half, &mut inline);
    }
    program.metas = inline.metas;
    program
}

struct Inline {
    actions: EntityMap<Action, ActionDecl>,
    metas: EntityMap<Meta, MetaDecl>,
    calls: u32,
}

impl Inline {
    fn body(&mut self, action: Action, args: &[Expr], call: &Stmt) -> Option<Block> {
        let decl = self.actions.get(action)?.clone();
        if walk::draws(&decl.body) {
            return None;
        }
        let mut body = Block::new();
        let mut values = Vec::new();
        for (param, arg) in decl.params.iter().zip(args) {
            values.push(if let Expr::Const { .. } = arg {
                arg.clone()
            } else {
                let name = self.fresh(&param.name);
                let meta = self.metas.push(MetaDecl { name, ty: param.ty, loc: call.loc.clone() });
                let (dst, src) = (Place::Meta(meta), arg.clone());
                body.push(Stmt { kind: StmtKind::Assign { dst, src }, loc: call.loc.clone() });
                Expr::meta(meta)
            });
        }
        self.calls += 1;
        let mut inlined = decl.body;
        walk::block(&mut inlined, &mut Params(values));
        body.extend(inlined);
        Some(body)
    }

    fn fresh(&self, param: &str) -> String {
        let mut number = self.calls;
        loop {
            let name = format!("call{number}.{param}");
            if self.metas.values().all(|m| m.name != name) {
                return name;
            }
            number += 1;
        }
    }
}

impl Visit for Inline {
    fn block(&mut self, block: &mut Block) {
        let mut out = Block::with_capacity(block.len());
        for stmt in std::mem::take(block) {
            let body = match &stmt.kind {
                StmtKind::Call { action, args } => self.body(*action, args, &stmt),
                _ => None,
            };
            match body {
                Some(body) => out.extend(body),
                None => out.push(stmt),
            }
        }
        *block = out;
    }
}

struct Params(Vec<Expr>);

impl Visit for Params {
    fn expr(&mut self, expr: &mut Expr) {
        if let Expr::Param(index) = expr
            && let Some(value) = self.0.get(*index as usize)
        {
            *expr = value.clone();
        }
    }
}
