//! Masked, range and mixed keys: bit vectors.
//!
//! A key is a string of bytes. For every byte position and every value of that byte there is a row of
//! bits: which rules allow that value there. The rules that match are the conjunction of one row per
//! byte, 512 rules at a time, most selective position first. Rules stand in blocks; all rules of a block come before all of the
//! next, so the search stops at the first block with a match. Inside a block rules stand in any order and
//! the best rank decides, which is what makes an insert cheap: it touches one block and moves nothing.
//!
//! A range of several bytes is not a product of byte sets, but a few such products (boxes) together.

use std::ops::RangeInclusive;

/// Which values of one byte a rule allows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum ByteSet {
    Masked { value: u8, mask: u8 },
    Range(RangeInclusive<u8>),
}

impl ByteSet {
    pub const ANY: ByteSet = ByteSet::Masked { value: 0, mask: 0 };

    fn allows(&self, byte: u8) -> bool {
        match self {
            ByteSet::Masked { value, mask } => (byte ^ value) & mask == 0,
            ByteSet::Range(range) => range.contains(&byte),
        }
    }
}

/// One set per byte of the key.
pub(crate) type Cube = Vec<ByteSet>;

/// The order of rules: the smaller one wins.
pub(crate) type Rank = (u32, u64);

/// Rules in a block of a large table.
const MANY: usize = 512;
const WORDS: usize = MANY / 64;

/// Some rules that stand next to each other in the order. Blocks have numbers: theirs are the words
/// `number * words ..` of every row.
#[derive(Clone, Debug)]
struct Block {
    number: usize,
    low: Rank,
    high: Rank,
    used: [u64; WORDS],
}

/// The rules of a table.
#[derive(Clone, Debug)]
pub(crate) struct Ternary {
    bytes: usize,
    /// Words of a block in a row: 1 as long as 64 rules are enough, then [`WORDS`].
    words: usize,
    /// Blocks in the order of their rules.
    blocks: Vec<Block>,
    free: Vec<usize>,
    /// Blocks for which rows have room.
    room: usize,
    /// Rows by position and byte, each `room * words` words.
    rows: Vec<u64>,
    ranks: Vec<Rank>,
    ids: Vec<u32>,
    /// For each position how many values the rules allow there.
    allowed: Vec<u64>,
    /// Positions where any rule asks for something, those that ask for most first.
    order: Vec<usize>,
}

impl Block {
    fn free(&self, words: usize) -> Option<usize> {
        let word = self.used[..words].iter().position(|w| *w != u64::MAX)?;
        Some(word * 64 + self.used[word].trailing_ones() as usize)
    }
}

impl Ternary {
    /// A table whose keys have so many bytes, one at least.
    pub fn new(bytes: usize) -> Self {
        Ternary {
            bytes,
            words: 1,
            blocks: Vec::new(),
            free: Vec::new(),
            room: 0,
            rows: Vec::new(),
            ranks: Vec::new(),
            ids: Vec::new(),
            allowed: vec![0; bytes],
            order: Vec::new(),
        }
    }

    /// The matching rule of the smallest rank. `accept` may refuse rules that were put in too widely.
    #[inline(always)]
    pub fn get(&self, key: &[u8], accept: impl Fn(u32) -> bool) -> Option<u32> {
        if self.words == 1 {
            self.find::<1>(key, &accept)
        } else {
            self.find::<WORDS>(key, &accept)
        }
    }

