//! Accesses of a flow as cells.
//!
//! A cell's outputs mean nothing without a packet or with a false guard; a flow wants 0 then, and gets it here.

use super::build::Builder;
use super::inside::Inside;
use super::order::Group;
use super::statement::statement;
use super::values::identifier;
use crate::cells::{self, MapIn, MapStep, RegisterIn, Site, TableIn};
use crate::hash::{self, Item};
use crate::pipe::{Pipe, Sig};
use restage_compile::flow::{Access, AccessKind, Draw, MapUse, TableUse, Value};
use restage_manifest::cell::{
    Cell, CounterShape, MapShape, MeterShape, RandomShape, RegisterShape, TableShape, ValueSetShape,
};
use restage_program::entity::Map;
use restage_program::program::HashAlgorithm;

impl Builder<'_> {
    /// Builds the cells of a group.
    pub(super) fn group(&mut self, group: &Group) {
        if let [access] = group.members.as_slice() {
            return self.access(*access, &group.inner);
        }
        self.registers(group);
    }

    /// Builds the cell of an access; `inner` is the part of the flow between what it reads and what it writes.
    fn access(&mut self, access: Access, inner: &[Value]) {
        let flow = self.flow;
        let decl = &flow.accesses[access];
        let guard = self.sig(decl.guard);
        let outputs = match &decl.kind {
            AccessKind::Table(table) => self.table(guard, table),
            AccessKind::Register { .. } => {
                return self.registers(&Group { members: vec![access], inner: inner.to_vec() });
            }
            AccessKind::Counter { counter, bank, index, length } => {
                let decl = &self.plan.program.counters[*counter];
                let name = format!("{}_{bank}", identifier(&decl.preamble.name));
                let shape = CounterShape::of(decl);
                let (index, length) = (self.sig(*index), self.sig(*length));
                let site = self.site(&name);
                let (pipe, config) = (&mut self.pipe, &mut self.config);
                let ports = cells::counter(pipe, config, &shape, site, guard, index, length);
                let cell = self.cell(ports.first, shape);
                self.cells.counters.push((*counter, cell));
                Vec::new()
            }
            AccessKind::Meter { meter, index, length } => {
                let decl = &self.plan.program.meters[*meter];
                let name = identifier(&decl.preamble.name);
                let shape = MeterShape::of(decl);
                let (index, length) = (self.sig(*index), self.sig(*length));
                let site = self.site(&name);
                let (pipe, config) = (&mut self.pipe, &mut self.config);
                let (colour, ports) =
                    cells::meter(pipe, config, &shape, site, guard, index, length);
                let cell = self.cell(ports.first, shape);
                self.cells.meters.push((*meter, cell));
                vec![self.gated(guard, colour)]
            }
            AccessKind::Map(map) => self.map(access, guard, map, inner),
            AccessKind::Random { site, draws } => {
                let guards: Vec<Sig> = draws.iter().map(|d| self.sig(d.guard)).collect();
                // A packet draws once at most, so the draws share the generator and its bounds.
                let mut chosen = |bound: fn(&Draw) -> Value| {
                    let choices: Vec<(Sig, Sig)> =
                        guards.iter().zip(draws).map(|(g, d)| (*g, self.sig(bound(d)))).collect();
                    match choices.as_slice() {
                        [(_, only)] => *only,
                        _ => self.pipe.select(&choices),
                    }
                };
                let (low, high) = (chosen(|d| d.low), chosen(|d| d.high));
                let any = self.pipe.or_all(&guards);
                let name = format!("random_{site}");
                let shape = RandomShape {};
                let place = self.site(&name);
                let (pipe, config) = (&mut self.pipe, &mut self.config);
                let (number, ports) = cells::random(pipe, config, &shape, place, any, low, high);
                let cell = self.cell(ports.first, shape);
                self.cells.randoms.push((*site, cell));
                guards.iter().map(|guard| self.gated(*guard, number)).collect()
            }
            AccessKind::ValueSet { set, columns } => {
                let decl = &self.plan.program.value_sets[*set];
                let name = identifier(&decl.preamble.name);
                let shape = ValueSetShape::of(decl);
                let columns: Vec<Sig> = columns.iter().map(|c| self.sig(*c)).collect();
                let site = self.site(&name);
                let (pipe, config) = (&mut self.pipe, &mut self.config);
                let (member, ports) = cells::value_set(pipe, config, &shape, site, &columns);
                let cell = self.cell(ports.first, shape);
                self.cells.value_sets.push((*set, cell));
                vec![self.gated(guard, member)]
            }
        };
        self.ports[access] = outputs;
    }

    fn table(&mut self, guard: Sig, used: &TableUse) -> Vec<Sig> {
        let program = self.plan.program;
        let name = identifier(&program.tables[used.table].preamble.name);
        let selector = used.selector.map(|s| self.sig(s));
        let hash_bits = selector.map_or(0, |s| self.pipe.width(s));
        let Some(shape) = TableShape::of(program, used.table, hash_bits) else {
            self.pipe.refuse(format!("table {name} has keys without a type"));
            return Vec::new();
        };
        let keys: Vec<Sig> = used
            .keys
            .iter()
            .zip(&shape.keys)
            .map(|(key, shape)| {
                let key = self.sig(*key);
                self.pipe.resize(key, shape.width)
            })
            .collect();
        let length = used.length.map(|l| self.sig(l));
        let input = TableIn { guard, keys, selector, length };
        let site = self.site(&name);
        let (out, ports) = cells::table(&mut self.pipe, &mut self.config, &shape, site, &input);
        let listed = program.tables[used.table].actions.len();
        let cell = self.cell(ports.first, shape);
        self.cells.tables.push((used.table, cell));
        let bits = restage_compile::flow::bits_for(listed);
        let action = self.pipe.resize(out.action, bits);
        let mut outputs = vec![out.hit, self.gated(guard, action), self.gated(guard, out.colour)];
        outputs.extend(out.params.into_iter().take(listed).flatten());
        outputs
    }

    /// Arrays of registers, of which each may write what depends on what the others read.
    fn registers(&mut self, group: &Group) {
        let flow = self.flow;
        let mut arrays = Vec::new();
        let mut ends = Vec::new();
        for access in &group.members {
            let AccessKind::Register { register, index, write } = &flow.accesses[*access].kind
            else {
                let origin = flow.accesses[*access].origin.text();
                self.pipe.refuse(format!(
                    "{origin} is read and written together with other cells; only registers can be"
                ));
                return;
            };
            let decl = &self.plan.program.registers[*register];
            let name = identifier(&decl.preamble.name);
            let what = statement(self.plan.program, flow, *access);
            arrays.push((*register, name, what, RegisterShape::of(decl), self.sig(*index)));
            ends.extend(write.iter().flat_map(|w| [w.enable, w.data]));
        }
        let inside = Inside::new(flow, &group.members, &group.inner, &ends);
        let operands = self.operands(&inside);
        let sites: Vec<RegisterIn<'_>> = arrays
            .iter()
            .map(|(_, name, what, shape, index)| RegisterIn {
                shape: shape.clone(),
                site: self.site(name),
                what,
                index: *index,
            })
            .collect();
        let update = |pipe: &mut Pipe, old: &[Sig], rest: &[Sig]| {
            let read = |access: Access, _| {
                let at = group.members.iter().position(|a| *a == access)?;
                old.get(at).copied()
            };
            let values = inside.build_short(pipe, read, rest, &ends);
            let never = pipe.lit(1, 0);
            let new = |(access, old): (&Access, &Sig)| match &flow.accesses[*access].kind {
                AccessKind::Register { write: Some(write), .. } => {
                    (values(write.enable), values(write.data))
                }
                _ => (never, *old),
            };
            group.members.iter().zip(old).map(new).collect()
        };
        let (pipe, config) = (&mut self.pipe, &mut self.config);
        let (old, ports) = cells::registers(pipe, config, &sites, &operands, update);
        drop(sites);
        for (((access, old), ports), (register, _, _, shape, _)) in
            group.members.iter().zip(old).zip(ports).zip(arrays)
        {
            let cell = self.cell(ports.first, shape);
            self.cells.registers.push((register, cell));
            let guard = self.sig(flow.accesses[*access].guard);
            // Registered: what is computed of it would otherwise be one lookup table deeper.
            let old = self.gated(guard, old);
            self.ports[*access] = vec![self.pipe.registered(old)];
        }
    }

    fn map(&mut self, access: Access, guard: Sig, used: &MapUse, inner: &[Value]) -> Vec<Sig> {
        let map: Map = used.map;
        let decl = &self.plan.program.maps[map];
        let name = identifier(&decl.preamble.name);
        let shape = MapShape::of(decl);
        let key: Vec<Sig> = used.key.iter().map(|k| self.sig(*k)).collect();
        let items: Vec<Item> = key.iter().map(|bits| Item::new(*bits)).collect();
        let hash = hash::hash(&mut self.pipe, HashAlgorithm::Crc32, &items, None);
        let touch = self.sig(used.touch);
        let touch = self.pipe.and(touch, guard);
        let mut ends: Vec<Value> = used.remove.into_iter().collect();
        if let Some(put) = &used.put {
            ends.push(put.enable);
            ends.extend(&put.values);
        }
        let inside = Inside::new(self.flow, &[access], inner, &ends);
        let mut operands = self.operands(&inside);
        operands.push(guard);
        let site = self.site(&name);
        let input = MapIn { key, hash, touch, operands: &operands };
        let (pipe, config) = (&mut self.pipe, &mut self.config);
        let (out, ports) =
            cells::map(pipe, config, &shape, site, &input, |pipe, found, values, rest| {
                let mut read = vec![found];
                read.extend_from_slice(values);
                let (guard, rest) = rest.split_last().map_or((found, rest), |(g, r)| (*g, r));
                let built = inside.build(pipe, |_, port| read.get(port as usize).copied(), rest);
                let put = used
                    .put
                    .as_ref()
                    .map(|put| (built(put.enable), put.values.iter().map(|v| built(*v)).collect()));
                let remove = used.remove.map(|remove| pipe.and(built(remove), guard));
                MapStep { put, remove }
            });
        let cell = self.cell(ports.first, shape);
        self.cells.maps.push((map, cell));
        let mut outputs = vec![self.gated(guard, out.found)];
        outputs.extend(out.values.iter().map(|v| self.gated(guard, *v)));
        outputs.push(self.gated(guard, out.stored));
        outputs
    }

    fn site<'n>(&self, name: &'n str) -> Site<'n> {
        Site { name, packet: self.valid, epoch: self.epoch, time: self.time }
    }

    fn cell<S>(&self, first: u32, shape: S) -> Cell<S> {
        Cell { unit: 0, first, shape }
    }

    /// 0 unless the guard is 1.
    fn gated(&mut self, guard: Sig, sig: Sig) -> Sig {
        let mask = self.pipe.repeat(guard, self.pipe.width(sig));
        self.pipe.and(sig, mask)
    }

    fn operands(&mut self, inside: &Inside<'_>) -> Vec<Sig> {
        inside.taken.iter().map(|v| self.sig(*v)).collect()
    }
}
