//! Synthesis for a Xilinx UltraScale+ card by yosys: what a module costs, and how long its paths are.
//!
//! A wide LUT, made of several and a multiplexer, is taken by yosys wherever it saves a level anywhere on a path.
//! Of the shell's circuits that saves two levels of eight to ten for about as many LUTs. A region is built for few levels
//! of plain LUTs; there they saved none and cost a sixth more, so that it is synthesized without ([`Luts`]).

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

/// Which LUTs there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Luts {
    /// Of six inputs.
    Plain,
    /// Also of seven to nine, made of two to eight.
    Wide,
}

/// Counts otherwise than before; what was counted then is counted again.
const COUNTING: &str = "counting 3";

/// What a design costs, from the cache if it, or one that differs in its name only, has been synthesized before.
pub fn synth_cached(design: &Design, luts: Luts, cache: &Cache) -> Result<Cost, ToolError> {
    let version = yosys::version(design)?;
    let module = design.top.clone();
    let design = &design.neutral();
    let script = script(&design.top, luts);
    let pieces = design.pieces([version.as_str(), script.as_str(), COUNTING]);
    let path = cache.made_of("synth", &pieces, |work| {
        let path = work.join("cost.json");
        let text = serde_json::to_string(&synth(design, luts)?).map_err(std::io::Error::other);
        text.and_then(|t| std::fs::write(&path, t)).map_err(ToolError::io(&path))?;
        Ok::<_, ToolError>(path)
    })?;
    let text = std::fs::read_to_string(&path).map_err(ToolError::io(&path))?;
    let wrong = |e: serde_json::Error| ToolError::Output {
        tool: "yosys",
        top: design.top.clone(),
        what: format!("{}: {e}; remove it", path.display()),
    };
    let cost: Cost = serde_json::from_str(&text).map_err(wrong)?;
    Ok(Cost { module, ..cost })
}

fn script(top: &str, luts: Luts) -> String {
    let plain = if luts == Luts::Plain { " -nowidelut" } else { "" };
    format!(
        "synth_xilinx -family xcup -top {top} -flatten -noiopad -noclkbuf{plain}
        json -o netlist.json {top}"
    )
}

/// Synthesizes a design, all below its top flattened into it.
pub fn synth(design: &Design, luts: Luts) -> Result<Cost, ToolError> {
    let top = &design.top;
    let scratch = Scratch::new(design)?;
    yosys::run(&scratch, design, &script(top, luts))?;
    let netlist = Netlist::read(design, &scratch.read("netlist.json")?)?;
    let wrong = |what| ToolError::Output { tool: "yosys", top: top.clone(), what };
    let Paths { worst, longest_carry } = paths(&netlist).map_err(wrong)?;
    let mut cost = Cost { module: top.clone(), worst, longest_carry, ..Cost::default() };
    let free = netlist.inverted_resets();
    for (name, cell) in &netlist.cells {
        if !free.contains(name.as_str()) {
            cost.count(cell).map_err(wrong)?;
        }
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
