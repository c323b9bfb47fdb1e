//! A card that gets another program, or other entries, while packets flow.
//!
//! What serves packets has one epoch, what is prepared the other. A flip puts the second in the place of the first between two
//! packets. Until the next change what served before is still there, and its state is kept up to date: `roll_back` flips again.

mod load;
mod state;

use super::card::{Card, CardError};
use restage_compile::change::{Bubbles, Impossible, Plan, Running, Spare, Wishes, bubbles, plan};
use restage_encode::{BusOp, EncodeError, Encoder, Epochs};
use restage_gen::hardware::Hardware;
use restage_image::ImageError;
use restage_manifest::address::{self, guard, image, shell};
use restage_manifest::{Manifest, Region};
use restage_program::Checked;
use restage_program::entry::Write;
use restage_sim_verilator::{Device, SimError};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Clocks until the last packet of an epoch that is over has left, at most.
const LEAVES: u64 = 200_000;
/// Clocks until a packet comes, at most.
const COMES: u64 = 20_000;

/// Why there was no change.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The card.
    #[error(transparent)]
    Card(#[from] CardError),
    /// The simulation.
    #[error(transparent)]
    Sim(#[from] SimError),
    /// Entries.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// An image cannot be made.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// An image was not loaded.
    #[error("the load failed with {code:?}: {}", why.as_ref().map_or("the shell refuses it".into(), ToString::to_string))]
    Load {
        /// What the image port says.
        code: Option<image::Code>,
        /// What the part says, if it was the part.
        why: Option<ImageError>,
    },
    /// It cannot be without interruption.
    #[error(transparent)]
    Impossible(#[from] Impossible),
    /// Something does not go on.
    #[error("{0}")]
    Stuck(String),
}

/// What lies behind and before a card's changes.
#[derive(Debug, Default)]
pub(super) struct Live {
    /// What served packets before the last flip and is still there.
    previous: Option<(Manifest, Encoder)>,
    /// Writes that the epoch before does not have yet.
    pending: Vec<Write>,
    /// What is in regions that serve no packets.
    spare: BTreeMap<u32, Spare>,
    /// What entries it has.
    aside: BTreeMap<u32, Arc<Encoder>>,
    /// Words of lanes that have a source.
    joined: Vec<u32>,
    /// A planted fault: clocks by which bubbles are shorter than they have to be.
    shorter: u32,
}

/// A flip.
#[derive(Clone, Copy, Debug)]
pub struct Flip {
    /// The first packet, of all that were received, of the new epoch.
    pub at: u64,
    /// Packets of the old and the new epoch that were inside soon after.
    pub inside: [u32; 2],
}

/// What a change of the program was.
#[derive(Clone, Debug)]
pub struct Change {
    /// When.
    pub flip: Flip,
    /// What was done.
    pub plan: Plan,
    /// Clocks that it took to copy state.
    pub copying: u64,
}

impl Card {
    /// Puts a program in the place of the one that runs, between two packets, and confirms the change before. It must have been
    /// built for this card's shell, after what runs. Its entries are installed before; tables in regions that stay, or are fed
    /// again, have theirs and keep them. State of the same name is carried over. When it fails, packets have noticed nothing.
    pub fn change(
        &mut self,
        program: &Checked,
        hardware: &Hardware,
        writes: &[Write],
        wishes: Wishes<'_>,
    ) -> Result<Change, ChangeError> {
        self.retire()?;
        let running = Running { manifest: &self.manifest, spare: &self.live.spare };
        let plan = plan(running, &hardware.manifest, wishes)?;
        let done = self.prepare(program, hardware, writes, &plan);
        let (encoder, copying) = match done {
            Ok(done) => done,
            Err(error) => {
                self.decouple()?;
                return Err(error);
            }
        };
        let growth = plan.manifest.loop_growth.max(self.manifest.loop_growth);
        let before = std::mem::replace(&mut self.manifest, plan.manifest.clone());
        let before = (before, std::mem::replace(&mut self.encoder, encoder));
        let flip = self.flip(&plan.there, &plan.back, growth)?;
        self.live.previous = Some(before);
        Ok(Change { flip, plan, copying })
    }

    /// Loads, couples, installs and copies all that a plan asks for.
    fn prepare(
        &mut self,
        program: &Checked,
        hardware: &Hardware,
        writes: &[Write],
        plan: &Plan,
    ) -> Result<(Encoder, u64), ChangeError> {
        let config = &plan.manifest.config;
        self.load(hardware, plan)?;
        for region in plan.manifest.regions.iter().filter(|r| plan.resumed.contains(&r.unit)) {
            self.words(&region.coupling(config))?;
        }
        let mut encoder = Encoder::new(program, &plan.manifest.cells)
            .with_shell(config)
            .after(&self.encoder, self.epoch == 1)
            .keep(&self.encoder, &|unit| plan.stays.contains(&unit));
        for unit in &plan.resumed {
            if let Some(aside) = self.live.aside.get(unit) {
                encoder = encoder.keep(aside, &|u| u == *unit);
            }
        }
        // What is fed again and gets its state from what runs has its entries anew, with the ids that they have there; what is as it
        // was keeps what it has, and gets what it has not.
        let carried: BTreeSet<u32> = plan.adoption.carried.iter().map(|c| c.to.0).collect();
        let anew = |unit| plan.resumed.contains(&unit) && carried.contains(&unit);
        let as_it_was = |unit| plan.resumed.contains(&unit) && !carried.contains(&unit);
        let mut ops = encoder.write(Epochs::Both, &encoder.emptied(&anew))?;
        encoder.number_like(&self.encoder, self.epoch == 1, &anew);
        ops.extend(encoder.write(Epochs::Both, &encoder.filled(writes, &anew))?);
        ops.extend(encoder.write(Epochs::Both, &encoder.towards(writes, &as_it_was))?);
        let mut others = encoder.initial(&[])?;
        let writes: Vec<Write> =
            writes.iter().filter(|write| !encoder.keeps_of(write)).cloned().collect();
        others.extend(encoder.write(Epochs::Both, &writes)?);
        others.retain(|op| match op {
            BusOp::Write { unit, .. } | BusOp::Settle { unit } => {
                *unit == address::SHELL || plan.loaded.contains(unit) || anew(*unit)
            }
        });
        ops.extend(others);
        encoder.settle();
        self.carry_out(&ops)?;
        let copying = self.copy(plan)?;
        Ok((encoder, copying))
    }

    /// Changes entries so that all packets from some packet on see all of it, and those before none, and confirms the change
    /// before. A refusal leaves everything as it was.
    pub fn batch(&mut self, writes: &[Write]) -> Result<Flip, ChangeError> {
        self.retire()?;
        let other = self.epoch == 0;
        let ops = self.encoder.write(Epochs::One(other), writes)?;
        self.carry_out(&ops)?;
        self.live.pending = writes.to_vec();
        let way = self.manifest.way().ok_or(Impossible::NoWay(self.manifest.program.clone()))?;
        let same = bubbles(&way, &way, &[]).map_err(Impossible::from)?;
        self.flip(&same, &same, self.manifest.loop_growth)
    }

    /// Sends packets through a stage more, which is loaded, right behind the parser or the traffic point, and confirms the change
    /// before. Its guard may refuse it.
    pub fn detour(&mut self, region: Region) -> Result<Flip, ChangeError> {
        let (unit, half) = (region.unit, region.half);
        self.words(&region.coupling(&self.manifest.config))?;
        if self.word(shell::guard(unit, guard::COUPLED))? & 1 == 0 {
            return Err(ChangeError::Stuck(format!("the guard does not couple unit {unit}")));
        }
        let mut manifest = self.manifest.clone();
        let first = manifest
            .regions
            .iter()
            .position(|r| r.half == half || r.half.is_none() && r.unit > unit);
        manifest.regions.insert(first.unwrap_or(1).max(1), region);
        let no_way = || Impossible::NoWay(self.manifest.program.clone());
        let (from, to) =
            (self.manifest.way().ok_or_else(no_way)?, manifest.way().ok_or_else(no_way)?);
        let there = bubbles(&from, &to, &[]).map_err(Impossible::from)?;
        let back = bubbles(&to, &from, &[]).map_err(Impossible::from)?;
        let before = (std::mem::replace(&mut self.manifest, manifest), self.encoder.clone());
        let growth = self.manifest.loop_growth;
        let flip = self.flip(&there, &back, growth)?;
        self.live.previous = Some(before);
        Ok(flip)
    }

    /// Goes back to what served packets before the last change, with all state.
    pub fn roll_back(&mut self) -> Result<Flip, ChangeError> {
        let Some((manifest, encoder)) = self.live.previous.take() else {
            return Err(ChangeError::Stuck("there is nothing to go back to any more".into()));
        };
        let before = (
            std::mem::replace(&mut self.manifest, manifest),
            std::mem::replace(&mut self.encoder, encoder),
        );
        self.live.previous = Some(before);
        self.turn(&[])
    }

    /// Plants a fault: from now on bubbles are so many clocks shorter than they have to be.
    pub fn shorten_bubbles(&mut self, clocks: u32) {
        self.live.shorter = clocks;
    }

    /// Waits until no packet of the epoch before is inside. What only that one used is spare, what it does not know yet it gets
    /// to know: there is no way back.
    pub fn retire(&mut self) -> Result<(), ChangeError> {
        let other = 1 - self.epoch;
        self.until(LEAVES, |card| Ok(card.word(shell::IN_FLIGHT + other)? == 0))?;
        if let Some((previous, encoder)) = self.live.previous.take() {
            let encoder = Arc::new(encoder);
            let serves = |unit| self.manifest.regions.iter().any(|r| r.unit == unit);
            for Region { unit, kind, hash, kept, .. } in previous.regions {
                if !serves(unit) {
                    let spare = Spare { variant: (kind, hash), kept, current: true };
                    self.live.spare.insert(unit, spare);
                    self.live.aside.insert(unit, Arc::clone(&encoder));
                }
            }
        }
        // What has a life in what runs is no more as it was elsewhere.
        let names = self.manifest.regions.iter().flat_map(|r| &r.kept).map(|kept| &kept.name);
        let elsewhere: BTreeSet<&String> = names.collect();
        for spare in self.live.spare.values_mut() {
            spare.current &= !spare.kept.iter().any(|kept| elsewhere.contains(&kept.name));
        }
        let serving: Vec<u32> = self.manifest.regions.iter().map(|r| r.unit).collect();
        self.live.spare.retain(|unit, _| !serving.contains(unit));
        self.live.aside.retain(|unit, _| !serving.contains(unit));
        self.decouple()?;
        let pending = std::mem::take(&mut self.live.pending);
        let ops = self.encoder.write(Epochs::One(other == 1), &pending)?;
        self.carry_out(&ops)?;
        Ok(())
    }

    /// Decouples what serves no packets, and takes lanes apart.
    fn decouple(&mut self) -> Result<(), CardError> {
        let units = address::PARSER..=address::last(&self.manifest.config);
        let serving: BTreeSet<u32> = self.manifest.regions.iter().map(|r| r.unit).collect();
        let free = units.filter(|unit| !serving.contains(unit));
        let mut words: Vec<(u32, u32)> =
            free.map(|unit| (shell::guard(unit, guard::COUPLED), 0)).collect();
        let joined = std::mem::take(&mut self.live.joined);
        words.extend(joined.into_iter().map(|word| (word, 0)));
        self.words(&words)
    }

    /// Lets packets go the way of the manifest from the next one on.
    fn flip(&mut self, there: &Bubbles, back: &Bubbles, growth: u32) -> Result<Flip, ChangeError> {
        let way = self.manifest.way().ok_or(Impossible::NoWay(self.manifest.program.clone()))?;
        let other = 1 - self.epoch;
        let mut words = way.routes(&self.manifest.config, other);
        let shorter = self.live.shorter;
        for (epoch, bubbles) in [(other, there), (self.epoch, back)] {
            let (ingress, egress) = (bubbles.ingress, bubbles.egress);
            words.push((shell::BUBBLE_INGRESS + epoch, ingress.saturating_sub(shorter)));
            words.push((shell::BUBBLE_EGRESS + epoch, egress.saturating_sub(shorter)));
        }
        // Packets of both epochs are inside for a while.
        words.push((shell::LOOP_GROWTH, growth));
        self.turn(&words)
    }

    /// The other epoch, once some words of the shell have been written.
    fn turn(&mut self, words: &[(u32, u32)]) -> Result<Flip, ChangeError> {
        let (epoch, other) = (self.epoch, 1 - self.epoch);
        let before = self.flipped_at()?;
        self.words(words)?;
        self.words(&[(shell::EPOCH, other)])?;
        self.epoch = other;
        let at = self.first_behind(before)?;
        let inside = [self.word(shell::IN_FLIGHT + epoch)?, self.word(shell::IN_FLIGHT + other)?];
        Ok(Flip { at, inside })
    }

    pub(super) fn words(&mut self, words: &[(u32, u32)]) -> Result<(), CardError> {
        let byte = |(word, value): &(u32, u32)| (address::byte(address::SHELL, *word), *value);
        self.nic.write_all(&words.iter().map(byte).collect::<Vec<_>>())?;
        Ok(())
    }

    /// One of the shell's words.
    pub fn word(&mut self, word: u32) -> Result<u32, CardError> {
        Ok(self.nic.read(address::byte(address::SHELL, word))?)
    }

    fn flipped_at(&mut self) -> Result<u64, CardError> {
        let low = u64::from(self.word(shell::FLIPPED_AT)?);
        Ok(u64::from(self.word(shell::FLIPPED_AT + 1)?) << 32 | low)
    }

    /// The number of the first packet behind a flip: the next one, if none comes for a while.
    fn first_behind(&mut self, before: u64) -> Result<u64, ChangeError> {
        let start = self.nic.cycle();
        loop {
            let received = self.count(shell::Count::Received)?;
            let at = self.flipped_at()?;
            if at != before {
                return Ok(at);
            }
            if self.nic.cycle() - start > COMES {
                return Ok(received);
            }
        }
    }

    fn until(
        &mut self,
        clocks: u64,
        done: impl Fn(&mut Card) -> Result<bool, CardError>,
    ) -> Result<(), ChangeError> {
        let start = self.nic.cycle();
        while !done(self)? {
            if self.nic.cycle() - start > clocks {
                return Err(ChangeError::Stuck("packets do not go on".into()));
            }
        }
        Ok(())
    }
}
