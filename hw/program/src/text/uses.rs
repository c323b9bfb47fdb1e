//! What is used where, which decides where it is declared.

use crate::bits::Bits;
use crate::check::MAX_DEPTH;
use crate::entity::{Action, Counter, Entity, Map, Meter, Profile, Register, Table, ValueSet};
use crate::entry::EntryTarget;
use crate::program::{ActionCall, FieldDecl, Preamble, Program, SelectOn, Transition};
use crate::stmt::{AfterApply, Block, Stmt, StmtKind};
use crate::types::Type;
use std::collections::{BTreeMap, BTreeSet};

/// Parts of a program in which things are declared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Part {
    /// Outside of everything: what several parts use.
    Top,
    /// The parser.
    Parser,
    /// The ingress control.
    Ingress,
    /// The egress control.
    Egress,
}

/// Things with a control plane name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Object {
    Action(u32),
    Table(u32),
    DirectCounter(u32),
    DirectMeter(u32),
    Profile(u32),
    Counter(u32),
    Meter(u32),
    Register(u32),
    Map(u32),
    ValueSet(u32),
}

macro_rules! objects {
    ($($kind:ident)*) => {$(
        impl From<$kind> for Object {
            fn from(key: $kind) -> Self {
                Object::$kind(key.index() as u32)
            }
        }
    )*};
}

objects! { Action Table Profile Counter Meter Register Map ValueSet }

impl Object {
    /// Name, id and annotations.
    pub fn preamble(self, p: &Program) -> Option<&Preamble> {
        match self {
            Object::Action(i) => p.actions.get(Action(i)).map(|d| &d.preamble),
            Object::Table(i) => p.tables.get(Table(i)).map(|d| &d.preamble),
            Object::DirectCounter(i) => {
                p.tables.get(Table(i))?.counter.as_ref().map(|d| &d.preamble)
            }
            Object::DirectMeter(i) => p.tables.get(Table(i))?.meter.as_ref().map(|d| &d.preamble),
            Object::Profile(i) => p.profiles.get(Profile(i)).map(|d| &d.preamble),
            Object::Counter(i) => p.counters.get(Counter(i)).map(|d| &d.preamble),
            Object::Meter(i) => p.meters.get(Meter(i)).map(|d| &d.preamble),
            Object::Register(i) => p.registers.get(Register(i)).map(|d| &d.preamble),
            Object::Map(i) => p.maps.get(Map(i)).map(|d| &d.preamble),
            Object::ValueSet(i) => p.value_sets.get(ValueSet(i)).map(|d| &d.preamble),
        }
    }

    /// All objects of a program.
    pub fn all(p: &Program) -> Vec<Object> {
        let mut all = Vec::new();
        all.extend(p.value_sets.keys().map(Object::from));
        all.extend(p.registers.keys().map(Object::from));
        all.extend(p.counters.keys().map(Object::from));
        all.extend(p.meters.keys().map(Object::from));
        all.extend(p.maps.keys().map(Object::from));
        all.extend(p.profiles.keys().map(Object::from));
        for (table, decl) in p.tables.iter() {
            if decl.counter.is_some() {
                all.push(Object::DirectCounter(table.0));
            }
            if decl.meter.is_some() {
                all.push(Object::DirectMeter(table.0));
            }
        }
        all.extend(p.actions.keys().map(Object::from));
        all.extend(p.tables.keys().map(Object::from));
        all
    }

    /// Whether it may stand outside of a control: instances may, actions and tables may not.
    fn may_be_on_top(self) -> bool {
        matches!(
            self,
            Object::Profile(_)
                | Object::Counter(_)
                | Object::Meter(_)
                | Object::Register(_)
                | Object::Map(_)
        )
    }
}

/// What is used where.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// Parts that use an object.
    parts: BTreeMap<Object, BTreeSet<Part>>,
    /// Tables that may run an action.
    tables: BTreeMap<Action, BTreeSet<Table>>,
    /// Actions that are called without a table.
    called: BTreeSet<Action>,
    /// What follows the applications of a table: addresses of statements, 0 for the end of the half.
    followers: BTreeMap<Table, BTreeSet<usize>>,
    /// Actions that a table gives negative numbers.
    negative: BTreeSet<Action>,
}

impl Uses {
    /// Looks through a program.
    pub fn of(p: &Program) -> Self {
        let mut uses = Uses::default();
        for (table, decl) in p.tables.iter() {
            for action in decl.actions.iter().map(|r| r.action).chain([decl.default.action]) {
                uses.tables.entry(action).or_default().insert(table);
            }
            if decl.profile.is_some() {
                // Called where the table misses: p4c has no default action for it.
                uses.called.insert(decl.default.action);
            }
            let entries = decl.entries.iter().filter_map(|e| match &e.target {
                EntryTarget::Action(call) => Some(call),
                _ => None,
            });
            for call in entries.chain([&decl.default]).filter(|c| is_negative(p, c)) {
                uses.negative.insert(call.action);
            }
        }
        for state in p.states.values() {
            uses.block(p, Part::Parser, &state.body, 0, 0);
            if let Transition::Select { cases, .. } = &state.next {
                for case in cases {
                    if let SelectOn::ValueSet(set) = case.on {
                        uses.add(Part::Parser, set);
                    }
                }
            }
        }
        uses.block(p, Part::Ingress, &p.ingress, 0, 0);
        uses.block(p, Part::Egress, &p.egress, 0, 0);
        // What nothing runs stands in ingress, with what it uses.
        for table in p.tables.keys() {
            if !uses.is_used(table.into()) {
                uses.table(p, Part::Ingress, table, 0);
            }
        }
        for action in p.actions.keys() {
            if !uses.is_used(action.into()) {
                uses.action(p, Part::Ingress, action, 0);
            }
        }
        uses
    }

