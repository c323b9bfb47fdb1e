//! What outlives a packet: tables, groups, sessions, registers, counters, meters, maps.

use super::meter::MeterCell;
use restage_program::entity::{Crc, Map, Table};
use restage_program::entry::{
    CloneTarget, CounterValue, CrcParams, Entry, EntryTarget, KeyMatch, Replica, Write,
};
use restage_program::program::{ActionCall, HashAlgorithm, Program};
use restage_program::{Bits, Entity};
use std::collections::BTreeMap;

/// A step of the control plane was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("refused: {0}")]
pub struct Refused(pub &'static str);

#[derive(Clone, Debug)]
pub(crate) struct Installed {
    pub entry: Entry,
    pub counter: CounterValue,
    pub meter: MeterCell,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct TableState {
    /// In the order in which they were installed.
    pub entries: Vec<Installed>,
    pub default: Option<ActionCall>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct ProfileState {
    pub members: BTreeMap<u32, ActionCall>,
    pub groups: BTreeMap<u32, Vec<(u32, u32)>>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MapEntry {
    pub key: Vec<Bits>,
    pub values: Vec<Bits>,
    pub used: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct State {
    pub tables: Vec<TableState>,
    pub profiles: Vec<ProfileState>,
    pub multicast: BTreeMap<u16, Vec<Replica>>,
    pub sessions: BTreeMap<u32, (CloneTarget, Option<u32>)>,
    pub value_sets: Vec<Vec<Vec<KeyMatch>>>,
    pub registers: Vec<Vec<Bits>>,
    pub counters: Vec<Vec<CounterValue>>,
    pub meters: Vec<Vec<MeterCell>>,
    /// Entries of a map in no order; the bucket of one is computed when it matters.
    pub maps: Vec<Vec<MapEntry>>,
    /// Parameters of custom CRCs.
    pub crcs: Vec<CrcParams>,
    /// Time of the packet that is processed, or was last.
    pub now: u64,
    pub sequences: super::chance::Sequences,
    /// What has happened, counted by name.
    pub tally: BTreeMap<&'static str, u64>,
}

impl State {
    pub fn new(program: &Program) -> Self {
        let tables = program.tables.values().map(|table| TableState {
            entries: table.entries.iter().cloned().map(Installed::new).collect(),
            default: None,
        });
        State {
            tables: tables.collect(),
            profiles: vec![ProfileState::default(); program.profiles.len()],
            multicast: BTreeMap::new(),
            sessions: BTreeMap::new(),
            value_sets: vec![Vec::new(); program.value_sets.len()],
            registers: program
                .registers
                .values()
                .map(|r| vec![Bits::zero(r.ty.width()); r.size as usize])
                .collect(),
            counters: program
                .counters
                .values()
                .map(|c| vec![CounterValue::default(); c.size as usize])
                .collect(),
            meters: program
                .meters
                .values()
                .map(|m| vec![MeterCell::default(); m.size as usize])
                .collect(),
            maps: vec![Vec::new(); program.maps.len()],
            crcs: program.crcs.values().map(|c| CrcParams::standard(c.width)).collect(),
            now: 0,
            sequences: Default::default(),
            tally: BTreeMap::new(),
        }
    }

    /// The hash of bits with the parameters that are set.
    pub fn hash(&self, program: &Program, algorithm: HashAlgorithm, data: &[bool]) -> u64 {
        let custom = |crc: Crc| (program.crcs[crc].width, self.crcs[crc.index()]);
        super::hash::hash(algorithm, data, custom)
    }

    /// Counts that something has happened.
    pub fn note(&mut self, what: &'static str) {
        *self.tally.entry(what).or_default() += 1;
    }

    fn find(&mut self, table: Table, keys: &[KeyMatch], priority: u32) -> Option<usize> {
        let wanted: Vec<KeyMatch> = keys.iter().map(plain).collect();
        self.tables[table.index()].entries.iter().position(|e| {
            e.entry.priority == priority
                && e.entry.keys.iter().map(plain).eq(wanted.iter().cloned())
        })
    }

    fn entry(
        &mut self,
        table: Table,
        keys: &[KeyMatch],
        priority: u32,
    ) -> Result<&mut Installed, Refused> {
        let found = self.find(table, keys, priority).ok_or(Refused("no such entry"))?;
        Ok(&mut self.tables[table.index()].entries[found])
    }

    fn check_target(
        &self,
        program: &Program,
        table: Table,
        target: &EntryTarget,
    ) -> Result<(), Refused> {
        let profile = program.tables[table].profile.map(|p| &self.profiles[p.index()]);
        match (target, profile) {
            (EntryTarget::Action(_), None) => Ok(()),
            (EntryTarget::Member(m), Some(p)) if p.members.contains_key(m) => Ok(()),
            (EntryTarget::Group(g), Some(p)) if p.groups.contains_key(g) => Ok(()),
            _ => Err(Refused("no such member or group")),
        }
    }

    /// Applies one step; it changes nothing when it is refused.
    pub fn write(&mut self, program: &Program, write: &Write) -> Result<(), Refused> {
        let outside = Refused("index out of range");
        match write {
            Write::Insert(table, entry) => {
                self.check_target(program, *table, &entry.target)?;
                if self.find(*table, &entry.keys, entry.priority).is_some() {
                    return Err(Refused("the entry exists"));
                }
                self.tables[table.index()].entries.push(Installed::new(entry.clone()));
            }
            Write::Modify(table, entry) => {
                self.check_target(program, *table, &entry.target)?;
                self.entry(*table, &entry.keys, entry.priority)?.entry.target =
                    entry.target.clone();
            }
            Write::Delete { table, keys, priority } => {
                let found = self.find(*table, keys, *priority).ok_or(Refused("no such entry"))?;
                self.tables[table.index()].entries.remove(found);
            }
            Write::SetDefault(table, call) => {
                self.tables[table.index()].default = call.clone();
            }
            Write::SetMember { profile, member, call } => {
                self.profiles[profile.index()].members.insert(*member, call.clone());
            }
            Write::DeleteMember(profile, member) => {
                let state = &self.profiles[profile.index()];
                let named = state.groups.values().flatten().any(|(m, _)| m == member)
                    || self.names(program, profile.index(), &EntryTarget::Member(*member));
                if named || !state.members.contains_key(member) {
                    return Err(Refused("the member is in use, or not there"));
                }
                self.profiles[profile.index()].members.remove(member);
            }
            Write::SetGroup { profile, group, members } => {
                let state = &mut self.profiles[profile.index()];
                if !members.iter().all(|(m, _)| state.members.contains_key(m)) {
                    return Err(Refused("no such member"));
                }
                state.groups.insert(*group, members.clone());
            }
            Write::DeleteGroup(profile, group) => {
                let there = self.profiles[profile.index()].groups.contains_key(group);
                if !there || self.names(program, profile.index(), &EntryTarget::Group(*group)) {
                    return Err(Refused("the group is in use, or not there"));
                }
                self.profiles[profile.index()].groups.remove(group);
            }
            Write::SetMulticast { group, replicas } => {
                match replicas {
                    Some(replicas) => self.multicast.insert(*group, replicas.clone()),
                    None => self.multicast.remove(group),
                };
            }
            Write::SetClone { session, target } => {
                match target {
                    Some(target) => self.sessions.insert(*session, target.clone()),
                    None => self.sessions.remove(session),
                };
            }
            Write::SetValueSet(set, members) => {
                self.value_sets[set.index()] = members.clone();
            }
            Write::SetRegister(register, index, value) => {
                *self.registers[register.index()].get_mut(*index as usize).ok_or(outside)? =
                    value.clone();
            }
            Write::SetCounter(counter, index, value) => {
                *self.counters[counter.index()].get_mut(*index as usize).ok_or(outside)? = *value;
            }
            Write::SetMeter(meter, index, config) => {
                let now = self.now;
                self.meters[meter.index()]
                    .get_mut(*index as usize)
                    .ok_or(outside)?
                    .configure(*config, now);
            }
            Write::SetDirectCounter { table, keys, priority, value } => {
                self.entry(*table, keys, *priority)?.counter = *value;
            }
            Write::SetDirectMeter { table, keys, priority, config } => {
                let now = self.now;
                self.entry(*table, keys, *priority)?.meter.configure(*config, now);
            }
            Write::SetCrc(crc, params) => {
                *self.crcs.get_mut(crc.index()).ok_or(Refused("no such custom CRC"))? = *params;
            }
            Write::SetMapEntry { map, key, values } => {
                if !self.map_put(program, *map, key, values) {
                    return Err(Refused("the bucket is full"));
                }
            }
            Write::DeleteMapEntry(map, key) => {
                if !self.map_remove(program, *map, key) {
                    return Err(Refused("no such entry"));
                }
            }
        }
        Ok(())
    }

    /// Whether an entry of a table with this profile has this target.
    fn names(&self, program: &Program, profile: usize, target: &EntryTarget) -> bool {
        program.tables.iter().any(|(t, decl)| {
            decl.profile.is_some_and(|p| p.index() == profile)
                && self.tables[t.index()].entries.iter().any(|e| e.entry.target == *target)
        })
    }

    fn alive(&self, program: &Program, map: Map, entry: &MapEntry) -> bool {
        let timeout = program.maps[map].idle_timeout_us;
        timeout == 0 || self.now.saturating_sub(entry.used) <= timeout
    }

    fn bucket(program: &Program, map: Map, key: &[Bits]) -> u64 {
        let bits: Vec<bool> = key.iter().flat_map(super::hash::wire_bits).collect();
        let hash = super::hash::crc32(&bits);
        hash % u64::from(program.maps[map].buckets)
    }

    /// The live entry of a key.
    pub fn map_find(&mut self, program: &Program, map: Map, key: &[Bits]) -> Option<&mut MapEntry> {
        let found = self.maps[map.index()]
            .iter()
            .position(|e| e.key == key && self.alive(program, map, e))?;
        self.maps[map.index()].get_mut(found)
    }

    /// Stores an entry, unless its bucket is full of others.
    pub fn map_put(&mut self, program: &Program, map: Map, key: &[Bits], values: &[Bits]) -> bool {
        let entry = MapEntry { key: key.to_vec(), values: values.to_vec(), used: self.now };
        let bucket = Self::bucket(program, map, key);
        let others = self.maps[map.index()].iter().filter(|e| {
            e.key != key
                && Self::bucket(program, map, &e.key) == bucket
                && self.alive(program, map, e)
        });
        if others.count() >= program.maps[map].ways as usize {
            return false;
        }
        self.maps[map.index()].retain(|e| e.key != key);
        self.maps[map.index()].push(entry);
        true
    }

    /// Removes an entry; says whether it was there and alive.
    pub fn map_remove(&mut self, program: &Program, map: Map, key: &[Bits]) -> bool {
        let found = self.map_find(program, map, key).is_some();
        self.maps[map.index()].retain(|e| e.key != key);
        found
    }

    /// Live entries of a map, sorted.
    pub fn map_entries(&self, program: &Program, map: Map) -> Vec<(Vec<Bits>, Vec<Bits>)> {
        let mut live: Vec<_> = self.maps[map.index()]
            .iter()
            .filter(|e| self.alive(program, map, e))
            .map(|e| (e.key.clone(), e.values.clone()))
            .collect();
        live.sort();
        live
    }
}

impl Installed {
    fn new(entry: Entry) -> Self {
        Installed { entry, counter: CounterValue::default(), meter: MeterCell::default() }
    }
}

/// A match in one of the ways of saying it: no prefix and an empty mask are `Any`.
fn plain(key: &KeyMatch) -> KeyMatch {
    match key {
        KeyMatch::Lpm { prefix: 0, .. } => KeyMatch::Any,
        KeyMatch::Masked { mask, .. } if mask.is_zero() => KeyMatch::Any,
        other => other.clone(),
    }
}
