//! Making flows: values are made once each and simplified on the way.
//!
//! While a flow is made an access may be used before all that it needs is known (several places may use it,
//! each under another condition); [`Maker::fill`] says it in the end, and [`super::order()`] puts everything in order.

use super::{
    Access, AccessDecl, AccessKind, Def, Flow, HashUse, Origin, Slot, Value, ValueDecl, Window,
    bits_for, hash_width, slot_type,
};
use restage_program::entity::{Entity, EntityMap};
use restage_program::op::Op;
use restage_program::program::Program;
use restage_program::types::bit;
use restage_program::{Bits, Type};
use std::collections::HashMap;

/// A flow under construction.
#[derive(Debug)]
pub struct Maker<'p> {
    /// The program that it is made of.
    pub program: &'p Program,
    values: EntityMap<Value, ValueDecl>,
    /// `None` until it is known what they need.
    accesses: EntityMap<Access, Option<AccessDecl>>,
    known: HashMap<(Type, Def), Value>,
    origin: Origin,
}

impl<'p> Maker<'p> {
    /// An empty flow.
    pub fn new(program: &'p Program) -> Self {
        Maker {
            program,
            values: EntityMap::new(),
            accesses: EntityMap::new(),
            known: HashMap::new(),
            origin: Origin::default(),
        }
    }

    /// From now on values come from this place of the program; what was said before is returned.
    pub fn set_origin(&mut self, origin: Origin) -> Origin {
        std::mem::replace(&mut self.origin, origin)
    }

    /// The place of the program that values come from now.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// A value's declaration.
    pub fn decl(&self, value: Value) -> &ValueDecl {
        &self.values[value]
    }

    /// A value's type.
    pub fn ty(&self, value: Value) -> Type {
        self.values[value].ty
    }

    /// The value that is defined so, made unless there is one already. Nothing is simplified.
    pub fn define(&mut self, ty: Type, def: Def) -> Value {
        if let Some(known) = self.known.get(&(ty, def.clone())) {
            return *known;
        }
        let decl = ValueDecl { ty, def: def.clone(), name: None, origin: self.origin.clone() };
        let value = self.values.push(decl);
        self.known.insert((ty, def), value);
        value
    }

    /// Gives a value a name for people, unless it has one.
    pub fn name(&mut self, value: Value, name: &str) {
        let decl = &mut self.values[value];
        if decl.name.is_none() && !matches!(decl.def, Def::Const(_) | Def::Slot(_)) {
            decl.name = Some(name.to_string());
        }
    }

    /// A constant.
    pub fn constant(&mut self, ty: Type, bits: Bits) -> Value {
        self.define(ty, Def::Const(bits))
    }

    /// A `bit` constant: the low bits of a number.
    pub fn number(&mut self, width: u32, number: u64) -> Value {
        self.constant(bit(width), Bits::new(width, number.into()))
    }

    /// A constant of `bit` type just wide enough to count to `most`.
    pub fn count(&mut self, number: u32, most: u32) -> Value {
        self.number(bits_for(most as usize + 1), number.into())
    }

    /// A `bool` constant.
    pub fn truth(&mut self, truth: bool) -> Value {
        self.constant(Type::Bool, Bits::new(1, truth.into()))
    }

    /// 0 of a type.
    pub fn zero(&mut self, ty: Type) -> Value {
        self.constant(ty, Bits::zero(ty.width()))
    }

    /// The constant that a value is.
    pub fn as_const(&self, value: Value) -> Option<&Bits> {
        match &self.values[value].def {
            Def::Const(bits) => Some(bits),
            _ => None,
        }
    }

    /// Whether a `bool` is known.
    pub fn as_truth(&self, value: Value) -> Option<bool> {
        self.as_const(value).map(|b| !b.is_zero())
    }

    /// What a slot held in the beginning.
    pub fn slot(&mut self, slot: Slot) -> Value {
        let ty = slot_type(self.program, slot).unwrap_or(Type::Bool);
        self.define(ty, Def::Slot(slot))
    }

    /// An operation; operands must be of types that it takes.
    pub fn op(&mut self, op: Op, args: &[Value]) -> Value {
        self.simplified(op, args)
    }

    /// `a && b`.
    pub fn and(&mut self, a: Value, b: Value) -> Value {
        self.op(Op::And, &[a, b])
    }

    /// `a || b`.
    pub fn or(&mut self, a: Value, b: Value) -> Value {
        self.op(Op::Or, &[a, b])
    }

    /// `!a`.
    pub fn not(&mut self, a: Value) -> Value {
        self.op(Op::Not, &[a])
    }

    /// `a == b`.
    pub fn eq(&mut self, a: Value, b: Value) -> Value {
        self.op(Op::Eq, &[a, b])
    }

    /// `a == number`.
    pub fn is(&mut self, a: Value, number: u64) -> Value {
        let ty = self.ty(a);
        let number = self.constant(ty, Bits::new(ty.width(), number.into()));
        self.eq(a, number)
    }

    /// `condition ? then : otherwise`.
    pub fn mux(&mut self, condition: Value, then: Value, otherwise: Value) -> Value {
        self.op(Op::Mux, &[condition, then, otherwise])
    }

