//! Read-modify-write of a memory, one operation at every clock.
//!
//! Contract: operations take effect in the order of their packets, as if each were finished before the next
//! began, also back to back on one row. Host operations enter in the clocks without packets.
//!
//! The memory is read two clocks after the address. In the third clock its row, or what an operation two to four before
//! will write, or what the host writes, is chosen; then what the operation just before it gives in the same clock. That is
//! kept in a register, so the operation, in the fourth clock, begins with a register: its loop is the update and one
//! lookup table, which takes what the update gives, the old row, or the row of the next operation.

use super::config::{Config, Live, Ports};
use super::lane::{Moves, Moving};
use crate::net::{Drive, MemStyle, Memory, Net, Reg};
use crate::pipe::{LOOP_LEVELS, Pipe, Sig};
use restage_manifest::cell::{Part, PartShape, bits_for};
use restage_program::program::Unit;

/// Clocks from the address to the operation.
pub const READ: u32 = 3;

/// A memory and who accesses it.
#[derive(Clone, Debug)]
pub struct Rmw<'a> {
    /// For names: `flows`.
    pub name: &'a str,
    /// For messages: what does the update.
    pub what: &'a str,
    /// Its numbers on the configuration bus.
    pub ports: &'a Ports,
    /// Which of them.
    pub part: Part,
    /// Whether there is a packet at all.
    pub packet: Sig,
    /// Which row, of any width.
    pub index: Sig,
    /// What it is, for those who take its rows over.
    pub class: Class,
}

/// What the rows of a memory are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// A number of the program's.
    Register,
    /// The same with a sign.
    Signed,
    /// A counter.
    Counter(Unit),
    /// When a meter was last filled.
    Filled,
    /// What is missing in a meter.
    Missing(Unit),
    /// When an entry was last hit.
    Used,
}

impl Rmw<'_> {
    fn moving(&self, rows: u32, bits: u32, start: u32) -> Moving<'_> {
        let class = match self.class {
            Class::Register | Class::Signed => "register",
            Class::Counter(Unit::Packets) => "counter of packets",
            Class::Counter(Unit::Bytes) => "counter of bytes",
            Class::Counter(Unit::Both) => "counter of packets and bytes",
            Class::Filled => "times of a meter",
            Class::Missing(Unit::Packets) => "meter of packets",
            Class::Missing(_) => "meter of bytes",
            Class::Used => "times of hits",
        };
        let signed = self.class == Class::Signed;
        let (name, ports, part) = (self.name, self.ports, self.part);
        Moving { name, class, ports, part, rows, bits, signed, start }
    }
}

/// The index in the width of an address, and whether it is one, unless all are.
pub fn address(p: &mut Pipe, index: Sig, rows: u32) -> (Sig, Option<Sig>) {
    let (width, wide) = (bits_for(rows), p.width(index));
    let all = wide < 32 && 1u64 << wide <= u64::from(rows);
    let in_range = if all {
        None
    } else {
        let bits = restage_program::Bits::new(wide.max(width + 1), rows.into());
        let rows = p.bits(&bits);
        let index = p.resize(index, wide.max(width + 1));
        Some(p.lt(index, rows))
    };
    (p.resize(index, width), in_range)
}

/// Makes the memory; gives the row as it was, 0 when there is no such row. `update` is given the old row and
/// the operands in the clock of the operation, and says whether it is written and with what; everything else that it
/// needs is in `operands`, a guard too.
pub fn rmw(
    p: &mut Pipe,
    config: &mut Config,
    cell: &Rmw<'_>,
    operands: &[Sig],
    update: impl FnOnce(&mut Pipe, Sig, &[Sig]) -> (Sig, Sig),
) -> Sig {
    let cells = std::slice::from_ref(cell);
    let old =
        rmw_together(p, config, cells, operands, |p, old, rest| vec![update(p, old[0], rest)]);
    old[0]
}

