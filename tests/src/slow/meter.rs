//! A meter: two rates, three colours, colour-blind (RFC 2698).

use restage_program::entry::MeterConfig;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MeterCell {
    config: Option<MeterConfig>,
    committed: f64,
    peak: f64,
    last: u64,
}

impl MeterCell {
    pub fn configure(&mut self, config: Option<MeterConfig>, now: u64) {
        self.config = config;
        self.last = now;
        if let Some(c) = config {
            self.committed = c.cburst as f64;
            self.peak = c.pburst as f64;
        }
    }

    /// The colour of a packet that takes so many tokens.
    pub fn execute(&mut self, tokens: u64, now: u64) -> u64 {
        let Some(config) = self.config else { return 0 };
        let seconds = now.saturating_sub(self.last) as f64 / 1e6;
        self.last = self.last.max(now);
        self.committed = (self.committed + seconds * config.cir).min(config.cburst as f64);
        self.peak = (self.peak + seconds * config.pir).min(config.pburst as f64);
        let tokens = tokens as f64;
        if self.peak < tokens {
            return 2;
        }
        self.peak -= tokens;
        if self.committed < tokens {
            return 1;
        }
        self.committed -= tokens;
        0
    }
}
