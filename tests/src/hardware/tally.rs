//! How meaningful traffic was.

use restage_golden::{Drops, Event};
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
    /// Nothing was sent, and nothing went round.
    pub dropped: u64,
    /// Packets that left.
    pub sent: u64,
    /// Packets and clones that came round.
    pub looped: u64,
    /// Clones for which the loop buffer had no room.
    pub no_room: u64,
    /// Messages to the control plane.
    pub messages: u64,
    /// Packets and copies that were not sent, by reason.
    pub drops: Drops,
    /// Hits and misses of each table.
    pub tables: BTreeMap<String, (u64, u64)>,
}

/// What one pass did, from what the model tells.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pass {
    /// The parser ended with an error.
    pub error: bool,
    /// A table had an entry.
    pub met: bool,
}

impl Tally {
    /// Notes a step of the model.
    pub fn step(&mut self, pass: &mut Pass, event: &Event<'_>) {
        match event {
            Event::ParserError(_) => pass.error = true,
            Event::Lookup { table, hit, .. } => {
                let counts = match self.tables.get_mut(*table) {
                    Some(counts) => counts,
                    None => self.tables.entry(table.to_string()).or_default(),
                };
                match hit {
                    Some(_) => {
                        counts.0 += 1;
                        pass.met = true;
                    }
                    None => counts.1 += 1,
                }
            }
            _ => {}
        }
    }

    /// Adds up what was not sent.
    pub fn drop(&mut self, drops: Drops) {
        let all = &mut self.drops;
        all.ingress += drops.ingress;
        all.egress += drops.egress;
        all.no_group += drops.no_group;
        all.max_passes += drops.max_passes;
        all.max_copies += drops.max_copies;
        all.no_session += drops.no_session;
    }
}