/// As [`rmw`], for memories whose rows are read together and updated together in the same clock, each from the
/// old rows of all.
pub fn rmw_together(
    p: &mut Pipe,
    config: &mut Config,
    cells: &[Rmw<'_>],
    operands: &[Sig],
    update: impl FnOnce(&mut Pipe, &[Sig], &[Sig]) -> Vec<(Sig, Sig)>,
) -> Vec<Sig> {
    let places: Vec<Place> = cells
        .iter()
        .map(|cell| {
            let (index, in_range) = address(p, cell.index, cell.ports.shape(cell.part).rows);
            Place { index: p.registered(index), in_range }
        })
        .collect();
    let early: Vec<Sig> = places
        .iter()
        .zip(cells)
        .flat_map(|(place, cell)| [place.index, cell.packet].into_iter().chain(place.in_range))
        .collect();
    let given: Vec<Sig> = operands.iter().map(|o| p.registered(*o)).collect();
    let start = p.latest(&early).max(p.latest(&given).saturating_sub(READ));
    let begun: Vec<Begun> = cells
        .iter()
        .zip(places)
        .map(|(cell, place)| Begun::new(p, config, cell, place, start))
        .collect();
    let old: Vec<Sig> = begun.iter().map(|b| b.shown).collect();
    let held: Vec<Sig> = given.iter().map(|o| p.at(*o, start + READ)).collect();
    // There can be no register inside, and how deep it becomes is seen at its end.
    let usual = p.allow_levels(u32::MAX);
    let new = update(p, &old, &held);
    for ((begun, cell), (enable, data)) in begun.into_iter().zip(cells).zip(new) {
        // What does not depend on the row is ready earlier, and what gates it too.
        let early = held.iter().position(|o| *o == enable).map(|at| given[at]);
        begun.finish(p, config, cell, early, enable, data);
    }
    p.allow_levels(usual);
    old
}

/// A row of a memory.
#[derive(Clone, Copy, Debug)]
struct Place {
    index: Sig,
    in_range: Option<Sig>,
}

/// An operation between reading and writing.
#[derive(Debug)]
struct Begun {
    memory: Memory,
    addr: Net,
    live: Live,
    /// Whether the host writes, one clock before the operation.
    hosted: Net,
    /// Whether there is a packet, and whether such a row, at the cycle of the address.
    packet: Sig,
    in_range: Option<Sig>,
    /// One clock before the operation: whether the operation before has its row, and the row otherwise.
    last: Net,
    before: Net,
    /// The row before and after the operation.
    old: Reg,
    result: Reg,
    shown: Sig,
    moves: Option<Moves>,
    start: u32,
}

impl Begun {
    fn new(p: &mut Pipe, config: &mut Config, cell: &Rmw<'_>, place: Place, start: u32) -> Self {
        let PartShape { width, rows, .. } = cell.ports.shape(cell.part);
        let (index, packet) = (p.at(place.index, start), p.at(cell.packet, start));
        let in_range = place.in_range.map(|in_range| p.at(in_range, start));
        let moves = config.moves(p, &cell.moving(rows, width, start));
        let busy = match moves {
            None => packet,
            Some(moves) => p.or(packet, moves.copy),
        };
        let live = config.live(p, cell.ports, cell.part, busy);
        let m = p.module();
        let row = m.resize(live.row, bits_for(rows));
        let mut addr = m.mux(live.issue, row, index.net());
        if let Some(moves) = moves {
            let row = m.resize(moves.row.net(), bits_for(rows));
            addr = m.mux(moves.copy.net(), row, addr);
        }
        let memory = m.memory(cell.name, width, rows.max(2), MemStyle::Auto);
        let on = m.lit(1, 1);
        let read = m.read_port(memory, on, addr, 2);
        let host = m.and(live.issue, live.write);

        // Which of the last operations had this row.
        let alive = match (in_range, moves) {
            (None, None) => on,
            (Some(in_range), None) => m.or(in_range.net(), live.issue),
            // What has only been read may since have come on the lane.
            (_, Some(moves)) => {
                let real = m.or(packet.net(), live.issue);
                let real = match in_range {
                    None => real,
                    Some(in_range) => {
                        let there = m.and(packet.net(), in_range.net());
                        m.or(there, live.issue)
                    }
                };
                m.or(real, moves.copy.net())
            }
        };
        let mut same = Vec::new();
        for before in 1..=4 {
            let (other, there) = (m.delay(addr, before), m.delay(alive, before));
            let equal = m.eq(addr, other);
            let equal = m.and(equal, there);
            same.push(m.delay(equal, 1));
        }
        let (alive, host) = (m.delay(alive, 1), m.delay(host, 1));
        let not_host = m.not(host);
        let last = m.and_all(&[same[0], alive, not_host]);
        let last = m.delay(last, 1);
        let not_two = m.not(same[1]);
        let three = m.and(not_two, same[2]);
        let neither = m.or(same[1], same[2]);
        let neither = m.not(neither);
        let four = m.and(neither, same[3]);
        // 0: memory, 1: two before, 2: three before, 3: four before.
        let low = m.or(same[1], four);
        let high = m.or(three, four);
        let source = m.concat(&[high, low]);
        let source = m.delay(source, 1);

        let result = m.reg(&format!("{}_new", cell.name), width);
        let second = m.delay(result.q(), 1);
        let third = m.delay(result.q(), 2);
        let before = m.case(source, &[(1, result.q()), (2, second), (3, third)], read);
        let (alive, hosted) = (m.delay(alive, 1), m.delay(host, 1));
        let gate = m.repeat(alive, width);
        let before = m.and(before, gate);
        let before = m.mux(hosted, live.data, before);
        let old = m.reg(&format!("{}_old", cell.name), width);
        let shown = p.sig(old.q(), start + READ);
        Begun {
            memory,
            addr,
            live,
            hosted,
            packet,
            in_range,
            last,
            before,
            old,
            result,
            shown,
            moves,
            start,
        }
    }

    fn finish(
        self,
        p: &mut Pipe,
        config: &mut Config,
        cell: &Rmw<'_>,
        early: Option<Sig>,
        enable: Sig,
        data: Sig,
    ) {
        let exec = self.shown.cycle();
        let there: Vec<Sig> = [self.packet].into_iter().chain(self.in_range).collect();
        let gated = |p: &mut Pipe, enable: Sig| {
            let all: Vec<Sig> = there.iter().copied().chain([enable]).collect();
            p.and_all(&all)
        };
        let ready = early.map(|enable| gated(p, enable)).filter(|e| e.cycle() < exec);
        let enable = match ready {
            Some(enable) => {
                let enable = p.registered(enable);
                p.at(enable, exec)
            }
            None => {
                let there = p.and_all(&there);
                let there = p.registered(there);
                let there = p.at(there, exec);
                p.and(enable, there)
            }
        };
        let new = p.mux(enable, data, self.shown);
        let m = p.module();
        m.drive(self.result, new.net(), Drive::always());
        let next = m.mux(self.last, new.net(), self.before);
        m.drive(self.old, next, Drive::always());
        let hosted = m.delay(self.hosted, 1);
        let write = m.or(enable.net(), hosted);
        let write = m.delay(write, 1);
        let addr = m.delay(self.addr, READ + 1);
        match self.moves {
            None => m.write_port(self.memory, write, addr, self.result.q()),
            Some(moves) => {
                let either = m.or(write, moves.taken);
                let row = m.resize(moves.taken_row, m.width(addr));
                let row = m.mux(write, addr, row);
                let data = m.mux(write, self.result.q(), moves.taken_data);
                m.write_port(self.memory, either, row, data);
                let clash = m.and(write, moves.taken);
                let PartShape { width, rows, .. } = cell.ports.shape(cell.part);
                let moving = cell.moving(rows, width, self.start);
                config.send(p, &moving, &moves, exec + 1, write, addr, self.result.q(), clash);
            }
        }
        let m = p.module();
        let done = m.delay(self.live.issue, READ);
        config.answer(done, self.shown.net(), None);
        let cycle = new.cycle();
        let next = p.sig(next, cycle);
        fits_a_clock(p, cell.what, exec, &[next]);
    }
}

/// Refuses a loop whose ends come later than in the clock in which it begins, or behind too much logic. `what` says what is
/// done, for the message.
pub(super) fn fits_a_clock(p: &mut Pipe, what: &str, begins: u32, ends: &[Sig]) {
    let late = p.latest(ends).saturating_sub(begins);
    let depths = ends.iter().map(|e| (p.luts(*e), p.chains(*e)));
    let (luts, chains) = depths.max_by_key(|(luts, chains)| luts + chains).unwrap_or_default();
    let found = match late {
        0 if luts + chains <= LOOP_LEVELS => return,
        0 => format!("{luts} lookup tables and {chains} carry chains in a row"),
        more => format!("{} clocks", more + 1),
    };
    p.refuse(format!(
        "{what}: from reading to writing it takes {found}, but it must be done before the next packet reads, in one \
         clock, in which {LOOP_LEVELS} lookup tables and carry chains fit together; compute before what does not \
         depend on what is read, make numbers narrower, or divide the work between two cells"
    ));
}
