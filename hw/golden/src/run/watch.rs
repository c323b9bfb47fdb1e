//! Telling what happens: only compiled into the traced loop.

use super::{Context, Machine, Sink};
use crate::code::{Effect, Instr, Pc};
use crate::layout::Slot;
use crate::state::State;
use crate::trace::{Event, describe};
use restage_program::Bits;
use restage_program::entity::{Action, Header, Map, Register, Table};
use std::fmt::Write;

/// A place that an instruction is about to write, with its old content.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    slot: Slot,
    old: Bits,
}

impl Machine {
    /// Notes what an instruction is about to write.
    pub(super) fn watch(&mut self, cx: Context<'_>, instr: Instr) {
        self.watched = self.before(cx, instr);
    }

    fn before(&self, cx: Context<'_>, instr: Instr) -> Option<Watched> {
        let slot = match instr {
            Instr::Move { dst, .. }
            | Instr::MoveMany { dst, .. }
            | Instr::Alu { dst, .. }
            | Instr::Slice { dst, .. }
            | Instr::Cast { dst, .. }
            | Instr::Concat { dst, .. }
            | Instr::Put { dst, .. } => dst,
            Instr::Eval(index) => cx.code.evals[index as usize].dst.slot,
            Instr::Do(index) => match &cx.code.effects[index as usize] {
                Effect::Store { base, offset, .. } => self.get(*base) as Slot + offset,
                Effect::Put { dst, .. } => dst.slot,
                _ => return None,
            },
            _ => return None,
        };
        let (_, ty) = cx.names.place(slot)?;
        Some(Watched { slot, old: self.bits(slot, ty) })
    }

    /// Tells what the instruction has changed.
    pub(super) fn tell_change(&mut self, cx: Context<'_>, sink: Sink<'_>) {
        let Some(watched) = self.watched.take() else { return };
        let Some((place, ty)) = cx.names.place(watched.slot) else { return };
        let (old, new) = (watched.old, self.bits(watched.slot, ty));
        if old != new {
            sink(Event::Change { place, old, new });
        }
    }

    pub(super) fn tell_action(&self, cx: Context<'_>, action: u32, sink: Sink<'_>) {
        let decl = &cx.program.actions[Action(action)];
        let mut at = cx.code.actions[action as usize].params;
        let mut args = Vec::new();
        for param in &decl.params {
            args.push((param.name.as_str(), self.bits(at, param.ty)));
            at += crate::layout::slots_of(param.ty);
        }
        sink(Event::Action { action: &decl.preamble.name, args });
    }

    pub(super) fn tell_lookup(
        &self,
        cx: Context<'_>,
        state: &State,
        index: u32,
        id: u32,
        sink: Sink<'_>,
    ) {
        let plan = &cx.code.lookups[index as usize];
        let decl = &cx.program.tables[Table(plan.table)];
        let keys = decl.keys.iter().zip(&plan.keys);
        let keys = keys.map(|(k, v)| (k.name.as_str(), self.bits(v.slot, v.ty))).collect();
        let installed = &state.tables[plan.table as usize].installed;
        let hit = installed.get(id as usize).and_then(Option::as_ref).map(|e| describe(&e.entry));
        sink(Event::Lookup { table: &decl.preamble.name, keys, hit });
    }

    pub(super) fn tell_extract(&self, cx: Context<'_>, header: u32, sink: Sink<'_>) {
        let plan = &cx.code.headers[header as usize];
        let decl = &cx.program.headers[Header(header)];
        let fields = cx.program.header_types[decl.ty].fields.iter().zip(&plan.fields);
        let fields = fields.map(|(f, v)| (f.name.as_str(), self.bits(v.slot, v.ty))).collect();
        let bytes = plan.length(&self.slots) as usize;
        sink(Event::Extract { header: &decl.name, fields, bytes });
    }

    pub(super) fn tell_select(&self, cx: Context<'_>, index: u32, to: Option<Pc>, sink: Sink<'_>) {
        let select = &cx.code.selects[index as usize];
        let keys = select.keys.iter().map(|k| self.bits(k.slot, k.ty)).collect();
        let to = match to.and_then(|pc| cx.code.instrs.get(pc as usize)) {
            Some(Instr::Enter(state)) => {
                &cx.program.states[restage_program::entity::State(*state)].name
            }
            Some(Instr::End) => "accept",
            Some(_) => "reject",
            None => "no match",
        };
        sink(Event::Select { keys, to });
    }

