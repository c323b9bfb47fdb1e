//! Writes as lines. What [`super::parse`] makes of the lines equals the writes again.

use super::{priority_text, rates, tables::has_priority, value};
use crate::bits::Bits;
use crate::entity::{Profile, Table};
use crate::entry::{CloneTarget, Entry, EntryTarget, KeyMatch, Replica, Write};
use crate::program::{ActionCall, FieldDecl, Program};
use crate::types::Type;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Writes the lines for `writes`. Indices that are none of the program's print as `?`.
pub fn print(program: &Program, writes: &[Write]) -> String {
    let mut printer = Printer {
        program,
        out: String::new(),
        members: BTreeMap::new(),
        groups: BTreeMap::new(),
        nodes: 0,
        value_sets: BTreeSet::new(),
    };
    for write in writes {
        printer.write(write);
    }
    printer.out
}

struct Printer<'p> {
    program: &'p Program,
    out: String,
    /// The handles that the next creation will get, as the parser counts them.
    members: BTreeMap<Profile, u32>,
    groups: BTreeMap<Profile, u32>,
    nodes: usize,
    value_sets: BTreeSet<u32>,
}

macro_rules! name_of {
    ($self:ident . $list:ident [$key:expr]) => {
        $self.program.$list.get($key).map_or("?", |d| d.preamble.name.as_str())
    };
}

impl<'p> Printer<'p> {
    fn line(&mut self, words: &[&str]) {
        let words: Vec<&str> = words.iter().copied().filter(|w| !w.is_empty()).collect();
        self.out += &words.join(" ");
        self.out.push('\n');
    }

    fn write(&mut self, write: &Write) {
        match write {
            Write::Insert(table, entry) => self.insert(*table, entry),
            Write::Modify(table, entry) => self.modify(*table, entry),
            Write::Delete { table, keys, priority } => {
                let entry = self.entry(*table, keys, *priority);
                self.line(&["table_delete", name_of!(self.tables[*table]), &entry]);
            }
            Write::SetDefault(table, None) => {
                self.line(&["table_reset_default", name_of!(self.tables[*table])]);
            }
            Write::SetDefault(table, Some(call)) => {
                let (action, args) = self.call(call);
                let table = name_of!(self.tables[*table]);
                self.line(&["table_set_default", table, action, &args]);
            }
            Write::SetMember { profile, member, call } => self.member(*profile, *member, call),
            Write::DeleteMember(profile, member) => {
                let name = name_of!(self.profiles[*profile]);
                self.line(&["act_prof_delete_member", name, &member.to_string()]);
            }
            Write::SetGroup { profile, group, members } => self.group(*profile, *group, members),
            Write::DeleteGroup(profile, group) => {
                let name = name_of!(self.profiles[*profile]);
                self.line(&["act_prof_delete_group", name, &group.to_string()]);
            }
            Write::SetMulticast { group, replicas: None } => {
                self.line(&["mc_mgrp_destroy", &group.to_string()]);
            }
            Write::SetMulticast { group, replicas: Some(replicas) } => {
                self.multicast(*group, replicas);
            }
            Write::SetClone { session, target } => self.clone_session(*session, target.as_ref()),
            Write::SetValueSet(set, members) => {
                let name = name_of!(self.value_sets[*set]);
                // The first `pvs_add` of a text starts the set; later ones add to it.
                if members.is_empty() || !self.value_sets.insert(set.0) {
                    self.line(&["pvs_clear", name]);
                }
                self.value_sets.insert(set.0);
                let columns = self.program.value_sets.get(*set).map(|d| d.columns.as_slice());
                for member in members {
                    let keys = keys(columns.unwrap_or_default(), member);
                    self.line(&["pvs_add", name, &keys]);
                }
            }
            Write::SetRegister(register, index, bits) => {
                let ty = self.program.registers.get(*register).map_or(Type::Bit(0), |r| r.ty);
                let name = name_of!(self.registers[*register]);
                let bits = value::show(ty, "", bits);
                self.line(&["register_write", name, &index.to_string(), &bits]);
            }
            Write::SetCounter(counter, index, v) => {
                let name = name_of!(self.counters[*counter]);
                let value = format!("{} {}", v.packets, v.bytes);
                self.line(&["counter_write", name, &index.to_string(), &value]);
            }
            Write::SetMeter(meter, index, config) => {
                let name = name_of!(self.meters[*meter]);
                self.meter(name, &index.to_string(), config.as_ref());
            }
            Write::SetDirectCounter { table, keys, priority, value: v } => {
                let decl = self.program.tables.get(*table).and_then(|t| t.counter.as_ref());
                let name = decl.map_or("?", |c| c.preamble.name.as_str());
                let entry = self.entry(*table, keys, *priority);
                self.line(&["counter_write", name, &entry, &format!("{} {}", v.packets, v.bytes)]);
            }
            Write::SetDirectMeter { table, keys, priority, config } => {
                let decl = self.program.tables.get(*table).and_then(|t| t.meter.as_ref());
                let name = decl.map_or("?", |c| c.preamble.name.as_str());
                let entry = self.entry(*table, keys, *priority);
                self.meter(name, &entry, config.as_ref());
            }
            Write::SetCrc(crc, p) => {
                let decl = self.program.crcs.get(*crc);
                let (name, width) = decl.map_or(("?", 32), |c| (c.name.as_str(), c.width));
                let digits = width as usize / 4 + 2;
                let numbers = [p.polynomial, p.start, p.xor].map(|n| format!("{n:#0digits$x}"));
                let flags = format!("{} {}", p.reflect_data, p.reflect_result);
                let command = format!("set_crc{width}_parameters");
                self.line(&[&command, name, &numbers.join(" "), &flags]);
            }
            Write::SetMapEntry { map, key, values: v } => {
                let decl = self.program.maps.get(*map);
                let key = values(decl.map_or(&[], |d| d.key.as_slice()), key);
                let v = values(decl.map_or(&[], |d| d.values.as_slice()), v);
                self.line(&["map_add", name_of!(self.maps[*map]), &key, "=>", &v]);
            }
            Write::DeleteMapEntry(map, key) => {
                let decl = self.program.maps.get(*map);
                let key = values(decl.map_or(&[], |d| d.key.as_slice()), key);
                self.line(&["map_delete", name_of!(self.maps[*map]), &key]);
            }
        }
    }

