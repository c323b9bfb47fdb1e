//! Hashes and checksums of lists of values, as the golden model computes them.
//!
//! The input is the concatenation of the items that are present, without gaps; zeros are added behind it
//! to whole bytes, for sums to whole 16-bit words. CRCs are linear: once the items that are there have
//! moved together ([`stream`]), every bit of the result is the parity of some bits of the input and of
//! a constant that depends on the length only. Sums are made of words in place: that an item is
//! missing turns the words behind it at most.

mod crc;
mod fold;
mod length;
mod stream;

use crate::pipe::{Pipe, Sig};
use restage_program::Bits;
use restage_program::program::HashAlgorithm;

/// A member of what is hashed.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    /// Its bits.
    pub value: Sig,
    /// Whether it is there; always if `None`.
    pub present: Option<Sig>,
    /// For a varbit: how many of its bytes are there, from the most significant end. No more than it has.
    pub bytes: Option<Sig>,
}

impl Item {
    /// A value that is always there.
    pub fn new(value: Sig) -> Self {
        Item { value, present: None, bytes: None }
    }

    /// A value that is there when a bit is 1.
    pub fn when(value: Sig, present: Sig) -> Self {
        Item { value, present: Some(present), bytes: None }
    }
}

/// Bits that are there all together or not at all.
#[derive(Clone, Copy, Debug)]
struct Piece {
    value: Sig,
    present: Option<Sig>,
}

/// The hash of a list, as wide as the algorithm makes it.
///
/// `behind` is for `Csum16` only, which ignores nothing else: the sum of 16-bit words, carries folded in,
/// of bytes that follow the items (a payload). It begins at the next whole byte.
#[track_caller]
pub fn hash(p: &mut Pipe, algorithm: HashAlgorithm, items: &[Item], behind: Option<Sig>) -> Sig {
    if behind.is_some() && algorithm != HashAlgorithm::Csum16 {
        p.refuse(format!("{algorithm:?} over a payload; only sums of 16-bit words can have one"));
    }
    let pieces = pieces(p, items);
    match algorithm {
        HashAlgorithm::Crc32 => crc::crc(p, &crc::CRC32, &pieces),
        HashAlgorithm::Crc16 => crc::crc(p, &crc::CRC16, &pieces),
        HashAlgorithm::CrcCcitt => crc::crc(p, &crc::CCITT, &pieces),
        HashAlgorithm::Csum16 => fold::checksum(p, &pieces, behind),
        HashAlgorithm::Xor16 => fold::xor(p, &pieces),
        HashAlgorithm::Identity => stream::first_64(p, &pieces),
        HashAlgorithm::Custom(crc) => {
            p.refuse(format!(
                "{crc:?}: a CRC whose parameters are set at run time; use a fixed one"
            ));
            p.lit(32, 0)
        }
    }
}

/// Items as pieces of fixed size. A varbit becomes pieces of 2^k bytes, each there when that bit of the
/// number of its bytes is set; neighbours with the same condition become one.
fn pieces(p: &mut Pipe, items: &[Item]) -> Vec<Piece> {
    let mut list: Vec<Piece> = Vec::new();
    for item in items {
        match item.bytes {
            None => push(p, &mut list, Piece { value: item.value, present: item.present }),
            Some(bytes) => varbit(p, &mut list, item, bytes),
        }
    }
    list
}

fn push(p: &mut Pipe, list: &mut Vec<Piece>, piece: Piece) {
    let never = piece.present.and_then(|s| p.constant(s)).is_some_and(Bits::is_zero);
    if never {
        return;
    }
    let present = piece.present.filter(|s| p.constant(*s).is_none());
    match list.last_mut() {
        Some(last) if last.present == present => {
            last.value = p.concat(&[last.value, piece.value]);
        }
        _ => list.push(Piece { value: piece.value, present }),
    }
}

fn varbit(p: &mut Pipe, list: &mut Vec<Piece>, item: &Item, bytes: Sig) {
    let width = p.width(item.value);
    let mut rest = item.value;
    for k in (0..p.width(bytes)).rev() {
        let Some(size) = 8u32.checked_shl(k).filter(|size| *size <= width) else { continue };
        let set = p.bit(bytes, k);
        let present = match item.present {
            Some(present) => p.and(present, set),
            None => set,
        };
        let value = p.slice(rest, width - 1, width - size);
        push(p, list, Piece { value, present: Some(present) });
        let moved = p.shl_const(rest, size);
        rest = p.mux(set, moved, rest);
    }
}
