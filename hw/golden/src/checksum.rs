//! Hashes and checksums of lists of values.
//!
//! A list is the concatenation of its values without gaps; zeros fill the last byte, and the last 16-bit
//! word of a sum. A sum is added up field by field, each shifted to its place in the word: that is what
//! the one's complement sum of the concatenation comes to. Everything else is packed into bytes first.

use crate::crc::CustomCrc;
use crate::layout::{Slot, Val};
use crate::wire::{Packer, parts};
use crc::{CRC_16_ARC, CRC_16_IBM_3740, CRC_32_ISO_HDLC, Crc};
use restage_program::Type;
use restage_program::entity::Entity;
use restage_program::program::HashAlgorithm;

static CRC32: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);
static CRC16: Crc<u16> = Crc::<u16>::new(&CRC_16_ARC);
static CCITT: Crc<u16> = Crc::<u16>::new(&CRC_16_IBM_3740);

/// A member of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Listed {
    /// A value.
    Value(Val),
    /// A field, left out unless this slot is set.
    Guarded(Slot, Val),
    /// A field of the header whose base is in a slot, left out when that is invalid.
    Found { base: Slot, offset: u32, ty: Type },
}

/// A list, and how to sum it in the common case that nothing is left out.
#[derive(Clone, Debug)]
pub(crate) struct List {
    items: Vec<Listed>,
    /// What must be set for [`terms`](Self::terms) to hold.
    guards: Vec<Slot>,
    /// Slots and how far each is shifted in the 16-bit word; empty when that depends on the packet.
    terms: Vec<(Slot, u32)>,
    /// Bits of all terms.
    width: u32,
}

impl List {
    pub fn new(items: Vec<Listed>) -> Self {
        let mut list = List { items, guards: Vec::new(), terms: Vec::new(), width: 0 };
        for item in &list.items {
            let val = match *item {
                Listed::Value(val) => val,
                Listed::Guarded(valid, val) => {
                    if !list.guards.contains(&valid) {
                        list.guards.push(valid);
                    }
                    val
                }
                Listed::Found { .. } => return List { terms: Vec::new(), ..list },
            };
            if matches!(val.ty, Type::Varbit(_)) {
                return List { terms: Vec::new(), ..list };
            }
            list.width += val.width();
            let shift = list.width.wrapping_neg() & 15;
            list.terms.extend((val.slot..val.slot + val.len()).map(|slot| (slot, shift)));
        }
        list
    }

    /// Sum and width, if nothing is left out.
    #[inline(always)]
    fn sum(&self, slots: &[u64]) -> Option<(u64, u32)> {
        if self.terms.is_empty() || self.guards.iter().any(|g| slots[*g as usize] == 0) {
            return None;
        }
        // Each term is below 2^48, and there are far fewer than 2^16 of them.
        let term = |(slot, shift): &(Slot, u32)| {
            let value = slots[*slot as usize];
            ((value & 0xffff_ffff) << shift) + ((value >> 32) << shift)
        };
        Some((self.terms.iter().map(term).sum(), self.width))
    }
}

/// Calls `f` with all bits of a list, first ones first, at most 64 at a time.
#[inline(always)]
fn each(items: &[Listed], slots: &[u64], mut f: impl FnMut(u64, u32)) {
    for item in items {
        match *item {
            Listed::Value(val) => parts(slots, val.slot, val.ty, &mut f),
            Listed::Guarded(valid, val) => {
                if slots[valid as usize] != 0 {
                    parts(slots, val.slot, val.ty, &mut f);
                }
            }
            Listed::Found { base, offset, ty } => {
                let base = slots[base as usize] as Slot;
                if slots[base as usize] != 0 {
                    parts(slots, base + offset, ty, &mut f);
                }
            }
        }
    }
}

/// The hash of a list and of what follows it. `scratch` is for packing.
pub(crate) fn hash(
    algorithm: HashAlgorithm,
    crcs: &[CustomCrc],
    list: &List,
    slots: &[u64],
    payload: &[u8],
    scratch: &mut Vec<u8>,
) -> u64 {
    if algorithm == HashAlgorithm::Csum16 {
        return csum16(list, slots, payload).into();
    }
    scratch.clear();
    let mut packer = Packer::new(scratch);
    each(&list.items, slots, |value, width| packer.put(value, width));
    packer.finish();
    scratch.extend_from_slice(payload);
    hash_bytes(algorithm, crcs, scratch)
}

/// The hash of bytes.
fn hash_bytes(algorithm: HashAlgorithm, crcs: &[CustomCrc], bytes: &[u8]) -> u64 {
    match algorithm {
        HashAlgorithm::Crc32 => CRC32.checksum(bytes).into(),
        HashAlgorithm::Crc16 => CRC16.checksum(bytes).into(),
        HashAlgorithm::CrcCcitt => CCITT.checksum(bytes).into(),
        HashAlgorithm::Csum16 => finish(sum_bytes(bytes)).into(),
        HashAlgorithm::Xor16 => words(bytes).fold(0, |a, w| a ^ w),
        HashAlgorithm::Identity => {
            bytes.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
        }
        HashAlgorithm::Custom(crc) => crcs[crc.index()].checksum(bytes),
    }
}

