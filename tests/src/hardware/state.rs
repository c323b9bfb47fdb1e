//! What packets leave behind, read back over AXI4-Lite and compared with the golden model: registers, counters, meters,
//! maps, random generators, times of last hits, messages, the shell's counts.
//!
//! Of large arrays only some rows are read: those that are not 0 in the model, and some others.

use super::card::{Card, CardError, Run};
use super::replay::Replayed;
use crate::random::Rng;
use restage_golden::{Golden, MapEntry, Missing};
use restage_manifest::address::shell::Count;
use restage_program::Checked;
use restage_program::entity::{Map, Table};
use restage_program::entry::CounterValue;
use restage_program::program::Unit;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

/// Rows of an array that are read because the model has something there, and others.
const READ: (usize, usize) = (300, 40);

/// Differences that are said.
const SAID: usize = 5;

/// What was read, and what of it differs, in words.
#[derive(Clone, Debug, Default)]
pub struct Behind {
    /// Rows that were compared.
    pub rows: u64,
    /// What differs; the first few.
    pub wrong: Vec<String>,
}

/// Compares all state. Nothing may be inside the card any more.
pub fn compare(
    program: &Checked,
    golden: &Golden,
    card: &mut Card,
    (run, replayed): (&Run, &Replayed),
    seed: u64,
) -> Result<Behind, CardError> {
    let mut all = All { golden, card, rng: Rng::new(seed), behind: Behind::default() };
    all.counts(replayed)?;
    all.messages(run, replayed)?;
    all.cells(program)?;
    all.generators()?;
    Ok(all.said())
}

/// Compares what the cells of a program hold. Nothing may be inside the card any more.
pub fn compare_cells(
    program: &Checked,
    golden: &Golden,
    card: &mut Card,
    seed: u64,
) -> Result<Behind, CardError> {
    let mut all = All { golden, card, rng: Rng::new(seed), behind: Behind::default() };
    all.cells(program)?;
    Ok(all.said())
}

struct All<'a> {
    golden: &'a Golden,
    card: &'a mut Card,
    rng: Rng,
    behind: Behind,
}

