//! Reading what a control plane may want to know.

use crate::crc::CustomCrc;
use crate::golden::Golden;
use crate::meter::Missing;
use restage_program::Bits;
use restage_program::entity::{
    Counter, Crc, Entity, Map, Meter, Profile, Register, Table, ValueSet,
};
use restage_program::entry::{
    CloneTarget, CounterValue, CrcParams, Entry, KeyMatch, MeterConfig, Replica,
};
use restage_program::program::{ActionCall, FieldDecl};

/// An entry of a table and what belongs to it.
#[derive(Clone, Copy, Debug)]
pub struct TableEntry<'a> {
    /// The entry.
    pub entry: &'a Entry,
    /// Its direct counter; stays 0 when the table has none.
    pub counter: CounterValue,
    /// The rates of its direct meter.
    pub meter: Option<MeterConfig>,
    /// When it was last hit, or installed, in microseconds.
    pub used_us: u64,
}

/// An entry of a map.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MapEntry {
    /// The key's fields.
    pub key: Vec<Bits>,
    /// Its values.
    pub values: Vec<Bits>,
    /// When it was last used, in microseconds.
    pub used_us: u64,
}

impl Golden {
    /// Content of a register.
    pub fn register(&self, register: Register, index: u32) -> Option<Bits> {
        let cells = self.state.registers.get(register.index()).filter(|r| index < r.size)?;
        let at = index as usize * cells.limbs;
        Some(Bits::from_limbs(cells.ty.width(), &cells.words[at..at + cells.limbs]))
    }

    /// State of the generator of a call of `random`, by its number as [`Sites`](restage_program::random::Sites) has it.
    pub fn generator(&self, site: u32) -> Option<u64> {
        self.state.random.get(site as usize).copied()
    }

    /// Content of a counter.
    pub fn counter(&self, counter: Counter, index: u32) -> Option<CounterValue> {
        self.state.counters.get(counter.index())?.get(index as usize).copied()
    }

    /// Rates of a meter; `None` also when it has none.
    pub fn meter(&self, meter: Meter, index: u32) -> Option<MeterConfig> {
        self.state.meters.get(meter.index())?.get(index as usize)?.config()
    }

    /// What is missing of a meter's full buckets; `None` also when it has no rates.
    pub fn meter_missing(&self, meter: Meter, index: u32) -> Option<Missing> {
        self.state.meters.get(meter.index())?.get(index as usize)?.missing()
    }

    /// The time of the last pass, in microseconds.
    pub fn now(&self) -> u64 {
        self.state.now
    }

    /// Parameters of a custom CRC.
    pub fn crc(&self, crc: Crc) -> Option<CrcParams> {
        self.state.crcs.get(crc.index()).map(CustomCrc::params)
    }

    /// Entries of a table in the order in which they were installed, the program's own first.
    pub fn entries(&self, table: Table) -> Vec<TableEntry<'_>> {
        let Some(state) = self.state.tables.get(table.index()) else { return Vec::new() };
        state.entries().into_iter().filter_map(|(id, _)| self.entry_at(table, id)).collect()
    }

    /// The entry with these keys.
    pub fn entry(&self, table: Table, keys: &[KeyMatch], priority: u32) -> Option<TableEntry<'_>> {
        let id = self.state.tables.get(table.index())?.find(keys, priority)?;
        self.entry_at(table, id)
    }

    fn entry_at(&self, table: Table, id: u32) -> Option<TableEntry<'_>> {
        let (state, at) = (self.state.tables.get(table.index())?, id as usize);
        Some(TableEntry {
            entry: &state.installed.get(at)?.as_ref()?.entry,
            counter: state.hot[at].counter,
            meter: state.meters[at].config(),
            used_us: state.hot[at].used,
        })
    }

    /// Content of the direct counter of an entry.
    pub fn direct_counter(
        &self,
        table: Table,
        keys: &[KeyMatch],
        priority: u32,
    ) -> Option<CounterValue> {
        self.program.tables.get(table)?.counter.as_ref()?;
        self.entry(table, keys, priority).map(|e| e.counter)
    }

    /// Entries of a table that have not been hit for longer than their time-out.
    pub fn idle(&self, table: Table, now_us: u64) -> Vec<TableEntry<'_>> {
        let idle = |e: &TableEntry<'_>| {
            let most = e.entry.idle_timeout_us;
            most > 0 && now_us.saturating_sub(e.used_us) > most
        };
        self.entries(table).into_iter().filter(idle).collect()
    }

    /// The default action of a table as it is now.
    pub fn default_action(&self, table: Table) -> Option<&ActionCall> {
        self.state.tables.get(table.index()).map(|t| &t.default)
    }

    /// Members of a profile by their ids.
    pub fn members(&self, profile: Profile) -> impl Iterator<Item = (u32, &ActionCall)> {
        let profile = self.state.profiles.get(profile.index());
        profile.into_iter().flat_map(|p| p.members()).map(|(id, m)| (id, &m.call))
    }

    /// Groups of a profile by their ids: members and weights.
    pub fn groups(&self, profile: Profile) -> impl Iterator<Item = (u32, &[(u32, u32)])> {
        let profile = self.state.profiles.get(profile.index());
        profile.into_iter().flat_map(|p| p.groups()).map(|(id, g)| (id, g.members.as_slice()))
    }

    /// Members of a value set.
    pub fn value_set(&self, set: ValueSet) -> &[Vec<KeyMatch>] {
        self.state.value_sets.get(set.index()).map(|s| s.members.as_slice()).unwrap_or_default()
    }

    /// Replicas of a multicast group.
    pub fn multicast(&self, group: u16) -> Option<&[Replica]> {
        self.state.groups.get(&group).map(Vec::as_slice)
    }

    /// A clone session: where to, and at most how many bytes.
    pub fn clone_session(&self, session: u32) -> Option<&(CloneTarget, Option<u32>)> {
        self.state.sessions.get(&session)
    }

    /// Live entries of a map, in order of their places.
    pub fn map(&self, map: Map) -> Vec<MapEntry> {
        let (Some(state), Some(decl)) =
            (self.state.maps.get(map.index()), self.program.maps.get(map))
        else {
            return Vec::new();
        };
        let entries = state.entries(self.state.now);
        entries
            .map(|(key, values, used_us)| MapEntry {
                key: split(&decl.key, key),
                values: split(&decl.values, values),
                used_us,
            })
            .collect()
    }
}

/// Fields out of slots.
fn split(fields: &[FieldDecl], mut words: &[u64]) -> Vec<Bits> {
    fields
        .iter()
        .map(|f| {
            let len = crate::layout::slots_of(f.ty) as usize;
            let (value, rest) = words.split_at(len.min(words.len()));
            words = rest;
            Bits::from_limbs(f.ty.width(), value)
        })
        .collect()
}
