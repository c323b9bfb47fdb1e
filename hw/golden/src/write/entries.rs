//! Entries of tables and what belongs to them.

use super::limbs;
use crate::state::State;
use crate::table::Goal;
use crate::trace::describe;
use restage_program::accept::{self, Fault, WriteError, object, rates, refused};
use restage_program::entity::{Entity, Table};
use restage_program::entry::{Entry, EntryTarget, KeyMatch, Write};
use restage_program::program::{ActionCall, Program, TableDecl};

pub(super) fn write(program: &Program, state: &mut State, write: &Write) -> Result<(), WriteError> {
    let table = match write {
        Write::Insert(table, _) | Write::Modify(table, _) | Write::SetDefault(table, _) => *table,
        Write::Delete { table, .. }
        | Write::SetDirectCounter { table, .. }
        | Write::SetDirectMeter { table, .. } => *table,
        _ => return Ok(()),
    };
    let decl = object("table", &program.tables, table)?;
    let one = One { program, state, table, decl };
    let done = match write {
        Write::Insert(_, entry) => one.insert(entry, false),
        Write::Modify(_, entry) => one.modify(entry),
        Write::Delete { keys, priority, .. } => one.delete(keys, *priority),
        Write::SetDefault(_, call) => one.set_default(call.as_ref()),
        Write::SetDirectCounter { keys, priority, value, .. } => match decl.counter {
            None => Err(Fault::Invalid("has no direct counter".into())),
            Some(_) => one.find(keys, *priority).map(|id| {
                one.state.tables[table.index()].hot[id as usize].counter = *value;
            }),
        },
        Write::SetDirectMeter { keys, priority, config, .. } => match decl.meter {
            None => Err(Fault::Invalid("has no direct meter".into())),
            Some(_) => rates(config.as_ref()).and_then(|()| {
                let id = one.find(keys, *priority)?;
                let now = one.state.now;
                one.state.tables[table.index()].meters[id as usize].configure(*config, now);
                Ok(())
            }),
        },
        _ => Ok(()),
    };
    done.map_err(|fault| refused("table", &decl.preamble.name, fault))
}

/// Installs an entry that comes with the program.
pub(crate) fn install(
    program: &Program,
    state: &mut State,
    table: Table,
    entry: &Entry,
) -> Result<(), WriteError> {
    let decl = object("table", &program.tables, table)?;
    let one = One { program, state, table, decl };
    one.insert(entry, true).map_err(|fault| refused("table", &decl.preamble.name, fault))
}

/// Sets the default action that comes with the program.
pub(crate) fn install_default(
    program: &Program,
    state: &mut State,
    table: Table,
) -> Result<(), WriteError> {
    let decl = object("table", &program.tables, table)?;
    let one = One { program, state, table, decl };
    one.default(&decl.default).map_err(|fault| refused("table", &decl.preamble.name, fault))
}

/// One table of a write.
struct One<'a> {
    program: &'a Program,
    state: &'a mut State,
    table: Table,
    decl: &'a TableDecl,
}

