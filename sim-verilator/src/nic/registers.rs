//! Register accesses over AXI4-Lite, while packets flow.
//!
//! Writes are issued as fast as they are accepted; a read waits until all writes have been answered, and
//! the other way round, because AXI orders the two channels by answers only.

use crate::error::SimError;
use crate::model::{Library, Model, PortId};
use std::collections::VecDeque;

/// What has registers: a simulated card, or a real one.
pub trait Device {
    /// What can go wrong.
    type Error: std::error::Error;

    /// Reads the register at a byte address.
    fn read(&mut self, address: u32) -> Result<u32, Self::Error>;

    /// Writes the register at a byte address; the write has taken place when this returns.
    fn write(&mut self, address: u32, value: u32) -> Result<(), Self::Error> {
        self.write_all(&[(address, value)])
    }

    /// Writes registers in order.
    fn write_all(&mut self, writes: &[(u32, u32)]) -> Result<(), Self::Error>;
}

/// One access.
#[derive(Clone, Copy, Debug)]
pub(super) enum Access {
    Read { address: u32 },
    Write { address: u32, value: u32 },
}

impl Access {
    fn address(self) -> u32 {
        match self {
            Access::Read { address } | Access::Write { address, .. } => address,
        }
    }
}

/// Drives `s_axil`.
#[derive(Debug)]
pub(super) struct Master {
    awaddr: PortId,
    awvalid: PortId,
    awready: PortId,
    wdata: PortId,
    wvalid: PortId,
    wready: PortId,
    wstrb: Option<PortId>,
    bvalid: PortId,
    bready: PortId,
    bresp: PortId,
    araddr: PortId,
    arvalid: PortId,
    arready: PortId,
    rdata: PortId,
    rvalid: PortId,
    rready: PortId,
    rresp: PortId,
    queue: VecDeque<Access>,
    /// Issued and not answered, in order; all of one kind.
    open: VecDeque<Access>,
    /// Whether the address and the data of the access that is being issued stand on the wires.
    address: bool,
    data: bool,
    /// Answers to reads.
    answers: VecDeque<u32>,
    /// When something last moved.
    active: u64,
    /// What first went wrong. What had not been issued then is not issued any more.
    failure: Option<SimError>,
}

/// Writes that may wait for their answers.
const OPEN: usize = 8;
/// Clocks without an answer after which a device counts as dead.
const PATIENCE: u64 = 100_000;

impl Master {
    pub fn new(library: &Library) -> Result<Self, SimError> {
        let port = |name: &str| library.port(&format!("s_axil_{name}"));
        Ok(Master {
            awaddr: port("awaddr")?,
            awvalid: port("awvalid")?,
            awready: port("awready")?,
            wdata: port("wdata")?,
            wvalid: port("wvalid")?,
            wready: port("wready")?,
            wstrb: port("wstrb").ok(),
            bvalid: port("bvalid")?,
            bready: port("bready")?,
            bresp: port("bresp")?,
            araddr: port("araddr")?,
            arvalid: port("arvalid")?,
            arready: port("arready")?,
            rdata: port("rdata")?,
            rvalid: port("rvalid")?,
            rready: port("rready")?,
            rresp: port("rresp")?,
            queue: VecDeque::new(),
            open: VecDeque::new(),
            address: false,
            data: false,
            answers: VecDeque::new(),
            active: 0,
            failure: None,
        })
    }

    pub fn push(&mut self, access: Access, cycle: u64) {
        if self.done() {
            self.active = cycle;
        }
        self.queue.push_back(access);
    }

    /// Whether everything has been answered.
    pub fn done(&self) -> bool {
        self.queue.is_empty() && self.open.is_empty() && !self.address && !self.data
    }

    /// The answer to a read, or what went wrong.
    pub fn answer(&mut self) -> Result<Option<u32>, SimError> {
        let answer = self.answers.pop_front();
        self.failure.take().map_or(Ok(answer), Err)
    }

