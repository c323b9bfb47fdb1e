//! Which region each variant goes to.
//!
//! A variant that serves packets stays; one that is loaded and serves none is fed again; others go where nothing is, then where
//! something is that serves no packets.

use restage_manifest::socket::RegionKind;
use restage_manifest::{Kept, Manifest, ShellConfig, address};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// What a variant is known by: two of the same are the same circuit.
pub type Variant = (RegionKind, u64);

/// What is in a region that serves no packets, and could again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spare {
    /// The variant.
    pub variant: Variant,
    /// Its state.
    pub kept: Vec<Kept>,
    /// Whether that is as packets last left it; not if state of the same name has had a life elsewhere since.
    pub current: bool,
}

/// What is on a card.
#[derive(Clone, Copy, Debug)]
pub struct Running<'a> {
    /// What serves packets.
    pub manifest: &'a Manifest,
    /// What else is loaded, by unit.
    pub spare: &'a BTreeMap<u32, Spare>,
}

/// Why a variant, given by its place in the list, has no region.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Unplaced {
    /// There is none left: how many variants of its kind have to be loaded.
    Full(usize, usize),
    /// The one where it shall go is not one of these, which are free.
    Taken(usize, Vec<u32>),
}

/// The units of variants, in their order. `to`: where some shall go, by their place in the list. None but these stands where
/// another variant serves packets.
pub(super) fn free(
    config: &ShellConfig,
    variants: &[Variant],
    running: Running<'_>,
    to: &BTreeMap<usize, u32>,
) -> Result<Vec<u32>, Unplaced> {
    let serves = |unit| running.manifest.regions.iter().any(|r| r.unit == unit);
    let mut chosen = Chosen::new(variants);
    for (index, unit) in to.iter().filter(|(index, _)| **index < variants.len()) {
        let free = places(config, variants[*index].0).filter(|u| !serves(*u));
        let free: Vec<u32> = free.filter(|u| !chosen.taken.contains(u)).collect();
        if !free.contains(unit) {
            return Err(Unplaced::Taken(*index, free));
        }
        chosen.put(*index, *unit);
    }
    chosen.stay(running.manifest);
    let spare = running.spare.iter().filter(|(unit, _)| !serves(**unit));
    chosen.same(spare.map(|(unit, spare)| (*unit, spare.variant)));
    let new = chosen.left();
    for index in &new {
        let kind = variants[*index].0;
        let places = || places(config, kind).filter(|u| !chosen.taken.contains(u) && !serves(*u));
        let empty = places().find(|unit| !running.spare.contains_key(unit));
        let Some(unit) = empty.or_else(|| places().next()) else {
            let new = new.iter().filter(|i| variants[**i].0 == kind).count();
            return Err(Unplaced::Full(*index, new));
        };
        chosen.put(*index, unit);
    }
    Ok(chosen.units.into_iter().flatten().collect())
}

/// The units of variants when a program is built: what serves packets stays, and others go where nothing does as long as there
/// is such a place. `None`: there are not as many regions.
pub fn units(
    config: &ShellConfig,
    variants: &[Variant],
    running: Option<&Manifest>,
) -> Option<Vec<u32>> {
    let mut chosen = Chosen::new(variants);
    running.iter().for_each(|running| chosen.stay(running));
    let serves = |unit| running.is_some_and(|m| m.regions.iter().any(|r| r.unit == unit));
    for index in chosen.left() {
        let places = || places(config, variants[index].0).filter(|u| !chosen.taken.contains(u));
        let unit = places().find(|unit| !serves(*unit)).or_else(|| places().next())?;
        chosen.put(index, unit);
    }
    Some(chosen.units.into_iter().flatten().collect())
}

/// The units for variants of a kind.
pub(super) fn places(config: &ShellConfig, kind: RegionKind) -> Range<u32> {
    let (first, count) = match kind {
        RegionKind::Parser => (address::PARSER, config.slots),
        RegionKind::Stage => (address::stage(config, 0), config.regions),
        RegionKind::Deparser => (address::deparser(config, 0), config.slots),
    };
    first..first + count
}

struct Chosen<'a> {
    variants: &'a [Variant],
    units: Vec<Option<u32>>,
    taken: BTreeSet<u32>,
}

impl<'a> Chosen<'a> {
    fn new(variants: &'a [Variant]) -> Self {
        Chosen { variants, units: vec![None; variants.len()], taken: BTreeSet::new() }
    }

    fn put(&mut self, index: usize, unit: u32) {
        self.units[index] = Some(unit);
        self.taken.insert(unit);
    }

    fn left(&self) -> Vec<usize> {
        (0..self.units.len()).filter(|i| self.units[*i].is_none()).collect()
    }

    fn stay(&mut self, running: &Manifest) {
        self.same(running.regions.iter().map(|r| (r.unit, (r.kind, r.hash))));
    }

    /// Puts variants where they are.
    fn same(&mut self, there: impl Iterator<Item = (u32, Variant)>) {
        for (unit, variant) in there {
            let mut left = self.left().into_iter();
            if !self.taken.contains(&unit)
                && let Some(index) = left.find(|i| self.variants[*i] == variant)
            {
                self.put(index, unit);
            }
        }
    }
}
