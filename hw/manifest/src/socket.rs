//! The ports of a region. All variants of a kind have the same ones, so that any circuit fits any region.
//!
//! Every output comes from a register: that lets regions be simulated apart and placed apart.

use crate::address;
use crate::config::ShellConfig;
use serde::{Deserialize, Serialize};

/// Word address inside a region, in bits.
pub const CFG_ADDRESS_BITS: u32 = 14;
/// Bits of a word on the configuration bus.
pub const CFG_DATA_BITS: u32 = 32;
/// Clocks that the shell waits for an answer.
pub const CFG_PATIENCE: u32 = 1024;
/// Bits of the number that goes through a region beside its packet and must come back with it.
pub const TAG_BITS: u32 = 8;
/// Bits of a time stamp in microseconds.
pub const TIME_BITS: u32 = 48;
/// Bits of a word of a lane. A message takes as many words as it needs, side by side.
pub const LANE_WORD_BITS: u32 = 32;
/// Bits at the low end of a message that say which row it is for. The top one alone says that all rows have been sent.
pub const LANE_ROW_BITS: u32 = 20;
/// Bits of a number of bytes in the header window.
pub const LENGTH_BITS: u32 = 9;

/// What a region is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegionKind {
    /// Header window to PHV.
    Parser,
    /// PHV to PHV.
    Stage,
    /// PHV to header bytes.
    Deparser,
}

impl RegionKind {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            RegionKind::Parser => "parser",
            RegionKind::Stage => "stage",
            RegionKind::Deparser => "deparser",
        }
    }
}

/// Seen from the region.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Into the region.
    Input,
    /// Out of it.
    Output,
}

/// A port of a region.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Port {
    /// Its name in Verilog.
    pub name: &'static str,
    /// Its bits.
    pub width: u32,
    /// Its direction.
    pub direction: Direction,
}

/// The ports of a region, without `clk_i` and `rst_ni`.
///
/// * `valid_i`, `epoch_i`, `tag_i`, `time_i`: whether there is a packet in this clock, and what the gate
///   stamped on it. `tag_o` is the packet's tag when its results are on the other outputs.
/// * Parser: `window_i` holds the first bytes of the packet, the first one in the most significant place,
///   zeros behind its end; `avail_i` says how many there are. `shell_i` is the lower end of a PHV: the
///   shell's fields and kept metadata.
/// * Deparser: `header_o` as `window_i`; `length_o` bytes of it count, the rest is 0.
/// * `cfg_*`: one request at a time. `cfg_valid_i` is high for one clock, the other inputs stay as they are
///   until the answer; `cfg_ack_o` is high for one clock, `cfg_rdata_o` counts in that clock. An answer that
///   takes longer than [`CFG_PATIENCE`] clocks comes too late.
/// * `lane_*`, for stages of a shell that has lanes: state on its way from one variant to another, each cell's in words of
///   its own, `lane_valid_*` high for the first of them.
pub fn ports(kind: RegionKind, config: &ShellConfig) -> Vec<Port> {
    use Direction::{Input, Output};
    let port = |name, width, direction| Port { name, width, direction };
    let window = 8 * config.window_bytes;
    let mut ports = vec![
        port("valid_i", 1, Input),
        port("epoch_i", 1, Input),
        port("tag_i", TAG_BITS, Input),
        port("time_i", TIME_BITS, Input),
    ];
    ports.extend(match kind {
        RegionKind::Parser => vec![
            port("window_i", window, Input),
            port("avail_i", LENGTH_BITS, Input),
            port("shell_i", shell_bits(config), Input),
        ],
        RegionKind::Stage | RegionKind::Deparser => vec![port("phv_i", config.phv_bits, Input)],
    });
    ports.push(port("tag_o", TAG_BITS, Output));
    ports.extend(match kind {
        RegionKind::Parser | RegionKind::Stage => vec![port("phv_o", config.phv_bits, Output)],
        RegionKind::Deparser => {
            vec![port("header_o", window, Output), port("length_o", LENGTH_BITS, Output)]
        }
    });
    ports.extend([
        port("cfg_valid_i", 1, Input),
        port("cfg_write_i", 1, Input),
        port("cfg_addr_i", CFG_ADDRESS_BITS, Input),
        port("cfg_wdata_i", CFG_DATA_BITS, Input),
        port("cfg_ack_o", 1, Output),
        port("cfg_rdata_o", CFG_DATA_BITS, Output),
    ]);
    if kind == RegionKind::Stage && config.lane_words > 0 {
        let words = config.lane_words;
        ports.extend([
            port("lane_valid_i", words, Input),
            port("lane_i", words * LANE_WORD_BITS, Input),
            port("lane_valid_o", words, Output),
            port("lane_o", words * LANE_WORD_BITS, Output),
        ]);
    }
    ports
}

/// Bits of the parser's `shell_i`.
pub fn shell_bits(config: &ShellConfig) -> u32 {
    config.fixed_bits() - config.digest_bits
}

/// A place for a region variant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Socket {
    /// The beginning of the names of its ports on the fabric.
    pub name: String,
    /// Its unit on the configuration bus.
    pub unit: u32,
    /// What fits.
    pub kind: RegionKind,
}

impl Socket {
    /// The fabric's port that belongs to a region's port.
    pub fn port(&self, region_port: &str) -> String {
        let name = &self.name;
        match region_port.strip_suffix("_i") {
            Some(stem) => format!("{name}_{stem}_o"),
            None => format!("{name}_{}_i", region_port.trim_end_matches("_o")),
        }
    }

    /// The fabric's port for the region's `rst_ni`.
    pub fn reset(&self) -> String {
        format!("{}_rst_no", self.name)
    }

    /// The fabric's port that says whether the region's clock shall run.
    pub fn clock_enable(&self) -> String {
        format!("{}_clk_en_o", self.name)
    }
}

/// All sockets, in the order of their units: parsers, stages, deparsers.
pub fn sockets(config: &ShellConfig) -> Vec<Socket> {
    let socket = |name: String, unit, kind| Socket { name, unit, kind };
    let parsers = (0..config.slots)
        .map(|i| socket(format!("parser{i}"), address::PARSER + i, RegionKind::Parser));
    let stages = (0..config.regions)
        .map(|i| socket(format!("stage{i}"), address::stage(config, i), RegionKind::Stage));
    let deparsers = (0..config.slots).map(|i| {
        socket(format!("deparser{i}"), address::deparser(config, i), RegionKind::Deparser)
    });
    parsers.chain(stages).chain(deparsers).collect()
}
