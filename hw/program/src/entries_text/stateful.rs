//! Commands on state: registers, counters, meters, maps.

use super::commands::Args;
use super::error::Stop;
use super::live::live;
use super::session::Session;
use super::{rates, tables, value};
use crate::bits::Bits;
use crate::entity::Table;
use crate::entry::{CounterValue, MeterConfig, Write};
use crate::names::NameError;

pub(super) fn register_write(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (name, rest) = args.first(s)?;
    let register = s.named(args.line, name, s.program.find_register(name.text))?;
    let (index, rest) = rest.first(s)?;
    let (word, rest) = rest.first(s)?;
    rest.end(s)?;
    let program = s.program;
    let Some(decl) = program.registers.get(register) else { return Err(rest.unexpected(s, name)) };
    let index = s.index::<crate::entity::Register>(args.line, index, decl.size)?;
    match value::parse(decl.ty, word.text) {
        Ok(bits) => s.writes.push(Write::SetRegister(register, index, bits)),
        Err(message) => {
            let help = Some(format!("the register holds a {}", decl.ty));
            return Err(s.fault(args.line, word, message, help));
        }
    }
    Ok(())
}

pub(super) fn register_reset(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (name, rest) = args.first(s)?;
    let register = s.named(args.line, name, s.program.find_register(name.text))?;
    rest.end(s)?;
    let Some(decl) = s.program.registers.get(register) else { return Ok(()) };
    s.list(args.line, decl.size as usize)?;
    let zero = Bits::zero(decl.ty.width());
    s.writes.extend((0..decl.size).map(|i| Write::SetRegister(register, i, zero.clone())));
    Ok(())
}

/// An array, or the table that has the direct counter or meter of this name.
enum Named<K> {
    Array(K),
    Direct(Table),
}

fn array_or_direct<K>(
    array: Result<K, NameError>,
    direct: Result<Table, NameError>,
) -> Result<Named<K>, NameError> {
    match (array, direct) {
        (Ok(array), _) => Ok(Named::Array(array)),
        (_, Ok(table)) => Ok(Named::Direct(table)),
        // Of two answers the one that has something near is the better one.
        (Err(NameError::Unknown { count: 0, .. }), Err(e)) => Err(e),
        (Err(NameError::Unknown { similar, .. }), Err(e)) if similar.is_empty() => Err(e),
        (Err(e), Err(_)) => Err(e),
    }
}

pub(super) fn counter_write(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (name, rest) = args.first(s)?;
    let (array, direct) =
        (s.program.find_counter(name.text), s.program.find_direct_counter(name.text));
    match s.named(args.line, name, array_or_direct(array, direct))? {
        Named::Array(counter) => {
            let size = s.program.counters.get(counter).map_or(0, |c| c.size);
            let (index, rest) = rest.first(s)?;
            let index = s.index::<crate::entity::Counter>(args.line, index, size)?;
            let value = counter_value(s, rest)?;
            s.writes.push(Write::SetCounter(counter, index, value));
        }
        Named::Direct(table) => {
            let (entry, rest) = tables::entry(s, rest, table)?;
            let value = counter_value(s, rest)?;
            let (keys, priority) = (entry.keys, entry.priority);
            s.writes.push(Write::SetDirectCounter { table, keys, priority, value });
        }
    }
    Ok(())
}

pub(super) fn counter_reset(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (name, rest) = args.first(s)?;
    let (array, direct) =
        (s.program.find_counter(name.text), s.program.find_direct_counter(name.text));
    let found = s.named(args.line, name, array_or_direct(array, direct))?;
    rest.end(s)?;
    let value = CounterValue::default();
    match found {
        Named::Array(counter) => {
            let size = s.program.counters.get(counter).map_or(0, |c| c.size);
            s.list(args.line, size as usize)?;
            s.writes.extend((0..size).map(|i| Write::SetCounter(counter, i, value)));
        }
        Named::Direct(table) => {
            let all = live(s, args.line, table)?.into_iter();
            s.writes.extend(all.map(|(keys, priority)| Write::SetDirectCounter {
                table,
                keys,
                priority,
                value,
            }));
        }
    }
    Ok(())
}

