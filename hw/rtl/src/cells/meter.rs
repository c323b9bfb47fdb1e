//! Meters: two rates and three colours, the same bits as the golden model's.
//!
//! A packet's tokens depend on the packet before it, so refilling and paying must take one clock, and the tokens have
//! 104 bits. That works because the memory holds what is *missing* of a full bucket. Then refilling is a
//! subtraction that stops at 0, paying an addition, and whether a packet can be paid is a comparison of what was
//! missing before the refill with a number that does not depend on it:
//!
//! ```text
//! missing' = max(0, missing - more) + cost      if missing <= more + (burst - cost)
//! ```
//!
//! What is on the right besides `missing` is pipelined. The time of the last refill is a memory of its own,
//! read and written some clocks earlier.

use super::Site;
use super::config::{Config, Ports};
use super::ram::ram;
use super::rmw::{Class, Rmw, address, rmw};
use crate::net::Net;
use crate::pipe::{Pipe, Sig};
use restage_manifest::cell::{MeterShape, Part, Parts};
use restage_program::program::Unit;

const TOKENS: u32 = MeterShape::TOKENS;
const PLACES: u32 = MeterShape::PLACES;
const NUMBER: u32 = MeterShape::NUMBER;

/// An array of meters; gives the colour, 2 bits: 0 green, 1 yellow, 2 red. Green without a guard or when the
/// index, of any width, is out of range.
pub fn meter(
    p: &mut Pipe,
    config: &mut Config,
    shape: &MeterShape,
    site: Site<'_>,
    guard: Sig,
    index: Sig,
    length: Sig,
) -> (Sig, Ports) {
    p.section(format!("meter {}", site.name));
    let ports = config.cell(&shape.parts());
    let colour =
        metered(p, config, &ports, site, Metered { unit: shape.unit, guard, index, length });
    (colour, ports)
}

/// What is metered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Metered {
    pub unit: Unit,
    pub guard: Sig,
    pub index: Sig,
    pub length: Sig,
}

/// One bucket's part of the operation, without what is missing.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// Tokens that came.
    more: Sig,
    /// `more - cost`, modulo.
    less: Sig,
    /// `more + burst - cost`, or all ones if that is more.
    limit: Sig,
    /// Whether `cost` is at most `burst`.
    possible: Sig,
}

