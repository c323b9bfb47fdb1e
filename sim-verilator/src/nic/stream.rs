//! Packets as AXI4-Stream beats, and back.
//!
//! What a side may not look at is filled with random bits: the bytes that `tkeep` leaves out, `tuser` behind
//! the first beat, and everything while `tvalid` is 0. The receiving side checks what AXI4-Stream promises:
//! a beat that is offered stays as it is until it is taken, and only a packet's last beat has holes, at its
//! end.

use super::{Received, Sent};
use crate::error::SimError;
use crate::model::{Library, Model, PortId};
use rand::Rng;
use rand::rngs::SmallRng;
use std::collections::VecDeque;

/// The ports of one direction.
#[derive(Clone, Copy, Debug)]
struct Ports {
    data: PortId,
    keep: PortId,
    valid: PortId,
    ready: PortId,
    last: PortId,
    user: PortId,
    /// Bytes of a beat.
    bytes: usize,
}

impl Ports {
    fn find(library: &Library, prefix: &str) -> Result<Self, SimError> {
        let port = |name: &str| library.port(&format!("{prefix}_{name}"));
        let data = port("tdata")?;
        let width = library.all_ports().get(data.0).map_or(0, |p| p.width);
        Ok(Ports {
            data,
            keep: port("tkeep")?,
            valid: port("tvalid")?,
            ready: port("tready")?,
            last: port("tlast")?,
            user: port("tuser")?,
            bytes: width as usize / 8,
        })
    }
}

/// A packet that is being offered.
#[derive(Debug)]
struct Offer {
    bytes: Vec<u8>,
    user: u64,
    at: usize,
    first: Option<u64>,
}

/// Offers packets to `s_axis`.
#[derive(Debug)]
pub(super) struct Source {
    ports: Ports,
    queue: VecDeque<Offer>,
    /// Whether a beat stands on the wires that has not been taken yet.
    offered: bool,
    limbs: Vec<u64>,
    pub sent: Vec<Sent>,
}

impl Source {
    pub fn new(library: &Library) -> Result<Self, SimError> {
        let ports = Ports::find(library, "s_axis")?;
        let limbs = vec![0; ports.bytes.div_ceil(8)];
        Ok(Source { ports, queue: VecDeque::new(), offered: false, limbs, sent: Vec::new() })
    }

    /// Takes over what another was to send, from the beginning of its first packet.
    pub fn restart(&mut self, old: Source) {
        self.queue = old.queue;
        if let Some(offer) = self.queue.front_mut() {
            (offer.at, offer.first) = (0, None);
        }
        self.sent = old.sent;
    }

    pub fn push(&mut self, bytes: Vec<u8>, user: u64) {
        self.queue.push_back(Offer { bytes, user, at: 0, first: None });
    }

    /// Packets that have not been taken as a whole.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Before the edge: what stands on the wires.
    pub fn drive(&mut self, model: &mut Model, idle: bool, rng: &mut SmallRng) {
        if self.offered {
            return;
        }
        let ports = self.ports;
        self.limbs.iter_mut().for_each(|limb| *limb = rng.random());
        let (mut keep, mut last, mut user) = (rng.random(), rng.random(), rng.random());
        let offer = self.queue.front().filter(|_| !idle);
        if let Some(offer) = offer {
            let beat = offer.bytes.get(offer.at..).unwrap_or_default();
            let count = beat.len().min(ports.bytes);
            for (limb, piece) in self.limbs.iter_mut().zip(beat[..count].chunks(8)) {
                let mut bytes = limb.to_le_bytes();
                bytes[..piece.len()].copy_from_slice(piece);
                *limb = u64::from_le_bytes(bytes);
            }
            keep = low_ones(count);
            last = beat.len() <= ports.bytes;
            if offer.at == 0 {
                user = offer.user;
            }
        }
        self.offered = offer.is_some();
        model.set_limbs(ports.data, &self.limbs);
        model.set_u64(ports.keep, keep);
        model.set_u64(ports.last, u64::from(last));
        model.set_u64(ports.user, user);
        model.set_u64(ports.valid, u64::from(self.offered));
    }

