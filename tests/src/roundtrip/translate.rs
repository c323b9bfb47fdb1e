//! Writes for one program as writes for another one with the same names.

use restage_program::Program;
use restage_program::entity::{Action, Entity, EntityMap, Profile, Table};
use restage_program::entry::{Entry, EntryTarget, Write};
use restage_program::program::{ActionCall, Preamble};

/// The entity of `to` that has the name of `key`; `None` when it has none such.
fn same<K: Entity, V>(
    from: &EntityMap<K, V>,
    to: &EntityMap<K, V>,
    key: K,
    preamble: impl Fn(&V) -> &Preamble,
) -> Option<K> {
    let name = &preamble(from.get(key)?).name;
    to.iter().find(|(_, decl)| preamble(decl).name == *name).map(|(key, _)| key)
}

/// The table of the same name.
pub fn table(from: &Program, to: &Program, table: Table) -> Option<Table> {
    same(&from.tables, &to.tables, table, |d| &d.preamble)
}

fn profile(from: &Program, to: &Program, profile: Profile) -> Option<Profile> {
    same(&from.profiles, &to.profiles, profile, |d| &d.preamble)
}

/// The action of the same name among those of some tables.
fn action(
    from: &Program,
    to: &Program,
    wanted: Action,
    among: impl Fn(Table) -> bool,
) -> Option<Action> {
    let name = &from.actions.get(wanted)?.preamble.name;
    let tables = to.tables.iter().filter(|(t, _)| among(*t));
    let mut actions = tables.flat_map(|(_, d)| d.actions.iter().map(|r| r.action));
    actions.find(|a| to.actions.get(*a).is_some_and(|d| d.preamble.name == *name))
}

fn table_call(from: &Program, to: &Program, of: Table, call: &ActionCall) -> Option<ActionCall> {
    let action = action(from, to, call.action, |t| t == of)?;
    Some(ActionCall { action, args: call.args.clone() })
}

fn entry(from: &Program, to: &Program, of: Table, entry: &Entry) -> Option<Entry> {
    let target = match &entry.target {
        EntryTarget::Action(call) => EntryTarget::Action(table_call(from, to, of, call)?),
        other => other.clone(),
    };
    Some(Entry { target, ..entry.clone() })
}

/// The same write for another program; `None` when that has nothing of the name.
pub fn write(from: &Program, to: &Program, write: &Write) -> Option<Write> {
    let at = |t: &Table| table(from, to, *t);
    Some(match write {
        Write::Insert(t, e) => Write::Insert(at(t)?, entry(from, to, at(t)?, e)?),
        Write::Modify(t, e) => Write::Modify(at(t)?, entry(from, to, at(t)?, e)?),
        Write::Delete { table, keys, priority } => {
            Write::Delete { table: at(table)?, keys: keys.clone(), priority: *priority }
        }
        Write::SetDefault(t, None) => Write::SetDefault(at(t)?, None),
        Write::SetDefault(t, Some(call)) => {
            Write::SetDefault(at(t)?, Some(table_call(from, to, at(t)?, call)?))
        }
        Write::SetMember { profile: p, member, call } => {
            let new = profile(from, to, *p)?;
            let among = |t: Table| to.tables.get(t).is_some_and(|d| d.profile == Some(new));
            let action = action(from, to, call.action, among)?;
            let call = ActionCall { action, args: call.args.clone() };
            Write::SetMember { profile: new, member: *member, call }
        }
        Write::DeleteMember(p, member) => Write::DeleteMember(profile(from, to, *p)?, *member),
        Write::SetGroup { profile: p, group, members } => Write::SetGroup {
            profile: profile(from, to, *p)?,
            group: *group,
            members: members.clone(),
        },
        Write::DeleteGroup(p, group) => Write::DeleteGroup(profile(from, to, *p)?, *group),
        Write::SetMulticast { .. } | Write::SetClone { .. } => write.clone(),
        Write::SetValueSet(set, members) => {
            let set = same(&from.value_sets, &to.value_sets, *set, |d| &d.preamble)?;
            Write::SetValueSet(set, members.clone())
        }
        Write::SetRegister(register, index, value) => {
            let register = same(&from.registers, &to.registers, *register, |d| &d.preamble)?;
            Write::SetRegister(register, *index, value.clone())
        }
        Write::SetCounter(counter, index, value) => {
            let counter = same(&from.counters, &to.counters, *counter, |d| &d.preamble)?;
            Write::SetCounter(counter, *index, *value)
        }
        Write::SetMeter(meter, index, config) => {
            let meter = same(&from.meters, &to.meters, *meter, |d| &d.preamble)?;
            Write::SetMeter(meter, *index, *config)
        }
        Write::SetDirectCounter { table, keys, priority, value } => Write::SetDirectCounter {
            table: at(table)?,
            keys: keys.clone(),
            priority: *priority,
            value: *value,
        },
        Write::SetDirectMeter { table, keys, priority, config } => Write::SetDirectMeter {
            table: at(table)?,
            keys: keys.clone(),
            priority: *priority,
            config: *config,
        },
        // P4 has no names for them: p4c makes one of each place.
        Write::SetCrc(..) => return None,
        Write::SetMapEntry { map, key, values } => {
            let map = same(&from.maps, &to.maps, *map, |d| &d.preamble)?;
            Write::SetMapEntry { map, key: key.clone(), values: values.clone() }
        }
        Write::DeleteMapEntry(map, key) => {
            let map = same(&from.maps, &to.maps, *map, |d| &d.preamble)?;
            Write::DeleteMapEntry(map, key.clone())
        }
    })
}
