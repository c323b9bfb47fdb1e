//! Which region each variant goes to.

use restage_manifest::socket::RegionKind;
use restage_manifest::{Manifest, ShellConfig, address};
use std::collections::BTreeSet;
use std::ops::Range;

/// The units of variants given by kind and hash, in order. A variant that runs stays where it is; others go where nothing
/// runs, as long as there is such a place. `None`: there are not as many places.
pub fn units(
    config: &ShellConfig,
    variants: &[(RegionKind, u64)],
    running: Option<&Manifest>,
) -> Option<Vec<u32>> {
    let old = running.map_or(&[][..], |manifest| &manifest.regions);
    let mut taken = BTreeSet::new();
    let stays: Vec<Option<u32>> = variants
        .iter()
        .map(|(kind, hash)| {
            let same = |r: &&restage_manifest::Region| r.kind == *kind && r.hash == *hash;
            let unit = old.iter().filter(same).map(|r| r.unit).find(|u| !taken.contains(u))?;
            taken.insert(unit);
            Some(unit)
        })
        .collect();
    let mut all = Vec::new();
    for ((kind, _), stays) in variants.iter().zip(stays) {
        let places = || places(config, *kind).filter(|unit| !taken.contains(unit));
        let idle = places().find(|unit| !old.iter().any(|r| r.unit == *unit));
        let unit = stays.or(idle).or_else(|| places().next())?;
        taken.insert(unit);
        all.push(unit);
    }
    Some(all)
}

fn places(config: &ShellConfig, kind: RegionKind) -> Range<u32> {
    let (first, count) = match kind {
        RegionKind::Parser => (address::PARSER, config.slots),
        RegionKind::Stage => (address::stage(config, 0), config.regions),
        RegionKind::Deparser => (address::deparser(config, 0), config.slots),
    };
    first..first + count
}
