//! A card that gets another program while packets flow.

use super::card::{Card, CardError, couple, library};
use restage_compile::change::{Bubbles, bubbles};
use restage_encode::{BusOp, EncodeError, Encoder, Epochs};
use restage_gen::hardware::Hardware;
use restage_manifest::address::{self, guard, shell};
use restage_program::Checked;
use restage_program::entry::Write;
use restage_rtl::shell::sockets;
use restage_sim_verilator::{Cache, Device, SimError};
use std::collections::BTreeSet;

/// Clocks for which a new region is held in reset.
const RESET: u64 = 4;
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
    /// Units that got another variant.
    pub loaded: Vec<u32>,
    /// Packets of the old and the new program that were inside soon after.
    pub inside: [u32; 2],
}

impl Card {
    /// Puts a program in the place of the one that runs, between two packets. It must have been built for this card's
    /// shell, after what runs. Its entries are installed before; those of regions that stay are there already.
    pub fn change(
        &mut self,
        program: &Checked,
        hardware: &Hardware,
        writes: &[Write],
    ) -> Result<Flip, ChangeError> {
        let new = &hardware.manifest;
        let refused = |text: &str| Err(ChangeError::Refused(text.to_string()));
        if new.config != self.manifest.config {
            return refused("it is for another shell");
        }
        let (Some(from), Some(to)) = (self.manifest.way(), new.way()) else {
            return refused("it has no parser or no deparser");
        };
        let bubbles =
            bubbles(&from, &to).map_err(|crossed| ChangeError::Refused(crossed.to_string()))?;
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
        self.until(LEAVES, |card| Ok(card.word(shell::IN_FLIGHT + other)? == 0))?;
        self.load(hardware, &loaded)?;
        let mut encoder = Encoder::new(program, &new.cells).with_shell(&new.config);
        let mut ops = encoder.initial(&[])?;
        ops.extend(encoder.write(Epochs::Both, writes)?);
        ops.retain(|op| match op {
            BusOp::Write { unit, .. } | BusOp::Settle { unit } => {
                *unit == address::SHELL || loaded.contains(unit)
            }
        });
        self.carry_out(&ops)?;
        let mut words = to.routes(&new.config, other);
        words.push((shell::BUBBLE_INGRESS + other, bubbles.ingress));
        words.push((shell::BUBBLE_EGRESS + other, bubbles.egress));
        // Packets of both programs are inside for a while.
        words.push((shell::LOOP_GROWTH, new.loop_growth.max(self.manifest.loop_growth)));
        words.push((shell::EPOCH, other));
        let before = self.flipped_at()?;
        self.words(&words)?;
        self.until(COMES, |card| Ok(card.flipped_at()? != before))?;
        let at = self.flipped_at()?;
        let inside = [self.epoch, other];
        let inside =
            [self.word(shell::IN_FLIGHT + inside[0])?, self.word(shell::IN_FLIGHT + inside[1])?];
        (self.manifest, self.encoder, self.epoch) = (new.clone(), encoder, other);
        Ok(Flip { at, bubbles, loaded: loaded.into_iter().collect(), inside })
    }

    /// Puts the new variants in: each is reset, asked what it is, and coupled.
    fn load(&mut self, hardware: &Hardware, loaded: &BTreeSet<u32>) -> Result<(), ChangeError> {
        let new = &hardware.manifest;
        let Some(shell_part) = self.parts.get(&address::SHELL).copied() else {
            return Err(ChangeError::Refused("the card is one model".into()));
        };
        for (circuit, region) in hardware.variants.iter().zip(&new.regions) {
            let all = sockets(&new.config);
            let socket = all.iter().find(|s| s.unit == region.unit);
            let Some(socket) = socket.filter(|s| loaded.contains(&s.unit)) else { continue };
            self.words(&[(shell::guard(region.unit, guard::COUPLED), 0)])?;
            let variant = library(circuit.name(), [circuit], None, &Cache::standard())?;
            let model = variant.instance(region.hash)?;
            let part = match self.parts.get(&region.unit) {
                Some(part) => {
                    self.nic.fabric().replace(*part, model)?;
                    *part
                }
                None => {
                    let part = self.nic.fabric().add(model)?;
                    couple(self.nic.fabric(), shell_part, part, socket)?;
                    self.parts.insert(region.unit, part);
                    part
                }
            };
            let reset = variant.port("rst_ni")?;
            self.nic.fabric().model_mut(part).set_u64(reset, 0);
            self.nic.run(RESET)?;
            self.nic.fabric().model_mut(part).set_u64(reset, 1);
            self.identify(region)?;
            self.words(&region.coupling(&new.config))?;
        }
        Ok(())
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
