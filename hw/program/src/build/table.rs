//! Tables, profiles and what belongs to them.

use super::value::{Field, Operand, Val};
use super::{Args, Builder, SelectMatches};
use crate::bits::Bits;
use crate::entity::{Action, Profile};
use crate::entry::{Entry, EntryTarget, KeyMatch};
use crate::expr::{Expr, HeaderRef, Place};
use crate::program::{
    ActionCall, ActionRef, ActionScope, DirectCounter, DirectMeter, Item, Key, MatchKind, Preamble,
    Program, TableDecl, Unit,
};
use crate::types::Type;

/// A table that is being described.
#[derive(Debug)]
pub struct TableBody<'b> {
    pub(super) builder: &'b mut Builder,
    pub(super) decl: TableDecl,
}

impl TableBody<'_> {
    fn key(&mut self, value: Val, kind: MatchKind) -> &mut Self {
        let name = key_name(&self.builder.program, &value.expr)
            .unwrap_or_else(|| format!("key{}", self.decl.keys.len() + 1));
        self.decl.keys.push(Key { name, value: value.expr, kind });
        self
    }

    /// A key that must be equal.
    pub fn exact(&mut self, value: impl Into<Val>) -> &mut Self {
        self.key(value.into(), MatchKind::Exact)
    }

    /// A key whose longest prefix wins.
    pub fn lpm(&mut self, value: impl Into<Val>) -> &mut Self {
        self.key(value.into(), MatchKind::Lpm)
    }

    /// A key that is compared under a mask.
    pub fn ternary(&mut self, value: impl Into<Val>) -> &mut Self {
        self.key(value.into(), MatchKind::Ternary)
    }

    /// A key that lies between two numbers.
    pub fn range(&mut self, value: impl Into<Val>) -> &mut Self {
        self.key(value.into(), MatchKind::Range)
    }

    /// A key that is equal or does not matter.
    pub fn optional(&mut self, value: impl Into<Val>) -> &mut Self {
        self.key(value.into(), MatchKind::Optional)
    }

    /// Another control plane name for the key declared last.
    pub fn named(&mut self, name: &str) -> &mut Self {
        if let Some(key) = self.decl.keys.last_mut() {
            key.name = name.into();
        }
        self
    }

    fn scoped<const N: usize>(&mut self, actions: [Action; N], scope: ActionScope) -> &mut Self {
        self.decl.actions.extend(actions.map(|action| ActionRef { action, scope }));
        self
    }

    /// Actions for entries and as the default.
    pub fn actions<const N: usize>(&mut self, actions: [Action; N]) -> &mut Self {
        self.scoped(actions, ActionScope::TableAndDefault)
    }

    /// Actions for the default only.
    pub fn default_only<const N: usize>(&mut self, actions: [Action; N]) -> &mut Self {
        self.scoped(actions, ActionScope::DefaultOnly)
    }

    /// Actions for entries only.
    pub fn table_only<const N: usize>(&mut self, actions: [Action; N]) -> &mut Self {
        self.scoped(actions, ActionScope::TableOnly)
    }

    /// What a miss does, until the control plane says otherwise.
    pub fn default(&mut self, action: Action, args: impl Args) -> &mut Self {
        self.decl.default = self.action_call(action, args.args());
        if !self.decl.actions.iter().any(|a| a.action == action) {
            self.default_only([action]);
        }
        self
    }

    /// What a miss does, always.
    pub fn const_default(&mut self, action: Action, args: impl Args) -> &mut Self {
        self.decl.const_default = true;
        self.default(action, args)
    }

    /// A miss does nothing, always: `const default_action = NoAction()`.
    pub fn const_no_action(&mut self) -> &mut Self {
        let none = self.builder.no_action();
        self.const_default(none, [])
    }

    fn action_call(&self, action: Action, args: Vec<Operand>) -> ActionCall {
        let decl = self.builder.program.actions.get(action);
        let ty = |i: usize| decl.and_then(|d| d.params.get(i)).map_or(Type::Bool, |p| p.ty);
        let constant = |(i, arg): (usize, Operand)| match arg.fit(ty(i)) {
            Expr::Const { value, .. } => value,
            // Not a constant: no width fits, so the checker reports it.
            _ => Bits::zero(0),
        };
        ActionCall { action, args: args.into_iter().enumerate().map(constant).collect() }
    }

    /// An entry that comes with the program. The first one declared has the highest priority.
    pub fn entry(
        &mut self,
        keys: impl SelectMatches,
        action: Action,
        args: impl Args,
    ) -> &mut Self {
        let program = &self.builder.program;
        let keys = keys.matches().into_iter().enumerate().map(|(i, m)| {
            let key = self.decl.keys.get(i);
            let ty = key.and_then(|k| program.type_of(&k.value, &[]).ok()).unwrap_or(Type::Bool);
            match (m.fit(ty), key.map(|k| k.kind)) {
                (KeyMatch::Exact(v), Some(MatchKind::Ternary)) => {
                    KeyMatch::Masked { mask: Bits::ones(v.width()), value: v }
                }
                (KeyMatch::Exact(v), Some(MatchKind::Lpm)) => {
                    KeyMatch::Lpm { prefix: v.width(), value: v }
                }
                (KeyMatch::Exact(v), Some(MatchKind::Range)) => {
                    KeyMatch::Range { low: v.clone(), high: v }
                }
                (other, _) => other,
            }
        });
        let keys = keys.collect();
        let target = EntryTarget::Action(self.action_call(action, args.args()));
        self.decl.entries.push(Entry { keys, priority: 0, target, idle_timeout_us: 0 });
        self
    }

    /// Says that the entries declared are all there ever are; the table's size is their number.
    pub fn const_entries(&mut self) -> &mut Self {
        self.decl.const_entries = true;
        self
    }

    /// Entries that the table must be able to hold.
    pub fn size(&mut self, size: u32) -> &mut Self {
        self.decl.size = size;
        self
    }

    /// The profile in which the table's actions are.
    pub fn implementation(&mut self, profile: Profile) -> &mut Self {
        self.decl.profile = Some(profile);
        self
    }

    /// A direct counter: every hit counts.
    pub fn counter(&mut self, name: &str, unit: Unit) -> &mut Self {
        let preamble = Preamble { name: name.into(), ..self.decl.preamble.clone() };
        self.decl.counter = Some(DirectCounter { preamble, unit });
        self
    }

    /// A direct meter: every hit is metered, and `dst` gets the colour before the action runs.
    pub fn meter(&mut self, name: &str, unit: Unit, dst: Field) -> &mut Self {
        let preamble = Preamble { name: name.into(), ..self.decl.preamble.clone() };
        self.decl.meter = Some(DirectMeter { preamble, unit, dst: dst.into() });
        self
    }

    /// Lets entries time out when they are not hit.
    pub fn idle_timeout(&mut self) -> &mut Self {
        self.decl.idle_timeout = true;
        self
    }

    /// The declaration, with priorities for its entries and `NoAction` for a default that was not given.
    pub(super) fn finish(mut self) -> TableDecl {
        let ranked = |k: &Key| !matches!(k.kind, MatchKind::Exact | MatchKind::Lpm);
        if self.decl.keys.iter().any(ranked) {
            let count = self.decl.entries.len() as u32;
            for (i, entry) in self.decl.entries.iter_mut().enumerate() {
                entry.priority = count - i as u32;
            }
        }
        if self.decl.const_entries {
            self.decl.size = self.decl.entries.len() as u32;
        }
        if self.decl.default.action == super::NO_DEFAULT {
            let none = self.builder.no_action();
            self.default(none, []);
        }
        self.decl
    }
}

/// As P4 names a key: the text of a field or of a validity.
fn key_name(program: &Program, expr: &Expr) -> Option<String> {
    let fixed = |h: &HeaderRef| matches!(h, HeaderRef::Header(_));
    let named = match expr {
        Expr::Read(Place::Meta(_)) => true,
        Expr::Read(Place::Field { header, .. }) | Expr::Valid(header) => fixed(header),
        _ => false,
    };
    named.then(|| program.text_of(expr, &[]))
}

/// Fields of headers are left out of checksums and selections when the header is invalid.
pub(super) fn if_valid(items: Vec<Item>) -> Vec<Item> {
    let one = |item| match item {
        Item::Value(Expr::Read(Place::Field { header, field })) => Item::IfValid { header, field },
        other => other,
    };
    items.into_iter().map(one).collect()
}
