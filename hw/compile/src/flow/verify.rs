//! What must hold of a flow.
//!
//! [`verify`] finds every breach of the contract in the documentation of [`super`]. It is meant for the tests
//! of what makes and changes flows; a flow comes from this crate, never from outside.

use super::{Access, AccessKind, Cell, Def, Flow, HashUse, Slot, Value, hash_width, slot_type};
use restage_program::entity::Entity;
use restage_program::op::Op;
use restage_program::program::{HashAlgorithm, Program};
use restage_program::types::MAX_WIDTH;
use restage_program::{Type, types::bit};
use std::collections::BTreeSet;

/// A breach of the contract.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{flow}: {at}: {what}")]
pub struct FlowFault {
    /// The flow.
    pub flow: String,
    /// The value, access or slot.
    pub at: String,
    /// What is wrong.
    pub what: String,
}

/// All breaches of the contract.
pub fn verify(program: &Program, flow: &Flow) -> Result<(), Vec<FlowFault>> {
    let mut cx = Cx { program, flow, found: Vec::new(), at: String::new() };
    for (value, decl) in flow.values.iter() {
        cx.at = format!("{value:?}");
        cx.value(value, &decl.def, decl.ty);
    }
    let (mut cells, mut slots) = (BTreeSet::new(), BTreeSet::new());
    for (access, decl) in flow.accesses.iter() {
        cx.at = format!("{access:?}");
        cx.want(decl.guard, Type::Bool, "guard");
        cx.access(access, &decl.kind);
        if let Some(cell) = decl.kind.cell()
            && !cells.insert(cell)
        {
            cx.say(format!("a second access of {cell:?}"));
        }
    }
    for (slot, _) in flow.inputs() {
        cx.at = format!("{slot:?}");
        if !slots.insert(slot) {
            cx.say("read by two values".into());
        }
    }
    slots.clear();
    for (slot, value) in &flow.outputs {
        cx.at = format!("{slot:?}");
        if !slots.insert(*slot) {
            cx.say("written twice".into());
        }
        match (slot_type(program, *slot), slot) {
            (_, Slot::Available) => cx.say("is not written".into()),
            (Some(ty), _) => cx.want(*value, ty, "value"),
            (None, Slot::Temp(_) | Slot::Shared(_)) => cx.exists(*value),
            (None, _) => cx.say("does not exist".into()),
        }
    }
    if cx.found.is_empty() { Ok(()) } else { Err(cx.found) }
}

struct Cx<'a> {
    program: &'a Program,
    flow: &'a Flow,
    found: Vec<FlowFault>,
    at: String,
}

