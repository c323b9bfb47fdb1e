//! Between packet bytes and slots: bit strings, and a header's fields taken apart and put together.
//!
//! The first bit of a packet is the most significant one of its first byte.

use crate::layout::{HeaderLayout, Slot, Val};
use restage_program::Type;

/// Up to 64 bits of `bytes` from bit `at` on; 0 beyond the end.
pub(crate) fn take(bytes: &[u8], at: u64, width: u32) -> u64 {
    if width == 0 {
        return 0;
    }
    let (first, skip) = ((at / 8) as usize, (at % 8) as u32);
    let mut word: u128 = 0;
    for i in 0..9 {
        word = word << 8 | u128::from(bytes.get(first + i).copied().unwrap_or(0));
    }
    (word << (56 + skip) >> (128 - width)) as u64
}

/// Reads a value of any width into its slots.
pub(crate) fn take_many(bytes: &[u8], at: u64, width: u32, out: &mut [u64]) {
    let mut rest = width;
    for limb in out {
        let some = rest.min(64);
        rest -= some;
        *limb = if some == 0 { 0 } else { take(bytes, at + u64::from(rest), some) };
    }
}

/// Appends bits to bytes.
pub(crate) struct Packer<'a> {
    out: &'a mut Vec<u8>,
    pending: u8,
    count: u32,
}

impl<'a> Packer<'a> {
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Packer { out, pending: 0, count: 0 }
    }

    /// Appends the low `width` bits, 64 at most; the others are 0.
    pub fn put(&mut self, value: u64, width: u32) {
        let all = u128::from(self.pending) << width | u128::from(value);
        let mut count = self.count + width;
        while count >= 8 {
            count -= 8;
            self.out.push((all >> count) as u8);
        }
        self.pending = (all & ((1 << count) - 1)) as u8;
        self.count = count;
    }

    /// Fills the last byte with zeros.
    pub fn finish(self) {
        if self.count > 0 {
            self.out.push(self.pending << (8 - self.count));
        }
    }
}

/// Calls `f` with the parts of a value, first bits first: at most 64 bits and how many they are.
#[inline(always)]
pub(crate) fn parts(slots: &[u64], slot: Slot, ty: Type, mut f: impl FnMut(u64, u32)) {
    let slot = slot as usize;
    if matches!(ty, Type::Varbit(_)) {
        let mut rest = slots[slot] as u32;
        let mut at = slot + 1;
        while rest > 0 {
            let some = rest.min(64);
            f(slots[at] >> (64 - some), some);
            rest -= some;
            at += 1;
        }
        return;
    }
    let mut width = ty.width();
    if width <= 64 {
        return f(slots[slot], width);
    }
    while width > 0 {
        let some = if width.is_multiple_of(64) { 64 } else { width % 64 };
        width -= some;
        f(slots[slot + (width / 64) as usize], some);
    }
}

/// A piece of a field in a 64-bit word of the header: where it stands in the word is where the slot's
/// bits come to when shifted up, or down when negative.
#[derive(Clone, Copy, Debug)]
struct Piece {
    slot: Slot,
    up: i8,
    /// Bits of the slot that are in this word.
    mask: u64,
}

/// A header as the parser and the deparser need it.
#[derive(Clone, Debug)]
pub(crate) struct HeaderPlan {
    pub base: Slot,
    /// Slots with the validity.
    pub len: u32,
    /// Bytes on the wire, without the varbit.
    pub bytes: u32,
    pub fields: Vec<Val>,
    /// Position of its varbit among the fields.
    pub varbit: Option<usize>,
    /// Other members of its union.
    pub peers: Vec<u32>,
    /// Pieces of the words, and where those of each word end.
    pieces: Vec<Piece>,
    words: Vec<u32>,
}

/// Bytes that must be readable behind a header for [`HeaderPlan::load`].
pub(crate) const SLACK: usize = 8;

