//! What a shell is built for.

use crate::phv::ShellField;
use serde::{Deserialize, Serialize};

/// Parameters of a shell. Two shells with equal parameters are the same circuit.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ShellConfig {
    /// Bytes of a beat of the packet streams, a power of two.
    pub data_bytes: u32,
    /// Bits of the PHV.
    pub phv_bits: u32,
    /// Bytes at the front of a packet that the parser sees and the deparser writes; a multiple of
    /// `data_bytes`.
    pub window_bytes: u32,
    /// Regions for stages. Each serves the half, and the place in it, that the routes give it.
    pub regions: u32,
    /// Places for parsers, and as many for deparsers: with two a new one is loaded while the old one works.
    pub slots: u32,
    /// Words of 32 bits that a stage can send in a clock of what it keeps, and take; with none, state does not move.
    pub lane_words: u32,
    /// Clock in megahertz; for the reports and the meters' rates.
    pub clock_mhz: u32,
    /// Whether the PHV carries the time at which the packet entered.
    pub ingress_time: bool,
    /// Whether the PHV carries what the traffic point's queue was like.
    pub queue_times: bool,
    /// Whether the PHV carries the sum of the whole packet; the window then waits for its end.
    pub payload_sum: bool,
    /// Whether there are multicast groups.
    pub multicast: bool,
    /// Whether packets are cloned in ingress.
    pub ingress_clones: bool,
    /// Whether packets are cloned in egress.
    pub egress_clones: bool,
    /// Whether packets are resubmitted.
    pub resubmit: bool,
    /// Whether packets are recirculated.
    pub recirculate: bool,
    /// Bits of metadata that clones and further passes keep; they follow the shell's own PHV bits.
    pub keep_bits: u32,
    /// Bits of a message to the control plane; they follow the kept ones. 0: there are no messages.
    pub digest_bits: u32,
    /// Multicast groups, a power of two; group numbers are below.
    pub groups: u32,
    /// Clone sessions, a power of two; session numbers are below.
    pub sessions: u32,
    /// Replicas of all groups and sessions together, a power of two.
    pub replicas: u32,
    /// Packets that may be between the gate and the egress half, on their way or waiting, a power of two.
    /// As many copies may be between there and the output.
    pub queue: u32,
    /// Beats of packets that may be in flight, a power of two.
    pub payload_beats: u32,
    /// How often one packet may be processed.
    pub max_passes: u32,
    /// The longest latency of a region, a power of two.
    pub max_latency: u32,
}

impl Default for ShellConfig {
    fn default() -> Self {
        ShellConfig {
            data_bytes: 64,
            phv_bits: 1024,
            window_bytes: 128,
            regions: 8,
            slots: 2,
            lane_words: 14,
            clock_mhz: 250,
            ingress_time: false,
            queue_times: false,
            payload_sum: false,
            multicast: false,
            ingress_clones: false,
            egress_clones: false,
            resubmit: false,
            recirculate: false,
            keep_bits: 0,
            digest_bits: 0,
            groups: 1024,
            sessions: 1024,
            replicas: 4096,
            queue: 256,
            payload_beats: 1024,
            max_passes: 32,
            max_latency: 64,
        }
    }
}

/// Bytes that the payload buffer must hold.
const LEAST_PAYLOAD: u32 = 32_768;

/// A configuration that no shell can be built for.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{parameter}` is {found}; {accepts}")]
pub struct ConfigError {
    /// The parameter.
    pub parameter: &'static str,
    /// Its value.
    pub found: u32,
    /// What would be accepted.
    pub accepts: String,
}

impl ShellConfig {
    /// Whether packets can enter again through the loop port.
    pub fn loops(&self) -> bool {
        self.ingress_clones || self.egress_clones || self.resubmit || self.recirculate
    }

    /// A number that differs between different configurations, but for a chance of one in 2^32: a shell and
    /// a variant that belong together carry the same one.
    pub fn fingerprint(&self) -> u32 {
        let text = format!("{self:?}");
        text.bytes()
            .fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
    }

    /// PHV bits that have a fixed place: the shell's fields, kept metadata, the digest.
    pub fn fixed_bits(&self) -> u32 {
        ShellField::bits(self).saturating_add(self.keep_bits).saturating_add(self.digest_bits)
    }

