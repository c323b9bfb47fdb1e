//! Statements: the bodies of actions and of the two halves.

mod branch;

pub use branch::{Applied, Else};

use super::header::{HeaderView, StackView};
use super::value::{Field, Operand, Val, Value};
use super::{Args, Builder};
use crate::entity::{Action, Counter, Digest, FieldList, Map, Meter, Register, Table};
use crate::expr::{Expr, Place};
use crate::loc::Loc;
use crate::program::{Fault, HashAlgorithm, Item};
use crate::stmt::{AfterApply, Block, Stmt, StmtKind};
use crate::types::Type;

/// A list of statements that is being described. Every method adds one.
#[derive(Debug)]
pub struct Body<'b> {
    pub(super) builder: &'b mut Builder,
    pub(super) stmts: Block,
}

#[track_caller]
fn here(kind: StmtKind) -> Stmt {
    Stmt { kind, loc: Loc::caller() }
}

/// An index is a `bit<32>`; a narrower value is extended, where P4 asks for a cast.
fn index(index: impl Into<Operand>) -> Expr {
    match index.into() {
        Operand::Val(val) if matches!(val.ty, Type::Bit(0..32)) => val.cast(Type::Bit(32)).expr,
        other => other.fit(Type::Bit(32)),
    }
}

impl<'b> Body<'b> {
    pub(super) fn new(builder: &'b mut Builder) -> Self {
        Body { builder, stmts: Vec::new() }
    }

    /// Describes a block of its own.
    pub(super) fn block(&mut self, describe: impl FnOnce(&mut Self)) -> Block {
        let outer = std::mem::take(&mut self.stmts);
        describe(self);
        std::mem::replace(&mut self.stmts, outer)
    }

    fn place_type(&self, place: &Place) -> Type {
        self.builder.program.type_of_place(place).unwrap_or(Type::Bool)
    }

    /// The program so far, for declaring metadata in the middle of things.
    pub fn declare(&mut self) -> &mut Builder {
        self.builder
    }

    /// `dst = src`
    #[track_caller]
    pub fn set(&mut self, dst: impl Into<Place>, src: impl Into<Operand>) {
        let dst = dst.into();
        let src = src.into().fit(self.place_type(&dst));
        self.stmts.push(here(StmtKind::Assign { dst, src }));
    }

    /// `dst = src` of whole headers.
    #[track_caller]
    pub fn copy<H: HeaderView>(&mut self, dst: H, src: H) {
        let (dst, src) = (dst.href().into(), src.href().into());
        self.stmts.push(here(StmtKind::CopyHeader { dst, src }));
    }

    /// `header.setValid()`
    #[track_caller]
    pub fn set_valid(&mut self, header: impl HeaderView) {
        self.stmts.push(here(StmtKind::SetValid(header.href().into())));
    }

    /// `header.setValid(); header = { values }`, one value for each field, assigned in order.
    #[track_caller]
    pub fn fill<H: HeaderView>(&mut self, header: H, values: impl Args) {
        self.set_valid(header);
        let (values, fields) = (values.args(), H::fields());
        if values.len() != fields.len() {
            self.builder.program.faults.push(Fault {
                message: format!("{} values for a header of {} fields", values.len(), fields.len()),
                remedy: format!(
                    "give one for each of {}",
                    fields.iter().map(|f| f.name.as_str()).collect::<Vec<_>>().join(", ")
                ),
                loc: Loc::caller(),
            });
        }
        for ((i, field), value) in fields.iter().enumerate().zip(values) {
            self.set(Field::of(header.href(), i as u32, field.ty), value);
        }
    }

    /// Exchanges the values of two fields.
    #[track_caller]
    pub fn swap(&mut self, a: Field, b: Field) {
        let kept = self.local("swapped", a);
        self.set(a, b);
        self.set(b, kept);
    }

    /// `header.setInvalid()`
    #[track_caller]
    pub fn set_invalid(&mut self, header: impl HeaderView) {
        self.stmts.push(here(StmtKind::SetInvalid(header.href().into())));
    }

    /// `stack.push_front(count)`
    #[track_caller]
    pub fn push_front<H: HeaderView>(&mut self, stack: StackView<H>, count: u32) {
        self.stmts.push(here(StmtKind::PushFront { stack: stack.stack(), count }));
    }

