//! What is done to whole headers and stacks.

use super::Lower;
use super::store::Store;
use super::value::Candidate;
use crate::flow::{Slot, Value};
use restage_program::entity::{Header, Stack};
use restage_program::expr::HeaderRef;
use restage_program::op::Op;
use restage_program::types::int;

/// All that a header carries.
#[derive(Clone, Debug)]
struct Content {
    valid: Value,
    fields: Vec<Value>,
    length: Option<Value>,
}

impl Lower<'_> {
    /// The slots of a header, its validity first.
    pub fn header_slots(&self, header: Header) -> Vec<Slot> {
        let ty = &self.program.header_types[self.program.headers[header].ty];
        let fields = (0..ty.fields.len() as u32).map(|f| Slot::Field(header, f));
        let length = ty.varbit().map(|_| Slot::VarLength(header));
        [Slot::Valid(header)].into_iter().chain(fields).chain(length).collect()
    }

    /// Bytes of a header as it is.
    fn bytes_of<S: Store>(&mut self, store: &mut S, header: Header) -> Value {
        let ty = &self.program.header_types[self.program.headers[header].ty];
        let (fixed, varbit) = (ty.fixed_width() / 8, ty.varbit());
        let fixed = self.make.number(20, fixed.into());
        if varbit.is_none() {
            return fixed;
        }
        let length = store.get(&mut self.make, Slot::VarLength(header));
        let length = self.make.natural(20, length);
        self.make.op(Op::Add, &[fixed, length])
    }

    /// Adds bytes to what `packet_length` will be, or takes them away.
    fn grow<S: Store>(&mut self, store: &mut S, when: Value, bytes: Value, op: Op) {
        let old = store.get(&mut self.make, Slot::Length);
        let bytes = self.make.cast(int(20), bytes);
        let new = self.make.op(op, &[old, bytes]);
        let new = self.make.mux(when, new, old);
        store.set(&mut self.make, Slot::Length, new);
    }

    /// Clears all slots of a header when a condition holds.
    fn invalidate<S: Store>(&mut self, store: &mut S, when: Value, header: Header) {
        for slot in self.header_slots(header) {
            let old = store.get(&mut self.make, slot);
            let ty = self.make.ty(old);
            let zero = self.make.zero(ty);
            let new = self.make.mux(when, zero, old);
            store.set(&mut self.make, slot, new);
        }
    }

    /// `header.setValid()`.
    pub fn set_valid<S: Store>(&mut self, store: &mut S, header: &HeaderRef) {
        for (meant, header) in self.resolve(store, header) {
            let valid = store.get(&mut self.make, Slot::Valid(header));
            let invalid = self.make.not(valid);
            let changes = self.make.and(meant, invalid);
            let bytes = self.bytes_of(store, header);
            self.grow(store, changes, bytes, Op::Add);
            // Its fields are 0 already.
            let now = self.make.or(valid, meant);
            store.set(&mut self.make, Slot::Valid(header), now);
            for sibling in self.siblings(header) {
                self.invalidate(store, changes, sibling);
            }
        }
    }

    /// `header.setInvalid()`.
    pub fn set_invalid<S: Store>(&mut self, store: &mut S, header: &HeaderRef) {
        for (meant, header) in self.resolve(store, header) {
            let valid = store.get(&mut self.make, Slot::Valid(header));
            let changes = self.make.and(meant, valid);
            let bytes = self.bytes_of(store, header);
            self.grow(store, changes, bytes, Op::Sub);
            self.invalidate(store, meant, header);
        }
    }

    fn content<S: Store>(&mut self, store: &mut S, header: Header) -> Content {
        let ty = &self.program.header_types[self.program.headers[header].ty];
        let (count, varbit) = (ty.fields.len() as u32, ty.varbit());
        let mut get = |slot| store.get(&mut self.make, slot);
        Content {
            valid: get(Slot::Valid(header)),
            fields: (0..count).map(|f| get(Slot::Field(header, f))).collect(),
            length: varbit.map(|_| get(Slot::VarLength(header))),
        }
    }

    /// What is meant, or an invalid header.
    fn chosen<S: Store>(
        &mut self,
        store: &mut S,
        candidates: &[Candidate],
        like: Header,
    ) -> Content {
        let mut chosen = self.content(store, like);
        let zero = |lower: &mut Self, value: Value| {
            let ty = lower.make.ty(value);
            lower.make.zero(ty)
        };
        let mut get = |lower: &mut Self, value: Value, slot: &dyn Fn(Header) -> Slot| {
            let none = zero(lower, value);
            lower.choose(store, candidates, none, slot)
        };
        chosen.valid = get(self, chosen.valid, &Slot::Valid);
        for (i, field) in chosen.fields.iter_mut().enumerate() {
            *field = get(self, *field, &|h| Slot::Field(h, i as u32));
        }
        chosen.length = chosen.length.map(|l| get(self, l, &Slot::VarLength));
        chosen
    }

    /// Puts content into a header when a condition holds.
    fn put<S: Store>(&mut self, store: &mut S, when: Value, header: Header, content: &Content) {
        let mut put = |slot, value| {
            let old = store.get(&mut self.make, slot);
            let new = self.make.mux(when, value, old);
            store.set(&mut self.make, slot, new);
        };
        put(Slot::Valid(header), content.valid);
        for (i, field) in content.fields.iter().enumerate() {
            put(Slot::Field(header, i as u32), *field);
        }
        if let Some(length) = content.length {
            put(Slot::VarLength(header), length);
        }
    }

    /// `dst = src`.
    pub fn copy_header<S: Store>(&mut self, store: &mut S, dst: &HeaderRef, src: &HeaderRef) {
        let from = self.resolve(store, src);
        let to = self.resolve(store, dst);
        let Some((_, like)) = to.first() else { return };
        let content = self.chosen(store, &from, *like);
        for (meant, header) in to {
            let becomes = self.make.and(meant, content.valid);
            for sibling in self.siblings(header) {
                self.invalidate(store, becomes, sibling);
            }
            self.put(store, meant, header, &content);
        }
    }

    fn contents<S: Store>(&mut self, store: &mut S, elements: &[Vec<Header>]) -> Vec<Vec<Content>> {
        let mut contents = Vec::new();
        for element in elements {
            contents.push(element.iter().map(|h| self.content(store, *h)).collect());
        }
        contents
    }

    /// `dst = src` for stacks.
    pub fn copy_stack<S: Store>(&mut self, store: &mut S, dst: Stack, src: Stack) {
        let (to, from) = (self.elements(dst), self.elements(src));
        let contents = self.contents(store, &from);
        let always = self.make.truth(true);
        for (header, content) in to.iter().flatten().zip(contents.iter().flatten()) {
            self.put(store, always, *header, content);
        }
        let next = store.get(&mut self.make, Slot::NextIndex(src));
        store.set(&mut self.make, Slot::NextIndex(dst), next);
    }

    /// Moves the elements of a stack up by `by`, or down when it is negative.
    pub fn shift_stack<S: Store>(&mut self, store: &mut S, stack: Stack, by: i64) {
        let elements = self.elements(stack);
        let contents = self.contents(store, &elements);
        let always = self.make.truth(true);
        for (i, element) in elements.iter().enumerate() {
            let from = usize::try_from(i as i64 - by).ok().and_then(|from| contents.get(from));
            for (member, header) in element.iter().enumerate() {
                match from {
                    Some(from) => self.put(store, always, *header, &from[member]),
                    None => self.invalidate(store, always, *header),
                }
            }
        }
        let next = store.get(&mut self.make, Slot::NextIndex(stack));
        let (ty, size) = (self.make.ty(next), elements.len() as u64);
        let count = by.unsigned_abs().min(size);
        let step = self.make.number(ty.width(), count);
        let new = if by >= 0 {
            let room = self.make.number(ty.width(), size - count);
            let full = self.make.op(Op::Ge, &[next, room]);
            let most = self.make.number(ty.width(), size);
            let more = self.make.op(Op::Add, &[next, step]);
            self.make.mux(full, most, more)
        } else {
            self.make.op(Op::SatSub, &[next, step])
        };
        store.set(&mut self.make, Slot::NextIndex(stack), new);
    }
}
