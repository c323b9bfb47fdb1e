//! Tables: entries of both epochs, their ids, and what stands behind them.

use crate::bus::{Log, Memory, RowWrite, Word, join};
use crate::exact::Exact;
use crate::ids::Ids;
use crate::lpm::Lpm;
use crate::profile::Profile;
use crate::ternary::{Rank, Ternary};
use restage_manifest::address::region;
use restage_manifest::cell::{Cell, DataShape, LookupShape, Part, TableShape};
use restage_program::Bits;
use restage_program::accept::Fault;
use restage_program::entry::{Entry, EntryTarget, KeyMatch};
use restage_program::program::{ActionCall, MatchKind};
use std::collections::HashMap;

/// Keys and priority of an entry, in one spelling.
pub(crate) type EntryKey = (Vec<KeyMatch>, u32);

#[derive(Clone, Debug)]
enum Lookup {
    Keyless,
    Exact(Exact),
    Lpm(Lpm),
    Ternary(Ternary),
}

/// An entry of an epoch.
#[derive(Clone, Debug)]
pub(crate) struct Installed {
    pub entry: Entry,
    /// Its data, or what of the profile it names.
    word: Bits,
    order: u64,
}

/// What a batch has done to a key of an epoch, in memory not yet done.
#[derive(Clone, Debug)]
struct Touched {
    /// What was there before the batch and has been removed.
    removed: Option<u64>,
    /// The write that did the last to it.
    index: usize,
}

/// A table.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub cell: Cell<TableShape>,
    lookup: Lookup,
    defaults: Memory,
    data: Memory,
    ids: Ids<EntryKey>,
    pub planes: [HashMap<EntryKey, Installed>; 2],
    touched: [HashMap<EntryKey, Touched>; 2],
    /// Keys in the order in which they were touched first.
    sequence: [Vec<EntryKey>; 2],
    order: u64,
}

impl Table {
    pub fn new(cell: &Cell<TableShape>) -> Self {
        let lookup = match &cell.shape.lookup {
            LookupShape::Keyless => Lookup::Keyless,
            LookupShape::Exact(shape) => Lookup::Exact(Exact::new(cell, shape)),
            LookupShape::Lpm(shape) => Lookup::Lpm(Lpm::new(cell, shape)),
            LookupShape::Ternary(shape) => Lookup::Ternary(Ternary::new(cell, shape)),
        };
        Table {
            cell: cell.clone(),
            lookup,
            defaults: Memory::new(cell, Part::Default),
            data: Memory::new(cell, Part::Data),
            ids: Ids::new(cell.shape.ids()),
            planes: [HashMap::new(), HashMap::new()],
            touched: [HashMap::new(), HashMap::new()],
            sequence: [Vec::new(), Vec::new()],
            order: 0,
        }
    }

    /// Entries that another table has in an epoch get the same ids here, until [`settle`](Self::settle).
    pub fn like(&mut self, other: &Table, epoch: usize) {
        self.ids.like(&other.ids, epoch);
    }

    /// Is what another one is, which has the same memories; `rename` gives its actions the numbers that they have here.
    pub fn take_over(&mut self, other: &Table, rename: &dyn Fn(&mut ActionCall)) {
        let cell = self.cell.clone();
        *self = Table { cell, ..other.clone() };
        for installed in self.planes.iter_mut().flat_map(HashMap::values_mut) {
            if let EntryTarget::Action(call) = &mut installed.entry.target {
                rename(call);
            }
        }
    }

    /// No further entries are waited for.
    pub fn settle(&mut self) {
        self.ids.settle();
    }

    /// One spelling for every match.
    pub fn key(&self, keys: &[KeyMatch], priority: u32) -> EntryKey {
        let one = |(shape, key): (&restage_manifest::cell::KeyShape, &KeyMatch)| match key {
            KeyMatch::Any if shape.kind == MatchKind::Lpm => {
                KeyMatch::Lpm { value: Bits::zero(shape.width), prefix: 0 }
            }
            KeyMatch::Masked { mask, .. } if mask.is_zero() => KeyMatch::Any,
            other => other.clone(),
        };
        (self.cell.shape.keys.iter().zip(keys).map(one).collect(), priority)
    }

    /// The id of an entry.
    pub fn id(&self, key: &EntryKey, epoch: usize) -> Option<u32> {
        self.ids.get(key, epoch)
    }

