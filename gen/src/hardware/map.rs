//! The register map of a placed program, for people and for C.

use super::Hardware;
use super::words::{region_words, shell_words, upper};
use restage_manifest::address::{self, guard, region, shell};
use restage_manifest::cell::{Cell, Parts};
use restage_program::Program;

/// A memory behind a region's configuration bus.
struct Row {
    unit: u32,
    number: u32,
    owner: String,
    part: String,
    width: u32,
    rows: u32,
    live: bool,
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
    line(
        "AXI4-Lite, 32-bit words, 24-bit byte addresses: bits 23 to 16 choose a unit. Words that are not listed read as 0, \
         and writing them does nothing. A region that does not answer within 1024 clocks gives SLVERR and 0xdeaddead.\n"
            .into(),
    );
    line("| unit | byte address | what | latency in clocks |\n| --- | --- | --- | --- |".into());
    line(format!("| {} | `0x{:06x}` | the shell | |", address::SHELL, 0));
    for region in &manifest.regions {
        let at = address::byte(region.unit, 0);
        line(format!(
            "| {} | `0x{at:06x}` | `{}` | {} |",
            region.unit, region.module, region.latency
        ));
    }
    line("\n## The shell\n".into());
    let head = "| name | access | reset | what |\n| --- | --- | --- | --- |";
    line(format!("| byte address {head}").replacen("--- |", "--- | --- |", 1));
    for w in shell_words(&manifest.config) {
        let at = address::byte(address::SHELL, w.word);
        line(format!("| `0x{at:06x}` | {} | {} | {} | {} |", w.name, w.access, w.reset, w.what));
    }
    line(
        "\nCounts are 48 bits wide: the lower 32 at the address, the upper 16 in the word behind it; read the lower one first \
         and again if the upper one changed.\n\n### Guards\n\nOne for each region. A host sets the latency and all words of the mask, in order, that \
         `manifest.json` gives, then couples it, while no packet is inside.\n"
            .into(),
    );
    line(
        "| unit | LATENCY (rw, 8) | COUPLED (rw, 0) | TAG_ERRORS (ro, 0) | MASK, first word (wo) |"
            .into(),
    );
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
    line("\n## A region\n".into());
    line(format!("| offset {head}").replacen("--- |", "--- | --- |", 1));
    for w in region_words() {
        let at = w.word << 2;
        line(format!("| `0x{at:04x}` | {} | {} | {} | {} |", w.name, w.access, w.reset, w.what));
    }
    line(
        "\nA memory is written row by row: its number to `MEM`, the row to `ROW`, the row's bits to `HOLD`, least \
         significant word first, then 1 to `CMD`; `ROW` counts up. Memories that packets write (live) can be read: 2 to `CMD` \
         reads a row into `HOLD`. `gen entries` says what to write for entries.\n"
            .into(),
    );
    line(
        "| unit | number | of | part | bits | rows | live |\n| --- | --- | --- | --- | --- | --- | --- |"
            .into(),
    );
    for row in memories(hardware, program) {
        line(format!(
            "| {} | {} | {} | {} | {} | {} | {} |",
            row.unit,
            row.number,
            row.owner,
            row.part,
            row.width,
            row.rows,
            if row.live { "yes" } else { "" }
        ));
    }
    out
}

/// The map as a C header.
pub fn c_header(hardware: &Hardware, program: &Program) -> String {
    let manifest = &hardware.manifest;
    let name = upper(&manifest.program);
    let mut groups: Vec<(&str, Vec<(String, String)>)> = Vec::new();
    let hex = |value: u32| format!("0x{value:06x}u");
    let shell = shell_words(&manifest.config);
    let words = shell
        .iter()
        .map(|w| (format!("RESTAGE_SHELL_{}", w.name), hex(address::byte(address::SHELL, w.word))));
    groups.push(("The shell: byte addresses.", words.collect()));
    let bits = [
        ("RESTAGE_SHELL_MAGIC_VALUE", hex(shell::MAGIC_VALUE)),
        ("RESTAGE_SHELL_HASH_VALUE", format!("0x{:08x}u", manifest.config.fingerprint())),
        ("RESTAGE_SHELL_STATUS_READY", hex(1)),
        ("RESTAGE_SHELL_STATUS_EMPTY", hex(2)),
    ];
    groups.push(("The shell: values.", bits.map(|(k, v)| (k.to_string(), v)).to_vec()));
    let words = region_words()
        .into_iter()
        .map(|w| (format!("RESTAGE_REGION_{}", w.name), hex(w.word << 2)));
    groups.push(("A region: byte offsets from its base.", words.collect()));
    let bits = [
        ("RESTAGE_REGION_MAGIC_VALUE", hex(region::MAGIC_VALUE)),
        ("RESTAGE_REGION_CMD_WRITE", hex(region::WRITE)),
        ("RESTAGE_REGION_CMD_READ", hex(region::READ)),
        ("RESTAGE_REGION_STATUS_BUSY", hex(1)),
        ("RESTAGE_REGION_STATUS_REFUSED", hex(2)),
    ];
    groups.push(("A region: values.", bits.map(|(k, v)| (k.to_string(), v)).to_vec()));
    let mut regions = Vec::new();
    for region in &manifest.regions {
        let key = upper(&region.module);
        let guard = |word| hex(address::byte(address::SHELL, shell::guard(region.unit, word)));
        regions.extend([
            (format!("{key}_BASE"), hex(address::byte(region.unit, 0))),
            (format!("{key}_VARIANT_VALUE"), format!("0x{:016x}ull", region.hash)),
            (format!("{key}_LATENCY_VALUE"), format!("{}u", region.latency)),
            (format!("{key}_GUARD_LATENCY"), guard(guard::LATENCY)),
            (format!("{key}_GUARD_COUPLED"), guard(guard::COUPLED)),
            (format!("{key}_GUARD_TAG_ERRORS"), guard(guard::TAG_ERRORS)),
            (format!("{key}_GUARD_MASK"), guard(guard::MASK)),
        ]);
    }
    groups.push(("The regions, and their guards in the shell.", regions));
    let mut parts = Vec::new();
    for row in memories(hardware, program) {
        let key = format!("{name}_{}_{}", upper(&row.owner), upper(&row.part));
        let module = manifest.regions.iter().find(|r| r.unit == row.unit).map_or("", |r| &r.module);
        parts.extend([
            (format!("{key}_BASE"), format!("{}_BASE", upper(module))),
            (format!("{key}_MEM"), format!("{}u", row.number)),
            (format!("{key}_ROWS"), format!("{}u", row.rows)),
            (format!("{key}_BITS"), format!("{}u", row.width)),
        ]);
    }
    groups
        .push(("Memories: the region they are in, their numbers, rows, and bits of a row.", parts));
    let mut out = format!(
        "/* Registers of {}, made by restage. */\n#ifndef RESTAGE_{name}_H\n#define RESTAGE_{name}_H\n",
        manifest.program
    );
    for (title, defines) in groups.iter().filter(|(_, defines)| !defines.is_empty()) {
        let width = defines.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
        out += &format!("\n/* {title} */\n");
        for (key, value) in defines {
            out += &format!("#define {key:width$} {value}\n");
        }
    }
    out + "\n#endif\n"
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
            live: part.live,
        });
    }
}
