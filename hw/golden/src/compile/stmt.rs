//! Statements of actions and halves, and those that may stand in parser states too.

use super::Compiler;
use crate::code::{Effect, Instr, LookupPlan, Pc};
use crate::layout::Val;
use restage_program::Type;
use restage_program::entity::{Entity, Stack, Table, Union};
use restage_program::expr::{Expr, Place};
use restage_program::program::Elements;
use restage_program::stmt::{AfterApply, Stmt, StmtKind};

impl<'a> Compiler<'a> {
    pub(super) fn block(&mut self, block: &'a [Stmt]) {
        for stmt in block {
            self.stmt(&stmt.kind);
            self.end_statement();
        }
    }

    fn stmt(&mut self, stmt: &'a StmtKind) {
        match stmt {
            StmtKind::Assign { dst, src } => self.assign(dst, src),
            StmtKind::CopyHeader { dst, src } => {
                let effect = Effect::Copy { dst: self.header(dst), src: self.header(src) };
                self.effect(effect);
            }
            StmtKind::CopyStack { dst, src } => {
                let (to, from) = (self.members(*dst), self.members(*src));
                let pairs = to.concat().into_iter().zip(from.concat()).collect();
                let (dst, src) = (self.layout.nexts[*dst], self.layout.nexts[*src]);
                self.effect(Effect::CopyStack { pairs, dst, src });
            }
            StmtKind::SetValid(header) => {
                let effect = Effect::SetValid(self.header(header));
                self.effect(effect);
            }
            StmtKind::SetInvalid(header) => {
                let effect = Effect::SetInvalid(self.header(header));
                self.effect(effect);
            }
            StmtKind::PushFront { stack, count } => self.shift(*stack, i64::from(*count)),
            StmtKind::PopFront { stack, count } => self.shift(*stack, -i64::from(*count)),
            StmtKind::Extract(header) => self.extract(header, None),
            StmtKind::ExtractVar { header, bits } => self.extract(header, Some(bits)),
            StmtKind::Advance(bits) => {
                let bits = self.expr(bits);
                self.effect(Effect::Advance(bits));
            }
            StmtKind::Verify { condition, error } => {
                let condition = self.expr(condition).slot;
                self.effect(Effect::Verify { condition, error: error.0 });
            }
            StmtKind::If { condition, then, otherwise } => {
                let jumps = self.unless(condition);
                self.end_statement();
                self.either(jumps, then, otherwise);
            }
            StmtKind::Apply { table, then } => self.apply(*table, then),
            StmtKind::Call { action, args } => {
                let vals: Vec<Val> = args.iter().map(|a| self.expr(a)).collect();
                let mut at = self.code.actions[action.index()].params;
                for val in vals {
                    self.copy(at, val.slot, val.len());
                    at += val.len();
                }
                self.emit(Instr::Call(action.0));
            }
            StmtKind::Exit => {
                self.emit(Instr::End);
            }
            other => self.primitive(other),
        }
    }

    /// What follows when no jump was taken, and what when one was.
    fn either(&mut self, jumps: Vec<Pc>, then: &'a [Stmt], otherwise: &'a [Stmt]) {
        self.block(then);
        let end = (!otherwise.is_empty()).then(|| self.emit(Instr::Jump(0)));
        let here = self.here();
        jumps.into_iter().for_each(|at| self.aim(at, here));
        self.block(otherwise);
        if let Some(end) = end {
            let here = self.here();
            self.aim(end, here);
        }
    }

    fn apply(&mut self, table: Table, then: &'a AfterApply) {
        let decl = &self.program.tables[table];
        let keys = decl.keys.iter().map(|k| self.expr(&k.value)).collect();
        let profile = decl.profile.map(|p| &self.program.profiles[p]);
        let selector = profile.and_then(|p| p.selector.as_ref());
        let selector = selector.map(|s| (s.algorithm, self.items(&s.items)));
        let meter = decl.meter.as_ref().map(|m| (m.unit, self.temp(Type::Bit(64))));
        self.code.lookups.push(LookupPlan {
            table: table.0,
            keys,
            profile: decl.profile.map(|p| p.0),
            selector,
            counts: decl.counter.is_some(),
            meter: meter.map(|(unit, colour)| (unit, colour.slot)),
        });
        self.emit(Instr::Lookup(self.code.lookups.len() as u32 - 1));
        if let (Some(decl), Some((_, colour))) = (&decl.meter, meter) {
            let miss = self.emit(Instr::IfMiss(0));
            let colour = self.cast(colour, self.place_type(&decl.dst));
            self.assign_value(&decl.dst, colour);
            let here = self.here();
            self.aim(miss, here);
        }
        self.end_statement();
        self.emit(Instr::Run);
        match then {
            AfterApply::Nothing => {}
            AfterApply::Hit { hit, miss } => {
                let jump = self.emit(Instr::IfMiss(0));
                self.either(vec![jump], hit, miss);
            }
            AfterApply::Switch { cases, default } => {
                let index = self.code.switches.len();
                self.code.switches.push(Vec::new());
                self.emit(Instr::Switch(index as u32));
                let mut ends = Vec::new();
                let mut places = vec![None; self.program.actions.len()];
                for case in cases {
                    let here = self.here();
                    for action in &case.actions {
                        places[action.index()].get_or_insert(here);
                    }
                    self.block(&case.body);
                    ends.push(self.emit(Instr::Jump(0)));
                }
                let otherwise = self.here();
                self.block(default);
                let here = self.here();
                ends.into_iter().for_each(|at| self.aim(at, here));
                self.code.switches[index] =
                    places.into_iter().map(|p| p.unwrap_or(otherwise)).collect();
            }
        }
    }

