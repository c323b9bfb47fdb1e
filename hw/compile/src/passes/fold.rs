//! Computes what is constant.
//!
//! ```text
//! before: meta.a = 2 + 3;  if (true && hdr.ip.isValid()) { ... }  if (1 == 2) { drop(); } else { pass(); }
//! after:  meta.a = 5;      if (hdr.ip.isValid()) { ... }          pass();
//! ```

use super::walk::{self, Visit};
use restage_program::expr::Expr;
use restage_program::op::Op;
use restage_program::stmt::{Block, StmtKind};
use restage_program::types::MAX_WIDTH;
use restage_program::{Bits, Program, Type};

/// Folds constants, and what follows from them.
pub fn fold(mut program: Program) -> Program {
    walk::program(&mut program, &mut Fold);
    program
}

struct Fold;

impl Visit for Fold {
    fn expr(&mut self, expr: &mut Expr) {
        if let Expr::Op { op, args } = expr
            && let Some(simpler) = computed(*op, args).or_else(|| simpler(*op, args))
        {
            *expr = simpler;
        }
    }

    fn block(&mut self, block: &mut Block) {
        let mut kept = Block::with_capacity(block.len());
        for stmt in std::mem::take(block) {
            match stmt.kind {
                StmtKind::If { condition, then, otherwise } => match truth(&condition) {
                    Some(true) if !walk::draws(&otherwise) => kept.extend(then),
                    Some(false) if !walk::draws(&then) => kept.extend(otherwise),
                    _ => {
                        let kind = StmtKind::If { condition, then, otherwise };
                        kept.push(restage_program::stmt::Stmt { kind, loc: stmt.loc });
                    }
                },
                StmtKind::Verify { ref condition, .. } if truth(condition) == Some(true) => {}
                _ => kept.push(stmt),
            }
        }
        *block = kept;
    }
}

fn known(expr: &Expr) -> Option<(Type, &Bits)> {
    match expr {
        Expr::Const { ty, value } if ty.width() <= MAX_WIDTH => Some((*ty, value)),
        _ => None,
    }
}

fn truth(expr: &Expr) -> Option<bool> {
    known(expr).filter(|(ty, _)| *ty == Type::Bool).map(|(_, value)| !value.is_zero())
}

/// The value, when all operands are constants.
fn computed(op: Op, args: &[Expr]) -> Option<Expr> {
    let args: Vec<(Type, &Bits)> = args.iter().map(known).collect::<Option<_>>()?;
    let types: Vec<Type> = args.iter().map(|(ty, _)| *ty).collect();
    let ty = op.result_type(&types).ok()?;
    Some(Expr::Const { ty, value: restage_program::eval::eval(op, &args)? })
}

/// What is left when one operand decides. Operands that may end parsing stay: they are looked at first.
fn simpler(op: Op, args: &[Expr]) -> Option<Expr> {
    match (op, args) {
        (Op::Mux, [condition, then, otherwise]) => {
            let (chosen, other) = match truth(condition)? {
                true => (then, otherwise),
                false => (otherwise, then),
            };
            (!walk::fails(other)).then(|| chosen.clone())
        }
        (Op::And | Op::Or, [a, b]) => {
            let (known, other) = truth(a).map(|t| (t, b)).or(truth(b).map(|t| (t, a)))?;
            if known == (op == Op::And) {
                Some(other.clone())
            } else {
                (!walk::fails(other)).then(|| Expr::bool(known))
            }
        }
        _ => None,
    }
}
