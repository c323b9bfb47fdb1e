//! A packet on its way: bytes, headers, metadata, and what has been asked for it.

use super::hash::{from_wire, wire_bits};
use restage_program::entity::{Digest, ErrorCode, FieldList, Header, Meta, Stack};
use restage_program::program::{Elements, Program};
use restage_program::{Bits, Entity, Type, standard};

/// A header instance.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HeaderValue {
    pub valid: bool,
    /// A varbit has the width that it was extracted with.
    pub fields: Vec<Bits>,
}

impl HeaderValue {
    /// All fields 0, varbits empty.
    pub fn zero(program: &Program, header: Header) -> Self {
        let fields = program.header_types[program.headers[header].ty]
            .fields
            .iter()
            .map(|f| match f.ty {
                Type::Varbit(_) => Bits::zero(0),
                ty => Bits::zero(ty.width()),
            })
            .collect();
        HeaderValue { valid: false, fields }
    }

    /// Its bits on the wire.
    pub fn wire(&self) -> Vec<bool> {
        self.fields.iter().flat_map(wire_bits).collect()
    }
}

/// What a packet carries through a pass.
#[derive(Clone, Debug)]
pub(crate) struct Packet {
    pub metas: Vec<Bits>,
    pub headers: Vec<HeaderValue>,
    /// Next index of each stack.
    pub next: Vec<u32>,
    /// All bits as they entered this pass.
    pub bits: Vec<bool>,
    /// How many of them the parser has consumed.
    pub position: usize,
    /// `packet_length` of egress: follows `setValid` and `setInvalid`.
    pub length: u32,
    pub clone: Option<(Option<u32>, Option<FieldList>)>,
    pub digest: Option<Digest>,
    /// Resubmission in ingress, recirculation in egress.
    pub again: Option<Option<FieldList>>,
    pub truncate: Option<u32>,
    /// Something was written to a field of an invalid header, and lost.
    pub lost_write: bool,
}

impl Packet {
    pub fn new(program: &Program, bytes: &[u8]) -> Self {
        Packet {
            metas: program.metas.values().map(|m| Bits::zero(m.ty.width())).collect(),
            headers: program.headers.keys().map(|h| HeaderValue::zero(program, h)).collect(),
            next: vec![0; program.stacks.len()],
            bits: bytes.iter().flat_map(|b| (0..8).rev().map(move |i| b >> i & 1 == 1)).collect(),
            position: 0,
            length: bytes.len() as u32,
            clone: None,
            digest: None,
            again: None,
            truncate: None,
            lost_write: false,
        }
    }

    /// Bytes with which it entered this pass.
    pub fn entered(&self) -> u64 {
        (self.bits.len() / 8) as u64
    }

    pub fn set_meta(&mut self, meta: Meta, value: u64) {
        let width = self.metas[meta.index()].width();
        self.metas[meta.index()] = Bits::new(width, value.into());
    }

    pub fn meta(&self, meta: Meta) -> u64 {
        self.metas[meta.index()].low_u64()
    }

    /// What the parser has not consumed.
    pub fn payload(&self) -> &[bool] {
        self.bits.get(self.position..).unwrap_or(&[])
    }

    /// The next bits, not consumed.
    pub fn peek(&self, skip: u64, count: u64) -> Result<Bits, ErrorCode> {
        let left = self.payload().len() as u64;
        if skip.saturating_add(count) > left {
            return Err(standard::error::PACKET_TOO_SHORT);
        }
        Ok(from_wire(&self.payload()[skip as usize..(skip + count) as usize]))
    }

    /// Zero for all metadata but that of the list.
    pub fn kept(&self, program: &Program, list: Option<FieldList>) -> Vec<(Meta, Bits)> {
        list.iter()
            .flat_map(|l| program.field_lists[*l].metas.iter())
            .map(|m| (*m, self.metas[m.index()].clone()))
            .collect()
    }

    /// Makes a header valid or not, with what that means for its union.
    pub fn set_valid(&mut self, program: &Program, header: Header, valid: bool) {
        self.headers[header.index()].valid = valid;
        if !valid {
            return;
        }
        for union in program.unions.values().filter(|u| u.members.contains(&header)) {
            for member in union.members.iter().filter(|m| **m != header) {
                self.headers[member.index()].valid = false;
            }
        }
    }

    /// `dst = src`.
    pub fn copy_header(&mut self, program: &Program, dst: Header, src: Header) {
        if self.headers[src.index()].valid {
            self.headers[dst.index()] = self.headers[src.index()].clone();
            self.set_valid(program, dst, true);
        } else {
            self.headers[dst.index()].valid = false;
        }
    }

    /// Moves the elements of a stack up by `by`, or down when it is negative.
    pub fn shift_stack(&mut self, program: &Program, stack: Stack, by: i64) {
        let elements = element_headers(program, stack);
        let old: Vec<Vec<HeaderValue>> = elements
            .iter()
            .map(|e| e.iter().map(|h| self.headers[h.index()].clone()).collect())
            .collect();
        for (i, element) in elements.iter().enumerate() {
            let from = usize::try_from(i as i64 - by).ok().and_then(|from| old.get(from));
            for (member, header) in element.iter().enumerate() {
                match from {
                    Some(from) => self.headers[header.index()] = from[member].clone(),
                    None => self.headers[header.index()].valid = false,
                }
            }
        }
        let next = i64::from(self.next[stack.index()]) + by;
        self.next[stack.index()] = next.clamp(0, elements.len() as i64) as u32;
    }
}

/// The headers of each element of a stack.
pub(crate) fn element_headers(program: &Program, stack: Stack) -> Vec<Vec<Header>> {
    match &program.stacks[stack].elements {
        Elements::Headers(headers) => headers.iter().map(|h| vec![*h]).collect(),
        Elements::Unions(unions) => {
            unions.iter().map(|u| program.unions[*u].members.clone()).collect()
        }
    }
}
