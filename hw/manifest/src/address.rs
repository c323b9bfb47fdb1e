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
    /// Bit 0: packets are let in; 0 after a reset. Bit 1: their source cannot wait: a packet that finds no room is dropped
    /// whole and counted ([`Count::Shed`]), and `s_axis_tready` is always 1.
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
    /// Begins or ends a load, see [`image`](super::image): [`BEGIN`](super::image::BEGIN) and a unit, or
    /// [`ABORT`](super::image::ABORT).
    pub const IMAGE_CONTROL: u32 = 0x20;
    /// Words of the image that is to be loaded; written before the load begins.
    pub const IMAGE_WORDS: u32 = 0x21;
    /// The image's next word. The write is answered when the part has taken it.
    pub const IMAGE_DATA: u32 = 0x22;
    /// Words that the part has taken.
    pub const IMAGE_PROGRESS: u32 = 0x23;
    /// Bits 3 to 0: an [`image::State`](super::image::State). Bits 15 to 8: an [`image::Code`](super::image::Code).
    /// Bits 23 to 16: the unit.
    pub const IMAGE_STATUS: u32 = 0x24;
    /// What feeds each unit in epoch 0, see [`route`]; written only while no packet of that epoch is inside.
    pub const ROUTES: u32 = 0x80;
    /// The first of the [`Count`]s: two words each, the lower 32 bits first, 48 bits in all.
    pub const COUNTS: u32 = 0x40;
    /// Bit 0: the gate and the traffic point leave one slot in sixteen free, so that state is copied under any load.
    pub const YIELD: u32 = 0x14;
    /// The first of the words that say where state comes from; see [`lane`].
    pub const LANES: u32 = 0x800;
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

    /// The word that says from which unit a word of a stage region's lane comes: the unit in bits 4 to 0, [`FED`] if
    /// from any.
    pub fn lane(region: u32, word: u32) -> u32 {
        LANES + 0x20 * region + word
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
        /// Packets from outside that found no room and whose source could not wait.
        Shed,
    }

    impl Count {
        /// All of them.
        pub const ALL: [Count; 17] = [
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
            Count::Shed,
        ];

        /// Its lower word.
        pub fn word(self) -> u32 {
            COUNTS + 2 * self as u32
        }
    }
}

/// Words of a guard, counted from [`shell::guard`].
pub mod guard {
    /// The region's latency in clocks, 4 or more; 8 after a reset. A write counts only while the region is not coupled, and
    /// should come only while no packet is inside.
    pub const LATENCY: u32 = 0x00;
    /// Bit 0: the region's outputs count; 0 after a reset, and from the beginning of a load to its end. Writing 1 does that only
    /// if bit 2 is 1. Bit 1: quarantine, a packet came back under another tag; the region changes nothing any more, until 0 is
    /// written. Bit 2: the region's identity has been read since its load and fits shell, kind and LATENCY.
    pub const COUPLED: u32 = 0x01;
    /// Packets whose tag was another than the one that came back, modulo 256; in quarantine none is counted.
    pub const TAG_ERRORS: u32 = 0x02;
    /// The PHV bits that the region may change, least significant word first; a deparser has none. All words
    /// must be written, in order: each pushes those before it down.
    pub const MASK: u32 = 0x100;
    /// The smallest latency that [`LATENCY`] takes.
    pub const LEAST_LATENCY: u32 = 4;
}

/// The image port. A load takes these steps: IMAGE_WORDS, BEGIN for a unit that is not coupled, all words of the image
/// to IMAGE_DATA, then IMAGE_STATUS until it is done or has failed. From BEGIN on the region's clock stands and it is in reset;
/// only a load that is done ends that, so a region whose load failed stays blank.
pub mod image {
    /// In IMAGE_CONTROL: begins a load of the unit in bits 7 to 0.
    pub const BEGIN: u32 = 1 << 8;
    /// In IMAGE_CONTROL: ends the load that is under way.
    pub const ABORT: u32 = 1 << 9;

