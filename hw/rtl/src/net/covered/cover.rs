//! Gates covered by lookup tables of six inputs: as few levels as possible, then as few tables as that allows.
//!
//! The usual way: every gate remembers a few good sets of signals from which one table can compute it, made of
//! those of its two inputs. What the rest of a table costs is shared out among those that use it.

use super::gates::{self, Gates, Lit};

const INPUTS: usize = gates::INPUTS as usize;
/// Sets that a gate remembers.
const KEPT: usize = 6;
/// What a table costs by the number of its inputs, as yosys has it: two small ones share the place of a large one.
const COSTS: [u32; INPUTS + 1] = [2, 2, 2, 3, 5, 5, 5];
/// Times that a cover is improved table by table.
const ROUNDS: usize = 2;

/// Signals from which one lookup table makes a gate.
#[derive(Clone, Copy, Debug, Default)]
struct Cut {
    leaves: [u32; INPUTS],
    count: u8,
    level: u32,
    cost: f32,
    /// Some bits of the leaves, to see quickly that two sets are too many together.
    signature: u64,
}

impl Cut {
    fn leaves(&self) -> &[u32] {
        &self.leaves[..self.count as usize]
    }

    fn price(&self) -> u32 {
        COSTS[self.count as usize]
    }

    fn alone(node: u32) -> Self {
        let mut leaves = [0; INPUTS];
        leaves[0] = node;
        Cut { leaves, count: 1, signature: 1 << (node % 64), ..Cut::default() }
    }

    /// Both together, if a table has that many inputs.
    fn join(&self, other: &Cut) -> Option<Cut> {
        let signature = self.signature | other.signature;
        if signature.count_ones() as usize > INPUTS {
            return None;
        }
        let mut leaves = [0; INPUTS];
        let mut count = 0;
        let (a, b) = (self.leaves(), other.leaves());
        let (mut i, mut j) = (0, 0);
        while i < a.len() || j < b.len() {
            if count == INPUTS {
                return None;
            }
            let next = match (a.get(i), b.get(j)) {
                (Some(x), Some(y)) => *x.min(y),
                (Some(x), None) => *x,
                (None, Some(y)) => *y,
                (None, None) => break,
            };
            i += usize::from(a.get(i) == Some(&next));
            j += usize::from(b.get(j) == Some(&next));
            leaves[count] = next;
            count += 1;
        }
        Some(Cut { leaves, count: count as u8, signature, ..Cut::default() })
    }
}

/// The state of a cover.
struct Cover<'a> {
    gates: &'a Gates,
    cuts: Vec<Vec<Cut>>,
    level: Vec<u32>,
    cost: Vec<f32>,
    /// How many users a gate's table has, estimated.
    users: Vec<f32>,
    needed: Vec<u32>,
}

/// Lookup tables for everything that `roots` need, inverters of sources included.
pub fn cover(gates: &Gates, roots: &[Lit]) -> u64 {
    let used = used(gates, roots);
    let mut users = vec![0.0_f32; gates.len()];
    for inputs in (0..gates.len()).filter(|n| used[*n]).filter_map(|n| gates.and_of(n)) {
        inputs.iter().for_each(|lit| users[lit.node()] += 1.0);
    }
    roots.iter().for_each(|lit| users[lit.node()] += 1.0);
    let mut state = Cover {
        gates,
        cuts: vec![Vec::new(); gates.len()],
        level: vec![0; gates.len()],
        cost: vec![0.0; gates.len()],
        users,
        needed: vec![u32::MAX; gates.len()],
    };
    for by_cost in [false, true] {
        for node in (0..gates.len()).filter(|n| used[*n]) {
            state.choose(node, by_cost);
        }
        state.demand(roots);
    }
    for _ in 0..ROUNDS {
        let mut users = state.demand(roots);
        for node in 0..gates.len() {
            state.refine(node, &mut users);
        }
    }
    let tables = state.demand(roots);
    let mut inverters: Vec<usize> = roots
        .iter()
        .filter(|lit| lit.inverted() && !lit.constant() && gates.and_of(lit.node()).is_none())
        .map(|lit| lit.node())
        .collect();
    inverters.sort_unstable();
    inverters.dedup();
    let made = |node: usize| tables[node] > 0 && gates.and_of(node).is_some();
    ((0..gates.len()).filter(|node| made(*node)).count() + inverters.len()) as u64
}

/// Gates that roots need.
fn used(gates: &Gates, roots: &[Lit]) -> Vec<bool> {
    let mut used = vec![false; gates.len()];
    roots.iter().for_each(|lit| used[lit.node()] = true);
    for node in (0..gates.len()).rev() {
        if let Some(inputs) = gates.and_of(node).filter(|_| used[node]) {
            inputs.iter().for_each(|lit| used[lit.node()] = true);
        }
    }
    used
}