impl Cx<'_> {
    fn say(&mut self, what: String) {
        self.found.push(FlowFault { flow: self.flow.name.clone(), at: self.at.clone(), what });
    }

    fn exists(&mut self, value: Value) {
        if !self.flow.values.contains(value) {
            self.say(format!("{value:?} does not exist"));
        }
    }

    fn ty(&self, value: Value) -> Option<Type> {
        self.flow.values.get(value).map(|v| v.ty)
    }

    fn want(&mut self, value: Value, ty: Type, what: &str) {
        match self.ty(value) {
            Some(found) if found == ty => {}
            Some(found) => self.say(format!("{what} {value:?} is {found}, not {ty}")),
            None => self.say(format!("{what} {value:?} does not exist")),
        }
    }

    fn want_bits(&mut self, value: Value, what: &str) {
        if !matches!(self.ty(value), Some(Type::Bit(_))) {
            self.say(format!("{what} {value:?} is no `bit`"));
        }
    }

    fn value(&mut self, value: Value, def: &Def, ty: Type) {
        let mut late = None;
        def.operands(&mut |v| {
            if v.index() >= value.index() {
                late = Some(v);
            }
        });
        if let Some(v) = late {
            return self.say(format!("operand {v:?} does not come before"));
        }
        if !(ty.is_number() || ty == Type::Bool) {
            self.say(format!("{ty} is no type of a value"));
        }
        match def {
            Def::Slot(slot) => match (slot_type(self.program, *slot), slot) {
                (Some(wanted), _) if wanted != ty => self.say(format!("{slot:?} is {wanted}")),
                (None, slot) if !matches!(slot, Slot::Temp(_) | Slot::Shared(_)) => {
                    self.say(format!("{slot:?} does not exist"));
                }
                _ => {}
            },
            Def::Const(bits) if bits.width() != ty.width() => {
                self.say(format!("{} bits in {ty}", bits.width()));
            }
            Def::Const(_) => {}
            Def::Op(op, args) => self.op(*op, args, ty),
            Def::Select { arms, default } => {
                for (condition, chosen) in arms {
                    self.want(*condition, Type::Bool, "condition");
                    self.want(*chosen, ty, "arm");
                }
                self.want(*default, ty, "default");
            }
            Def::Out(access, port) => self.out(value, *access, *port, ty),
            Def::Hash(hash) => self.hash(hash, ty),
            Def::Window(window) => {
                if let Some(at) = &window.at {
                    self.want_bits(at.position, "position");
                    if !at.candidates.is_sorted_by(|a, b| a < b) || at.candidates.is_empty() {
                        self.say("candidates do not ascend".into());
                    }
                }
            }
            Def::WindowSum { length } => {
                self.want_bits(*length, "length");
                if ty != bit(32) {
                    self.say("a sum is bit<32>".into());
                }
            }
        }
    }

    fn op(&mut self, op: Op, args: &[Value], ty: Type) {
        let types: Vec<Type> = args.iter().filter_map(|a| self.ty(*a)).collect();
        // A wide varbit is only chosen.
        let wide = matches!(op, Op::Mux) && ty.width() > MAX_WIDTH;
        match op.result_type(&types) {
            Ok(result) if result == ty => {}
            Ok(result) => self.say(format!("gives {result}, not {ty}")),
            Err(error) => self.say(error.to_string()),
        }
        if !wide && types.iter().chain([&ty]).any(|t| t.width() > MAX_WIDTH) {
            self.say(format!("more than {MAX_WIDTH} bits"));
        }
    }

    fn hash(&mut self, hash: &HashUse, ty: Type) {
        if ty != bit(hash_width(hash.algorithm)) {
            self.say(format!("{:?} does not give {ty}", hash.algorithm));
        }
        for item in &hash.items {
            if let Some(present) = item.present {
                self.want(present, Type::Bool, "presence");
            }
            if let Some(bytes) = item.bytes {
                self.want_bits(bytes, "bytes");
            }
        }
        if let Some(behind) = hash.behind {
            self.want(behind, bit(16), "sum behind");
            if hash.algorithm != HashAlgorithm::Csum16 {
                self.say(format!("{:?} has no sum behind", hash.algorithm));
            }
        }
    }

    fn out(&mut self, value: Value, access: Access, port: u32, ty: Type) {
        let Some(decl) = self.flow.accesses.get(access) else {
            return self.say(format!("{access:?} does not exist"));
        };
        let mut late = None;
        let mut check = |v: Value| {
            if v.index() >= value.index() {
                late = Some(v);
            }
        };
        decl.kind.issue(&mut check);
        check(decl.guard);
        if let Some(v) = late {
            return self.say(format!("{access:?} wants {v:?}, which does not come before"));
        }
        let found = match &decl.kind {
            AccessKind::Random { draws, .. } => {
                draws.get(port as usize).and_then(|d| self.ty(d.high))
            }
            kind => kind.ports(self.program).get(port as usize).copied(),
        };
        if found != Some(ty) {
            self.say(format!("port {port} of {access:?} is {found:?}, not {ty}"));
        }
    }

    fn access(&mut self, access: Access, kind: &AccessKind) {
        let mut values = Vec::new();
        kind.issue(&mut |v| values.push(v));
        kind.update(&mut |v| values.push(v));
        if let Some(missing) = values.iter().find(|v| !self.flow.values.contains(**v)) {
            return self.say(format!("{missing:?} does not exist"));
        }
        let program = self.program;
        match kind {
            AccessKind::Table(u) => {
                let Some(decl) = program.tables.get(u.table) else {
                    return self.say(format!("{:?} does not exist", u.table));
                };
                if decl.keys.len() != u.keys.len() {
                    self.say(format!("{} keys instead of {}", u.keys.len(), decl.keys.len()));
                }
                for (key, decl) in u.keys.iter().zip(&decl.keys) {
                    match program.type_of(&decl.value, &[]) {
                        Ok(Type::Error) => self.want(*key, bit(32), "key"),
                        Ok(ty) => self.want(*key, ty, "key"),
                        Err(error) => self.say(error.to_string()),
                    }
                }
                if let Some(length) = u.length {
                    self.want(length, bit(16), "length");
                }
            }
            AccessKind::Register { register, index, write } => {
                self.want_bits(*index, "index");
                match (program.registers.get(*register), write) {
                    (Some(decl), Some(write)) => {
                        self.want(write.enable, Type::Bool, "enable");
                        self.want(write.data, decl.ty, "data");
                        self.cone(access);
                    }
                    (Some(_), None) => {}
                    (None, _) => self.say(format!("{register:?} does not exist")),
                }
            }
            AccessKind::Counter { index, length, .. } | AccessKind::Meter { index, length, .. } => {
                self.want_bits(*index, "index");
                self.want(*length, bit(16), "length");
            }
            AccessKind::Map(u) => {
                let Some(decl) = program.maps.get(u.map) else {
                    return self.say(format!("{:?} does not exist", u.map));
                };
                for (key, field) in u.key.iter().zip(&decl.key) {
                    self.want(*key, field.ty, "key");
                }
                self.want(u.touch, Type::Bool, "touch");
                if let Some(put) = &u.put {
                    self.want(put.enable, Type::Bool, "enable");
                    for (value, field) in put.values.iter().zip(&decl.values) {
                        self.want(*value, field.ty, "value");
                    }
                }
                if let Some(remove) = u.remove {
                    self.want(remove, Type::Bool, "remove");
                }
                self.cone(access);
            }
            AccessKind::Random { draws, .. } => {
                for draw in draws {
                    self.want(draw.guard, Type::Bool, "guard");
                    self.want_bits(draw.low, "low");
                    self.want_bits(draw.high, "high");
                }
            }
            AccessKind::ValueSet { set, columns } => {
                let Some(decl) = program.value_sets.get(*set) else {
                    return self.say(format!("{set:?} does not exist"));
                };
                for (value, column) in columns.iter().zip(&decl.columns) {
                    self.want(*value, column.ty, "column");
                }
            }
        }
    }

    /// What an access writes must not wait for another access that waits for this one.
    fn cone(&mut self, access: Access) {
        for other in self.flow.own_cone(access).1 {
            self.say(format!("what it writes waits for {other:?}, which waits for it"));
        }
    }
}