    pub fn set_default(&mut self, log: &mut Log, epoch: usize, call: &ActionCall) {
        let word = data_word(&self.cell.shape.data, call);
        self.defaults.put(log, epoch as u32, &word);
    }

    /// Adds an entry that is not there; `index` is the write's.
    pub fn insert(
        &mut self,
        epoch: usize,
        index: usize,
        entry: &Entry,
        profile: Option<&Profile>,
    ) -> Result<(), Fault> {
        let limit = u64::from(self.cell.shape.entries);
        if self.planes[epoch].len() as u64 >= limit {
            return Err(Fault::Full { of: "entries", limit });
        }
        let word = self.target(epoch, &entry.target, profile)?;
        let key = self.key(&entry.keys, entry.priority);
        let installed = Installed { entry: entry.clone(), word, order: self.order };
        self.order += 1;
        self.touch(epoch, &key, index, None);
        self.planes[epoch].insert(key, installed);
        Ok(())
    }

    /// Changes what an entry does.
    pub fn modify(
        &mut self,
        epoch: usize,
        index: usize,
        entry: &Entry,
        profile: Option<&Profile>,
    ) -> Result<(), Fault> {
        let word = self.target(epoch, &entry.target, profile)?;
        let key = self.key(&entry.keys, entry.priority);
        self.touch(epoch, &key, index, None);
        if let Some(installed) = self.planes[epoch].get_mut(&key) {
            installed.entry.target = entry.target.clone();
            installed.entry.idle_timeout_us = entry.idle_timeout_us;
            installed.word = word;
        }
        Ok(())
    }

    /// Removes an entry; gives what it was.
    pub fn remove(&mut self, epoch: usize, index: usize, key: &EntryKey) -> Option<Installed> {
        let installed = self.planes[epoch].remove(key)?;
        let removed = self.ids.get(key, epoch).map(|_| installed.order);
        self.touch(epoch, key, index, removed);
        Some(installed)
    }

    fn touch(&mut self, epoch: usize, key: &EntryKey, index: usize, removed: Option<u64>) {
        match self.touched[epoch].get_mut(key) {
            Some(touched) => {
                touched.index = index;
                touched.removed = touched.removed.or(removed);
            }
            None => {
                self.touched[epoch].insert(key.clone(), Touched { removed, index });
                self.sequence[epoch].push(key.clone());
            }
        }
    }

    /// Does what was gathered: removals first, so that what comes has their room, and what a batch has both added and
    /// removed needs none. The error names the write for which there was no room; its entry is gone again.
    pub fn flush(&mut self, log: &mut Log) -> Result<(), (usize, Fault)> {
        let mut result = Ok(());
        for epoch in 0..2 {
            let touched = std::mem::take(&mut self.touched[epoch]);
            let sequence = std::mem::take(&mut self.sequence[epoch]);
            for key in &sequence {
                if let Some(order) = touched.get(key).and_then(|t| t.removed) {
                    self.take_out(log, epoch, key, order);
                }
            }
            for key in &sequence {
                if let Some(installed) = self.planes[epoch].get(key).cloned()
                    && let Err(fault) = self.put_in(log, epoch, key, &installed)
                {
                    self.planes[epoch].remove(key);
                    let index = touched.get(key).map_or(0, |t| t.index);
                    result = result.and(Err((index, fault)));
                }
            }
        }
        match &mut self.lookup {
            Lookup::Keyless | Lookup::Exact(_) => {}
            Lookup::Lpm(lpm) => lpm.flush(log),
            Lookup::Ternary(ternary) => ternary.flush(log),
        }
        result
    }

    fn take_out(&mut self, log: &mut Log, epoch: usize, key: &EntryKey, order: u64) {
        let Some(id) = self.ids.get(key, epoch) else { return };
        self.ids.remove(key, epoch);
        match &mut self.lookup {
            Lookup::Keyless => {}
            Lookup::Exact(exact) => {
                exact.put(log, &exact_key(&key.0), id, self.ids.there(key));
            }
            Lookup::Lpm(lpm) => {
                let (value, length) = prefix_key(&key.0);
                lpm.remove(epoch, &value, length);
            }
            Lookup::Ternary(ternary) => ternary.remove(epoch, rank(key.1, order)),
        }
    }

