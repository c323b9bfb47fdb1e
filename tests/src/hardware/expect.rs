//! What the golden model makes of packets, and how meaningful they were.

use super::Packet;
use restage_golden::{Event, Golden, Input, Output, Queue};
use std::collections::BTreeMap;

/// What traffic did in the model.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Packets.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Parsed without an error.
    pub accepted: u64,
    /// At least one table had an entry for it.
    pub met: u64,
    /// Something that was sent is not what came.
    pub modified: u64,
    /// Nothing was sent because the program said so.
    pub dropped: u64,
    /// Packets that left.
    pub sent: u64,
    /// Copies of the last packet that entered egress.
    pub copies: u64,
    /// Hits and misses of each table.
    pub tables: BTreeMap<String, (u64, u64)>,
}

/// Runs one packet; adds what happened to the tally; gives what leaves.
pub fn expect(
    golden: &mut Golden,
    packet: &Packet,
    time_us: u64,
    queue: Queue,
    out: &mut Output,
    tally: &mut Tally,
) -> Vec<(u16, Vec<u8>)> {
    let (mut error, mut met, mut copies) = (false, false, 0);
    let input = Input { port: packet.port, bytes: &packet.bytes, time_us, queue };
    golden.process_traced(&input, out, &mut |event| match event {
        Event::ParserError(_) => error = true,
        Event::Half { egress: true, .. } => copies += 1,
        Event::Lookup { table, hit, .. } => {
            let counts = match tally.tables.get_mut(table) {
                Some(counts) => counts,
                None => tally.tables.entry(table.to_string()).or_default(),
            };
            match hit {
                Some(_) => {
                    counts.0 += 1;
                    met = true;
                }
                None => counts.1 += 1,
            }
        }
        _ => {}
    });
    let sent: Vec<(u16, Vec<u8>)> = out.packets().map(|(p, b)| (p, b.to_vec())).collect();
    tally.packets += 1;
    tally.copies = copies;
    tally.bytes += packet.bytes.len() as u64;
    tally.accepted += u64::from(!error);
    tally.met += u64::from(met);
    tally.modified += u64::from(sent.iter().any(|(_, bytes)| *bytes != packet.bytes));
    tally.dropped += u64::from(sent.is_empty());
    tally.sent += sent.len() as u64;
    sent
}
