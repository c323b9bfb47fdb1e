//! What a test reads of a card beside what a host does: maps, meters, times, the shell's counts.

use super::{Card, CardError};
use restage_encode::{EncodeError, map_bucket, map_entry, meter_missing};
use restage_golden::{MapEntry, Missing};
use restage_manifest::address::{self, guard, shell};
use restage_program::Bits;
use restage_program::entity::{Counter, Map, Meter, Table};
use restage_program::entry::KeyMatch;
use restage_sim_verilator::Device;

impl Card {
    /// Whether the program's circuits have this array; one in which nothing counts is in none.
    pub fn has_counter(&self, counter: Counter) -> bool {
        !self.encoder.counters(counter).is_empty()
    }

    /// Whether the program's circuits have this table; one that nothing applies is in none.
    pub fn has_table(&self, table: Table) -> bool {
        self.manifest.cells.tables.iter().any(|(t, _)| *t == table)
    }

    /// The bucket of a key; `None` if the program's circuits have no such map.
    pub fn bucket(&self, map: Map, key: &[Bits]) -> Option<u32> {
        let (_, cell) = self.manifest.cells.maps.iter().find(|(m, _)| *m == map)?;
        Some(map_bucket(&cell.shape, key))
    }

    /// The entries of a bucket, dead ones too, with the times of their last use.
    pub fn entries(&mut self, map: Map, bucket: u32) -> Result<Vec<MapEntry>, CardError> {
        let cell = self.manifest.cells.maps.iter().find(|(m, _)| *m == map);
        let Some(shape) = cell.map(|(_, cell)| cell.shape.clone()) else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for way in self.encoder.map_ways(map) {
            let entry = map_entry(&shape, &self.row(&way, bucket)?);
            found.extend(entry.map(|(key, values, used_us)| MapEntry { key, values, used_us }));
        }
        Ok(found)
    }

    /// The states of the random generators in the program's circuits, by call site.
    pub fn generators(&mut self) -> Result<Vec<(u32, u64)>, CardError> {
        let mut found = Vec::new();
        for (site, rows) in self.encoder.generators() {
            found.push((site, self.row(&rows, 0)?.low_u64()));
        }
        Ok(found)
    }

    /// What is missing of a meter's full buckets; `None` if the program's circuits have no such array.
    pub fn meter(&mut self, meter: Meter, index: u32) -> Result<Option<Missing>, CardError> {
        let Some([filled, missing]) = self.encoder.meters(meter) else { return Ok(None) };
        let at_us = self.row(&filled, index)?.low_u64();
        let [committed, peak] = meter_missing(&self.row(&missing, index)?);
        Ok(Some(Missing { at_us, committed, peak }))
    }

    /// When an entry was last hit; `None` where the table does not say.
    pub fn last_hit(
        &mut self,
        table: Table,
        keys: &[KeyMatch],
        priority: u32,
    ) -> Result<Option<u64>, CardError> {
        let found = self.encoder.last_hit(self.epoch == 1, table, keys, priority);
        let found = found.map_err(|source| EncodeError { index: 0, source })?;
        let Some((rows, row)) = found else { return Ok(None) };
        Ok(Some(self.row(&rows, row)?.low_u64()))
    }

    /// Packets that came back from a region under another tag, of all guards.
    pub fn tag_errors(&mut self) -> Result<u64, CardError> {
        let units: Vec<u32> = self.manifest.regions.iter().map(|r| r.unit).collect();
        let mut all = 0;
        for unit in units {
            let word = shell::guard(unit, guard::TAG_ERRORS);
            all += u64::from(self.nic.read(address::byte(address::SHELL, word))?);
        }
        Ok(all)
    }
}
