//! Removes what no later flow reads.

use super::Lowered;
use super::metas::{Metas, keep_place};
use crate::flow::{Flow, Slot, order};
use restage_program::program::Program;
use std::collections::BTreeSet;

/// Leaves out outputs that nobody reads, and what only they needed.
pub fn trim(program: &Program, metas: &Metas, lowered: &mut Lowered) {
    let keep: Vec<Slot> =
        program.metas.keys().filter(|m| metas.is_kept(program, *m)).map(keep_place).collect();
    let mut sent = BTreeSet::new();
    for emission in &lowered.deparser.emissions {
        sent.insert(Slot::Valid(emission.header));
        let fields = 0..emission.widths.len() as u32;
        sent.extend(fields.map(|f| Slot::Field(emission.header, f)));
        if emission.varbit.is_some() {
            sent.insert(Slot::VarLength(emission.header));
        }
    }
    if let Some(update) = &mut lowered.update {
        sent = shrink(update, &sent);
    }
    let mut behind_egress = sent;
    behind_egress.extend(keep.iter().copied());
    // An egress clone begins where its packet ended.
    let needed = loop {
        let mut egress = lowered.egress.clone();
        let needed = shrink(&mut egress, &behind_egress);
        let before = behind_egress.len();
        if metas.egress_clones {
            behind_egress.extend(needed.iter().copied());
        }
        if behind_egress.len() == before {
            lowered.egress = egress;
            break needed;
        }
    };
    let mut behind_ingress = needed;
    behind_ingress.extend(keep);
    let needed = shrink(&mut lowered.ingress, &behind_ingress);
    // Nothing is written before the parser.
    shrink(&mut lowered.parser, &needed);
}

/// Leaves a flow only what is needed behind it; returns what is needed in front of it.
fn shrink(flow: &mut Flow, behind: &BTreeSet<Slot>) -> BTreeSet<Slot> {
    // The shell looks at its own fields at every border, and at messages.
    let seen =
        |slot: &Slot| matches!(slot, Slot::Shell(_) | Slot::Message(..)) || behind.contains(slot);
    let written: BTreeSet<Slot> = flow.outputs.iter().map(|(s, _)| *s).collect();
    flow.outputs.retain(|(slot, _)| seen(slot));
    // It was in order before, so it is again.
    if let Ok(smaller) = order(flow) {
        *flow = smaller;
    }
    let mut needed: BTreeSet<Slot> = flow.inputs().map(|(slot, _)| slot).collect();
    needed.extend(behind.iter().filter(|s| !written.contains(s)).copied());
    needed
}
