//! From what runs to what is wanted, at one flip: what stays, what is loaded where, what moves, how many clocks must be free.
//!
//! ```text
//! running: parser 1, stages 3 4, deparser 11; spare: `check` in 5     wanted: parser, a new stage, `check`, stage of 4, deparser
//! plan: 1, 4 and 11 stay; `check` is resumed in 5; the new stage is loaded into 6; rows of 3 move to 6; bubble 7; 3 is free then
//! ```
//!
//! Pure: nothing is loaded before this has said yes, and what cannot be is refused with numbers.

use super::adopt::{Adoption, Stuck, adopt};
use super::bubble::{Bubbles, Crossed, bubbles};
use super::regions::{Running, Spare, Unplaced, Variant, free, places};
use restage_manifest::{Manifest, Region};
use std::collections::{BTreeMap, BTreeSet};

/// What is wished of a change beyond what is wanted.
#[derive(Clone, Copy, Default, Debug)]
pub struct Wishes<'a> {
    /// State that begins with 0.
    pub reset: Option<&'a BTreeSet<&'a str>>,
    /// Variants, by their place in the manifest, that go to a unit.
    pub to: Option<&'a BTreeMap<usize, u32>>,
}

/// A change that takes place at one flip.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// What is wanted, every variant in the region where it will be.
    pub manifest: Manifest,
    /// Units of variants that serve packets before and after.
    pub stays: BTreeSet<u32>,
    /// Units of variants that are there and are fed again.
    pub resumed: BTreeSet<u32>,
    /// Units of variants that are loaded.
    pub loaded: BTreeSet<u32>,
    /// Units that serve no packets any more.
    pub leaves: BTreeSet<u32>,
    /// What becomes of state.
    pub adoption: Adoption,
    /// Clocks between the last packet of before and the first of after.
    pub there: Bubbles,
    /// Clocks if the change is taken back.
    pub back: Bubbles,
}

/// Why a change cannot be.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Impossible {
    /// It was built for another shell.
    #[error("it is for shell {wanted:08x}, and {running:08x} runs; build it after what runs")]
    Shell {
        /// The shell that runs.
        running: u32,
        /// The shell that it is for.
        wanted: u32,
    },
    /// There is no way for packets.
    #[error("{0} has no parser or no deparser")]
    NoWay(String),
    /// There are too few free regions.
    #[error(
        "{new} new {kind} variants need as many free regions, and there are {free} ({all} in all, {used} in use); {}",
        nearest(*free)
    )]
    NoRoom {
        /// Of which kind.
        kind: &'static str,
        /// Variants that are not there.
        new: usize,
        /// Regions that serve no packets.
        free: usize,
        /// Regions.
        all: usize,
        /// Regions that serve packets.
        used: usize,
    },
    /// A variant was to go to a region that is not free or not of its kind.
    #[error(
        "{module} cannot go to unit {unit}: that is no free region of its kind; these are: {free:?}"
    )]
    Taken {
        /// The variant.
        module: String,
        /// Where it was to go.
        unit: u32,
        /// Where it could go.
        free: Vec<u32>,
    },
    /// State cannot be carried over.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Stuck(Vec<Stuck>),
    /// Something would be in both halves.
    #[error(transparent)]
    Crossed(#[from] Crossed),
}

fn nearest(free: usize) -> String {
    match free {
        0 => "take something away first, which needs none".into(),
        some => {
            format!("a change of {some} of them at a time, with a program in between, is possible")
        }
    }
}

/// Plans a change.
pub fn plan(
    running: Running<'_>,
    wanted: &Manifest,
    wishes: Wishes<'_>,
) -> Result<Plan, Impossible> {
    let old = running.manifest;
    if wanted.config != old.config {
        let [running, wanted] = [old, wanted].map(|m| m.config.fingerprint());
        return Err(Impossible::Shell { running, wanted });
    }
    let units = units(running, wanted, wishes)?;
    let manifest = wanted.clone().moved(&|unit| units.get(&unit).copied().unwrap_or(unit));
    let way = |m: &Manifest| m.way().ok_or_else(|| Impossible::NoWay(m.program.clone()));
    let (from, to) = (way(old)?, way(&manifest)?);
    let (mut stays, mut resumed, mut loaded) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let none = BTreeSet::new();
    let reset = wishes.reset.unwrap_or(&none);
    for region in &manifest.regions {
        let same = |r: &Region| (r.unit, r.hash) == (region.unit, region.hash);
        let spare = running.spare.get(&region.unit);
        match () {
            () if old.regions.iter().any(same) => stays.insert(region.unit),
            () if spare.is_some_and(|spare| resumes(old, region, spare, reset)) => {
                resumed.insert(region.unit)
            }
            () => loaded.insert(region.unit),
        };
    }
    let leaves = old.regions.iter().map(|r| r.unit);
    let leaves = leaves.filter(|unit| !stays.contains(unit)).collect();
    let mut adoption = adopt(old, &manifest, reset).map_err(Impossible::Stuck)?;
    adoption.resume(&manifest, &resumed);
    let there = bubbles(&from, &to, &adoption.carried)?;
    let back = bubbles(&to, &from, &adoption.carried)?;
    Ok(Plan { manifest, stays, resumed, loaded, leaves, adoption, there, back })
}

/// Where each variant goes, by the unit for which it was built.
fn units(
    running: Running<'_>,
    wanted: &Manifest,
    wishes: Wishes<'_>,
) -> Result<BTreeMap<u32, u32>, Impossible> {
    let variants: Vec<Variant> = wanted.regions.iter().map(|r| (r.kind, r.hash)).collect();
    let none = BTreeMap::new();
    let found = free(&wanted.config, &variants, running, wishes.to.unwrap_or(&none));
    let units = found.map_err(|unplaced| match unplaced {
        Unplaced::Full(index, new) => {
            let kind = wanted.regions[index].kind;
            let all = places(&wanted.config, kind).len();
            let used = running.manifest.regions.iter().filter(|r| r.kind == kind).count();
            Impossible::NoRoom { kind: kind.name(), new, free: all - used, all, used }
        }
        Unplaced::Taken(index, free) => Impossible::Taken {
            module: wanted.regions[index].module.clone(),
            unit: wishes.to.and_then(|to| to.get(&index)).copied().unwrap_or_default(),
            free,
        },
    })?;
    Ok(wanted.regions.iter().map(|r| r.unit).zip(units).collect())
}

/// Whether what a spare region kept is what the new program would have there: what the running one has of it is copied over it
/// whole, and nothing of it shall begin with 0.
fn resumes(old: &Manifest, region: &Region, spare: &Spare, reset: &BTreeSet<&str>) -> bool {
    let of_name = |name: &str| old.regions.iter().flat_map(|r| &r.kept).find(|k| k.name == name);
    spare.variant == (region.kind, region.hash)
        && spare.kept.iter().all(|kept| {
            let whole = |k: &restage_manifest::Kept| (k.rows, k.bits) == (kept.rows, kept.bits);
            let name = of_name(&kept.name);
            !reset.contains(kept.name.as_str()) && name.map_or(spare.current, whole)
        })
}
