//! Bytes of packets in their places of beats.

use super::shape::{SIZE_BITS, Shape};
use crate::net::{Module, Net};

/// How many of `bytes` are in the beat with this index: 0 to all of it.
pub(super) fn rest(m: &mut Module, shape: Shape<'_>, bytes: Net, index: Net) -> Net {
    let lane = shape.lane();
    let whole = m.slice(bytes, SIZE_BITS - 1, lane);
    let index = m.slice(index, m.width(whole) - 1, 0);
    let more = m.lt(index, whole);
    let same = m.eq(index, whole);
    let part = m.slice(bytes, lane - 1, 0);
    let part = m.zext(part, lane + 1);
    let all = m.lit(lane + 1, u64::from(shape.config.data_bytes));
    let none = m.lit(lane + 1, 0);
    let part = m.mux(same, part, none);
    m.mux(more, all, part)
}

/// One bit for each of the first bytes of a beat.
pub(super) fn first_bytes(m: &mut Module, count: Net, bytes: u32) -> Net {
    let width = m.width(count);
    let bits: Vec<Net> = (0..bytes)
        .rev()
        .map(|i| {
            let i = m.lit(width, i.into());
            m.lt(i, count)
        })
        .collect();
    m.concat(&bits)
}

/// Each bit eight times.
pub(super) fn each_byte(m: &mut Module, bits: Net) -> Net {
    let bytes: Vec<Net> = (0..m.width(bits))
        .rev()
        .map(|i| {
            let bit = m.bit(bits, i);
            m.repeat(bit, 8)
        })
        .collect();
    m.concat(&bytes)
}

/// Moves bytes down by the upper bits of `shift`, at most `steps` times two of them, and keeps what later
/// moves by the rest can need. Gives the rest of the shift too.
pub(super) fn move_down(
    m: &mut Module,
    data: Net,
    shift: Net,
    bits: u32,
    steps: u32,
    beat: u32,
) -> (Net, Net) {
    let (mut data, mut bits) = (data, bits);
    for _ in 0..steps {
        if bits == 0 {
            break;
        }
        let taken = bits.min(2);
        bits -= taken;
        let unit = 8 << bits;
        let want = beat + unit - 8;
        let choice = m.slice(shift, bits + taken - 1, bits);
        let width = m.width(data);
        let values: Vec<Net> = (0..1 << taken)
            .map(|i| {
                let low = i * unit;
                let high = (low + want).min(width);
                let part = m.slice(data, high - 1, low);
                m.zext(part, want)
            })
            .collect();
        let arms: Vec<(u64, Net)> =
            values.iter().enumerate().map(|(i, v)| (i as u64, *v)).collect();
        data = m.case(choice, &arms[..arms.len() - 1], values[values.len() - 1]);
    }
    let rest = if bits == 0 { m.lit(1, 0) } else { m.slice(shift, bits - 1, 0) };
    (data, rest)
}
