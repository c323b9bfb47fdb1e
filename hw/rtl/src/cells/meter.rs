//! Meters.

use super::Site;
use super::config::{Config, Ports};
use crate::pipe::{Pipe, Sig};
use restage_manifest::cell::{MeterShape, Parts};

/// An array of meters; gives the colour, 2 bits: 0 green, 1 yellow, 2 red. Green without a guard or when the
/// index is out of range.
pub fn meter(
    p: &mut Pipe,
    config: &mut Config,
    shape: &MeterShape,
    site: Site<'_>,
    guard: Sig,
    _index: Sig,
    _length: Sig,
) -> (Sig, Ports) {
    p.section(format!("meter {}", site.name));
    p.refuse("meters are not built yet");
    let ports = config.cell(&shape.parts());
    (p.zext(guard, 2), ports)
}
