//! All cells of a program, and the writes to them.

use crate::bus::{BusOp, Log, NOWHERE};
use crate::lists::Lists;
use crate::profile::Profile;
use crate::state::{counter_row, map_row, meter_rows, row};
use crate::table::{EntryKey, Table};
use crate::ternary::Ternary;
use restage_manifest::ShellConfig;
use restage_manifest::cell::{Cell, Cells, MapShape, Part, TableShape, ValueSetShape};
use restage_program::Bits;
use restage_program::accept::{self, Fault, WriteError, in_range, object, rates, refused};
use restage_program::entity as id;
use restage_program::entry::{Entry, EntryTarget, KeyMatch, Write};
use restage_program::program::{ActionCall, ActionRef, ActionScope, Program, TableDecl};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// Bits of the selector's hash of a table that no circuit has.
const ANY_HASH: u32 = 16;

/// Which epochs a write is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Epochs {
    /// Both, before there are packets.
    Both,
    /// 0 or 1.
    One(bool),
}

impl Epochs {
    fn each(self) -> impl Iterator<Item = usize> {
        let both = [0, 1].into_iter();
        both.filter(move |e| self == Epochs::Both || self == Epochs::One(*e == 1))
    }
}

/// A write of a batch that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodeError {
    /// Which one, from 0.
    pub index: usize,
    /// Why.
    pub source: WriteError,
}

impl std::fmt::Display for EncodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "write {}: {}", self.index, self.source)
    }
}

impl std::error::Error for EncodeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Which of a batch's writes is done, and how.
#[derive(Clone, Copy, Debug)]
struct Step {
    epoch: usize,
    /// Whether this is the first epoch that it is done under.
    first: bool,
    index: usize,
}

#[derive(Clone, Debug)]
struct ValueSet {
    cell: Cell<ValueSetShape>,
    table: Ternary,
}

/// What is installed and where. See the [crate documentation](crate).
#[derive(Clone, Debug)]
pub struct Encoder {
    pub(crate) program: Arc<Program>,
    pub(crate) cells: Cells,
    lists: Lists,
    pub(crate) tables: BTreeMap<u32, Table>,
    profiles: BTreeMap<u32, Profile>,
    value_sets: Vec<(id::ValueSet, ValueSet)>,
    members: [BTreeMap<u32, Vec<Vec<KeyMatch>>>; 2],
}

impl Encoder {
    /// Empty memories for a checked program's cells, and empty lists of a shell of the default sizes.
    pub fn new(program: &Program, cells: &Cells) -> Self {
        let mut encoder = Encoder {
            program: Arc::new(program.clone()),
            cells: cells.clone(),
            lists: Lists::new(&ShellConfig::default()),
            tables: BTreeMap::new(),
            profiles: BTreeMap::new(),
            value_sets: Vec::new(),
            members: [BTreeMap::new(), BTreeMap::new()],
        };
        for (table, cell) in &cells.tables {
            encoder.add_table(*table, cell);
        }
        for table in program.tables.keys() {
            if !encoder.tables.contains_key(&table.0)
                && let Some(shape) = TableShape::of(program, table, ANY_HASH)
            {
                encoder.add_table(table, &Cell { unit: NOWHERE, first: 0, shape });
            }
        }
        for (set, cell) in &cells.value_sets {
            let table = Ternary::new(cell, &cell.shape.table);
            encoder.value_sets.push((*set, ValueSet { cell: cell.clone(), table }));
        }
        encoder
    }

    fn add_table(&mut self, table: id::Table, cell: &Cell<TableShape>) {
        self.tables.insert(table.0, Table::new(cell));
        let profile = self.program.tables.get(table).and_then(|t| t.profile);
        if let (Some(profile), Some(shape)) = (profile, &cell.shape.profile) {
            let of = self.profiles.entry(profile.0).or_insert_with(|| Profile::new(shape));
            of.add_table(cell);
        }
    }

    /// With the sizes of a shell's lists.
    pub fn with_shell(mut self, config: &ShellConfig) -> Self {
        self.lists = Lists::new(config);
        self
    }