    /// Where an object is declared. Actions that both halves use are declared in both.
    pub fn homes(&self, object: Object) -> Vec<Part> {
        let parts = self.parts.get(&object).map(|s| s.iter().copied().collect::<Vec<_>>());
        match parts {
            // A table that is not applied goes without: p4c wants none for it.
            None if matches!(object, Object::DirectMeter(_) | Object::DirectCounter(_)) => vec![],
            None if matches!(object, Object::ValueSet(_)) => vec![Part::Parser],
            None => vec![Part::Ingress],
            Some(parts) if parts.len() > 1 && object.may_be_on_top() => vec![Part::Top],
            Some(parts) => parts,
        }
    }

    /// Whether anything refers to an object.
    fn is_used(&self, object: Object) -> bool {
        self.parts.contains_key(&object)
    }

    /// The only table that runs an action which nothing calls.
    pub fn only_table(&self, action: Action) -> Option<Table> {
        let tables = self.tables.get(&action)?;
        let only = tables.first().filter(|_| tables.len() == 1 && !self.called.contains(&action));
        only.copied()
    }

    /// Whether a table gives an action negative numbers.
    pub fn has_negative(&self, action: Action) -> bool {
        self.negative.contains(&action)
    }

    /// Whether something else follows a table at one place where it is applied than at another.
    pub fn forks(&self, table: Table) -> bool {
        self.followers.get(&table).is_some_and(|f| f.len() > 1)
    }

    fn add(&mut self, part: Part, object: impl Into<Object>) -> bool {
        self.parts.entry(object.into()).or_default().insert(part)
    }

    /// Bodies are looked through once for each part, so this ends even when actions of an unchecked
    /// program call each other.
    fn action(&mut self, p: &Program, part: Part, action: Action, depth: u32) {
        if self.add(part, action)
            && let Some(decl) = p.actions.get(action)
        {
            self.block(p, part, &decl.body, depth + 1, 0);
        }
    }

    fn block(&mut self, p: &Program, part: Part, block: &Block, depth: u32, end: usize) {
        for (i, stmt) in block.iter().enumerate().filter(|_| depth <= MAX_DEPTH) {
            let next = block.get(i + 1).map_or(end, address);
            match &stmt.kind {
                StmtKind::If { then, otherwise, .. } => {
                    self.block(p, part, then, depth + 1, next);
                    self.block(p, part, otherwise, depth + 1, next);
                }
                StmtKind::Apply { table, then } => {
                    let profile = p.tables.get(*table).is_some_and(|t| t.profile.is_some());
                    let alone = *then == AfterApply::Nothing && !profile;
                    let after = if alone { next } else { address(stmt) };
                    self.followers.entry(*table).or_default().insert(after);
                    self.table(p, part, *table, depth);
                    match then {
                        AfterApply::Nothing => {}
                        AfterApply::Hit { hit, miss } => {
                            self.block(p, part, hit, depth + 1, next);
                            self.block(p, part, miss, depth + 1, next);
                        }
                        AfterApply::Switch { cases, default } => {
                            cases
                                .iter()
                                .for_each(|c| self.block(p, part, &c.body, depth + 1, next));
                            self.block(p, part, default, depth + 1, next);
                        }
                    }
                }
                StmtKind::Call { action, .. } => {
                    self.called.insert(*action);
                    self.action(p, part, *action, depth);
                }
                StmtKind::Count { counter, .. } => {
                    self.add(part, *counter);
                }
                StmtKind::ExecuteMeter { meter, .. } => {
                    self.add(part, *meter);
                }
                StmtKind::ReadRegister { register, .. }
                | StmtKind::WriteRegister { register, .. } => {
                    self.add(part, *register);
                }
                StmtKind::MapLookup { map, .. }
                | StmtKind::MapPut { map, .. }
                | StmtKind::MapRemove { map, .. } => {
                    self.add(part, *map);
                }
                _ => {}
            }
        }
    }

    fn table(&mut self, p: &Program, part: Part, table: Table, depth: u32) {
        if !self.add(part, table) {
            return;
        }
        let Some(decl) = p.tables.get(table) else { return };
        for action in decl.actions.iter().map(|r| r.action).chain([decl.default.action]) {
            self.action(p, part, action, depth);
        }
        if decl.counter.is_some() && self.followers.contains_key(&table) {
            self.add(part, Object::DirectCounter(table.0));
        }
        if decl.meter.is_some() && self.followers.contains_key(&table) {
            self.add(part, Object::DirectMeter(table.0));
        }
        if let Some(profile) = decl.profile {
            self.add(part, profile);
        }
    }
}

/// Which statement this is.
fn address(stmt: &Stmt) -> usize {
    std::ptr::from_ref(stmt).addr()
}

fn is_negative(p: &Program, call: &ActionCall) -> bool {
    let params = p.actions.get(call.action).map(|a| a.params.as_slice()).unwrap_or_default();
    let negative = |(param, value): (&FieldDecl, &Bits)| match param.ty {
        Type::Int(w) if w > 0 => value.bit(w - 1),
        _ => false,
    };
    params.iter().zip(&call.args).any(negative)
}