    /// `stack.pop_front(count)`
    #[track_caller]
    pub fn pop_front<H: HeaderView>(&mut self, stack: StackView<H>, count: u32) {
        self.stmts.push(here(StmtKind::PopFront { stack: stack.stack(), count }));
    }

    /// `if (condition) { ... }`, to be followed by `.else_(...)` or `.else_if(...)`.
    #[track_caller]
    pub fn if_(
        &mut self,
        condition: impl Into<Operand>,
        then: impl FnOnce(&mut Self),
    ) -> Else<'_, 'b> {
        let mut stmt = here(StmtKind::Exit);
        let then = self.block(then);
        let condition = condition.into().fit(Type::Bool);
        stmt.kind = StmtKind::If { condition, then, otherwise: Vec::new() };
        self.stmts.push(stmt);
        Else { body: self, depth: 0 }
    }

    /// `table.apply()`, to be followed by `.hit(...)`, `.miss(...)`, `.on(...)`, `.otherwise(...)`.
    #[track_caller]
    pub fn apply(&mut self, table: Table) -> Applied<'_, 'b> {
        self.stmts.push(here(StmtKind::Apply { table, then: AfterApply::Nothing }));
        Applied { body: self }
    }

    /// `action(args)`
    #[track_caller]
    pub fn call(&mut self, action: Action, args: impl Args) {
        let params = self.builder.program.actions.get(action).map(|a| a.params.clone());
        let params = params.unwrap_or_default();
        let fit = |(i, arg): (usize, Operand)| arg.fit(params.get(i).map_or(Type::Bool, |p| p.ty));
        let args = args.args().into_iter().enumerate().map(fit).collect();
        self.stmts.push(here(StmtKind::Call { action, args }));
    }

    /// Runs an action that takes no data.
    #[track_caller]
    pub fn run(&mut self, action: Action) {
        self.stmts.push(here(StmtKind::Call { action, args: Vec::new() }));
    }

    /// `exit`
    #[track_caller]
    pub fn exit(&mut self) {
        self.stmts.push(here(StmtKind::Exit));
    }

    /// `mark_to_drop`
    #[track_caller]
    pub fn mark_to_drop(&mut self) {
        self.stmts.push(here(StmtKind::MarkToDrop));
    }

    /// `counter.count(index)`
    #[track_caller]
    pub fn count(&mut self, counter: Counter, index: impl Into<Operand>) {
        let index = self::index(index);
        self.stmts.push(here(StmtKind::Count { counter, index }));
    }

    /// `dst = meter.execute_meter(index)`: 0 green, 1 yellow, 2 red.
    #[track_caller]
    pub fn execute_meter(
        &mut self,
        dst: impl Into<Place>,
        meter: Meter,
        index: impl Into<Operand>,
    ) {
        let index = self::index(index);
        self.stmts.push(here(StmtKind::ExecuteMeter { meter, index, dst: dst.into() }));
    }

    /// `register.read(dst, index)`
    #[track_caller]
    pub fn read(&mut self, dst: impl Into<Place>, register: Register, index: impl Into<Operand>) {
        let index = self::index(index);
        self.stmts.push(here(StmtKind::ReadRegister { register, index, dst: dst.into() }));
    }

    /// `register.write(index, value)`
    #[track_caller]
    pub fn write(
        &mut self,
        register: Register,
        index: impl Into<Operand>,
        value: impl Into<Operand>,
    ) {
        let ty = self.builder.program.registers.get(register).map_or(Type::Bool, |r| r.ty);
        let (index, value) = (self::index(index), value.into().fit(ty));
        self.stmts.push(here(StmtKind::WriteRegister { register, index, value }));
    }

    /// Looks a key up in a map; `touch` restarts the time-out of what is found.
    #[track_caller]
    pub fn map_lookup<const V: usize>(
        &mut self,
        map: Map,
        key: impl Args,
        found: impl Into<Place>,
        values: [Field; V],
        touch: bool,
    ) {
        let key = self.map_fields(map, key, true);
        let (found, values) = (found.into(), values.map(Place::from).to_vec());
        self.stmts.push(here(StmtKind::MapLookup { map, key, found, values, touch }));
    }

