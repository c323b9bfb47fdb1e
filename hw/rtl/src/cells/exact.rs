//! Exact match: all ways of a cuckoo table and the stash at once.

use super::Site;
use super::config::{Config, Ports};
use super::ram::{ram, registers};
use crate::pipe::{Pipe, Sig};
use restage_manifest::cell::{ExactShape, Part, bits_for, hash_mask};

/// Bits of a key whose parity is taken without a register between.
const SLAB: u32 = 192;

/// Whether the key is there, and its id (0 if not).
pub(super) fn exact(
    p: &mut Pipe,
    config: &mut Config,
    ports: &Ports,
    shape: &ExactShape,
    site: Site<'_>,
    key: Sig,
) -> (Sig, Sig) {
    let key = p.registered(key);
    let mut found = Vec::new();
    let stash = format!("{}_stash", site.name);
    for (at, register) in registers(p, config, ports, Part::Stash, &stash).iter().enumerate() {
        let slot = p.sig(register.q(), key.cycle());
        let (hit, id) = compare(p, shape, slot, key, site.epoch);
        found.push((p.named(&format!("{stash}_{at}_hit"), hit), id));
    }
    for way in 0..shape.ways {
        let bits: Vec<Sig> =
            (0..bits_for(shape.depth)).rev().map(|bit| hash(p, shape, key, way, bit)).collect();
        let name = format!("{}_way{way}", site.name);
        let addr = p.concat(&bits);
        let addr = p.named(&format!("{name}_hash"), addr);
        let slot = ram(p, config, ports, Part::Way(way), &name, addr);
        let (hit, id) = compare(p, shape, slot, key, site.epoch);
        found.push((p.named(&format!("{name}_hit"), hit), id));
    }
    let hits: Vec<Sig> = found.iter().map(|(hit, _)| *hit).collect();
    (p.or_all(&hits), p.select(&found))
}

fn compare(p: &mut Pipe, shape: &ExactShape, slot: Sig, key: Sig, epoch: Sig) -> (Sig, Sig) {
    let (id_at, valid_at) = (shape.id_at(), shape.valid_at());
    let stored = p.slice(slot, shape.key_bits - 1, 0);
    let id = p.slice(slot, valid_at - 1, id_at);
    let (old, new) = (p.bit(slot, valid_at), p.bit(slot, valid_at + 1));
    let epoch = p.at(epoch, epoch.cycle().max(slot.cycle()));
    let valid = p.mux(epoch, new, old);
    let equal = p.eq(stored, key);
    // Whether it is the key is in a register before ids are gated by it: in one clock with them synthesis would compare
    // once for every few bits of the id, to save a level.
    let hit = p.and(equal, valid);
    (p.registered(hit), id)
}

fn hash(p: &mut Pipe, shape: &ExactShape, key: Sig, way: u32, bit: u32) -> Sig {
    let mask = hash_mask(shape.key_bits, way, bit);
    let mut parts = Vec::new();
    for low in (0..shape.key_bits).step_by(SLAB as usize) {
        let high = (low + SLAB).min(shape.key_bits) - 1;
        let (key, mask) = (p.slice(key, high, low), p.bits(&mask));
        let mask = p.slice(mask, high, low);
        let chosen = p.and(key, mask);
        let parity = p.parity(chosen);
        // A slab's parity is one bit: cheaper to keep than the slab.
        parts.push(if shape.key_bits > SLAB { p.registered(parity) } else { parity });
    }
    p.xor_all(&parts)
}
