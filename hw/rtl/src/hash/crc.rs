//! Cyclic redundancy checks: parities of bits of the input.

use super::Piece;
use super::length::Length;
use super::stream::{LENGTH, right_aligned};
use crate::pipe::{Pipe, Sig};
use restage_program::Bits;
use std::collections::BTreeSet;

/// Parameters, as the catalogue of CRCs names them.
pub(super) struct Crc {
    width: u32,
    poly: u32,
    init: u32,
    /// Whether bytes enter with their lowest bit first, and the result is turned around.
    reflected: bool,
    xorout: u32,
}

/// CRC-32/ISO-HDLC.
pub(super) const CRC32: Crc =
    Crc { width: 32, poly: 0x04c1_1db7, init: u32::MAX, reflected: true, xorout: u32::MAX };
/// CRC-16/ARC.
pub(super) const CRC16: Crc = Crc { width: 16, poly: 0x8005, init: 0, reflected: true, xorout: 0 };
/// CRC-16/IBM-3740.
pub(super) const CCITT: Crc =
    Crc { width: 16, poly: 0x1021, init: 0xffff, reflected: false, xorout: 0 };

impl Crc {
    /// The state after one more bit that is 0.
    fn step(&self, state: u32) -> u32 {
        let mask = u32::MAX >> (32 - self.width);
        let out = state >> (self.width - 1) & 1;
        (state << 1 & mask) ^ if out == 1 { self.poly } else { 0 }
    }

    fn turned(&self, state: u32) -> u32 {
        if self.reflected { state.reverse_bits() >> (32 - self.width) } else { state }
    }

    /// What is left of the state at the start after so many bits, in the result.
    fn constant(&self, bits: u32) -> u32 {
        let state = (0..bits).fold(self.init, |state, _| self.step(state));
        self.turned(state) ^ self.xorout
    }
}

/// Lengths up to which the constant of each is listed; more are reached step by step.
const LISTED: usize = 16;

/// What is left of the state at the start, for the length that there is.
fn constant(p: &mut Pipe, crc: &Crc, length: &Length) -> Sig {
    // Without a state at the start the length does not matter.
    if crc.init == 0 {
        return p.lit(crc.width, crc.constant(0).into());
    }
    let bytes: BTreeSet<u32> = length.possible.iter().map(|n| n.div_ceil(8)).collect();
    if bytes.len() <= LISTED {
        return length.choose(
            p,
            |n| n.next_multiple_of(8),
            |p, bits| p.lit(crc.width, crc.constant(bits).into()),
        );
    }
    // Entering a byte of zeros is linear, and so is entering 2^k of them.
    let seven = p.lit(LENGTH, 7);
    let bits = length.signal(p);
    let count = p.add(bits, seven);
    let most = bytes.last().copied().unwrap_or(0);
    let mut state = p.lit(crc.width, crc.init.into());
    for k in 0..u32::BITS - most.leading_zeros() {
        let mut masks = vec![0u64; crc.width as usize];
        for from in 0..crc.width {
            let to = (0..8u32 << k).fold(1 << from, |state, _| crc.step(state));
            for (bit, mask) in masks.iter_mut().enumerate() {
                *mask |= u64::from(to >> bit & 1) << from;
            }
        }
        let moved = parities(p, state, masks.iter().map(|m| Bits::new(crc.width, (*m).into())));
        let taken = p.bit(count, 3 + k);
        state = p.mux(taken, moved, state);
    }
    let turned = if crc.reflected {
        let bits: Vec<Sig> = (0..crc.width).map(|i| p.bit(state, i)).collect();
        p.concat(&bits)
    } else {
        state
    };
    let xorout = p.lit(crc.width, crc.xorout.into());
    p.xor(turned, xorout)
}

/// The parity of the bits that each mask leaves, the first one the lowest bit.
fn parities(p: &mut Pipe, of: Sig, masks: impl DoubleEndedIterator<Item = Bits>) -> Sig {
    let bits: Vec<Sig> = masks
        .rev()
        .map(|mask| {
            let mask = p.bits(&mask);
            // One step for the mask and the parity: the mask costs nothing.
            p.combine(&[of, mask], |m, n| {
                let kept = m.and(n[0], n[1]);
                m.parity(kept)
            })
        })
        .collect();
    p.concat(&bits)
}

pub(super) fn crc(p: &mut Pipe, crc: &Crc, pieces: &[Piece]) -> Sig {
    let (input, length) = right_aligned(p, pieces);
    let constant = constant(p, crc, &length);
    let Some(input) = input else { return constant };
    // What a bit contributes, by its distance from the last one that enters.
    let width = p.width(input);
    let mut masks = vec![vec![0u64; width.div_ceil(64) as usize]; crc.width as usize];
    let mut vector = crc.poly;
    for distance in 0..width.next_multiple_of(8) {
        let place = if crc.reflected { distance / 8 * 8 + 7 - distance % 8 } else { distance };
        let effect = crc.turned(vector);
        for (bit, mask) in masks.iter_mut().enumerate() {
            if effect >> bit & 1 == 1 && place < width {
                mask[place as usize / 64] |= 1 << (place % 64);
            }
        }
        vector = crc.step(vector);
    }
    let sum = parities(p, input, masks.iter().map(|mask| Bits::from_limbs(width, mask)));
    p.xor(sum, constant)
}