impl All<'_> {
    fn cells(&mut self, program: &Checked) -> Result<(), CardError> {
        self.registers(program)?;
        self.counters(program)?;
        self.meters(program)?;
        for (table, decl) in program.tables.iter() {
            self.table(table, &decl.preamble.name, decl.counter.as_ref().map(|c| c.unit))?;
        }
        for (map, decl) in program.maps.iter() {
            self.map(map, &decl.preamble.name, decl.buckets, decl.idle_timeout_us)?;
        }
        Ok(())
    }

    fn said(self) -> Behind {
        let mut behind = self.behind;
        let more = behind.wrong.len().saturating_sub(SAID);
        if more > 0 {
            behind.wrong.truncate(SAID);
            behind.wrong.push(format!("and {more} differences more"));
        }
        behind
    }

    fn same<T: PartialEq + Debug>(&mut self, what: impl Fn() -> String, model: T, hardware: T) {
        self.behind.rows += 1;
        if model != hardware {
            let text = format!("{}: model {model:?}, hardware {hardware:?}", what());
            self.behind.wrong.push(text);
        }
    }

    /// Which rows are read: those that are wanted, and some others.
    fn rows(&mut self, size: u32, wanted: impl Fn(u32) -> bool) -> BTreeSet<u32> {
        let mut wanted: Vec<u32> = (0..size).filter(|i| wanted(*i)).collect();
        self.rng.shuffle(&mut wanted);
        wanted.truncate(READ.0);
        let others = (0..READ.1).map(|_| self.rng.below(size as usize) as u32);
        wanted.into_iter().chain(others).filter(|i| *i < size).collect()
    }

    fn registers(&mut self, program: &Checked) -> Result<(), CardError> {
        for (register, decl) in program.registers.iter() {
            let golden = self.golden;
            let some = |i| golden.register(register, i).is_some_and(|v| !v.is_zero());
            for index in self.rows(decl.size, some) {
                // A register that nothing reads or writes is in no circuit.
                let Some(found) = self.card.register(register, index)? else { break };
                let model = golden.register(register, index).unwrap_or_default();
                self.same(|| format!("register {}[{index}]", decl.preamble.name), model, found);
            }
        }
        Ok(())
    }

    fn counters(&mut self, program: &Checked) -> Result<(), CardError> {
        for (counter, decl) in program.counters.iter() {
            let golden = self.golden;
            let value = |i| counted(decl.unit, golden.counter(counter, i).unwrap_or_default());
            if !self.card.has_counter(counter) {
                continue;
            }
            for index in self.rows(decl.size, |i| value(i) != CounterValue::default()) {
                let found = self.card.counter(counter, decl.unit, index)?;
                let name = || format!("counter {}[{index}]", decl.preamble.name);
                self.same(name, value(index), found);
            }
        }
        Ok(())
    }

    fn meters(&mut self, program: &Checked) -> Result<(), CardError> {
        for (meter, decl) in program.meters.iter() {
            let golden = self.golden;
            let some = |i| golden.meter_missing(meter, i).is_some_and(|m| m.committed > 0);
            for index in self.rows(decl.size, some) {
                let Some(found) = self.card.meter(meter, index)? else { break };
                let Some(model) = golden.meter_missing(meter, index) else { continue };
                let name = || format!("meter {}[{index}]", decl.preamble.name);
                self.same(name, settled(model), settled(found));
            }
        }
        Ok(())
    }

    /// Random generators.
    fn generators(&mut self) -> Result<(), CardError> {
        for (site, found) in self.card.generators()? {
            let Some(model) = self.golden.generator(site) else { continue };
            self.same(|| format!("random generator of call {site}"), model, found);
        }
        Ok(())
    }

    /// Direct counters and times of last hits.
    fn table(&mut self, table: Table, name: &str, unit: Option<Unit>) -> Result<(), CardError> {
        if !self.card.has_table(table) {
            return Ok(());
        }
        let mut entries = self.golden.entries(table);
        self.rng.shuffle(&mut entries);
        for entry in entries.into_iter().take(READ.0) {
            let (keys, priority) = (&entry.entry.keys, entry.entry.priority);
            let what = || format!("entry {keys:?} priority {priority} of table {name}");
            if let Some(unit) = unit {
                let found = self.card.direct_counter(table, unit, keys, priority)?;
                self.same(|| format!("{}, counter", what()), counted(unit, entry.counter), found);
            }
            if let Some(found) = self.card.last_hit(table, keys, priority)? {
                self.same(|| format!("{}, last hit", what()), entry.used_us, found);
            }
        }
        Ok(())
    }

    fn map(&mut self, map: Map, name: &str, buckets: u32, timeout: u64) -> Result<(), CardError> {
        let now = self.golden.now();
        let mut wanted: BTreeMap<u32, Vec<MapEntry>> = BTreeMap::new();
        for entry in self.golden.map(map) {
            let Some(bucket) = self.card.bucket(map, &entry.key) else { return Ok(()) };
            wanted.entry(bucket).or_default().push(entry);
        }
        for bucket in self.rows(buckets, |bucket| wanted.contains_key(&bucket)) {
            let mut model = wanted.remove(&bucket).unwrap_or_default();
            let mut found = self.card.entries(map, bucket)?;
            found.retain(|e| timeout == 0 || now.saturating_sub(e.used_us) <= timeout);
            for entries in [&mut model, &mut found] {
                entries.sort_by(|a, b| a.key.cmp(&b.key));
            }
            self.same(|| format!("map {name}, bucket {bucket}"), model, found);
        }
        Ok(())
    }

    /// Messages come in order; what nobody read in time is lost, and counted.
    fn messages(&mut self, run: &Run, replayed: &Replayed) -> Result<(), CardError> {
        let lost = self.card.count(Count::DigestsLost)?;
        let mut model = replayed.messages.iter();
        for (number, message) in run.messages.iter().enumerate() {
            self.behind.rows += 1;
            // Lost ones may be between; where none is lost, the next one it is.
            let next = if lost == 0 { model.next() } else { model.find(|m| *m == message) };
            if next != Some(message) {
                let text = format!("message {number}: model {next:?}, hardware {message:?}");
                self.behind.wrong.push(text);
                return Ok(());
            }
        }
        let counted = run.messages.len() as u64 + lost;
        self.same(|| "messages, read and lost".into(), replayed.messages.len() as u64, counted);
        Ok(())
    }

    fn counts(&mut self, replayed: &Replayed) -> Result<(), CardError> {
        let tally = &replayed.tally;
        let drops = tally.drops;
        for (count, model) in [
            (Count::Received, tally.packets),
            (Count::Sent, tally.sent),
            (Count::DroppedIngress, drops.ingress),
            (Count::DroppedEgress, drops.egress),
            (Count::NoGroup, drops.no_group),
            (Count::NoSession, drops.no_session),
            (Count::MaxPasses, drops.max_passes),
            (Count::Looped, tally.looped),
            (Count::LoopFull, tally.no_room),
            (Count::WrongSize, 0),
            (Count::Lost, 0),
        ] {
            let found = self.card.count(count)?;
            self.same(|| format!("the shell's count {count:?}"), model, found);
        }
        let errors = self.card.tag_errors()?;
        self.same(|| "packets under a wrong tag".into(), 0, errors);
        Ok(())
    }
}

/// A counter without what it does not count.
fn counted(unit: Unit, value: CounterValue) -> CounterValue {
    match unit {
        Unit::Packets => CounterValue { bytes: 0, ..value },
        Unit::Bytes => CounterValue { packets: 0, ..value },
        Unit::Both => value,
    }
}

/// Full buckets are full whenever they were filled.
fn settled(missing: Missing) -> Missing {
    match missing.committed == 0 && missing.peak == 0 {
        true => Missing { at_us: 0, ..missing },
        false => missing,
    }
}
