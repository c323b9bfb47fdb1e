//! Which state of the old program becomes which of the new one.
//!
//! ```text
//! old: register seen (unit 3, 256 rows of 16 bits)      new: register seen (unit 5, 1024 rows of 32 bits)
//! carried: seen, unit 3 -> unit 5, words 0 to 1; rows 256 to 1023 begin with 0
//! ```
//!
//! State is known by its name. It moves if it means the same (its class) and nothing of it would get lost: no fewer rows, no
//! fewer bits. A region that stays keeps its state without any of that. Pure; nothing is loaded before this has said yes.

use restage_manifest::socket::{LANE_ROW_BITS, LANE_WORD_BITS};
use restage_manifest::{Kept, Manifest, Region, Sublane};
use std::collections::BTreeSet;

/// State that moves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Carried {
    /// Its name.
    pub name: String,
    /// The unit that has it, and how it sends it.
    pub from: (u32, Sublane),
    /// The unit that gets it, and how it takes it.
    pub to: (u32, Sublane),
    /// Rows that are sent.
    pub rows: u32,
}

/// What becomes of all state.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Adoption {
    /// What moves.
    pub carried: Vec<Carried>,
    /// What begins with 0: it is new, or that was asked for.
    pub fresh: Vec<String>,
    /// What goes on as it was when packets last passed it.
    pub resumed: Vec<String>,
    /// What the new program does not have.
    pub gone: Vec<String>,
}

impl Adoption {
    /// What would begin with 0 but is in units that are fed again goes on as it was.
    pub(super) fn resume(&mut self, new: &Manifest, units: &BTreeSet<u32>) {
        let resumed =
            |name: &String| of_name(new, name).is_some_and(|(unit, _)| units.contains(&unit));
        self.resumed = self.fresh.iter().filter(|name| resumed(name)).cloned().collect();
        self.fresh.retain(|name| !resumed(name));
    }
}

/// State that cannot be carried over.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{name} cannot be carried over: {why}; say that it may begin with 0, or keep it as it is")]
pub struct Stuck {
    /// Its name.
    pub name: String,
    /// The reason, with numbers.
    pub why: Reason,
}

/// Why state cannot be carried over.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Reason {
    /// It means something else.
    #[error("it was a {old} and is a {new}")]
    Class {
        /// What it was.
        old: String,
        /// What it is.
        new: String,
    },
    /// It has become smaller.
    #[error("it had {old} {of}, and has {new}")]
    Smaller {
        /// Rows or bits of a row.
        of: &'static str,
        /// How many there were.
        old: u32,
        /// How many there are.
        new: u32,
    },
    /// There is no room on the lane.
    #[error(
        "unit {unit} has no room on its lane of {words} words for it, which takes {takes}; a shell with more \
         `lane_words`, or fewer cells in one stage, would do"
    )]
    Room {
        /// The region.
        unit: u32,
        /// Words of a lane.
        words: u32,
        /// Words that it takes.
        takes: u32,
    },
    /// It is on other words of the lane.
    #[error(
        "it is on word {old} of the lane and would be on word {new} of the new one, because others have its words there or \
         the new program was not built after the one that runs"
    )]
    Words {
        /// Where it was.
        old: u32,
        /// Where it is.
        new: u32,
    },
    /// A number with a sign needs another word, which would be 0.
    #[error(
        "as a number with a sign of {old} bits it takes {words} words on the lane, too few for {new} bits"
    )]
    Sign {
        /// Bits that it had.
        old: u32,
        /// Bits that it has.
        new: u32,
        /// Words that it took.
        words: u32,
    },
}

/// What becomes of the state of a program when another one takes its place. What is in `reset` begins with 0.
pub fn adopt(
    old: &Manifest,
    new: &Manifest,
    reset: &BTreeSet<&str>,
) -> Result<Adoption, Vec<Stuck>> {
    let mut adoption = Adoption::default();
    let mut stuck = Vec::new();
    let same = |a: &Region, b: &Region| (a.unit, a.hash) == (b.unit, b.hash);
    for region in &new.regions {
        let stays = old.regions.iter().any(|o| same(o, region));
        for kept in &region.kept {
            let found = of_name(old, &kept.name);
            match found {
                Some((from, _)) if stays && from == region.unit => {}
                Some((from, was)) if !reset.contains(kept.name.as_str()) => {
                    match carried(old, (from, was), (region.unit, kept)) {
                        Ok(carried) => adoption.carried.push(carried),
                        Err(why) => stuck.push(Stuck { name: kept.name.clone(), why }),
                    }
                }
                _ => adoption.fresh.push(kept.name.clone()),
            }
        }
    }
    let all = old.regions.iter().flat_map(|region| &region.kept);
    let gone = all.filter(|kept| of_name(new, &kept.name).is_none());
    adoption.gone = gone.map(|kept| kept.name.clone()).collect();
    if stuck.is_empty() { Ok(adoption) } else { Err(stuck) }
}

fn of_name<'a>(manifest: &'a Manifest, name: &str) -> Option<(u32, &'a Kept)> {
    let all = manifest.regions.iter().flat_map(|r| r.kept.iter().map(|kept| (r.unit, kept)));
    all.into_iter().find(|(_, kept)| kept.name == name)
}

fn carried(old: &Manifest, from: (u32, &Kept), to: (u32, &Kept)) -> Result<Carried, Reason> {
    let (was, is) = (from.1, to.1);
    if was.class != is.class {
        return Err(Reason::Class { old: was.class.clone(), new: is.class.clone() });
    }
    for (of, old, new) in [("rows", was.rows, is.rows), ("bits in a row", was.bits, is.bits)] {
        if new < old {
            return Err(Reason::Smaller { of, old, new });
        }
    }
    let room = |(unit, kept): (u32, &Kept)| {
        let takes = (LANE_ROW_BITS + kept.bits).div_ceil(LANE_WORD_BITS);
        kept.lane.ok_or(Reason::Room { unit, words: old.config.lane_words, takes })
    };
    let (sends, takes) = (room(from)?, room(to)?);
    if sends.first != takes.first {
        return Err(Reason::Words { old: sends.first, new: takes.first });
    }
    if was.signed && sends.words < takes.words {
        return Err(Reason::Sign { old: was.bits, new: is.bits, words: sends.words });
    }
    let name = is.name.clone();
    Ok(Carried { name, from: (from.0, sends), to: (to.0, takes), rows: was.rows })
}
