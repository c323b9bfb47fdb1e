//! What a value is, given its operands: `restage_program::eval` for operations, and the little that flows
//! have beside.

use super::Def;
use restage_program::op::Op;
use restage_program::{Bits, Type};

/// Computes a constant, operation or selection; `None` for what needs a packet.
pub fn evaluate(def: &Def, mut operand: impl FnMut(super::Value) -> (Type, Bits)) -> Option<Bits> {
    match def {
        Def::Const(bits) => Some(bits.clone()),
        // Varbits may be wider than operations are.
        Def::Op(Op::Mux, args) => {
            let [condition, then, otherwise] = args.as_slice() else { return None };
            let chosen = if operand(*condition).1.is_zero() { otherwise } else { then };
            Some(operand(*chosen).1)
        }
        Def::Op(op, args) => {
            let args: Vec<(Type, Bits)> = args.iter().map(|a| operand(*a)).collect();
            let args: Vec<(Type, &Bits)> = args.iter().map(|(t, b)| (*t, b)).collect();
            restage_program::eval::eval(*op, &args)
        }
        Def::Select { arms, default } => {
            let chosen = arms.iter().find(|(condition, _)| !operand(*condition).1.is_zero());
            Some(operand(chosen.map_or(*default, |(_, value)| *value)).1)
        }
        Def::Slot(_) | Def::Out(..) | Def::Hash(_) | Def::Window(_) | Def::WindowSum { .. } => None,
    }
}
