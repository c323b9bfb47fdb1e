//! What yosys has against a design before it makes gates of it.

use super::netlist::Netlist;
use super::{Design, Scratch, ToolError};
use restage_sim_verilator::Cache;

/// A memory of more bits than that must be inferred as RAM.
pub const RAM_BITS: u64 = 2048;

/// The RAMs of the family that synthesis is for, as yosys' own script for it chooses them.
const RAMS: &str = "-lib +/xilinx/lutrams_xcu.txt -lib +/xilinx/brams_xc4v.txt \
                    -D HAS_SIZE_36 -D HAS_CASCADE -D HAS_MIXWIDTH_SDP -D HAS_ADDRCE";

/// No missing module or port, no signal with several drivers or none, no combinational loop, no latch, and
/// no large memory that would become registers.
pub fn check(design: &Design) -> Result<(), ToolError> {
    let top = &design.top;
    let script = format!(
        "hierarchy -check -top {top}
        proc
        check -assert
        select -assert-none t:$dlatch t:$adlatch t:$dlatchsr t:$sr
        flatten
        opt -fast
        check -assert
        memory -nomap
        opt_clean
        memory_libmap {RAMS}
        json -o netlist.json {top}"
    );
    let scratch = Scratch::new(design)?;
    run(&scratch, design, &script)?;
    let netlist = Netlist::read(design, &scratch.read("netlist.json")?)?;
    let left: Vec<String> = netlist
        .cells
        .iter()
        .filter(|(_, cell)| cell.kind == "$mem_v2")
        .map(|(name, cell)| (name, cell.number("SIZE"), cell.number("WIDTH")))
        .filter(|(_, size, width)| size * width > RAM_BITS)
        .map(|(name, size, width)| format!("{name}: {size} words of {width} bits"))
        .collect();
    if left.is_empty() {
        return Ok(());
    }
    let text = format!("memories that cannot be RAM: {}", left.join("; "));
    Err(ToolError::Refused { tool: "yosys", top: top.clone(), text })
}

/// The same, if it has not been found out before.
pub fn check_cached(design: &Design, cache: &Cache) -> Result<(), ToolError> {
    let version = version(design)?;
    let neutral = design.neutral();
    let code = include_str!("yosys.rs");
    let pieces = neutral.pieces([version.as_str(), code]);
    cache.made_of("checked", &pieces, |work| {
        check(design)?;
        let path = work.join("fine");
        std::fs::write(&path, "").map_err(ToolError::io(&path))?;
        Ok::<_, ToolError>(path)
    })?;
    Ok(())
}

/// Which yosys it is.
pub(super) fn version(design: &Design) -> Result<String, ToolError> {
    Scratch::new(&Design::default())?.run(design, "yosys", "yosys", ["-V"])
}

/// Reads the design and runs a script on it.
pub(super) fn run(scratch: &Scratch, design: &Design, script: &str) -> Result<String, ToolError> {
    let names: Vec<&str> = design.names().collect();
    scratch.write("script.ys", &format!("read_verilog {}\n{script}\n", names.join(" ")))?;
    scratch.run(design, "yosys", "yosys", ["-q", "-s", "script.ys"])
}