    /// Before the edge, with everything driven: whether it will be taken.
    pub fn taken(&mut self, model: &Model, cycle: u64) {
        if !self.offered || model.get_u64(self.ports.ready) == 0 {
            return;
        }
        self.offered = false;
        let Some(offer) = self.queue.front_mut() else { return };
        let first = *offer.first.get_or_insert(cycle);
        offer.at += self.ports.bytes;
        if offer.at >= offer.bytes.len() {
            self.sent.push(Sent { first, last: cycle });
            self.queue.pop_front();
        }
    }
}

/// Takes packets from `m_axis`.
#[derive(Debug)]
pub(super) struct Sink {
    ports: Ports,
    limbs: Vec<u64>,
    /// What was offered in the last clock and not taken, to see that it is still there.
    held: Option<(Vec<u64>, u64, u64, u64)>,
    bytes: Vec<u8>,
    user: u64,
    first: Option<u64>,
    /// The last clock in which a beat was taken.
    pub active: u64,
    pub received: Vec<Received>,
}

impl Sink {
    pub fn new(library: &Library) -> Result<Self, SimError> {
        let ports = Ports::find(library, "m_axis")?;
        Ok(Sink {
            ports,
            limbs: vec![0; ports.bytes.div_ceil(8)],
            held: None,
            bytes: Vec::new(),
            user: 0,
            first: None,
            active: 0,
            received: Vec::new(),
        })
    }

    /// Whether a packet has begun and not ended.
    pub fn partial(&self) -> bool {
        self.first.is_some()
    }

    /// Before the edge: takes the beat that is offered, or lets it wait.
    pub fn take(&mut self, model: &mut Model, wait: bool, cycle: u64) -> Result<(), SimError> {
        let ports = self.ports;
        model.set_u64(ports.ready, u64::from(!wait));
        let wrong = |what: String| Err(SimError::Protocol { port: "m_axis".into(), cycle, what });
        if model.get_u64(ports.valid) == 0 {
            return match self.held.take() {
                Some(_) => wrong("a beat was withdrawn before it was taken".into()),
                None => Ok(()),
            };
        }
        model.get_limbs(ports.data, &mut self.limbs);
        let (keep, last, user) =
            (model.get_u64(ports.keep), model.get_u64(ports.last), model.get_u64(ports.user));
        let count = keep.trailing_ones() as usize;
        // A packet without bytes is one beat without any.
        let empty = last == 1 && self.bytes.is_empty();
        if low_ones(count) != keep || count == 0 && !empty {
            return wrong(format!("tkeep has holes: {keep:#x}"));
        }
        if last == 0 && count != ports.bytes {
            return wrong(format!("{count} bytes in a beat that is not the last"));
        }
        if let Some((limbs, k, l, u)) = self.held.take()
            && ((k, l) != (keep, last)
                || self.first.is_none() && u != user
                || bytes_of(&limbs).take(count).ne(bytes_of(&self.limbs).take(count)))
        {
            return wrong("a beat changed before it was taken".into());
        }
        if wait {
            self.held = Some((self.limbs.clone(), keep, last, user));
            return Ok(());
        }
        self.active = cycle;
        if self.first.is_none() {
            self.first = Some(cycle);
            self.user = user;
        }
        self.bytes.extend(bytes_of(&self.limbs).take(count));
        if last == 1 {
            self.received.push(Received {
                bytes: std::mem::take(&mut self.bytes),
                user: self.user,
                first: self.first.take().unwrap_or(cycle),
                last: cycle,
            });
        } else if self.bytes.len() > LONGEST {
            return wrong(format!("a packet without end: {} bytes so far", self.bytes.len()));
        }
        Ok(())
    }
}

/// No packet is longer, by the width of its length.
const LONGEST: usize = 1 << 16;

fn low_ones(count: usize) -> u64 {
    if count >= 64 { u64::MAX } else { (1 << count) - 1 }
}

fn bytes_of(limbs: &[u64]) -> impl Iterator<Item = u8> {
    limbs.iter().flat_map(|l| l.to_le_bytes())
}
