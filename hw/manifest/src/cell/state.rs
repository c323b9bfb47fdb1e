//! What packets write: registers, counters, meters, maps, random generators. And value sets, which they do not.

use super::{Part, PartShape, Parts, TernaryKey, TernaryShape, fixed, live};
use restage_program::program::{CounterDecl, MapDecl, MeterDecl, RegisterDecl, Unit, ValueSetDecl};
use serde::{Deserialize, Serialize};

/// Bits of a time stamp in microseconds.
const TIME_BITS: u32 = crate::socket::TIME_BITS;

/// An array of registers; a row is a register.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RegisterShape {
    /// Bits of one.
    pub width: u32,
    /// How many.
    pub size: u32,
    /// Whether they have a sign.
    pub signed: bool,
}

impl RegisterShape {
    /// The shape of a program's registers.
    pub fn of(decl: &RegisterDecl) -> Self {
        RegisterShape { width: decl.ty.width(), size: decl.size, signed: decl.ty.is_signed() }
    }
}

impl Parts for RegisterShape {
    fn parts(&self) -> Vec<PartShape> {
        vec![live(Part::Content, self.width, self.size)]
    }
}

/// An array of counters. A row is, from bit 0 up, the packets and the bytes, 64 bits each, of which only those that
/// are counted are there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CounterShape {
    /// What they count.
    pub unit: Unit,
    /// How many.
    pub size: u32,
}

impl CounterShape {
    /// The shape of a program's counters.
    pub fn of(decl: &CounterDecl) -> Self {
        CounterShape { unit: decl.unit, size: decl.size }
    }
}

impl Parts for CounterShape {
    fn parts(&self) -> Vec<PartShape> {
        vec![live(Part::Count, counter_bits(self.unit), self.size)]
    }
}

pub(super) fn counter_bits(unit: Unit) -> u32 {
    match unit {
        Unit::Packets | Unit::Bytes => 64,
        Unit::Both => 128,
    }
}

/// An array of meters.
///
/// `Rates`, from bit 0 up: committed burst in tokens, committed rate in 2^-40 tokens per microsecond, the same
/// two of the peak, 64 bits each, and a bit that says that there are rates. `Filled`: 48 bits. `Missing`: what is missing of
/// the full committed bucket in 2^-40 tokens, 104 bits, and of the peak one. Full buckets are 0, so the time at which
/// they were filled does not matter.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MeterShape {
    /// What they measure.
    pub unit: Unit,
    /// How many.
    pub size: u32,
}

impl MeterShape {
    /// Bits of a burst or a rate.
    pub const NUMBER: u32 = 64;
    /// Binary places of tokens.
    pub const PLACES: u32 = 40;
    /// Bits of the tokens of a bucket.
    pub const TOKENS: u32 = Self::NUMBER + Self::PLACES;

    /// The shape of a program's meters.
    pub fn of(decl: &MeterDecl) -> Self {
        MeterShape { unit: decl.unit, size: decl.size }
    }
}

impl Parts for MeterShape {
    fn parts(&self) -> Vec<PartShape> {
        meter_parts(self.size)
    }
}

pub(super) fn meter_parts(size: u32) -> Vec<PartShape> {
    vec![
        fixed(Part::Rates, 4 * MeterShape::NUMBER + 1, size),
        live(Part::Filled, TIME_BITS, size),
        live(Part::Missing, 2 * MeterShape::TOKENS, size),
    ]
}

/// A map. A row of a way is, from bit 0 up: the values, the first one lowest, the key's fields, the first one
/// most significant, the time of the last use, and whether there is an entry. The row is the low bits of the CRC-32 of
/// the key. Beside rows, way 0 takes keys: [`MapShape::PUT`] and [`MapShape::REMOVE`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MapShape {
    /// Bits of the key's fields.
    pub key: Vec<u32>,
    /// Bits of the values.
    pub values: Vec<u32>,
    /// Buckets, a power of two.
    pub buckets: u32,
    /// Entries of a bucket.
    pub ways: u32,
    /// An entry not used for longer is dead, in microseconds; 0 for never.
    pub idle_timeout_us: u64,
}

impl MapShape {
    /// Command that puts the held entry (a row; its time and its top bit do not matter) where a packet would. The
    /// bus refuses it when the bucket is full.
    pub const PUT: u32 = 3;
    /// Command that removes the entry with the held key. The bus refuses it when there is none.
    pub const REMOVE: u32 = 4;

    /// The shape of a program's map.
    pub fn of(decl: &MapDecl) -> Self {
        let widths = |fields: &[restage_program::program::FieldDecl]| {
            fields.iter().map(|f| f.ty.width()).collect()
        };
        MapShape {
            key: widths(&decl.key),
            values: widths(&decl.values),
            buckets: decl.buckets,
            ways: decl.ways,
            idle_timeout_us: decl.idle_timeout_us,
        }
    }

    /// Bits of the key.
    pub fn key_bits(&self) -> u32 {
        self.key.iter().sum()
    }

    /// Bits of the values.
    pub fn value_bits(&self) -> u32 {
        self.values.iter().sum()
    }

    /// Lowest bit of the key in a row.
    pub fn key_at(&self) -> u32 {
        self.value_bits()
    }

    /// Lowest bit of the time in a row.
    pub fn time_at(&self) -> u32 {
        self.value_bits() + self.key_bits()
    }

    /// Bits of a row; the top one says whether there is an entry.
    pub fn row_bits(&self) -> u32 {
        self.time_at() + TIME_BITS + 1
    }
}

impl Parts for MapShape {
    fn parts(&self) -> Vec<PartShape> {
        (0..self.ways).map(|w| live(Part::MapWay(w), self.row_bits(), self.buckets)).collect()
    }
}

/// A random generator. Its one row is the state, which is not 0; a write of 0 is taken as 1.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RandomShape {}

impl Parts for RandomShape {
    fn parts(&self) -> Vec<PartShape> {
        vec![live(Part::Seed, 64, 1)]
    }
}

/// A parser value set: a ternary table that only says whether something matches.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ValueSetShape {
    /// Most members.
    pub size: u32,
    /// The table.
    pub table: TernaryShape,
}

impl ValueSetShape {
    /// The shape of a program's value set: every column can have masks and ranges.
    pub fn of(decl: &ValueSetDecl) -> Self {
        let key = |width, signed| TernaryKey { width, signed, masks: true, ranges: true };
        let keys = decl.columns.iter().map(|c| key(c.ty.width(), c.ty.is_signed())).collect();
        ValueSetShape { size: decl.size, table: TernaryShape::new(keys, decl.size, None) }
    }
}

impl Parts for ValueSetShape {
    fn parts(&self) -> Vec<PartShape> {
        self.table.parts()
    }
}
