//! Extraction: what must be in the packet, and the fields that stand there.

use super::super::reaching::ParserStore;
use super::super::store::Store;
use super::super::{Lower, Refusal};
use crate::flow::{Slot, Value, flow_type, slot_type};
use restage_manifest::ShellField;
use restage_program::entry::prefix_mask;
use restage_program::expr::{ElementIndex, HeaderRef};
use restage_program::op::Op;
use restage_program::types::{MAX_WIDTH, bit};
use restage_program::{Bits, Type, standard};

impl Lower<'_> {
    /// A number of bits as bytes, after it was made sure that they are whole; and what it can be.
    pub(super) fn whole_bytes(
        &mut self,
        store: &mut ParserStore,
        bits: Value,
        most: u32,
    ) -> (Value, Vec<u32>) {
        let width = self.make.ty(bits).width();
        let part = self.make.op(Op::Slice { hi: 2.min(width - 1), lo: 0 }, &[bits]);
        let whole = self.make.is(part, 0);
        store.require(&mut self.make, whole, standard::error::PARSER_INVALID_ARGUMENT);
        let bytes = self.make.op(Op::Slice { hi: width - 1, lo: 3 }, &[bits]);
        let limit = (2 * self.config.window_bytes).min(most);
        (bytes, self.make.possible(bytes, limit))
    }

    /// Ends parsing unless the packet has so many bytes here: `fixed`, and a computed number.
    pub(super) fn require_bytes(
        &mut self,
        store: &mut ParserStore,
        fixed: u32,
        bytes: Value,
        steps: &[u32],
    ) {
        let position = store.position.clone();
        let ok = match steps {
            [step] if self.make.as_const(bytes).and_then(Bits::to_u64) == Some((*step).into()) => {
                self.in_window(&position, fixed + step);
                self.fits(&position, fixed + step)
            }
            steps => {
                self.in_window(&position, fixed + steps.last().copied().unwrap_or(0));
                // Wide enough for any number that the packet may hold.
                let begin = self.further(&position, fixed);
                let begin = self.make.natural(32, begin.value);
                let bytes = self.make.natural(32, bytes);
                let end = self.make.op(Op::Add, &[begin, bytes]);
                // A varbit may be asked to be longer than the window, and is refused for that only when the
                // packet has so much.
                let length = self.make.slot(Slot::Shell(ShellField::PacketLength));
                let length = self.make.natural(32, length);
                self.make.op(Op::Le, &[end, length])
            }
        };
        store.require(&mut self.make, ok, standard::error::PACKET_TOO_SHORT);
    }

    pub(super) fn extract(
        &mut self,
        store: &mut ParserStore,
        header: &HeaderRef,
        bits: Option<Value>,
    ) {
        let candidates = self.resolve(store, header);
        let Some((_, first)) = candidates.first() else { return };
        let ty = self.program.header_types[self.program.headers[*first].ty].clone();
        let fixed = ty.fixed_width() / 8;
        let longest = (ty.max_width() - ty.fixed_width()) / 8;
        let start = store.position.clone();
        let mut bytes = None;
        if let Some(bits) = bits {
            if 8 * longest > MAX_WIDTH {
                let name = self.header_name(*first).to_string();
                let found = format!("has a varbit of {} bits", 8 * longest);
                let accepts = format!("{MAX_WIDTH} bits at most are accepted");
                let refusal = Refusal::new(format!("header `{name}`"), found, accepts);
                return self.refuse(refusal.at(&self.place));
            }
            let (count, steps) = self.whole_bytes(store, bits, longest);
            self.require_bytes(store, fixed, count, &steps);
            let width = self.make.ty(count).width();
            let short = if u64::from(longest) >> width.min(32) == 0 {
                let most = self.make.number(width, longest.into());
                self.make.op(Op::Le, &[count, most])
            } else {
                self.make.truth(true)
            };
            store.require(&mut self.make, short, standard::error::HEADER_TOO_SHORT);
            bytes = Some((count, steps));
        } else {
            self.in_window(&start, fixed);
            let ok = self.fits(&start, fixed);
            store.require(&mut self.make, ok, standard::error::PACKET_TOO_SHORT);
        }
        let mut values = Vec::new();
        let (mut from, mut skip, mut length) = (start, 0, None);
        for field in &ty.fields {
            let ty = flow_type(self.program, field.ty);
            let plain = self.at_position(&from, skip, bit(ty.width()));
            match (&bytes, field.ty) {
                (Some((count, steps)), Type::Varbit(width)) => {
                    values.push(self.cut(plain, *count, steps, width));
                    let whole = self.further(&from, skip / 8);
                    // A varbit stands at a whole byte: what is before it is.
                    from = self.further_by(&whole, *count, steps);
                    skip %= 8;
                    length = Some(*count);
                }
                (_, Type::Bool) => {
                    values.push(self.make.cast(Type::Bool, plain));
                    skip += 1;
                }
                (_, Type::Varbit(_)) => values.push(plain),
                _ => {
                    values.push(self.make.cast(ty, plain));
                    skip += ty.width();
                }
            }
        }
        store.position = self.further(&from, skip / 8);
        for (meant, header) in &candidates {
            let siblings = self.siblings(*header);
            let mut changes: Vec<(Slot, Value)> = Vec::new();
            let others: Vec<Slot> =
                siblings.into_iter().flat_map(|s| self.header_slots(s)).collect();
            for slot in others {
                let ty = slot_type(self.program, slot).unwrap_or(Type::Bool);
                changes.push((slot, self.make.zero(ty)));
            }
            changes.push((Slot::Valid(*header), self.make.truth(true)));
            for (i, value) in values.iter().enumerate() {
                changes.push((Slot::Field(*header, i as u32), *value));
            }
            if let Some(length) = length {
                let slot = Slot::VarLength(*header);
                let width = slot_type(self.program, slot).map_or(1, Type::width);
                changes.push((slot, self.make.natural(width, length)));
            }
            for (slot, value) in changes {
                let value = match self.make.as_truth(*meant) {
                    Some(true) => value,
                    _ => {
                        let old = store.get(&mut self.make, slot);
                        self.make.mux(*meant, value, old)
                    }
                };
                store.set(&mut self.make, slot, value);
            }
        }
        if let HeaderRef::Element { stack, at: ElementIndex::Next, .. } = header {
            let next = store.get(&mut self.make, Slot::NextIndex(*stack));
            let one = self.make.number(self.make.ty(next).width(), 1);
            let next = self.make.op(Op::Add, &[next, one]);
            store.set(&mut self.make, Slot::NextIndex(*stack), next);
        }
    }

    /// The first `bytes` bytes of a value, zeros behind.
    fn cut(&mut self, value: Value, bytes: Value, steps: &[u32], width: u32) -> Value {
        if let [step] = steps {
            let keep = prefix_mask(width, 8 * step);
            let mask = self.make.constant(bit(width), keep);
            return self.make.op(Op::And, &[value, mask]);
        }
        let arms: Vec<(Value, Value)> = steps
            .iter()
            .map(|step| {
                let keep = prefix_mask(width, 8 * step);
                (self.make.is(bytes, (*step).into()), self.make.constant(bit(width), keep))
            })
            .collect();
        let none = self.make.zero(bit(width));
        let mask = self.make.select(&arms, none);
        self.make.op(Op::And, &[value, mask])
    }
}
