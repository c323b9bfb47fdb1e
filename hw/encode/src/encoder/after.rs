//! What goes on from program to program: memories of regions that stay, and the numbers of entries.

use super::Encoder;
use crate::table::Table;
use restage_program::entity as id;
use restage_program::entry::Write;
use restage_program::program::{ActionCall, Preamble, Program};

impl Encoder {
    /// Entries get the ids that they have in tables of the same names of a program that runs, in an epoch of it: what packets left
    /// behind an id can be carried over row by row. Until [`settle`](Self::settle). Multicast groups and clone sessions are as
    /// they were.
    pub fn after(mut self, running: &Encoder, epoch: bool) -> Self {
        self.lists = running.lists.clone();
        self.number_like(running, epoch, &|_| true);
        self
    }

    /// Entries of tables in some regions, which have none, get the ids that they have elsewhere.
    pub fn number_like(&mut self, running: &Encoder, epoch: bool, there: &dyn Fn(u32) -> bool) {
        let program = self.program.clone();
        for (at, table) in self.tables.iter_mut().filter(|(_, t)| there(t.cell.unit)) {
            let empty = table.planes.iter().all(std::collections::HashMap::is_empty);
            if let Some((_, other)) = same_table(&program, *at, running).filter(|_| empty) {
                table.like(other, usize::from(epoch));
            }
        }
    }

    /// Takes over what is in regions, given by their units, that have been there with another program: their tables, profiles and
    /// value sets have the entries that they had, in both epochs. Before anything is written.
    pub fn keep(mut self, other: &Encoder, there: &dyn Fn(u32) -> bool) -> Self {
        let program = self.program.clone();
        let rename = |call: &mut ActionCall| {
            let name = other.program.actions.get(call.action).map(|a| &a.preamble.name);
            let same = program.actions.iter().find(|(_, a)| Some(&a.preamble.name) == name);
            call.action = same.map_or(call.action, |(action, _)| action);
        };
        let mut kept = Vec::new();
        for (at, table) in self.tables.iter_mut().filter(|(_, t)| there(t.cell.unit)) {
            if let Some((was, other)) = same_table(&program, *at, other)
                && other.cell.unit == table.cell.unit
            {
                table.take_over(other, &rename);
                kept.push((id::Table(*at), id::Table(was)));
            }
        }
        for (table, was) in &kept {
            let profile = |program: &Program, table| program.tables.get(table)?.profile;
            let (Some(own), Some(theirs)) =
                (profile(&program, *table), profile(&other.program, *was))
            else {
                continue;
            };
            let mut users =
                program.tables.iter().filter(|(_, t)| t.profile == Some(own)).map(|(t, _)| t);
            if users.all(|table| kept.iter().any(|(t, _)| *t == table))
                && let Some(theirs) = other.profiles.get(&theirs.0)
                && let Some(own) = self.profiles.get_mut(&own.0)
            {
                own.take_over(theirs, &rename);
            }
        }
        self.kept.extend(kept.iter().map(|(table, _)| *table));
        for (set, own) in self.value_sets.iter_mut().filter(|(_, s)| there(s.cell.unit)) {
            let name = |program: &Program, set| {
                let decl = program.value_sets.get(set);
                decl.map(|d| d.preamble.name.clone())
            };
            let mut found = other.value_sets.iter().filter(|(was, theirs)| {
                name(&other.program, *was) == name(&program, *set)
                    && (theirs.cell.unit, theirs.cell.first) == (own.cell.unit, own.cell.first)
            });
            if let Some((was, theirs)) = found.next() {
                own.table = theirs.table.clone();
                for (own, theirs) in self.members.iter_mut().zip(&other.members) {
                    if let Some(members) = theirs.get(&was.0) {
                        own.insert(set.0, members.clone());
                    }
                }
            }
        }
        self
    }

