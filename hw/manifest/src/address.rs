//! What is where behind AXI4-Lite: 24 bits of byte address, 32-bit words.
//!
//! Bits 23 to 16 choose a unit: the shell, or a region. Inside a region the words below
//! [`region::HOLD`] are the same for every variant.

use crate::config::ShellConfig;

/// The shell's own registers.
pub const SHELL: u32 = 0;
/// The first place for a parser; the other follows.
pub const PARSER: u32 = 1;

/// A region for stages: they follow the parsers.
pub fn stage(config: &ShellConfig, region: u32) -> u32 {
    PARSER + config.slots + region
}

/// A place for a deparser: they follow the stages.
pub fn deparser(config: &ShellConfig, slot: u32) -> u32 {
    stage(config, config.regions) + slot
}

/// Units of regions: 1 to this.
pub fn last(config: &ShellConfig) -> u32 {
    deparser(config, config.slots) - 1
}

/// Byte address of a word of a unit.
pub fn byte(unit: u32, word: u32) -> u32 {
    unit << 16 | word << 2
}

/// Words of the shell itself.
pub mod shell {
    /// `RSTS` in ASCII.
    pub const MAGIC: u32 = 0x00;
    /// [`ShellConfig::fingerprint`](crate::ShellConfig::fingerprint) of what it was built for.
    pub const HASH: u32 = 0x01;
    /// Bit 0: packets are let in; 0 after a reset.
    pub const GATE: u32 = 0x08;
    /// Bit 0: memories have been cleared. Bit 1: no packet is inside.
    pub const STATUS: u32 = 0x09;
    /// Beats by which an original may grow on its way through the loop port, all passes together: so much room
    /// is kept for every packet inside. After a reset as much as can be, which leaves room for few packets.
    pub const LOOP_GROWTH: u32 = 0x0a;
    /// Bit 0: the epoch that new packets get.
    pub const EPOCH: u32 = 0x0b;
    /// Clocks without a packet that the gate leaves between one of the other epoch and one of epoch 0; the next word:
    /// of epoch 1.
    pub const BUBBLE_INGRESS: u32 = 0x0c;
    /// As [`BUBBLE_INGRESS`], at the exit of the traffic point.
    pub const BUBBLE_EGRESS: u32 = 0x0e;
    /// Packets of epoch 0 that are inside, loop port included; the next word: of epoch 1.
    pub const IN_FLIGHT: u32 = 0x10;
    /// How many packets had been received before the last one that was the first of its epoch; two words, 48 bits.
    pub const FLIPPED_AT: u32 = 0x12;
    /// What feeds each unit in epoch 0, see [`route`]; written only while no packet of that epoch is inside.
    pub const ROUTES: u32 = 0x80;
    /// The first of the [`Count`]s: two words each, the lower 32 bits first, 48 bits in all.
    pub const COUNTS: u32 = 0x40;
    /// The multicast group that [`GROUP_DATA`] is for.
    pub const GROUP_ROW: u32 = 0x100;
    /// Writing sets a group: the first replica in the upper half, their number in the lower. Then the row
    /// counts up.
    pub const GROUP_DATA: u32 = 0x101;
    /// The clone session that [`SESSION_DATA`] is for.
    pub const SESSION_ROW: u32 = 0x102;
    /// Bit 31: the session exists. Bits 13 to 0: its copies are truncated to so many bytes, all ones for no
    /// limit. Counts at the next write of [`SESSION_DATA`].
    pub const SESSION_HOLD: u32 = 0x103;
    /// As [`GROUP_DATA`], for a session.
    pub const SESSION_DATA: u32 = 0x104;
    /// The replica that [`REPLICA_DATA`] is for.
    pub const REPLICA_ROW: u32 = 0x105;
    /// Writing sets a replica: its id in the upper half, its port in the lower. Then the row counts up.
    pub const REPLICA_DATA: u32 = 0x106;
    /// Messages that wait to be read.
    pub const DIGEST_COUNT: u32 = 0x180;
    /// The first message's number and one.
    pub const DIGEST_NUMBER: u32 = 0x181;
    /// Writing removes the first message.
    pub const DIGEST_POP: u32 = 0x182;
    /// The first message's bits, least significant word first.
    pub const DIGEST_DATA: u32 = 0x200;
    /// The first word of the guard of unit 0; see [`guard`].
    pub const GUARDS: u32 = 0x1000;
    /// Words between two guards.
    pub const GUARD_WORDS: u32 = 0x200;

