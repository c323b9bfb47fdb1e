//! The sum of a packet, taken while its beats go by.

use super::kit::later;
use super::shape::Shape;
use crate::net::{Module, Net};

/// Clocks from a packet's last beat to its sum.
pub(super) fn clocks(shape: Shape<'_>) -> u32 {
    (shape.lane() - 1).div_ceil(2) + 1
}

/// The sum of all 16-bit words of a packet, [`clocks`] after the packet's last beat, in a register. Beats are
/// zero behind the end; an odd last byte is the upper half of a word.
pub(super) fn packet_sum(m: &mut Module, valid: Net, first: Net, beat: Net) -> Net {
    m.section("sum of the packet");
    let mut sums: Vec<Net> = (0..m.width(beat) / 16)
        .map(|i| {
            let upper = m.slice(beat, 16 * i + 7, 16 * i);
            let lower = m.slice(beat, 16 * i + 15, 16 * i + 8);
            m.concat(&[upper, lower])
        })
        .collect();
    let mut clocks = 0;
    while sums.len() > 1 {
        let half = pairs(m, &sums);
        sums = pairs(m, &half);
        sums = sums.into_iter().map(|s| m.delay(s, 1)).collect();
        clocks += 1;
    }
    let here = later(m, "sum_valid", valid, clocks);
    let first = m.delay(first, clocks);
    let total = m.reg("sum_total", 32);
    let part = m.zext(sums[0], 32);
    let more = m.add(total.q(), part);
    let next = m.mux(first, part, more);
    m.drive(total, next, crate::net::Drive::when(here));
    total.q()
}

/// Neighbours added; the widths grow by a bit.
fn pairs(m: &mut Module, sums: &[Net]) -> Vec<Net> {
    sums.chunks(2)
        .map(|pair| {
            let width = m.width(pair[0]) + 1;
            let wide: Vec<Net> = pair.iter().map(|s| m.zext(*s, width)).collect();
            if wide.len() == 2 { m.add(wide[0], wide[1]) } else { wide[0] }
        })
        .collect()
}