    #[inline(always)]
    fn find<const N: usize>(&self, key: &[u8], accept: &impl Fn(u32) -> bool) -> Option<u32> {
        let (rows, _) = self.rows.as_chunks::<N>();
        'blocks: for block in &self.blocks {
            let mut hits = [0; N];
            hits.copy_from_slice(&block.used[..N]);
            for position in &self.order {
                let row = (position * 256 + usize::from(*key.get(*position)?)) * self.room;
                let row = rows.get(row + block.number)?;
                let mut any = 0;
                for (hit, bits) in hits.iter_mut().zip(row) {
                    *hit &= bits;
                    any |= *hit;
                }
                if any == 0 {
                    continue 'blocks;
                }
            }
            if let Some(best) = self.best(block.number, hits, accept) {
                return Some(best);
            }
        }
        None
    }

    /// The best of the rules in `hits` that `accept` does not refuse.
    fn best<const N: usize>(
        &self,
        block: usize,
        hits: [u64; N],
        accept: &impl Fn(u32) -> bool,
    ) -> Option<u32> {
        let mut best: Option<(Rank, u32)> = None;
        for (word, mut bits) in hits.into_iter().enumerate() {
            while bits != 0 {
                let at = (block * N + word) * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let (rank, id) = (self.ranks[at], self.ids[at]);
                if best.is_none_or(|(other, _)| rank < other) && accept(id) {
                    best = Some((rank, id));
                }
            }
        }
        best.map(|(_, id)| id)
    }

    /// Adds a rule: the union of its cubes.
    pub fn insert(&mut self, rank: Rank, id: u32, cubes: &[Cube]) {
        for cube in cubes {
            let (index, at) = self.place(rank);
            let number = self.take(index, at, rank, id);
            let (word, bit) = (number * self.words + at / 64, 1 << (at % 64));
            let width = self.room * self.words;
            for ((set, rows), allowed) in
                cube.iter().zip(self.rows.chunks_exact_mut(256 * width)).zip(&mut self.allowed)
            {
                for (byte, row) in (0..=255u8).zip(rows.chunks_exact_mut(width)) {
                    if set.allows(byte) {
                        row[word] |= bit;
                        *allowed += 1;
                    }
                }
            }
        }
        self.sort();
    }

    /// Removes a rule.
    pub fn remove(&mut self, rank: Rank, id: u32) {
        for index in 0..self.blocks.len() {
            let Block { number, low, high, .. } = self.blocks[index];
            if low <= rank && rank <= high {
                for at in 0..self.words * 64 {
                    if self.ids[number * self.words * 64 + at] == id {
                        self.clear(index, at);
                    }
                }
            }
        }
        let free = &mut self.free;
        self.blocks.retain(|block| {
            let keep = block.used != [0; WORDS];
            if !keep {
                free.push(block.number);
            }
            keep
        });
        self.sort();
    }

    /// Marks a place of a block as a rule's; returns the block's number.
    fn take(&mut self, index: usize, at: usize, rank: Rank, id: u32) -> usize {
        let block = &mut self.blocks[index];
        block.used[at / 64] |= 1 << (at % 64);
        block.low = block.low.min(rank);
        block.high = block.high.max(rank);
        let all = block.number * self.words * 64 + at;
        (self.ranks[all], self.ids[all]) = (rank, id);
        block.number
    }

    /// Frees a place of a block.
    fn clear(&mut self, index: usize, at: usize) {
        let block = &mut self.blocks[index];
        block.used[at / 64] &= !(1 << (at % 64));
        self.ids[block.number * self.words * 64 + at] = u32::MAX;
        let (word, bit) = (block.number * self.words + at / 64, 1 << (at % 64));
        let width = self.room * self.words;
        let positions = self.rows.chunks_exact_mut(256 * width);
        for (rows, allowed) in positions.zip(&mut self.allowed) {
            for row in rows.chunks_exact_mut(width) {
                *allowed -= u64::from(row[word] & bit != 0);
                row[word] &= !bit;
            }
        }
    }

    /// Looks at the positions anew: those where every rule allows everything need no look.
    fn sort(&mut self) {
        let places = self.blocks.iter().flat_map(|b| b.used).map(|w| u64::from(w.count_ones()));
        let all = 256 * places.sum::<u64>();
        self.order.clear();
        self.order.extend((0..self.bytes).filter(|position| self.allowed[*position] < all));
        self.order.sort_by_key(|position| self.allowed[*position]);
    }

    /// A free place in the block where the rank belongs.
    fn place(&mut self, rank: Rank) -> (usize, usize) {
        loop {
            let words = self.words;
            let at = self.blocks.partition_point(|b| b.high < rank);
            let outside = self.blocks.get(at).is_none_or(|b| rank < b.low);
            // Between or behind all: the block before it will do if it has room.
            let before =
                at.checked_sub(1).filter(|i| outside && self.blocks[*i].free(words).is_some());
            let index = before.unwrap_or(at);
            if let Some(free) = self.blocks.get(index).and_then(|b| b.free(words)) {
                return (index, free);
            }
            if words == 1 && !self.blocks.is_empty() {
                self.widen();
            } else if outside {
                // Rules that come in order fill blocks one after the other.
                let number = self.number();
                self.blocks
                    .insert(index, Block { number, low: rank, high: rank, used: [0; WORDS] });
            } else {
                self.split(index);
            }
        }
    }

    /// The number of a new block; rows are made longer when there is none.
    fn number(&mut self) -> usize {
        if self.free.is_empty() {
            let more = if self.words == 1 { 1 } else { (self.room * 2).max(1) };
            self.resize(more, self.words);
        }
        self.free.pop().unwrap_or(0)
    }

    /// Gives every row room for so many blocks of so many words; a row's first words stay.
    fn resize(&mut self, room: usize, words: usize) {
        let (old, new) = (self.room * self.words, room * words);
        let mut rows = vec![0; self.bytes * 256 * new];
        if old > 0 {
            for (to, from) in rows.chunks_exact_mut(new).zip(self.rows.chunks_exact(old)) {
                to[..old].copy_from_slice(from);
            }
        }
        self.rows = rows;
        self.free.extend((self.room..room).rev());
        self.ranks.resize(new * 64, (0, 0));
        self.ids.resize(new * 64, u32::MAX);
        (self.room, self.words) = (room, words);
    }

    /// From one block of 64 rules to blocks of [`MANY`].
    fn widen(&mut self) {
        self.resize(1, WORDS);
    }

    /// Moves the worse half of a full block into a block of its own.
    fn split(&mut self, index: usize) {
        let number = self.number();
        let (words, width) = (self.words, self.room * self.words);
        let from = self.blocks[index].number;
        let rank = |at: &usize| self.ranks[from * words * 64 + at];
        let mut order: Vec<usize> = (0..words * 64).collect();
        order.sort_by_key(rank);
        let moved = order.split_off(order.len() / 2);
        let high = order.iter().map(rank).max().unwrap_or(self.blocks[index].low);
        let low = moved.iter().map(rank).min().unwrap_or(high);
        self.blocks.insert(index + 1, Block { number, low, high: low, used: [0; WORDS] });
        for (to, at) in moved.iter().enumerate() {
            let all = from * words * 64 + at;
            let (rank, id) = (self.ranks[all], self.ids[all]);
            self.take(index + 1, to, rank, id);
            let (old, new) = (from * words + at / 64, number * words + to / 64);
            let positions = self.rows.chunks_exact_mut(256 * width);
            for (rows, allowed) in positions.zip(&mut self.allowed) {
                for row in rows.chunks_exact_mut(width) {
                    let bit = row[old] >> (at % 64) & 1;
                    row[new] |= bit << (to % 64);
                    *allowed += bit;
                }
            }
            self.clear(index, *at);
        }
        self.blocks[index].high = high;
    }
}

