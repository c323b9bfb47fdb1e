//! Prefixes as intervals, and the intervals as leaves of the search tree.
//!
//! ```text
//! prefixes   0*->A, 01*->B            of three bits
//! intervals  000.. A, 010.. B, 100.. none     (a bound is there only where the result changes)
//! leaves     [000 A, 010 B] [100 none] [] []
//! ```
//!
//! Leaves are kept loose: a bound that finds its leaf full spreads the bounds of the smallest block of leaves
//! around it that has room. The inner nodes' bounds follow from the first bounds of the leaves.

use crate::bus::{Log, Memory, Word};
use restage_manifest::cell::{Cell, LpmShape, Part, TableShape};
use restage_program::Bits;
use std::collections::{BTreeMap, BTreeSet};

/// A key, most significant word first, so that the order of the words is that of the numbers.
type Number = Vec<u64>;

/// The prefixes of an epoch and how they lie in memory.
#[derive(Clone, Debug)]
struct Plane {
    /// By first number and length: the id.
    prefixes: BTreeMap<(Number, u32), u32>,
    /// How many prefixes of each length there are.
    lengths: BTreeMap<u32, u32>,
    leaves: Vec<Vec<(Number, Option<u32>)>>,
    /// First bound of each leaf that is not empty.
    firsts: BTreeMap<Number, u32>,
    filled: BTreeSet<u32>,
    dirty: BTreeSet<u32>,
}

/// An lpm table's nodes.
#[derive(Clone, Debug)]
pub(crate) struct Lpm {
    shape: LpmShape,
    levels: Vec<Memory>,
    planes: [Plane; 2],
}

impl Lpm {
    pub fn new(cell: &Cell<TableShape>, shape: &LpmShape) -> Self {
        let count = shape.levels.last().copied().unwrap_or(1) as usize;
        let mut leaves = vec![Vec::new(); count];
        let zero = vec![0; shape.key_bits.div_ceil(64) as usize];
        leaves[0].push((zero.clone(), None));
        let plane = Plane {
            prefixes: BTreeMap::new(),
            lengths: BTreeMap::new(),
            leaves,
            firsts: BTreeMap::from([(zero, 0)]),
            filled: BTreeSet::from([0]),
            dirty: BTreeSet::new(),
        };
        let levels = 0..shape.levels.len() as u32;
        Lpm {
            shape: shape.clone(),
            levels: levels.map(|level| Memory::new(cell, Part::Level(level))).collect(),
            planes: [plane.clone(), plane],
        }
    }

    /// Adds a prefix to an epoch, or changes its id. The bits behind it are 0.
    pub fn insert(&mut self, epoch: usize, key: &Bits, length: u32, id: u32) {
        let plane = &mut self.planes[epoch];
        if plane.prefixes.insert((number(key), length), id).is_none() {
            *plane.lengths.entry(length).or_default() += 1;
        }
        self.renew(epoch, key, length);
    }

    /// Takes a prefix out of an epoch.
    pub fn remove(&mut self, epoch: usize, key: &Bits, length: u32) {
        let plane = &mut self.planes[epoch];
        if plane.prefixes.remove(&(number(key), length)).is_some()
            && let Some(count) = plane.lengths.get_mut(&length)
        {
            *count -= 1;
            if *count == 0 {
                plane.lengths.remove(&length);
            }
        }
        self.renew(epoch, key, length);
    }

    /// Brings the bounds in a prefix up to date.
    fn renew(&mut self, epoch: usize, key: &Bits, length: u32) {
        let width = self.shape.key_bits;
        let fanout = self.shape.fanout as usize;
        let plane = &mut self.planes[epoch];
        let low = number(key);
        let after = next_after(&low, width, length);
        let mut wanted: Vec<(Number, Option<u32>)> = plane.sweep(width, &low, length);
        if let Some(after) = &after {
            // Behind the prefix goes on what was there before it began, unless another bound is there.
            let outside = plane.longest(width, after);
            wanted.push((after.clone(), outside));
        }
        // Bounds at which nothing changes are not needed.
        let mut last = plane.before(&low);
        wanted.retain(|(_, result)| {
            let changes = last != Some(*result);
            last = Some(*result);
            changes
        });
        let wanted: BTreeMap<Number, Option<u32>> = wanted.into_iter().collect();
        let old = plane.between(&low, after.as_ref());
        for (bound, _) in old.iter().filter(|(bound, _)| !wanted.contains_key(bound)) {
            plane.drop_bound(bound);
        }
        let old: BTreeMap<Number, Option<u32>> = old.into_iter().collect();
        for (bound, result) in &wanted {
            match old.get(bound) {
                Some(before) if before == result => {}
                Some(_) => plane.change_bound(bound, *result),
                None => plane.add_bound(fanout, bound, *result),
            }
        }
    }

