//! What a packet carries at a point of a half: the value of every slot, and some facts about the path.

use crate::flow::{Cell, Maker, Slot, Value, slot_type};
use std::collections::BTreeMap;

/// Something that has a value at every point.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Var {
    /// What a slot holds. A slot that was not written yet holds what it held in the beginning.
    Slot(Slot),
    /// Whether the half was not left by `exit` since the last point where that was asked.
    Alive,
    /// Whether a cell was accessed.
    Touched(Cell),
}

/// Values of what has changed.
#[derive(Clone, Debug, Default)]
pub struct Env {
    changed: BTreeMap<Var, Value>,
}

impl Env {
    /// The value of a slot.
    pub fn get(&self, make: &mut Maker<'_>, slot: Slot) -> Value {
        self.var(make, Var::Slot(slot))
    }

    /// The value of anything.
    pub fn var(&self, make: &mut Maker<'_>, var: Var) -> Value {
        match (self.changed.get(&var), var) {
            (Some(value), _) => *value,
            (None, Var::Slot(slot)) => make.slot(slot),
            (None, Var::Alive) => make.truth(true),
            (None, Var::Touched(_)) => make.truth(false),
        }
    }

    /// Changes a slot.
    pub fn set(&mut self, slot: Slot, value: Value) {
        self.changed.insert(Var::Slot(slot), value);
    }

    /// Changes anything.
    pub fn set_var(&mut self, var: Var, value: Value) {
        self.changed.insert(var, value);
    }

    /// Clears a slot.
    pub fn clear(&mut self, make: &mut Maker<'_>, slot: Slot) {
        if let Some(ty) = slot_type(make.program, slot) {
            let zero = make.zero(ty);
            self.set(slot, zero);
        }
    }

    /// What holds when one of several branches was taken (one at most) or none. All of them began with
    /// `before`.
    pub fn join(make: &mut Maker<'_>, branches: &[(Value, Env)], before: Env) -> Env {
        let mut joined = before.clone();
        let mut vars: Vec<Var> =
            branches.iter().flat_map(|(_, env)| env.changed.keys().copied()).collect();
        vars.sort_unstable();
        vars.dedup();
        for var in vars {
            let default = before.var(make, var);
            let arms: Vec<(Value, Value)> =
                branches.iter().map(|(c, env)| (*c, env.var(make, var))).collect();
            let value = match arms.as_slice() {
                [(c, a)] => make.mux(*c, *a, default),
                arms => make.select(arms, default),
            };
            if value != default || joined.changed.contains_key(&var) {
                joined.changed.insert(var, value);
            }
        }
        joined
    }

    /// As [`join`](Self::join) for `if` and `else`.
    pub fn choose(make: &mut Maker<'_>, condition: Value, then: Env, otherwise: Env) -> Env {
        let mut joined = Env::default();
        let mut vars: Vec<Var> =
            then.changed.keys().chain(otherwise.changed.keys()).copied().collect();
        vars.sort_unstable();
        vars.dedup();
        for var in vars {
            let (a, b) = (then.var(make, var), otherwise.var(make, var));
            let value = make.mux(condition, a, b);
            joined.changed.insert(var, value);
        }
        joined
    }

    /// The slots that have changed, and what they hold.
    pub fn changed(&self) -> impl Iterator<Item = (Slot, Value)> + '_ {
        self.changed.iter().filter_map(|(var, value)| match var {
            Var::Slot(slot) => Some((*slot, *value)),
            _ => None,
        })
    }
}
