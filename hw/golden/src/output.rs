//! What comes out: packets, digests, and how many packets ended otherwise.

use restage_program::Bits;
use restage_program::entity::Digest;
use std::ops::Range;

/// Everything that one input caused. Made once and used again: nothing is allocated once its buffers
/// have grown to what the traffic needs.
#[derive(Clone, Debug, Default)]
pub struct Output {
    pub(crate) bytes: Vec<u8>,
    packets: Vec<(u16, Range<usize>)>,
    pub(crate) limbs: Vec<u64>,
    pub(crate) values: Vec<(u32, Range<usize>)>,
    pub(crate) digests: Vec<(Digest, Range<usize>)>,
    /// Packets and copies that were not sent.
    pub drops: Drops,
}

/// Packets and copies that were not sent, by reason.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Drops {
    /// Ingress decided so (`egress_spec` 511).
    pub ingress: u64,
    /// Egress decided so.
    pub egress: u64,
    /// The multicast group does not exist or is empty.
    pub no_group: u64,
    /// A looped packet or an egress clone would have been processed more often than the model allows.
    pub max_passes: u64,
    /// The input has caused more copies than the model allows.
    pub max_copies: u64,
    /// Clones not made because their session does not exist. The packet itself went on.
    pub no_session: u64,
}

impl Output {
    /// Empty buffers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets everything but keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.packets.clear();
        self.limbs.clear();
        self.values.clear();
        self.digests.clear();
        self.drops = Drops::default();
    }

    /// The packets in the order in which they left: port and bytes.
    pub fn packets(&self) -> impl ExactSizeIterator<Item = (u16, &[u8])> {
        self.packets.iter().map(|(port, range)| (*port, &self.bytes[range.clone()]))
    }

    /// The messages to the control plane, with the values of their fields.
    pub fn digests(&self) -> impl ExactSizeIterator<Item = (Digest, Vec<Bits>)> {
        self.digests.iter().map(|(digest, fields)| {
            let value = |(width, at): &(u32, Range<usize>)| {
                Bits::from_limbs(*width, &self.limbs[at.clone()])
            };
            (*digest, self.values[fields.clone()].iter().map(value).collect())
        })
    }

    /// Ends a packet whose bytes were appended since `start`.
    pub(crate) fn finish(&mut self, port: u16, start: usize) {
        self.packets.push((port, start..self.bytes.len()));
    }
}
