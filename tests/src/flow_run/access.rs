//! What accesses do to the state.

use super::FlowRun;
use crate::slow::run::matches;
use restage_compile::flow::{Access, AccessKind, Flow, TableUse, Value, first_param};
use restage_program::entry::{CounterValue, EntryTarget, KeyMatch};
use restage_program::program::{ActionCall, MatchKind, Unit};
use restage_program::{Bits, Entity, Type};

fn tokens(unit: Unit, length: &Bits) -> u64 {
    match unit {
        Unit::Bytes => length.low_u64(),
        Unit::Packets | Unit::Both => 1,
    }
}

fn count(cell: &mut CounterValue, length: &Bits) {
    cell.packets = cell.packets.wrapping_add(1);
    cell.bytes = cell.bytes.wrapping_add(length.low_u64());
}

impl FlowRun {
    /// Begins an access: what its ports give.
    pub(super) fn begin(&mut self, flow: &Flow, access: Access, values: &[Bits]) -> Vec<Bits> {
        let decl = &flow.accesses[access];
        let get = |v: Value| values[v.index()].clone();
        let program = self.slow.program.clone();
        if get(decl.guard).is_zero() {
            return Vec::new();
        }
        let index = |v: Value| get(v).to_u64().and_then(|i| usize::try_from(i).ok());
        match &decl.kind {
            AccessKind::Table(u) => self.table(flow, u, values),
            AccessKind::Register { register, index: i, .. } => {
                let cells = &self.slow.state.registers[register.index()];
                let width = program.registers[*register].ty.width();
                vec![index(*i).and_then(|i| cells.get(i).cloned()).unwrap_or(Bits::zero(width))]
            }
            AccessKind::Counter { counter, index: i, length, .. } => {
                let cells = &mut self.slow.state.counters[counter.index()];
                if let Some(cell) = index(*i).and_then(|i| cells.get_mut(i)) {
                    count(cell, &get(*length));
                }
                Vec::new()
            }
            AccessKind::Meter { meter, index: i, length } => {
                let now = self.slow.state.now;
                let cells = &mut self.slow.state.meters[meter.index()];
                let tokens = tokens(program.meters[*meter].unit, &get(*length));
                let cell = index(*i).and_then(|i| cells.get_mut(i));
                vec![Bits::new(2, cell.map_or(0, |c| c.execute(tokens, now)).into())]
            }
            AccessKind::Map(u) => {
                let key: Vec<Bits> = u.key.iter().map(|k| get(*k)).collect();
                let now = self.slow.state.now;
                let touch = !get(u.touch).is_zero();
                let mut ports = vec![Bits::zero(1)];
                match self.slow.state.map_find(&program, u.map, &key) {
                    Some(entry) => {
                        if touch {
                            entry.used = now;
                        }
                        ports[0] = Bits::ones(1);
                        ports.extend(entry.values.clone());
                    }
                    None => {
                        let fields = program.maps[u.map].values.iter();
                        ports.extend(fields.map(|f| Bits::zero(f.ty.width())));
                    }
                }
                // A trial put: whether there would be room.
                let mut trial = self.slow.state.clone();
                let values = ports[1..].to_vec();
                let room = trial.map_put(&program, u.map, &key, &values);
                ports.push(Bits::new(1, room.into()));
                ports
            }
            AccessKind::Random { site, draws } => {
                let mut ports = Vec::new();
                for draw in draws {
                    let width = get(draw.high).width();
                    ports.push(if get(draw.guard).is_zero() {
                        self.garbage(width)
                    } else {
                        let sequences = &mut self.slow.state.sequences;
                        let (low, high) = (get(draw.low), get(draw.high));
                        let number = sequences.next_at(*site as usize, &low, &high);
                        crate::slow::num::wrap(width, &number)
                    });
                }
                ports
            }
            AccessKind::ValueSet { set, columns } => {
                let columns: Vec<(Type, Bits)> =
                    columns.iter().map(|c| (flow.ty(*c), get(*c))).collect();
                let all =
                    |row: &Vec<KeyMatch>| row.iter().zip(&columns).all(|(k, v)| matches(k, v));
                let member = self.slow.state.value_sets[set.index()].iter().any(all);
                vec![Bits::new(1, member.into())]
            }
        }
    }

