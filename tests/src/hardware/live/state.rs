//! State on its way from region to region.

use super::ChangeError;
use crate::hardware::card::{Card, CardError};
use restage_compile::change::{Carried, Plan};
use restage_manifest::Manifest;
use restage_manifest::address::{self, region, shell};
use restage_sim_verilator::Device;
use std::collections::BTreeSet;

/// Clocks that copying state takes, at most.
const COPIES: u64 = 4_000_000;
/// Clocks for each row until packets have to give way, and for how many rows at least.
const PATIENCE: u64 = 4;
const FEW: u64 = 32;
/// Clocks between two looks, at most.
const BETWEEN: u64 = 1000;
/// Clocks from the last row's sending to the mark behind it, at most.
const ARRIVES: u64 = 10_000;
/// The first bit of the lane's word that says whether a mark has come.
const MARKS: u32 = 8;

impl Card {
    /// Joins the lanes of what moves, both ways, and has every row sent. Gives the clocks that it took.
    pub(super) fn copy(&mut self, plan: &Plan) -> Result<u64, ChangeError> {
        let carried = &plan.adoption.carried;
        if carried.is_empty() {
            return Ok(0);
        }
        let start = self.nic.cycle();
        let first = address::stage(&self.manifest.config, 0);
        let mut words = Vec::new();
        for state in carried {
            for (from, to) in [(state.from, state.to), (state.to, state.from)] {
                let shared = from.1.words.min(to.1.words);
                for word in to.1.first..to.1.first + shared {
                    let word = shell::lane(to.0 - first, word);
                    words.push((word, shell::FED | from.0));
                    self.live.joined.push(word);
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
        // Packets give way only when they leave too little room by themselves.
        let rows: u64 = carried.iter().map(|state| u64::from(state.rows)).sum();
        let patience = self.nic.cycle() + PATIENCE * rows.max(FEW);
        let mut gives_way = false;
        for unit in &sources {
            let begun = self.nic.cycle();
            // Whoever asks a region takes slots too.
            while self.lane(*unit)? & 2 != 0 {
                self.nic.run(BETWEEN.min(rows))?;
                if !gives_way && self.nic.cycle() > patience {
                    gives_way = true;
                    self.words(&[(shell::YIELD, 1)])?;
                }
                if self.nic.cycle() - begun > COPIES {
                    return Err(ChangeError::Stuck(format!("unit {unit} does not send its rows")));
                }
            }
        }
        if gives_way {
            self.words(&[(shell::YIELD, 0)])?;
        }
        for unit in &targets {
            let marks = marks(&plan.manifest, *unit, carried);
            self.until(ARRIVES, |card| Ok(card.lane(*unit)? >> MARKS & marks == marks))?;
            let lane = self.lane(*unit)?;
            if lane & 4 != 0 {
                return Err(ChangeError::Stuck(format!("unit {unit}: the lane says {lane:#x}")));
            }
        }
        Ok(self.nic.cycle() - start)
    }

    fn lane(&mut self, unit: u32) -> Result<u32, CardError> {
        Ok(self.nic.read(address::byte(unit, region::LANE))?)
    }
}

/// The marks that a unit must have got: a bit for each of its sublanes.
fn marks(manifest: &Manifest, unit: u32, carried: &[Carried]) -> u32 {
    let region = manifest.regions.iter().find(|r| r.unit == unit);
    let lanes = region.into_iter().flat_map(|r| &r.kept).filter(|kept| kept.lane.is_some());
    let comes = |name: &str| carried.iter().any(|c| c.to.0 == unit && c.name == name);
    let bits = (0..).zip(lanes).filter(|(_, kept)| comes(&kept.name));
    bits.fold(0, |all, (bit, _)| all | 1 << bit)
}
