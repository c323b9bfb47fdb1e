//! Whether a mutation can make a difference at all: yosys makes gates of the circuit, `yosys-abc` proves that original and
//! mutant, side by side, never differ.

use super::check::wait;
use super::gates::Gates;
use super::product::{Past, product};
use super::{MutantsError, io};
use crate::tools::mutate::{Mutation, SELECT};
use crate::tools::{Design, ToolError};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// How it was shown that a mutation makes no difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// With logic simplified the two are the same circuit, but for registers that nothing reads.
    Structure,
    /// Whatever registers hold that both have in common.
    AnyState,
    /// After a reset.
    Reset,
}

/// Seconds for a proof.
const SECONDS: u64 = 5;

/// Latches and gates that ABC is given, at most, in bytes of BLIF.
const LARGEST: usize = 40 << 20;

/// Memories of so many rows and bits at most are taken as registers.
const ROWS: u32 = 32;
const WIDTH: u32 = 16;

/// Seconds for yosys.
const GATES: u64 = 240;

/// Gates of a design; `None` when that takes too long or there is something in it that is not known.
pub fn gates(design: &Design, folder: &Path) -> Result<Option<Gates>, MutantsError> {
    let top = &design.top;
    let mut script = String::new();
    for (name, text) in &design.files {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(io(&path))?;
        script += &format!("read_verilog {name}\n");
    }
    script += &format!(
        "hierarchy -check -top {top}
        proc
        flatten
        memory_collect
        opt_clean
        memory_map t:$mem_v2 r:SIZE<={ROWS} %i r:WIDTH<={WIDTH} %i
        dffunmap
        simplemap
        techmap t:$* t:$mem_v2 %d t:$_* %d
        techmap t:$fa
        simplemap
        aigmap
        write_blif -icells -param gates.blif"
    );
    let path = folder.join("gates.ys");
    std::fs::write(&path, script).map_err(io(&path))?;
    let mut command = Command::new("yosys");
    command.args(["-q", "-s", "gates.ys"]).current_dir(folder).stdin(Stdio::null());
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let child = child.map_err(|_| ToolError::Missing("yosys"))?;
    match wait(child, Duration::from_secs(GATES))? {
        Some(status) if status.success() => {}
        _ => return Ok(None),
    }
    let path = folder.join("gates.blif");
    let blif = std::fs::read_to_string(&path).map_err(io(&path))?;
    Ok(Gates::read(&blif))
}

/// Tries to prove that a mutation makes no difference.
pub fn prove(
    gates: &Gates,
    mutation: &Mutation,
    folder: &Path,
) -> Result<Option<Proof>, MutantsError> {
    for (past, proof) in [(Past::Any, Proof::AnyState), (Past::Reset, Proof::Reset)] {
        let Some(blif) = product(gates, SELECT, mutation.number, past) else {
            return Ok(Some(Proof::Structure));
        };
        if blif.len() <= LARGEST && never(&blif, folder, mutation.number)? {
            return Ok(Some(proof));
        }
    }
    Ok(None)
}

/// Whether the output of a circuit is never 1.
fn never(blif: &str, folder: &Path, number: u64) -> Result<bool, MutantsError> {
    let path = folder.join(format!("product{number}.blif"));
    let said = folder.join(format!("abc{number}.txt"));
    std::fs::write(&path, blif).map_err(io(&path))?;
    let file = std::fs::File::create(&said).map_err(io(&said))?;
    let script = format!(
        "read_blif {}; strash; scleanup; pdr -T 1; scorr; pdr -T {SECONDS}",
        path.display()
    );
    let mut command = Command::new("yosys-abc");
    command.args(["-c", &script]).current_dir(folder).stdin(Stdio::null()).stderr(Stdio::null());
    let child = command.stdout(file).spawn().map_err(|_| ToolError::Missing("yosys"))?;
    let ended = wait(child, Duration::from_secs(2 * SECONDS))?;
    let text = std::fs::read_to_string(&said).map_err(io(&said))?;
    Ok(ended.is_some() && text.contains("Property proved"))
}
