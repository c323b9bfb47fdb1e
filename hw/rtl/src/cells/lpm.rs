//! Longest prefix match: a search tree over the bounds of the prefixes, one level after another.

use super::Site;
use super::config::{Config, Ports};
use super::ram::ram;
use crate::pipe::{Pipe, Sig};
use restage_manifest::cell::{LpmShape, Part};

/// Whether a prefix matches, and its id.
pub(super) fn lpm(
    p: &mut Pipe,
    config: &mut Config,
    ports: &Ports,
    shape: &LpmShape,
    site: Site<'_>,
    key: Sig,
) -> (Sig, Sig) {
    let key = p.registered(key);
    let (width, fanout) = (shape.key_bits, shape.fanout);
    let mut row: Vec<Sig> = Vec::new();
    let mut leaf = None;
    for level in 0..shape.levels.len() as u32 {
        let addr = p.concat(&row.iter().copied().chain([site.epoch]).collect::<Vec<_>>());
        let name = format!("{}_level{level}", site.name);
        let node = ram(p, config, ports, Part::Level(level), &name, addr);
        let mut passed = Vec::new();
        for bound in 0..fanout - 1 {
            let at = bound * (width + 1);
            let (value, counts) = (p.slice(node, at + width - 1, at), p.bit(node, at + width));
            let reached = p.le(value, key);
            passed.push(p.and(reached, counts));
        }
        let child = last(p, &passed);
        let child = p.named(&format!("{name}_child"), child);
        row.push(child);
        leaf = Some((node, child));
    }
    let Some((node, child)) = leaf else { return (p.lit(1, 0), p.lit(shape.id_bits, 0)) };
    let bits = shape.id_bits + 1;
    let mut choices = Vec::new();
    for at in 0..fanout {
        let low = shape.bounds_bits() + at * bits;
        choices.push((u64::from(at), p.slice(node, low + bits - 1, low)));
    }
    let first = choices[0].1;
    let found = p.case(child, &choices[1..], first);
    let found = p.named(&format!("{}_leaf", site.name), found);
    (p.bit(found, shape.id_bits), p.slice(found, shape.id_bits - 1, 0))
}

/// How many of sorted bounds (one less than a power of two) are passed: the middle one says which half to ask.
fn last(p: &mut Pipe, passed: &[Sig]) -> Sig {
    let middle = passed.len() / 2;
    let (low, rest) = passed.split_at(middle);
    let (top, high) = (rest[0], &rest[1..]);
    if low.is_empty() {
        return top;
    }
    let half: Vec<Sig> = low.iter().zip(high).map(|(low, high)| p.mux(top, *high, *low)).collect();
    let below = last(p, &half);
    p.concat(&[top, below])
}
