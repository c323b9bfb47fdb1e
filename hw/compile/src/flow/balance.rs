//! Chains become trees.
//!
//! ```text
//! before: a && (b && (c && d))                     c1 ? x : (c2 ? y : (c3 ? z : w))
//! after:  (a && b) && (c && d)                     select(c1: x, c2 && !c1: y, c3 && !(c1 || c2): z, else w)
//! ```
//!
//! What is ready early is joined first, by a rough depth of each value. Conditions that exclude each other
//! anyway are not gated again. A link of a chain that somebody else uses stays a value of its own.

use super::{Access, Def, Flow, Maker, Value};
use restage_program::Type;
use restage_program::entity::Entity;
use restage_program::op::Op;
use restage_program::program::Program;

/// Choices in a chain from which on a selection is shorter.
const FEWEST: usize = 3;
/// Choices in a chain at most: their conditions grow with the square.
const MOST: usize = 24;

/// The flow with balanced trees in place of chains.
pub fn balance(program: &Program, flow: &Flow) -> Flow {
    let mut cx = Balance {
        flow,
        make: Maker::new(program),
        uses: uses(flow),
        made: Vec::with_capacity(flow.values.len()),
        depths: Vec::new(),
    };
    let accesses: Vec<Access> = flow.accesses.keys().map(|_| cx.make.access()).collect();
    for (value, decl) in flow.values.iter() {
        cx.make.set_origin(decl.origin.clone());
        let made = match &decl.def {
            Def::Op(op @ (Op::And | Op::Or), _) if decl.ty == Type::Bool => cx.tree(*op, value),
            Def::Op(Op::Mux, _) => cx.choices(value),
            def => {
                let mut def = def.clone();
                def.map_operands(&mut |v| cx.made[v.index()]);
                cx.make.define(decl.ty, def)
            }
        };
        if let Some(name) = &decl.name {
            cx.make.name(made, name);
        }
        cx.made.push(made);
    }
    for (access, decl) in flow.accesses.iter() {
        let mut decl = decl.clone();
        decl.kind.map_values(&mut |v| cx.made[v.index()]);
        let guard = cx.made[decl.guard.index()];
        cx.make.fill(accesses[access.index()], guard, decl.kind, decl.origin);
    }
    let outputs = flow.outputs.iter().map(|(s, v)| (*s, cx.made[v.index()])).collect();
    let balanced = cx.make.finish(&flow.name, outputs);
    // Nothing waits for what it did not wait for before.
    super::order(&balanced).unwrap_or_else(|_| flow.clone())
}

/// How often each value is used.
fn uses(flow: &Flow) -> Vec<u32> {
    let mut uses = vec![0; flow.values.len()];
    let mut count = |v: Value| uses[v.index()] += 1;
    for decl in flow.values.values() {
        decl.def.operands(&mut count);
    }
    for decl in flow.accesses.values() {
        count(decl.guard);
        decl.kind.issue(&mut count);
        decl.kind.update(&mut count);
    }
    flow.outputs.iter().for_each(|(_, v)| count(*v));
    uses
}

struct Balance<'a> {
    flow: &'a Flow,
    make: Maker<'a>,
    uses: Vec<u32>,
    made: Vec<Value>,
    /// Of the values made, as far as they have been asked for.
    depths: Vec<u32>,
}

impl Balance<'_> {
    fn only_here(&self, value: Value) -> bool {
        self.uses[value.index()] == 1
    }

    /// All that a chain of ands or ors joins.
    fn leaves(&self, op: Op, value: Value, leaves: &mut Vec<Value>) {
        let mut todo = vec![(value, true)];
        while let Some((value, first)) = todo.pop() {
            match &self.flow.values[value].def {
                Def::Op(other, args) if *other == op && (first || self.only_here(value)) => {
                    todo.extend(args.iter().rev().map(|a| (*a, false)));
                }
                _ => leaves.push(value),
            }
        }
    }

    fn tree(&mut self, op: Op, value: Value) -> Value {
        let mut leaves = Vec::new();
        self.leaves(op, value, &mut leaves);
        let leaves = leaves.into_iter().map(|v| self.made[v.index()]).collect();
        self.joined(op, leaves)
    }

    /// Joins values, those that are ready first first.
    fn joined(&mut self, op: Op, mut values: Vec<Value>) -> Value {
        values.sort_by_key(|v| std::cmp::Reverse((self.depth(*v), *v)));
        while let Some(first) = values.pop() {
            let Some(second) = values.pop() else { return first };
            let both = self.make.op(op, &[first, second]);
            let depth = self.depth(both);
            let at = values.partition_point(|v| self.known_depth(*v) >= depth);
            values.insert(at, both);
        }
        self.make.truth(op == Op::And)
    }

    /// A chain of choices as one selection.
    fn choices(&mut self, value: Value) -> Value {
        let mut arms: Vec<(Value, Value)> = Vec::new();
        let mut rest = value;
        while let Def::Op(Op::Mux, args) = &self.flow.values[rest].def
            && let [condition, then, otherwise] = args.as_slice()
            && (rest == value || self.only_here(rest))
            && arms.len() < MOST
        {
            let of = |v: &Value| self.made[v.index()];
            arms.push((of(condition), of(then)));
            rest = *otherwise;
        }
        let default = self.made[rest.index()];
        if arms.len() < FEWEST || self.flow.ty(value) == Type::Bool {
            let Some((condition, then)) = arms.first().copied() else { return default };
            // The others were chosen between before.
            let otherwise = match &self.flow.values[value].def {
                Def::Op(_, args) => args.get(2).map_or(default, |v| self.made[v.index()]),
                _ => default,
            };
            return self.make.mux(condition, then, otherwise);
        }
        let mut exclusive: Vec<(Value, Value)> = Vec::new();
        for (i, (condition, then)) in arms.iter().enumerate() {
            let earlier: Vec<Value> = arms[..i]
                .iter()
                .map(|(c, _)| *c)
                .filter(|c| !self.make.exclusive(*c, *condition))
                .collect();
            let alone = if earlier.is_empty() {
                *condition
            } else {
                let any = self.joined(Op::Or, earlier);
                let none = self.make.not(any);
                self.make.and(*condition, none)
            };
            exclusive.push((alone, *then));
        }
        self.make.select(&exclusive, default)
    }

    fn known_depth(&self, value: Value) -> u32 {
        self.depths.get(value.index()).copied().unwrap_or(0)
    }

    /// Roughly how many levels of logic are behind a value that was made.
    fn depth(&mut self, value: Value) -> u32 {
        // Operands are made before their users.
        while self.depths.len() <= value.index() {
            let decl = self.make.decl(Value(self.depths.len() as u32));
            let mut behind = 0;
            decl.def.operands(&mut |v| behind = behind.max(self.known_depth(v)));
            let own = match &decl.def {
                Def::Slot(_) | Def::Const(_) => 0,
                // Tables and state come late.
                Def::Out(..) | Def::Hash(_) => 40,
                Def::Window(_) => 2,
                Def::Op(op, _) => match op {
                    Op::Not | Op::Cast(_) | Op::Slice { .. } | Op::Concat => 0,
                    Op::Mul | Op::Div | Op::Mod => 20,
                    Op::And | Op::Or | Op::Xor | Op::Mux => 1,
                    _ => 3,
                },
                Def::Select { .. } | Def::WindowSum { .. } => 2,
            };
            self.depths.push(behind + own);
        }
        self.known_depth(value)
    }
}
