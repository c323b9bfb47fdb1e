//! Tables and parser value sets.

use super::Site;
use super::config::{Config, Ports};
use crate::pipe::{Pipe, Sig};
use restage_manifest::cell::{Parts, TableShape, ValueSetShape};

/// What a table looks up.
#[derive(Clone, Debug)]
pub struct TableIn {
    /// Whether it is applied.
    pub guard: Sig,
    /// A value for each key.
    pub keys: Vec<Sig>,
    /// The hash by which its profile's selector chooses, if there is one; `hash_bits` wide.
    pub selector: Option<Sig>,
    /// Bytes of the packet, 16 bits, for a direct counter or meter.
    pub length: Option<Sig>,
}

/// What it gives.
#[derive(Clone, Debug)]
pub struct TableOut {
    /// Whether an entry matched (and its group has members). 0 without a guard.
    pub hit: Sig,
    /// The position of the action in the shape's actions: that of the entry, or of the default action.
    pub action: Sig,
    /// The colour of the direct meter, 2 bits, 0 for green, without one, or on a miss.
    pub colour: Sig,
    /// For each action of the shape its parameters; those of the action that runs are its data, the others mean
    /// nothing.
    pub params: Vec<Vec<Sig>>,
}

/// A table.
pub fn table(
    p: &mut Pipe,
    config: &mut Config,
    shape: &TableShape,
    site: Site<'_>,
    input: &TableIn,
) -> (TableOut, Ports) {
    p.section(format!("table {}", site.name));
    let ports = config.cell(&shape.parts());
    p.refuse("tables are not built yet");
    let zero = p.lit(2, 0);
    let out = TableOut { hit: input.guard, action: zero, colour: zero, params: Vec::new() };
    (out, ports)
}

/// A parser value set: whether its columns match a member.
pub fn value_set(
    p: &mut Pipe,
    config: &mut Config,
    shape: &ValueSetShape,
    site: Site<'_>,
    columns: &[Sig],
) -> (Sig, Ports) {
    p.section(format!("value set {}", site.name));
    p.refuse("value sets are not built yet");
    let ports = config.cell(&shape.parts());
    (columns.first().copied().unwrap_or(site.packet), ports)
}
