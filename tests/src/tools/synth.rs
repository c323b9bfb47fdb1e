//! Synthesis for a Xilinx UltraScale+ card by yosys: what a module costs, and how long its paths are.
//!
//! Wide LUTs made of several and a multiplexer are allowed, as a vendor's tool would: of the shell's circuits
//! they save two levels of six to eight, for about as many LUTs. A single wide gate may get dearer by them:
//! yosys takes them wherever they save a level.

use super::levels::{Path, Paths, paths};
use super::netlist::{Bit, Cell, Netlist};
use super::{Design, Scratch, ToolError, yosys};
use restage_sim_verilator::Cache;
use serde::{Deserialize, Serialize};

/// What a module costs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// The module.
    pub module: String,
    /// LUTs of all kinds: logic, small RAMs and shift registers.
    pub luts: u64,
    /// LUTs of them that are RAM.
    pub ram_luts: u64,
    /// LUTs of them that are shift registers.
    pub shift_luts: u64,
    /// Flip-flops.
    pub registers: u64,
    /// Multiplexers behind LUTs.
    pub muxf: u64,
    /// Bits of carry chains.
    pub carry: u64,
    /// Block RAMs of 36 Kbit, in halves.
    pub half_rams: u64,
    /// Multipliers.
    pub dsps: u64,
    /// The path with most LUTs between registers, ports and RAMs.
    pub worst: Path,
    /// Bits of the longest carry chain.
    pub longest_carry: u64,
}

/// What a design costs, from the cache if it has been synthesized before.
pub fn synth_cached(design: &Design, cache: &Cache) -> Result<Cost, ToolError> {
    let version = Scratch::new(&Design::default())?.run(design, "yosys", "yosys", ["-V"])?;
    let mut pieces: Vec<&[u8]> = vec![design.top.as_bytes(), version.as_bytes()];
    // How it is synthesized and counted is said here.
    for code in [include_str!("synth.rs"), include_str!("levels.rs"), include_str!("netlist.rs")] {
        pieces.push(code.as_bytes());
    }
    for (name, text) in &design.files {
        pieces.extend([name.as_bytes(), text.as_bytes()]);
    }
    let path = cache.made_of("synth", &pieces, |work| {
        let path = work.join("cost.json");
        let text = serde_json::to_string(&synth(design)?).map_err(std::io::Error::other);
        text.and_then(|t| std::fs::write(&path, t)).map_err(ToolError::io(&path))?;
        Ok::<_, ToolError>(path)
    })?;
    let text = std::fs::read_to_string(&path).map_err(ToolError::io(&path))?;
    let wrong = |e: serde_json::Error| ToolError::Output {
        tool: "yosys",
        top: design.top.clone(),
        what: format!("{}: {e}; remove it", path.display()),
    };
    serde_json::from_str(&text).map_err(wrong)
}

/// Synthesizes a design, all below its top flattened into it.
pub fn synth(design: &Design) -> Result<Cost, ToolError> {
    let top = &design.top;
    let scratch = Scratch::new(design)?;
    let script = format!(
        "synth_xilinx -family xcup -top {top} -flatten -noiopad -noclkbuf
        json -o netlist.json {top}"
    );
    yosys::run(&scratch, design, &script)?;
    let netlist = Netlist::read(design, &scratch.read("netlist.json")?)?;
    let wrong = |what| ToolError::Output { tool: "yosys", top: top.clone(), what };
    let Paths { worst, longest_carry } = paths(&netlist).map_err(wrong)?;
    let mut cost = Cost { module: top.clone(), worst, longest_carry, ..Cost::default() };
    for cell in netlist.cells.values() {
        cost.count(cell).map_err(wrong)?;
    }
    Ok(cost)
}

impl Cost {
    fn count(&mut self, cell: &Cell) -> Result<(), String> {
        let kind = cell.kind.as_str();
        match kind {
            "INV" => self.luts += 1,
            _ if is_lut(kind) => self.luts += 1,
            _ if ram_luts(kind).is_some() => {
                let luts = ram_luts(kind).unwrap_or(0);
                self.luts += luts;
                self.ram_luts += luts;
            }
            "SRL16E" | "SRLC16E" | "SRLC32E" => {
                self.luts += 1;
                self.shift_luts += 1;
            }
            "FDRE" | "FDSE" | "FDCE" | "FDPE" => self.registers += 1,
            "MUXF7" | "MUXF8" | "MUXF9" => self.muxf += 1,
            "CARRY4" => self.carry += 4,
            "CARRY8" => self.carry += 8,
            "RAMB18E2" => self.half_rams += 1,
            "RAMB36E2" => self.half_rams += 2,
            "DSP48E2" => self.dsps += 1,
            "GND" | "VCC" => {}
            _ => return Err(format!("a cell of kind {kind}")),
        }
        Ok(())
    }
}

/// `LUT1` to `LUT6`.
pub(super) fn is_lut(kind: &str) -> bool {
    kind.strip_prefix("LUT").is_some_and(|n| ["1", "2", "3", "4", "5", "6"].contains(&n))
}

/// LUTs that a small RAM takes.
pub(super) fn ram_luts(kind: &str) -> Option<u64> {
    Some(match kind {
        "RAM32X1S" | "RAM64X1S" => 1,
        "RAM32X1D" | "RAM64X1D" | "RAM128X1S" => 2,
        "RAM32M" | "RAM64M" | "RAM128X1D" | "RAM256X1S" => 4,
        "RAM32M16" | "RAM64M8" | "RAM256X1D" | "RAM512X1S" => 8,
        _ => return None,
    })
}

/// Whether a port of a cell does nothing: it is not connected, or constant.
pub(super) fn constant(cell: &Cell, port: &str) -> bool {
    cell.bits(port).iter().all(|b| matches!(b, Bit::Constant(_)))
}
