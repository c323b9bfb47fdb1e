//! Headers come and go: extraction, validity, copies, stacks.

use super::{Context, Machine};
use crate::code::At;
use crate::layout::Slot;
use crate::wire::SLACK;

impl Machine {
    /// Extracts a header without a varbit, unless the packet is too short.
    #[inline(always)]
    pub(super) fn extract_fixed(&mut self, cx: Context<'_>, bytes: &[u8], header: u32) -> bool {
        let plan = &cx.code.headers[header as usize];
        let rest = bytes.get(self.taken..).unwrap_or_default();
        let count = plan.bytes as usize;
        if rest.len() < count {
            return false;
        }
        if rest.len() >= count + SLACK {
            plan.load(rest, &mut self.slots);
        } else {
            self.tail[..count].copy_from_slice(&rest[..count]);
            plan.load(&self.tail[..count + SLACK], &mut self.slots);
        }
        self.taken += count;
        self.invalidate_peers(cx, header);
        true
    }

    /// The header's index and base; `None` for one beyond a stack.
    pub(super) fn resolve(&self, cx: Context<'_>, at: At) -> Option<u32> {
        match at {
            At::Fixed(header) => Some(header),
            At::Found(slot) => self.at_base(cx, slot),
        }
    }

    fn at_base(&self, cx: Context<'_>, slot: Slot) -> Option<u32> {
        let header = *cx.code.by_base.get(self.get(slot) as usize)?;
        ((header as usize) < cx.code.headers.len()).then_some(header)
    }

    /// Makes the other members of the header's union invalid.
    pub(super) fn invalidate_peers(&mut self, cx: Context<'_>, header: u32) {
        for peer in &cx.code.headers[header as usize].peers {
            self.clear(cx, *peer);
        }
    }

    /// Makes a header invalid: its fields become 0 too.
    pub(super) fn clear(&mut self, cx: Context<'_>, header: u32) {
        let plan = &cx.code.headers[header as usize];
        let base = plan.base as usize;
        self.slots[base..base + plan.len as usize].fill(0);
    }

    pub(super) fn set_valid(&mut self, cx: Context<'_>, header: u32) {
        let plan = &cx.code.headers[header as usize];
        if self.get(plan.base) == 0 {
            self.set(plan.base, 1);
            self.length = self.length.wrapping_add(plan.length(&self.slots).into());
            self.invalidate_peers(cx, header);
        }
    }

    pub(super) fn set_invalid(&mut self, cx: Context<'_>, header: u32) {
        let plan = &cx.code.headers[header as usize];
        if self.get(plan.base) != 0 {
            self.length = self.length.wrapping_sub(plan.length(&self.slots).into());
            self.clear(cx, header);
        }
    }

    /// Copies validity and fields.
    fn copy(&mut self, cx: Context<'_>, dst: u32, src: u32) {
        let from = &cx.code.headers[src as usize];
        let (base, len) = (from.base as usize, from.len as usize);
        let to = cx.code.headers[dst as usize].base as usize;
        self.slots.copy_within(base..base + len, to);
    }

    /// `dst = src`; beyond a stack nothing is written, and what is read is invalid.
    pub(super) fn copy_header(&mut self, cx: Context<'_>, dst: At, src: At) {
        let Some(dst) = self.resolve(cx, dst) else { return };
        match self.resolve(cx, src) {
            Some(src) => {
                self.copy(cx, dst, src);
                if self.get(cx.code.headers[dst as usize].base) != 0 {
                    self.invalidate_peers(cx, dst);
                }
            }
            None => self.clear(cx, dst),
        }
    }

    pub(super) fn copy_stack(
        &mut self,
        cx: Context<'_>,
        pairs: &[(u32, u32)],
        dst: Slot,
        src: Slot,
    ) {
        for (to, from) in pairs {
            self.copy(cx, *to, *from);
        }
        self.set(dst, self.get(src));
    }

    /// Moves the elements of a stack up (`by > 0`) or down.
    pub(super) fn shift(&mut self, cx: Context<'_>, elements: &[Vec<u32>], next: Slot, by: i64) {
        let size = elements.len() as i64;
        let place = |machine: &mut Self, to: i64| {
            let from = to - by;
            for (i, header) in elements[to as usize].iter().enumerate() {
                if (0..size).contains(&from) {
                    machine.copy(cx, *header, elements[from as usize][i]);
                } else {
                    machine.clear(cx, *header);
                }
            }
        };
        // Against the direction of the move, so that nothing is overwritten before it is read.
        if by > 0 {
            (0..size).rev().for_each(|to| place(self, to));
        } else {
            (0..size).for_each(|to| place(self, to));
        }
        let moved = (self.get(next) as i64).saturating_add(by).clamp(0, size);
        self.set(next, moved as u64);
    }
}
