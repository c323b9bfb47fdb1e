//! What follows for one condition when another holds.

use super::{Def, Maker, Value};
use restage_program::Type;
use restage_program::op::Op;
use std::collections::HashMap;

/// How deep conditions are followed.
const DEPTH: u32 = 24;

/// Cases that are looked at before a question is given up.
const CASES: u32 = 64;

/// Conditions that are known to hold or not.
#[derive(Clone, Debug, Default)]
pub struct Assumed {
    known: HashMap<Value, bool>,
    /// What a value is equal to.
    equal: HashMap<Value, Value>,
    /// Pairs of which one holds, and it is not known which.
    either: Vec<[Value; 2]>,
}

impl Maker<'_> {
    /// Whether two conditions never hold together, as far as their definitions show it.
    pub fn exclusive(&self, a: Value, b: Value) -> bool {
        let mut assumed = Assumed::default();
        if !self.assume(&mut assumed, a, true, DEPTH) {
            return true;
        }
        self.never(assumed, b, &mut CASES.clone())
    }

    /// Whether a condition does not hold in any case of what is assumed.
    fn never(&self, mut assumed: Assumed, value: Value, cases: &mut u32) -> bool {
        if self.under(&assumed, value, DEPTH) == Some(false) {
            return true;
        }
        let Some(either) = assumed.either.pop() else { return false };
        either.into_iter().all(|one| {
            if *cases == 0 {
                return false;
            }
            *cases -= 1;
            let mut case = assumed.clone();
            !self.assume(&mut case, one, true, DEPTH) || self.never(case, value, cases)
        })
    }

    /// Takes note that a condition holds or not; `false` if that cannot be.
    fn assume(&self, assumed: &mut Assumed, value: Value, truth: bool, depth: u32) -> bool {
        if let Some(known) = self.under(assumed, value, 2) {
            return known == truth;
        }
        assumed.known.insert(value, truth);
        let Def::Op(op, args) = &self.decl(value).def else { return true };
        if depth == 0 {
            return true;
        }
        let bool_args = args.iter().all(|a| self.ty(*a) == Type::Bool);
        match (op, args.as_slice(), truth) {
            (Op::Not, [a], _) => self.assume(assumed, *a, !truth, depth - 1),
            (Op::And, [a, b], true) | (Op::Or, [a, b], false) if bool_args => {
                self.assume(assumed, *a, truth, depth - 1)
                    && self.assume(assumed, *b, truth, depth - 1)
            }
            (Op::Or, [a, b], true) if bool_args => {
                assumed.either.push([*a, *b]);
                true
            }
            (Op::And, [a, b], false) if bool_args => {
                // One of them does not hold; only what holds is split into cases.
                match (self.under(assumed, *a, 2), self.under(assumed, *b, 2)) {
                    (Some(true), _) => self.assume(assumed, *b, false, depth - 1),
                    (_, Some(true)) => self.assume(assumed, *a, false, depth - 1),
                    _ => true,
                }
            }
            (Op::Eq, [a, b], true) | (Op::Ne, [a, b], false) => {
                for (value, constant) in [(*a, *b), (*b, *a)] {
                    if self.as_const(constant).is_some() {
                        assumed.equal.insert(value, constant);
                    }
                }
                true
            }
            _ => true,
        }
    }

    /// What a condition is then, if that is known.
    fn under(&self, assumed: &Assumed, value: Value, depth: u32) -> Option<bool> {
        if let Some(known) = assumed.known.get(&value).copied().or(self.as_truth(value)) {
            return Some(known);
        }
        if depth == 0 || self.ty(value) != Type::Bool {
            return None;
        }
        let of = |v: Value| self.under(assumed, v, depth - 1);
        let Def::Op(op, args) = &self.decl(value).def else { return None };
        match (op, args.as_slice()) {
            (Op::Not, [a]) => of(*a).map(|t| !t),
            (Op::And, [a, b]) => match (of(*a), of(*b)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            (Op::Or, [a, b]) => match (of(*a), of(*b)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            (Op::Mux, [c, a, b]) => match of(*c) {
                Some(true) => of(*a),
                Some(false) => of(*b),
                None => of(*a).filter(|t| of(*b) == Some(*t)),
            },
            (Op::Eq | Op::Ne, [a, b]) => {
                let is = |v: Value| assumed.equal.get(&v).copied().unwrap_or(v);
                let (a, b) = (self.as_const(is(*a))?, self.as_const(is(*b))?);
                Some((a == b) == (*op == Op::Eq))
            }
            _ => None,
        }
    }
}
