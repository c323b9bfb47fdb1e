//! What has a region to itself: cells with the annotation `@region("name")`.
//!
//! ```text
//! @region("firewall") table check { ... }      @region("firewall") register seen
//! one region has `check`, `seen` and nothing else with state: it can be replaced, bypassed and moved without any other table
//! ```
//!
//! What a program computes without any cell still goes to the first region of its half.

use crate::flow::Cell;
use crate::lower::{Refusal, cell_name};
use restage_program::program::{Preamble, Program};

const WORD: &str = "@region";

/// The name of the region that a cell wants, if it wants one.
pub(super) fn wanted(program: &Program, cell: Cell) -> Result<Option<String>, Refusal> {
    let Some(preamble) = preamble(program, cell) else { return Ok(None) };
    let mut found = preamble.annotations.iter().filter_map(|text| {
        let rest = text.trim().strip_prefix(WORD)?;
        (!rest.starts_with(|c: char| c.is_alphanumeric() || c == '_')).then_some(rest.trim())
    });
    let Some(rest) = found.next() else { return Ok(None) };
    let name = rest.strip_prefix('(').and_then(|r| r.strip_suffix(')')).map(str::trim);
    let name = name.and_then(|r| r.strip_prefix('"')).and_then(|r| r.strip_suffix('"'));
    match name {
        Some(name) if !name.is_empty() && found.next().is_none() => Ok(Some(name.to_string())),
        _ => Err(Refusal::new(
            cell_name(program, cell),
            format!("has the annotation `{WORD}{rest}`"),
            format!("one `{WORD}(\"name\")` is accepted"),
        )),
    }
}

fn preamble(program: &Program, cell: Cell) -> Option<&Preamble> {
    match cell {
        Cell::Table(t) => program.tables.get(t).map(|d| &d.preamble),
        Cell::Register(r) => program.registers.get(r).map(|d| &d.preamble),
        Cell::Counter(c, _) => program.counters.get(c).map(|d| &d.preamble),
        Cell::Meter(m) => program.meters.get(m).map(|d| &d.preamble),
        Cell::Map(m) => program.maps.get(m).map(|d| &d.preamble),
        Cell::Random(_) => None,
    }
}
