//! Read-modify-write of a memory, one operation at every clock.
//!
//! Contract: operations take effect in the order of their packets, as if each were finished before the next
//! began, also back to back on one row. Host operations enter in the clocks without packets. The memory is read two
//! clocks after the address; what operations in flight will write is taken from them. One clock before the
//! operation what the two, three and four before it gave is chosen, in its own clock only what the one before it gave: one
//! lookup table. The update must fit that clock with it.

use super::config::{Config, Live, Ports};
use crate::net::{Drive, MemStyle, Memory, Net, Reg};
use crate::pipe::{LOOP_LEVELS, Pipe, Sig};
use restage_manifest::cell::{Part, PartShape, bits_for};

/// Clocks from the address to the operation.
pub const READ: u32 = 3;

/// A memory and who accesses it.
#[derive(Clone, Debug)]
pub struct Rmw<'a> {
    /// For names and messages: `register flows`.
    pub name: &'a str,
    /// Its numbers on the configuration bus.
    pub ports: &'a Ports,
    /// Which of them.
    pub part: Part,
    /// Whether there is a packet at all.
    pub packet: Sig,
    /// Which row, of any width.
    pub index: Sig,
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
    let start = p.latest(&early).max(p.latest(operands).saturating_sub(READ));
    let begun: Vec<Begun> = cells
        .iter()
        .zip(places)
        .map(|(cell, place)| Begun::new(p, config, cell, place, start))
        .collect();
    let old: Vec<Sig> = begun.iter().map(|b| b.shown).collect();
    let operands: Vec<Sig> = operands.iter().map(|o| p.at(*o, start + READ)).collect();
    let usual = p.allow_levels(LOOP_LEVELS);
    let new = update(p, &old, &operands);
    for ((begun, cell), (enable, data)) in begun.into_iter().zip(cells).zip(new) {
        begun.finish(p, config, cell, enable, data);
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
    /// Whether there is a packet and such a row, at the clock of the operation.
    there: Sig,
    result: Reg,
    shown: Sig,
}

impl Begun {
    fn new(p: &mut Pipe, config: &mut Config, cell: &Rmw<'_>, place: Place, start: u32) -> Self {
        let PartShape { width, rows, .. } = cell.ports.shape(cell.part);
        let (index, packet) = (p.at(place.index, start), p.at(cell.packet, start));
        let exec = start + READ;
        let live = config.live(p, cell.ports, cell.part, packet);
        let m = p.module();
        let row = m.resize(live.row, bits_for(rows));
        let addr = m.mux(live.issue, row, index.net());
        let memory = m.memory(cell.name, width, rows.max(2), MemStyle::Auto);
        let on = m.lit(1, 1);
        let read = m.read_port(memory, on, addr, 2);

        // Which of the last operations had this row.
        let alive = match place.in_range {
            None => on,
            Some(in_range) => {
                let in_range = p.at(in_range, start);
                p.module().or(in_range.net(), live.issue)
            }
        };
        let m = p.module();
        let mut same = Vec::new();
        for before in 1..=4 {
            let (other, there) = (m.delay(addr, before), m.delay(alive, before));
            let equal = m.eq(addr, other);
            let equal = m.and(equal, there);
            same.push(m.delay(equal, 1));
        }
        let last = m.delay(same[0], READ - 1);
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
        let before = m.delay(before, 1);
        let old = m.mux(last, result.q(), before);
        let shown = match place.in_range {
            None => old,
            Some(_) => {
                let alive = m.delay(alive, READ);
                let gate = m.repeat(alive, width);
                m.and(old, gate)
            }
        };

        let shown = p.sig(shown, exec);
        let shown = p.named(&format!("{}_old", cell.name), shown);
        let packet = p.at(packet, exec);
        let there = match place.in_range {
            None => packet,
            Some(in_range) => {
                let in_range = p.at(in_range, exec);
                p.and(packet, in_range)
            }
        };
        Begun { memory, addr, live, there, result, shown }
    }

    fn finish(self, p: &mut Pipe, config: &mut Config, cell: &Rmw<'_>, enable: Sig, data: Sig) {
        let Begun { memory, addr, live, there, result, shown } = self;
        let exec = shown.cycle();
        let enable = p.and(enable, there);
        let m = p.module();
        let host = m.and(live.issue, live.write);
        let host = m.delay(host, READ);
        let (host, hold) = (p.sig(host, exec), p.sig(live.data, exec));
        let new = p.mux(enable, data, shown);
        let new = p.mux(host, hold, new);
        let write = p.or(enable, host);
        let late = new.cycle().max(write.cycle());
        if late > exec {
            p.refuse(format!(
                "the update of {} needs {} clocks; it must fit one, or back-to-back packets would see old contents: make it simpler",
                cell.name,
                late - exec + 1
            ));
        }
        let m = p.module();
        m.drive(result, new.net(), Drive::always());
        let write = m.delay(write.net(), 1);
        let addr = m.delay(addr, READ + 1);
        m.write_port(memory, write, addr, result.q());
        let done = m.delay(live.issue, READ);
        config.answer(done, shown.net(), None);
    }
}