    fn fail(&mut self, address: u32, response: &'static str) {
        self.queue.clear();
        self.failure.get_or_insert(SimError::Bus { address, response });
    }

    /// Forgets everything: the device is reset.
    pub fn clear(&mut self, model: &mut Model) {
        self.queue.clear();
        self.open.clear();
        self.answers.clear();
        self.failure = None;
        (self.address, self.data) = (false, false);
        for valid in [self.awvalid, self.wvalid, self.arvalid] {
            model.set_u64(valid, 0);
        }
    }

    /// Before the edge: what stands on the wires.
    pub fn drive(&mut self, model: &mut Model) {
        if !self.address && !self.data && self.may_issue() {
            let Some(access) = self.queue.pop_front() else { return };
            match access {
                Access::Read { address } => {
                    model.set_u64(self.araddr, u64::from(address));
                    model.set_u64(self.arvalid, 1);
                    self.address = true;
                }
                Access::Write { address, value } => {
                    model.set_u64(self.awaddr, u64::from(address));
                    model.set_u64(self.awvalid, 1);
                    model.set_u64(self.wdata, u64::from(value));
                    model.set_u64(self.wvalid, 1);
                    if let Some(strobes) = self.wstrb {
                        model.set_u64(strobes, 15);
                    }
                    (self.address, self.data) = (true, true);
                }
            }
            self.open.push_back(access);
        }
        model.set_u64(self.bready, 1);
        model.set_u64(self.rready, 1);
    }

    fn may_issue(&self) -> bool {
        match (self.queue.front(), self.open.front()) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(Access::Write { .. }), Some(Access::Write { .. })) => self.open.len() < OPEN,
            _ => false,
        }
    }

    /// Before the edge, with everything driven: what will move.
    pub fn taken(&mut self, model: &Model, cycle: u64) -> Moved {
        let mut moved = Moved::default();
        if self.done() {
            return moved;
        }
        let high = |port| model.get_u64(port) == 1;
        if self.address {
            let read = high(self.arvalid);
            if high(if read { self.arready } else { self.awready }) {
                self.address = false;
                let port = if read { &mut moved.read } else { &mut moved.address };
                *port = Some(if read { self.arvalid } else { self.awvalid });
            }
        }
        if self.data && high(self.wready) {
            self.data = false;
            moved.data = Some(self.wvalid);
        }
        let response = match self.open.front() {
            Some(Access::Write { .. }) if high(self.bvalid) => Some(model.get_u64(self.bresp)),
            Some(Access::Read { .. }) if high(self.rvalid) => {
                self.answers.push_back(model.get_u64(self.rdata) as u32);
                Some(model.get_u64(self.rresp))
            }
            _ => None,
        };
        let address = self.open.front().map_or(0, |a| a.address());
        if let Some(response) = response {
            self.open.pop_front();
            if response != 0 {
                self.fail(address, RESPONSES[response as usize & 3]);
            }
        }
        if moved.any() || response.is_some() {
            self.active = cycle;
        } else if cycle - self.active > PATIENCE {
            self.fail(address, "no answer");
            self.open.clear();
            (self.address, self.data) = (false, false);
            moved = Moved {
                address: Some(self.awvalid),
                data: Some(self.wvalid),
                read: Some(self.arvalid),
            };
        }
        moved
    }
}

const RESPONSES: [&str; 4] = ["OKAY", "EXOKAY", "SLVERR", "DECERR"];

/// The valid signals to be taken back behind the edge.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moved {
    address: Option<PortId>,
    data: Option<PortId>,
    read: Option<PortId>,
}

impl Moved {
    fn any(self) -> bool {
        self.address.is_some() || self.data.is_some() || self.read.is_some()
    }

    pub fn withdraw(self, model: &mut Model) {
        for port in [self.address, self.data, self.read].into_iter().flatten() {
            model.set_u64(port, 0);
        }
    }
}