    /// Logs what has changed: leaves first, then what points to them.
    pub fn flush(&mut self, log: &mut Log) {
        let fanout = self.shape.fanout;
        let last = self.levels.len() - 1;
        for epoch in 0..2 {
            let plane = &mut self.planes[epoch];
            let dirty = std::mem::take(&mut plane.dirty);
            for leaf in &dirty {
                let node = leaf_word(&self.shape, &plane.leaves[*leaf as usize]);
                self.levels[last].set(2 * leaf + epoch as u32, &node);
            }
            // A node is seen from every node above whose bounds may be its first, or that of an empty leaf before.
            let mut span: u32 = 1;
            for level in (0..last).rev() {
                let below = span;
                span = span.saturating_mul(fanout);
                let mut nodes = BTreeSet::new();
                for leaf in &dirty {
                    let start = plane.filled.range(..leaf).next_back().map_or(0, |l| l + 1);
                    nodes.extend(start / span..=leaf / span);
                }
                for node in nodes {
                    let word = plane.inner_word(&self.shape, level as u32, node, span, below);
                    self.levels[level].set(2 * node + epoch as u32, &word);
                }
            }
        }
        for memory in self.levels.iter_mut().rev() {
            memory.flush(log);
        }
    }
}

impl Plane {
    /// The bounds that the prefixes inside of one make, the first at its beginning.
    fn sweep(&self, width: u32, low: &Number, length: u32) -> Vec<(Number, Option<u32>)> {
        let end = next_after(low, width, length);
        let mut bounds = BTreeMap::from([(low.clone(), self.longest_within(width, low, length))]);
        let outer = bounds.get(low).copied().flatten();
        // Prefixes that are open, each with the number behind it.
        let mut open: Vec<(Option<Number>, Option<u32>)> = Vec::new();
        let close = |open: &mut Vec<(Option<Number>, Option<u32>)>,
                     bounds: &mut BTreeMap<Number, Option<u32>>,
                     until: Option<&Number>| {
            while let Some((behind, _)) = open.last() {
                if let (Some(behind), Some(until)) = (behind, until)
                    && behind > until
                {
                    break;
                }
                if behind.is_none() && until.is_some() {
                    break;
                }
                let behind = behind.clone();
                open.pop();
                if let Some(behind) = behind
                    && end.as_ref().is_none_or(|end| behind < *end)
                {
                    let result = open.last().map_or(outer, |(_, id)| *id);
                    bounds.insert(behind, result);
                }
            }
        };
        let inside = self.prefixes.range((low.clone(), length)..);
        let inside = inside.take_while(|((at, _), _)| end.as_ref().is_none_or(|end| at < end));
        for ((at, inner), id) in inside.filter(|((at, inner), _)| *inner > length || at > low) {
            close(&mut open, &mut bounds, Some(at));
            bounds.insert(at.clone(), Some(*id));
            open.push((next_after(at, width, *inner), Some(*id)));
        }
        close(&mut open, &mut bounds, None);
        bounds.into_iter().collect()
    }

    /// The longest prefix that a number has.
    fn longest(&self, width: u32, at: &Number) -> Option<u32> {
        self.longest_within(width, at, width)
    }

    /// The longest prefix that a number has, of those not longer than `most`.
    fn longest_within(&self, width: u32, at: &Number, most: u32) -> Option<u32> {
        let lengths = self.lengths.range(..=most).rev();
        lengths
            .filter_map(|(length, _)| self.prefixes.get(&(cut(at, width, *length), *length)))
            .next()
            .copied()
    }

    /// The leaf in which a number is.
    fn leaf_of(&self, at: &Number) -> u32 {
        self.firsts.range::<Number, _>(..=at).next_back().map_or(0, |(_, leaf)| *leaf)
    }

    /// The result just below a number; `None` if it is the first.
    fn before(&self, at: &Number) -> Option<Option<u32>> {
        let leaf = self.firsts.range::<Number, _>(..at).next_back()?.1;
        let bounds = self.leaves[*leaf as usize].iter().rev();
        bounds.filter(|(bound, _)| bound < at).map(|(_, result)| *result).next()
    }

    /// The bounds from one number to another, both included, or to the end.
    fn between(&self, low: &Number, high: Option<&Number>) -> Vec<(Number, Option<u32>)> {
        let start = self.leaf_of(low);
        let mut found = Vec::new();
        for leaf in self.filled.range(start..) {
            for (bound, result) in &self.leaves[*leaf as usize] {
                if high.is_some_and(|high| bound > high) {
                    return found;
                }
                if bound >= low {
                    found.push((bound.clone(), *result));
                }
            }
        }
        found
    }

    fn change_bound(&mut self, bound: &Number, result: Option<u32>) {
        let leaf = self.leaf_of(bound);
        for (at, old) in &mut self.leaves[leaf as usize] {
            if at == bound {
                *old = result;
            }
        }
        self.dirty.insert(leaf);
    }