    /// What the port does.
    #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
    pub enum State {
        /// Nothing since the reset.
        Idle,
        /// A load is under way.
        Loading,
        /// The last load went well, and the region is out of its reset.
        Done,
        /// The last load went wrong, or was not begun.
        Failed,
    }

    /// Why a load failed. From [`Code::FIRST_OF_PART`] on the part says so.
    #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
    pub enum Code {
        /// It did not.
        None = 0x00,
        /// The region is coupled; nothing was written.
        Coupled = 0x01,
        /// There is no such unit; nothing was written.
        Unit = 0x02,
        /// A load is under way, and goes on.
        Busy = 0x03,
        /// IMAGE_WORDS is 0; nothing was written.
        Length = 0x04,
        /// A word was written before the one before was taken, or behind the last one.
        Overrun = 0x05,
        /// It was aborted.
        Aborted = 0x06,
        /// What was written is no image, or its header is damaged.
        Format = 0x10,
        /// The image ended too early.
        Truncated = 0x11,
        /// There were words behind its end.
        TooLong = 0x12,
        /// The payload is damaged.
        Payload = 0x13,
        /// It is for another part.
        Part = 0x14,
        /// It is for another build of the shell.
        Shell = 0x15,
        /// It is for another region.
        Region = 0x16,
        /// It is for another kind of region.
        Kind = 0x17,
        /// A newer one has been loaded.
        Older = 0x18,
        /// It is whole and for this place, but there is no circuit in it.
        Circuit = 0x19,
        /// Its signature is missing or not of the key that is asked for.
        Signature = 0x1a,
    }

    impl Code {
        /// The first number that only parts give.
        pub const FIRST_OF_PART: u32 = 0x10;
        /// All of them.
        pub const ALL: [Code; 18] = [
            Code::None,
            Code::Coupled,
            Code::Unit,
            Code::Busy,
            Code::Length,
            Code::Overrun,
            Code::Aborted,
            Code::Format,
            Code::Truncated,
            Code::TooLong,
            Code::Payload,
            Code::Part,
            Code::Shell,
            Code::Region,
            Code::Kind,
            Code::Older,
            Code::Circuit,
            Code::Signature,
        ];
    }

    /// The parts of IMAGE_STATUS.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct Status {
        /// What the port does.
        pub state: State,
        /// Why it failed, as a [`Code`].
        pub code: u8,
        /// The unit that was last asked for.
        pub unit: u32,
    }

    impl Status {
        /// Of the word that was read.
        pub fn of(word: u32) -> Self {
            let state = match word & 15 {
                0 => State::Idle,
                1 => State::Loading,
                2 => State::Done,
                _ => State::Failed,
            };
            Status { state, code: (word >> 8) as u8, unit: word >> 16 & 0xff }
        }

        /// The code by name, if it is one that this crate knows.
        pub fn code(self) -> Option<Code> {
            Code::ALL.into_iter().find(|code| *code as u8 == self.code)
        }
    }
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
    /// State on its way. Writing: bit 0 says whether changes are sent, bit 1 has all rows sent once as well, bit 2
    /// forgets bits 2 and above. Reading: bit 0; bit 1: rows are still being sent; bit 2: a message came in the clock of a write
    /// and was lost; bit 8 and above: for each sublane, whether the mark behind all rows has come.
    pub const LANE: u32 = 0x14;
    /// The first word of the row that is written or was read, least significant first.
    pub const HOLD: u32 = 0x100;
    /// Words of a row at most.
    pub const HOLD_WORDS: u32 = 0x200;

    /// The value of [`MAGIC`].
    pub const MAGIC_VALUE: u32 = 0x5253_5447;
    /// What must be read of a region before it can be coupled: the guard in front of it listens.
    pub const IDENTITY: [u32; 4] = [MAGIC, SHELL_HASH, KIND, LATENCY];
    /// Writes the held row.
    pub const WRITE: u32 = 1;
    /// Reads a row.
    pub const READ: u32 = 2;
}

/// What a read gives when a region does not answer in time.
pub const SILENT: u32 = 0xdead_dead;
