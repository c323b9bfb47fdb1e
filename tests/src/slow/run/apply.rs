//! Tables: looked up entry by entry; and the actions that they run.

use super::{Flow, Run, Runner, count, matches, tokens};
use crate::slow::packet::Packet;
use num_bigint::BigInt;
use restage_program::entity::{Action, Table};
use restage_program::entry::{EntryTarget, KeyMatch};
use restage_program::program::ActionCall;
use restage_program::stmt::AfterApply;
use restage_program::{Bits, Entity, Type};

impl Runner<'_> {
    pub(super) fn action(
        &mut self,
        packet: &mut Packet,
        action: Action,
        args: &[Bits],
    ) -> Run<Flow> {
        let program = self.program;
        let declared = &program.actions[action];
        let params: Vec<(Type, Bits)> =
            declared.params.iter().zip(args).map(|(p, a)| (p.ty, a.clone())).collect();
        self.block(packet, &declared.body, &params)
    }

    pub(super) fn apply(
        &mut self,
        packet: &mut Packet,
        table: Table,
        then: &AfterApply,
    ) -> Run<Flow> {
        let program = self.program;
        let declared = &program.tables[table];
        let found = self.lookup(packet, table)?;
        if let Some((entry, _)) = &found {
            let now = self.state.now;
            let cell = &mut self.state.tables[table.index()].entries[*entry];
            if declared.counter.is_some() {
                count(&mut cell.counter, packet);
            }
            if let Some(meter) = &declared.meter {
                let colour = cell.meter.execute(tokens(meter.unit, packet), now);
                self.note_colour(colour);
                self.set_number(packet, &[], &meter.dst, &BigInt::from(colour))?;
            }
        }
        let hit = found.is_some();
        self.state.note(if hit { "hit" } else { "miss" });
        let call = match found {
            Some((_, call)) => call,
            None => {
                let set = self.state.tables[table.index()].default.clone();
                set.unwrap_or_else(|| declared.default.clone())
            }
        };
        if self.action(packet, call.action, &call.args)? == Flow::Exit {
            return Ok(Flow::Exit);
        }
        let next = match then {
            AfterApply::Nothing => return Ok(Flow::Go),
            AfterApply::Hit { hit: yes, miss } => {
                if hit {
                    yes
                } else {
                    miss
                }
            }
            AfterApply::Switch { cases, default } => {
                cases.iter().find(|c| c.actions.contains(&call.action)).map_or(default, |c| &c.body)
            }
        };
        self.block(packet, next, &[])
    }

    /// The entry that matches best, by looking at every one, and what it does.
    fn lookup(&mut self, packet: &Packet, table: Table) -> Run<Option<(usize, ActionCall)>> {
        let program = self.program;
        let declared = &program.tables[table];
        let scope = self.scope(&[]);
        let mut keys = Vec::new();
        for key in &declared.keys {
            keys.push(scope.eval(packet, &key.value)?);
        }
        let mut best: Option<(usize, (u32, u32))> = None;
        for (i, installed) in self.state.tables[table.index()].entries.iter().enumerate() {
            let matches = installed.entry.keys.iter().zip(&keys).all(|(k, v)| matches(k, v));
            let prefix = installed.entry.keys.iter().map(|k| match k {
                KeyMatch::Lpm { prefix, .. } => *prefix,
                _ => 0,
            });
            // With a priority the length of a prefix says nothing.
            let ordered = declared.keys.iter().any(|k| {
                use restage_program::program::MatchKind::{Optional, Range, Ternary};
                matches!(k.kind, Ternary | Range | Optional)
            });
            let rank = (installed.entry.priority, if ordered { 0 } else { prefix.sum() });
            if matches && best.is_none_or(|(_, r)| rank > r) {
                best = Some((i, rank));
            }
        }
        let Some((found, _)) = best else { return Ok(None) };
        let target = &self.state.tables[table.index()].entries[found].entry.target;
        let members = |profile: restage_program::entity::Profile| {
            (&program.profiles[profile], &self.state.profiles[profile.index()])
        };
        let call = match (target, declared.profile.map(members)) {
            (EntryTarget::Action(call), _) => Some(call.clone()),
            (EntryTarget::Member(member), Some((_, state))) => state.members.get(member).cloned(),
            (EntryTarget::Group(group), Some((profile, state))) => {
                let mut listed = Vec::new();
                for (member, weight) in state.groups.get(group).into_iter().flatten() {
                    listed.extend(std::iter::repeat_n(*member, *weight as usize));
                }
                listed.sort_unstable();
                match (&profile.selector, listed.len() as u64) {
                    (Some(selector), n @ 1..) => {
                        let list = scope.list(packet, &selector.items)?;
                        let hash = self.state.hash(program, selector.algorithm, &list);
                        state.members.get(&listed[(hash % n) as usize]).cloned()
                    }
                    _ => None,
                }
            }
            (_, None) => None,
        };
        Ok(call.map(|call| (found, call)))
    }

    pub(super) fn note_colour(&mut self, colour: u64) {
        match colour {
            1 => self.state.note("yellow"),
            2 => self.state.note("red"),
            _ => {}
        }
    }
}
