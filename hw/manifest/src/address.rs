//! What is where behind AXI4-Lite: 24 bits of byte address, 32-bit words.
//!
//! Bits 23 to 16 choose a unit: the shell, or a region. Inside a region the words below
//! [`region::HOLD`] are the same for every variant.

use crate::config::ShellConfig;

/// The shell's own registers.
pub const SHELL: u32 = 0;
/// The parser.
pub const PARSER: u32 = 1;
/// The first stage region; the others follow, ingress before egress.
pub const FIRST_STAGE: u32 = 2;

/// The deparser's unit: behind all stages.
pub fn deparser(config: &ShellConfig) -> u32 {
    FIRST_STAGE + config.regions()
}

/// Byte address of a word of a unit.
pub fn byte(unit: u32, word: u32) -> u32 {
    unit << 16 | word << 2
}

/// Words inside a region.
pub mod region {
    /// `RSTG` in ASCII.
    pub const MAGIC: u32 = 0x00;
    /// Hash of the shell configuration that the variant was made for.
    pub const SHELL_HASH: u32 = 0x01;
    /// The region's kind: 0 parser, 1 stage, 2 deparser.
    pub const KIND: u32 = 0x02;
    /// Lower half of the variant's hash; the upper half follows.
    pub const VARIANT: u32 = 0x03;
    /// Clocks from input to output.
    pub const LATENCY: u32 = 0x05;
    /// Lower half of the hash of its state's shape; the upper half follows.
    pub const SCHEMA: u32 = 0x06;
    /// 1 when all memories have been cleared.
    pub const READY: u32 = 0x08;
    /// The memory or cell that [`CMD`] is for, by its number in the manifest.
    pub const MEM: u32 = 0x10;
    /// The row that [`CMD`] is for; counts up after a write.
    pub const ROW: u32 = 0x11;
    /// Writing starts an operation: [`WRITE`], [`READ`], others as a cell says.
    pub const CMD: u32 = 0x12;
    /// Bit 0: an operation is under way. Bit 1: the last one was refused.
    pub const STATUS: u32 = 0x13;
    /// The first word of the row that is written or was read, least significant first.
    pub const HOLD: u32 = 0x100;
    /// Words of a row at most.
    pub const HOLD_WORDS: u32 = 0x200;

    /// The value of [`MAGIC`].
    pub const MAGIC_VALUE: u32 = 0x5253_5447;
    /// Writes the held row.
    pub const WRITE: u32 = 1;
    /// Reads a row.
    pub const READ: u32 = 2;
}

/// What a read gives when a region does not answer in time.
pub const SILENT: u32 = 0xdead_dead;