/// The range between two numbers of as many bytes, as cubes.
pub(crate) fn range_cubes(low: &[u8], high: &[u8]) -> Vec<Cube> {
    let (Some((low, low_rest)), Some((high, high_rest))) = (low.split_first(), high.split_first())
    else {
        return vec![Vec::new()];
    };
    let with = |byte: u8, rests: Vec<Cube>| {
        rests.into_iter().map(move |rest| {
            let mut cube = vec![ByteSet::Range(byte..=byte)];
            cube.extend(rest);
            cube
        })
    };
    if low == high {
        return with(*low, range_cubes(low_rest, high_rest)).collect();
    }
    let mut cubes = Vec::new();
    let (mut first, mut last) = (i16::from(*low), i16::from(*high));
    if low_rest.iter().any(|b| *b != 0) {
        cubes.extend(with(*low, range_cubes(low_rest, &vec![0xff; low_rest.len()])));
        first += 1;
    }
    if high_rest.iter().any(|b| *b != 0xff) {
        cubes.extend(with(*high, range_cubes(&vec![0; high_rest.len()], high_rest)));
        last -= 1;
    }
    if let (true, Ok(first), Ok(last)) = (first <= last, u8::try_from(first), u8::try_from(last)) {
        let mut cube = vec![ByteSet::Range(first..=last)];
        cube.resize(low_rest.len() + 1, ByteSet::ANY);
        cubes.push(cube);
    }
    cubes
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng, rngs::SmallRng};

    struct Rule {
        rank: Rank,
        id: u32,
        cubes: Vec<Cube>,
    }

    fn scan(rules: &[Rule], key: &[u8]) -> Option<u32> {
        let fits = |r: &&Rule| {
            r.cubes.iter().any(|c| c.iter().zip(key).all(|(set, byte)| set.allows(*byte)))
        };
        rules.iter().filter(fits).min_by_key(|r| r.rank).map(|r| r.id)
    }

    /// Rules come and go, few and many, in order and not; random keys find what a scan finds.
    #[test]
    fn agrees_with_a_scan() {
        for (bytes, most, order) in
            [(1, 40, 0), (4, 64, 1), (3, 900, 0), (4, 3000, 1), (2, 1500, 2)]
        {
            let mut rng = SmallRng::seed_from_u64(most as u64);
            let (mut ternary, mut rules) = (Ternary::new(bytes), Vec::<Rule>::new());
            let mut free: Vec<u32> = (0..most as u32).rev().collect();
            for step in 0..most as u64 * 3 {
                if rules.len() < most && (step < most as u64 || rng.random_bool(0.5)) {
                    let id = free.pop().unwrap();
                    let priority = match order {
                        0 => rng.random_range(0..50),
                        1 => step as u32,
                        _ => u32::MAX - step as u32,
                    };
                    let cubes: Vec<Cube> = (0..rng.random_range(1..3))
                        .map(|_| {
                            (0..bytes)
                                .map(|_| match rng.random_range(0..3) {
                                    0 => ByteSet::ANY,
                                    1 => {
                                        let mask: u8 = rng.random::<u8>() & rng.random::<u8>();
                                        ByteSet::Masked { value: rng.random::<u8>() & mask, mask }
                                    }
                                    _ => ByteSet::Range(rng.random()..=rng.random()),
                                })
                                .collect()
                        })
                        .collect();
                    let rank = (priority, step);
                    ternary.insert(rank, id, &cubes);
                    rules.push(Rule { rank, id, cubes });
                } else if !rules.is_empty() {
                    let rule = rules.swap_remove(rng.random_range(0..rules.len()));
                    ternary.remove(rule.rank, rule.id);
                    free.push(rule.id);
                }
                for _ in 0..if rules.len() > 500 { 1 } else { 5 } {
                    let key: Vec<u8> = (0..bytes).map(|_| rng.random()).collect();
                    assert_eq!(ternary.get(&key, |_| true), scan(&rules, &key), "{most} {order}");
                }
            }
            let ordered = ternary.blocks.windows(2).all(|w| w[0].high <= w[1].low);
            assert!(ordered || most < 100);
        }
    }

    #[test]
    fn a_refused_rule_leaves_the_next_one() {
        let mut ternary = Ternary::new(1);
        for id in 0..3 {
            ternary.insert((id, 0), id, &[vec![ByteSet::ANY]]);
        }
        assert_eq!(ternary.get(&[7], |id| id != 0), Some(1));
        assert_eq!(ternary.get(&[7], |_| false), None);
    }

    #[test]
    fn ranges_are_their_cubes() {
        let mut rng = SmallRng::seed_from_u64(3);
        let edges = [0u16, 1, 0xff, 0x100, 0x1ff, 0x200, 0xfeff, 0xff00, 0xfffe, 0xffff];
        for round in 0..600 {
            let mut pick = || match round % 2 {
                0 => edges[rng.random_range(0..edges.len())],
                _ => rng.random(),
            };
            let (low, high) = (pick(), pick());
            if low > high {
                continue;
            }
            let cubes = range_cubes(&low.to_be_bytes(), &high.to_be_bytes());
            assert!(cubes.len() <= 3);
            for value in 0..=0xffffu16 {
                let bytes = value.to_be_bytes();
                let inside = cubes
                    .iter()
                    .filter(|c| c.iter().zip(&bytes).all(|(set, byte)| set.allows(*byte)))
                    .count();
                assert_eq!(
                    inside,
                    usize::from(low <= value && value <= high),
                    "{low} {high} {value}"
                );
            }
        }
    }
}