    /// What comes with the program: default actions and entries, and the seeds of random generators by call site (a
    /// site without one starts as the golden model has it by default). Done once, on cleared memories.
    pub fn initial(&mut self, seeds: &[u64]) -> Result<Vec<BusOp>, EncodeError> {
        let mut log = Log::default();
        for (site, cell) in &self.cells.randoms {
            let seed = seeds.get(*site as usize).copied();
            let seed = seed.unwrap_or_else(|| restage_program::random::start(0, *site));
            log.0.extend(row(cell, Part::Seed, 0, Bits::new(64, seed.into())));
        }
        let program = Arc::clone(&self.program);
        for (table, decl) in program.tables.iter() {
            let fault = |index, fault| EncodeError {
                index,
                source: refused("table", &decl.preamble.name, fault),
            };
            for epoch in 0..2 {
                if let Some(table) = self.tables.get_mut(&table.0) {
                    table.set_default(&mut log, epoch, &decl.default);
                }
                for (index, entry) in decl.entries.iter().enumerate() {
                    self.insert(epoch, index, table, decl, entry).map_err(|f| fault(index, f))?;
                }
            }
        }
        self.flush(&mut log)?;
        Ok(log.ops())
    }

    /// Does writes in order.
    pub fn write(&mut self, epochs: Epochs, writes: &[Write]) -> Result<Vec<BusOp>, EncodeError> {
        let before =
            if writes.len() > 1 || epochs == Epochs::Both { Some(self.clone()) } else { None };
        let done = self.all(epochs, writes);
        if let (Err(_), Some(before)) = (&done, before) {
            *self = before;
        }
        done
    }

    fn all(&mut self, epochs: Epochs, writes: &[Write]) -> Result<Vec<BusOp>, EncodeError> {
        let mut log = Log::default();
        for (index, write) in writes.iter().enumerate() {
            for epoch in epochs.each() {
                let first = epochs.each().next() == Some(epoch);
                let step = Step { epoch, first, index };
                self.one(&mut log, step, write).map_err(|source| EncodeError { index, source })?;
            }
        }
        self.flush(&mut log)?;
        Ok(log.ops())
    }

    fn flush(&mut self, log: &mut Log) -> Result<(), EncodeError> {
        for (table, of) in &mut self.tables {
            of.flush(log).map_err(|(index, fault)| {
                let decl = self.program.tables.get(id::Table(*table));
                let name = decl.map_or("", |d| &d.preamble.name);
                EncodeError { index, source: refused("table", name, fault) }
            })?;
        }
        self.value_sets.iter_mut().for_each(|(_, set)| set.table.flush(log));
        Ok(())
    }

    /// One write under one epoch. State without epochs is written with the first.
    fn one(
        &mut self,
        log: &mut Log,
        Step { epoch, first, index }: Step,
        write: &Write,
    ) -> Result<(), WriteError> {
        let program = Arc::clone(&self.program);
        let table_fault = |decl: &TableDecl, fault| refused("table", &decl.preamble.name, fault);
        match write {
            Write::Insert(table, entry) => {
                let decl = object("table", &program.tables, *table)?;
                let fault = |f| table_fault(decl, f);
                constant(decl).map_err(fault)?;
                self.insert(epoch, index, *table, decl, entry).map_err(fault)
            }
            Write::Modify(table, entry) => {
                let decl = object("table", &program.tables, *table)?;
                let fault = |f| table_fault(decl, f);
                constant(decl).map_err(fault)?;
                self.modify(epoch, index, *table, decl, entry).map_err(fault)
            }
            Write::Delete { table, keys, priority } => {
                let decl = object("table", &program.tables, *table)?;
                let fault = |f| table_fault(decl, f);
                constant(decl).map_err(fault)?;
                self.delete(epoch, index, *table, decl, (keys, *priority)).map_err(fault)
            }
            Write::SetDefault(table, call) => {
                let decl = object("table", &program.tables, *table)?;
                self.set_default(log, epoch, *table, decl, call.as_ref())
                    .map_err(|f| table_fault(decl, f))
            }
            Write::SetMember { profile, .. }
            | Write::DeleteMember(profile, _)
            | Write::SetGroup { profile, .. }
            | Write::DeleteGroup(profile, _) => {
                let decl = object("action profile", &program.profiles, *profile)?;
                self.profile(log, epoch, *profile, write)
                    .map_err(|f| refused("action profile", &decl.preamble.name, f))
            }
            Write::SetValueSet(set, members) => {
                let decl = object("value set", &program.value_sets, *set)?;
                self.value_set(epoch, *set, members)
                    .map_err(|f| refused("value set", &decl.preamble.name, f))
            }
            Write::SetMulticast { group, replicas } if first => {
                let ops = self.lists.group(*group, replicas.as_deref());
                let name = || group.to_string();
                log.1.extend(ops.map_err(|f| refused("multicast group", &name(), f))?);
                Ok(())
            }
            Write::SetClone { session, target } if first => {
                let ops = self.lists.session(*session, target.as_ref());
                let name = || session.to_string();
                log.1.extend(ops.map_err(|f| refused("clone session", &name(), f))?);
                Ok(())
            }
            Write::SetCrc(crc, _) => {
                let decl = object("custom CRC", &program.crcs, *crc)?;
                let fault = Fault::Invalid("cannot be set in a circuit".into());
                Err(refused("custom CRC", &decl.name, fault))
            }
            state if first => {
                // What stands behind an id must have one.
                if let Write::SetDirectCounter { table, .. } | Write::SetDirectMeter { table, .. } =
                    state
                    && let Some(of) = self.tables.get_mut(&table.0)
                {
                    let name = program.tables.get(*table).map_or("", |d| &d.preamble.name);
                    of.flush(log).map_err(|(_, fault)| refused("table", name, fault))?;
                }
                self.state(log, epoch, state)
            }
            _ => Ok(()),
        }
    }

