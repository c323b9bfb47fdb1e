//! Packets to which something happened that P4 leaves open, or that p4c does not keep.
//!
//! A write to a field of an invalid header is lost here; p4c's configurations let it come back when the header
//! becomes valid. p4c also removes assignments of a parser that are seen only when a later statement fails.

use super::behave;
use crate::random::compare::{Case, slow_queue};
use crate::slow::{LOST_WRITE, Slow};
use restage_program::check::Checked;
use restage_program::standard::ERRORS;

/// What of that happened to the packet, if it makes a difference alone; else to all packets up to it.
pub fn what(case: &Case, other: &Checked, packet: Option<usize>) -> Vec<&'static str> {
    let last = packet.unwrap_or(case.packets.len().saturating_sub(1));
    let mut short = case.clone();
    short.packets = case.packets.get(last..=last).unwrap_or_default().to_vec();
    if behave::compare(&short, other).is_ok() {
        short.packets = case.packets.get(..=last).unwrap_or_default().to_vec();
    }
    let mut slow = Slow::new(&short.program);
    for write in &short.writes {
        // What is refused changes nothing.
        let _ = slow.write(write);
    }
    for packet in &short.packets {
        slow.process(packet.port, &packet.bytes, packet.time_us, slow_queue(packet.queue()));
    }
    let open =
        |what: &&str| *what == LOST_WRITE || *what == "own error" || ERRORS[1..].contains(what);
    slow.tally().keys().copied().filter(open).collect()
}
