//! Where slots lie in the PHV.
//!
//! ```text
//! before: ingress writes meta.nexthop, egress reads it; ingress alone reads ipv6.dst, which is not sent
//! after:  meta.nexthop at 310..342, ipv6.dst at 310..438: one is written when the other is read no more
//! ```
//!
//! The lowest bits belong to the shell; then kept metadata, then messages, in the order of their slots. All
//! others are placed where nothing else is alive at the same time ([`alive`]): the fields of a header side by
//! side in wire order if they can be, large groups first. With an old layout whatever has the same name and
//! width stays where it was, if that still fits.

mod alive;
mod pack;

pub use alive::{Alive, alive};

use crate::flow::{Flow, Slot, slot_type};
use crate::lower::{DeparserPlan, Refusal};
use crate::share::Sharing;
use pack::Bits;
use restage_manifest::{PhvBits, ShellConfig, ShellField};
use restage_program::program::Program;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is laid out.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// The parser.
    pub parser: &'a Flow,
    /// The stages of ingress, in order.
    pub ingress: &'a [Flow],
    /// The stages of egress, in order.
    pub egress: &'a [Flow],
    /// Checksums updated in front of the deparser, where that is not done in egress.
    pub update: Option<&'a Flow>,
    /// What is sent.
    pub deparser: &'a DeparserPlan,
    /// Which slots lie in shared ones.
    pub sharing: &'a Sharing,
}

/// Places of all slots that are used.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Layout {
    /// The slots, in their own order.
    pub slots: Vec<Laid>,
    /// One above the highest bit used.
    pub bits: u32,
}

/// The place of a slot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Laid {
    /// The slot.
    pub slot: Slot,
    /// Its name, by which it is found again in another program.
    pub name: String,
    /// Its bits.
    pub at: PhvBits,
}

impl Layout {
    /// The place of a slot, if it has one.
    pub fn at(&self, slot: Slot) -> Option<PhvBits> {
        let found = self.slots.binary_search_by(|laid| laid.slot.cmp(&slot)).ok()?;
        self.slots.get(found).map(|laid| laid.at)
    }
}

/// Lays out the slots of a placed program.
pub fn layout(
    program: &Program,
    config: &ShellConfig,
    parts: &Parts<'_>,
    old: Option<&Layout>,
) -> Result<Layout, Refusal> {
    let lives = alive(parts, config);
    let width = |slot: Slot| match (slot_type(program, slot), slot) {
        (Some(ty), _) => ty.width(),
        (None, Slot::Shared(group)) => parts.sharing.width(group),
        (None, _) => temp_width(parts, slot),
    };
    let mut placed: BTreeMap<Slot, PhvBits> = BTreeMap::new();
    for field in ShellField::ALL {
        if let Some(at) = field.at(config) {
            placed.insert(Slot::Shell(*field), at);
        }
    }
    for (first, slots) in [
        (ShellField::bits(config), crate::lower::kept_slots(program)),
        (ShellField::bits(config) + config.keep_bits, crate::lower::message_slots(program)),
    ] {
        let mut low = first;
        for slot in slots {
            let at = PhvBits { low, width: width(slot) };
            low += at.width;
            placed.insert(slot, at);
        }
    }

    let mut bits = Bits::new(config.fixed_bits(), config.phv_bits);
    let free: Vec<(Slot, u64)> =
        lives.iter().filter(|(s, _)| !placed.contains_key(s)).map(|(s, l)| (*s, *l)).collect();
    let mut rest = Vec::new();
    for (slot, live) in free {
        let name = slot.name(program);
        let before = old.and_then(|o| o.slots.iter().find(|laid| laid.name == name));
        match before.filter(|b| b.at.width == width(slot) && bits.is_free(b.at, live)) {
            Some(before) => {
                bits.take(before.at, live);
                placed.insert(slot, before.at);
            }
            None => rest.push((slot, live)),
        }
    }
    for group in groups(rest, width) {
        let whole: u32 = group.iter().map(|(s, _)| width(*s)).sum();
        let live = group.iter().fold(0, |all, (_, l)| all | l);
        let together = bits.find(whole, live);
        // The first field on the wire is the most significant.
        let mut high = together.map(|at| at + whole);
        for (slot, live) in group {
            let width = width(slot);
            let low = match high {
                Some(high) => Some(high - width),
                None => bits.find(width, live),
            };
            let Some(low) = low else {
                return Err(too_small(program, config, &lives, width, slot));
            };
            high = high.map(|high| high - width);
            let at = PhvBits { low, width };
            bits.take(at, live);
            placed.insert(slot, at);
        }
    }
    for (slot, shared, at) in parts.sharing.slots() {
        if let Some(whole) = placed.get(&shared).copied() {
            placed.insert(slot, PhvBits { low: whole.low + at.low, width: at.width });
        }
    }
    let slots: Vec<Laid> =
        placed.into_iter().map(|(slot, at)| Laid { slot, name: slot.name(program), at }).collect();
    let most = slots.iter().map(|s| s.at.low + s.at.width).max().unwrap_or(0);
    Ok(Layout { slots, bits: most })
}