    fn put_in(
        &mut self,
        log: &mut Log,
        epoch: usize,
        key: &EntryKey,
        installed: &Installed,
    ) -> Result<(), Fault> {
        if let Some(id) = self.ids.get(key, epoch) {
            self.data.put(log, 2 * id + epoch as u32, &installed.word);
            return Ok(());
        }
        let fresh = self.ids.there(key) == [false; 2];
        let Some(id) = self.ids.add(key, epoch) else {
            let ids = self.cell.shape.ids();
            return Err(Fault::Invalid(format!(
                "has {ids} entries in both epochs together, which is all it holds; retire the other epoch first"
            )));
        };
        if fresh {
            self.forget(log, id);
        }
        self.data.put(log, 2 * id + epoch as u32, &installed.word);
        let room = match &mut self.lookup {
            Lookup::Keyless => false,
            Lookup::Exact(exact) => exact.put(log, &exact_key(&key.0), id, self.ids.there(key)),
            Lookup::Lpm(lpm) => {
                let (value, length) = prefix_key(&key.0);
                lpm.insert(epoch, &value, length, id);
                true
            }
            Lookup::Ternary(ternary) => {
                ternary.insert(epoch, rank(key.1, installed.order), id, &key.0)
            }
        };
        if room {
            return Ok(());
        }
        self.ids.remove(key, epoch);
        Err(Fault::Invalid(match &self.lookup {
            Lookup::Exact(exact) => format!(
                "has no place left for this key: {} of {} slots are taken, and all that could make room are; delete some entries or give it a larger size",
                exact.len(),
                exact.slots()
            ),
            _ => "takes no entries".to_string(),
        }))
    }

    /// Clears what packets left behind an id that had another entry.
    fn forget(&mut self, log: &mut Log, id: u32) {
        let parts = [
            (self.cell.shape.meter.is_some(), Part::Rates),
            (self.cell.shape.meter.is_some(), Part::Filled),
            (self.cell.shape.meter.is_some(), Part::Missing),
            (self.cell.shape.counter.is_some(), Part::Count),
            (self.cell.shape.idle, Part::Used),
        ];
        for (_, part) in parts.into_iter().filter(|(there, _)| *there) {
            if let Some((number, shape)) = self.cell.memory(part) {
                log.0.push(RowWrite {
                    unit: self.cell.unit,
                    number,
                    row: id,
                    bits: Bits::zero(shape.width),
                    command: region::WRITE,
                    live: shape.live,
                });
            }
        }
    }

    fn target(
        &self,
        epoch: usize,
        target: &EntryTarget,
        profile: Option<&Profile>,
    ) -> Result<Bits, Fault> {
        match (target, profile) {
            (EntryTarget::Action(call), None) => Ok(data_word(&self.cell.shape.data, call)),
            (_, None) => {
                Err(Fault::Invalid("has no action profile; an entry names an action".into()))
            }
            (target, Some(profile)) => profile.target_word(epoch, target),
        }
    }
}

/// Action data in its layout.
pub(crate) fn data_word(shape: &DataShape, call: &ActionCall) -> Bits {
    let index = shape.index_of(call.action).unwrap_or(0);
    let mut word = Word::new(shape.width());
    word.number(0, shape.index_bits(), index as u64);
    for ((low, width), value) in shape.params(index).into_iter().zip(&call.args) {
        word.put(low, &value.resize(width));
    }
    word.bits()
}

fn rank(priority: u32, order: u64) -> Rank {
    (u32::MAX - priority, order)
}

fn exact_key(keys: &[KeyMatch]) -> Bits {
    let values = keys.iter().filter_map(|k| match k {
        KeyMatch::Exact(value) => Some(value.clone()),
        _ => None,
    });
    join(&values.collect::<Vec<_>>())
}

/// Exact keys, below them the prefix; and the length of all.
fn prefix_key(keys: &[KeyMatch]) -> (Bits, u32) {
    let (mut values, mut prefix_value, mut length) = (Vec::new(), None, 0);
    for key in keys {
        match key {
            KeyMatch::Exact(value) => {
                length += value.width();
                values.push(value.clone());
            }
            KeyMatch::Lpm { value, prefix } => {
                length += prefix;
                prefix_value = Some(value.clone());
            }
            _ => {}
        }
    }
    values.extend(prefix_value);
    (join(&values), length)
}
