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

#[cfg(test)]
mod tests {
    use super::*;
    use restage_manifest::cell::Cells;
    use restage_manifest::socket::RegionKind::{self, Deparser, Parser, Stage};
    use restage_manifest::{Cost, FORMAT, Half, Kept, ShellConfig, Sublane};

    fn region(unit: u32, kind: RegionKind, hash: u64, state: Option<u32>) -> Region {
        let lane = Some(Sublane { first: 0, words: 2, sent: 12, read: 7 });
        let kept = state.map(|rows| Kept {
            name: format!("state_{}", hash / 10),
            class: "register".into(),
            memory: 0,
            rows,
            bits: 16,
            signed: false,
            lane,
        });
        Region {
            unit,
            kind,
            half: (kind == Stage).then_some(Half::Ingress),
            module: format!("variant_{hash}"),
            hash,
            latency: 16,
            needed: 9,
            writes: Vec::new(),
            kept: kept.into_iter().collect(),
            contents: Vec::new(),
            cost: Cost::default(),
        }
    }

    /// Parser 1, stages of some hashes with registers of so many rows from unit 3 on, deparser 7: a shell of four regions.
    fn manifest(stages: &[(u64, Option<u32>)]) -> Manifest {
        let config = ShellConfig { regions: 4, ..ShellConfig::default() };
        let first = restage_manifest::address::stage(&config, 0);
        let mut regions = vec![region(1, Parser, 1, None)];
        for (unit, (hash, state)) in (first..).zip(stages) {
            regions.push(region(unit, Stage, *hash, *state));
        }
        let last = restage_manifest::address::deparser(&config, 0);
        regions.push(region(last, Deparser, 2, None));
        let (program, cells) = ("some".to_string(), Cells::default());
        Manifest { format: FORMAT, program, config, loop_growth: 0, regions, cells, fields: vec![] }
    }

    fn set(units: &[u32]) -> BTreeSet<u32> {
        units.iter().copied().collect()
    }

    fn spare(unit: u32, hash: u64, rows: u32, current: bool) -> BTreeMap<u32, Spare> {
        let kept = region(unit, Stage, hash, Some(rows)).kept;
        BTreeMap::from([(unit, Spare { variant: (Stage, hash), kept, current })])
    }

    #[test]
    fn what_serves_stays_and_what_is_new_goes_where_nothing_is() {
        let old = manifest(&[(10, Some(8)), (20, None)]);
        let new = manifest(&[(20, None), (11, Some(8)), (30, None)]);
        let running = Running { manifest: &old, spare: &BTreeMap::new() };
        let found = plan(running, &new, Wishes::default()).unwrap();
        assert_eq!((&found.stays, &found.loaded), (&set(&[1, 4, 7]), &set(&[5, 6])));
        assert_eq!((&found.leaves, &found.resumed), (&set(&[3]), &set(&[])));
        let names: Vec<_> = found.adoption.carried.iter().map(|c| (c.from.0, c.to.0)).collect();
        assert_eq!(names, [(3, 5)]);
        assert_eq!(found.manifest.way().unwrap().ingress.len(), 3);
    }

    #[test]
    fn what_is_loaded_is_fed_again_with_its_state_if_that_went_on_nowhere_else() {
        let (old, new) = (manifest(&[(20, None)]), manifest(&[(20, None), (10, Some(8))]));
        for (rows, current, resumes) in [(8, true, true), (8, false, false)] {
            let spare = spare(6, 10, rows, current);
            let running = Running { manifest: &old, spare: &spare };
            let found = plan(running, &new, Wishes::default()).unwrap();
            assert_eq!(found.resumed.contains(&6), resumes);
            assert_eq!(found.loaded.contains(&6), !resumes);
            let names = vec!["state_1".to_string()];
            let Adoption { fresh, resumed, .. } = found.adoption;
            assert_eq!(if resumes { resumed } else { fresh }, names);
        }
        // Its state begins with 0 if that is wished, and is copied over if it went on in as many rows, not in fewer.
        let reset = BTreeSet::from(["state_1"]);
        let wishes = Wishes { reset: Some(&reset), to: None };
        let there = spare(6, 10, 8, true);
        let running = Running { manifest: &old, spare: &there };
        assert!(plan(running, &new, wishes).unwrap().loaded.contains(&6));
        for (rows, resumes) in [(8, true), (4, false)] {
            let old = manifest(&[(11, Some(rows))]);
            let there = spare(6, 10, 8, false);
            let running = Running { manifest: &old, spare: &there };
            let found = plan(running, &manifest(&[(10, Some(8))]), Wishes::default()).unwrap();
            assert_eq!(found.resumed.contains(&6), resumes);
            assert_eq!(found.adoption.carried.len(), 1);
        }
    }

    #[test]
    fn a_wish_moves_a_stage() {
        let old = manifest(&[(10, Some(8)), (20, None)]);
        let running = Running { manifest: &old, spare: &BTreeMap::new() };
        let to = BTreeMap::from([(1, 6)]);
        let wishes = Wishes { reset: None, to: Some(&to) };
        let found = plan(running, &old, wishes).unwrap();
        assert_eq!((&found.loaded, &found.leaves), (&set(&[6]), &set(&[3])));
        assert_eq!(found.adoption.carried.len(), 1);
        let to = BTreeMap::from([(1, 4)]);
        let wishes = Wishes { reset: None, to: Some(&to) };
        let refused = plan(running, &old, wishes).unwrap_err();
        let text =
            "variant_10 cannot go to unit 4: that is no free region of its kind; these are: [5, 6]";
        assert_eq!(refused.to_string(), text);
    }

    #[test]
    fn too_many_at_once_are_refused_with_the_numbers() {
        let old = manifest(&[(10, None), (20, None), (30, None)]);
        let new = manifest(&[(11, None), (21, None), (30, None)]);
        let running = Running { manifest: &old, spare: &BTreeMap::new() };
        let refused = plan(running, &new, Wishes::default()).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "2 new stage variants need as many free regions, and there are 1 (4 in all, 3 in use); a change of 1 of them at a \
             time, with a program in between, is possible"
        );
        let mut other = new;
        other.config.regions = 5;
        assert!(matches!(plan(running, &other, Wishes::default()), Err(Impossible::Shell { .. })));
    }
}