    /// Writes what an access writes.
    pub(super) fn update(&mut self, flow: &Flow, access: Access, values: &[Bits]) {
        let decl = &flow.accesses[access];
        let get = |v: Value| values[v.index()].clone();
        let program = self.slow.program.clone();
        let guard = !get(decl.guard).is_zero();
        match &decl.kind {
            AccessKind::Register { register, index, write: Some(write) } => {
                if get(write.enable).is_zero() {
                    return;
                }
                assert!(guard, "a write without its guard");
                let cells = &mut self.slow.state.registers[register.index()];
                let index = get(*index).to_u64().and_then(|i| usize::try_from(i).ok());
                if let Some(cell) = index.and_then(|i| cells.get_mut(i)) {
                    *cell = get(write.data);
                }
            }
            AccessKind::Map(u) => {
                let key: Vec<Bits> = u.key.iter().map(|k| get(*k)).collect();
                if let Some(put) = u.put.as_ref().filter(|p| !get(p.enable).is_zero()) {
                    assert!(guard, "a put without its guard");
                    let values: Vec<Bits> = put.values.iter().map(|v| get(*v)).collect();
                    self.slow.state.map_put(&program, u.map, &key, &values);
                }
                if u.remove.is_some_and(|r| !get(r).is_zero()) {
                    assert!(guard, "a removal without its guard");
                    self.slow.state.map_remove(&program, u.map, &key);
                }
            }
            _ => {}
        }
    }

    fn table(&mut self, flow: &Flow, u: &TableUse, values: &[Bits]) -> Vec<Bits> {
        let program = self.slow.program.clone();
        let decl = &program.tables[u.table];
        let keys: Vec<(Type, Bits)> =
            u.keys.iter().map(|k| (flow.ty(*k), values[k.index()].clone())).collect();
        let ordered = decl
            .keys
            .iter()
            .any(|k| matches!(k.kind, MatchKind::Ternary | MatchKind::Range | MatchKind::Optional));
        let mut best: Option<(usize, (u32, u32))> = None;
        let state = &mut self.slow.state;
        for (i, installed) in state.tables[u.table.index()].entries.iter().enumerate() {
            if !installed.entry.keys.iter().zip(&keys).all(|(k, v)| matches(k, v)) {
                continue;
            }
            let prefix = installed.entry.keys.iter().map(|k| match k {
                KeyMatch::Lpm { prefix, .. } => *prefix,
                _ => 0,
            });
            let rank = (installed.entry.priority, if ordered { 0 } else { prefix.sum() });
            if best.is_none_or(|(_, r)| rank > r) {
                best = Some((i, rank));
            }
        }
        let profile = decl.profile.map(|p| &state.profiles[p.index()]);
        let selector = u.selector.map_or(0, |s| values[s.index()].low_u64());
        let found = best.and_then(|(i, _)| {
            let entry = &state.tables[u.table.index()].entries[i].entry;
            let call = match (&entry.target, profile) {
                (EntryTarget::Action(call), _) => call.clone(),
                (EntryTarget::Member(member), Some(p)) => p.members.get(member)?.clone(),
                (EntryTarget::Group(group), Some(p)) => {
                    let mut listed: Vec<u32> = Vec::new();
                    for (member, weight) in p.groups.get(group)? {
                        listed.extend(std::iter::repeat_n(*member, *weight as usize));
                    }
                    listed.sort_unstable();
                    let chosen = listed.get((selector % listed.len().max(1) as u64) as usize)?;
                    p.members.get(chosen)?.clone()
                }
                (_, None) => return None,
            };
            Some((i, call))
        });
        let mut colour = 0;
        if let Some((i, _)) = found {
            let now = state.now;
            let cell = &mut state.tables[u.table.index()].entries[i];
            if decl.counter.is_some() || decl.meter.is_some() {
                let length = u.length.map(|l| values[l.index()].clone()).unwrap_or_default();
                if decl.counter.is_some() {
                    count(&mut cell.counter, &length);
                }
                if let Some(meter) = &decl.meter {
                    colour = cell.meter.execute(tokens(meter.unit, &length), now);
                }
            }
        }
        let hit = found.is_some();
        let default = || {
            let set = state.tables[u.table.index()].default.clone();
            set.unwrap_or_else(|| decl.default.clone())
        };
        let call: ActionCall = found.map_or_else(default, |(_, call)| call);
        let position = decl.actions.iter().position(|a| a.action == call.action).unwrap_or(0);
        let kind = AccessKind::Table(u.clone());
        let types = kind.ports(&program);
        let mut ports: Vec<Bits> = types.iter().map(|t| self.garbage(t.width())).collect();
        ports[0] = Bits::new(1, hit.into());
        ports[1] = Bits::new(types[1].width(), position as u128);
        ports[2] = Bits::new(2, colour.into());
        let first = first_param(&program, u.table, position) as usize;
        for (i, arg) in call.args.iter().enumerate() {
            ports[first + i] = arg.clone();
        }
        ports
    }
}
