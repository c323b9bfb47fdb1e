//! A card that gets another program while packets flow.

use super::card::{Card, CardError};
use restage_compile::change::{Adoption, Bubbles, Carried, Crossed, adopt, bubbles};
use restage_encode::{BusOp, EncodeError, Encoder, Epochs};
use restage_gen::hardware::Hardware;
use restage_gen::images;
use restage_image::{ImageError, SIMULATED};
use restage_manifest::address::{self, guard, image, region, shell};
use restage_program::Checked;
use restage_program::entry::Write;
use restage_sim_verilator::{Device, SimError};
use std::collections::BTreeSet;

/// Words of an image between two looks at how the load goes.
const AT_ONCE: usize = 256;
/// Clocks from the last word of an image to the end of the load, at most.
const LOADS: u64 = 10_000;
/// Clocks until the last packet of an epoch that is over has left, at most.
const LEAVES: u64 = 200_000;
/// Clocks that copying state takes, at most.
const COPIES: u64 = 4_000_000;
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
    #[error("{0}")]
    Refused(String),
}

/// What a change was.
#[derive(Clone, Debug)]
pub struct Flip {
    /// The first packet, of all that were received, that met the new program.
    pub at: u64,
    /// Free clocks, and what they come from.
    pub bubbles: Bubbles,
    /// What became of all state.
    pub adoption: Adoption,
    /// Clocks that it took to copy it.
    pub copying: u64,
    /// Units that got another variant.
    pub loaded: Vec<u32>,
    /// Packets of the old and the new program that were inside soon after.
    pub inside: [u32; 2],
}

impl Card {
    /// Puts a program in the place of the one that runs, between two packets. It must have been built for this card's
    /// shell, after what runs. Its entries are installed before; those of regions that stay are there already. State of the
    /// same name is carried over, but for that in `reset`.
    pub fn change(
        &mut self,
        program: &Checked,
        hardware: &Hardware,
        writes: &[Write],
        reset: &[&str],
    ) -> Result<Flip, ChangeError> {
        let new = &hardware.manifest;
        let refused = |text: &str| Err(ChangeError::Refused(text.to_string()));
        if new.config != self.manifest.config {
            return refused("it is for another shell");
        }
        let (Some(from), Some(to)) = (self.manifest.way(), new.way()) else {
            return refused("it has no parser or no deparser");
        };
        let reset: BTreeSet<&str> = reset.iter().copied().collect();
        let adoption = adopt(&self.manifest, new, &reset).map_err(|stuck| {
            let all: Vec<String> = stuck.iter().map(ToString::to_string).collect();
            ChangeError::Refused(all.join("; "))
        })?;
        let crossed = |crossed: Crossed| ChangeError::Refused(crossed.to_string());
        let there = bubbles(&from, &to, &adoption.carried).map_err(crossed)?;
        let back = bubbles(&to, &from, &adoption.carried).map_err(crossed)?;
        let loaded: BTreeSet<u32> = new
            .regions
            .iter()
            .filter(|r| !self.manifest.regions.iter().any(|o| (o.unit, o.hash) == (r.unit, r.hash)))
            .map(|r| r.unit)
            .collect();
        if self.manifest.regions.iter().any(|r| loaded.contains(&r.unit)) {
            return refused("there is no free region for something that changes");
        }
        let other = 1 - self.epoch;
        self.retire()?;
        self.load(hardware, &loaded)?;
        let mut encoder = Encoder::new(program, &new.cells)
            .with_shell(&new.config)
            .after(&self.encoder, self.epoch == 1);
        let mut ops = encoder.initial(&[])?;
        ops.extend(encoder.write(Epochs::Both, writes)?);
        ops.retain(|op| match op {
            BusOp::Write { unit, .. } | BusOp::Settle { unit } => {
                *unit == address::SHELL || loaded.contains(unit)
            }
        });
        encoder.settle();
        self.carry_out(&ops)?;
        let copying = self.copy(&adoption.carried)?;
        let mut words = to.routes(&new.config, other);
        for (epoch, bubbles) in [(other, &there), (self.epoch, &back)] {
            words.push((shell::BUBBLE_INGRESS + epoch, bubbles.ingress));
            words.push((shell::BUBBLE_EGRESS + epoch, bubbles.egress));
        }
        // Packets of both programs are inside for a while.
        words.push((shell::LOOP_GROWTH, new.loop_growth.max(self.manifest.loop_growth)));
        words.push((shell::EPOCH, other));
        let before = self.flipped_at()?;
        self.words(&words)?;
        let at = self.first_behind(before)?;
        let inside = [self.epoch, other];
        let inside =
            [self.word(shell::IN_FLIGHT + inside[0])?, self.word(shell::IN_FLIGHT + inside[1])?];
        (self.manifest, self.encoder, self.epoch) = (new.clone(), encoder, other);
        let loaded = loaded.into_iter().collect();
        Ok(Flip { at, bubbles: there, adoption, copying, loaded, inside })
    }