impl Cover<'_> {
    /// The best sets for a gate, from those of its inputs.
    fn choose(&mut self, node: usize, by_cost: bool) {
        let Some([a, b]) = self.gates.and_of(node) else { return };
        let mut found: Vec<Cut> = Vec::with_capacity((KEPT + 1) * (KEPT + 1));
        let alone = [a, b].map(|lit| Cut::alone(lit.node() as u32));
        let of = |lit: Lit, one| self.cuts[lit.node()].iter().chain(std::iter::once(one));
        for left in of(a, &alone[0]) {
            for right in of(b, &alone[1]) {
                if let Some(mut cut) = left.join(right) {
                    let (mut level, mut cost) = (0, cut.price() as f32);
                    for leaf in cut.leaves().iter().map(|l| *l as usize) {
                        level = level.max(self.level[leaf]);
                        cost += self.cost[leaf];
                    }
                    (cut.level, cut.cost) = (level + 1, cost);
                    found.push(cut);
                }
            }
        }
        let needed = self.needed[node];
        let key = |cut: &Cut| {
            let late = by_cost && cut.level > needed;
            let first = if by_cost { 0 } else { cut.level };
            (late, first, cut.cost, cut.count, cut.level)
        };
        found.sort_by(|x, y| key(x).partial_cmp(&key(y)).unwrap_or(std::cmp::Ordering::Equal));
        let mut kept: Vec<Cut> = Vec::with_capacity(KEPT);
        for cut in found {
            let covers = |k: &Cut| {
                k.signature & !cut.signature == 0
                    && k.leaves().iter().all(|l| cut.leaves().contains(l))
            };
            if !kept.iter().any(covers) {
                kept.push(cut);
                if kept.len() == KEPT {
                    break;
                }
            }
        }
        if let Some(best) = kept.first() {
            self.level[node] = best.level;
            self.cost[node] = best.cost / self.users[node].max(1.0);
        }
        self.cuts[node] = kept;
    }

    /// How many users each gate has in the cover, and, noted, when it is needed.
    fn demand(&mut self, roots: &[Lit]) -> Vec<u32> {
        let mut users = vec![0; self.gates.len()];
        roots.iter().for_each(|lit| users[lit.node()] += 1);
        let longest = roots.iter().map(|lit| self.level[lit.node()]).max().unwrap_or(0);
        self.needed = vec![longest; self.gates.len()];
        for node in (0..self.gates.len()).rev() {
            let Some(cut) = self.cuts[node].first().filter(|_| users[node] > 0) else { continue };
            let before = self.needed[node].saturating_sub(1);
            for leaf in cut.leaves().iter().map(|l| *l as usize) {
                users[leaf] += 1;
                self.needed[leaf] = before.min(self.needed[leaf]);
            }
        }
        users
    }

    /// Takes for a gate the set that needs the cheapest tables that nobody else needs.
    fn refine(&mut self, node: usize, users: &mut [u32]) {
        for cut in &mut self.cuts[node] {
            let leaves = cut.leaves().iter().map(|l| self.level[*l as usize]);
            cut.level = leaves.max().unwrap_or(0) + 1;
        }
        let Some(first) = self.cuts[node].first().copied() else { return };
        if users[node] > 0 && self.cuts[node].len() > 1 {
            self.give(&first, users);
            let mut best = (u32::MAX, 0, 0);
            for (at, cut) in self.cuts[node].iter().enumerate() {
                if cut.level <= self.needed[node] {
                    let cost = self.take(cut, users);
                    self.give(cut, users);
                    best = best.min((cost, cut.level, at));
                }
            }
            self.cuts[node].swap(0, best.2);
            let chosen = self.cuts[node][0];
            self.take(&chosen, users);
        }
        self.level[node] = self.cuts[node][0].level;
    }

    /// Enters a table as a user of others; what it costs with those that nobody else used.
    fn take(&self, cut: &Cut, users: &mut [u32]) -> u32 {
        let mut cost = 0;
        let mut open = vec![*cut];
        while let Some(cut) = open.pop() {
            cost += cut.price();
            for leaf in cut.leaves().iter().map(|l| *l as usize) {
                users[leaf] += 1;
                if users[leaf] == 1 {
                    open.extend(self.cuts[leaf].first());
                }
            }
        }
        cost
    }

    /// The opposite.
    fn give(&self, cut: &Cut, users: &mut [u32]) {
        let mut open = vec![*cut];
        while let Some(cut) = open.pop() {
            for leaf in cut.leaves().iter().map(|l| *l as usize) {
                users[leaf] -= 1;
                if users[leaf] == 0 {
                    open.extend(self.cuts[leaf].first());
                }
            }
        }
    }
}
