//! Lengths of varbit fields that a header type computes itself (P4-14).
//!
//! The expression is about fields in front of the varbit, and the length is needed before they are
//! extracted; so they are looked at ahead.

use crate::error::Result;
use crate::expr::lower;
use crate::expr::read::Reader;
use crate::json::Node;
use restage_program::Type;
use restage_program::entity::HeaderType;
use restage_program::expr::Expr;
use restage_program::program::FieldDecl;
use std::collections::HashMap;

/// The expressions, by header type.
pub(crate) type LengthExpressions<'a> = HashMap<HeaderType, Node<'a>>;

/// The length of the varbit field of a header type, in bits.
pub(crate) fn declared_length(
    reader: &mut Reader,
    ty: HeaderType,
    lengths: &LengthExpressions,
    at: &Node,
) -> Result<Expr> {
    let missing = || {
        at.fault(
            "extracts a varbit header without a length",
            "extract_VL, or `length_exp` in the type",
        )
    };
    let node = lengths.get(&ty).ok_or_else(missing)?;
    let decl = reader.objects.program.header_types.get(ty).ok_or_else(missing)?.clone();
    // While the expression is read, the fields are parameters.
    let fixed: Vec<FieldDecl> =
        decl.fields.iter().take_while(|f| f.ty.is_number()).cloned().collect();
    let mut inner = Reader { objects: reader.objects, params: &fixed, before: None };
    let num = inner.num(node)?;
    let mut length = inner.length(node, &num)?;
    let mut skip = 0;
    let ahead: Vec<Expr> = fixed
        .iter()
        .map(|f| {
            let at = skip;
            skip += f.ty.width();
            lower::cast(
                Expr::Lookahead { skip: at, ty: Type::Bit(f.ty.width()) },
                Type::Bit(f.ty.width()),
                f.ty,
            )
        })
        .collect();
    replace_params(&mut length, &ahead);
    Ok(length)
}

fn replace_params(expr: &mut Expr, with: &[Expr]) {
    match expr {
        Expr::Param(index) => {
            if let Some(value) = with.get(*index as usize) {
                *expr = value.clone();
            }
        }
        Expr::Op { args, .. } => args.iter_mut().for_each(|a| replace_params(a, with)),
        _ => {}
    }
}
