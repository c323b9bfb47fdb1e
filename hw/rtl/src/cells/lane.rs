//! The lane: state on its way from one variant to another while packets flow.
//!
//! Contract. Every cell whose rows packets change has words of the lane for itself, its *sublane*. While LANE says so, it sends
//! what it writes in the clock in which it writes it, whoever had it done. On command every row is sent once: a *token* with
//! the row's number enters the region in clocks without a packet and goes the way of a packet, so a cell reads the row as
//! an operation would and writes nothing. Order on the lane is the order of operations, so whoever takes all messages has, a
//! fixed time later, what the sender has. What is taken is written behind the cell's own operations; that a packet reads it
//! in time is for the bubble of a change to see to.
//!
//! One idle clock in eight is left to the host. Which words a cell has is decided in the end: those that it is wished to
//! have, where it runs already, then what is free. What finds no room has no sublane and does not move.

use super::config::{Config, Ports};
use crate::net::{Drive, Module, Net, Reg, Wire};
use crate::pipe::{Pipe, Sig};
use restage_manifest::cell::Part;
use restage_manifest::socket::{LANE_ROW_BITS, LANE_WORD_BITS};
use restage_manifest::{Kept, Sublane};
use restage_program::Bits;

/// Idle clocks from one that is left to the host to the next, as a power of two.
const SHARE_BITS: u32 = 3;

/// Which words of the lane the state of a region shall have, as far as they are free.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wish<'a> {
    /// First words, by name: those that it has where it runs.
    pub named: &'a [(String, u32)],
    /// The word behind which all other state is put. Regions of a program that begin behind each other have different words,
    /// and then their state can come together in one.
    pub behind: u32,
}

/// The lane of a region under construction.
#[derive(Clone, Debug)]
pub struct Lane {
    words: u32,
    /// First words that cells are wished to have, by name.
    named: Vec<(String, u32)>,
    behind: u32,
    /// What came, one clock ago.
    valid: Net,
    data: Net,
    /// Whether every change is sent.
    on: Reg,
    /// Tokens: whether there are any, whether one is there, and its row.
    copying: Reg,
    token: Sig,
    row: Reg,
    row_now: Sig,
    /// Forget what has ended and what was lost.
    forget: Reg,
    /// What every cell sends, and where it wants what comes.
    cells: Vec<Cell>,
}

/// A cell on the lane.
#[derive(Clone, Debug)]
struct Cell {
    kept: Kept,
    sent: u32,
    read: u32,
    valid: Net,
    message: Net,
    came: Wire,
    taken: Wire,
    ended: Reg,
    clash: Net,
}

/// A memory, or several with the same rows, whose content moves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moving<'a> {
    pub name: &'a str,
    /// Only what is of one class moves from one to the other.
    pub class: &'a str,
    pub ports: &'a Ports,
    pub part: Part,
    pub rows: u32,
    pub bits: u32,
    pub signed: bool,
    /// The cycle at which it is read.
    pub start: u32,
}

/// A cell's part of the lane.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moves {
    /// A token comes in the clock of the address.
    pub copy: Sig,
    /// For which row; wider than rows are.
    pub row: Sig,
    /// Whether a message is to be written, to which row, with what.
    pub taken: Net,
    pub taken_row: Net,
    pub taken_data: Net,
    /// Whether the token's row exists, or it is the end.
    sends: Sig,
    came: Wire,
    message: Wire,
    ended: Reg,
}

impl Lane {
    /// With the ports of the socket. `packet`: whether there is a packet, at cycle 0.
    pub fn new(p: &mut Pipe, words: u32, packet: Sig, wish: Wish<'_>) -> Self {
        let m = p.module();
        m.section("lane");
        let valid = m.input("lane_valid_i", words);
        let data = m.input("lane_i", words * LANE_WORD_BITS);
        let came = m.reg("lane_came", words);
        m.drive(came, valid, Drive::always().reset_zero(words));
        let data = m.delay(data, 1);
        let copying = m.reg("lane_copying", 1);
        let row = m.reg("lane_row", LANE_ROW_BITS);
        let idle = m.not(packet.net());
        let share = m.reg("lane_share", SHARE_BITS);
        let one = m.lit(SHARE_BITS, 1);
        let step = m.add(share.q(), one);
        m.drive(share, step, Drive::when(idle).reset_zero(SHARE_BITS));
        let mine = m.any(share.q());
        let token = m.and_all(&[copying.q(), idle, mine]);
        let (on, forget) = (m.reg("lane_on", 1), m.reg("lane_forget", 1));
        Lane {
            words,
            named: wish.named.to_vec(),
            behind: wish.behind,
            valid: came.q(),
            data,
            on,
            copying,
            token: p.sig(token, 0),
            row,
            row_now: p.sig(row.q(), 0),
            forget,
            cells: Vec::new(),
        }
    }

