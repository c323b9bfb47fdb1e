//! Parsers, unrolled.
//!
//! ```text
//! before: start -> mpls, mpls -> mpls | ipv4        (a loop over a stack of two)
//! after:  start -> mpls#0 -> mpls#1 -> (StackOutOfBounds)
//!                     \         \--> ipv4#2         what ipv4 extracts stands at one of two places
//!                      \-----------> ipv4#1
//! ```
//!
//! A visit is a state and how often the path has gone back. Visits are lowered in an order in which every edge
//! goes forward, so that all edges into a visit are known when its turn comes. Loops end because a stack is
//! full or because the window is: a parser that may need more than [`MOST_VISITS`] visits, or looks behind
//! the window, is refused.

mod extract;
mod select;

use super::metas::{home, place, source};
use super::reaching::{Edge, Order, ParserStore};
use super::store::Store;
use super::{Lower, Refusal};
use crate::flow::{Origin, Slot, Value, error_width, flow_type};
use restage_manifest::ShellField;
use restage_program::entity::{ErrorCode, Header, State};
use restage_program::op::Op;
use restage_program::program::Target;
use restage_program::standard;
use restage_program::stmt::StmtKind;
use restage_program::types::{bit, int};
use std::collections::{BTreeMap, BTreeSet};

/// Visits of states that a parser may have when it is unrolled: no packet visits more states than the model
/// allows then.
pub const MOST_VISITS: usize = 256;

/// Edges to visits that are not lowered yet, and those that end parsing.
#[derive(Default)]
struct Todo {
    visits: BTreeMap<(u32, u32), Vec<Edge>>,
    ends: Vec<(ErrorCode, Edge)>,
}

