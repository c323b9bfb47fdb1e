//! Where a state goes: selects on values, ranges and value sets.

use super::super::Lower;
use super::super::reaching::ParserStore;
use crate::flow::{AccessKind, Origin, Value};
use restage_program::entity::ErrorCode;
use restage_program::entry::{KeyMatch, prefix_mask};
use restage_program::op::Op;
use restage_program::program::{SelectCase, SelectOn, Target, Transition};
use restage_program::types::bit;
use restage_program::{Bits, Type, standard};

impl Lower<'_> {
    /// Where a state goes, and when.
    pub(super) fn transition(
        &mut self,
        store: &mut ParserStore,
        next: &Transition,
    ) -> Vec<(Result<Target, ErrorCode>, Value)> {
        let (keys, cases) = match next {
            Transition::To(target) => return vec![(Ok(*target), store.guard)],
            Transition::Select { keys, cases } => (keys, cases),
        };
        let keys: Vec<Value> = keys.iter().map(|k| self.expr(store, k)).collect();
        let mut edges: Vec<(Result<Target, ErrorCode>, Value)> = Vec::new();
        let mut earlier: Vec<(&SelectCase, Value)> = Vec::new();
        let mut open = true;
        for case in cases {
            let matches = self.matches(store, &keys, &case.on);
            let mut taken = self.make.and(store.guard, matches);
            for (other, matched) in &earlier {
                if !apart(&other.on, &case.on) {
                    let not = self.make.not(*matched);
                    taken = self.make.and(taken, not);
                }
            }
            match edges.iter().position(|(t, _)| *t == Ok(case.to)) {
                Some(same) => edges[same].1 = self.make.or(edges[same].1, taken),
                None => edges.push((Ok(case.to), taken)),
            }
            earlier.push((case, matches));
            if case.on == SelectOn::Default {
                open = false;
                break;
            }
        }
        if open {
            let any = self.make.any(earlier.iter().map(|(_, m)| *m));
            let none = self.make.not(any);
            let none = self.make.and(store.guard, none);
            edges.push((Err(standard::error::NO_MATCH), none));
        }
        edges
    }

    fn matches(&mut self, store: &mut ParserStore, keys: &[Value], on: &SelectOn) -> Value {
        match on {
            SelectOn::Default => self.make.truth(true),
            SelectOn::Keys(row) => {
                let mut all = self.make.truth(true);
                for (key, wanted) in keys.iter().zip(row) {
                    let this = self.matches_one(*key, wanted);
                    all = self.make.and(all, this);
                }
                all
            }
            SelectOn::ValueSet(set) => {
                let access = self.make.access();
                let kind = AccessKind::ValueSet { set: *set, columns: keys.to_vec() };
                let name = &self.program.value_sets[*set].preamble.name;
                let origin = Origin::new(&format!("value set `{name}`"));
                self.make.fill(access, store.guard, kind, origin);
                self.make.out(access, 0, Type::Bool)
            }
        }
    }

    fn matches_one(&mut self, key: Value, wanted: &KeyMatch) -> Value {
        let ty = self.make.ty(key);
        let mut number = |bits: &Bits| self.make.constant(ty, bits.resize(ty.width()));
        let masked = |lower: &mut Self, value: &Bits, mask: &Bits| {
            let plain = lower.make.natural(ty.width(), key);
            let mask = lower.make.constant(bit(ty.width()), mask.clone());
            let value = lower.make.constant(bit(ty.width()), value.clone());
            let key = lower.make.op(Op::And, &[plain, mask]);
            lower.make.eq(key, value)
        };
        match wanted {
            KeyMatch::Any => self.make.truth(true),
            KeyMatch::Exact(value) => {
                let value = number(value);
                self.make.eq(key, value)
            }
            KeyMatch::Masked { value, mask } => masked(self, value, mask),
            KeyMatch::Lpm { value, prefix } => {
                masked(self, value, &prefix_mask(value.width(), *prefix))
            }
            KeyMatch::Range { low, high } => {
                let (low, high) = (number(low), number(high));
                let above = self.make.op(Op::Ge, &[key, low]);
                let below = self.make.op(Op::Le, &[key, high]);
                self.make.and(above, below)
            }
        }
    }
}

/// Whether no keys match both.
fn apart(a: &SelectOn, b: &SelectOn) -> bool {
    match (a, b) {
        (SelectOn::Keys(a), SelectOn::Keys(b)) => a.iter().zip(b).any(|pair| match pair {
            (KeyMatch::Exact(a), KeyMatch::Exact(b)) => a != b,
            (KeyMatch::Masked { value: a, mask: m }, KeyMatch::Masked { value: b, mask: n }) => {
                let both = m.limbs().iter().zip(n.limbs()).map(|(m, n)| m & n);
                a.limbs().iter().zip(b.limbs()).zip(both).any(|((a, b), m)| (a ^ b) & m != 0)
            }
            (KeyMatch::Exact(a), KeyMatch::Masked { value: b, mask: m })
            | (KeyMatch::Masked { value: b, mask: m }, KeyMatch::Exact(a)) => {
                let limbs = a.limbs().iter().zip(b.limbs()).zip(m.limbs());
                limbs.into_iter().any(|((a, b), m)| (a ^ b) & m != 0)
            }
            _ => false,
        }),
        _ => false,
    }
}
