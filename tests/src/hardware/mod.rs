//! Hardware under test: verilated cards against the golden model.

pub mod card;
pub mod live;
pub mod pace;
pub mod prepare;
pub mod random;
pub mod regress;
pub mod replay;
pub mod state;
pub mod tally;
pub mod verdict;
mod words;

/// A packet as it arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Its port.
    pub port: u16,
    /// Its bytes.
    pub bytes: Vec<u8>,
}
