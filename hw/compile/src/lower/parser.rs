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

use super::metas::{home, place, source};
use super::reaching::{Edge, Order, ParserStore};
use super::store::Store;
use super::{Lower, Refusal};
use crate::flow::{AccessKind, Origin, Slot, Value, error_width, flow_type};
use restage_manifest::ShellField;
use restage_program::entity::{ErrorCode, Header, State};
use restage_program::entry::{KeyMatch, prefix_mask};
use restage_program::expr::{ElementIndex, HeaderRef};
use restage_program::op::Op;
use restage_program::program::{SelectCase, SelectOn, Target, Transition};
use restage_program::stmt::StmtKind;
use restage_program::types::{MAX_WIDTH, bit, int};
use restage_program::{Bits, Type, standard};
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

    /// A number of bits as bytes, after it was made sure that they are whole; and what it can be.
    fn whole_bytes(
        &mut self,
        store: &mut ParserStore,
        bits: Value,
        most: u32,
    ) -> (Value, Vec<u32>) {
        let width = self.make.ty(bits).width();
        let part = self.make.op(Op::Slice { hi: 2.min(width - 1), lo: 0 }, &[bits]);
        let whole = self.make.is(part, 0);
        store.require(&mut self.make, whole, standard::error::PARSER_INVALID_ARGUMENT);
        let bytes = self.make.op(Op::Slice { hi: width - 1, lo: 3 }, &[bits]);
        let limit = (2 * self.config.window_bytes).min(most);
        (bytes, self.make.possible(bytes, limit))
    }

    /// Ends parsing unless the packet has so many bytes here: `fixed`, and a computed number.
    fn require_bytes(&mut self, store: &mut ParserStore, fixed: u32, bytes: Value, steps: &[u32]) {
        let position = store.position.clone();
        let ok = match steps {
            [step] if self.make.as_const(bytes).and_then(Bits::to_u64) == Some((*step).into()) => {
                self.in_window(&position, fixed + step);
                self.fits(&position, fixed + step)
            }
            steps => {
                self.in_window(&position, fixed + steps.last().copied().unwrap_or(0));
                // Wide enough for any number that the packet may hold.
                let begin = self.further(&position, fixed);
                let begin = self.make.natural(32, begin.value);
                let bytes = self.make.natural(32, bytes);
                let end = self.make.op(Op::Add, &[begin, bytes]);
                // A varbit may be asked to be longer than the window, and is refused for that only when the
                // packet has so much.
                let length = self.make.slot(Slot::Shell(ShellField::PacketLength));
                let length = self.make.natural(32, length);
                self.make.op(Op::Le, &[end, length])
            }
        };
        store.require(&mut self.make, ok, standard::error::PACKET_TOO_SHORT);
    }

    fn extract(&mut self, store: &mut ParserStore, header: &HeaderRef, bits: Option<Value>) {
        let candidates = self.resolve(store, header);
        let Some((_, first)) = candidates.first() else { return };
        let ty = self.program.header_types[self.program.headers[*first].ty].clone();
        let fixed = ty.fixed_width() / 8;
        let longest = (ty.max_width() - ty.fixed_width()) / 8;
        let start = store.position.clone();
        let mut bytes = None;
        if let Some(bits) = bits {
            if 8 * longest > MAX_WIDTH {
                let name = self.header_name(*first).to_string();
                let found = format!("has a varbit of {} bits", 8 * longest);
                let accepts = format!("{MAX_WIDTH} bits at most are accepted");
                let refusal = Refusal::new(format!("header `{name}`"), found, accepts);
                return self.refuse(refusal.at(&self.place));
            }
            let (count, steps) = self.whole_bytes(store, bits, longest);
            self.require_bytes(store, fixed, count, &steps);
            let width = self.make.ty(count).width();
            let short = if u64::from(longest) >> width.min(32) == 0 {
                let most = self.make.number(width, longest.into());
                self.make.op(Op::Le, &[count, most])
            } else {
                self.make.truth(true)
            };
            store.require(&mut self.make, short, standard::error::HEADER_TOO_SHORT);
            bytes = Some((count, steps));
        } else {
            self.in_window(&start, fixed);
            let ok = self.fits(&start, fixed);
            store.require(&mut self.make, ok, standard::error::PACKET_TOO_SHORT);
        }
        let mut values = Vec::new();
        let (mut from, mut skip, mut length) = (start, 0, None);
        for field in &ty.fields {
            let ty = flow_type(self.program, field.ty);
            let plain = self.at_position(&from, skip, bit(ty.width()));
            match (&bytes, field.ty) {
                (Some((count, steps)), Type::Varbit(width)) => {
                    values.push(self.cut(plain, *count, steps, width));
                    let whole = self.further(&from, skip / 8);
                    // A varbit stands at a whole byte: what is before it is.
                    from = self.further_by(&whole, *count, steps);
                    skip %= 8;
                    length = Some(*count);
                }
                (_, Type::Bool) => {
                    values.push(self.make.cast(Type::Bool, plain));
                    skip += 1;
                }
                (_, Type::Varbit(_)) => values.push(plain),
                _ => {
                    values.push(self.make.cast(ty, plain));
                    skip += ty.width();
                }
            }
        }
        store.position = self.further(&from, skip / 8);
        for (meant, header) in &candidates {
            let siblings = self.siblings(*header);
            let mut changes: Vec<(Slot, Value)> = Vec::new();
            let others: Vec<Slot> =
                siblings.into_iter().flat_map(|s| self.header_slots(s)).collect();
            for slot in others {
                let ty = crate::flow::slot_type(self.program, slot).unwrap_or(Type::Bool);
                changes.push((slot, self.make.zero(ty)));
            }
            changes.push((Slot::Valid(*header), self.make.truth(true)));
            for (i, value) in values.iter().enumerate() {
                changes.push((Slot::Field(*header, i as u32), *value));
            }
            if let Some(length) = length {
                let slot = Slot::VarLength(*header);
                let width = crate::flow::slot_type(self.program, slot).map_or(1, Type::width);
                changes.push((slot, self.make.natural(width, length)));
            }
            for (slot, value) in changes {
                let value = match self.make.as_truth(*meant) {
                    Some(true) => value,
                    _ => {
                        let old = store.get(&mut self.make, slot);
                        self.make.mux(*meant, value, old)
                    }
                };
                store.set(&mut self.make, slot, value);
            }
        }
        if let HeaderRef::Element { stack, at: ElementIndex::Next, .. } = header {
            let next = store.get(&mut self.make, Slot::NextIndex(*stack));
            let one = self.make.number(self.make.ty(next).width(), 1);
            let next = self.make.op(Op::Add, &[next, one]);
            store.set(&mut self.make, Slot::NextIndex(*stack), next);
        }
    }

    /// The first `bytes` bytes of a value, zeros behind.
    fn cut(&mut self, value: Value, bytes: Value, steps: &[u32], width: u32) -> Value {
        if let [step] = steps {
            let keep = prefix_mask(width, 8 * step);
            let mask = self.make.constant(bit(width), keep);
            return self.make.op(Op::And, &[value, mask]);
        }
        let arms: Vec<(Value, Value)> = steps
            .iter()
            .map(|step| {
                let keep = prefix_mask(width, 8 * step);
                (self.make.is(bytes, (*step).into()), self.make.constant(bit(width), keep))
            })
            .collect();
        let none = self.make.zero(bit(width));
        let mask = self.make.select(&arms, none);
        self.make.op(Op::And, &[value, mask])
    }

    /// Where a state goes, and when.
    fn transition(
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
