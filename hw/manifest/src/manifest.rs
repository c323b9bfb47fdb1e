//! What a host must know of a placed program, and no more.

use crate::cell::Cells;
use crate::config::ShellConfig;
use crate::phv::PhvBits;
use crate::socket::RegionKind;
use serde::{Deserialize, Serialize};

/// Version of the serde form. A reader refuses what it does not know.
pub const FORMAT: u32 = 1;

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
    /// Its region variants in the order of their units: parser, ingress, egress, deparser.
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
    /// What is in it, in words.
    pub contents: Vec<String>,
    /// Estimate of what it takes.
    pub cost: Cost,
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

impl Region {
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