    /// Waits until no packet of the epoch before is inside, and decouples what only that one used.
    pub fn retire(&mut self) -> Result<(), ChangeError> {
        let other = 1 - self.epoch;
        self.until(LEAVES, |card| Ok(card.word(shell::IN_FLIGHT + other)? == 0))?;
        let units = address::PARSER..=address::last(&self.manifest.config);
        let free = units.filter(|unit| !self.manifest.regions.iter().any(|r| r.unit == *unit));
        let mut words: Vec<(u32, u32)> =
            free.map(|unit| (shell::guard(unit, guard::COUPLED), 0)).collect();
        words.extend(std::mem::take(&mut self.joined).into_iter().map(|word| (word, 0)));
        Ok(self.words(&words)?)
    }

    /// Joins the lanes of what moves, both ways, and has every row sent. Gives the clocks that it took.
    fn copy(&mut self, carried: &[Carried]) -> Result<u64, ChangeError> {
        let start = self.nic.cycle();
        let first = address::stage(&self.manifest.config, 0);
        let mut words = vec![(shell::YIELD, 1)];
        for state in carried {
            for (from, to) in [(state.from, state.to), (state.to, state.from)] {
                let shared = from.1.words.min(to.1.words);
                for word in to.1.first..to.1.first + shared {
                    let word = shell::lane(to.0 - first, word);
                    words.push((word, shell::FED | from.0));
                    self.joined.push(word);
                }
            }
        }
        self.words(&words)?;
        let units = |end: fn(&Carried) -> u32| carried.iter().map(end).collect::<BTreeSet<u32>>();
        let (sources, targets) = (units(|c| c.from.0), units(|c| c.to.0));
        for unit in &targets {
            self.nic.write(address::byte(*unit, region::LANE), 1 | 4)?;
        }
        for unit in &sources {
            self.nic.write(address::byte(*unit, region::LANE), 1 | 2 | 4)?;
        }
        for unit in &sources {
            self.until(COPIES, |card| Ok(card.lane(*unit)? & 2 == 0))?;
        }
        self.words(&[(shell::YIELD, 0)])?;
        for unit in &targets {
            let lane = self.lane(*unit)?;
            if lane & 4 != 0 || lane >> 8 == 0 {
                return Err(ChangeError::Refused(format!("unit {unit}: the lane says {lane:#x}")));
            }
        }
        Ok(self.nic.cycle() - start)
    }

    fn lane(&mut self, unit: u32) -> Result<u32, CardError> {
        Ok(self.nic.read(address::byte(unit, region::LANE))?)
    }

    /// Loads the new variants, each into its region, asks what it is, and couples it.
    fn load(&mut self, hardware: &Hardware, loaded: &BTreeSet<u32>) -> Result<(), ChangeError> {
        let new = &hardware.manifest;
        for (index, region) in new.regions.iter().enumerate() {
            if !loaded.contains(&region.unit) {
                continue;
            }
            let image = images::image(hardware, index, SIMULATED, 0)?;
            self.load_image(region.unit, &image.bytes()?)?;
            self.identify(region)?;
            self.words(&region.coupling(&new.config))?;
        }
        Ok(())
    }

    /// Loads an image, or whatever the bytes are, into a region that is not coupled, through the card's image port.
    pub fn load_image(&mut self, unit: u32, bytes: &[u8]) -> Result<(), ChangeError> {
        let words: Vec<u32> = restage_image::words(bytes).collect();
        self.words(&[
            (shell::IMAGE_WORDS, words.len() as u32),
            (shell::IMAGE_CONTROL, image::BEGIN | unit),
        ])?;
        for some in words.chunks(AT_ONCE) {
            let status = self.image_status()?;
            if status.state != image::State::Loading {
                break;
            }
            let some: Vec<(u32, u32)> =
                some.iter().map(|word| (shell::IMAGE_DATA, *word)).collect();
            self.words(&some)?;
        }
        self.until(LOADS, |card| Ok(card.image_status()?.state != image::State::Loading))?;
        let status = self.image_status()?;
        if status.state != image::State::Done {
            let why = self.nic.fpga().refused().cloned();
            return Err(ChangeError::Load { code: status.code(), why });
        }
        Ok(())
    }

    fn image_status(&mut self) -> Result<image::Status, CardError> {
        Ok(image::Status::of(self.word(shell::IMAGE_STATUS)?))
    }

    fn words(&mut self, words: &[(u32, u32)]) -> Result<(), CardError> {
        let byte = |(word, value): &(u32, u32)| (address::byte(address::SHELL, *word), *value);
        self.nic.write_all(&words.iter().map(byte).collect::<Vec<_>>())?;
        Ok(())
    }

    fn word(&mut self, word: u32) -> Result<u32, CardError> {
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
                return Err(ChangeError::Refused("packets do not go on".into()));
            }
        }
        Ok(())
    }
}