    fn insert(
        &mut self,
        epoch: usize,
        index: usize,
        table: id::Table,
        decl: &TableDecl,
        entry: &Entry,
    ) -> Result<(), Fault> {
        accept::keys(&self.program, decl, &entry.keys, entry.priority)?;
        check_target(&self.program, decl, &entry.target)?;
        let profile = decl.profile.and_then(|p| self.profiles.get_mut(&p.0));
        let Some(of) = self.tables.get_mut(&table.0) else { return absent() };
        let key = of.key(&entry.keys, entry.priority);
        if of.planes[epoch].contains_key(&key) {
            return Err(Fault::Exists(format!("entry {:?}", entry.keys)));
        }
        of.insert(epoch, index, entry, profile.as_deref())?;
        if let Some(profile) = profile {
            profile.entry_uses(epoch, &entry.target, true);
        }
        Ok(())
    }

    fn modify(
        &mut self,
        epoch: usize,
        index: usize,
        table: id::Table,
        decl: &TableDecl,
        entry: &Entry,
    ) -> Result<(), Fault> {
        accept::keys(&self.program, decl, &entry.keys, entry.priority)?;
        check_target(&self.program, decl, &entry.target)?;
        let profile = decl.profile.and_then(|p| self.profiles.get_mut(&p.0));
        let Some(of) = self.tables.get_mut(&table.0) else { return absent() };
        let key = of.key(&entry.keys, entry.priority);
        let Some(old) = of.planes[epoch].get(&key).map(|i| i.entry.target.clone()) else {
            return Err(missing(&key));
        };
        of.modify(epoch, index, entry, profile.as_deref())?;
        if let Some(profile) = profile {
            profile.entry_uses(epoch, &old, false);
            profile.entry_uses(epoch, &entry.target, true);
        }
        Ok(())
    }

    fn delete(
        &mut self,
        epoch: usize,
        index: usize,
        table: id::Table,
        decl: &TableDecl,
        (keys, priority): (&[KeyMatch], u32),
    ) -> Result<(), Fault> {
        accept::keys(&self.program, decl, keys, priority)?;
        let Some(of) = self.tables.get_mut(&table.0) else { return absent() };
        let key = of.key(keys, priority);
        let Some(old) = of.remove(epoch, index, &key) else { return Err(missing(&key)) };
        if let Some(profile) = decl.profile.and_then(|p| self.profiles.get_mut(&p.0)) {
            profile.entry_uses(epoch, &old.entry.target, false);
        }
        Ok(())
    }

    fn set_default(
        &mut self,
        log: &mut Log,
        epoch: usize,
        table: id::Table,
        decl: &TableDecl,
        call: Option<&ActionCall>,
    ) -> Result<(), Fault> {
        if decl.const_default {
            return Err(Fault::Invalid("has a constant default action".into()));
        }
        let call = call.unwrap_or(&decl.default);
        let own = ActionRef { action: decl.default.action, scope: ActionScope::DefaultOnly };
        let allowed = decl.actions.iter().chain(std::iter::once(&own));
        accept::action(&self.program, allowed, call, true)?;
        let Some(of) = self.tables.get_mut(&table.0) else { return absent() };
        of.set_default(log, epoch, call);
        Ok(())
    }

