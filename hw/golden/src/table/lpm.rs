//! Longest prefixes: a tree bitmap with a stride of six bits.
//!
//! A node covers six bits of the key. One bitmap says which of the 63 prefixes of length 0 to 5 inside
//! the node have an entry, another which of the 64 children exist; both lists stand packed in pools, so
//! that a lookup touches one node per six bits and one result at the end. An update rewrites the lists
//! of one node. Keys are bit strings of any length, first bit on top of the first word.

const STRIDE: u32 = 6;

#[derive(Clone, Copy, Default, Debug)]
struct Node {
    /// Prefix of length l with bits v is bit `2^l - 1 + v`.
    inside: u64,
    children: u64,
    /// Where the packed lists begin.
    first_id: u32,
    first_child: u32,
}

/// Lists of every length packed into one vector, with free lists by length.
#[derive(Clone, Debug)]
struct Pool<T> {
    items: Vec<T>,
    free: Vec<Vec<u32>>,
}

impl<T: Copy + Default> Pool<T> {
    fn new() -> Self {
        Pool { items: Vec::new(), free: vec![Vec::new(); 66] }
    }

    fn take(&mut self, len: usize) -> u32 {
        if let Some(at) = self.free[len].pop() {
            return at;
        }
        let at = self.items.len() as u32;
        self.items.resize(self.items.len() + len, T::default());
        at
    }

    fn give(&mut self, at: u32, len: usize) {
        if len > 0 {
            self.free[len].push(at);
        }
    }

    /// A copy of the list with one more item at `position`; the old list is given back.
    fn insert(&mut self, at: u32, len: usize, position: usize, item: T) -> u32 {
        let new = self.take(len + 1);
        let (from, to) = (at as usize, new as usize);
        self.items.copy_within(from..from + position, to);
        self.items.copy_within(from + position..from + len, to + position + 1);
        self.items[to + position] = item;
        self.give(at, len);
        new
    }

    /// A copy of the list without the item at `position`; the old list is given back.
    fn remove(&mut self, at: u32, len: usize, position: usize) -> u32 {
        let new = if len > 1 { self.take(len - 1) } else { 0 };
        let (from, to) = (at as usize, new as usize);
        self.items.copy_within(from..from + position, to);
        self.items.copy_within(from + position + 1..from + len, to + position);
        self.give(at, len);
        new
    }
}

/// A map from prefixes to ids.
#[derive(Clone, Debug)]
pub(crate) struct Lpm {
    nodes: Pool<Node>,
    ids: Pool<u32>,
    root: Node,
}

/// For six bits of a key: the bits of all prefixes inside a node that match them.
const COVER: [u64; 64] = {
    let mut table = [0u64; 64];
    let mut bits = 0;
    while bits < 64 {
        let mut length = 0;
        while length < STRIDE {
            table[bits] |= 1 << ((1u32 << length) - 1 + (bits as u32 >> (STRIDE - length)));
            length += 1;
        }
        bits += 1;
    }
    table
};

/// Six bits of a key from bit `at` on, 0 beyond its end.
#[inline(always)]
fn six(key: &[u64], at: u32) -> usize {
    let (word, bit) = ((at / 64) as usize, at % 64);
    let high = key.get(word).copied().unwrap_or(0) << bit;
    let low = if bit > 58 { key.get(word + 1).copied().unwrap_or(0) >> (64 - bit) } else { 0 };
    ((high | low) >> 58) as usize
}

fn below(map: u64, bit: u32) -> u32 {
    (map & ((1 << bit) - 1)).count_ones()
}

impl Lpm {
    pub fn new() -> Self {
        Lpm { nodes: Pool::new(), ids: Pool::new(), root: Node::default() }
    }

    /// The id of the longest prefix of the key.
    #[inline(always)]
    pub fn get(&self, key: &[u64]) -> Option<u32> {
        let (mut best, mut node, mut at) = (None, &self.root, 0);
        loop {
            let bits = six(key, at);
            let cover = node.inside & COVER[bits];
            if cover != 0 {
                let bit = 63 - cover.leading_zeros();
                best = Some(node.first_id + below(node.inside, bit));
            }
            if node.children >> bits & 1 == 0 {
                return best.map(|at| self.ids.items[at as usize]);
            }
            node =
                &self.nodes.items[(node.first_child + below(node.children, bits as u32)) as usize];
            at += STRIDE;
        }
    }

