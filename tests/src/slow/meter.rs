//! A meter: two rates, three colours, colour-blind (RFC 2698).
//!
//! Tokens are whole numbers of 2^-32; a rate is tokens per microsecond, rounded to such a number.

use restage_program::entry::MeterConfig;

/// One token.
const TOKEN: f64 = 4_294_967_296.0;

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    rate: u128,
    most: u128,
    tokens: u128,
}

impl Bucket {
    fn full(per_second: f64, burst: u64) -> Self {
        let rate = (per_second / 1e6 * TOKEN).round_ties_even() as u128;
        let most = u128::from(burst) << 32;
        Bucket { rate, most, tokens: most }
    }
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MeterCell {
    buckets: Option<[Bucket; 2]>,
    last: u64,
}

impl MeterCell {
    pub fn configure(&mut self, config: Option<MeterConfig>, now: u64) {
        self.last = now;
        self.buckets =
            config.map(|c| [Bucket::full(c.cir, c.cburst), Bucket::full(c.pir, c.pburst)]);
    }

    /// The colour of a packet that takes so many tokens: 0 green, 1 yellow, 2 red.
    pub fn execute(&mut self, tokens: u64, now: u64) -> u64 {
        let Some(buckets) = &mut self.buckets else { return 0 };
        let passed = u128::from(now.saturating_sub(self.last));
        self.last = self.last.max(now);
        for bucket in buckets.iter_mut() {
            bucket.tokens = (bucket.tokens + passed * bucket.rate).min(bucket.most);
        }
        let wanted = u128::from(tokens) << 32;
        let [committed, peak] = buckets;
        if peak.tokens < wanted {
            return 2;
        }
        peak.tokens -= wanted;
        if committed.tokens < wanted {
            return 1;
        }
        committed.tokens -= wanted;
        0
    }
}
