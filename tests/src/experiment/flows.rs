//! The two flows of the experiment, at rates of their own, and a log of what came of them.

use restage_sim_verilator::{Line, Received};
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// Clocks in a second.
pub const CLOCKS: u64 = 250_000_000;
/// The port of the inside, and that of the outside.
pub const PORTS: [u16; 2] = [1, 2];
/// Packets that wait, so that there is one on every clock.
const AHEAD: usize = 128;

/// Whose packet it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Flow {
    /// The inside's, which opens the connection.
    Opens,
    /// Of the connection, from the outside.
    Known,
    /// Of no connection, from the outside.
    Unknown,
}

/// What went in and what came out.
#[derive(Debug, Default)]
pub struct Log {
    /// Packets in the order in which they enter.
    pub sent: Vec<(Flow, Vec<u8>)>,
    /// What left.
    pub received: VecDeque<Received>,
    /// Whether no more shall enter.
    pub stopped: bool,
}

/// The other end of the card's streams.
#[derive(Debug)]
pub struct Flows {
    log: Arc<Mutex<Log>>,
    /// Clocks between two packets of the known and the unknown flow; 0 for as many as the card takes, three to one.
    every: [u64; 2],
    next: [u64; 2],
    clock: u64,
    number: u64,
    known: u64,
}

impl Flows {
    /// Packets a second of both flows, or none for line rate, from some clock on; and where they are written down.
    pub fn new(rates: Option<[u64; 2]>, start: u64) -> (Self, Arc<Mutex<Log>>) {
        let log = Arc::new(Mutex::new(Log::default()));
        let every = rates.map_or([0; 2], |rates| rates.map(|rate| CLOCKS / rate.max(1)));
        let next = [start, start + every[1] / 2];
        let flows = Flows { log: Arc::clone(&log), every, next, clock: start, number: 0, known: 0 };
        (flows, log)
    }

    /// The next packet of a flow; every eighth of the known ones has come far.
    fn packet(&mut self, flow: Flow) -> (Flow, Vec<u8>) {
        self.number += 1;
        self.known += u64::from(flow == Flow::Known);
        let far = flow == Flow::Known && self.known.is_multiple_of(8);
        (flow, packet(flow, if far { super::firewall::HOPS - 1 } else { 60 }, self.number))
    }
}

/// A packet of a flow: UDP in IPv4, 64 bytes.
fn packet(flow: Flow, ttl: u8, number: u64) -> Vec<u8> {
    let (near, far, stranger) = ([10, 0, 0, 1], [192, 0, 2, 7], [192, 0, 2, 99]);
    let (source, target, ports) = match flow {
        Flow::Opens => (near, far, [40_000u16, 53]),
        Flow::Known => (far, near, [53, 40_000]),
        Flow::Unknown => (stranger, near, [53, 40_000]),
    };
    let mut bytes = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    bytes.extend([0x45, 0, 0, 50, 0, 0, 0, 0, ttl, 17, 0, 0]);
    bytes.extend(source);
    bytes.extend(target);
    ports.iter().for_each(|port| bytes.extend(port.to_be_bytes()));
    bytes.extend([0, 30, 0, 0]);
    bytes.extend(number.to_be_bytes());
    bytes.resize(64, 0);
    bytes
}

impl Line for Flows {
    fn exchange(&mut self, left: Vec<Received>, waiting: usize) -> io::Result<Vec<(u16, Vec<u8>)>> {
        let log = Arc::clone(&self.log);
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        log.received.extend(left);
        let mut new = Vec::new();
        if self.number == 0 && !log.stopped {
            new.push(self.packet(Flow::Opens));
        }
        if self.every == [0; 2] && !log.stopped {
            for _ in waiting..AHEAD {
                let flow = if self.number.is_multiple_of(4) { Flow::Unknown } else { Flow::Known };
                new.push(self.packet(flow));
            }
        } else if !log.stopped {
            for (at, flow) in [Flow::Known, Flow::Unknown].into_iter().enumerate() {
                while self.next[at] <= self.clock {
                    self.next[at] += self.every[at];
                    new.push(self.packet(flow));
                }
            }
        }
        log.sent.extend(new.iter().cloned());
        let port = |flow: Flow| PORTS[usize::from(flow != Flow::Opens)];
        Ok(new.into_iter().map(|(flow, bytes)| (port(flow), bytes)).collect())
    }

    fn next(&self) -> Option<u64> {
        (self.every != [0; 2] && self.number > 0).then(|| self.next[0].min(self.next[1]))
    }

    fn clock(&mut self, clock: u64) {
        self.clock = clock;
    }
}