    /// Adds a prefix that is not there.
    pub fn insert(&mut self, key: &[u64], length: u32, id: u32) {
        let (mut node, mut place, mut at) = (self.root, None, 0);
        while length - at >= STRIDE {
            let bits = six(key, at) as u32;
            let before = below(node.children, bits);
            if node.children >> bits & 1 == 0 {
                let count = node.children.count_ones() as usize;
                let new = Node::default();
                node.first_child = self.nodes.insert(node.first_child, count, before as usize, new);
                node.children |= 1 << bits;
                self.put(place, node);
            }
            let child = node.first_child + before;
            place = Some(child);
            node = self.nodes.items[child as usize];
            at += STRIDE;
        }
        let bit = inside_bit(key, at, length);
        let position = below(node.inside, bit) as usize;
        let count = node.inside.count_ones() as usize;
        node.first_id = self.ids.insert(node.first_id, count, position, id);
        node.inside |= 1 << bit;
        self.put(place, node);
    }

    /// Removes a prefix, and the nodes that only it needed.
    pub fn remove(&mut self, key: &[u64], length: u32) {
        let mut path: Vec<(Option<u32>, Node, u32)> = Vec::new();
        let (mut node, mut place, mut at) = (self.root, None, 0);
        while length - at >= STRIDE {
            let bits = six(key, at) as u32;
            if node.children >> bits & 1 == 0 {
                return;
            }
            path.push((place, node, bits));
            let child = node.first_child + below(node.children, bits);
            place = Some(child);
            node = self.nodes.items[child as usize];
            at += STRIDE;
        }
        let bit = inside_bit(key, at, length);
        if node.inside >> bit & 1 == 0 {
            return;
        }
        let count = node.inside.count_ones() as usize;
        let position = below(node.inside, bit) as usize;
        node.first_id = self.ids.remove(node.first_id, count, position);
        node.inside &= !(1 << bit);
        self.put(place, node);
        while let Some((above, mut parent, bits)) = path.pop() {
            if node.inside != 0 || node.children != 0 {
                return;
            }
            let count = parent.children.count_ones() as usize;
            let position = below(parent.children, bits) as usize;
            parent.first_child = self.nodes.remove(parent.first_child, count, position);
            parent.children &= !(1 << bits);
            self.put(above, parent);
            node = parent;
        }
    }

    fn put(&mut self, place: Option<u32>, node: Node) {
        match place {
            Some(at) => self.nodes.items[at as usize] = node,
            None => self.root = node,
        }
    }
}

fn inside_bit(key: &[u64], at: u32, length: u32) -> u32 {
    let rest = length - at;
    (1 << rest) - 1 + (six(key, at) as u32 >> (STRIDE - rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng, rngs::SmallRng};
    use std::collections::HashMap;

    fn mask(key: &[u64; 3], length: u32) -> [u64; 3] {
        std::array::from_fn(|i| match length.saturating_sub(64 * i as u32) {
            0 => 0,
            n if n >= 64 => key[i],
            n => key[i] & (u64::MAX << (64 - n)),
        })
    }

    /// Random prefixes come and go; after every step random keys find what a scan finds.
    #[test]
    fn agrees_with_a_scan() {
        for (width, spread) in [(8u32, 8u32), (32, 6), (32, 32), (128, 9), (150, 150)] {
            let mut rng = SmallRng::seed_from_u64(width.into());
            let mut lpm = Lpm::new();
            let mut all: HashMap<([u64; 3], u32), u32> = HashMap::new();
            let mut free: Vec<u32> = (0..400).collect();
            for _ in 0..6000 {
                // Few different bits in front, so that prefixes nest.
                let mut key = [0u64; 3];
                for bit in 0..width {
                    let set = bit < spread || bit > width - 8;
                    key[bit as usize / 64] |= u64::from(set && rng.random()) << (63 - bit % 64);
                }
                let length = rng.random_range(0..=width);
                let prefix = (mask(&key, length), length);
                if let Some(id) = all.remove(&prefix) {
                    lpm.remove(&prefix.0, length);
                    free.push(id);
                } else if let Some(id) = free.pop() {
                    lpm.insert(&prefix.0, length, id);
                    all.insert(prefix, id);
                } else {
                    let some = *all.keys().next().unwrap();
                    free.extend(all.remove(&some));
                    lpm.remove(&some.0, some.1);
                }
                let want = (0..=width).rev().find_map(|l| all.get(&(mask(&key, l), l)).copied());
                assert_eq!(lpm.get(&key), want, "width {width}");
            }
            assert!(all.len() > 40, "{width}: {}", all.len());
            for (key, length) in all.keys() {
                lpm.remove(key, *length);
            }
            assert_eq!((lpm.root.inside, lpm.root.children), (0, 0), "nothing is left behind");
        }
    }
}
