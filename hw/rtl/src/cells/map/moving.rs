//! A map's entries on the lane.
//!
//! A message is about one way of one bucket. Beside the entry it says what of it counts: `put` for key and values, `changed`
//! for the time and whether there is an entry at all, `now` for the time as that of the last packet. A token's entry comes
//! out of memory, which does not have what operations in flight did; but those have sent that themselves, just before,
//! so a token leaves out what any of them changed.

use super::super::lane::Moves;
use super::ways::{Doing, Pair};
use crate::net::{Module, Net};
use crate::pipe::{Pipe, Sig};
use restage_manifest::cell::{MapShape, bits_for};
use restage_manifest::socket::TIME_BITS;

/// `put`, `changed`, `now`, and whether there is an entry.
const FLAGS: u32 = 4;

/// Bits of a message behind its row: the flags, the time, values and key.
pub(super) fn bits(shape: &MapShape) -> u32 {
    FLAGS + TIME_BITS + shape.time_at()
}

/// A map's entries mean the same in another one with the same keys, values and places.
pub(super) fn class(shape: &MapShape) -> String {
    let MapShape { key, values, buckets, ways, .. } = shape;
    format!("map from {key:?} to {values:?} bits, {buckets} x {ways}")
}

/// What is done in a clock, at its end.
#[derive(Debug)]
pub(super) struct Operation<'a> {
    /// What the memories said: a way's key and values, and its mark.
    pub rows: Vec<(Sig, Sig)>,
    pub before: &'a [Pair],
    pub doing: &'a Doing,
    pub bucket: Sig,
    pub key: Sig,
    pub now: Sig,
    pub exec: u32,
}

/// When a message is sent, and about which row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub valid: Net,
    pub row: Net,
}

impl Operation<'_> {
    /// The message behind the operation. `any`: there was a packet or the host.
    pub fn message(&self, p: &mut Pipe, shape: &MapShape, moves: &Moves, any: Sig) -> (Net, Sent) {
        let ways = self.rows.len();
        let way_bits = bits_for(shape.ways);
        let end = self.exec + 1;
        let token = p.at(moves.copy, end);
        // The token's entry, chosen as soon as it is there.
        let read = p.latest(&self.rows.iter().flat_map(|(a, b)| [*a, *b]).collect::<Vec<_>>());
        let number = p.at(moves.row, read);
        let number = p.slice(number, way_bits - 1, 0);
        let choices: Vec<(Sig, Sig)> = (0..ways)
            .map(|way| {
                let own = p.lit(way_bits, way as u64);
                let (held, used) = self.rows[way];
                (p.eq(number, own), p.concat(&[used, held]))
            })
            .collect();
        let copied = p.select(&choices);
        let copied = p.at(copied, end);
        let chosen: Vec<Sig> = choices.iter().map(|(chosen, _)| p.at(*chosen, end)).collect();
        let mut put = Vec::new();
        let mut changed = Vec::new();
        for (way, chosen) in chosen.iter().enumerate() {
            let dirty_put = self.dirty(p, |doing| doing.put[way]);
            let dirty_changed = self.dirty(p, |doing| doing.changed[way]);
            let m = p.module();
            let mine = m.and(chosen.net(), token.net());
            let clean = m.not(dirty_put.net());
            let copied = m.and(mine, clean);
            put.push(m.or(copied, self.doing.put[way].q()));
            let clean = m.not(dirty_changed.net());
            let copied = m.and(mine, clean);
            changed.push(m.or(copied, self.doing.changed[way].q()));
        }
        let m = p.module();
        // Of the ways at most one changes.
        let gone: Vec<Net> = (0..ways).map(|way| self.doing.removed[way].q()).collect();
        let gone = m.or_all(&gone);
        let there = m.not(gone);
        let own = match self.doing.values {
            None => m.concat(&[there, self.now.net(), self.key.net()]),
            Some(values) => m.concat(&[there, self.now.net(), self.key.net(), values.q()]),
        };
        let entry = m.mux(token.net(), copied.net(), own);
        let numbers: Vec<(Net, Net)> = (0..ways)
            .map(|way| {
                let number = m.lit(way_bits, way as u64);
                (self.doing.changed[way].q(), number)
            })
            .collect();
        let way = m.select(&numbers);
        let (put, changed) = (m.or_all(&put), m.or_all(&changed));
        let not_token = m.not(token.net());
        let now = m.and(not_token, any.net());
        let message = m.concat(&[entry, now, changed, put]);
        let row = m.concat(&[self.bucket.net(), way]);
        (message, Sent { valid: any.net(), row })
    }

    /// Whether an operation in flight, earlier than this one, did something to its bucket; one cycle behind the operation.
    fn dirty(&self, p: &mut Pipe, what: impl Fn(&Doing) -> crate::net::Reg) -> Sig {
        let merge = self.exec - 1;
        let mut all = Vec::new();
        for (ago, pair) in (0..).zip(self.before.iter().skip(1)) {
            let done = p.module().delay(what(self.doing).q(), ago);
            let done = p.sig(done, merge);
            all.push(p.and(done, pair.bucket));
        }
        let some = p.or_all(&all);
        let some = p.at(some, self.exec);
        let last = p.sig(what(self.doing).q(), self.exec);
        let last = p.and(last, self.before[0].bucket);
        let any = p.or(some, last);
        p.at(any, self.exec + 1)
    }
}