    fn drop_bound(&mut self, bound: &Number) {
        let leaf = self.leaf_of(bound);
        let mut bounds = self.leaves[leaf as usize].clone();
        bounds.retain(|(at, _)| at != bound);
        self.replace(leaf, bounds);
    }

    fn add_bound(&mut self, fanout: usize, bound: &Number, result: Option<u32>) {
        let leaf = self.leaf_of(bound) as usize;
        let count = self.leaves.len();
        let mut size = 1;
        loop {
            let start = leaf / size * size;
            let end = (start + size).min(count);
            let held: usize = self.leaves[start..end].iter().map(Vec::len).sum();
            // Larger blocks are filled less, or the next bound would spread them again.
            let room = (end - start) * fanout;
            let spare = if size == 1 { 0 } else { room / 32 };
            if held + 1 + spare <= room || (start == 0 && end == count) {
                let mut all: Vec<(Number, Option<u32>)> =
                    self.leaves[start..end].iter().flatten().cloned().collect();
                let at = all.partition_point(|(other, _)| other < bound);
                all.insert(at, (bound.clone(), result));
                let (total, leaves) = (all.len(), end - start);
                let mut items = all.into_iter();
                for i in 0..leaves {
                    let share = total * (i + 1) / leaves - total * i / leaves;
                    self.replace((start + i) as u32, items.by_ref().take(share).collect());
                }
                return;
            }
            size *= 2;
        }
    }

    fn replace(&mut self, leaf: u32, bounds: Vec<(Number, Option<u32>)>) {
        let old = std::mem::take(&mut self.leaves[leaf as usize]);
        if let Some((first, _)) = old.first()
            && self.firsts.get(first) == Some(&leaf)
        {
            self.firsts.remove(first);
        }
        match bounds.first() {
            Some((first, _)) => {
                self.firsts.insert(first.clone(), leaf);
                self.filled.insert(leaf);
            }
            None => {
                self.filled.remove(&leaf);
            }
        }
        self.leaves[leaf as usize] = bounds;
        self.dirty.insert(leaf);
    }

    /// The first bound at or behind a leaf.
    fn first_from(&self, leaf: u32) -> Option<&Number> {
        let filled = self.filled.range(leaf..).next()?;
        self.leaves[*filled as usize].first().map(|(bound, _)| bound)
    }

    fn inner_word(&self, shape: &LpmShape, level: u32, node: u32, span: u32, below: u32) -> Bits {
        let mut word = Word::new(shape.node_bits(level));
        for child in 1..shape.fanout {
            let first = node.saturating_mul(span).saturating_add(child.saturating_mul(below));
            if let Some(bound) = self.first_from(first) {
                put_bound(&mut word, shape, child, bound);
            }
        }
        word.bits()
    }
}

fn leaf_word(shape: &LpmShape, bounds: &[(Number, Option<u32>)]) -> Bits {
    let level = shape.levels.len() as u32 - 1;
    let mut word = Word::new(shape.node_bits(level));
    for (child, (bound, result)) in (0..).zip(bounds) {
        if child > 0 {
            put_bound(&mut word, shape, child, bound);
        }
        if let Some(id) = result {
            let at = shape.bounds_bits() + child * (shape.id_bits + 1);
            word.number(at, shape.id_bits, u64::from(*id)).number(at + shape.id_bits, 1, 1);
        }
    }
    word.bits()
}

fn put_bound(word: &mut Word, shape: &LpmShape, child: u32, bound: &Number) {
    let limbs: Vec<u64> = bound.iter().rev().copied().collect();
    let at = (child - 1) * (shape.key_bits + 1);
    let bits = Bits::from_limbs(shape.key_bits, &limbs);
    word.put(at, &bits).number(at + shape.key_bits, 1, 1);
}

fn number(key: &Bits) -> Number {
    key.limbs().iter().rev().copied().collect()
}

/// A number without what is behind its first `length` bits.
fn cut(at: &Number, width: u32, length: u32) -> Number {
    let limbs: Vec<u64> = at.iter().rev().copied().collect();
    let mask = restage_program::entry::prefix_mask(width, length);
    limbs.iter().zip(mask.limbs()).rev().map(|(a, m)| a & m).collect()
}

/// The number behind a prefix; `None` when it ends with the last number.
fn next_after(low: &Number, width: u32, length: u32) -> Option<Number> {
    let step = width - length;
    let mut limbs: Vec<u64> = low.iter().rev().copied().collect();
    let mut carry = true;
    let mut at = (step / 64) as usize;
    let mut add = 1u64.checked_shl(step % 64).unwrap_or(0);
    while carry && at < limbs.len() {
        (limbs[at], carry) = limbs[at].overflowing_add(add);
        (at, add) = (at + 1, 1);
    }
    // What is above the width has run over too.
    let beyond =
        !width.is_multiple_of(64) && limbs.last().is_some_and(|top| top >> (width % 64) != 0);
    (!carry && !beyond && step < width + 1 && length > 0).then(|| limbs.into_iter().rev().collect())
}