/// A meter whose memories are `ports`'.
pub(super) fn metered(
    p: &mut Pipe,
    config: &mut Config,
    ports: &Ports,
    site: Site<'_>,
    input: Metered,
) -> Sig {
    let Metered { unit, guard, index, length } = input;
    let cost = match unit {
        Unit::Packets => p.lit(NUMBER, 1),
        Unit::Bytes | Unit::Both => p.resize(length, NUMBER),
    };
    let (row, in_range) = address(p, index, ports.shape(Part::Rates).rows);
    let title = format!("{}_rates", site.name);
    let rates = ram(p, config, ports, Part::Rates, &title, row);
    let mut active = p.bit(rates, 4 * NUMBER);
    active = p.and(active, guard);
    if let Some(in_range) = in_range {
        active = p.and(active, in_range);
    }

    let title = format!("{}_filled", site.name);
    let (packet, class) = (site.packet, Class::Filled);
    let (name, what, part) = (&title, &title, Part::Filled);
    let cell = Rmw { name, what, ports, part, packet, index, class };
    let at = rmw(p, config, &cell, &[guard, site.time], |p, old, rest| {
        let later = p.lt(old, rest[1]);
        (p.and(rest[0], later), rest[1])
    });
    let passed = p.sub(site.time, at);
    let back = p.lt(site.time, at);
    let forward = p.not(back);
    let gate = p.repeat(forward, restage_manifest::socket::TIME_BITS);
    let passed = p.and(passed, gate);

    let number = |p: &mut Pipe, at: u32| p.slice(rates, (at + 1) * NUMBER - 1, at * NUMBER);
    let mut buckets = Vec::new();
    for half in [0, 2] {
        let (burst, rate) = (number(p, half), number(p, half + 1));
        buckets.push(bucket(p, burst, rate, passed, cost));
    }
    let zero = p.lit(PLACES, 0);
    let cost = p.concat(&[cost, zero]);
    let mut operands = vec![active, cost];
    for b in &buckets {
        operands.extend([b.more, b.less, b.limit, b.possible]);
    }
    let operands: Vec<Sig> = operands.into_iter().map(|o| p.registered(o)).collect();

    let title = format!("{}_missing", site.name);
    let (name, what, part) = (&title, &title, Part::Missing);
    let class = Class::Missing(unit);
    let cell = Rmw { name, what, ports, part, packet, index, class };
    let mut paid = None;
    rmw(p, config, &cell, &operands, |p, old, rest| {
        let nets: Vec<Net> = rest.iter().map(|s| s.net()).collect();
        let (missing, m) = (old.net(), p.module());
        let step = |m: &mut crate::Module, at: u32, of: &[Net]| {
            let missing = m.slice(missing, (at + 1) * TOKENS - 1, at * TOKENS);
            let filled = m.sub(missing, of[0]);
            let full = m.lt(missing, of[0]);
            let after = m.sub(missing, of[1]);
            let fits = m.le(missing, of[2]);
            let pays = m.and(fits, of[3]);
            let empty = m.bits(&restage_program::Bits::zero(TOKENS));
            (pays, m.mux(full, empty, filled), m.mux(full, nets[1], after))
        };
        let (committed_pays, committed_kept, committed_paid) = step(m, 0, &nets[2..6]);
        let (peak_pays, peak_kept, peak_paid) = step(m, 1, &nets[6..10]);
        let green = m.and(peak_pays, committed_pays);
        let committed = m.mux(green, committed_paid, committed_kept);
        let peak = m.mux(peak_pays, peak_paid, peak_kept);
        let new = m.concat(&[peak, committed]);
        let cycle = old.cycle();
        paid = Some((p.sig(peak_pays, cycle), p.sig(green, cycle)));
        (rest[0], p.sig(new, cycle))
    });
    let Some((peak, green)) = paid else { return p.lit(2, 0) };
    let (peak, green) = (p.registered(peak), p.registered(green));
    let (not_peak, not_green) = (p.not(peak), p.not(green));
    let red = p.and(not_peak, active);
    let yellow = p.and(peak, not_green);
    let yellow = p.and(yellow, active);
    p.concat(&[red, yellow])
}

fn bucket(p: &mut Pipe, burst: Sig, rate: Sig, passed: Sig, cost: Sig) -> Bucket {
    let product = p.mul(rate, passed);
    let top = p.width(product) - 1;
    let beyond = p.slice(product, top, TOKENS);
    let more = p.slice(product, TOKENS - 1, 0);
    let more = at_most(p, beyond, more);
    let more = p.registered(more);
    let (low, high) = (p.slice(more, PLACES - 1, 0), p.slice(more, TOKENS - 1, PLACES));
    let less = p.sub(high, cost);
    let less = p.concat(&[less, low]);
    let room = p.sub(burst, cost);
    let possible = p.le(cost, burst);
    let (wide, room) = (p.zext(high, NUMBER + 1), p.zext(room, NUMBER + 1));
    let sum = p.add(wide, room);
    let beyond = p.bit(sum, NUMBER);
    let sum = p.slice(sum, NUMBER - 1, 0);
    let limit = p.concat(&[sum, low]);
    let limit = at_most(p, beyond, limit);
    Bucket { more, less, limit, possible }
}

/// All ones if anything is beyond: what is missing is never more.
fn at_most(p: &mut Pipe, beyond: Sig, value: Sig) -> Sig {
    let beyond = p.any(beyond);
    let width = p.width(value);
    let ones = p.repeat(beyond, width);
    p.or(ones, value)
}
