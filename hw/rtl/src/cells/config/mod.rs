//! The configuration bus of a region: identity, memories, and operations on cells.
//!
//! Contract. One request at a time: `cfg_valid_i` with address, direction and data until `cfg_ack_o`, which
//! comes for every request. The words are those of [`address::region`]. `HOLD` is the row that `CMD` writes or has
//! read. A command is acknowledged when it is begun; a request that meets a command still under way
//! waits for its end, but at most [`PATIENCE`] clocks: then it is acknowledged, does nothing, and `STATUS`
//! says refused. Words below `MEM` and `STATUS` are answered at once. `STATUS` bit 1 is cleared by the next
//! command that begins.
//!
//! Memories that packets do not write (*fixed*) take a row in one clock. Operations on cells that packets write
//! (*live*) go through the cell's own pipeline, in the first clock without a packet. After a reset all rows of all
//! memories are written with 0, which is the only thing the block does by itself; `READY` is 1 when that is done.
//!
//! Nothing here knows what the rows mean.

mod bus;

use super::lane::Lane;
use crate::net::{Drive, Module, Net, Reg};
use crate::pipe::{Pipe, Sig};
use restage_manifest::address::region;
use restage_manifest::cell::{Part, PartShape, bits_for};
use restage_manifest::socket::{CFG_ADDRESS_BITS, CFG_DATA_BITS};
use restage_program::Bits;

/// Clocks that a request waits for the command before it.
pub const PATIENCE: u32 = 255;
/// Bits of a memory's number.
const NUMBER_BITS: u32 = 16;
/// Bits of a row's number.
const ROW_BITS: u32 = 24;
/// Rows that are cleared at least where packets write: more than the longest latency of a region.
const LEAST_CLEARING: u32 = 512;
/// Bits of a command.
const COMMAND_BITS: u32 = 4;
const WORD: u32 = CFG_DATA_BITS;

/// The block under construction.
#[derive(Clone, Debug)]
pub struct Config {
    valid: Net,
    write: Net,
    addr: Net,
    wdata: Net,
    number: Reg,
    row: Reg,
    command: Reg,
    /// A command begins.
    go: Reg,
    clearing: Reg,
    /// The row of the last command, and `clearing` a clock ago: what targets see.
    target_row: Net,
    target_clearing: Net,
    hold: Vec<Reg>,
    rows: u32,
    next: u32,
    waiting: Vec<Net>,
    answers: Vec<Answer>,
    pub(super) lane: Option<Lane>,
}

#[derive(Clone, Copy, Debug)]
struct Answer {
    done: Net,
    data: Net,
    refused: Option<Net>,
}

/// The memories of one cell.
#[derive(Clone, Debug)]
pub struct Ports {
    /// Number of the first one.
    pub first: u32,
    parts: Vec<PartShape>,
}

/// A write port for the host.
#[derive(Clone, Copy, Debug)]
pub struct Fixed {
    /// A row is written.
    pub enable: Net,
    /// Which.
    pub row: Net,
    /// With what.
    pub data: Net,
}

/// Host operations in a cell's pipeline.
#[derive(Clone, Copy, Debug)]
pub struct Live {
    /// Whether an operation enters at the cycle that [`Config::live`] was given. Never when a packet does, but for
    /// clearing, when there are none.
    pub issue: Net,
    /// Whether it clears, in the clock of `issue`.
    pub clear: Net,
    /// Whether it writes `data`; stable while operations are under way.
    pub write: Net,
    /// The command; stable too. 0 while clearing.
    pub command: Net,
    /// The row, in the clock of `issue`.
    pub row: Net,
    /// The held row, stable while operations are under way.
    pub data: Net,
}

impl Ports {
    /// The shape of a memory of the cell.
    pub fn shape(&self, part: Part) -> PartShape {
        let none = PartShape { part, width: 1, rows: 2, live: false };
        self.parts.iter().find(|x| x.part == part).copied().unwrap_or(none)
    }

    /// The number of a memory of the cell.
    pub(super) fn number(&self, part: Part) -> Option<u32> {
        let at = self.parts.iter().position(|x| x.part == part)?;
        Some(self.first + at as u32)
    }
}

impl Config {
    /// Begins with the bus's inputs.
    pub fn new(p: &mut Pipe) -> Self {
        let m = p.module();
        m.section("configuration bus");
        let valid = m.input("cfg_valid_i", 1);
        let write = m.input("cfg_write_i", 1);
        let addr = m.input("cfg_addr_i", CFG_ADDRESS_BITS);
        let wdata = m.input("cfg_wdata_i", CFG_DATA_BITS);
        let number = m.reg("cfg_number", NUMBER_BITS);
        let row = m.reg("cfg_row", ROW_BITS);
        let command = m.reg("cfg_command", COMMAND_BITS);
        let go = m.reg("cfg_go", 1);
        let clearing = m.reg("cfg_clearing", 1);
        let target_row = m.reg("cfg_target_row", ROW_BITS);
        let takes = m.or(go.q(), clearing.q());
        m.drive(target_row, row.q(), Drive::when(takes));
        let target_clearing = m.reg("cfg_target_clearing", 1);
        m.drive(target_clearing, clearing.q(), Drive::always().reset(Bits::ones(1)));
        Config {
            valid,
            write,
            addr,
            wdata,
            number,
            row,
            command,
            go,
            clearing,
            target_row: target_row.q(),
            target_clearing: target_clearing.q(),
            hold: Vec::new(),
            rows: 1,
            next: 0,
            waiting: Vec::new(),
            answers: Vec::new(),
            lane: None,
        }
    }

