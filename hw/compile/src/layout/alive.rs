//! Where between the parts of a pipeline a slot holds something that is still read.

use super::Parts;
use crate::flow::{Flow, Slot};
use restage_manifest::ShellConfig;
use std::collections::{BTreeMap, BTreeSet};

/// For each slot the points at which it is alive, one bit each: point 0 is behind the parser, then one behind
/// each stage of ingress, then one in front of egress and behind each of its stages, then one behind an update.
pub type Alive = BTreeMap<Slot, u64>;

/// The points at which slots are alive.
pub fn alive(parts: &Parts<'_>, config: &ShellConfig) -> Alive {
    let mut sent = BTreeSet::new();
    for emission in &parts.deparser.emissions {
        sent.insert(Slot::Valid(emission.header));
        sent.extend((0..emission.widths.len() as u32).map(|f| Slot::Field(emission.header, f)));
        if emission.varbit.is_some() {
            sent.insert(Slot::VarLength(emission.header));
        }
    }
    sent = sent.into_iter().map(|s| parts.sharing.of(s).map_or(s, |(shared, _)| shared)).collect();
    let mut alive = Alive::new();
    let last = parts.ingress.len() + 1 + parts.egress.len();
    // What an update does not change it leaves to the deparser.
    if let Some(update) = parts.update {
        mark(&mut alive, &sent, last + 1);
        before(&mut sent, update);
    }
    let mut behind = sent.clone();
    loop {
        let mut here = behind.clone();
        mark(&mut alive, &here, last);
        for (i, stage) in parts.egress.iter().enumerate().rev() {
            before(&mut here, stage);
            mark(&mut alive, &here, parts.ingress.len() + 1 + i);
        }
        // A clone made in egress begins there again.
        let more: Vec<Slot> = match config.egress_clones {
            true => here.iter().filter(|s| !behind.contains(s)).copied().collect(),
            false => Vec::new(),
        };
        if more.is_empty() {
            behind = here;
            break;
        }
        behind.extend(more);
    }
    mark(&mut alive, &behind, parts.ingress.len());
    for (i, stage) in parts.ingress.iter().enumerate().rev() {
        before(&mut behind, stage);
        mark(&mut alive, &behind, i);
    }
    // The shell's own are always alive, and lie elsewhere.
    alive.retain(|slot, _| !matches!(slot, Slot::Shell(_) | Slot::Available | Slot::Message(..)));
    alive
}

/// What is alive in front of a stage, given what is behind it.
fn before(alive: &mut BTreeSet<Slot>, stage: &Flow) {
    for (slot, _) in &stage.outputs {
        alive.remove(slot);
    }
    alive.extend(stage.inputs().map(|(slot, _)| slot));
}

fn mark(alive: &mut Alive, slots: &BTreeSet<Slot>, point: usize) {
    for slot in slots {
        *alive.entry(*slot).or_default() |= 1 << point.min(63);
    }
}
