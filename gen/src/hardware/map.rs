//! The register map of a placed program, for people and for C.

use super::Hardware;
use restage_manifest::address::{self, guard, region, shell};
use restage_manifest::cell::{Cell, Parts};
use restage_program::Program;
use std::fmt::Write;

/// A memory behind a region's configuration bus.
struct Row {
    unit: u32,
    number: u32,
    owner: String,
    part: String,
    width: u32,
    rows: u32,
}

/// The map as Markdown.
pub fn markdown(hardware: &Hardware, program: &Program) -> String {
    let manifest = &hardware.manifest;
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    line(format!("# Registers of `{}`\n", manifest.program));
    line("AXI4-Lite, 32-bit words, 24-bit byte addresses: bits 23 to 16 choose a unit.\n".into());
    line("| unit | byte address | what |\n| --- | --- | --- |".into());
    line(format!("| {} | `0x{:06x}` | the shell |", address::SHELL, 0));
    for region in &manifest.regions {
        let at = address::byte(region.unit, 0);
        line(format!("| {} | `0x{at:06x}` | `{}` |", region.unit, region.module));
    }
    line("\n## The shell\n\n| byte address | name |\n| --- | --- |".into());
    for (name, word) in shell_words() {
        line(format!("| `0x{:06x}` | {name} |", address::byte(address::SHELL, word)));
    }
    line("\nGuard of a unit: its words follow each other for all units.\n".into());
    line("| unit | latency | coupled | tag errors | first word of the write mask |".into());
    line("| --- | --- | --- | --- | --- |".into());
    for unit in manifest.regions.iter().map(|r| r.unit) {
        let at = |word| address::byte(address::SHELL, shell::guard(unit, word));
        line(format!(
            "| {unit} | `0x{:06x}` | `0x{:06x}` | `0x{:06x}` | `0x{:06x}` |",
            at(guard::LATENCY),
            at(guard::COUPLED),
            at(guard::TAG_ERRORS),
            at(guard::MASK)
        ));
    }
    line("\n## A region\n\n| offset | name |\n| --- | --- |".into());
    for (name, word) in region_words() {
        line(format!("| `0x{:04x}` | {name} |", word << 2));
    }
    line(
        "\nA memory is written row by row: its number to `MEM`, the row to `ROW`, the row's bits to `HOLD`, least \
         significant word first, then 1 to `CMD`; `ROW` counts up. 2 to `CMD` reads a row into `HOLD`.\n"
            .into(),
    );
    line(
        "| unit | number | of | part | bits | rows |\n| --- | --- | --- | --- | --- | --- |".into(),
    );
    for row in memories(hardware, program) {
        line(format!(
            "| {} | {} | {} | {} | {} | {} |",
            row.unit, row.number, row.owner, row.part, row.width, row.rows
        ));
    }
    out
}

/// The map as a C header.
pub fn c_header(hardware: &Hardware, program: &Program) -> String {
    let mut out = String::new();
    let name = upper(&hardware.manifest.program);
    let mut define = |key: String, value: u32| {
        // A `String` takes everything.
        let _ = writeln!(out, "#define {key} 0x{value:06x}u");
    };
    for (key, word) in shell_words() {
        define(format!("RESTAGE_SHELL_{key}"), address::byte(address::SHELL, word));
    }
    for (key, word) in region_words() {
        define(format!("RESTAGE_REGION_{key}"), word << 2);
    }
    for region in &hardware.manifest.regions {
        define(format!("{}_UNIT", upper(&region.module)), address::byte(region.unit, 0));
        define(format!("{}_LATENCY", upper(&region.module)), region.latency);
    }
    for row in memories(hardware, program) {
        let key = format!("{name}_{}_{}", upper(&row.owner), upper(&row.part));
        define(format!("{key}_MEM"), row.number);
        define(format!("{key}_ROWS"), row.rows);
    }
    format!(
        "/* Registers of {0}. */\n#ifndef RESTAGE_{name}_H\n#define RESTAGE_{name}_H\n\n{out}\n#endif\n",
        hardware.manifest.program
    )
}

