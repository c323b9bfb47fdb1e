//! Shifts by a signal: two bits of the distance at a time, each a multiplexer of four.

use crate::pipe::{Pipe, Sig};
use restage_program::Bits;

/// `a << by`: 0 when `by` is the width or more.
pub(crate) fn left(p: &mut Pipe, a: Sig, by: Sig) -> Sig {
    let zero = p.lit(1, 0);
    let reversed = reverse(p, a);
    let moved = right(p, reversed, by, zero);
    reverse(p, moved)
}

/// `a >> by`, filled with the one bit `fill`, which is all that is left when `by` is the width or more.
pub(crate) fn right(p: &mut Pipe, a: Sig, by: Sig, fill: Sig) -> Sig {
    let (width, size) = (p.width(a), p.width(by));
    // Bits of the distance that do not shift everything out by themselves.
    let useful = (u32::BITS - (width - 1).leading_zeros()).min(size);
    let mut moved = a;
    let mut bit = 0;
    while bit < useful {
        let count = (useful - bit).min(2);
        let sel = p.slice(by, bit + count - 1, bit);
        let stay = moved;
        let choices: Vec<(u64, Sig)> =
            (1..1u64 << count).map(|n| (n, down(p, stay, (n as u32) << bit, fill))).collect();
        moved = p.case(sel, &choices, stay);
        bit += count;
    }
    if size > useful {
        let high = p.slice(by, size - 1, useful);
        let out = p.any(high);
        let nothing = p.repeat(fill, width);
        moved = p.mux(out, nothing, moved);
    }
    moved
}

/// Moved down by a constant.
fn down(p: &mut Pipe, a: Sig, by: u32, fill: Sig) -> Sig {
    let width = p.width(a);
    if by >= width {
        return p.repeat(fill, width);
    }
    let kept = p.slice(a, width - 1, by);
    let filling = p.repeat(fill, by);
    p.concat(&[filling, kept])
}

/// The bits in the opposite order.
fn reverse(p: &mut Pipe, a: Sig) -> Sig {
    if let Some(bits) = p.constant(a) {
        let width = bits.width();
        let mut limbs = vec![0u64; bits.limbs().len()];
        for i in bits.as_bitslice().iter_ones() {
            let to = width as usize - 1 - i;
            limbs[to / 64] |= 1 << (to % 64);
        }
        return p.bits(&Bits::from_limbs(width, &limbs));
    }
    let bits: Vec<Sig> = (0..p.width(a)).map(|i| p.bit(a, i)).collect();
    p.concat(&bits)
}
