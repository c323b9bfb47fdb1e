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
        }
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

    /// Makes the bus itself. `identity` are the words from `MAGIC` on.
    pub fn finish(self, p: &mut Pipe, identity: &[u32; 8]) {
        let m = p.module();
        m.section("configuration bus");
        let zero = m.lit(1, 0);

        // A command of a live cell is under way from its beginning to an answer.
        let flags: Vec<Net> = self.answers.iter().map(|a| a.done).collect();
        let done = if flags.is_empty() { zero } else { m.or_all(&flags) };
        let done = m.delay(done, 1);
        let refusals: Vec<Net> = self.answers.iter().filter_map(|a| a.refused).collect();
        let refused = if refusals.is_empty() { zero } else { m.or_all(&refusals) };
        let refused = m.delay(refused, 1);
        let running = m.reg("cfg_running", 1);
        let starts_live = match self.waiting.is_empty() {
            true => zero,
            false => m.or_all(&self.waiting.clone()),
        };
        let stop = m.not(done);
        let on = m.and(running.q(), stop);
        let next = m.or(on, starts_live);
        m.drive(running, next, Drive::always().reset_zero(1));

        // The request, held until it is answered.
        let pending = m.reg("cfg_request", 1);
        let taken = m.reg("cfg_taken", 1);
        let busy = m.or(pending.q(), taken.q());
        let ack = m.reg("cfg_ack", 1);
        let free = m.or(busy, ack.q());
        let free = m.not(free);
        let accept = m.and(self.valid, free);
        let hold_addr = m.reg("cfg_addr", CFG_ADDRESS_BITS);
        let hold_data = m.reg("cfg_wdata", CFG_DATA_BITS);
        let hold_write = m.reg("cfg_write", 1);
        m.drive(hold_addr, self.addr, Drive::when(accept));
        m.drive(hold_data, self.wdata, Drive::when(accept));
        m.drive(hold_write, self.write, Drive::when(accept));
        let addr = hold_addr.q();

        let word = |m: &mut Module, at: u32| {
            let at = m.lit(CFG_ADDRESS_BITS, at.into());
            m.eq(addr, at)
        };
        let low = m.slice(addr, CFG_ADDRESS_BITS - 1, 4);
        let low = m.any(low);
        let low = m.not(low);
        let is_status = word(m, region::STATUS);
        let at_once = m.or(low, is_status);
        let at_once = m.delay(at_once, 1);
        let settled = m.delay(pending.q(), 1);
        let settled = m.and(settled, pending.q());
        let blocked = m.or(running.q(), self.clearing.q());
        let blocked = m.or(blocked, self.go.q());
        let patience = m.reg("cfg_patience", 8);
        let tired = m.all(patience.q());
        let open = m.not(blocked);
        let open = m.or(open, at_once);
        let ends = m.or(open, tired);
        let serve = m.and(settled, ends);
        let good = m.and(settled, open);
        let not_serve = m.not(serve);
        let waits = m.and(pending.q(), not_serve);
        let next = m.or(accept, waits);
        m.drive(pending, next, Drive::always().reset_zero(1));
        let step = m.lit(8, 1);
        let count = m.add(patience.q(), step);
        let nothing = m.lit(8, 0);
        let count = m.mux(settled, count, nothing);
        m.drive(patience, count, Drive::always().reset_zero(8));
        // Two clocks for the answer's multiplexers.
        m.drive(taken, serve, Drive::always().reset_zero(1));
        m.drive(ack, taken.q(), Drive::always().reset_zero(1));

        let writes = m.and(good, hold_write.q());
        let store = |m: &mut Module, at: u32| {
            let at = word(m, at);
            m.and(writes, at)
        };
        let data = hold_data.q();
        let to_number = store(m, region::MEM);
        let number = m.slice(data, NUMBER_BITS - 1, 0);
        m.drive(self.number, number, Drive::when(to_number).reset_zero(NUMBER_BITS));
        let to_row = store(m, region::ROW);
        let to_command = store(m, region::CMD);
        let command = m.slice(data, COMMAND_BITS - 1, 0);
        m.drive(self.command, command, Drive::when(to_command).reset_zero(COMMAND_BITS));
        m.drive(self.go, to_command, Drive::always().reset_zero(1));

        // Rows count up behind a write, and while everything is cleared.
        let kind = m.lit(COMMAND_BITS, region::WRITE.into());
        let wrote = m.eq(self.command.q(), kind);
        let wrote = m.and(wrote, self.go.q());
        let up = m.or(wrote, self.clearing.q());
        let step = m.lit(ROW_BITS, 1);
        let following = m.add(self.row.q(), step);
        let given = m.slice(data, ROW_BITS - 1, 0);
        let next_row = m.mux(to_row, given, following);
        let change = m.or(up, to_row);
        m.drive(self.row, next_row, Drive::when(change).reset_zero(ROW_BITS));
        // What says that there is a packet is not reset on its way: state is cleared until none is left from before.
        let rows = if self.answers.is_empty() { self.rows } else { self.rows.max(LEAST_CLEARING) };
        let last = m.lit(ROW_BITS, u64::from(rows) - 1);
        let last = m.eq(self.row.q(), last);
        let more = m.not(last);
        let clearing = m.and(self.clearing.q(), more);
        m.drive(self.clearing, clearing, Drive::always().reset(Bits::ones(1)));

        // The held row.
        let read_kind = m.lit(COMMAND_BITS, region::READ.into());
        let reads = m.eq(self.command.q(), read_kind);
        let widest = self.answers.iter().map(|a| m.width(a.data)).max().unwrap_or(0);
        let mut loads: Vec<Net> = Vec::new();
        for answer in &self.answers {
            let wide = m.resize(answer.data, widest);
            let gate = m.repeat(answer.done, widest);
            let mine = m.and(gate, wide);
            loads.push(m.delay(mine, 1));
        }
        let loaded = if loads.is_empty() { None } else { Some(m.or_all(&loads)) };
        let load = m.and(done, reads);
        for (at, word) in (0..).zip(&self.hold.clone()) {
            let mine = store(m, region::HOLD + at);
            let (low, high) = (at * WORD, (at * WORD + WORD).min(widest));
            match loaded.filter(|_| low < widest) {
                Some(loaded) => {
                    let part = m.slice(loaded, high - 1, low);
                    let part = m.resize(part, WORD);
                    let next = m.mux(load, part, data);
                    let change = m.or(mine, load);
                    m.drive(*word, next, Drive::when(change).reset_zero(WORD));
                }
                None => m.drive(*word, data, Drive::when(mine).reset_zero(WORD)),
            }
        }

        // Refused: too early, or by the cell.
        let late = m.not(open);
        let late = m.and(serve, late);
        let bad = m.or(late, refused);
        let failed = m.reg("cfg_refused", 1);
        let kept = m.not(self.go.q());
        let kept = m.and(failed.q(), kept);
        let next = m.or(bad, kept);
        m.drive(failed, next, Drive::always().reset_zero(1));

        // Answers.
        let unknown = m.lit(WORD, 0);
        let mut low_words: Vec<(u64, Net)> = Vec::new();
        for (at, value) in (0..).zip(identity) {
            let value = m.lit(WORD, u64::from(*value));
            low_words.push((at, value));
        }
        let ready = m.not(self.clearing.q());
        let ready = m.resize(ready, WORD);
        low_words.push((region::READY.into(), ready));
        let number = m.resize(self.number.q(), WORD);
        low_words.push((region::MEM.into(), number));
        let row = m.resize(self.row.q(), WORD);
        low_words.push((region::ROW.into(), row));
        let status = m.concat(&[failed.q(), blocked]);
        let status = m.resize(status, WORD);
        low_words.push((region::STATUS.into(), status));
        let index = m.slice(addr, 4, 0);
        let first = m.case(index, &low_words, unknown);
        let first = m.delay(first, 1);
        // Held words, sixteen at a time; only those that a read may have filled.
        let readable = widest.div_ceil(WORD) as usize;
        let index = m.slice(addr, 3, 0);
        let mut groups = vec![first];
        for sixteen in self.hold[..readable.min(self.hold.len())].chunks(16) {
            let arms: Vec<(u64, Net)> = (0..).zip(sixteen.iter().map(|r| r.q())).collect();
            let group = m.case(index, &arms, unknown);
            groups.push(m.delay(group, 1));
        }
        let group = m.slice(addr, CFG_ADDRESS_BITS - 1, 4);
        let arms: Vec<(u64, Net)> = groups
            .iter()
            .skip(1)
            .zip(u64::from(region::HOLD >> 4)..)
            .map(|(net, at)| (at, *net))
            .chain([(0, groups[0]), (1, groups[0])])
            .collect();
        let answer = m.case(group, &arms, unknown);
        let answer = m.delay(answer, 1);
        m.output("cfg_ack_o", ack.q());
        m.output("cfg_rdata_o", answer);
    }
}
