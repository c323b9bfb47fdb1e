//! Statements of halves and actions.

use super::env::{Env, Var};
use super::store::{HalfStore, Store};
use super::{Lower, Refusal};
use crate::flow::{Cell, Origin, Slot, Value, bits_for, first_param, flow_type};
use restage_manifest::ShellField;
use restage_program::entity::{Action, FieldList, Table};
use restage_program::expr::Expr;
use restage_program::op::Op;
use restage_program::program::HashAlgorithm;
use restage_program::stmt::{AfterApply, Block, Stmt, StmtKind};
use restage_program::types::bit;
use restage_program::{Bits, Type, standard};

impl Lower<'_> {
    /// A block: one statement after the other; after an `exit` the rest is conditional.
    pub fn block(&mut self, store: &mut HalfStore, block: &[Stmt]) {
        for (i, stmt) in block.iter().enumerate() {
            let before = std::mem::replace(&mut self.place, stmt.loc.clone());
            if stmt.loc.site().is_none() {
                self.place = before.clone();
            }
            self.stmt(store, &stmt.kind);
            self.place = before;
            let alive = store.env.var(&mut self.make, Var::Alive);
            match self.make.as_truth(alive) {
                Some(true) => {}
                Some(false) => return,
                None => {
                    return self.when(store, alive, |lower, store| {
                        let yes = lower.make.truth(true);
                        store.env.set_var(Var::Alive, yes);
                        lower.block(store, &block[i + 1..]);
                    });
                }
            }
        }
    }

    /// What happens under a condition.
    fn when(
        &mut self,
        store: &mut HalfStore,
        condition: Value,
        then: impl FnOnce(&mut Self, &mut HalfStore),
    ) {
        let branch = self.branch(store, condition, then);
        let before = std::mem::take(&mut store.env);
        store.env = Env::choose(&mut self.make, condition, branch, before);
    }

    /// What the packet carries after a branch; `store` stays as it was.
    fn branch(
        &mut self,
        store: &HalfStore,
        condition: Value,
        then: impl FnOnce(&mut Self, &mut HalfStore),
    ) -> Env {
        let path = self.make.and(store.path, condition);
        let mut branch = HalfStore { env: store.env.clone(), path };
        // What is never reached is not looked at: its guards would be false anyway.
        if self.make.as_truth(condition) != Some(false) {
            then(self, &mut branch);
        }
        branch.env
    }

    fn stmt(&mut self, store: &mut HalfStore, stmt: &StmtKind) {
        match stmt {
            StmtKind::If { condition, then, otherwise } => {
                let condition = self.expr(store, condition);
                let not = self.make.not(condition);
                let a = self.branch(store, condition, |l, s| l.block(s, then));
                let b = self.branch(store, not, |l, s| l.block(s, otherwise));
                store.env = Env::choose(&mut self.make, condition, a, b);
            }
            StmtKind::Apply { table, then } => self.apply(store, *table, then),
            StmtKind::Call { action, args } => {
                let args: Vec<Value> = args.iter().map(|a| self.expr(store, a)).collect();
                self.action(store, *action, args);
            }
            StmtKind::Exit => {
                let no = self.make.truth(false);
                store.env.set_var(Var::Alive, no);
            }
            StmtKind::MarkToDrop => {
                self.set_meta(store, standard::EGRESS_SPEC, standard::DROP_PORT.into());
                self.set_meta(store, standard::MCAST_GRP, 0);
            }
            StmtKind::Count { counter, index } => {
                let index = self.index(store, index);
                self.use_counter(store, *counter, index);
            }
            StmtKind::ExecuteMeter { meter, index, dst } => {
                let index = self.index(store, index);
                let access = self.use_once(store, Cell::Meter(*meter), index);
                let colour = self.make.out(access, 0, bit(2));
                self.write_natural(store, dst, colour);
            }
            StmtKind::MapLookup { map, key, found, values, touch } => {
                let key: Vec<Value> = key.iter().map(|k| self.expr(store, k)).collect();
                let cell = Cell::Map(*map);
                let access = self.use_state(store, cell, key);
                if *touch {
                    self.use_touch(store, cell);
                }
                let is_found = self.make.out(access, 0, Type::Bool);
                self.write(store, found, is_found);
                let types: Vec<Type> =
                    self.program.maps[*map].values.iter().map(|f| f.ty).collect();
                for (i, (place, ty)) in values.iter().zip(types).enumerate() {
                    let value = self.make.out(access, i as u32 + 1, ty);
                    self.write(store, place, value);
                }
            }
            StmtKind::MapPut { map, key, values, stored } => {
                let key: Vec<Value> = key.iter().map(|k| self.expr(store, k)).collect();
                let values: Vec<Value> = values.iter().map(|v| self.expr(store, v)).collect();
                let cell = Cell::Map(*map);
                let access = self.use_state(store, cell, key);
                let port = values.len() as u32 + 1;
                self.use_write(store, cell, values);
                if let Some(place) = stored {
                    let done = self.make.out(access, port, Type::Bool);
                    self.write(store, place, done);
                }
            }
            StmtKind::MapRemove { map, key } => {
                let key: Vec<Value> = key.iter().map(|k| self.expr(store, k)).collect();
                let cell = Cell::Map(*map);
                self.use_state(store, cell, key);
                self.use_remove(store, cell);
            }
            StmtKind::Hash { dst, algorithm, base, items, max } => {
                let base = self.expr(store, base);
                let max = self.expr(store, max);
                let hash = self.hash(store, *algorithm, items);
                let value = self.hash_in_range(*algorithm, hash, base, max, dst);
                self.write_natural(store, dst, value);
            }
            StmtKind::Random { dst, low, high } => {
                let Some(site) = self.sites.number(stmt) else { return };
                let (low, high) = (self.expr(store, low), self.expr(store, high));
                let width = self.make.ty(low).width().max(self.make.ty(high).width());
                if width > 64 {
                    let found = format!("a random number of {width} bits");
                    let accepts = "64 bits at most are accepted";
                    self.refuse(Refusal::new("`random`", found, accepts).at(&self.place));
                }
                let (low, high) = (self.make.natural(width, low), self.make.natural(width, high));
                let (access, port) = self.use_random(store, site, low, high);
                let number = self.make.out(access, port, bit(width));
                self.write_natural(store, dst, number);
            }
            StmtKind::Digest(digest) => {
                let number = self.make.number(ShellField::Digest.width(), u64::from(digest.0) + 1);
                store.env.set(Slot::Shell(ShellField::Digest), number);
            }
            StmtKind::CloneIngress { session, keep } | StmtKind::CloneEgress { session, keep } => {
                let session = self.expr(store, session);
                self.request_clone(store, session, *keep);
            }
            StmtKind::Resubmit { keep } | StmtKind::Recirculate { keep } => {
                let yes = self.make.truth(true);
                store.env.set(Slot::Shell(ShellField::Loop), yes);
                self.keep(store, ShellField::LoopKeep, *keep);
            }
            StmtKind::Truncate { bytes } => {
                let bytes = self.expr(store, bytes);
                self.truncate(store, bytes);
            }
            common => self.common(store, common),
        }
    }

    /// Statements that stand in parser states too.
    pub fn common<S: Store>(&mut self, store: &mut S, stmt: &StmtKind) {
        match stmt {
            StmtKind::Assign { dst, src: Expr::Read(from) } if self.reads_varbit(from) => {
                self.copy_varbit(store, dst, from);
            }
            StmtKind::Assign { dst, src } => {
                let value = self.expr(store, src);
                self.write(store, dst, value);
            }
            StmtKind::CopyHeader { dst, src } => self.copy_header(store, dst, src),
            StmtKind::CopyStack { dst, src } => self.copy_stack(store, *dst, *src),
            StmtKind::SetValid(header) => self.set_valid(store, header),
            StmtKind::SetInvalid(header) => self.set_invalid(store, header),
            StmtKind::PushFront { stack, count } => {
                self.shift_stack(store, *stack, i64::from(*count));
            }
            StmtKind::PopFront { stack, count } => {
                self.shift_stack(store, *stack, -i64::from(*count));
            }
            StmtKind::ReadRegister { register, index, dst } => {
                let index = self.index(store, index);
                let access = self.use_state(store, Cell::Register(*register), vec![index]);
                let ty = self.program.registers[*register].ty;
                let old = self.make.out(access, 0, ty);
                self.write(store, dst, old);
            }
            StmtKind::WriteRegister { register, index, value } => {
                let value = self.expr(store, value);
                let index = self.index(store, index);
                let cell = Cell::Register(*register);
                self.use_state(store, cell, vec![index]);
                self.use_write(store, cell, vec![value]);
            }
            // The checker lets no other statement stand here.
            _ => {}
        }
    }

    fn reads_varbit(&self, place: &restage_program::expr::Place) -> bool {
        matches!(self.program.type_of_place(place), Ok(Type::Varbit(_)))
    }

    fn copy_varbit<S: Store>(
        &mut self,
        store: &mut S,
        dst: &restage_program::expr::Place,
        src: &restage_program::expr::Place,
    ) {
        use restage_program::expr::Place::Field;
        let (Field { header: to, field }, Field { header: from, field: of }) = (dst, src) else {
            return;
        };
        let from = self.resolve(store, from);
        let ty = self.type_of_place(src);
        let zero = self.make.zero(ty);
        let value = self.choose(store, &from, zero, |h| Slot::Field(h, *of));
        let length = self.var_length(store, &from);
        let to = self.resolve(store, to);
        self.write_slot(store, &to, value, |h| Slot::Field(h, *field));
        let width = match to.first() {
            Some((_, first)) => {
                let old = store.get(&mut self.make, Slot::VarLength(*first));
                self.make.ty(old).width()
            }
            None => return,
        };
        let length = self.make.natural(width, length);
        self.write_slot(store, &to, length, Slot::VarLength);
    }

    /// An index as a number without a sign.
    fn index<S: Store>(&mut self, store: &mut S, index: &Expr) -> Value {
        let index = self.expr(store, index);
        let width = self.make.ty(index).width();
        self.make.natural(width, index)
    }

    /// `base + hash % max` in the width of the destination.
    fn hash_in_range(
        &mut self,
        algorithm: HashAlgorithm,
        hash: Value,
        base: Value,
        max: Value,
        dst: &restage_program::expr::Place,
    ) -> Value {
        let width = self.type_of_place(dst).width();
        let base = self.make.natural(width, base);
        let hash_bits = self.make.ty(hash).width();
        let Some(max) = self.make.as_const(max).cloned() else {
            self.refuse(
                Refusal::new(
                    format!("hash `{algorithm:?}`"),
                    "is reduced modulo a number that is computed",
                    "a constant is accepted; of a power of two the low bits are taken",
                )
                .at(&self.place),
            );
            return base;
        };
        if max.is_zero() {
            return base;
        }
        let offset = match max.to_u64() {
            Some(max) if max.is_power_of_two() && max.trailing_zeros() < hash_bits => {
                match max.trailing_zeros() {
                    0 => self.make.number(1, 0),
                    bits => self.make.op(Op::Slice { hi: bits - 1, lo: 0 }, &[hash]),
                }
            }
            Some(max) if hash_bits >= 64 || max >> hash_bits == 0 => {
                let max = self.make.number(hash_bits, max);
                self.make.op(Op::Mod, &[hash, max])
            }
            _ => hash,
        };
        let offset = self.make.natural(width, offset);
        self.make.op(Op::Add, &[base, offset])
    }

    fn request_clone(&mut self, store: &mut HalfStore, session: Value, keep: Option<FieldList>) {
        let width = ShellField::CloneSession.width();
        let from = self.make.ty(session).width();
        let mut number = self.make.natural(width, session);
        if from > width {
            let plain = self.make.natural(from, session);
            let above = self.make.op(Op::Slice { hi: from - 1, lo: width }, &[plain]);
            let fits = self.make.is(above, 0);
            let ones = self.make.constant(bit(width), Bits::ones(width));
            number = self.make.mux(fits, number, ones);
        }
        let yes = self.make.truth(true);
        store.env.set(Slot::Shell(ShellField::Clone), yes);
        store.env.set(Slot::Shell(ShellField::CloneSession), number);
        self.keep(store, ShellField::CloneKeep, keep);
    }

    fn keep(&mut self, store: &mut HalfStore, field: ShellField, keep: Option<FieldList>) {
        let number = keep.map_or(0, |list| u64::from(list.0) + 1);
        let number = self.make.number(field.width(), number);
        store.env.set(Slot::Shell(field), number);
    }

    fn truncate(&mut self, store: &mut HalfStore, bytes: Value) {
        let slot = Slot::Shell(ShellField::Truncate);
        let width = ShellField::Truncate.width();
        let bytes = self.make.op(Op::SatCast(bit(width)), &[bytes]);
        let old = store.env.get(&mut self.make, slot);
        let less = self.make.op(Op::Lt, &[bytes, old]);
        let new = self.make.mux(less, bytes, old);
        store.env.set(slot, new);
    }

    /// The body of an action.
    fn action(&mut self, store: &mut HalfStore, action: Action, args: Vec<Value>) {
        let decl = &self.program.actions[action];
        let text = format!("action `{}`", decl.preamble.name);
        let origin = self.make.set_origin(Origin::new(&text));
        let params = std::mem::replace(&mut self.params, args);
        let decls = std::mem::replace(&mut self.param_decls, decl.params.clone());
        let place = std::mem::replace(&mut self.place, decl.preamble.loc.clone());
        self.block(store, &decl.body);
        self.place = place;
        self.params = params;
        self.param_decls = decls;
        self.make.set_origin(origin);
    }

    fn apply(&mut self, store: &mut HalfStore, table: Table, then: &AfterApply) {
        let program = self.program;
        let decl = &program.tables[table];
        let text = format!("table `{}`", decl.preamble.name);
        let origin = self.make.set_origin(Origin::new(&text));
        let mut keys = Vec::new();
        for key in &decl.keys {
            let value = self.expr(store, &key.value);
            let error = matches!(program.type_of(&key.value, &[]), Ok(Type::Error));
            keys.push(if error { self.make.natural(32, value) } else { value });
        }
        let selector = decl.profile.and_then(|p| program.profiles[p].selector.as_ref());
        if let Some(selector) = selector {
            let hash = self.hash(store, selector.algorithm, &selector.items);
            keys.push(hash);
        }
        let access = self.use_table(store, Cell::Table(table), keys);
        let hit = self.make.out(access, 0, Type::Bool);
        let index = self.make.out(access, 1, bit(bits_for(decl.actions.len())));
        if let Some(meter) = &decl.meter {
            let colour = self.make.out(access, 2, bit(2));
            self.when(store, hit, |lower, store| {
                lower.write_natural(store, &meter.dst, colour);
            });
        }
        self.make.set_origin(origin);
        let mut runs = Vec::new();
        for (i, listed) in decl.actions.iter().enumerate() {
            runs.push(if decl.actions.len() == 1 {
                self.make.truth(true)
            } else {
                self.make.is(index, i as u64)
            });
            let name = format!("runs.{}", program.actions[listed.action].preamble.name);
            if let Some(run) = runs.last() {
                self.make.name(*run, &name);
            }
        }
        let mut branches = Vec::new();
        for (i, listed) in decl.actions.iter().enumerate() {
            let first = first_param(program, table, i);
            let params = program.actions[listed.action].params.iter().enumerate();
            let args: Vec<Value> = params
                .map(|(p, param)| {
                    let ty = flow_type(program, param.ty);
                    self.make.out(access, first + p as u32, ty)
                })
                .collect();
            let env = self.branch(store, runs[i], |l, s| l.action(s, listed.action, args));
            branches.push((runs[i], env));
        }
        let before = std::mem::take(&mut store.env);
        store.env = Env::join(&mut self.make, &branches, before);
        let alive = store.env.var(&mut self.make, Var::Alive);
        match (self.make.as_truth(alive), then) {
            (_, AfterApply::Nothing) | (Some(false), _) => {}
            (Some(true), then) => self.after(store, then, decl, hit, &runs),
            (None, then) => self.when(store, alive, |lower, store| {
                let yes = lower.make.truth(true);
                store.env.set_var(Var::Alive, yes);
                lower.after(store, then, decl, hit, &runs);
            }),
        }
    }

    fn after(
        &mut self,
        store: &mut HalfStore,
        then: &AfterApply,
        decl: &restage_program::program::TableDecl,
        hit: Value,
        runs: &[Value],
    ) {
        match then {
            AfterApply::Nothing => {}
            AfterApply::Hit { hit: yes, miss } => {
                let not = self.make.not(hit);
                let a = self.branch(store, hit, |l, s| l.block(s, yes));
                let b = self.branch(store, not, |l, s| l.block(s, miss));
                store.env = Env::choose(&mut self.make, hit, a, b);
            }
            AfterApply::Switch { cases, default } => {
                let mut bodies: Vec<(Value, &Block)> = Vec::new();
                let mut named = self.make.truth(false);
                for case in cases {
                    let ran = decl.actions.iter().zip(runs);
                    let ran = ran.filter(|(a, _)| case.actions.contains(&a.action));
                    let condition = self.make.any(ran.map(|(_, r)| *r));
                    named = self.make.or(named, condition);
                    bodies.push((condition, &case.body));
                }
                let rest = self.make.not(named);
                bodies.push((rest, default));
                let mut branches = Vec::new();
                for (condition, body) in bodies {
                    let env = self.branch(store, condition, |l, s| l.block(s, body));
                    branches.push((condition, env));
                }
                let before = std::mem::take(&mut store.env);
                store.env = Env::join(&mut self.make, &branches, before);
            }
        }
    }

    /// Says that something cannot be done.
    pub fn refuse(&mut self, refusal: Refusal) {
        if !self.refusals.contains(&refusal) {
            self.refusals.push(refusal);
        }
    }
}
