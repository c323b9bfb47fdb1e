//! A stage's flow without any trace of what else is in its half: what does not change comes out as the same text.
//!
//! ```text
//! before: v0 = ipv4.valid  `probe_stamp0` v1 = v0 ? 1 : 0, from action `miss_0`     (another stage has the same value)
//! after:  v0 = ipv4.valid                 v1 = v0 ? 1 : 0, from action `miss_1`     (it is used there)
//! ```
//!
//! What waits for no access is the same value in all stages that need it, and has the name and the origin of whoever came
//! first. Here it has no name, and the origin of what uses it.

use crate::flow::{Def, Flow, Origin, Slot, Value, order};
use restage_program::entity::Entity;

/// The flow in an order of its own.
pub(super) fn own(mut stage: Flow) -> Flow {
    stage.outputs.sort_by_key(|(slot, _)| *slot);
    // What has been in order has no cycle.
    let mut stage = order(&stage).unwrap_or(stage);
    let mut shared = vec![true; stage.values.len()];
    for (value, decl) in stage.values.iter() {
        let mut free = !matches!(decl.def, Def::Out(..) | Def::Slot(Slot::Temp(_)));
        decl.def.operands(&mut |v: Value| free &= shared[v.index()]);
        shared[value.index()] = free;
    }
    let inside = |value: Value, def: &Def| shared[value.index()] && !matches!(def, Def::Slot(_));
    let mut origins: Vec<Option<Origin>> = vec![None; stage.values.len()];
    for decl in stage.accesses.values() {
        let mut user = |v: Value| origins[v.index()] = Some(decl.origin.clone());
        decl.kind.issue(&mut user);
        decl.kind.update(&mut user);
    }
    let values: Vec<Value> = stage.values.keys().collect();
    for value in values.into_iter().rev() {
        let decl = &mut stage.values[value];
        if inside(value, &decl.def) {
            decl.name = None;
            decl.origin = origins[value.index()].clone().unwrap_or_default();
        }
        let origin = decl.origin.clone();
        decl.def.operands(&mut |v: Value| origins[v.index()] = Some(origin.clone()));
    }
    stage
}
