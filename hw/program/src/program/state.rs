//! What outlives a packet, and what is told to the control plane.

use super::{FieldDecl, Preamble};
use crate::expr::Expr;
use crate::loc::Loc;
use crate::types::Type;
use serde::{Deserialize, Serialize};

/// What a counter counts or a meter measures.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Packets.
    Packets,
    /// Bytes of the packet as it entered.
    Bytes,
    /// Both; not for meters.
    Both,
}

/// An array of counters.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CounterDecl {
    /// Name and id.
    #[serde(flatten)]
    pub preamble: Preamble,
    /// What they count.
    pub unit: Unit,
    /// How many.
    pub size: u32,
}

/// An array of meters (two rates, three colours, RFC 2698, colour-blind).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MeterDecl {
    /// Name and id.
    #[serde(flatten)]
    pub preamble: Preamble,
    /// What they measure.
    pub unit: Unit,
    /// How many.
    pub size: u32,
}

/// An array of registers, 0 at the start.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RegisterDecl {
    /// Name and id.
    #[serde(flatten)]
    pub preamble: Preamble,
    /// Type of one.
    pub ty: Type,
    /// How many.
    pub size: u32,
}

/// A set-associative map that packets fill. Its geometry is visible: a put into a bucket full of live
/// entries stores nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MapDecl {
    /// Name and id.
    #[serde(flatten)]
    pub preamble: Preamble,
    /// Fields of the key.
    pub key: Vec<FieldDecl>,
    /// Fields of an entry.
    pub values: Vec<FieldDecl>,
    /// Number of buckets, a power of two. The bucket is the CRC-32 of the key modulo this.
    pub buckets: u32,
    /// Entries in a bucket.
    pub ways: u32,
    /// An entry not used for longer than this is dead, in microseconds; 0 for never.
    pub idle_timeout_us: u64,
}

/// A CRC whose parameters the control plane sets; until then they are those of `Crc16` or `Crc32`. All
/// lists that are hashed by it change together.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CrcDecl {
    /// What the control plane knows it by. P4Runtime has no ids for such.
    pub name: String,
    /// Bits of the sum: 16 or 32.
    pub width: u32,
    /// Where it was declared.
    #[serde(skip)]
    pub loc: Loc,
}

/// A message to the control plane.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DigestDecl {
    /// Name and id.
    #[serde(flatten)]
    pub preamble: Preamble,
    /// Its fields and what they are, at the end of ingress.
    pub fields: Vec<(FieldDecl, Expr)>,
}
