//! Random numbers.

use super::Site;
use super::config::{Config, Ports};
use crate::pipe::{Pipe, Sig};
use restage_manifest::cell::{Parts, RandomShape};

/// A random number between two of the same width, both included; low when it is above high. The generator makes a
/// step for each packet with a guard. One generator for each call.
pub fn random(
    p: &mut Pipe,
    config: &mut Config,
    shape: &RandomShape,
    site: Site<'_>,
    _guard: Sig,
    low: Sig,
    _high: Sig,
) -> (Sig, Ports) {
    p.section(format!("random {}", site.name));
    p.refuse("random numbers are not built yet");
    let ports = config.cell(&shape.parts());
    (low, ports)
}
