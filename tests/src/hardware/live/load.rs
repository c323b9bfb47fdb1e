//! Images into regions.

use super::ChangeError;
use crate::hardware::card::{Card, CardError};
use restage_compile::change::Plan;
use restage_gen::hardware::Hardware;
use restage_gen::images;
use restage_image::SIMULATED;
use restage_manifest::address::{image, shell};

/// Words of an image between two looks at how the load goes.
const AT_ONCE: usize = 256;
/// Clocks from the last word of an image to the end of the load, at most.
const LOADS: u64 = 10_000;

impl Card {
    /// Loads the new variants of a plan, each into its region, asks what it is, and couples it.
    pub(super) fn load(&mut self, hardware: &Hardware, plan: &Plan) -> Result<(), ChangeError> {
        let new = &plan.manifest;
        for (index, region) in new.regions.iter().enumerate() {
            if !plan.loaded.contains(&region.unit) {
                continue;
            }
            let image = images::image_at(new, hardware, index, SIMULATED, 0)?;
            self.load_image(region.unit, &image.bytes()?)?;
            self.identify(region)?;
            self.words(&region.coupling(&new.config))?;
        }
        Ok(())
    }

    /// Loads an image, or whatever the bytes are, into a region that is not coupled, through the card's image port.
    pub fn load_image(&mut self, unit: u32, bytes: &[u8]) -> Result<(), ChangeError> {
        self.live.spare.remove(&unit);
        self.live.aside.remove(&unit);
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
}
