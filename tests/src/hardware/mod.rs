//! Hardware under test: verilated cards against the golden model.

pub mod card;
pub mod expect;
pub mod regress;

/// A packet as it arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Its port.
    pub port: u16,
    /// Its bytes.
    pub bytes: Vec<u8>,
}
