//! Commands on state: registers, counters, meters, value sets, maps.

use super::commands::Args;
use super::error::Stop;
use super::session::Session;
use super::{rates, tables, value};
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

fn counter_value(s: &mut Session, args: Args) -> Result<CounterValue, Stop> {
    let (packets, rest) = args.one(s, "number of packets", u64::MAX)?;
    let (bytes, rest) = rest.one(s, "number of bytes", u64::MAX)?;
    rest.end(s)?;
    Ok(CounterValue { packets, bytes })
}

pub(super) fn meter_set_rates(s: &mut Session, args: &Args) -> Result<(), Stop> {
    meter(s, *args, |s, rest| {
        let [committed, peak] = rest.words else {
            return Err(s.fault_at_end(rest.line, "a meter has two rates", rest.usage()));
        };
        match rates::parse(committed.text, peak.text) {
            Ok(config) => Ok(Some(config)),
            Err(message) => {
                let help =
                    "RATE in tokens per microsecond, BURST in tokens; a token is a packet or \
                            a byte, as the meter measures"
                        .to_string();
                Err(s.fault(rest.line, *committed, message, Some(help)))
            }
        }
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

pub(super) fn pvs_clear(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (name, rest) = args.first(s)?;
    let set = s.named(args.line, name, s.program.find_value_set(name.text))?;
    rest.end(s)?;
    s.value_sets_at.insert(set, s.writes.len());
    s.writes.push(Write::SetValueSet(set, Vec::new()));
    Ok(())
}

pub(super) fn pvs_add(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (name, rest) = args.first(s)?;
    let set = s.named(args.line, name, s.program.find_value_set(name.text))?;
    let program = s.program;
    let Some(decl) = program.value_sets.get(set) else { return Err(rest.unexpected(s, name)) };
    if rest.words.len() != decl.columns.len() {
        let columns: Vec<String> =
            decl.columns.iter().map(|c| format!("{} ({})", c.name, c.ty)).collect();
        let help = format!("{} takes {}", decl.preamble.name, columns.join(", "));
        let message = super::commands::there_are(rest.words.len(), "key");
        return Err(s.fault_at_end(args.line, message, help));
    }
    let mut member = Vec::with_capacity(rest.words.len());
    for (word, column) in rest.words.iter().zip(&decl.columns) {
        match value::parse_any(column.ty, word.text) {
            Ok(key) => member.push(key),
            Err(message) => {
                let help = Some("VALUE, VALUE&&&MASK, LOW->HIGH or *".to_string());
                return Err(s.fault(args.line, *word, message, help));
            }
        }
    }
    let at = s.value_sets_at.get(&set).copied();
    let last = at.is_some_and(|at| at + 1 == s.writes.len());
    let mut members = match at.and_then(|at| s.writes.get_mut(at)) {
        Some(Write::SetValueSet(_, members)) if last => std::mem::take(members),
        Some(Write::SetValueSet(_, members)) => members.clone(),
        _ => Vec::new(),
    };
    members.push(member);
    let items = if last { 1 } else { members.len() };
    if last {
        s.writes.pop();
    }
    s.value_sets_at.insert(set, s.writes.len());
    s.writes.push(Write::SetValueSet(set, members));
    s.list(args.line, items)
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