impl Flow {
    /// The values that depend on an access and on which what it writes depends: they are computed between
    /// its reading and its writing, in one clock. And the other accesses among them, of which there must be
    /// none.
    pub fn own_cone(&self, access: Access) -> (Vec<Value>, Vec<Access>) {
        let mut depends = vec![false; self.values.len()];
        for (value, decl) in self.values.iter() {
            let mut on = matches!(decl.def, Def::Out(a, _) if a == access);
            let mut look = |v: Value| on |= depends.get(v.index()).copied().unwrap_or(false);
            decl.def.operands(&mut look);
            if let Def::Out(other, _) = decl.def
                && let Some(other) = self.accesses.get(other)
            {
                other.kind.issue(&mut look);
                look(other.guard);
            }
            depends[value.index()] = on;
        }
        let mut wanted = vec![false; self.values.len()];
        let mut want = |v: Value| {
            if let Some(w) = wanted.get_mut(v.index()) {
                *w = true;
            }
        };
        if let Some(decl) = self.accesses.get(access) {
            decl.kind.update(&mut want);
        }
        let (mut cone, mut others) = (Vec::new(), BTreeSet::new());
        for (value, decl) in self.values.iter().rev() {
            if !wanted[value.index()] || !depends[value.index()] {
                continue;
            }
            cone.push(value);
            let mut more = Vec::new();
            decl.def.operands(&mut |v| more.push(v));
            if let Def::Out(other, _) = decl.def
                && other != access
            {
                others.insert(other);
            }
            more.into_iter().for_each(|v| wanted[v.index()] = true);
        }
        cone.reverse();
        (cone, others.into_iter().collect())
    }

    /// The cells that it accesses.
    pub fn cells(&self) -> impl Iterator<Item = (Cell, Access)> + '_ {
        self.accesses.iter().filter_map(|(a, decl)| Some((decl.kind.cell()?, a)))
    }
}