    /// The writes that take all entries out of tables which were taken over, in some regions. Those with profiles, and those whose
    /// entries cannot change, are left as they are.
    pub fn emptied(&self, there: &dyn Fn(u32) -> bool) -> Vec<Write> {
        let all = self.changeable(there).flat_map(|table| {
            let of = self.tables.get(&table.0);
            of.into_iter().flat_map(move |of| {
                of.planes[0].iter().map(move |(key, installed)| Write::Delete {
                    table,
                    keys: installed.entry.keys.clone(),
                    priority: key.1,
                })
            })
        });
        all.collect()
    }

    /// The writes that give those tables, once they are [empty](Self::emptied), the entries of the program and of `writes`.
    pub fn filled(&self, writes: &[Write], there: &dyn Fn(u32) -> bool) -> Vec<Write> {
        let mut all = Vec::new();
        for table in self.changeable(there) {
            let Some(decl) = self.program.tables.get(table) else { continue };
            if !decl.const_default {
                all.push(Write::SetDefault(table, None));
            }
            all.extend(decl.entries.iter().map(|entry| Write::Insert(table, entry.clone())));
            let of = |write: &&Write| match write {
                Write::Insert(to, _) | Write::Modify(to, _) | Write::SetDefault(to, _) => {
                    *to == table
                }
                Write::Delete { table: to, .. } => *to == table,
                _ => false,
            };
            all.extend(writes.iter().filter(of).cloned());
        }
        all
    }

    /// The writes that give those tables the entries of the program and of `writes`, whatever they have; what is the same stays as
    /// it is.
    pub fn towards(&self, writes: &[Write], there: &dyn Fn(u32) -> bool) -> Vec<Write> {
        let mut all = Vec::new();
        let mut old: Vec<Write> = self.emptied(there);
        for write in self.filled(writes, there) {
            let Write::Insert(table, entry) = &write else {
                all.push(write);
                continue;
            };
            let Some(of) = self.tables.get(&table.0) else { continue };
            let key = of.key(&entry.keys, entry.priority);
            let Some(there) = of.planes[0].get(&key) else {
                all.push(write);
                continue;
            };
            old.retain(|gone| {
                !matches!(gone, Write::Delete { table: t, keys, priority }
                    if t == table && of.key(keys, *priority) == key)
            });
            if there.entry != *entry {
                all.push(Write::Modify(*table, entry.clone()));
            }
        }
        // What goes makes room.
        old.extend(all);
        old
    }

    /// Tables that were taken over in some regions, and whose entries can change.
    fn changeable(&self, there: &dyn Fn(u32) -> bool) -> impl Iterator<Item = id::Table> {
        let wanted = self.program.tables.iter().filter(|(table, decl)| {
            let unit = self.tables.get(&table.0).map(|of| of.cell.unit);
            self.kept.contains(table)
                && decl.profile.is_none()
                && !decl.const_entries
                && unit.is_some_and(there)
        });
        wanted.map(|(table, _)| table).collect::<Vec<_>>().into_iter()
    }

    /// Whether a write is for a table that was taken over with its entries.
    pub fn keeps_of(&self, write: &Write) -> bool {
        match write {
            Write::Insert(table, _)
            | Write::Modify(table, _)
            | Write::SetDefault(table, _)
            | Write::Delete { table, .. } => self.kept.contains(table),
            _ => false,
        }
    }

    /// All entries that come with the program are there: ids that were kept for others are free.
    pub fn settle(&mut self) {
        self.tables.values_mut().for_each(Table::settle);
    }
}

/// The table of the same name in another encoder, and its number there.
fn same_table<'a>(program: &Program, at: u32, other: &'a Encoder) -> Option<(u32, &'a Table)> {
    fn name(program: &Program, at: u32) -> Option<&Preamble> {
        program.tables.get(id::Table(at)).map(|t| &t.preamble)
    }
    let own = &name(program, at)?.name;
    let mut all = other.tables.iter();
    all.find(|(at, _)| name(&other.program, **at).is_some_and(|p| p.name == *own))
        .map(|(at, table)| (*at, table))
}
