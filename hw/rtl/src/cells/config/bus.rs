//! The bus itself: requests, commands, the held row and answers.

use super::{COMMAND_BITS, Config, LEAST_CLEARING, NUMBER_BITS, ROW_BITS, WORD};
use crate::net::{Drive, Module, Net};
use crate::pipe::Pipe;
use restage_manifest::Kept;
use restage_manifest::address::region;
use restage_manifest::socket::{CFG_ADDRESS_BITS, CFG_DATA_BITS};
use restage_program::Bits;

impl Config {
    /// Makes the bus itself. `identity` are the words from `MAGIC` on; those that are not known yet are stamps of the module.
    /// Gives what is kept.
    pub fn finish(mut self, p: &mut Pipe, identity: &[Option<u32>; 8]) -> Vec<Kept> {
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
        let (lane, kept_cells) = match self.lane.take() {
            Some(lane) => {
                let to_lane = store(m, region::LANE);
                let (word, kept_cells) = lane.finish(m, to_lane, data);
                m.section("configuration bus");
                (m.resize(word, WORD), kept_cells)
            }
            None => (m.lit(WORD, 0), Vec::new()),
        };
        let unknown = m.lit(WORD, 0);
        let mut low_words: Vec<(u64, Net)> = Vec::new();
        for (at, value) in (0..).zip(identity) {
            let value = match value {
                Some(value) => m.lit(WORD, u64::from(*value)),
                None => m.stamp(WORD),
            };
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
        low_words.push((region::LANE.into(), lane));
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
        kept_cells
    }
}