/// CRC-32 of values, packed: what maps choose their buckets by.
pub(crate) fn crc32_of(values: &[Val], slots: &[u64], scratch: &mut Vec<u8>) -> u32 {
    scratch.clear();
    let mut packer = Packer::new(scratch);
    for val in values {
        parts(slots, val.slot, val.ty, |value, width| packer.put(value, width));
    }
    packer.finish();
    CRC32.checksum(scratch)
}

/// 16-bit words of bytes, the last one filled with zeros.
fn words(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes.chunks(2).map(|pair| match pair {
        [high, low] => u64::from(*high) << 8 | u64::from(*low),
        [high] => u64::from(*high) << 8,
        _ => 0,
    })
}

fn sum_bytes(bytes: &[u8]) -> u64 {
    words(bytes).sum()
}

fn finish(mut sum: u64) -> u16 {
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[inline(always)]
fn csum16(list: &List, slots: &[u64], payload: &[u8]) -> u16 {
    let (mut sum, at) = list.sum(slots).unwrap_or_else(|| {
        let (mut sum, mut at) = (0u64, 0u32);
        each(&list.items, slots, |value, width| {
            // Shifting by s multiplies by 2^s, and 2^16 is 1 in this arithmetic.
            at = at.wrapping_add(width);
            let shift = at.wrapping_neg() & 15;
            sum += ((value & 0xffff_ffff) << shift) + ((value >> 32) << shift);
            sum = (sum & 0xffff_ffff_ffff) + (sum >> 48);
        });
        (sum, at)
    });
    if !payload.is_empty() {
        let rest = finish_open(sum_bytes(payload));
        // The payload begins at a byte; at an odd one its words are turned.
        let odd = at.div_ceil(8) & 1 == 1;
        sum += u64::from(if odd { rest.rotate_left(8) } else { rest });
    }
    finish(sum)
}

fn finish_open(sum: u64) -> u16 {
    !finish(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use HashAlgorithm::*;

    /// Check values of the CRC catalogue, and the checksum of RFC 1071's example.
    #[test]
    fn published_check_values() {
        let digits = b"123456789";
        assert_eq!(hash_bytes(Crc32, &[], digits), 0xcbf4_3926);
        assert_eq!(hash_bytes(Crc16, &[], digits), 0xbb3d);
        assert_eq!(hash_bytes(CrcCcitt, &[], digits), 0x29b1);
        let rfc1071 = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(hash_bytes(Csum16, &[], &rfc1071), u64::from(!0xddf2u16));
        assert_eq!(hash_bytes(Xor16, &[], &[0x12, 0x34, 0xff]), 0x1234 ^ 0xff00);
        assert_eq!(hash_bytes(Identity, &[], digits), 0x3132_3334_3536_3738);
        assert_eq!(hash_bytes(Identity, &[], &[1, 2]), 0x102);
        assert_eq!(hash_bytes(Csum16, &[], &[]), 0xffff);
    }

    /// The sum over fields is the sum over the packed bytes, whatever the widths and the payload.
    #[test]
    fn sums_of_fields_are_sums_of_bytes() {
        let mut state = 7u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        for round in 0..2000 {
            let mut slots = vec![0u64; 64];
            let mut items = Vec::new();
            for i in 0..next() % 9 {
                let width = [1, 3, 4, 8, 13, 16, 32, 48, 64, 128, 100][next() as usize % 11];
                let slot = i as u32 * 4;
                let ones = next().is_multiple_of(4);
                for limb in 0..2u32 {
                    let some = u32::saturating_sub(width, 64 * limb).min(64);
                    let mask = if some == 0 { 0 } else { u64::MAX >> (64 - some) };
                    slots[(slot + limb) as usize] = if ones { mask } else { next() & mask };
                }
                items.push(Listed::Value(Val { slot, ty: Type::Bit(width) }));
            }
            let payload: Vec<u8> = (0..next() % 5).map(|_| next() as u8).collect();
            let mut scratch = Vec::new();
            let list = List::new(items.clone());
            let got = hash(Csum16, &[], &list, &slots, &payload, &mut scratch);
            let slow = List { terms: Vec::new(), ..list };
            assert_eq!(got, hash(Csum16, &[], &slow, &slots, &payload, &mut scratch));
            scratch.clear();
            let mut packer = Packer::new(&mut scratch);
            each(&items, &slots, |v, w| packer.put(v, w));
            packer.finish();
            scratch.extend_from_slice(&payload);
            assert_eq!(got, hash_bytes(Csum16, &[], &scratch), "round {round} {items:?}");
        }
    }
}
