//! Entries and traffic that show both sides of every table.
//!
//! Traffic is made from the parser and the entries installed. Where entries leave a table nothing to miss, some of them are left
//! out by the seed: those that match everything first, then a share of all. What a program leaves no other side of is said
//! by [`one_sided`], computed from the program.

use super::Packet;
use super::tally::{Pass, Tally};
use crate::random::Rng;
use crate::traffic::Traffic;
use restage_golden::{Golden, Input, Output};
use restage_program::Checked;
use restage_program::entity::Table;
use restage_program::entry::{Entry, KeyMatch, Write};
use restage_program::program::{ActionScope, Key, TableDecl};
use restage_program::{Bits, Type};
use std::collections::BTreeMap;

/// Packets that show what entries are like.
const PROBE: usize = 800;

/// Packets that are sent one by one.
const LONE: usize = 24;

/// Rounds of leaving out.
const ROUNDS: u32 = 5;

/// A share of keys that traffic need not meet.
const RARE: f64 = 1e-4;

/// Bytes of a frame that comes in every clock.
const FRAME: usize = 64;

/// What is installed and sent.
#[derive(Clone, Debug, Default)]
pub struct Prepared {
    /// What is installed.
    pub writes: Vec<Write>,
    /// Entries that were left out, by table.
    pub left_out: BTreeMap<String, usize>,
    /// Packets of which one packet left each in the model.
    pub lone: Vec<Packet>,
    /// Packets.
    pub packets: Vec<Packet>,
    /// Frames of 64 bytes.
    pub dense: Vec<Packet>,
}

/// Makes so many packets and frames.
pub fn prepare(
    program: &Checked,
    writes: Vec<Write>,
    seed: u64,
    (packets, frames): (usize, usize),
) -> Prepared {
    let mut rng = Rng::new(!seed);
    let mut prepared = Prepared { writes, ..Prepared::default() };
    for round in 0..ROUNDS {
        let (tally, alone) = probe(program, &prepared.writes, seed);
        prepared.lone = alone;
        let full: Vec<Table> = program
            .tables
            .iter()
            .filter(|(_, decl)| one_sided(program, decl).is_none())
            .filter(|(_, decl)| {
                let counts = tally.tables.get(&decl.preamble.name);
                counts.is_some_and(|(hits, misses)| *hits > 0 && *misses == 0)
            })
            .map(|(table, _)| table)
            .collect();
        if full.is_empty() {
            break;
        }
        for table in full {
            leave_out(program, table, round, &mut prepared, &mut rng);
        }
    }
    let mut traffic = Traffic::new(program, &prepared.writes, seed);
    let packet = |(port, bytes)| Packet { port, bytes };
    prepared.packets = traffic.by_ref().take(packets).map(packet).collect();
    prepared.dense = traffic
        .take(frames)
        .map(|(port, mut bytes)| {
            bytes.resize(FRAME, 0);
            Packet { port, bytes }
        })
        .collect();
    prepared
}

/// What some traffic does in the model alone, and some packets of which one packet left each.
fn probe(program: &Checked, writes: &[Write], seed: u64) -> (Tally, Vec<Packet>) {
    let (mut tally, mut alone) = (Tally::default(), Vec::new());
    let Ok(mut golden) = Golden::new(program) else { return (tally, alone) };
    for write in writes {
        // Refused ones are refused by the hardware, too, and compared there.
        let _ = golden.write(write);
    }
    let (mut out, mut pass) = (Output::new(), Pass::default());
    for (port, bytes) in Traffic::new(program, writes, seed).take(PROBE) {
        let input = Input::new(port, &bytes);
        golden.process_traced(&input, &mut out, &mut |event| tally.step(&mut pass, &event));
        if out.packets().len() == 1 && alone.len() < LONE {
            alone.push(Packet { port, bytes });
        }
    }
    (tally, alone)
}

/// Leaves out entries that match everything; if there are none, a share of the others.
fn leave_out(program: &Checked, of: Table, round: u32, prepared: &mut Prepared, rng: &mut Rng) {
    let mine = |write: &Write| matches!(write, Write::Insert(table, _) if *table == of);
    let all = |write: &Write| matches!(write, Write::Insert(table, entry) if *table == of && matches_all(entry));
    let before = prepared.writes.len();
    if prepared.writes.iter().any(all) {
        prepared.writes.retain(|write| !all(write));
    } else {
        let places: Vec<usize> = (0..before).filter(|at| mine(&prepared.writes[*at])).collect();
        let mut gone: Vec<usize> =
            places.iter().copied().filter(|_| rng.chance(10 * round)).collect();
        if gone.is_empty() {
            gone.extend(rng.pick(&places).copied());
        }
        // One at least stays.
        if gone.len() == places.len() {
            gone.pop();
        }
        for at in gone.into_iter().rev() {
            prepared.writes.remove(at);
        }
    }
    let name = program.tables[of].preamble.name.clone();
    *prepared.left_out.entry(name).or_default() += before - prepared.writes.len();
}

