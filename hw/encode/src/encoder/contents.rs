//! What has no epochs: registers, counters, meters, maps, and what stands behind the id of an entry.

use super::Encoder;
use super::entries::{missing, not_placed};
use crate::bus::Log;
use crate::state::{counter_row, map_row, meter_rows, row};
use crate::table::Table;
use restage_manifest::cell::{MapShape, Part};
use restage_program::Bits;
use restage_program::accept::{self, Fault, WriteError, in_range, object, rates, refused};
use restage_program::entity as id;
use restage_program::entry::{KeyMatch, Write};
use restage_program::program::TableDecl;

impl Encoder {
    /// What has no epochs.
    pub(super) fn state(
        &mut self,
        log: &mut Log,
        epoch: usize,
        write: &Write,
    ) -> Result<(), WriteError> {
        let program = &self.program;
        match write {
            Write::SetRegister(register, index, value) => {
                let decl = object("register", &program.registers, *register)?;
                let fault = |f| refused("register", &decl.preamble.name, f);
                in_range(*index, decl.size).map_err(fault)?;
                accept::width("its value", value, decl.ty.width()).map_err(fault)?;
                for (_, cell) in self.cells.registers.iter().filter(|(r, _)| r == register) {
                    log.0.extend(row(cell, Part::Content, *index, value.clone()));
                }
            }
            Write::SetCounter(counter, index, value) => {
                let decl = object("counter", &program.counters, *counter)?;
                let fault = |f| refused("counter", &decl.preamble.name, f);
                in_range(*index, decl.size).map_err(fault)?;
                // A count is the sum of its banks: the first one has it all.
                let mut value = *value;
                for (_, cell) in self.cells.counters.iter().filter(|(c, _)| c == counter) {
                    let bits = counter_row(decl.unit, std::mem::take(&mut value));
                    log.0.extend(row(cell, Part::Count, *index, bits));
                }
            }
            Write::SetMeter(meter, index, config) => {
                let decl = object("meter", &program.meters, *meter)?;
                let fault = |f| refused("meter", &decl.preamble.name, f);
                in_range(*index, decl.size).map_err(fault)?;
                rates(config.as_ref()).map_err(fault)?;
                for (_, cell) in self.cells.meters.iter().filter(|(m, _)| m == meter) {
                    log.0.extend(meter_rows(cell, *index, *config));
                }
            }
            Write::SetDirectCounter { table, keys, priority, value } => {
                let (decl, of, id) = self.direct(epoch, *table, keys, *priority)?;
                let Some(counter) = &decl.counter else {
                    let fault = Fault::Invalid("has no direct counter".into());
                    return Err(refused("table", &decl.preamble.name, fault));
                };
                log.0.extend(row(&of.cell, Part::Count, id, counter_row(counter.unit, *value)));
            }
            Write::SetDirectMeter { table, keys, priority, config } => {
                let (decl, of, id) = self.direct(epoch, *table, keys, *priority)?;
                let fault = |f| refused("table", &decl.preamble.name, f);
                if decl.meter.is_none() {
                    return Err(fault(Fault::Invalid("has no direct meter".into())));
                }
                rates(config.as_ref()).map_err(fault)?;
                log.0.extend(meter_rows(&of.cell, id, *config));
            }
            Write::SetMapEntry { map, key, values } => {
                self.map(log, *map, key, Some(values), MapShape::PUT)?;
            }
            Write::DeleteMapEntry(map, key) => self.map(log, *map, key, None, MapShape::REMOVE)?,
            _ => {}
        }
        Ok(())
    }

    /// The entry of a table, for what stands behind its id.
    pub(crate) fn direct(
        &self,
        epoch: usize,
        table: id::Table,
        keys: &[KeyMatch],
        priority: u32,
    ) -> Result<(&TableDecl, &Table, u32), WriteError> {
        let decl = object("table", &self.program.tables, table)?;
        let fault = |f| refused("table", &decl.preamble.name, f);
        accept::keys(&self.program, decl, keys, priority).map_err(fault)?;
        let Some(of) = self.tables.get(&table.0) else { return Err(fault(not_placed())) };
        let key = of.key(keys, priority);
        match of.id(&key, epoch) {
            Some(id) => Ok((decl, of, id)),
            None => Err(fault(missing(&key))),
        }
    }

    fn map(
        &self,
        log: &mut Log,
        map: id::Map,
        key: &[Bits],
        values: Option<&Vec<Bits>>,
        command: u32,
    ) -> Result<(), WriteError> {
        let decl = object("map", &self.program.maps, map)?;
        let fault = |f| refused("map", &decl.preamble.name, f);
        accept::fields("key", key, &decl.key).map_err(fault)?;
        if let Some(values) = values {
            accept::fields("values", values, &decl.values).map_err(fault)?;
        }
        let values = values.map(Vec::as_slice).unwrap_or_default();
        for (_, cell) in self.cells.maps.iter().filter(|(m, _)| *m == map) {
            log.0.extend(map_row(cell, key, values, command));
        }
        Ok(())
    }
}
