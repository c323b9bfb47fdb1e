//! Declaring what outlives a packet, what copies keep, and what is told to the control plane.

use super::{Builder, Field, Val, field_decl, field_decls, preamble};
use crate::entity::{Counter, Digest, FieldList, Map, Meta, Meter, Register};
use crate::loc::Loc;
use crate::program::*;
use crate::types::Type;

impl Builder {
    /// An array of counters.
    #[track_caller]
    pub fn counter(&mut self, name: &str, unit: Unit, size: u32) -> Counter {
        let preamble = preamble(name);
        self.program.counters.push(CounterDecl { preamble, unit, size })
    }

    /// An array of meters.
    #[track_caller]
    pub fn meter(&mut self, name: &str, unit: Unit, size: u32) -> Meter {
        let preamble = preamble(name);
        self.program.meters.push(MeterDecl { preamble, unit, size })
    }

    /// An array of registers.
    #[track_caller]
    pub fn register(&mut self, name: &str, ty: Type, size: u32) -> Register {
        let preamble = preamble(name);
        self.program.registers.push(RegisterDecl { preamble, ty, size })
    }

    /// Arrays of registers `name0`, `name1`, ...: the rows of a sketch.
    #[track_caller]
    pub fn registers<const N: usize>(&mut self, name: &str, ty: Type, size: u32) -> [Register; N] {
        let loc = Loc::caller();
        std::array::from_fn(|i| {
            let name = format!("{name}{i}");
            let preamble = Preamble { name, loc: loc.clone(), ..Preamble::default() };
            self.program.registers.push(RegisterDecl { preamble, ty, size })
        })
    }

    /// A map that packets fill: `buckets` times `ways` entries. An entry that was not used for
    /// `idle_timeout_us` microseconds is dead; 0 keeps entries for ever.
    #[track_caller]
    pub fn map<const K: usize, const V: usize>(
        &mut self,
        name: &str,
        key: [(&str, Type); K],
        values: [(&str, Type); V],
        (buckets, ways): (u32, u32),
        idle_timeout_us: u64,
    ) -> Map {
        let (preamble, key, values) = (preamble(name), field_decls(key), field_decls(values));
        self.program.maps.push(MapDecl { preamble, key, values, buckets, ways, idle_timeout_us })
    }

    /// A CRC of 16 bits whose parameters are set at run time: an algorithm for hashes and sums.
    #[track_caller]
    pub fn crc16(&mut self, name: &str) -> HashAlgorithm {
        self.crc(name, 16)
    }

    /// A CRC of 32 bits whose parameters are set at run time: an algorithm for hashes and sums.
    #[track_caller]
    pub fn crc32(&mut self, name: &str) -> HashAlgorithm {
        self.crc(name, 32)
    }

    #[track_caller]
    fn crc(&mut self, name: &str, width: u32) -> HashAlgorithm {
        let decl = CrcDecl { name: name.into(), width, loc: Loc::caller() };
        HashAlgorithm::Custom(self.program.crcs.push(decl))
    }

    /// Metadata for a copy or a further pass to keep.
    #[track_caller]
    pub fn field_list<const N: usize>(&mut self, name: &str, fields: [Field; N]) -> FieldList {
        // Only metadata can be kept; anything else names a field that does not exist.
        let metas = fields.map(|f| f.as_meta().unwrap_or(Meta(u32::MAX))).to_vec();
        self.program.field_lists.push(FieldListDecl {
            name: name.into(),
            metas,
            loc: Loc::caller(),
        })
    }

    /// A message to the control plane, with the values that these have at the end of ingress.
    #[track_caller]
    pub fn digest<const N: usize>(&mut self, name: &str, fields: [(&str, Field); N]) -> Digest {
        let preamble = preamble(name);
        let fields = fields
            .map(|(name, field)| (field_decl(name, field.ty()), Val::from(field).into_expr()))
            .to_vec();
        self.program.digests.push(DigestDecl { preamble, fields })
    }
}
