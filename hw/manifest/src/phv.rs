//! The PHV bits that the shell reads and writes itself.
//!
//! They begin at bit 0, in the order of [`ShellField::ALL`]; fields that the shell has no use for take no
//! bits. Behind them come kept metadata (`keep_bits`), then the digest (`digest_bits`), then what a
//! program lays out as it likes.

use crate::config::ShellConfig;
use serde::{Deserialize, Serialize};

/// A range of PHV bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct PhvBits {
    /// The lowest bit.
    pub low: u32,
    /// How many.
    pub width: u32,
}

impl PhvBits {
    /// The highest bit.
    pub fn high(self) -> u32 {
        (self.low + self.width).saturating_sub(1)
    }
}

macro_rules! shell_fields {
    ($($(#[$doc:meta])* $name:ident: $width:literal $(if $flag:expr)?;)*) => {
        /// A field that the shell reads or writes.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum ShellField {
            $($(#[$doc])* $name,)*
        }

        impl ShellField {
            /// All of them, in the order of their bits.
            pub const ALL: &'static [ShellField] = &[$(ShellField::$name),*];

            /// Bits that it takes where it is there.
            pub const fn width(self) -> u32 {
                match self {
                    $(ShellField::$name => $width,)*
                }
            }

            /// Whether a shell has it.
            pub fn is_in(self, config: &ShellConfig) -> bool {
                match self {
                    $(ShellField::$name => { let _ = config; true $(&& ($flag)(config))? })*
                }
            }
        }
    };
}

shell_fields! {
    /// 1 unless the packet skips this half (a clone on its way through ingress): nothing may happen then.
    Run: 1;
    /// The port on which it arrived.
    IngressPort: 9;
    /// Its length in bytes as it entered.
    PacketLength: 16;
    /// How it came to be, a value of `standard::instance`.
    Instance: 3;
    /// Bytes that the parser consumed; the payload begins there.
    Consumed: 9;
    /// Where ingress sends it; in egress 511 drops it.
    EgressSpec: 9;
    /// The multicast group that ingress asked for.
    McastGrp: 16;
    /// The port of this copy, in egress.
    EgressPort: 9;
    /// The replica's id, in egress.
    EgressRid: 16;
    /// At most so many bytes are sent; all ones for no limit.
    Truncate: 14;
    /// A clone was asked for in this half.
    Clone: 1 if |c: &ShellConfig| c.ingress_clones || c.egress_clones;
    /// Its session; all ones where the number had more bits.
    CloneSession: 16 if |c: &ShellConfig| c.ingress_clones || c.egress_clones;
    /// What the clone keeps: 0 nothing, else the number of the field list and one.
    CloneKeep: 5 if |c: &ShellConfig| c.ingress_clones || c.egress_clones;
    /// Resubmission (in ingress) or recirculation (in egress) was asked for.
    Loop: 1 if |c: &ShellConfig| c.resubmit || c.recirculate;
    /// What the further pass keeps, as for clones.
    LoopKeep: 5 if |c: &ShellConfig| c.resubmit || c.recirculate;
    /// What this pass has kept: given to the parser, and to egress for a clone made there.
    Kept: 5 if |c: &ShellConfig| c.loops();
    /// A message was asked for: its number and one, else 0.
    Digest: 4 if |c: &ShellConfig| c.digest_bits > 0;
    /// When it entered ingress, in microseconds.
    IngressTime: 48 if |c: &ShellConfig| c.ingress_time;
    /// When it entered egress, in microseconds.
    EgressTime: 48 if |c: &ShellConfig| c.queue_times;
    /// When it was queued, in microseconds.
    EnqTime: 32 if |c: &ShellConfig| c.queue_times;
    /// Packets in the queue then.
    EnqDepth: 19 if |c: &ShellConfig| c.queue_times;
    /// Microseconds in the queue.
    DeqDelta: 32 if |c: &ShellConfig| c.queue_times;
    /// Packets in the queue when it left.
    DeqDepth: 19 if |c: &ShellConfig| c.queue_times;
    /// Sum of the whole packet in 16-bit words, an odd last byte being the upper half. No carry is folded: so
    /// it shows whether what is left after taking away the headers is all zeros.
    PacketSum: 32 if |c: &ShellConfig| c.payload_sum;
}

impl ShellField {
    /// Its bits in the PHV, if the shell has it.
    pub fn at(self, config: &ShellConfig) -> Option<PhvBits> {
        if !self.is_in(config) {
            return None;
        }
        let before = Self::ALL.iter().take_while(|f| **f != self).filter(|f| f.is_in(config));
        Some(PhvBits { low: before.map(|f| f.width()).sum(), width: self.width() })
    }

    /// Bits of all fields that a shell has.
    pub fn bits(config: &ShellConfig) -> u32 {
        Self::ALL.iter().filter(|f| f.is_in(config)).map(|f| f.width()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_side_by_side() {
        let all = ShellConfig {
            ingress_time: true,
            queue_times: true,
            payload_sum: true,
            ingress_clones: true,
            recirculate: true,
            digest_bits: 8,
            ..ShellConfig::default()
        };
        for config in [ShellConfig::default(), all] {
            let mut next = 0;
            for field in ShellField::ALL {
                let Some(bits) = field.at(&config) else { continue };
                assert_eq!(bits.low, next, "{field:?}");
                next = bits.high() + 1;
            }
            assert_eq!(next, ShellField::bits(&config));
        }
        assert_eq!(ShellField::PacketSum.at(&ShellConfig::default()), None);
    }
}
