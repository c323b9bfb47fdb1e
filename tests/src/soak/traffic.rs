//! Packets without end, as many as the card takes, and what came of them.

use super::pool::{FUNCTIONS, MARKED, STAMPS};
use crate::random::Rng;
use restage_sim_verilator::{Line, Received};
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// Packets that wait to enter, so that there is one on every clock.
const AHEAD: usize = 200;

/// What went in and what came out since it was last asked.
#[derive(Debug, Default)]
pub struct Log {
    /// Ports and packets in the order in which they enter.
    pub sent: VecDeque<(u16, Vec<u8>)>,
    /// What left.
    pub received: VecDeque<Received>,
    /// Whether no more shall enter.
    pub stopped: bool,
}

/// The other end of the card's streams.
#[derive(Debug)]
pub struct Endless {
    log: Arc<Mutex<Log>>,
    rng: Rng,
}

impl Endless {
    /// Packets of a seed, and where they are written down.
    pub fn new(seed: u64) -> (Self, Arc<Mutex<Log>>) {
        let log = Arc::new(Mutex::new(Log::default()));
        (Endless { log: Arc::clone(&log), rng: Rng::new(seed) }, log)
    }

    fn packet(&mut self) -> (u16, Vec<u8>) {
        let rng = &mut self.rng;
        // A few flows are met again and again, on successive clocks too.
        let index = if rng.chance(60) { 3 } else { rng.below(16) as u8 };
        let x = if rng.chance(50) { rng.below(64) as u32 } else { rng.bits64() as u32 };
        let mut bytes = vec![rng.below(4) as u8, index, rng.below(256) as u8, 0xee];
        bytes.extend(x.to_be_bytes());
        bytes.resize(STAMPS + FUNCTIONS, 0);
        bytes.extend((0..4 * FUNCTIONS).map(|_| rng.bits64() as u8));
        bytes.extend(MARKED);
        let length = match rng.below(20) {
            // Too short for what its kind promises, now and then.
            0 => rng.between(10, 44) as usize,
            1 => rng.between(65, 1500) as usize,
            _ => 64,
        };
        let fill = rng.bits64().to_le_bytes();
        let more = fill.iter().cycle().take(length.saturating_sub(bytes.len()));
        bytes.extend(more);
        bytes.truncate(length);
        (rng.between(1, 4) as u16, bytes)
    }
}

impl Line for Endless {
    fn exchange(&mut self, left: Vec<Received>, waiting: usize) -> io::Result<Vec<(u16, Vec<u8>)>> {
        let log = Arc::clone(&self.log);
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        log.received.extend(left);
        if log.stopped {
            return Ok(Vec::new());
        }
        let new: Vec<_> = (waiting..AHEAD).map(|_| self.packet()).collect();
        log.sent.extend(new.iter().cloned());
        Ok(new)
    }
}