    fn cell(&mut self, p: &mut Pipe, of: &Moving<'_>) -> Moves {
        let copy = p.at(self.token, of.start);
        let row = p.at(self.row_now, of.start);
        let m = p.module();
        let most = m.lit(LANE_ROW_BITS, of.rows.into());
        let exists = m.lt(self.row.q(), most);
        let last = m.bit(self.row.q(), LANE_ROW_BITS - 1);
        let sends = m.or(exists, last);
        let sends = m.and(sends, self.token.net());
        let name = of.name;
        let came = m.wire(&format!("{name}_lane_came"), 1);
        let message = m.wire(&format!("{name}_lane_taken"), LANE_ROW_BITS + of.bits);
        let end = m.bit(message.net(), LANE_ROW_BITS - 1);
        let not_end = m.not(end);
        let taken = m.and(came.net(), not_end);
        let ends = m.and(came.net(), end);
        let ended = m.reg(&format!("{name}_lane_ended"), 1);
        let stays = m.or(ended.q(), ends);
        let kept = m.not(self.forget.q());
        let stays = m.and(stays, kept);
        m.drive(ended, stays, Drive::always().reset_zero(1));
        let taken_row = m.slice(message.net(), LANE_ROW_BITS - 1, 0);
        let taken_data = m.slice(message.net(), LANE_ROW_BITS + of.bits - 1, LANE_ROW_BITS);
        let sends = p.sig(sends, 0);
        let sends = p.register(sends);
        Moves { copy, row, taken, taken_row, taken_data, sends, came, message, ended }
    }

    /// The first word of each cell, in their order.
    fn places(&self) -> Vec<Option<u32>> {
        let mut free = vec![true; self.words as usize];
        let mut places = vec![None; self.cells.len()];
        let mut take = |first: usize, words: usize| {
            let all = free.get_mut(first..first + words).filter(|all| all.iter().all(|f| *f));
            all.map(|all| all.fill(false)).is_some()
        };
        for (place, cell) in places.iter_mut().zip(&self.cells) {
            let wish = self.named.iter().find(|(name, _)| *name == cell.kept.name);
            *place = wish.map(|w| w.1).filter(|first| take(*first as usize, words(cell)));
        }
        for (place, cell) in places.iter_mut().zip(&self.cells) {
            let all = (self.behind..self.words).chain(0..self.behind);
            let first = || all.into_iter().find(|first| take(*first as usize, words(cell)));
            *place = place.or_else(first);
        }
        places
    }