impl HeaderPlan {
    pub fn new(layout: &HeaderLayout, peers: Vec<u32>) -> Self {
        let varbit = layout.fields.iter().position(|f| matches!(f.ty, Type::Varbit(_)));
        let bits: u32 = layout
            .fields
            .iter()
            .filter(|f| !matches!(f.ty, Type::Varbit(_)))
            .map(|f| f.width())
            .sum();
        let mut plan = HeaderPlan {
            base: layout.base,
            len: layout.len,
            bytes: bits.div_ceil(8),
            fields: layout.fields.clone(),
            varbit,
            peers,
            pieces: Vec::new(),
            words: Vec::new(),
        };
        if varbit.is_none() {
            plan.precompute(bits);
        }
        plan
    }

    fn precompute(&mut self, bits: u32) {
        let mut words: Vec<Vec<Piece>> = vec![Vec::new(); bits.div_ceil(64) as usize];
        let mut at = 0;
        for field in &self.fields {
            let end = at + field.width();
            let mut high = end;
            let mut slot = field.slot;
            while high > at {
                let low = high.saturating_sub(64).max(at);
                let all = u64::MAX >> (64 - (high - low));
                let (first, last) = (low / 64, (high - 1) / 64);
                let over = i64::from(high) - 64 * (i64::from(first) + 1);
                let mask = if over > 0 { all & u64::MAX << over } else { all };
                words[first as usize].push(Piece { slot, up: -over as i8, mask });
                if last != first {
                    let mask = all & !mask;
                    words[last as usize].push(Piece { slot, up: (64 - over) as i8, mask });
                }
                high = low;
                slot += 1;
            }
            at = end;
        }
        for word in words {
            self.pieces.extend(word);
            self.words.push(self.pieces.len() as u32);
        }
    }

    /// Takes the fields from bytes, of which [`SLACK`] more than the header's must be there. Not for
    /// headers with a varbit.
    #[inline(always)]
    pub fn load(&self, bytes: &[u8], slots: &mut [u64]) {
        if slots[self.base as usize] != 0 {
            let base = self.base as usize;
            slots[base..base + self.len as usize].fill(0);
        }
        slots[self.base as usize] = 1;
        let mut from = 0;
        let (words, _) = bytes.as_chunks::<8>();
        for (end, word) in self.words.iter().zip(words) {
            let word = u64::from_be_bytes(*word);
            for piece in &self.pieces[from..*end as usize] {
                let value = if piece.up >= 0 {
                    word.wrapping_shr(piece.up as u32)
                } else {
                    word.wrapping_shl(piece.up.unsigned_abs().into())
                };
                slots[piece.slot as usize] |= value & piece.mask;
            }
            from = *end as usize;
        }
    }

    /// Takes the fields from bytes with a varbit of `bits` bits; all of them must be there.
    pub fn load_varbit(&self, bytes: &[u8], bits: u32, slots: &mut [u64]) {
        slots[self.base as usize] = 1;
        let mut at = 0u64;
        for field in &self.fields {
            if matches!(field.ty, Type::Varbit(_)) {
                let range = field.range();
                let slots = &mut slots[range];
                slots.fill(0);
                slots[0] = u64::from(bits);
                for (i, slot) in slots.iter_mut().skip(1).enumerate() {
                    let some = bits.saturating_sub(64 * i as u32).min(64);
                    if some > 0 {
                        *slot = take(bytes, at + 64 * i as u64, some) << (64 - some);
                    }
                }
                at += u64::from(bits);
            } else {
                take_many(bytes, at, field.width(), &mut slots[field.range()]);
                at += u64::from(field.width());
            }
        }
    }

    /// Bytes on the wire as it is now.
    pub fn length(&self, slots: &[u64]) -> u32 {
        match self.varbit {
            Some(i) => self.bytes + slots[self.fields[i].slot as usize] as u32 / 8,
            None => self.bytes,
        }
    }