/// The width of a temporary: that of the value that is put there.
fn temp_width(parts: &Parts<'_>, slot: Slot) -> u32 {
    let stages = parts.ingress.iter().chain(parts.egress);
    let found = stages.flat_map(|f| f.outputs.iter().map(move |o| (f, o)));
    let width = |(f, (_, value)): (&Flow, &(Slot, _))| f.ty(*value).width();
    found.into_iter().find(|(_, (s, _))| *s == slot).map_or(0, width)
}

/// Slots that are best side by side: those of one header that are alive at the same time. The largest
/// groups first, so that small ones fill the holes.
fn groups(slots: Vec<(Slot, u64)>, width: impl Fn(Slot) -> u32) -> Vec<Vec<(Slot, u64)>> {
    let mut groups: BTreeMap<(Slot, u64), Vec<(Slot, u64)>> = BTreeMap::new();
    for (slot, live) in slots {
        let first = match slot {
            Slot::Field(header, _) => Slot::Field(header, 0),
            other => other,
        };
        groups.entry((first, live)).or_default().push((slot, live));
    }
    let mut groups: Vec<Vec<(Slot, u64)>> = groups.into_values().collect();
    let size = |g: &Vec<(Slot, u64)>| g.iter().map(|(s, _)| width(*s)).sum::<u32>();
    groups.sort_by_key(|g| (std::cmp::Reverse(size(g)), g.first().map(|(s, _)| *s)));
    groups
}

fn too_small(
    program: &Program,
    config: &ShellConfig,
    lives: &BTreeMap<Slot, u64>,
    width: u32,
    slot: Slot,
) -> Refusal {
    let bits = |slot: &Slot| slot_type(program, *slot).map_or(0, |t| t.width());
    let points = lives.values().fold(0u64, |all, l| all | l);
    let at = |point: u32| -> u32 {
        lives.iter().filter(|(_, l)| **l >> point & 1 == 1).map(|(s, _)| bits(s)).sum()
    };
    let most = (0..64).filter(|p| points >> p & 1 == 1).map(at).max().unwrap_or(0);
    let mut largest: Vec<(u32, String)> =
        lives.keys().map(|s| (bits(s), s.name(program))).collect();
    largest.sort();
    let largest: Vec<String> =
        largest.iter().rev().take(3).map(|(w, name)| format!("`{name}` ({w})")).collect();
    Refusal::new(
        format!("program `{}`", program.name),
        format!(
            "carries {most} bits at one time beside the shell's {}, and there is no place for the {width} \
             bits of `{}`; the PHV has {}; the largest are {}",
            config.fixed_bits(),
            slot.name(program),
            config.phv_bits,
            largest.join(", ")
        ),
        "a shell with a larger `phv_bits` is accepted, or less that is carried",
    )
}

#[cfg(test)]
mod tests;