    fn insert(&mut self, table: Table, entry: &Entry) {
        let name = name_of!(self.tables[table]);
        let keys = self.keys(table, &entry.keys);
        let priority = self.priority(table, entry.priority);
        let timeout = timeout(entry.idle_timeout_us);
        match &entry.target {
            EntryTarget::Action(call) => {
                let (action, args) = self.call(call);
                self.line(&["table_add", name, action, &keys, "=>", &args, &priority, &timeout]);
            }
            EntryTarget::Member(n) => {
                let n = n.to_string();
                self.line(&["table_indirect_add", name, &keys, "=>", &n, &priority, &timeout]);
            }
            EntryTarget::Group(n) => {
                let command = "table_indirect_add_with_group";
                self.line(&[command, name, &keys, "=>", &n.to_string(), &priority, &timeout]);
            }
        }
    }

    fn modify(&mut self, table: Table, entry: &Entry) {
        let name = name_of!(self.tables[table]);
        let on = self.entry(table, &entry.keys, entry.priority);
        let timeout = timeout(entry.idle_timeout_us);
        match &entry.target {
            EntryTarget::Action(call) => {
                let (action, args) = self.call(call);
                self.line(&["table_modify", name, action, &on, &args, &timeout]);
            }
            EntryTarget::Member(n) => {
                self.line(&["table_indirect_modify", name, &on, &n.to_string(), &timeout]);
            }
            EntryTarget::Group(n) => {
                let command = "table_indirect_modify_with_group";
                self.line(&[command, name, &on, &n.to_string(), &timeout]);
            }
        }
    }

    fn member(&mut self, profile: Profile, member: u32, call: &ActionCall) {
        let name = name_of!(self.profiles[profile]);
        let (action, args) = self.call(call);
        let next = self.members.entry(profile).or_default();
        let new = *next == member;
        *next = (*next).max(member.saturating_add(1));
        if new {
            self.line(&["act_prof_create_member", name, action, &args]);
        } else {
            self.line(&["act_prof_modify_member", name, action, &member.to_string(), &args]);
        }
    }