    /// Writes the entry of a key; `stored` gets whether there was room.
    #[track_caller]
    pub fn map_put(&mut self, map: Map, key: impl Args, values: impl Args, stored: Option<Field>) {
        let stored = stored.map(Place::from);
        let (key, values) = (self.map_fields(map, key, true), self.map_fields(map, values, false));
        self.stmts.push(here(StmtKind::MapPut { map, key, values, stored }));
    }

    /// Removes the entry of a key.
    #[track_caller]
    pub fn map_remove(&mut self, map: Map, key: impl Args) {
        let key = self.map_fields(map, key, true);
        self.stmts.push(here(StmtKind::MapRemove { map, key }));
    }

    fn map_fields(&self, map: Map, args: impl Args, key: bool) -> Vec<Expr> {
        let decl = self.builder.program.maps.get(map);
        let fields = decl.map_or(&[][..], |m| if key { &m.key } else { &m.values });
        let ty = |i: usize| fields.get(i).map_or(Type::Bool, |f| f.ty);
        args.args().into_iter().enumerate().map(|(i, arg)| arg.fit(ty(i))).collect()
    }

    /// `dst = base + hash(items) % max`
    #[track_caller]
    pub fn hash(
        &mut self,
        dst: impl Into<Place>,
        algorithm: HashAlgorithm,
        items: Vec<Item>,
        base: impl Into<Operand>,
        max: impl Into<Operand>,
    ) {
        let (dst, base) = (dst.into(), base.into().fit(Type::Bit(32)));
        // A max of 2^32 is common and does not fit 32 bits.
        let max = max.into().fit(Type::Bit(64));
        self.stmts.push(here(StmtKind::Hash { dst, algorithm, base, items, max }));
    }

    /// `random(dst, low, high)`
    #[track_caller]
    pub fn random(
        &mut self,
        dst: impl Into<Place>,
        low: impl Into<Operand>,
        high: impl Into<Operand>,
    ) {
        let dst = dst.into();
        let ty = self.place_type(&dst);
        let (low, high) = (low.into().fit(ty), high.into().fit(ty));
        self.stmts.push(here(StmtKind::Random { dst, low, high }));
    }

    /// Sends a digest at the end of ingress.
    #[track_caller]
    pub fn digest(&mut self, digest: Digest) {
        self.stmts.push(here(StmtKind::Digest(digest)));
    }

    /// Clones the packet as it arrived to a session, keeping the listed metadata.
    #[track_caller]
    pub fn clone_ingress(&mut self, session: impl Into<Operand>, keep: Option<FieldList>) {
        let session = session.into().fit(Type::Bit(32));
        self.stmts.push(here(StmtKind::CloneIngress { session, keep }));
    }

    /// Clones the packet as it leaves egress to a session, keeping the listed metadata.
    #[track_caller]
    pub fn clone_egress(&mut self, session: impl Into<Operand>, keep: Option<FieldList>) {
        let session = session.into().fit(Type::Bit(32));
        self.stmts.push(here(StmtKind::CloneEgress { session, keep }));
    }

    /// Sends the packet as it arrived through ingress again.
    #[track_caller]
    pub fn resubmit(&mut self, keep: Option<FieldList>) {
        self.stmts.push(here(StmtKind::Resubmit { keep }));
    }

    /// Sends the packet as it leaves the deparser through ingress again.
    #[track_caller]
    pub fn recirculate(&mut self, keep: Option<FieldList>) {
        self.stmts.push(here(StmtKind::Recirculate { keep }));
    }

    /// Sends at most so many bytes.
    #[track_caller]
    pub fn truncate(&mut self, bytes: impl Into<Operand>) {
        let bytes = bytes.into().fit(Type::Bit(32));
        self.stmts.push(here(StmtKind::Truncate { bytes }));
    }

    /// Names a value, so that it can be used more than once: a metadata field of this type, set here. It
    /// has another name when there is a field of this name already.
    #[track_caller]
    pub fn local(&mut self, name: &str, value: impl Into<Val>) -> Field {
        let value = value.into();
        let name = self.builder.free_meta_name(name);
        let field = self.builder.meta(&name, value.ty);
        self.set(field, value);
        field
    }
}

/// A place as an operand that may be read: what most methods accept anyway.
pub fn value(value: impl Value) -> Operand {
    Operand::Val(value.into())
}