    /// All faults of the configuration.
    pub fn check(&self) -> Result<(), Vec<ConfigError>> {
        let mut found = Vec::new();
        let mut want = |holds: bool, parameter, value, accepts: String| {
            if !holds {
                found.push(ConfigError { parameter, found: value, accepts });
            }
        };
        let (data, window) = (self.data_bytes, self.window_bytes);
        want(
            (16..=128).contains(&data) && data.is_power_of_two(),
            "data_bytes",
            data,
            "a power of two from 16 to 128 is accepted".into(),
        );
        want(
            data > 0 && window >= data && window <= 256 && window.is_multiple_of(data),
            "window_bytes",
            window,
            format!("a multiple of data_bytes ({data}) up to 256 is accepted"),
        );
        want(
            (self.fixed_bits()..=8192).contains(&self.phv_bits) && self.phv_bits.is_multiple_of(8),
            "phv_bits",
            self.phv_bits,
            format!(
                "a multiple of 8 from {} (what the shell itself and kept metadata take) to 8192 is accepted",
                self.fixed_bits()
            ),
        );
        want(
            self.payload_beats.saturating_mul(data) >= LEAST_PAYLOAD,
            "payload_beats",
            self.payload_beats,
            format!(
                "{} or more are accepted, for three of the longest packets",
                LEAST_PAYLOAD / data.max(1)
            ),
        );
        for (parameter, value, most) in [("regions", self.regions, 16), ("slots", self.slots, 2)] {
            want(
                (1..=most).contains(&value),
                parameter,
                value,
                format!("1 to {most} are accepted"),
            );
        }
        for (parameter, value, low, high) in [
            ("groups", self.groups, 2, 65_536),
            ("sessions", self.sessions, 2, 65_536),
            ("replicas", self.replicas, 2, 65_536),
            ("queue", self.queue, 32, 4096),
            ("max_latency", self.max_latency, 16, 512),
            ("payload_beats", self.payload_beats, 512, 65_536),
        ] {
            want(
                value.is_power_of_two() && (low..=high).contains(&value),
                parameter,
                value,
                format!("a power of two from {low} to {high} is accepted"),
            );
        }
        want(self.lane_words <= 32, "lane_words", self.lane_words, "0 to 32 are accepted".into());
        want(
            (1..=255).contains(&self.max_passes),
            "max_passes",
            self.max_passes,
            "1 to 255 are accepted".into(),
        );
        if found.is_empty() { Ok(()) } else { Err(found) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every word of every guard is inside the 16 bits of a byte address of the shell.
    #[test]
    fn guards_of_all_units_have_addresses() {
        use crate::address::{byte, last, shell};
        let config = ShellConfig { regions: 16, slots: 2, ..Default::default() };
        assert_eq!(config.check(), Ok(()));
        let word = shell::guard(last(&config), shell::GUARD_WORDS - 1);
        assert!(byte(0, word) < 1 << 16, "{word:#x}");
        assert!(last(&config) < shell::JOIN);
        let more = ShellConfig { regions: 17, ..config };
        assert_eq!(more.check().map_err(|e| e.len()), Err(1));
    }

    #[test]
    fn the_default_is_fine_and_every_parameter_is_checked() {
        let fine = ShellConfig::default();
        assert_eq!(fine.check(), Ok(()));
        let wrong = ShellConfig {
            data_bytes: 48,
            phv_bits: 100,
            window_bytes: 65,
            regions: 17,
            slots: 0,
            lane_words: 33,
            groups: 3,
            sessions: 0,
            replicas: 1 << 17,
            queue: 2,
            max_latency: 24,
            payload_beats: 100,
            max_passes: 0,
            ..fine
        };
        let found: Vec<&str> = wrong.check().unwrap_err().iter().map(|e| e.parameter).collect();
        assert_eq!(
            found,
            [
                "data_bytes",
                "window_bytes",
                "phv_bits",
                "payload_beats",
                "regions",
                "slots",
                "groups",
                "sessions",
                "replicas",
                "queue",
                "max_latency",
                "payload_beats",
                "lane_words",
                "max_passes"
            ]
        );
    }
}