impl Lower<'_> {
    /// The parser.
    pub fn parser(&mut self) -> Vec<(Slot, Value)> {
        let run = match self.metas.ingress_clones {
            true => self.make.slot(Slot::Shell(ShellField::Run)),
            false => self.make.truth(true),
        };
        let initial = self.initial(run);
        let guard = self.make.truth(true);
        let position = self.fixed_position(0);
        let before = ParserStore::new(guard, position, initial);
        let (order, ends) = self.visits(before.clone());
        let (edges, errors): (Vec<Edge>, Vec<ErrorCode>) =
            ends.into_iter().map(|(error, edge)| (edge, error)).unzip();
        let mut order = order;
        let mut end = self.meet(&mut order, &edges).unwrap_or(before);
        let width = error_width(self.program);
        let none = self.make.number(width, 0);
        let arms: Vec<(Value, Value)> = edges
            .iter()
            .zip(errors)
            .map(|(e, error)| (e.guard, self.make.number(width, error.0.into())))
            .collect();
        let error = self.make.select(&arms, none);
        end.set(&mut self.make, Slot::Meta(standard::PARSER_ERROR), error);
        self.parsed(&mut end, run)
    }

    /// What metadata holds when parsing begins: what was kept, and what the shell says. A clone that is
    /// parsed again knows its port and nothing else.
    fn initial(&mut self, run: Value) -> BTreeMap<Slot, Value> {
        let instance = self.make.slot(Slot::Shell(ShellField::Instance));
        let fresh = match self.config.loops() {
            true => self.make.is(instance, standard::instance::NORMAL.into()),
            false => self.make.truth(true),
        };
        let lists = self.metas.kept_by_parser.clone();
        let mut initial = BTreeMap::new();
        for meta in self.program.metas.keys() {
            let ty = flow_type(self.program, self.program.metas[meta].ty);
            let zero = self.make.zero(ty);
            let kept = self.kept(&lists, meta);
            let value = match meta {
                standard::INGRESS_PORT => {
                    let port = self.shell(ShellField::IngressPort, meta);
                    let looped = self.make.not(fresh);
                    let looped = self.make.and(looped, run);
                    self.make.mux(looped, kept, port)
                }
                standard::INGRESS_GLOBAL_TIMESTAMP
                    if ShellField::IngressTime.is_in(self.config) =>
                {
                    let time = self.shell(ShellField::IngressTime, meta);
                    let value = self.make.mux(fresh, time, kept);
                    self.make.mux(run, value, zero)
                }
                standard::PACKET_LENGTH => {
                    let length = self.shell(ShellField::PacketLength, meta);
                    self.make.mux(run, length, zero)
                }
                standard::INSTANCE_TYPE => {
                    let instance = self.shell(ShellField::Instance, meta);
                    self.make.mux(run, instance, zero)
                }
                _ => self.make.mux(run, kept, zero),
            };
            initial.insert(Slot::Meta(meta), value);
        }
        let length = self.make.slot(Slot::Shell(ShellField::PacketLength));
        let length = self.make.cast(int(20), length);
        initial.insert(Slot::Length, length);
        initial
    }

    /// What the parser leaves.
    fn parsed(&mut self, end: &mut ParserStore, run: Value) -> Vec<(Slot, Value)> {
        let lists = self.metas.kept_by_parser.clone();
        let mut outputs = Vec::new();
        for meta in self.program.metas.keys() {
            let field = home(meta).or(source(meta));
            if field.is_some_and(|f| !f.is_in(self.config)) && home(meta).is_some() {
                continue;
            }
            if source(meta).is_some() && !self.metas.crosses(self.program, meta) {
                continue;
            }
            let value = end.get(&mut self.make, Slot::Meta(meta));
            let kept = self.kept(&lists, meta);
            let value = self.make.mux(run, value, kept);
            outputs.push((place(meta), value));
        }
        let headers: Vec<Header> = self.program.headers.keys().collect();
        let slots = headers.into_iter().flat_map(|h| self.header_slots(h)).collect::<Vec<_>>();
        let stacks = self.program.stacks.keys().map(Slot::NextIndex);
        for slot in slots.into_iter().chain(stacks).chain([Slot::Length]) {
            let value = end.get(&mut self.make, slot);
            outputs.push((slot, value));
        }
        let consumed = end.position.value;
        outputs.push((Slot::Shell(ShellField::Consumed), consumed));
        if self.metas.payload_sums {
            let sum = self.payload_sum(consumed);
            outputs.push((Slot::PayloadSum, sum));
        }
        outputs.retain(|(slot, value)| *value != self.make.slot(*slot));
        outputs
    }

    /// The visits of all states from the first one on, and where parsing ends.
    fn visits(&mut self, before: ParserStore) -> (Order, Vec<(ErrorCode, Edge)>) {
        let ranks = self.ranks();
        let mut order = Order::default();
        let mut todo = Todo::default();
        order.push([]);
        let edge = before.edge(before.guard);
        let first = self.program.start.map_or(Target::Accept, Target::State);
        self.go(&mut todo, None, first, edge, &ranks);
        let mut count = 0;
        while let Some(((round, rank), edges)) = todo.visits.pop_first() {
            count += 1;
            if count > MOST_VISITS {
                let found =
                    format!("makes more than {MOST_VISITS} visits of states when it is unrolled");
                let accepts =
                    "loops are accepted that consume bytes or fill a stack each time round";
                self.refuse(Refusal::new("the parser", found, accepts));
                break;
            }
            let Some(store) = self.meet(&mut order, &edges) else { continue };
            let state = ranks.iter().find(|(_, r)| **r == rank).map(|(s, _)| *s);
            if let Some(state) = state {
                self.visit(&mut todo, store, state, round, &ranks);
            }
        }
        (order, todo.ends)
    }

    /// The order of the states in which only loops go back.
    fn ranks(&self) -> BTreeMap<State, u32> {
        let mut finished = Vec::new();
        let mut seen = BTreeSet::new();
        let mut stack: Vec<(State, Vec<State>)> = Vec::new();
        if let Some(start) = self.program.start {
            seen.insert(start);
            stack.push((start, self.program.states[start].targets().collect()));
        }
        while let Some((state, targets)) = stack.last_mut() {
            match targets.pop() {
                Some(next) if seen.insert(next) => {
                    stack.push((next, self.program.states[next].targets().collect()));
                }
                Some(_) => {}
                None => {
                    finished.push(*state);
                    stack.pop();
                }
            }
        }
        finished.iter().rev().enumerate().map(|(i, s)| (*s, i as u32)).collect()
    }

    fn go(
        &mut self,
        todo: &mut Todo,
        from: Option<(u32, u32)>,
        target: Target,
        edge: Edge,
        ranks: &BTreeMap<State, u32>,
    ) {
        if self.make.as_truth(edge.guard) == Some(false) {
            return;
        }
        match target {
            Target::Accept | Target::Reject => {
                todo.ends.push((standard::error::NO_ERROR, edge));
            }
            Target::State(state) => {
                let rank = ranks.get(&state).copied().unwrap_or(0);
                let round = match from {
                    Some((round, of)) => round + u32::from(rank <= of),
                    None => 0,
                };
                todo.visits.entry((round, rank)).or_default().push(edge);
            }
        }
    }

    fn visit(
        &mut self,
        todo: &mut Todo,
        mut store: ParserStore,
        state: State,
        round: u32,
        ranks: &BTreeMap<State, u32>,
    ) {
        let decl = &self.program.states[state];
        self.make.set_origin(Origin::new(&format!("state `{}`", decl.name)));
        for stmt in &decl.body {
            self.place = if stmt.loc.site().is_some() { &stmt.loc } else { &decl.loc }.clone();
            let seen = self.refusals.len();
            self.parser_stmt(&mut store, &stmt.kind);
            if self.make.as_truth(store.guard) == Some(false) || self.refusals.len() > seen {
                todo.ends.append(&mut store.failed);
                return;
            }
        }
        self.place = decl.loc.clone();
        let edges = self.transition(&mut store, &decl.next);
        todo.ends.append(&mut store.failed);
        let here = (round, ranks.get(&state).copied().unwrap_or(0));
        for (target, guard) in edges {
            let edge = store.edge(guard);
            match target {
                Ok(target) => self.go(todo, Some(here), target, edge, ranks),
                Err(error) => {
                    if self.make.as_truth(guard) != Some(false) {
                        todo.ends.push((error, edge));
                    }
                }
            }
        }
    }

    fn parser_stmt(&mut self, store: &mut ParserStore, stmt: &StmtKind) {
        match stmt {
            StmtKind::Extract(header) => self.extract(store, header, None),
            StmtKind::ExtractVar { header, bits } => {
                let bits = self.expr(store, bits);
                self.extract(store, header, Some(bits));
            }
            StmtKind::Advance(bits) => {
                let bits = self.expr(store, bits);
                let (bytes, steps) = self.whole_bytes(store, bits, u32::MAX);
                self.require_bytes(store, 0, bytes, &steps);
                store.position = self.further_by(&store.position.clone(), bytes, &steps);
            }
            StmtKind::Verify { condition, error } => {
                let condition = self.expr(store, condition);
                store.require(&mut self.make, condition, *error);
            }
            common => self.common(store, common),
        }
    }

    /// The sum of what the parser has not consumed, carries folded in.
    fn payload_sum(&mut self, consumed: Value) -> Value {
        let whole = self.make.slot(Slot::Shell(ShellField::PacketSum));
        let front = self.make.define(bit(32), crate::flow::Def::WindowSum { length: consumed });
        let whole = self.make.natural(32, whole);
        let rest = self.make.op(Op::Sub, &[whole, front]);
        // Two folds: 0xffff + 0xffff still has a carry.
        let mut sum = rest;
        for width in [17, 16] {
            let ty = self.make.ty(sum).width();
            let low = self.make.op(Op::Slice { hi: 15, lo: 0 }, &[sum]);
            let high = self.make.op(Op::Slice { hi: ty - 1, lo: 16 }, &[sum]);
            let (low, high) = (self.make.natural(width, low), self.make.natural(width, high));
            sum = self.make.op(Op::Add, &[low, high]);
        }
        let odd = self.make.op(Op::Slice { hi: 0, lo: 0 }, &[consumed]);
        let odd = self.make.is(odd, 1);
        let upper = self.make.op(Op::Slice { hi: 15, lo: 8 }, &[sum]);
        let lower = self.make.op(Op::Slice { hi: 7, lo: 0 }, &[sum]);
        let swapped = self.make.op(Op::Concat, &[lower, upper]);
        self.make.mux(odd, swapped, sum)
    }
}