    pub(super) fn tell_deparse(&self, cx: Context<'_>, bytes: usize, sink: Sink<'_>) {
        let valid = |h: &&u32| self.is_valid(cx.code.headers[**h as usize].base);
        let name = |h: &u32| cx.program.headers[Header(*h)].name.as_str();
        let headers = cx.code.emits.iter().filter(valid).map(name).collect();
        sink(Event::Deparse { headers, bytes });
    }

    /// What an effect did, after it.
    pub(super) fn tell_effect(&self, cx: Context<'_>, effect: &Effect, sink: Sink<'_>) {
        let program = cx.program;
        let value = |val: &crate::layout::Val| self.bits(val.slot, val.ty);
        let list = |vals: &[crate::layout::Val]| {
            let mut text = String::new();
            for (i, val) in vals.iter().enumerate() {
                let _ = write!(text, "{}{}", if i > 0 { ", " } else { "" }, value(val));
            }
            text
        };
        let text = match effect {
            Effect::SetValid(at) | Effect::SetInvalid(at) => {
                let Some(header) = self.header_of(cx, *at) else { return };
                let valid = self.is_valid(cx.code.headers[header as usize].base);
                let header = &program.headers[Header(header)].name;
                return sink(Event::Validity { header, valid });
            }
            Effect::Copy { dst, src } => {
                let name = |at| {
                    let header = self.header_of(cx, at).map(Header);
                    header.map_or("nothing", |h| program.headers[h].name.as_str())
                };
                format!("header {} = {}", name(*dst), name(*src))
            }
            Effect::CopyStack { .. } => "stack copied".to_string(),
            Effect::Shift { by, .. } => format!("stack moved by {by}"),
            Effect::Advance(bits) => format!("advance {} bits", value(bits)),
            Effect::Lookahead { dst, .. } => format!("lookahead {:#x}", value(dst)),
            Effect::MarkToDrop => "mark to drop".to_string(),
            Effect::Meter { meter, index, dst } => {
                let name = &program.meters[restage_program::entity::Meter(*meter)].preamble.name;
                let colour = ["green", "yellow", "red"][self.get(*dst).min(2) as usize];
                format!("meter {name}[{}] is {colour}", value(index))
            }
            Effect::ReadRegister { register, index, dst } => {
                let name = &program.registers[Register(*register)].preamble.name;
                format!("read {name}[{}]: {:#x}", value(index), value(dst))
            }
            Effect::WriteRegister { register, index, value: new } => {
                let name = &program.registers[Register(*register)].preamble.name;
                format!("write {name}[{}] = {:#x}", value(index), value(new))
            }
            Effect::MapLookup { map, key, found, values, .. } => {
                let name = &program.maps[Map(*map)].preamble.name;
                let found = if self.get(*found) != 0 { list(values) } else { "none".into() };
                format!("map {name}[{}]: {found}", list(key))
            }
            Effect::MapPut { map, key, values, stored } => {
                let name = &program.maps[Map(*map)].preamble.name;
                let full = if self.get(*stored) != 0 { "" } else { ", but the bucket is full" };
                format!("map {name}[{}] = {}{full}", list(key), list(values))
            }
            Effect::MapRemove { map, key } => {
                format!("map {}[{}] removed", program.maps[Map(*map)].preamble.name, list(key))
            }
            Effect::Hash { dst, algorithm, .. } => format!("{algorithm:?}: {:#x}", value(dst)),
            Effect::Sum { dst, algorithm, .. } => format!("{algorithm:?}: {:#x}", value(dst)),
            Effect::Random { dst, .. } => format!("random {:#x}", value(dst)),
            Effect::CloneIngress { session, .. } | Effect::CloneEgress { session, .. } => {
                format!("clone to session {} asked for", value(session))
            }
            Effect::Digest(_) => "digest asked for".to_string(),
            Effect::Resubmit(_) => "resubmission asked for".to_string(),
            Effect::Recirculate(_) => "recirculation asked for".to_string(),
            Effect::Truncate(length) => format!("truncate to {}", value(length)),
            _ => return,
        };
        sink(Event::Effect { text });
    }
}