    /// With a lane, on which the state of cells moves.
    pub fn with_lane(self, lane: Lane) -> Self {
        Config { lane: Some(lane), ..self }
    }

    /// Gives numbers to the memories of a cell. Each must then be taken, by [`fixed`](Self::fixed) or
    /// [`live`](Self::live).
    pub fn cell(&mut self, parts: &[PartShape]) -> Ports {
        let first = self.next;
        self.next += parts.len() as u32;
        Ports { first, parts: parts.to_vec() }
    }

    /// The host's write port of a memory that packets only read.
    pub fn fixed(&mut self, p: &mut Pipe, ports: &Ports, part: Part) -> Fixed {
        let (number, shape) = self.part(p, ports, part);
        let m = p.module();
        let begins = self.begins(m, number);
        let kind = m.lit(COMMAND_BITS, region::WRITE.into());
        let writes = m.eq(self.command.q(), kind);
        let begins = m.and(begins, writes);
        let now = m.or(begins, self.clearing.q());
        let enable = m.delay(now, 1);
        m.named(&format!("cfg_write_{number}"), enable);
        let data = self.held(m, shape.width);
        let row = m.slice(self.target_row, bits_for(shape.rows) - 1, 0);
        Fixed { enable, row, data }
    }

    /// Host operations of a memory that packets write. `packet` says whether there is a packet in the cycle in
    /// which operations are to enter.
    pub fn live(&mut self, p: &mut Pipe, ports: &Ports, part: Part, packet: Sig) -> Live {
        self.live_after(p, ports, part, packet, 0)
    }

    /// As [`live`](Self::live); operations enter so many clocks after their command at the earliest.
    pub fn live_after(
        &mut self,
        p: &mut Pipe,
        ports: &Ports,
        part: Part,
        packet: Sig,
        clocks: u32,
    ) -> Live {
        let (number, shape) = self.part(p, ports, part);
        let m = p.module();
        let begins = self.begins(m, number);
        self.waiting.push(begins);
        let begins = m.delay(begins, clocks);
        let pending = m.reg("cfg_pending", 1);
        let still = m.and(pending.q(), packet.net());
        let next = m.or(begins, still);
        m.drive(pending, next, Drive::always().reset_zero(1));
        let idle = m.not(packet.net());
        let mine = m.and(pending.q(), idle);
        let issue = m.or(mine, self.target_clearing);
        let kind = m.lit(COMMAND_BITS, region::WRITE.into());
        let writes = m.eq(self.command.q(), kind);
        let write = m.or(writes, self.target_clearing);
        let data = self.held(m, shape.width);
        let row = m.slice(self.target_row, bits_for(shape.rows) - 1, 0);
        let clear = self.target_clearing;
        Live { issue, clear, write, command: self.command.q(), row, data }
    }

    /// Says that a host operation on a live memory has ended, in the clock in which `done` is 1, with the row as
    /// it was, and whether the operation was refused.
    pub fn answer(&mut self, done: Net, data: Net, refused: Option<Net>) {
        self.answers.push(Answer { done, data, refused });
    }

    fn part(&mut self, p: &mut Pipe, ports: &Ports, part: Part) -> (u32, PartShape) {
        let found = ports.parts.iter().position(|x| x.part == part);
        let Some(at) = found else {
            p.refuse(format!("a cell has no memory {part:?}"));
            return (0, PartShape { part, width: 1, rows: 2, live: false });
        };
        let shape = ports.parts[at];
        if shape.width > region::HOLD_WORDS * WORD {
            p.refuse(format!(
                "a row of {part:?} has {} bits, the configuration bus holds {}; make keys or data narrower",
                shape.width,
                region::HOLD_WORDS * WORD
            ));
        }
        self.rows = self.rows.max(shape.rows);
        (ports.first + at as u32, shape)
    }

    /// Whether a command for a memory begins.
    fn begins(&mut self, m: &mut Module, number: u32) -> Net {
        let number = m.lit(NUMBER_BITS, number.into());
        let mine = m.eq(self.number.q(), number);
        m.and(mine, self.go.q())
    }

    /// The held row's low bits.
    fn held(&mut self, m: &mut Module, width: u32) -> Net {
        let words = width.div_ceil(WORD).min(region::HOLD_WORDS) as usize;
        while self.hold.len() < words {
            let word = m.reg(&format!("cfg_hold_{}", self.hold.len()), WORD);
            self.hold.push(word);
        }
        let parts: Vec<Net> = self.hold[..words].iter().rev().map(|r| r.q()).collect();
        let all = m.concat(&parts);
        m.resize(all, width)
    }
}
