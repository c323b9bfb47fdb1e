//! Random numbers: Marsaglia's xorshift, the same numbers as the golden model's.

use super::Site;
use super::config::{Config, Ports};
use crate::net::Drive;
use crate::pipe::{Pipe, Sig};
use restage_manifest::cell::{Part, Parts, RandomShape};

/// Bits of the generator.
const STATE: u32 = 64;

/// A random number between two of the same width, both included; low when it is above high. The generator makes a
/// step for each packet with a guard. One generator for each call.
pub fn random(
    p: &mut Pipe,
    config: &mut Config,
    shape: &RandomShape,
    site: Site<'_>,
    guard: Sig,
    low: Sig,
    high: Sig,
) -> (Sig, Ports) {
    p.section(format!("random {}", site.name));
    let ports = config.cell(&shape.parts());
    let wanted = p.width(low);
    let width = wanted.min(STATE);
    let (low, high) = (p.resize(low, width), p.resize(high, width));

    let steps = p.and(guard, site.packet);
    let steps = p.registered(steps);
    let packet = p.at(site.packet, steps.cycle());
    let host = config.live(p, &ports, Part::Seed, packet);
    let m = p.module();
    let state = m.reg(&format!("{}_state", site.name), STATE);
    let mut next = state.q();
    for (up, by) in [(true, 13), (false, 7), (true, 17)] {
        let moved = if up { m.shl_const(next, by) } else { m.shr_const(next, by) };
        next = m.xor(next, moved);
    }
    // A generator at 0 would stay there.
    let zero = m.bits(&restage_program::Bits::zero(STATE));
    let stuck = m.eq(host.data, zero);
    let one = m.lit(STATE, 1);
    let seed = m.mux(stuck, one, host.data);
    let written = m.and(host.issue, host.write);
    let next = m.mux(written, seed, next);
    let change = m.or(written, steps.net());
    m.drive(state, next, Drive::when(change));
    config.answer(host.issue, state.q(), None);
    let drawn = p.sig(state.q(), steps.cycle() + 1);

    let (wide_low, wide_high) = (p.zext(low, width + 1), p.zext(high, width + 1));
    let span = p.sub(wide_high, wide_low);
    let one = p.lit(width + 1, 1);
    let count = p.add(span, one);
    let scaled = p.mul(drawn, count);
    let scaled = p.slice(scaled, STATE + width - 1, STATE);
    let number = p.add(low, scaled);
    let backwards = p.lt(high, low);
    let number = p.mux(backwards, low, number);
    (p.resize(number, wanted), ports)
}
