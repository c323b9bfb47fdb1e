//! The parser: states, selects, value sets, cycles. Rules P.

use super::cx::{Cx, Scope};
use super::headers::Holds;
use super::matches::Column;
use super::stmt::Context;
use super::{MAX_ENTRIES, Rule};
use crate::entity::{Entity, State};
use crate::expr::Expr;
use crate::program::{SelectCase, SelectOn, StateDecl, Target, Transition};
use crate::stmt::StmtKind;
use crate::types::Type;

impl<'p> Cx<'p> {
    /// Checks states and value sets.
    pub fn parser(&mut self) {
        let p = self.p;
        self.at(".start", |cx| match p.start {
            Some(start) => {
                cx.exists(start, p.states.len());
            }
            None if !p.states.is_empty() => {
                let found = format!("there are {} states and no start", p.states.len());
                cx.fault(Rule::P01, found, "the state in which parsing starts");
            }
            None => {}
        });
        self.each(".value_sets", p.value_sets.values(), |cx, _, set| {
            cx.object("value set", &set.preamble, |cx| {
                if set.columns.is_empty() {
                    cx.fault(Rule::P03, "it has no columns", "one column at least");
                }
                cx.field_types(".columns", &set.columns, Holds::Values);
                cx.size(set.size, MAX_ENTRIES);
            });
        });
        self.each(".states", p.states.values(), |cx, _, state| {
            cx.said(&state.loc, |cx| {
                cx.about(format!("state `{}`", state.name), |cx| {
                    cx.at(".body", |cx| cx.block(&state.body, Context::State));
                    cx.at(".next", |cx| cx.transition(&state.next));
                });
            });
        });
        self.cycles();
    }

    fn transition(&mut self, next: &'p Transition) {
        match next {
            Transition::To(target) => self.at(".to", |cx| cx.target(target)),
            Transition::Select { keys, cases } => self.at(".select", |cx| {
                if keys.is_empty() {
                    cx.at(".keys", |cx| {
                        cx.fault(Rule::P02, "a select without keys", "one key at least")
                    });
                }
                let mut types = Vec::new();
                cx.each(".keys", keys, |cx, _, key| types.push(cx.expr(key, Scope::PARSER)));
                cx.each(".cases", cases, |cx, _, case| {
                    cx.at(".on", |cx| cx.case(case, &types));
                    cx.at(".to", |cx| cx.target(&case.to));
                });
            }),
        }
    }

    fn target(&mut self, target: &Target) {
        if let Target::State(state) = target {
            self.at(".state", |cx| cx.exists(*state, cx.p.states.len()));
        }
    }

    fn case(&mut self, case: &'p SelectCase, types: &[Option<Type>]) {
        match &case.on {
            SelectOn::Default => {}
            SelectOn::Keys(matches) => self.at(".keys", |cx| {
                if matches.len() != types.len() {
                    cx.fault(
                        Rule::P02,
                        format!("a case of {} matches", matches.len()),
                        format!("{}, one for each key", types.len()),
                    );
                }
                cx.each("", matches, |cx, i, found| {
                    cx.key_match(found, Column::Select, types.get(i).copied().flatten());
                });
            }),
            SelectOn::ValueSet(set) => self.at(".value_set", |cx| {
                if !cx.exists(*set, cx.p.value_sets.len()) {
                    return;
                }
                let Some(decl) = cx.p.value_sets.get(*set) else { return };
                let fits = decl.columns.len() == types.len()
                    && decl.columns.iter().zip(types).all(|(c, t)| t.is_none_or(|t| t == c.ty));
                if !fits {
                    let show = |types: Vec<String>| types.join(", ");
                    let columns = show(decl.columns.iter().map(|c| c.ty.to_string()).collect());
                    let keys = types.iter().map(|t| t.map_or("?".to_owned(), |t| t.to_string()));
                    cx.fault(
                        Rule::P03,
                        format!("value set `{}` has columns ({columns})", decl.preamble.name),
                        format!("columns ({})", show(keys.collect())),
                    );
                }
            }),
        }
    }

    /// A cycle of states none of which consumes would run until the time-out on every packet.
    fn cycles(&mut self) {
        let p = self.p;
        let idle: Vec<bool> = p.states.values().map(|s| !consumes(s)).collect();
        let next: Vec<Vec<usize>> = p
            .states
            .values()
            .map(|s| {
                s.targets().map(State::index).filter(|t| idle.get(*t) == Some(&true)).collect()
            })
            .collect();
        for cycle in cycles_of(&idle, &next) {
            let Some((first, decl)) =
                cycle.first().and_then(|i| Some((*i, p.states.get(State::from_index(*i))?)))
            else {
                continue;
            };
            let names: Vec<&str> = cycle
                .iter()
                .filter_map(|i| p.states.get(State::from_index(*i)))
                .map(|s| s.name.as_str())
                .collect();
            let found = match names.as_slice() {
                [one] => format!("state `{one}` goes to itself without consuming anything"),
                many => {
                    format!("states `{}` form a cycle that consumes nothing", many.join("`, `"))
                }
            };
            self.said(&decl.loc, |cx| {
                cx.at(format_args!(".states[{first}].next"), |cx| {
                    cx.fault(Rule::P04, found, "an extract or advance in one of the states");
                });
            });
        }
    }
}

fn consumes(state: &StateDecl) -> bool {
    state.body.iter().any(|stmt| match &stmt.kind {
        StmtKind::Extract(_) | StmtKind::ExtractVar { .. } => true,
        StmtKind::Advance(Expr::Const { value, .. }) => !value.is_zero(),
        StmtKind::Advance(_) => true,
        _ => false,
    })
}

/// One cycle through each group of nodes that reach each other (strongly connected components, by
/// Kosaraju's method without recursion), sorted.
fn cycles_of(within: &[bool], next: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut seen = vec![false; within.len()];
    let mut order = Vec::new();
    for start in (0..within.len()).filter(|i| within[*i]) {
        let mut stack = vec![(start, 0)];
        if std::mem::replace(&mut seen[start], true) {
            continue;
        }
        while let Some((node, edge)) = stack.pop() {
            match next[node].get(edge) {
                Some(to) => {
                    stack.push((node, edge + 1));
                    if !std::mem::replace(&mut seen[*to], true) {
                        stack.push((*to, 0));
                    }
                }
                None => order.push(node),
            }
        }
    }
    let mut before = vec![Vec::new(); within.len()];
    for from in (0..within.len()).filter(|i| within[*i]) {
        next[from].iter().for_each(|to| before[*to].push(from));
    }
    let mut taken = vec![false; within.len()];
    let mut cycles = Vec::new();
    for root in order.into_iter().rev() {
        if std::mem::replace(&mut taken[root], true) {
            continue;
        }
        let mut group = vec![root];
        let mut at = 0;
        while let Some(node) = group.get(at).copied() {
            for from in &before[node] {
                if !std::mem::replace(&mut taken[*from], true) {
                    group.push(*from);
                }
            }
            at += 1;
        }
        if group.len() > 1 || next[root].contains(&root) {
            group.sort_unstable();
            cycles.push(group);
        }
    }
    cycles.sort();
    cycles
}
