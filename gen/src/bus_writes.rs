//! Entries as AXI4-Lite writes, for people with a bench of their own.

use crate::hardware::Hardware;
use anyhow::anyhow;
use restage_encode::{BusOp, Encoder, Epochs};
use restage_manifest::address::{self, region, shell};
use restage_program::{Checked, entries_text};

/// The lines that bring a card up, in the form of [`lines`]. The last one opens the gate: entries may come before or
/// behind it.
pub fn boot(hardware: &Hardware) -> String {
    let open = (address::byte(address::SHELL, shell::GATE), 1);
    let writes = hardware.manifest.boot().into_iter().chain([open]);
    let units = hardware.manifest.regions.iter().map(|r| r.unit);
    let reads = units.flat_map(|unit| region::IDENTITY.map(|word| address::byte(unit, word)));
    // What the regions are is for their guards to hear; any answer will do here.
    let reads = reads.map(|address| format!("r {address:06x} {:08x}\n", 0));
    let writes = writes.map(|(address, value)| format!("w {address:06x} {value:08x}\n"));
    reads.chain(writes).collect()
}

/// The lines that install what comes with a program and then some entries: `w ADDRESS VALUE`, all in
/// hexadecimal, and `r ADDRESS MASK` where the bus must be read until no masked bit is 1.
pub fn lines(program: &Checked, hardware: &Hardware, entries: &str) -> anyhow::Result<Vec<String>> {
    let writes = entries_text::parse(program, entries).map_err(|e| anyhow!("{e}"))?;
    let manifest = &hardware.manifest;
    let mut encoder = Encoder::new(program, &manifest.cells).with_shell(&manifest.config);
    let mut ops = encoder.initial(&[])?;
    ops.extend(encoder.write(Epochs::Both, &writes)?);
    let line = |op: BusOp| match op {
        BusOp::Write { unit, word, value } => {
            format!("w {:06x} {value:08x}", address::byte(unit, word))
        }
        BusOp::Settle { unit } => {
            format!("r {:06x} {:08x}", address::byte(unit, region::STATUS), 1)
        }
    };
    Ok(ops.into_iter().map(line).collect())
}