    fn profile(
        &mut self,
        log: &mut Log,
        epoch: usize,
        profile: id::Profile,
        write: &Write,
    ) -> Result<(), Fault> {
        let program = &self.program;
        let decl = &program.profiles[profile];
        let Some(of) = self.profiles.get_mut(&profile.0) else { return absent() };
        match write {
            Write::SetMember { member, call, .. } => {
                let tables = program.tables.values().filter(|t| t.profile == Some(profile));
                let allowed: Vec<&ActionRef> = tables.flat_map(|t| &t.actions).collect();
                accept::action(program, allowed.into_iter(), call, false)?;
                let plane = &of.planes[epoch];
                let limit = decl.size;
                if !plane.members.contains_key(member) && plane.members.len() >= limit as usize {
                    return Err(Fault::Full { of: "members", limit: limit.into() });
                }
                of.set_member(log, epoch, *member, call)
            }
            Write::DeleteMember(_, member) => of.delete_member(epoch, *member),
            Write::SetGroup { group, members, .. } => {
                let plane = &of.planes[epoch];
                let selector = decl
                    .selector
                    .as_ref()
                    .ok_or_else(|| Fault::Invalid("has no selector, so no groups".into()))?;
                let mut seen = HashSet::new();
                for (member, weight) in members {
                    if !plane.members.contains_key(member) {
                        return Err(Fault::Missing(format!("member {member}")));
                    }
                    if *weight == 0 {
                        return Err(Fault::Invalid(format!(
                            "member {member} has weight 0; it is 1 at least"
                        )));
                    }
                    if !seen.insert(*member) {
                        return Err(Fault::Invalid(format!(
                            "member {member} is named twice; give it a weight"
                        )));
                    }
                }
                let weights =
                    |all: &[(u32, u32)]| all.iter().map(|(_, w)| u64::from(*w)).sum::<u64>();
                let (most, here) = (u64::from(selector.max_group_size), weights(members));
                if most > 0 && here > most {
                    return Err(Fault::Full { of: "weights in a group", limit: most });
                }
                let others = plane.groups.iter().filter(|(g, _)| *g != group);
                if here + others.map(|(_, g)| weights(g)).sum::<u64>() > u64::from(decl.size) {
                    let limit = decl.size.into();
                    return Err(Fault::Full { of: "weights in all groups", limit });
                }
                of.set_group(log, epoch, *group, members)
            }
            Write::DeleteGroup(_, group) => of.delete_group(log, epoch, *group),
            _ => Ok(()),
        }
    }

    fn value_set(
        &mut self,
        epoch: usize,
        set: id::ValueSet,
        members: &[Vec<KeyMatch>],
    ) -> Result<(), Fault> {
        let decl = &self.program.value_sets[set];
        if members.len() > decl.size as usize {
            return Err(Fault::Full { of: "members", limit: decl.size.into() });
        }
        for member in members {
            if member.len() != decl.columns.len() {
                let (got, want) = (member.len(), decl.columns.len());
                let text = format!("a member has {got} matches; it has {want} columns");
                return Err(Fault::Invalid(text));
            }
            for (on, column) in member.iter().zip(&decl.columns) {
                accept::any_match(&column.name, on, column.ty)?;
            }
        }
        let old = self.members[epoch].insert(set.0, members.to_vec()).unwrap_or_default();
        for (_, of) in self.value_sets.iter_mut().filter(|(s, _)| *s == set) {
            let ranks = |count: usize| (0..count as u64).map(|order| (0, order));
            ranks(old.len()).for_each(|rank| of.table.remove(epoch, rank));
            for (rank, member) in ranks(members.len()).zip(members) {
                if !of.table.insert(epoch, rank, 0, member) {
                    let limit = of.cell.shape.size.into();
                    return Err(Fault::Full { of: "members", limit });
                }
            }
        }
        Ok(())
    }

