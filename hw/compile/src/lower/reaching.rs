//! What slots hold at a point of a parser: the definitions that reach it.
//!
//! A parser's paths meet often, and most slots are written in one state only. So instead of choosing at every
//! point where paths meet, a slot keeps all definitions that may hold, each with the condition under which
//! its state was visited:
//!
//! ```text
//! start -> ipv4 -> tcp -> end        at the end: ipv4.ttl = visited(ipv4) ? window(176) : 0
//!   \--> arp ----------/
//! ```
//!
//! That is right while no two of the states are visited by one packet. Where that may happen, the edges by
//! which the paths meet choose.

use super::store::Store;
use super::{Lower, Position};
use crate::flow::{Cell, Maker, Slot, Value, slot_type};
use restage_program::entity::ErrorCode;
use std::collections::{BTreeMap, BTreeSet};

/// A visit of a state.
pub type Node = usize;

/// A value that a slot was given.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Definition {
    node: Node,
    guard: Value,
    value: Value,
}

/// The definitions that reach a point, and whether the slot may not have been written at all.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Reaching {
    definitions: Vec<Definition>,
    initial: bool,
}

/// A point of a parser.
#[derive(Clone, Debug)]
pub struct ParserStore {
    slots: BTreeMap<Slot, Reaching>,
    touched: BTreeMap<Cell, Value>,
    /// The visit.
    pub node: Node,
    /// Whether the packet comes here.
    pub guard: Value,
    /// Where it stands.
    pub position: Position,
    /// Values of slots that were not written.
    initial: BTreeMap<Slot, Value>,
    /// Where parsing has ended within the visit.
    pub failed: Vec<(ErrorCode, Edge)>,
}

/// The way from one visit to the next.
#[derive(Clone, Debug)]
pub struct Edge {
    /// Whether it is taken.
    pub guard: Value,
    /// What the packet carries.
    pub store: Box<ParserStore>,
}

/// Which visits may come before which.
#[derive(Debug, Default)]
pub struct Order {
    before: Vec<BTreeSet<Node>>,
}

impl Order {
    /// A new visit, after these.
    pub fn push(&mut self, after: impl IntoIterator<Item = Node>) -> Node {
        let mut before = BTreeSet::new();
        for node in after {
            before.extend(self.before.get(node).into_iter().flatten().copied());
            before.insert(node);
        }
        self.before.push(before);
        self.before.len() - 1
    }

    /// Whether no packet makes both visits.
    fn exclusive(&self, a: Node, b: Node) -> bool {
        let comes = |a: Node, b: Node| self.before.get(b).is_some_and(|before| before.contains(&a));
        a != b && !comes(a, b) && !comes(b, a)
    }
}

impl ParserStore {
    /// The point before the first state.
    pub fn new(guard: Value, position: Position, initial: BTreeMap<Slot, Value>) -> Self {
        ParserStore {
            slots: BTreeMap::new(),
            touched: BTreeMap::new(),
            node: 0,
            guard,
            position,
            initial,
            failed: Vec::new(),
        }
    }

    /// A way out of here.
    pub fn edge(&self, guard: Value) -> Edge {
        Edge { guard, store: Box::new(ParserStore { failed: Vec::new(), ..self.clone() }) }
    }
}

