//! Action profiles: from what an entry names to a member's action data.

use super::Site;
use super::config::{Config, Ports};
use super::ram::versioned;
use crate::pipe::{Pipe, Sig};
use restage_manifest::cell::{Part, ProfileShape};

/// Whether there is a member (a group may have none), and its action data. `target` is the entry's data.
pub(super) fn member(
    p: &mut Pipe,
    config: &mut Config,
    ports: &Ports,
    shape: &ProfileShape,
    site: Site<'_>,
    target: Sig,
    hash: Option<Sig>,
) -> (Sig, Sig) {
    let bits = shape.place_bits();
    let place = p.slice(target, bits - 1, 0);
    let (some, place) = if shape.hash_bits == 0 {
        (p.lit(1, 1), place)
    } else {
        let hash = hash.unwrap_or_else(|| {
            p.refuse(format!("table {} has a selector and is given no hash", site.name));
            p.lit(shape.hash_bits, 0)
        });
        let hash = p.resize(hash, shape.hash_bits);
        let title = format!("{}_group", site.name);
        let group = versioned(p, config, ports, Part::Group, &title, place, site.epoch);
        let (count, chosen) = choose(p, shape, group, hash);
        let title = format!("{}_choice", site.name);
        let choice = versioned(p, config, ports, Part::Choice, &title, chosen, site.epoch);
        let is_group = p.bit(target, bits);
        let any = p.any(count);
        let single = p.not(is_group);
        (p.or(single, any), p.mux(is_group, choice, place))
    };
    let title = format!("{}_member", site.name);
    let data = versioned(p, config, ports, Part::Member, &title, place, site.epoch);
    (some, data)
}

/// The number of choices, and the row of the chosen one: the group's first plus the hash modulo the number.
///
/// The stored reciprocal is `ceil(2^s / n)`, `s` being the bits of hash and number together. It is too large by less
/// than `1`, so its product with a hash below `2^hash` is too large by less than `2^hash`, and `n` times that is
/// less than `2^s`: the quotient is exact.
fn choose(p: &mut Pipe, shape: &ProfileShape, group: Sig, hash: Sig) -> (Sig, Sig) {
    let (count_bits, first_bits) = (shape.count_bits(), shape.first_bits());
    let count = p.slice(group, count_bits - 1, 0);
    let first = p.slice(group, count_bits + first_bits - 1, count_bits);
    let reciprocal = p.slice(group, shape.group_bits() - 1, count_bits + first_bits);
    let shift = shape.hash_bits + count_bits;
    let product = p.mul(reciprocal, hash);
    // Modulo 2^count_bits is enough: the rest is below the number.
    let top = p.width(product).min(shift + count_bits) - 1;
    let quotient = p.slice(product, top, shift);
    let quotient = p.resize(quotient, count_bits);
    let whole = p.mul(quotient, count);
    let whole = p.slice(whole, count_bits - 1, 0);
    let hash = p.resize(hash, count_bits);
    let rest = p.sub(hash, whole);
    let wide = first_bits.max(count_bits);
    let (first, rest) = (p.resize(first, wide), p.resize(rest, wide));
    let row = p.add(first, rest);
    (count, p.resize(row, first_bits))
}