    /// What has no epochs.
    fn state(&mut self, log: &mut Log, epoch: usize, write: &Write) -> Result<(), WriteError> {
        let program = &self.program;
        match write {
            Write::SetRegister(register, index, value) => {
                let decl = object("register", &program.registers, *register)?;
                let fault = |f| refused("register", &decl.preamble.name, f);
                in_range(*index, decl.size).map_err(fault)?;
                accept::width("its value", value, decl.ty.width()).map_err(fault)?;
                for (_, cell) in self.cells.registers.iter().filter(|(r, _)| r == register) {
                    log.0.extend(row(cell, Part::Content, *index, value.clone()));
                }
            }
            Write::SetCounter(counter, index, value) => {
                let decl = object("counter", &program.counters, *counter)?;
                let fault = |f| refused("counter", &decl.preamble.name, f);
                in_range(*index, decl.size).map_err(fault)?;
                // A count is the sum of its banks: the first one has it all.
                let mut value = *value;
                for (_, cell) in self.cells.counters.iter().filter(|(c, _)| c == counter) {
                    let bits = counter_row(decl.unit, std::mem::take(&mut value));
                    log.0.extend(row(cell, Part::Count, *index, bits));
                }
            }
            Write::SetMeter(meter, index, config) => {
                let decl = object("meter", &program.meters, *meter)?;
                let fault = |f| refused("meter", &decl.preamble.name, f);
                in_range(*index, decl.size).map_err(fault)?;
                rates(config.as_ref()).map_err(fault)?;
                for (_, cell) in self.cells.meters.iter().filter(|(m, _)| m == meter) {
                    log.0.extend(meter_rows(cell, *index, *config));
                }
            }
            Write::SetDirectCounter { table, keys, priority, value } => {
                let (decl, of, id) = self.direct(epoch, *table, keys, *priority)?;
                let Some(counter) = &decl.counter else {
                    let fault = Fault::Invalid("has no direct counter".into());
                    return Err(refused("table", &decl.preamble.name, fault));
                };
                log.0.extend(row(&of.cell, Part::Count, id, counter_row(counter.unit, *value)));
            }
            Write::SetDirectMeter { table, keys, priority, config } => {
                let (decl, of, id) = self.direct(epoch, *table, keys, *priority)?;
                let fault = |f| refused("table", &decl.preamble.name, f);
                if decl.meter.is_none() {
                    return Err(fault(Fault::Invalid("has no direct meter".into())));
                }
                rates(config.as_ref()).map_err(fault)?;
                log.0.extend(meter_rows(&of.cell, id, *config));
            }
            Write::SetMapEntry { map, key, values } => {
                self.map(log, *map, key, Some(values), MapShape::PUT)?;
            }
            Write::DeleteMapEntry(map, key) => self.map(log, *map, key, None, MapShape::REMOVE)?,
            _ => {}
        }
        Ok(())
    }

    /// The entry of a table, for what stands behind its id.
    pub(crate) fn direct(
        &self,
        epoch: usize,
        table: id::Table,
        keys: &[KeyMatch],
        priority: u32,
    ) -> Result<(&TableDecl, &Table, u32), WriteError> {
        let decl = object("table", &self.program.tables, table)?;
        let fault = |f| refused("table", &decl.preamble.name, f);
        accept::keys(&self.program, decl, keys, priority).map_err(fault)?;
        let Some(of) = self.tables.get(&table.0) else { return Err(fault(not_placed())) };
        let key = of.key(keys, priority);
        match of.id(&key, epoch) {
            Some(id) => Ok((decl, of, id)),
            None => Err(fault(missing(&key))),
        }
    }

    fn map(
        &self,
        log: &mut Log,
        map: id::Map,
        key: &[Bits],
        values: Option<&Vec<Bits>>,
        command: u32,
    ) -> Result<(), WriteError> {
        let decl = object("map", &self.program.maps, map)?;
        let fault = |f| refused("map", &decl.preamble.name, f);
        accept::fields("key", key, &decl.key).map_err(fault)?;
        if let Some(values) = values {
            accept::fields("values", values, &decl.values).map_err(fault)?;
        }
        let values = values.map(Vec::as_slice).unwrap_or_default();
        for (_, cell) in self.cells.maps.iter().filter(|(m, _)| *m == map) {
            log.0.extend(map_row(cell, key, values, command));
        }
        Ok(())
    }
}

fn constant(decl: &TableDecl) -> Result<(), Fault> {
    match decl.const_entries {
        true => Err(Fault::Invalid("has constant entries only".into())),
        false => Ok(()),
    }
}

fn check_target(program: &Program, decl: &TableDecl, target: &EntryTarget) -> Result<(), Fault> {
    match (target, decl.profile) {
        (EntryTarget::Action(call), None) => {
            accept::action(program, decl.actions.iter(), call, false)
        }
        // What fits the profile, or does not, the profile knows.
        _ => Ok(()),
    }
}

fn missing(key: &EntryKey) -> Fault {
    Fault::Missing(format!("entry {:?} of priority {}", key.0, key.1))
}

fn not_placed() -> Fault {
    Fault::Invalid("is in no region".into())
}

fn absent() -> Result<(), Fault> {
    Err(not_placed())
}