/// A message that came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    put: Net,
    changed: Net,
    /// Its time is that of the last packet.
    pub now: Net,
    pub time: Net,
    mark: Net,
    entry: Net,
    bucket: Net,
    way: Net,
}

impl Taken {
    pub fn new(m: &mut Module, shape: &MapShape, moves: &Moves) -> Self {
        let way_bits = bits_for(shape.ways);
        let row_bits = bits_for(shape.buckets);
        let data = moves.taken_data;
        let flag = |m: &mut Module, at: u32| {
            let flag = m.bit(data, at);
            m.and(flag, moves.taken)
        };
        let low = FLAGS - 1;
        let time_at = low + shape.time_at();
        Taken {
            put: flag(m, 0),
            changed: flag(m, 1),
            now: flag(m, 2),
            entry: m.slice(data, time_at - 1, low),
            time: m.slice(data, time_at + TIME_BITS - 1, time_at),
            mark: m.slice(data, time_at + TIME_BITS, time_at),
            way: m.slice(moves.taken_row, way_bits - 1, 0),
            bucket: m.slice(moves.taken_row, way_bits + row_bits - 1, way_bits),
        }
    }

    /// What is written to a way's keys and values: its own operation's first.
    pub fn row(
        &self,
        m: &mut Module,
        way: usize,
        put: Net,
        row: Net,
        data: Net,
    ) -> (Net, Net, Net) {
        self.either(m, way, self.put, self.entry, put, row, data)
    }

    /// The same for its mark.
    pub fn mark(
        &self,
        m: &mut Module,
        way: usize,
        changed: Net,
        row: Net,
        data: Net,
    ) -> (Net, Net, Net) {
        self.either(m, way, self.changed, self.mark, changed, row, data)
    }

    #[allow(clippy::too_many_arguments)] // two writes of three nets each
    fn either(
        &self,
        m: &mut Module,
        way: usize,
        taken: Net,
        theirs: Net,
        own: Net,
        row: Net,
        data: Net,
    ) -> (Net, Net, Net) {
        let number = m.lit(m.width(self.way), way as u64);
        let mine = m.eq(self.way, number);
        let mine = m.and(mine, taken);
        (m.or(own, mine), m.mux(own, row, self.bucket), m.mux(own, data, theirs))
    }

    /// Whether a message came in the clock of a change.
    pub fn clash(&self, m: &mut Module, doing: &Doing) -> Net {
        let changed: Vec<Net> = doing.changed.iter().map(|c| c.q()).collect();
        let any = m.or_all(&changed);
        m.and(any, self.changed)
    }
}
