//! Widths and bundles that the shell's circuits share.

use super::kit::{Bundle, bits_for};
use restage_manifest::ShellConfig;
use restage_manifest::socket::{TAG_BITS, TIME_BITS, shell_bits};

/// The longest packet that may come in; growth by further passes is on top.
pub const MOST_BYTES: u32 = 9728;
/// Bits of a number of bytes of a packet.
pub const SIZE_BITS: u32 = 16;
/// Bits of `tuser`: size, source, destination, 16 bits each from below.
pub const USER_BITS: u32 = 48;
/// Bits of a port in `tuser`.
pub const PORT_BITS: u32 = 16;
/// Bits of a counter.
pub const COUNT_BITS: u32 = 48;
/// Bits of a number of passes.
pub const PASS_BITS: u32 = 8;
/// Bits of a word address on the configuration bus.
pub const ADDRESS_BITS: u32 = restage_manifest::socket::CFG_ADDRESS_BITS;
/// Bits of a word on the configuration bus.
pub const WORD_BITS: u32 = restage_manifest::socket::CFG_DATA_BITS;

/// Numbers derived from a configuration.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape<'a> {
    pub config: &'a ShellConfig,
}

impl<'a> Shape<'a> {
    pub fn new(config: &'a ShellConfig) -> Self {
        Shape { config }
    }

    /// Bits of a beat.
    pub fn beat(self) -> u32 {
        8 * self.config.data_bytes
    }

    /// Bits of the number of a byte in a beat.
    pub fn lane(self) -> u32 {
        self.config.data_bytes.trailing_zeros()
    }

    /// Bits of the header window.
    pub fn window(self) -> u32 {
        8 * self.config.window_bytes
    }

    /// Beats of the header window.
    pub fn window_beats(self) -> u32 {
        self.config.window_bytes / self.config.data_bytes
    }

    /// Beats of the longest packet, growth included.
    pub fn most_beats(self) -> u32 {
        MOST_BYTES.div_ceil(self.config.data_bytes) + self.window_beats()
    }

    /// Beats by which a packet can grow on its way through the loop port, unless that would be more than the
    /// loop buffer can keep free for several packets.
    pub fn most_growth(self) -> u32 {
        let passes = self.config.max_passes.saturating_sub(1);
        (self.window_beats() * passes).min(self.config.payload_beats / 16)
    }

    /// Bits of the address of a beat in the payload buffer.
    pub fn address(self) -> u32 {
        bits_for(self.config.payload_beats - 1)
    }

    /// Bits of a pointer into the payload buffer. Three more than an address, so that pointers that are
    /// less than four rounds apart can be compared.
    pub fn pointer(self) -> u32 {
        self.address() + 3
    }

    /// Whether originals can come back, so that room is kept for them.
    pub fn reserves(self) -> bool {
        self.config.resubmit || self.config.recirculate
    }

    /// Whether there are clones.
    pub fn clones(self) -> bool {
        self.config.ingress_clones || self.config.egress_clones
    }

    /// Bits of the PHV that go round the parser, and to behind the deparser.
    pub fn side(self) -> u32 {
        if self.config.egress_clones { self.config.phv_bits } else { shell_bits(self.config) }
    }

    /// What the shell carries beside a packet's PHV.
    ///
    /// `start`: the packet's first beat in the payload buffer. `size`: its bytes. `source`: where it came
    /// from, as `tuser` said. `skip`: regions of this half do not see it. `copy`: it is not the
    /// original. `kind`: why it goes to, or comes from, the loop port, a value of `standard::instance`; 0
    /// for none. `pass`: from 1. `reserve`: beats kept for it. `session`: of a clone.
    pub fn ticket(self) -> Bundle {
        let loops = self.config.loops();
        Bundle::default()
            .with("epoch", 1)
            .with("time", TIME_BITS)
            .with("start", self.pointer())
            .with("size", SIZE_BITS)
            .with("source", PORT_BITS)
            .with_if(loops, "skip", 1)
            .with_if(loops, "copy", 1)
            .with_if(loops, "kind", 3)
            .with_if(loops, "pass", PASS_BITS)
            .with_if(self.reserves(), "reserve", SIZE_BITS)
            .with_if(self.clones(), "session", 16)
    }

    /// What goes through the loop port with a packet, but for an egress clone's PHV.
    pub fn loop_meta(self) -> Bundle {
        Bundle::default()
            .with("epoch", 1)
            .with("size", SIZE_BITS)
            .with("source", PORT_BITS)
            .with("copy", 1)
            .with("kind", 3)
            .with("pass", PASS_BITS)
            .with_if(self.reserves(), "reserve", SIZE_BITS)
            .with_if(self.clones(), "session", 16)
            .with("kept", 5)
            .with_if(self.config.keep_bits > 0, "keep", self.config.keep_bits)
    }

    /// Bits of a slot tag.
    pub fn tag(self) -> u32 {
        TAG_BITS
    }
}
