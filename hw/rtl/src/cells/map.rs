//! Maps that packets fill.

use super::Site;
use super::config::{Config, Ports};
use crate::pipe::{Pipe, Sig};
use restage_manifest::cell::{MapShape, Parts};

/// What is looked up.
#[derive(Clone, Debug)]
pub struct MapIn<'a> {
    /// The key's fields.
    pub key: Vec<Sig>,
    /// CRC-32 of the key, fields joined without gaps and filled with zeros to whole bytes.
    pub hash: Sig,
    /// Whether finding an entry counts as use; includes the guard.
    pub touch: Sig,
    /// Everything else that the update needs.
    pub operands: &'a [Sig],
}

/// What the update says, in one clock.
#[derive(Clone, Debug)]
pub struct MapStep {
    /// Whether an entry is written (includes the guard), and with which values.
    pub put: Option<(Sig, Vec<Sig>)>,
    /// Whether the entry is removed; includes the guard. Not together with `put`.
    pub remove: Option<Sig>,
}

/// What a map gives.
#[derive(Clone, Debug)]
pub struct MapOut {
    /// Whether there is a live entry.
    pub found: Sig,
    /// Its values, 0 if there is none.
    pub values: Vec<Sig>,
    /// Whether a put is, or would be, stored.
    pub stored: Sig,
}

/// A map. `update` is given whether there is a live entry, its values (0 if not) and the operands, all in one clock,
/// and must stay in that clock.
pub fn map(
    p: &mut Pipe,
    config: &mut Config,
    shape: &MapShape,
    site: Site<'_>,
    input: &MapIn<'_>,
    _update: impl FnOnce(&mut Pipe, Sig, &[Sig], &[Sig]) -> MapStep,
) -> (MapOut, Ports) {
    p.section(format!("map {}", site.name));
    p.refuse("maps are not built yet");
    let ports = config.cell(&shape.parts());
    (MapOut { found: input.touch, values: Vec::new(), stored: input.touch }, ports)
}
