//! Makes a failing case smaller while it still fails.
//!
//! The program is shrunk in its serde form: elements of any list are taken out, operations are replaced by
//! an operand and branches by their bodies. What the checker does not accept any more is no candidate, so
//! nothing here needs to know what a program may look like.

use super::compare::Case;
use restage_program::Program;
use serde_json::Value;

/// Makes a case smaller. `fails` must hold for the case and will hold for the result; at most `budget`
/// candidates are tried.
pub fn shrink(case: &Case, budget: u32, fails: &mut dyn FnMut(&Case) -> bool) -> Case {
    let mut shrinker = Shrinker { best: case.clone(), budget, fails };
    loop {
        let before = shrinker.size();
        shrinker.packets();
        shrinker.writes();
        shrinker.bytes();
        shrinker.program();
        if shrinker.size() == before || shrinker.budget == 0 {
            return shrinker.best;
        }
    }
}

struct Shrinker<'a> {
    best: Case,
    budget: u32,
    fails: &'a mut dyn FnMut(&Case) -> bool,
}

impl Shrinker<'_> {
    fn size(&self) -> usize {
        let program = serde_json::to_string(&*self.best.program).map_or(0, |text| text.len());
        let bytes: usize = self.best.packets.iter().map(|p| 20 + p.bytes.len()).sum();
        program + bytes + self.best.writes.len() * 50
    }

    /// Takes a candidate if it fails too.
    fn attempt(&mut self, candidate: Case) -> bool {
        if self.budget == 0 {
            return false;
        }
        self.budget -= 1;
        let fails = (self.fails)(&candidate);
        if fails {
            self.best = candidate;
        }
        fails
    }

    fn packets(&mut self) {
        self.list(|case| &mut case.packets);
    }

    fn writes(&mut self) {
        self.list(|case| &mut case.writes);
    }

    /// Takes parts out of a list: halves, quarters, ... single elements, from the end.
    fn list<T: Clone>(&mut self, of: fn(&mut Case) -> &mut Vec<T>) {
        let mut chunk = of(&mut self.best).len();
        while chunk > 0 {
            let mut end = of(&mut self.best).len();
            while end > 0 {
                let start = end.saturating_sub(chunk);
                let mut candidate = self.best.clone();
                of(&mut candidate).drain(start..end);
                self.attempt(candidate);
                end = start;
            }
            chunk /= 2;
        }
    }

    /// Cuts packets.
    fn bytes(&mut self) {
        for i in 0..self.best.packets.len() {
            let mut cut = self.best.packets[i].bytes.len() / 2;
            while cut > 0 {
                let mut candidate = self.best.clone();
                let length = candidate.packets[i].bytes.len();
                candidate.packets[i].bytes.truncate(length.saturating_sub(cut));
                if length < cut || !self.attempt(candidate) {
                    cut /= 2;
                }
            }
        }
    }

    fn program(&mut self) {
        let Ok(mut value) = serde_json::to_value(&*self.best.program) else { return };
        let mut at = 0;
        while self.budget > 0 {
            // Simplification number `at` of the program as it is now; the same number again after it
            // was taken, because another one has moved there.
            let mut candidate = value.clone();
            let mut left = at;
            if !simplify(&mut candidate, &mut left) {
                break;
            }
            let checked = serde_json::from_value::<Program>(candidate.clone())
                .ok()
                .and_then(|p| p.check().ok())
                .filter(|p| self.best.writes.is_empty() || shape(p) == shape(&self.best.program));
            let taken = checked.is_some_and(|program| {
                let case = Case { program, ..self.best.clone() };
                self.attempt(case)
            });
            if taken {
                value = candidate;
            } else {
                at += 1;
            }
        }
    }
}

/// What writes name: how many there are of each, and the number of keys of tables.
fn shape(program: &Program) -> (Vec<usize>, Vec<usize>) {
    let counts = vec![
        program.tables.len(),
        program.actions.len(),
        program.profiles.len(),
        program.registers.len(),
        program.counters.len(),
        program.meters.len(),
        program.maps.len(),
        program.value_sets.len(),
    ];
    (counts, program.tables.values().map(|t| t.keys.len()).collect())
}

/// Applies one simplification, counted in the order of the text; `false` when there are not so many.
fn simplify(value: &mut Value, left: &mut usize) -> bool {
    let mut take = || {
        let now = *left == 0;
        *left = left.wrapping_sub(1);
        now
    };
    match value {
        Value::Array(items) => {
            if items.len() > 3 {
                for half in [0..items.len() / 2, items.len() / 2..items.len()] {
                    if take() {
                        items.drain(half);
                        return true;
                    }
                }
            }
            for i in (0..items.len()).rev() {
                if take() {
                    items.remove(i);
                    return true;
                }
                // A branch gives way to what is in it.
                let inside: Option<Vec<Value>> = items[i].get("if").map(|branch| {
                    let bodies = ["then", "otherwise"].into_iter();
                    bodies.filter_map(|b| branch.get(b)?.as_array().cloned()).flatten().collect()
                });
                if let Some(inside) = inside
                    && take()
                {
                    items.splice(i..=i, inside);
                    return true;
                }
            }
        }
        Value::Object(fields) => {
            let args = fields.get("op").and_then(|op| op.get("args")).and_then(Value::as_array);
            if let Some(args) = args.cloned() {
                for arg in args {
                    if take() {
                        *value = arg;
                        return true;
                    }
                }
            }
        }
        _ => return false,
    }
    match value {
        Value::Array(items) => items.iter_mut().any(|item| simplify(item, left)),
        Value::Object(fields) => fields.values_mut().any(|field| simplify(field, left)),
        _ => false,
    }
}