    fn group(&mut self, profile: Profile, group: u32, members: &[(u32, u32)]) {
        let name = name_of!(self.profiles[profile]);
        let next = self.groups.entry(profile).or_default();
        let new = *next == group;
        *next = (*next).max(group.saturating_add(1));
        if !new {
            let list: Vec<String> = members.iter().map(|(m, w)| format!("{m}*{w}")).collect();
            self.line(&["act_prof_set_group", name, &group.to_string(), &list.join(" ")]);
            return;
        }
        self.line(&["act_prof_create_group", name]);
        for (member, weight) in members {
            let weight = if *weight == 1 { String::new() } else { weight.to_string() };
            let (member, group) = (member.to_string(), group.to_string());
            self.line(&["act_prof_add_member_to_group", name, &member, &group, &weight]);
        }
    }

    fn multicast(&mut self, group: u16, replicas: &[Replica]) {
        let group = group.to_string();
        self.line(&["mc_mgrp_create", &group]);
        for node in replicas.chunk_by(|a, b| a.rid == b.rid) {
            let Some(first) = node.first() else { continue };
            let ports: Vec<String> = node.iter().map(|r| r.port.to_string()).collect();
            self.line(&["mc_node_create", &first.rid.to_string(), &ports.join(" ")]);
            self.line(&["mc_node_associate", &group, &self.nodes.to_string()]);
            self.nodes += 1;
        }
    }

    fn clone_session(&mut self, session: u32, target: Option<&(CloneTarget, Option<u32>)>) {
        let session = session.to_string();
        let Some((target, limit)) = target else {
            return self.line(&["mirroring_delete", &session]);
        };
        let limit = limit.map_or(String::new(), |n| format!("truncate={n}"));
        match target {
            CloneTarget::Group(group) => {
                self.line(&["mirroring_add_mc", &session, &group.to_string(), &limit]);
            }
            CloneTarget::Replicas(replicas) => {
                let one = |r: &Replica| match r.rid {
                    0 => r.port.to_string(),
                    rid => format!("{}:{rid}", r.port),
                };
                let list: Vec<String> = replicas.iter().map(one).collect();
                self.line(&["mirroring_add", &session, &list.join(" "), &limit]);
            }
        }
    }

    fn meter(&mut self, name: &str, index: &str, config: Option<&crate::entry::MeterConfig>) {
        match config {
            Some(config) => self.line(&["meter_set_rates", name, index, &rates::show(config)]),
            None => self.line(&["meter_unset", name, index]),
        }
    }

    /// An entry by its keys, in brackets.
    fn entry(&self, table: Table, keys: &[KeyMatch], priority: u32) -> String {
        let mut text = format!("[{}", self.keys(table, keys));
        let priority = self.priority(table, priority);
        if !priority.is_empty() {
            // Writing to a string does not fail.
            let _ = write!(text, " {priority}");
        }
        text + "]"
    }

    fn keys(&self, table: Table, list: &[KeyMatch]) -> String {
        let Some(decl) = self.program.tables.get(table) else { return "?".into() };
        let columns: Vec<FieldDecl> = decl
            .keys
            .iter()
            .map(|k| FieldDecl {
                name: k.name.clone(),
                ty: self.program.type_of(&k.value, &[]).unwrap_or(Type::Bit(0)),
            })
            .collect();
        keys(&columns, list)
    }

    fn priority(&self, table: Table, priority: u32) -> String {
        match self.program.tables.get(table) {
            Some(decl) if has_priority(decl) => priority_text(priority).to_string(),
            _ => String::new(),
        }
    }

    fn call(&self, call: &ActionCall) -> (&'p str, String) {
        match self.program.actions.get(call.action) {
            Some(decl) => (&decl.preamble.name, values(&decl.params, &call.args)),
            None => ("?", String::new()),
        }
    }
}

fn timeout(us: u64) -> String {
    match (us / 1000, us % 1000) {
        (0, 0) => String::new(),
        (ms, 0) => format!("timeout={ms}"),
        (ms, us) => format!("timeout={ms}.{us:03}"),
    }
}

fn keys(columns: &[FieldDecl], keys: &[KeyMatch]) -> String {
    let shown: Vec<String> =
        columns.iter().zip(keys).map(|(c, k)| value::show_key(c.ty, &c.name, k)).collect();
    shown.join(" ")
}

fn values(fields: &[FieldDecl], values: &[Bits]) -> String {
    let shown: Vec<String> =
        fields.iter().zip(values).map(|(f, v)| value::show(f.ty, &f.name, v)).collect();
    shown.join(" ")
}
