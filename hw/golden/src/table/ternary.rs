//! Masked, range and mixed keys: bit vectors.
//!
//! A key is a string of bytes. For every byte position and every value of that byte there is a row of
//! bits: which rules allow that value there. The rules that match are the conjunction of one row per
//! byte, 512 rules at a time. Rules stand in blocks; all rules of a block come before all of the
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

#[derive(Clone, Debug)]
struct Block {
    low: Rank,
    high: Rank,
    used: [u64; WORDS],
    ranks: Vec<Rank>,
    ids: Vec<u32>,
    /// Rows by position and byte.
    rows: Vec<u64>,
}

/// The rules of a table.
#[derive(Clone, Debug)]
pub(crate) struct Ternary {
    bytes: usize,
    /// Words of a row: 1 as long as 64 rules are enough, then [`WORDS`].
    words: usize,
    blocks: Vec<Block>,
}

impl Block {
    fn new(bytes: usize, words: usize, rank: Rank) -> Self {
        let size = words * 64;
        Block {
            low: rank,
            high: rank,
            used: [0; WORDS],
            ranks: vec![(0, 0); size],
            ids: vec![u32::MAX; size],
            rows: vec![0; bytes * 256 * words],
        }
    }

    fn words(&self) -> usize {
        self.ids.len() / 64
    }

    fn free(&self) -> Option<usize> {
        let word = self.used[..self.words()].iter().position(|w| *w != u64::MAX)?;
        Some(word * 64 + self.used[word].trailing_ones() as usize)
    }

    fn put(&mut self, at: usize, rank: Rank, id: u32) {
        self.used[at / 64] |= 1 << (at % 64);
        (self.ranks[at], self.ids[at]) = (rank, id);
        self.low = self.low.min(rank);
        self.high = self.high.max(rank);
    }

    fn insert(&mut self, at: usize, rank: Rank, id: u32, cube: &Cube) {
        self.put(at, rank, id);
        let words = self.words();
        for (set, rows) in cube.iter().zip(self.rows.chunks_exact_mut(256 * words)) {
            for (byte, row) in (0..=255u8).zip(rows.chunks_exact_mut(words)) {
                if set.allows(byte) {
                    row[at / 64] |= 1 << (at % 64);
                }
            }
        }
    }

    fn remove(&mut self, at: usize) {
        self.used[at / 64] &= !(1 << (at % 64));
        self.ids[at] = u32::MAX;
        let words = self.words();
        for row in self.rows.chunks_exact_mut(words) {
            row[at / 64] &= !(1 << (at % 64));
        }
    }

    /// Moves the worse half into a block of its own.
    fn split(&mut self, bytes: usize) -> Block {
        let mut order: Vec<usize> = (0..self.ids.len()).collect();
        order.sort_by_key(|at| self.ranks[*at]);
        let moved = order.split_off(order.len() / 2);
        let words = self.words();
        let mut other = Block::new(bytes, words, self.ranks[moved[0]]);
        for (to, from) in moved.iter().enumerate() {
            other.put(to, self.ranks[*from], self.ids[*from]);
            let old = self.rows.chunks_exact(words);
            for (new, old) in other.rows.chunks_exact_mut(words).zip(old) {
                new[to / 64] |= (old[from / 64] >> (from % 64) & 1) << (to % 64);
            }
            self.remove(*from);
        }
        self.high = order.iter().map(|at| self.ranks[*at]).max().unwrap_or(self.low);
        other
    }

    /// The same with rows of [`WORDS`] words.
    fn widen(&self) -> Block {
        let mut wide = self.clone();
        wide.ranks.resize(MANY, (0, 0));
        wide.ids.resize(MANY, u32::MAX);
        wide.rows = self.rows.iter().flat_map(|w| [*w, 0, 0, 0, 0, 0, 0, 0]).collect();
        wide
    }

    /// The best of the rules in `hits` that `accept` does not refuse.
    fn best<const N: usize>(&self, hits: [u64; N], accept: &impl Fn(u32) -> bool) -> Option<u32> {
        let mut best: Option<(Rank, u32)> = None;
        for (word, mut bits) in hits.into_iter().enumerate() {
            while bits != 0 {
                let at = word * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let (rank, id) = (self.ranks[at], self.ids[at]);
                if best.is_none_or(|(other, _)| rank < other) && accept(id) {
                    best = Some((rank, id));
                }
            }
        }
        best.map(|(_, id)| id)
    }

    #[inline(always)]
    fn get<const N: usize>(&self, key: &[u8], accept: &impl Fn(u32) -> bool) -> Option<u32> {
        let (rows, _) = self.rows.as_chunks::<N>();
        let mut hits = [u64::MAX; N];
        for (position, byte) in key.iter().enumerate() {
            let row = rows.get(position * 256 + usize::from(*byte))?;
            let mut any = 0;
            for (hit, bits) in hits.iter_mut().zip(row) {
                *hit &= bits;
                any |= *hit;
            }
            if any == 0 {
                return None;
            }
        }
        self.best(hits, accept)
    }
}

impl Ternary {
    /// A table whose keys have so many bytes, one at least.
    pub fn new(bytes: usize) -> Self {
        Ternary { bytes, words: 1, blocks: Vec::new() }
    }

    /// The matching rule of the smallest rank. `accept` may refuse rules that were put in too widely.
    #[inline(always)]
    pub fn get(&self, key: &[u8], accept: impl Fn(u32) -> bool) -> Option<u32> {
        if self.words == 1 {
            return self.blocks.first()?.get::<1>(key, &accept);
        }
        self.blocks.iter().find_map(|block| block.get::<WORDS>(key, &accept))
    }

    /// Adds a rule: the union of its cubes.
    pub fn insert(&mut self, rank: Rank, id: u32, cubes: &[Cube]) {
        for cube in cubes {
            let (block, at) = self.room(rank);
            self.blocks[block].insert(at, rank, id, cube);
        }
    }

    /// Removes a rule.
    pub fn remove(&mut self, rank: Rank, id: u32) {
        for block in &mut self.blocks {
            if block.low <= rank && rank <= block.high {
                for at in 0..block.ids.len() {
                    if block.ids[at] == id {
                        block.remove(at);
                    }
                }
            }
        }
        self.blocks.retain(|b| b.used != [0; WORDS]);
    }

    /// A free place in the block where the rank belongs.
    fn room(&mut self, rank: Rank) -> (usize, usize) {
        loop {
            let end = self.blocks.len();
            let at = self.blocks.partition_point(|b| b.high < rank);
            // Between or behind all: the block before it will do if it has room.
            let before = at.checked_sub(1).filter(|i| {
                self.blocks.get(at).is_none_or(|b| rank < b.low) && self.blocks[*i].free().is_some()
            });
            let block = before.unwrap_or(at);
            if let Some(free) = self.blocks.get(block).and_then(Block::free) {
                return (block, free);
            }
            if self.words == 1 && end > 0 {
                self.words = WORDS;
                self.blocks = self.blocks.iter().map(Block::widen).collect();
                continue;
            }
            // Rules that come in order fill blocks one after the other; only others split one.
            if self.blocks.get(block).is_none_or(|b| rank < b.low) {
                self.blocks.insert(block, Block::new(self.bytes, self.words, rank));
            } else {
                let other = self.blocks[block].split(self.bytes);
                self.blocks.insert(block + 1, other);
            }
        }
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