impl One<'_> {
    fn insert(self, entry: &Entry, with_program: bool) -> Result<(), Fault> {
        if self.decl.keys.is_empty() {
            return Err(Fault::Invalid("has no keys, so no entries; set its default".into()));
        }
        if self.decl.const_entries && !with_program {
            return Err(Fault::Invalid("has constant entries only".into()));
        }
        accept::keys(self.program, self.decl, &entry.keys, entry.priority)?;
        let (goal, args) = self.goal(&entry.target)?;
        let table = &mut self.state.tables[self.table.index()];
        if table.find(&entry.keys, entry.priority).is_some() {
            return Err(Fault::Exists(format!("entry {}", describe(entry))));
        }
        if table.len() >= self.decl.size as usize {
            return Err(Fault::Full { of: "entries", limit: self.decl.size.into() });
        }
        table.insert(entry.clone(), goal, &args, self.state.now);
        self.uses(goal, true);
        Ok(())
    }

    fn modify(self, entry: &Entry) -> Result<(), Fault> {
        if self.decl.const_entries {
            return Err(Fault::Invalid("has constant entries only".into()));
        }
        let id = self.find(&entry.keys, entry.priority)?;
        let (goal, args) = self.goal(&entry.target)?;
        let table = &mut self.state.tables[self.table.index()];
        let old = table.hot[id as usize].goal;
        table.aim(id, goal, &args);
        if let Some(installed) = &mut table.installed[id as usize] {
            installed.entry.target = entry.target.clone();
            installed.entry.idle_timeout_us = entry.idle_timeout_us;
        }
        let One { state, decl, .. } = self;
        if let Some(profile) = decl.profile {
            state.profiles[profile.index()].entry_uses(old, false);
            state.profiles[profile.index()].entry_uses(goal, true);
        }
        Ok(())
    }

    fn delete(self, keys: &[KeyMatch], priority: u32) -> Result<(), Fault> {
        if self.decl.const_entries {
            return Err(Fault::Invalid("has constant entries only".into()));
        }
        let id = self.find(keys, priority)?;
        let table = &mut self.state.tables[self.table.index()];
        let goal = table.hot[id as usize].goal;
        table.remove(id);
        self.uses(goal, false);
        Ok(())
    }

    fn set_default(self, call: Option<&ActionCall>) -> Result<(), Fault> {
        if self.decl.const_default {
            return Err(Fault::Invalid("has a constant default action".into()));
        }
        let decl = self.decl;
        self.default(call.unwrap_or(&decl.default))
    }

    fn default(self, call: &ActionCall) -> Result<(), Fault> {
        // The program's own default may be one that entries cannot have, and need not be listed.
        let own = restage_program::program::ActionRef {
            action: self.decl.default.action,
            scope: restage_program::program::ActionScope::DefaultOnly,
        };
        let allowed = self.decl.actions.iter().chain(std::iter::once(&own));
        accept::action(self.program, allowed, call, true)?;
        let args = limbs(&call.args);
        let table = &mut self.state.tables[self.table.index()];
        table.aim(0, Goal::Action(call.action.0), &args);
        table.default = call.clone();
        Ok(())
    }

    /// The entry with these keys.
    fn find(&self, keys: &[KeyMatch], priority: u32) -> Result<u32, Fault> {
        accept::keys(self.program, self.decl, keys, priority)?;
        let table = &self.state.tables[self.table.index()];
        table.find(keys, priority).ok_or_else(|| {
            let target = EntryTarget::Member(0);
            let entry = Entry { keys: keys.to_vec(), priority, target, idle_timeout_us: 0 };
            Fault::Missing(format!("entry {}", describe(&entry)))
        })
    }

    /// What an entry is to do.
    fn goal(&self, target: &EntryTarget) -> Result<(Goal, Vec<u64>), Fault> {
        let profile = self.decl.profile.map(|p| &self.state.profiles[p.index()]);
        match (target, profile) {
            (EntryTarget::Action(call), None) => {
                accept::action(self.program, self.decl.actions.iter(), call, false)?;
                Ok((Goal::Action(call.action.0), limbs(&call.args)))
            }
            (EntryTarget::Action(_), Some(_)) => Err(Fault::Invalid(
                "has an action profile; an entry names a member or a group of it".into(),
            )),
            (_, None) => {
                Err(Fault::Invalid("has no action profile; an entry names an action".into()))
            }
            (EntryTarget::Member(id), Some(profile)) => match profile.member(*id) {
                Some((place, _)) => Ok((Goal::Member(place), Vec::new())),
                None => Err(Fault::Missing(format!("member {id} of its profile"))),
            },
            (EntryTarget::Group(id), Some(profile)) => match profile.group(*id) {
                Some((place, _)) => Ok((Goal::Group(place), Vec::new())),
                None => Err(Fault::Missing(format!("group {id} of its profile"))),
            },
        }
    }

    fn uses(self, goal: Goal, begins: bool) {
        if let Some(profile) = self.decl.profile {
            self.state.profiles[profile.index()].entry_uses(goal, begins);
        }
    }
}