fn counter_value(s: &mut Session, args: Args) -> Result<CounterValue, Stop> {
    let (packets, rest) = args.one(s, "number of packets", u64::MAX)?;
    let (bytes, rest) = rest.one(s, "number of bytes", u64::MAX)?;
    rest.end(s)?;
    Ok(CounterValue { packets, bytes })
}

pub(super) fn meter_set_rates(s: &mut Session, args: &Args) -> Result<(), Stop> {
    meter(s, *args, |s, rest| two_rates(s, rest).map(Some))
}

pub(super) fn meter_array_set_rates(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (name, rest) = args.first(s)?;
    let (array, direct) = (s.program.find_meter(name.text), s.program.find_direct_meter(name.text));
    let found = s.named(args.line, name, array_or_direct(array, direct))?;
    let config = Some(two_rates(s, rest)?);
    match found {
        Named::Array(meter) => {
            let size = s.program.meters.get(meter).map_or(0, |m| m.size);
            s.list(args.line, size as usize)?;
            s.writes.extend((0..size).map(|i| Write::SetMeter(meter, i, config)));
        }
        Named::Direct(table) => {
            let all = live(s, args.line, table)?.into_iter();
            s.writes.extend(all.map(|(keys, priority)| Write::SetDirectMeter {
                table,
                keys,
                priority,
                config,
            }));
        }
    }
    Ok(())
}

fn two_rates(s: &mut Session, rest: Args) -> Result<MeterConfig, Stop> {
    let [committed, peak] = rest.words else {
        return Err(s.fault_at_end(rest.line, "a meter has two rates", rest.usage()));
    };
    rates::parse(committed.text, peak.text).map_err(|message| {
        let help = "RATE in tokens per microsecond, BURST in tokens; a token is a packet or a byte, \
                    as the meter measures";
        s.fault(rest.line, *committed, message, Some(help.to_string()))
    })
}

pub(super) fn meter_unset(s: &mut Session, args: &Args) -> Result<(), Stop> {
    meter(s, *args, |s, rest| rest.end(s).map(|()| None))
}

fn meter(
    s: &mut Session,
    args: Args,
    config: impl Fn(&mut Session, Args) -> Result<Option<MeterConfig>, Stop>,
) -> Result<(), Stop> {
    let (name, rest) = args.first(s)?;
    let (array, direct) = (s.program.find_meter(name.text), s.program.find_direct_meter(name.text));
    match s.named(args.line, name, array_or_direct(array, direct))? {
        Named::Array(meter) => {
            let size = s.program.meters.get(meter).map_or(0, |m| m.size);
            let (index, rest) = rest.first(s)?;
            let index = s.index::<crate::entity::Meter>(args.line, index, size)?;
            let config = config(s, rest)?;
            s.writes.push(Write::SetMeter(meter, index, config));
        }
        Named::Direct(table) => {
            let (entry, rest) = tables::entry(s, rest, table)?;
            let config = config(s, rest)?;
            let (keys, priority) = (entry.keys, entry.priority);
            s.writes.push(Write::SetDirectMeter { table, keys, priority, config });
        }
    }
    Ok(())
}

pub(super) fn map_add(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (name, rest) = args.first(s)?;
    let map = s.named(args.line, name, s.program.find_map(name.text))?;
    let program = s.program;
    let Some(decl) = program.maps.get(map) else { return Err(rest.unexpected(s, name)) };
    let (key, values) = rest.arrow(s)?;
    let key = key.values(s, &format!("the key of {}", decl.preamble.name), &decl.key);
    let values = values.values(s, &format!("an entry of {}", decl.preamble.name), &decl.values)?;
    s.writes.push(Write::SetMapEntry { map, key: key?, values });
    Ok(())
}

pub(super) fn map_delete(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (name, rest) = args.first(s)?;
    let map = s.named(args.line, name, s.program.find_map(name.text))?;
    let program = s.program;
    let Some(decl) = program.maps.get(map) else { return Err(rest.unexpected(s, name)) };
    let key = rest.values(s, &format!("the key of {}", decl.preamble.name), &decl.key)?;
    s.writes.push(Write::DeleteMapEntry(map, key));
    Ok(())
}
