//! The pieces that are there, moved together.

use super::Piece;
use super::length::Length;
use crate::pipe::{Pipe, Sig};
use restage_program::Bits;

/// Bits of a length: a list of the widest values fits by far.
pub(super) const LENGTH: u32 = 20;

/// All of it with the last bit at the bottom, filled with zeros to whole bytes below, and its length in
/// bits before that.
pub(super) fn right_aligned(p: &mut Pipe, pieces: &[Piece]) -> (Option<Sig>, Length) {
    let mut length = Length::zero(LENGTH);
    // For the padding only the length modulo 8 matters.
    let mut in_byte = Length::zero(3);
    let mut all: Option<Sig> = None;
    for piece in pieces {
        length.add(p, piece);
        in_byte.add(p, piece);
        let joined = match all {
            Some(before) => p.concat(&[before, piece.value]),
            None => piece.value,
        };
        all = Some(match (piece.present, all) {
            (None, _) => joined,
            (Some(present), Some(before)) => {
                let width = p.width(joined);
                let before = p.zext(before, width);
                p.mux(present, joined, before)
            }
            (Some(present), None) => gated(p, present, piece.value),
        });
    }
    let all = all.map(|all| {
        in_byte.choose(
            p,
            |n| n.wrapping_neg() & 7,
            |p, pad| {
                // As wide for every padding.
                let width = p.width(all) + 7;
                let wide = p.zext(all, width);
                p.shl_const(wide, pad)
            },
        )
    });
    (all, length)
}

/// The value, or 0.
pub(super) fn gated(p: &mut Pipe, present: Sig, value: Sig) -> Sig {
    let width = p.width(value);
    let gate = p.repeat(present, width);
    p.and(gate, value)
}

/// The first 64 bits as a number; of a shorter input all bytes.
pub(super) fn first_64(p: &mut Pipe, pieces: &[Piece]) -> Sig {
    let mut length = Length::zero(LENGTH);
    // The highest bits first; pieces are put before it from the last one on.
    let mut first = p.bits(&Bits::zero(64));
    for piece in pieces.iter().rev() {
        length.add(p, piece);
        let width = p.width(piece.value) + 64;
        let joined = p.concat(&[piece.value, first]);
        let joined = p.slice(joined, width - 1, width - 64);
        first = match piece.present {
            Some(present) => p.mux(present, joined, first),
            None => joined,
        };
    }
    length.choose(p, |n| 64 - n.next_multiple_of(8).min(64), |p, by| p.shr_const(first, by))
}
