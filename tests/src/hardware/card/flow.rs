//! Packets at full rate, while a host reads messages.

use super::{Card, CardError, QUIET, Run};
use crate::hardware::Packet;
use restage_program::Checked;

/// Clocks between two looks for messages.
const LOOK: u64 = 100;

/// Clocks without a beat after which a single packet is out.
const LONE: u64 = 600;

impl Run {
    /// Adds what came later.
    pub fn extend(&mut self, later: Run) {
        self.sent.extend(later.sent);
        self.received.extend(later.received);
        self.gate.extend(later.gate);
        self.emitted.extend(later.emitted);
        self.loops.extend(later.loops);
        self.messages.extend(later.messages);
    }
}

impl Card {
    /// Sends packets as fast as the bench lets it, reads messages meanwhile, and waits until all is out.
    pub fn flow(&mut self, program: &Checked, packets: &[Packet]) -> Result<Run, CardError> {
        for packet in packets {
            self.nic.send(packet.port, packet.bytes.clone());
        }
        let mut messages = Vec::new();
        if self.manifest.config.digest_bits > 0 {
            while self.nic.waiting() > 0 {
                self.nic.run(LOOK)?;
                messages.extend(self.messages(program)?);
            }
        }
        let beats: u64 = packets.iter().map(|p| p.bytes.len() as u64 / 16 + 8).sum();
        self.nic.drain(QUIET, 100 * beats + 1_000_000)?;
        messages.extend(self.messages(program)?);
        Ok(Run { messages, ..self.seen() })
    }

    /// As [`flow`](Self::flow), but reads messages when all is out: a host that looks takes slots.
    pub fn burst(&mut self, program: &Checked, packets: &[Packet]) -> Result<Run, CardError> {
        let run = self.run(packets)?;
        let messages = self.messages(program)?;
        Ok(Run { messages, ..run })
    }

    /// Sends packets when nothing of the one before is inside any more.
    pub fn lone(&mut self, program: &Checked, packets: &[Packet]) -> Result<Run, CardError> {
        let mut all = Run::default();
        for packet in packets {
            self.nic.send(packet.port, packet.bytes.clone());
            self.nic.drain(LONE, 1_000_000)?;
            let messages = self.messages(program)?;
            all.extend(Run { messages, ..self.seen() });
        }
        Ok(all)
    }
}
