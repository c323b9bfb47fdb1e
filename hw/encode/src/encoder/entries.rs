//! Entries of tables and default actions.

use super::Encoder;
use crate::bus::Log;
use crate::table::EntryKey;
use restage_program::accept::{self, Fault};
use restage_program::entity as id;
use restage_program::entry::{Entry, EntryTarget, KeyMatch};
use restage_program::program::{ActionCall, ActionRef, ActionScope, Program, TableDecl};

impl Encoder {
    pub(super) fn insert(
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

    pub(super) fn modify(
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

    pub(super) fn delete(
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

    pub(super) fn set_default(
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
}

pub(super) fn constant(decl: &TableDecl) -> Result<(), Fault> {
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

pub(super) fn missing(key: &EntryKey) -> Fault {
    Fault::Missing(format!("entry {:?} of priority {}", key.0, key.1))
}

pub(super) fn not_placed() -> Fault {
    Fault::Invalid("is in no region".into())
}

pub(super) fn absent() -> Result<(), Fault> {
    Err(not_placed())
}
