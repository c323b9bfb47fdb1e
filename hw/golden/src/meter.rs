//! Meters: two rates and three colours as RFC 2698 has them, colour-blind.
//!
//! Tokens are counted in fixed point with 40 binary places, rates are tokens per microsecond in the
//! same form, rounded up, so that tokens come in time and a circuit has the same bits. Both buckets are full when a meter is configured.

use fixed::types::{U24F40, U88F40};
use restage_program::entry::MeterConfig;

/// Colours as programs see them.
pub(crate) const GREEN: u64 = 0;
const YELLOW: u64 = 1;
const RED: u64 = 2;

/// One meter; always green until it is configured.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Meter {
    rates: Option<Rates>,
}

/// What is missing of a meter's full buckets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Missing {
    /// When they were last filled, in microseconds.
    pub at_us: u64,
    /// In 2^-40 tokens.
    pub committed: u128,
    /// In 2^-40 tokens.
    pub peak: u128,
}

#[derive(Clone, Copy, Debug)]
struct Rates {
    config: MeterConfig,
    committed: Bucket,
    peak: Bucket,
    /// When the buckets were last filled, in microseconds.
    at: u64,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    rate: U24F40,
    tokens: U88F40,
    burst: U88F40,
}

impl Bucket {
    fn new(per_second: f64, burst: u64) -> Self {
        let burst = U88F40::from_num(burst);
        let exact = per_second / 1e6;
        let below = U24F40::saturating_from_num(exact);
        let rate =
            if below.to_num::<f64>() < exact { below.saturating_add(U24F40::DELTA) } else { below };
        Bucket { rate, tokens: burst, burst }
    }

    fn fill(&mut self, micros: u64) {
        let more = u128::from(self.rate.to_bits()).saturating_mul(micros.into());
        self.tokens = self.tokens.saturating_add(U88F40::from_bits(more)).min(self.burst);
    }
}

impl Meter {
    /// Sets rates; the buckets are full at `now`. The numbers must be finite and not negative.
    pub fn configure(&mut self, config: Option<MeterConfig>, now: u64) {
        self.rates = config.map(|c| Rates {
            config: c,
            committed: Bucket::new(c.cir, c.cburst),
            peak: Bucket::new(c.pir, c.pburst),
            at: now,
        });
    }

    pub fn config(&self) -> Option<MeterConfig> {
        self.rates.map(|r| r.config)
    }

    /// What is missing of its full buckets; `None` when it has no rates.
    pub fn missing(&self) -> Option<Missing> {
        let rates = self.rates?;
        let of = |bucket: Bucket| (bucket.burst - bucket.tokens).to_bits();
        Some(Missing { at_us: rates.at, committed: of(rates.committed), peak: of(rates.peak) })
    }

    /// Takes over what is missing of another meter's buckets; rates are not taken over.
    pub fn adopt(&mut self, old: &Meter) {
        let (Some(rates), Some(missing)) = (&mut self.rates, old.missing()) else { return };
        rates.at = missing.at_us;
        for (bucket, missing) in
            [(&mut rates.committed, missing.committed), (&mut rates.peak, missing.peak)]
        {
            bucket.tokens = bucket.burst.saturating_sub(U88F40::from_bits(missing));
        }
    }

    /// The colour of a packet that takes so many tokens.
    pub fn execute(&mut self, tokens: u64, now: u64) -> u64 {
        let Some(rates) = &mut self.rates else { return GREEN };
        let micros = now.saturating_sub(rates.at);
        rates.at = rates.at.max(now);
        rates.committed.fill(micros);
        rates.peak.fill(micros);
        let tokens = U88F40::from_num(tokens);
        if rates.peak.tokens < tokens {
            return RED;
        }
        rates.peak.tokens -= tokens;
        if rates.committed.tokens < tokens {
            return YELLOW;
        }
        rates.committed.tokens -= tokens;
        GREEN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(cir: f64, cburst: u64, pir: f64, pburst: u64) -> Meter {
        let mut meter = Meter::default();
        meter.configure(Some(MeterConfig { cir, cburst, pir, pburst }), 0);
        meter
    }

    /// A burst takes the committed tokens first, then the rest of the peak ones; red takes none.
    #[test]
    fn colours_of_a_burst() {
        let mut meter = meter(1000.0, 3, 2000.0, 5);
        let colours: Vec<u64> = (0..7).map(|_| meter.execute(1, 0)).collect();
        assert_eq!(colours, [0, 0, 0, 1, 1, 2, 2]);
        // 1 ms brings one committed and two peak tokens.
        let colours: Vec<u64> = (0..4).map(|_| meter.execute(1, 1000)).collect();
        assert_eq!(colours, [0, 1, 2, 2]);
        // Buckets never hold more than their burst.
        let colours: Vec<u64> = (0..7).map(|_| meter.execute(1, 1_000_000_000)).collect();
        assert_eq!(colours, [0, 0, 0, 1, 1, 2, 2]);
    }

    /// A packet that the peak bucket cannot pay takes nothing, so a smaller one still passes.
    #[test]
    fn bytes() {
        let mut meter = meter(0.0, 100, 0.0, 150);
        assert_eq!(meter.execute(200, 0), RED);
        assert_eq!(meter.execute(100, 0), GREEN);
        assert_eq!(meter.execute(40, 5), YELLOW);
        assert_eq!(meter.execute(20, 9), RED);
        assert_eq!(meter.execute(10, 9), YELLOW);
    }

    /// Over a long time the green packets are what the committed rate allows.
    #[test]
    fn rates_hold() {
        let mut meter = meter(333.0, 2, 1e6, 10);
        let green = (1..=1_000_000u64).filter(|t| meter.execute(1, *t * 10) == GREEN).count();
        assert!((3330..=3332).contains(&green), "{green}");
    }

    #[test]
    fn time_does_not_go_back() {
        let mut meter = meter(1e6, 1, 1e6, 1);
        assert_eq!(meter.execute(1, 10), GREEN);
        assert_eq!(meter.execute(1, 5), RED);
        assert_eq!(meter.execute(1, 11), GREEN);
        assert_eq!(Meter::default().execute(u64::MAX, 0), GREEN);
    }
}