fn shell_words() -> Vec<(String, u32)> {
    let fixed = [
        ("MAGIC", shell::MAGIC),
        ("HASH", shell::HASH),
        ("GATE", shell::GATE),
        ("STATUS", shell::STATUS),
        ("GROUP_ROW", shell::GROUP_ROW),
        ("GROUP_DATA", shell::GROUP_DATA),
        ("SESSION_ROW", shell::SESSION_ROW),
        ("SESSION_HOLD", shell::SESSION_HOLD),
        ("SESSION_DATA", shell::SESSION_DATA),
        ("REPLICA_ROW", shell::REPLICA_ROW),
        ("REPLICA_DATA", shell::REPLICA_DATA),
        ("DIGEST_COUNT", shell::DIGEST_COUNT),
        ("DIGEST_NUMBER", shell::DIGEST_NUMBER),
        ("DIGEST_POP", shell::DIGEST_POP),
        ("DIGEST_DATA", shell::DIGEST_DATA),
    ];
    let counts = shell::Count::ALL
        .map(|count| (format!("COUNT_{}", upper(&format!("{count:?}"))), count.word()));
    fixed.map(|(name, word)| (name.to_string(), word)).into_iter().chain(counts).collect()
}

fn region_words() -> [(&'static str, u32); 12] {
    [
        ("MAGIC", region::MAGIC),
        ("SHELL_HASH", region::SHELL_HASH),
        ("KIND", region::KIND),
        ("VARIANT", region::VARIANT),
        ("LATENCY", region::LATENCY),
        ("SCHEMA", region::SCHEMA),
        ("READY", region::READY),
        ("MEM", region::MEM),
        ("ROW", region::ROW),
        ("CMD", region::CMD),
        ("STATUS", region::STATUS),
        ("HOLD", region::HOLD),
    ]
}

fn memories(hardware: &Hardware, program: &Program) -> Vec<Row> {
    let cells = &hardware.manifest.cells;
    let mut rows = Vec::new();
    for (table, cell) in &cells.tables {
        let name = program.tables.get(*table).map_or("?", |t| &t.preamble.name);
        add(&mut rows, format!("table {name}"), cell);
    }
    for (set, cell) in &cells.value_sets {
        let name = program.value_sets.get(*set).map_or("?", |t| &t.preamble.name);
        add(&mut rows, format!("value set {name}"), cell);
    }
    for (register, cell) in &cells.registers {
        let name = program.registers.get(*register).map_or("?", |t| &t.preamble.name);
        add(&mut rows, format!("register {name}"), cell);
    }
    for (bank, (counter, cell)) in cells.counters.iter().enumerate() {
        let name = program.counters.get(*counter).map_or("?", |t| &t.preamble.name);
        let before = cells.counters[..bank].iter().filter(|(c, _)| c == counter).count();
        add(&mut rows, format!("counter {name} bank {before}"), cell);
    }
    for (meter, cell) in &cells.meters {
        let name = program.meters.get(*meter).map_or("?", |t| &t.preamble.name);
        add(&mut rows, format!("meter {name}"), cell);
    }
    for (map, cell) in &cells.maps {
        let name = program.maps.get(*map).map_or("?", |t| &t.preamble.name);
        add(&mut rows, format!("map {name}"), cell);
    }
    for (site, cell) in &cells.randoms {
        add(&mut rows, format!("random {site}"), cell);
    }
    rows.sort_by_key(|row| (row.unit, row.number));
    rows
}

fn add<S: Parts>(rows: &mut Vec<Row>, owner: String, cell: &Cell<S>) {
    for (number, part) in (cell.first..).zip(cell.shape.parts()) {
        let text = format!("{:?}", part.part).to_lowercase().replace(['(', ')'], " ");
        rows.push(Row {
            unit: cell.unit,
            number,
            owner: owner.clone(),
            part: text.trim().to_string(),
            width: part.width,
            rows: part.rows,
        });
    }
}

/// A C macro's name: words with underscores between.
fn upper(text: &str) -> String {
    let mut out = String::new();
    let mut lower_before = false;
    for c in text.chars() {
        if c.is_ascii_uppercase() && lower_before {
            out.push('_');
        }
        lower_before = c.is_ascii_lowercase();
        out.push(if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' });
    }
    out
}