impl Lower<'_> {
    /// The point at which edges meet.
    pub fn meet(&mut self, order: &mut Order, edges: &[Edge]) -> Option<ParserStore> {
        let (last, _) = edges.split_last()?;
        let node = order.push(edges.iter().map(|e| e.store.node));
        let guard = self.make.any(edges.iter().map(|e| e.guard));
        let mut met = ParserStore { node, guard, ..(*last.store).clone() };
        let by_edge = |lower: &mut Self, values: Vec<Value>| {
            let (default, _) = values.split_last()?;
            let arms: Vec<(Value, Value)> =
                edges.iter().zip(&values).map(|(e, v)| (e.guard, *v)).collect();
            Some(lower.make.select(&arms[..arms.len() - 1], *default))
        };
        let positions = edges.iter().map(|e| e.store.position.value).collect();
        met.position.value = by_edge(self, positions)?;
        let candidates: BTreeSet<u32> =
            edges.iter().flat_map(|e| e.store.position.candidates.iter().copied()).collect();
        met.position.candidates = candidates.into_iter().collect();
        let cells: BTreeSet<Cell> =
            edges.iter().flat_map(|e| e.store.touched.keys().copied()).collect();
        for cell in cells {
            let no = self.make.truth(false);
            let touched =
                edges.iter().map(|e| e.store.touched.get(&cell).copied().unwrap_or(no)).collect();
            let touched = by_edge(self, touched)?;
            met.touched.insert(cell, touched);
        }
        let slots: BTreeSet<Slot> =
            edges.iter().flat_map(|e| e.store.slots.keys().copied()).collect();
        for slot in slots {
            let mut united = Reaching { definitions: Vec::new(), initial: false };
            for edge in edges {
                match edge.store.slots.get(&slot) {
                    Some(reaching) => {
                        united.initial |= reaching.initial;
                        for definition in &reaching.definitions {
                            if !united.definitions.contains(definition) {
                                united.definitions.push(definition.clone());
                            }
                        }
                    }
                    None => united.initial = true,
                }
            }
            let mut pairs =
                united.definitions.iter().enumerate().flat_map(|(i, a)| {
                    united.definitions[..i].iter().map(move |b| (a.node, b.node))
                });
            if !pairs.all(|(a, b)| order.exclusive(a, b)) {
                let values =
                    edges.iter().map(|e| e.store.clone().get(&mut self.make, slot)).collect();
                let value = by_edge(self, values)?;
                united = Reaching {
                    definitions: vec![Definition { node, guard, value }],
                    initial: false,
                };
            }
            met.slots.insert(slot, united);
        }
        Some(met)
    }
}

impl Store for ParserStore {
    const PARSER: bool = true;

    fn get(&mut self, make: &mut Maker<'_>, slot: Slot) -> Value {
        let initial = match (self.initial.get(&slot), slot_type(make.program, slot)) {
            (Some(value), _) => *value,
            (None, Some(ty)) => make.zero(ty),
            (None, None) => make.truth(false),
        };
        let Some(reaching) = self.slots.get(&slot) else { return initial };
        let arms: Vec<(Value, Value)> =
            reaching.definitions.iter().map(|d| (d.guard, d.value)).collect();
        match (arms.split_last(), reaching.initial) {
            (Some(((_, last), others)), false) => make.select(others, *last),
            (Some(_), true) => make.select(&arms, initial),
            (None, _) => initial,
        }
    }

    fn set(&mut self, _: &mut Maker<'_>, slot: Slot, value: Value) {
        let definition = Definition { node: self.node, guard: self.guard, value };
        self.slots.insert(slot, Reaching { definitions: vec![definition], initial: false });
    }

    fn path(&mut self, _: &mut Maker<'_>) -> Value {
        self.guard
    }

    fn touched(&mut self, make: &mut Maker<'_>, cell: Cell) -> Value {
        let no = make.truth(false);
        self.touched.get(&cell).copied().unwrap_or(no)
    }

    fn touch(&mut self, make: &mut Maker<'_>, cell: Cell) {
        let yes = make.truth(true);
        self.touched.insert(cell, yes);
    }

    fn require(&mut self, make: &mut Maker<'_>, ok: Value, error: ErrorCode) {
        let wrong = make.not(ok);
        let fails = make.and(self.guard, wrong);
        if make.as_truth(fails) != Some(false) {
            let edge = self.edge(fails);
            self.failed.push((error, edge));
        }
        self.guard = make.and(self.guard, ok);
    }

    fn position(&mut self) -> Option<Position> {
        Some(self.position.clone())
    }
}
