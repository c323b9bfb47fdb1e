//! What a host must know of a placed program, and no more.

use crate::address::{self, guard, shell};
use crate::cell::Cells;
use crate::config::ShellConfig;
use crate::phv::PhvBits;
use crate::route::{Stop, Way};
use crate::socket::RegionKind;
use serde::{Deserialize, Serialize};

/// Version of the serde form. A reader refuses what it does not know.
pub const FORMAT: u32 = 3;

/// A placed program.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// The program's name.
    pub program: String,
    /// The shell for which it was placed.
    pub config: ShellConfig,
    /// What the shell's LOOP_GROWTH is to be: 0 if packets do not come round.
    pub loop_growth: u32,
    /// Its region variants in the order in which packets pass them: parser, ingress, egress, deparser.
    pub regions: Vec<Region>,
    /// Its tables and state.
    pub cells: Cells,
    /// Where in the PHV a header's field or metadata lies, by name; for people.
    pub fields: Vec<NamedBits>,
}

/// A region variant.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// Its unit on the configuration bus.
    pub unit: u32,
    /// What it is for.
    pub kind: RegionKind,
    /// The half that a stage serves.
    pub half: Option<Half>,
    /// Its Verilog module.
    pub module: String,
    /// The number by which the region says what is in it.
    #[serde(with = "hexadecimal")]
    pub hash: u64,
    /// Clocks from input to output.
    pub latency: u32,
    /// Clocks that its logic needs; the rest is waiting.
    pub needed: u32,
    /// PHV bits that it may write, ascending.
    pub writes: Vec<PhvBits>,
    /// Its state.
    pub kept: Vec<Kept>,
    /// What is in it, in words.
    pub contents: Vec<String>,
    /// Estimate of what it takes.
    pub cost: Cost,
}

/// What packets change in a region, and how it moves to another one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// Its name in the circuit.
    pub name: String,
    /// What it is: what one says means the same to another of the same class.
    pub class: String,
    /// The memory's number, of a map the first one's.
    pub memory: u32,
    /// Its rows.
    pub rows: u32,
    /// Bits of a row.
    pub bits: u32,
    /// Whether a row is a number with a sign.
    pub signed: bool,
    /// How it moves; not if there was no room.
    pub lane: Option<Sublane>,
}

/// The words of a region's lane in which it is sent and taken.
///
/// A message has, from bit 0 up, the row ([`LANE_ROW_BITS`](crate::socket::LANE_ROW_BITS)) and its content.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sublane {
    /// Its first word.
    pub first: u32,
    /// How many.
    pub words: u32,
    /// Clocks from a packet's arrival until what it changed leaves the region.
    pub sent: u32,
    /// Clocks from a packet's arrival until it reads.
    pub read: u32,
}

impl Sublane {
    /// Clocks from a message's arrival until what reads sees it.
    pub const SEEN: u32 = 2;
    /// Clocks from region to region.
    pub const TRANSIT: u32 = 1;
}

/// The halves.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Half {
    /// Before the traffic point.
    Ingress,
    /// Behind it.
    Egress,
}

/// What a circuit takes of a part.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Cost {
    /// Lookup tables of six inputs.
    pub luts: u64,
    /// Registers, in bits.
    pub registers: u64,
    /// Block RAMs of 18 kbit.
    pub bram18: u64,
    /// UltraRAMs.
    pub uram: u64,
    /// Multipliers.
    pub dsp: u64,
}

/// A name and its PHV bits.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NamedBits {
    /// The name.
    pub name: String,
    /// The bits.
    pub bits: PhvBits,
}

impl Manifest {
    /// The way of packets through its regions; `None` if it has no parser or deparser.
    pub fn way(&self) -> Option<Way> {
        let of = |kind, half| {
            let here = move |r: &&Region| r.kind == kind && r.half == half;
            self.regions.iter().filter(here).map(|r| Stop { unit: r.unit, latency: r.latency })
        };
        Some(Way {
            parser: of(RegionKind::Parser, None).next()?,
            ingress: of(RegionKind::Stage, Some(Half::Ingress)).collect(),
            egress: of(RegionKind::Stage, Some(Half::Egress)).collect(),
            deparser: of(RegionKind::Deparser, None).next()?,
        })
    }

    /// The same with variants in other regions: what becomes of a unit.
    pub fn moved(mut self, unit: &dyn Fn(u32) -> u32) -> Self {
        self.regions.iter_mut().for_each(|region| region.unit = unit(region.unit));
        self.cells.move_to(unit);
        self
    }

    /// What a host writes after a reset before it opens the gate, entries apart: byte addresses and values. Each region's
    /// latency and write mask, the way of packets, the same one in both epochs, and the room that further passes need.
    pub fn boot(&self) -> Vec<(u32, u32)> {
        let mut words = vec![(shell::LOOP_GROWTH, self.loop_growth)];
        words.extend(self.regions.iter().flat_map(|region| region.coupling(&self.config)));
        if let Some(way) = self.way() {
            words.extend((0..2).flat_map(|epoch| way.routes(&self.config, epoch)));
        }
        words
            .into_iter()
            .map(|(word, value)| (address::byte(address::SHELL, word), value))
            .collect()
    }
}

impl Region {
    /// The writes that let its outputs count: words of the shell and values.
    pub fn coupling(&self, config: &ShellConfig) -> Vec<(u32, u32)> {
        let word = |word| shell::guard(self.unit, word);
        let mut words = vec![(word(guard::LATENCY), self.latency)];
        let mask = self.mask(config.phv_bits);
        words.extend((0..).zip(mask).map(|(i, mask)| (word(guard::MASK + i), mask)));
        words.push((word(guard::COUPLED), 1));
        words
    }

    /// The write mask as 32-bit words, least significant first.
    pub fn mask(&self, phv_bits: u32) -> Vec<u32> {
        let mut words = vec![0u32; phv_bits.div_ceil(32) as usize];
        for bits in &self.writes {
            for bit in bits.low..bits.low + bits.width {
                if let Some(word) = words.get_mut((bit / 32) as usize) {
                    *word |= 1 << (bit % 32);
                }
            }
        }
        words
    }
}

/// Sixteen hexadecimal digits: not every reader of JSON has 64-bit numbers.
mod hexadecimal {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(hash: &u64, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&format!("{hash:016x}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        let text = String::deserialize(from)?;
        u64::from_str_radix(&text, 16).map_err(|e| D::Error::custom(format!("hash `{text}`: {e}")))
    }
}