    /// Appends the header's bytes.
    #[inline(always)]
    pub fn store(&self, slots: &[u64], out: &mut Vec<u8>) {
        if self.varbit.is_some() {
            let mut packer = Packer::new(out);
            for field in &self.fields {
                parts(slots, field.slot, field.ty, |value, width| packer.put(value, width));
            }
            return packer.finish();
        }
        let (mut from, mut left) = (0, self.bytes as usize);
        for end in &self.words {
            let mut word = 0u64;
            for piece in &self.pieces[from..*end as usize] {
                let value = slots[piece.slot as usize];
                word |= if piece.up >= 0 {
                    value.wrapping_shl(piece.up as u32)
                } else {
                    value.wrapping_shr(piece.up.unsigned_abs().into())
                };
            }
            from = *end as usize;
            let some = left.min(8);
            if some == 8 {
                out.extend_from_slice(&word.to_be_bytes());
            } else {
                out.extend_from_slice(&word.to_be_bytes()[..some]);
            }
            left -= some;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(types: &[Type]) -> HeaderLayout {
        let mut at = 1;
        let fields = types
            .iter()
            .map(|ty| {
                let val = Val { slot: at, ty: *ty };
                at += val.len();
                val
            })
            .collect();
        HeaderLayout { base: 0, len: at, fields }
    }

    /// Whatever the widths, the slots hold what a bit-by-bit reading gives, and go back to the bytes.
    #[test]
    fn headers_are_taken_apart_and_put_together() {
        use Type::Bit;
        let shapes: [&[u32]; 6] = [
            &[48, 48, 16],
            &[4, 4, 8, 16, 16, 3, 13, 8, 8, 16, 32, 32],
            &[4, 8, 20, 16, 8, 8, 128, 128],
            &[1, 63, 64, 2, 62],
            &[3, 200, 5],
            &[7, 64, 64, 1, 1024, 24],
        ];
        for widths in shapes {
            let types: Vec<Type> = widths.iter().map(|w| Bit(*w)).collect();
            let layout = layout(&types);
            let plan = HeaderPlan::new(&layout, Vec::new());
            let count = plan.bytes as usize;
            let bytes: Vec<u8> = (0..count + SLACK).map(|i| (i * 89 + 41) as u8 ^ 0x5a).collect();
            let mut slots = vec![0; layout.len as usize];
            plan.load(&bytes, &mut slots);
            let bit = |i: u64| bytes[i as usize / 8] >> (7 - i % 8) & 1;
            let mut at = 0u64;
            for field in &layout.fields {
                let w = u64::from(field.width());
                for i in 0..w {
                    let got = slots[field.slot as usize + (i / 64) as usize] >> (i % 64) & 1;
                    assert_eq!(got, u64::from(bit(at + w - 1 - i)), "{widths:?} bit {i}");
                }
                let top = w % 64;
                if top > 0 {
                    let last = slots[field.slot as usize + (w / 64) as usize];
                    assert_eq!(last >> top, 0, "bits above the width");
                }
                at += w;
            }
            let mut out = Vec::new();
            plan.store(&slots, &mut out);
            assert_eq!(out, bytes[..count], "{widths:?}");
        }
    }

    #[test]
    fn a_varbit_keeps_its_length() {
        let layout = layout(&[Type::Bit(4), Type::Bit(12), Type::Varbit(320), Type::Bit(8)]);
        let plan = HeaderPlan::new(&layout, Vec::new());
        for length in [0u32, 8, 64, 72, 128, 320] {
            let bytes: Vec<u8> = (0..3 + length / 8).map(|i| (i * 37 + 11) as u8).collect();
            let mut slots = vec![u64::MAX; layout.len as usize];
            plan.load_varbit(&bytes, length, &mut slots);
            assert_eq!(plan.length(&slots) as usize, bytes.len());
            let mut out = Vec::new();
            plan.store(&slots, &mut out);
            assert_eq!(out, bytes);
        }
    }
}
