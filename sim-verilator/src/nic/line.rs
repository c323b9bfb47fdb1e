//! What is at the other end of a card's streams, if that is not the caller.

use super::Received;
use std::fmt::Debug;
use std::io;

/// Clocks between two exchanges.
pub(super) const EVERY: u64 = 64;

/// Something that packets come from and go to: network devices, files, a generator.
pub trait Line: Debug {
    /// Takes what has left the card, and gives what shall enter it: ports and packets. `waiting` packets that were given have
    /// not entered yet.
    fn exchange(&mut self, left: Vec<Received>, waiting: usize) -> io::Result<Vec<(u16, Vec<u8>)>>;

    /// The clock in which there will next be something to give, where that is known and there is nothing now.
    fn next(&self) -> Option<u64> {
        None
    }

    /// Told what clock it is before every exchange.
    fn clock(&mut self, _clock: u64) {}
}
