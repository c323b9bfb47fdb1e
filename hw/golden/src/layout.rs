//! Where everything of a packet stands: an array of 64-bit slots.
//!
//! A value of w bits takes ceil(w / 64) slots, little end first. A header is its validity followed by
//! its fields, and the fields of an invalid header are always 0, so reading one needs no test. A varbit
//! is its length in bits followed by its bytes, eight to a slot, the first byte being the most significant.
//!
//! The order is metadata, next indices of stacks, headers, and one header that is never valid: what is
//! beyond a stack. All this is cleared for every packet. Behind it follow action parameters, constants
//! and temporary values.

use restage_program::bits::limb_count;
use restage_program::entity::{Entity, EntityMap, Header, Meta, Stack};
use restage_program::program::{Elements, Program};
use restage_program::standard::FIELDS;
use restage_program::types::Type;

/// Position of a slot.
pub(crate) type Slot = u32;

/// A value in slots.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Val {
    pub slot: Slot,
    pub ty: Type,
}

impl Val {
    /// Slots that it takes.
    pub fn len(self) -> u32 {
        slots_of(self.ty)
    }

    pub fn range(self) -> std::ops::Range<usize> {
        self.slot as usize..(self.slot + self.len()) as usize
    }

    pub fn width(self) -> u32 {
        self.ty.width()
    }
}

/// Slots that a value of a type takes; one at least.
pub(crate) fn slots_of(ty: Type) -> u32 {
    let limbs = limb_count(ty.width()).max(1) as u32;
    if matches!(ty, Type::Varbit(_)) { limbs + 1 } else { limbs }
}

/// A header in slots.
#[derive(Clone, Debug)]
pub(crate) struct HeaderLayout {
    /// Its validity; the fields follow.
    pub base: Slot,
    /// Slots with the validity.
    pub len: u32,
    pub fields: Vec<Val>,
}

/// Where everything stands.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub metas: EntityMap<Meta, Val>,
    /// Slot and mask of each standard metadata field.
    pub standard: [(Slot, u64); FIELDS.len()],
    /// Slots of metadata, from 0.
    pub metas_len: u32,
    pub nexts: EntityMap<Stack, Slot>,
    pub headers: EntityMap<Header, HeaderLayout>,
    /// The header that is never valid.
    pub null: Slot,
    /// End of what is cleared for every packet.
    pub end: Slot,
}

impl Layout {
    pub fn new(program: &Program) -> Self {
        let mut at: Slot = 0;
        let mut take = |len: u32| {
            let slot = at;
            at += len;
            slot
        };
        let metas: EntityMap<Meta, Val> =
            program.metas.values().map(|m| Val { slot: take(slots_of(m.ty)), ty: m.ty }).collect();
        let metas_len = take(0);
        let mut standard = [(0, 0); FIELDS.len()];
        for (place, val) in standard.iter_mut().zip(metas.values()) {
            *place = (val.slot, u64::MAX >> (64 - val.width().clamp(1, 64)));
        }
        let nexts = program.stacks.values().map(|_| take(1)).collect();
        let mut longest = 1;
        let headers = program
            .headers
            .values()
            .map(|h| {
                let base = take(1);
                let fields: Vec<Val> = program.header_types[h.ty]
                    .fields
                    .iter()
                    .map(|f| Val { slot: take(slots_of(f.ty)), ty: f.ty })
                    .collect();
                let len = take(0) - base;
                longest = longest.max(len);
                HeaderLayout { base, len, fields }
            })
            .collect();
        let null = take(longest);
        Layout { metas, standard, metas_len, nexts, headers, null, end: take(0) }
    }

    /// The headers of a stack's elements at one position of the union, or of the stack itself.
    pub fn elements(program: &Program, stack: Stack, member: u32) -> Vec<Header> {
        match &program.stacks[stack].elements {
            Elements::Headers(headers) => headers.clone(),
            Elements::Unions(unions) => {
                unions.iter().map(|u| program.unions[*u].members[member as usize]).collect()
            }
        }
    }
}

/// Which header stands where: an index into the plans of headers for every base.
pub(crate) fn by_base(layout: &Layout) -> Vec<u32> {
    let mut map = vec![layout.headers.len() as u32; layout.end as usize];
    for (header, place) in layout.headers.iter() {
        map[place.base as usize] = header.index() as u32;
    }
    map
}
