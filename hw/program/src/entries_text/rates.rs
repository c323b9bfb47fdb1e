//! Meter rates: tokens per microsecond in text, tokens per second in [`MeterConfig`].
//!
//! The point is moved in the text, not in the number, so nothing is rounded twice.

use crate::entry::MeterConfig;

const MICROSECONDS: i32 = 6;

/// Reads `RATE:BURST`, committed first, then peak.
pub(super) fn parse(committed: &str, peak: &str) -> Result<MeterConfig, String> {
    let (cir, cburst) = one(committed)?;
    let (pir, pburst) = one(peak)?;
    if cir > pir {
        return Err(format!("the committed rate {committed} is above the peak rate {peak}"));
    }
    Ok(MeterConfig { cir, cburst, pir, pburst })
}

fn one(text: &str) -> Result<(f64, u64), String> {
    let short: String = text.chars().take(80).collect();
    let wrong = || format!("`{short}` is no RATE:BURST, such as 0.5:100");
    let (rate, burst) = text.split_once(':').ok_or_else(wrong)?;
    let rate = shifted(rate, MICROSECONDS).ok_or_else(wrong)?;
    let rate: f64 = rate.parse().map_err(|_| wrong())?;
    let burst: u64 = burst.parse().map_err(|_| wrong())?;
    if !rate.is_finite() || rate < 0.0 {
        return Err(wrong());
    }
    Ok((rate, burst))
}

/// Writes both pairs.
pub(super) fn show(config: &MeterConfig) -> String {
    let rate = |r: f64| {
        let text = format!("{r:e}");
        shifted(&text, -MICROSECONDS).unwrap_or(text)
    };
    format!("{}:{} {}:{}", rate(config.cir), config.cburst, rate(config.pir), config.pburst)
}

/// A number times a power of ten, in text.
fn shifted(number: &str, by: i32) -> Option<String> {
    let (digits, exponent) = match number.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
        None => (number, 0),
    };
    let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let exponent = exponent.checked_add(by)?;
    plain.then(|| if exponent == 0 { digits.to_string() } else { format!("{digits}e{exponent}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_exact_in_both_directions() {
        let config = parse("0.000001:0", "1000:1000000").unwrap();
        assert_eq!((config.cir, config.pir), (1.0, 1e9));
        assert_eq!(show(&config), "1e-6:0 1e3:1000000");
        for cir in [0.0, 0.1, 1.0 / 3.0, 12345.678, 1e300] {
            let config = MeterConfig { cir, cburst: 1, pir: 1e300, pburst: u64::MAX };
            let text = show(&config);
            let (committed, peak) = text.split_once(' ').unwrap();
            assert_eq!(parse(committed, peak).unwrap(), config);
        }
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for (c, p) in [
            ("1", "1:1"),
            ("-1:1", "1:1"),
            ("2:1", "1:1"),
            ("nan:1", "1:1"),
            ("1:-1", "1:1"),
            ("1e999:1", "1e999:1"),
        ] {
            assert!(parse(c, p).is_err(), "{c} {p}");
        }
    }
}