    /// Cut, or extended by the sign of the operand's type.
    pub fn cast(&mut self, to: Type, a: Value) -> Value {
        self.op(Op::Cast(to), &[a])
    }

    /// The same bits as `bit`, cut or with zeros in front.
    pub fn natural(&mut self, width: u32, a: Value) -> Value {
        let ty = self.ty(a);
        let plain = match ty {
            Type::Int(w) => self.cast(bit(w), a),
            Type::Bool => self.cast(bit(1), a),
            _ => a,
        };
        self.cast(bit(width), plain)
    }

    /// The value whose condition holds (one at most does), or the default.
    pub fn select(&mut self, arms: &[(Value, Value)], default: Value) -> Value {
        let mut united: Vec<(Value, Value)> = Vec::new();
        for (condition, value) in arms {
            if *value == default || self.as_truth(*condition) == Some(false) {
                continue;
            }
            if self.as_truth(*condition) == Some(true) {
                return *value;
            }
            match united.iter().position(|(_, v)| v == value) {
                Some(i) => united[i].0 = self.or(united[i].0, *condition),
                None => united.push((*condition, *value)),
            }
        }
        match united.as_slice() {
            [] => return default,
            [(condition, value)] => return self.mux(*condition, *value, default),
            _ => {}
        }
        if let Some(otherwise) = self.as_truth(default).filter(|_| self.ty(default) == Type::Bool) {
            let chosen: Vec<Value> = united.iter().map(|(c, v)| self.and(*c, *v)).collect();
            let chosen = self.any(chosen);
            if !otherwise {
                return chosen;
            }
            let none = self.any(united.iter().map(|(c, _)| *c));
            let none = self.not(none);
            return self.or(chosen, none);
        }
        let ty = self.ty(default);
        self.define(ty, Def::Select { arms: united, default })
    }

    /// Whether any of these holds.
    pub fn any(&mut self, conditions: impl IntoIterator<Item = Value>) -> Value {
        let mut any = self.truth(false);
        for condition in conditions {
            any = self.or(any, condition);
        }
        any
    }

    /// A hash.
    pub fn hash(&mut self, hash: HashUse) -> Value {
        self.define(bit(hash_width(hash.algorithm)), Def::Hash(hash))
    }

    /// Bits of the header window.
    pub fn window(&mut self, ty: Type, window: Window) -> Value {
        self.define(ty, Def::Window(window))
    }

    /// A new access, of which is said later what it needs.
    pub fn access(&mut self) -> Access {
        self.accesses.push(None)
    }

    /// Says what an access needs.
    pub fn fill(&mut self, access: Access, guard: Value, kind: AccessKind, origin: Origin) {
        self.accesses[access] = Some(AccessDecl { guard, kind, origin });
    }

    /// An output of an access.
    pub fn out(&mut self, access: Access, port: u32, ty: Type) -> Value {
        self.define(ty, Def::Out(access, port))
    }

    /// Puts all of another flow in; its values here, by their positions there.
    pub fn copy(&mut self, flow: &Flow) -> Vec<Value> {
        self.copy_with(flow, &mut |_, _| None)
    }

    /// As [`copy`](Self::copy), with another value in the place of some slots.
    pub fn copy_with(
        &mut self,
        flow: &Flow,
        instead: &mut dyn FnMut(&mut Self, Slot) -> Option<Value>,
    ) -> Vec<Value> {
        let accesses: Vec<Access> = flow.accesses.keys().map(|_| self.access()).collect();
        let mut values: Vec<Value> = Vec::with_capacity(flow.values.len());
        for decl in flow.values.values() {
            self.set_origin(decl.origin.clone());
            let other = match &decl.def {
                Def::Slot(slot) => instead(self, *slot),
                _ => None,
            };
            let value = match (other, &decl.def) {
                (Some(other), _) => other,
                (None, Def::Out(access, port)) => {
                    self.out(accesses[access.index()], *port, decl.ty)
                }
                (None, def) => {
                    let mut def = def.clone();
                    def.map_operands(&mut |v| values[v.index()]);
                    self.define(decl.ty, def)
                }
            };
            if let Some(name) = &decl.name {
                self.name(value, name);
            }
            values.push(value);
        }
        for (access, decl) in flow.accesses.iter() {
            let mut decl = decl.clone();
            decl.kind.map_values(&mut |v| values[v.index()]);
            let guard = values[decl.guard.index()];
            self.fill(accesses[access.index()], guard, decl.kind, decl.origin);
        }
        values
    }

    /// The flow, not in order yet. Accesses of which nothing was said are never used.
    pub fn finish(self, name: &str, outputs: Vec<(Slot, Value)>) -> Flow {
        let mut accesses = EntityMap::new();
        let mut guard = None;
        let mut values = self.values;
        for decl in self.accesses.values() {
            let never = || AccessDecl {
                guard: *guard.get_or_insert_with(|| {
                    values.push(ValueDecl {
                        ty: Type::Bool,
                        def: Def::Const(Bits::zero(1)),
                        name: None,
                        origin: Origin::default(),
                    })
                }),
                kind: AccessKind::Random { site: 0, draws: Vec::new() },
                origin: Origin::default(),
            };
            accesses.push(decl.clone().unwrap_or_else(never));
        }
        Flow { name: name.into(), values, accesses, outputs }
    }
}
