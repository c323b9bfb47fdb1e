//! All cells of a program, and the writes to them.

mod after;
mod contents;
mod entries;
mod members;

use crate::bus::{BusOp, Log, NOWHERE};
use crate::lists::Lists;
use crate::profile::Profile;
use crate::state::row;
use crate::table::Table;
use crate::ternary::Ternary;
use entries::constant;
use restage_manifest::ShellConfig;
use restage_manifest::cell::{Cell, Cells, Part, TableShape, ValueSetShape};
use restage_program::Bits;
use restage_program::accept::{Fault, WriteError, object, refused};
use restage_program::entity as id;
use restage_program::entry::{CrcParams, KeyMatch, Write};
use restage_program::program::{Program, TableDecl};
use std::collections::{BTreeMap, BTreeSet};
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
    /// Tables that were there before the program, with their entries.
    kept: BTreeSet<id::Table>,
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
            kept: BTreeSet::new(),
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
    /// site without one starts as the golden model has it by default). Done once, on cleared memories; not for tables
    /// that were [kept](Self::keep).
    pub fn initial(&mut self, seeds: &[u64]) -> Result<Vec<BusOp>, EncodeError> {
        let mut log = Log::default();
        for (site, cell) in &self.cells.randoms {
            let seed = seeds.get(*site as usize).copied();
            let seed = seed.unwrap_or_else(|| restage_program::random::start(0, *site));
            log.0.extend(row(cell, Part::Seed, 0, Bits::new(64, seed.into())));
        }
        let program = Arc::clone(&self.program);
        let kept = self.kept.clone();
        for (table, decl) in program.tables.iter().filter(|(t, _)| !kept.contains(t)) {
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
            Write::SetCrc(crc, params) => {
                let decl = object("custom CRC", &program.crcs, *crc)?;
                if *params == CrcParams::standard(decl.width) {
                    return Ok(());
                }
                let text = format!(
                    "cannot be set in a circuit, where it is the usual CRC-{} for good; no other parameters are accepted",
                    decl.width
                );
                Err(refused("custom CRC", &decl.name, Fault::Invalid(text)))
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
}