    /// The value of [`MAGIC`].
    pub const MAGIC_VALUE: u32 = 0x5253_5453;

    /// The word that says what feeds a unit, or the traffic point ([`POINT`]), or what is behind the deparsers
    /// ([`JOIN`]), with packets of an epoch. Bits 4 to 0 are the unit in front of it, [`POINT`] for the traffic
    /// point; bit 8 is 0 when nothing does. For a parser only bit 8 counts.
    pub fn route(epoch: u32, unit: u32) -> u32 {
        ROUTES + 0x20 * epoch + unit
    }

    /// The traffic point in [`route`].
    pub const POINT: u32 = 0;
    /// The place behind the deparsers in [`route`].
    pub const JOIN: u32 = 31;
    /// The bit in a route that says that there is one.
    pub const FED: u32 = 1 << 8;

    /// A word of the guard in front of a unit's region.
    pub fn guard(unit: u32, word: u32) -> u32 {
        GUARDS + unit * GUARD_WORDS + word
    }

    /// What the shell counts, in the order of the counters.
    #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
    pub enum Count {
        /// Packets let in from outside.
        Received,
        /// Packets sent.
        Sent,
        /// Ingress dropped them.
        DroppedIngress,
        /// Egress dropped them.
        DroppedEgress,
        /// Their multicast group does not exist or is empty.
        NoGroup,
        /// Clones not made because their session does not exist.
        NoSession,
        /// Dropped because they had been processed as often as is allowed.
        MaxPasses,
        /// Packets that entered again through the loop port.
        Looped,
        /// Copies dropped because the loop port was full.
        LoopFull,
        /// Messages dropped because nobody read the ones before.
        DigestsLost,
        /// Packets whose length was not what `tuser` said.
        WrongSize,
        /// Packets that got lost for want of room, which must not happen.
        Lost,
        /// Packets of both epochs that came to one place in one clock, which must not happen.
        Collided,
        /// Packets that overtook others, or vanished, between two places, which must not happen.
        Disordered,
        /// Clocks in which the gate kept a packet waiting only because of the other epoch.
        HeldIngress,
        /// The same at the exit of the traffic point.
        HeldEgress,
    }

    impl Count {
        /// All of them.
        pub const ALL: [Count; 16] = [
            Count::Received,
            Count::Sent,
            Count::DroppedIngress,
            Count::DroppedEgress,
            Count::NoGroup,
            Count::NoSession,
            Count::MaxPasses,
            Count::Looped,
            Count::LoopFull,
            Count::DigestsLost,
            Count::WrongSize,
            Count::Lost,
            Count::Collided,
            Count::Disordered,
            Count::HeldIngress,
            Count::HeldEgress,
        ];

        /// Its lower word.
        pub fn word(self) -> u32 {
            COUNTS + 2 * self as u32
        }
    }
}

/// Words of a guard, counted from [`shell::guard`].
pub mod guard {
    /// The region's latency in clocks, 4 or more. May change only while no packet is inside; 8 after a reset.
    pub const LATENCY: u32 = 0x00;
    /// Bit 0: the region's outputs count; 0 after a reset.
    pub const COUPLED: u32 = 0x01;
    /// Packets whose tag was another than the one that came back.
    pub const TAG_ERRORS: u32 = 0x02;
    /// The PHV bits that the region may change, least significant word first; a deparser has none. All words
    /// must be written, in order: each pushes those before it down.
    pub const MASK: u32 = 0x100;
    /// The smallest latency that [`LATENCY`] takes.
    pub const LEAST_LATENCY: u32 = 4;
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