    /// Ends: the register at [`LANE`](restage_manifest::address::region::LANE), and the ports. `write` and `data`: what the
    /// host writes to it. Gives what the host reads, and what is kept.
    pub(super) fn finish(mut self, m: &mut Module, write: Net, data: Net) -> (Net, Vec<Kept>) {
        m.section("lane");
        let bit = |m: &mut Module, at: u32| m.bit(data, at);
        let on = bit(m, 0);
        m.drive(self.on, on, Drive::when(write).reset_zero(1));
        let forgets = bit(m, 2);
        let forgets = m.and(write, forgets);
        m.drive(self.forget, forgets, Drive::always().reset_zero(1));
        // All rows, then the end.
        let starts = bit(m, 1);
        let starts = m.and(write, starts);
        let token = self.token.net();
        let last = m.bit(self.row.q(), LANE_ROW_BITS - 1);
        let over = m.and(token, last);
        let not_over = m.not(over);
        let goes_on = m.and(self.copying.q(), not_over);
        let copying = m.or(starts, goes_on);
        m.drive(self.copying, copying, Drive::always().reset_zero(1));
        let one = m.lit(LANE_ROW_BITS, 1);
        let up = m.add(self.row.q(), one);
        let rows = self.cells.iter().map(|cell| cell.kept.rows).max().unwrap_or(1);
        let top = m.lit(LANE_ROW_BITS, u64::from(rows) - 1);
        let at_top = m.eq(self.row.q(), top);
        let end = m.lit(LANE_ROW_BITS, 1 << (LANE_ROW_BITS - 1));
        let up = m.mux(at_top, end, up);
        let zero = m.lit(LANE_ROW_BITS, 0);
        let row = m.mux(starts, zero, up);
        let moves = m.or(starts, token);
        m.drive(self.row, row, Drive::when(moves).reset_zero(LANE_ROW_BITS));

        let no = m.lit(1, 0);
        let mut valids = vec![no; self.words as usize];
        let nothing = m.lit(LANE_WORD_BITS, 0);
        let mut words_out = vec![nothing; self.words as usize];
        let mut ended = Vec::new();
        let mut clashes = vec![no];
        let places = self.places();
        for (cell, place) in self.cells.iter_mut().zip(places) {
            let bits = m.width(cell.taken.net());
            let Some(first) = place else {
                m.assign(cell.came, no);
                let zeros = m.bits(&Bits::zero(bits));
                m.assign(cell.taken, zeros);
                continue;
            };
            let low = first * LANE_WORD_BITS;
            let message = m.slice(self.data, low + bits - 1, low);
            let came = m.bit(self.valid, first);
            m.assign(cell.came, came);
            m.assign(cell.taken, message);
            ended.push(cell.ended.q());
            clashes.push(cell.clash);
            let words = words(cell) as u32;
            let (sent, read) = (cell.sent, cell.read);
            cell.kept.lane = Some(Sublane { first, words, sent, read });
            valids[first as usize] = cell.valid;
            for word in 0..words {
                let low = word * LANE_WORD_BITS;
                words_out[(first + word) as usize] =
                    m.slice(cell.message, low + LANE_WORD_BITS - 1, low);
            }
        }
        let clash = m.or_all(&clashes);
        let clash = m.delay(clash, 1);
        let lost = m.reg("lane_lost", 1);
        let next = m.or(lost.q(), clash);
        let kept = m.not(self.forget.q());
        let next = m.and(next, kept);
        m.drive(lost, next, Drive::always().reset_zero(1));
        ended.reverse();
        let zeros = m.lit(5, 0);
        ended.extend([zeros, lost.q(), self.copying.q(), self.on.q()]);
        let read = m.concat(&ended);
        valids.reverse();
        words_out.reverse();
        let (valid, message) = (m.concat(&valids), m.concat(&words_out));
        let out = m.reg("lane_sent", self.words);
        m.drive(out, valid, Drive::always().reset_zero(self.words));
        m.output("lane_valid_o", out.q());
        m.output_reg("lane_o", message);
        (read, self.cells.into_iter().map(|cell| cell.kept).collect())
    }
}

/// Words of a cell's messages.
fn words(cell: &Cell) -> usize {
    (LANE_ROW_BITS + cell.kept.bits).div_ceil(LANE_WORD_BITS) as usize
}

impl Config {
    /// A place on the lane for what moves; `None` when there is no lane, or there are more rows than it can name.
    pub(super) fn moves(&mut self, p: &mut Pipe, of: &Moving<'_>) -> Option<Moves> {
        let lane = self.lane.as_mut()?;
        (of.rows <= 1 << (LANE_ROW_BITS - 1)).then(|| lane.cell(p, of))
    }

    /// Sends, if anything is sent at all, what is in `row` and `data` at `cycle` when `changed` is 1 or a token passes for which
    /// there is something to send. `clash`: a message was to be written in the clock of a write.
    #[allow(clippy::too_many_arguments)] // a message, and what it is about
    pub(super) fn send(
        &mut self,
        p: &mut Pipe,
        of: &Moving<'_>,
        moves: &Moves,
        cycle: u32,
        changed: Net,
        row: Net,
        data: Net,
        clash: Net,
    ) {
        let (Some(memory), Some(lane)) = (of.ports.number(of.part), self.lane.as_mut()) else {
            return;
        };
        let token = p.at(moves.sends, cycle);
        let number = p.at(moves.row, cycle);
        let m = p.module();
        let valid = m.or(changed, token.net());
        let valid = m.and(valid, lane.on.q());
        let row = m.resize(row, LANE_ROW_BITS);
        // The end's number is no row's.
        let row = m.mux(token.net(), number.net(), row);
        let message = m.concat(&[data, row]);
        // Whoever has more bits finds the upper ones here.
        let whole = (LANE_ROW_BITS + of.bits).next_multiple_of(LANE_WORD_BITS);
        let message = if of.signed { m.sext(message, whole) } else { m.zext(message, whole) };
        let kept = Kept {
            name: of.name.to_string(),
            class: of.class.to_string(),
            memory,
            rows: of.rows,
            bits: of.bits,
            signed: of.signed,
            lane: None,
        };
        let Moves { came, message: taken, ended, .. } = *moves;
        let (sent, read) = (cycle + 1, of.start);
        lane.cells.push(Cell { kept, sent, read, valid, message, came, taken, ended, clash });
    }
}