fn matches_all(entry: &Entry) -> bool {
    entry.keys.iter().all(|key| match key {
        KeyMatch::Any => true,
        KeyMatch::Exact(_) | KeyMatch::Range { .. } => false,
        KeyMatch::Lpm { prefix, .. } => *prefix == 0,
        KeyMatch::Masked { mask, .. } => mask.is_zero(),
    })
}

/// Why a table can only hit, or only miss, whatever is installed; `None` when both is possible.
pub fn one_sided(program: &Checked, table: &TableDecl) -> Option<&'static str> {
    if table.keys.is_empty() {
        return Some("has no keys and so no entries");
    }
    if table.const_entries {
        if table.entries.is_empty() {
            return Some("has no entries, by its declaration");
        }
        if missed(program, table) < RARE {
            return Some("has constant entries that leave hardly a key out");
        }
    }
    if !table.actions.iter().any(|a| a.scope != ActionScope::DefaultOnly) {
        return Some("has no action for entries");
    }
    None
}

/// The share of all keys that a table's own entries do not match.
fn missed(program: &Checked, table: &TableDecl) -> f64 {
    let width = |key: &Key| program.type_of(&key.value, &[]).map_or(0, Type::width);
    let widths: Vec<u32> = table.keys.iter().map(width).collect();
    let rows: Vec<Vec<Option<bool>>> = table
        .entries
        .iter()
        .filter_map(|entry| {
            let keys = entry.keys.iter().zip(&widths);
            keys.map(|(key, width)| wanted(key, *width)).collect::<Option<Vec<_>>>()
        })
        .map(|keys| keys.concat())
        .collect();
    let mut budget = 100_000;
    left_out(&rows.iter().map(Vec::as_slice).collect::<Vec<_>>(), &mut budget)
}

/// The bits that a match wants, most significant first; `None` for ranges.
fn wanted(key: &KeyMatch, width: u32) -> Option<Vec<Option<bool>>> {
    let bits = |value: &Bits, wants: &dyn Fn(u32) -> bool| {
        (0..width).rev().map(|i| wants(i).then(|| value.bit(i))).collect()
    };
    Some(match key {
        KeyMatch::Any => vec![None; width as usize],
        KeyMatch::Exact(value) => bits(value, &|_| true),
        KeyMatch::Lpm { value, prefix } => bits(value, &|i| i + prefix >= width),
        KeyMatch::Masked { value, mask } => bits(value, &|i| mask.bit(i)),
        KeyMatch::Range { .. } => return None,
    })
}

/// The share of all values that rows of wanted bits leave out; all when that takes too long to find out.
fn left_out(rows: &[&[Option<bool>]], budget: &mut u32) -> f64 {
    *budget = budget.saturating_sub(1);
    if *budget == 0 || rows.is_empty() {
        return 1.0;
    }
    if rows.iter().any(|row| row.iter().all(Option::is_none)) {
        return 0.0;
    }
    let mut half = |bit: bool| {
        let fit = rows.iter().filter(|row| row.first().is_some_and(|b| b.is_none_or(|b| b == bit)));
        left_out(&fit.map(|row| &row[1..]).collect::<Vec<_>>(), budget) / 2.0
    };
    half(false) + half(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_entries_leave_out_is_seen() {
        let row = |text: &str| -> Vec<Option<bool>> {
            text.chars().map(|c| c.to_digit(2).map(|d| d == 1)).collect()
        };
        let left = |rows: &[&str]| {
            let rows: Vec<_> = rows.iter().map(|text| row(text)).collect();
            left_out(&rows.iter().map(Vec::as_slice).collect::<Vec<_>>(), &mut 1000)
        };
        assert_eq!(left(&["1**", "01*", "001", "000"]), 0.0);
        assert_eq!(left(&["1**", "01*", "001"]), 0.125);
        assert_eq!((left(&["***"]), left(&["*0*", "*1*"])), (0.0, 0.0));
        assert_eq!((left(&["0*0", "1*1"]), left(&[])), (0.5, 1.0));
    }

    #[test]
    fn the_library_has_one_table_that_cannot_miss() {
        let found: Vec<String> = restage_library::ALL
            .iter()
            .flat_map(|item| {
                let program = item.program().check().unwrap_or_else(|e| panic!("{e}"));
                let names = program.tables.values().map(|t| (one_sided(&program, t), t));
                let of = |(why, t): (Option<_>, &TableDecl)| why.map(|_| t.preamble.name.clone());
                names.filter_map(of).collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(found, ["leading_one"]);
    }
}