    /// The headers of every element of a stack.
    fn members(&self, stack: Stack) -> Vec<Vec<u32>> {
        match &self.program.stacks[stack].elements {
            Elements::Headers(headers) => headers.iter().map(|h| vec![h.0]).collect(),
            Elements::Unions(unions) => {
                let members =
                    |u: &Union| self.program.unions[*u].members.iter().map(|h| h.0).collect();
                unions.iter().map(members).collect()
            }
        }
    }

    fn shift(&mut self, stack: Stack, by: i64) {
        let (elements, next) = (self.members(stack), self.layout.nexts[stack]);
        self.effect(Effect::Shift { elements, next, by });
    }

    /// Statements that read or write state or decide about the packet.
    fn primitive(&mut self, stmt: &'a StmtKind) {
        match stmt {
            StmtKind::MarkToDrop => {
                self.effect(Effect::MarkToDrop);
            }
            StmtKind::Count { counter, index } => {
                let index = self.expr(index);
                self.effect(Effect::Count { counter: counter.0, index });
            }
            StmtKind::ExecuteMeter { meter, index, dst } => {
                let index = self.expr(index);
                let colour = self.temp(Type::Bit(64));
                self.effect(Effect::Meter { meter: meter.0, index, dst: colour.slot });
                let colour = self.cast(colour, self.place_type(dst));
                self.assign_value(dst, colour);
            }
            StmtKind::ReadRegister { register, index, dst } => {
                let index = self.expr(index);
                let val = self.temp(self.program.registers[*register].ty);
                self.effect(Effect::ReadRegister { register: register.0, index, dst: val });
                self.assign_value(dst, val);
            }
            StmtKind::WriteRegister { register, index, value } => {
                let (index, value) = (self.expr(index), self.expr(value));
                self.effect(Effect::WriteRegister { register: register.0, index, value });
            }
            StmtKind::MapLookup { map, key, found, values, touch } => {
                let key = self.exprs(key);
                let hit = self.temp(Type::Bool);
                let fields = &self.program.maps[*map].values;
                let vals: Vec<Val> = fields.iter().map(|f| self.temp(f.ty)).collect();
                self.effect(Effect::MapLookup {
                    map: map.0,
                    key,
                    found: hit.slot,
                    values: vals.clone(),
                    touch: *touch,
                });
                self.assign_value(found, hit);
                for (place, val) in values.iter().zip(vals) {
                    self.assign_value(place, val);
                }
            }
            StmtKind::MapPut { map, key, values, stored } => {
                let (key, values) = (self.exprs(key), self.exprs(values));
                let done = self.temp(Type::Bool);
                self.effect(Effect::MapPut { map: map.0, key, values, stored: done.slot });
                if let Some(stored) = stored {
                    self.assign_value(stored, done);
                }
            }
            StmtKind::MapRemove { map, key } => {
                let key = self.exprs(key);
                self.effect(Effect::MapRemove { map: map.0, key });
            }
            StmtKind::Hash { dst, algorithm, base, items, max } => {
                let items = self.items(items);
                let (base, max) = (self.expr(base), self.expr(max));
                let val = self.result(dst);
                self.effect(Effect::Hash { dst: val, algorithm: *algorithm, base, items, max });
                self.assign_value(dst, val);
            }
            StmtKind::Random { dst, low, high } => {
                let Some(site) = self.sites.number(stmt) else { return };
                let (low, high) = (self.expr(low), self.expr(high));
                let val = self.result(dst);
                self.effect(Effect::Random { site, dst: val, low, high });
                self.assign_value(dst, val);
            }
            StmtKind::Digest(digest) => {
                self.effect(Effect::Digest(digest.0));
            }
            StmtKind::CloneIngress { session, keep } => {
                let session = self.expr(session);
                self.effect(Effect::CloneIngress { session, keep: keep.map(|k| k.0) });
            }
            StmtKind::CloneEgress { session, keep } => {
                let session = self.expr(session);
                self.effect(Effect::CloneEgress { session, keep: keep.map(|k| k.0) });
            }
            StmtKind::Resubmit { keep } => {
                self.effect(Effect::Resubmit(keep.map(|k| k.0)));
            }
            StmtKind::Recirculate { keep } => {
                self.effect(Effect::Recirculate(keep.map(|k| k.0)));
            }
            StmtKind::Truncate { bytes } => {
                let bytes = self.expr(bytes);
                self.effect(Effect::Truncate(bytes));
            }
            _ => {}
        }
    }

    fn exprs(&mut self, exprs: &[Expr]) -> Vec<Val> {
        exprs.iter().map(|e| self.expr(e)).collect()
    }

    fn result(&mut self, place: &Place) -> Val {
        let ty = self.place_type(place);
        self.temp(ty)
    }
}
