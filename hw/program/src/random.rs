//! The generators behind `random`: one for every statement that asks for a number.
//!
//! Statements do not share a generator, because on a chip they stand in different places. A statement
//! is a *site*; [`Sites`] numbers them in the order of the text: the bodies of the actions in the order
//! of their declaration, then ingress, then egress; in a block one statement after the other, with
//! `then` before `otherwise`, `hit` before `miss`, and cases in their order before the default.
//!
//! The state of a generator is a 64-bit number that is never 0, [`start`] in the beginning. Each time
//! the statement runs, for whatever packet, copy or pass, [`step`] changes the state once, by
//! Marsaglia's xorshift (13, 7, 17), and [`between`] makes the result of the new state: shifts,
//! exclusive ors and one multiplication, the same bits in hardware. It steps also when `low` is above
//! `high`. A body that several tables run is one site.

use crate::program::Program;
use crate::stmt::{AfterApply, Stmt, StmtKind};
use std::collections::HashMap;

/// What every seed, and every site's number, is spread by: 2^64 divided by the golden ratio.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// The state in which a site's generator starts: the mixing of SplitMix64 of `seed + (site + 1) * GAMMA`,
/// and 1 where that is 0.
pub fn start(seed: u64, site: u32) -> u64 {
    let mut x = seed.wrapping_add((u64::from(site) + 1).wrapping_mul(GAMMA));
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (x ^ (x >> 31)).max(1)
}

/// The next state.
pub fn step(mut x: u64) -> u64 {
    x ^= x << 13;
    x ^= x >> 7;
    x ^ (x << 17)
}

/// The number between two, both included, that a new state gives:
/// `low + floor(x * (high - low + 1) / 2^64)`; `low` when it is above `high`.
pub fn between(x: u64, low: u64, high: u64) -> u64 {
    if low > high {
        return low;
    }
    let count = u128::from(high - low) + 1;
    low + ((u128::from(x) * count) >> 64) as u64
}

/// The sites of a program. A statement is known by where it stands in memory, so this is good for one
/// value of a program.
#[derive(Clone, Debug)]
pub struct Sites<'p> {
    numbers: HashMap<*const StmtKind, u32>,
    of: std::marker::PhantomData<&'p Program>,
}

impl<'p> Sites<'p> {
    /// Numbers the sites of a program.
    pub fn of(program: &'p Program) -> Self {
        let mut sites = Sites { numbers: HashMap::new(), of: std::marker::PhantomData };
        let bodies = program.actions.values().map(|a| &a.body);
        for block in bodies.chain([&program.ingress, &program.egress]) {
            sites.block(block);
        }
        sites
    }

    /// The number of a statement of the program; `None` for another.
    pub fn number(&self, stmt: &StmtKind) -> Option<u32> {
        self.numbers.get(&std::ptr::from_ref(stmt)).copied()
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        self.numbers.len() as u32
    }

    fn block(&mut self, block: &[Stmt]) {
        for Stmt { kind, .. } in block {
            match kind {
                StmtKind::Random { .. } => {
                    let number = self.count();
                    self.numbers.insert(kind, number);
                }
                StmtKind::If { then, otherwise, .. } => {
                    self.block(then);
                    self.block(otherwise);
                }
                StmtKind::Apply { then: AfterApply::Hit { hit, miss }, .. } => {
                    self.block(hit);
                    self.block(miss);
                }
                StmtKind::Apply { then: AfterApply::Switch { cases, default }, .. } => {
                    cases.iter().for_each(|c| self.block(&c.body));
                    self.block(default);
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[test]
    fn numbers_are_in_range_and_even() {
        let mut x = start(1, 0);
        let mut seen = [0u32; 6];
        for _ in 0..60_000 {
            x = step(x);
            seen[between(x, 10, 15) as usize - 10] += 1;
        }
        assert!(seen.iter().all(|n| (9_500..10_500).contains(n)), "{seen:?}");
        assert_eq!(between(x, 9, 3), 9);
        assert_eq!(between(x, 7, 7), 7);
        assert_eq!(between(x, 0, u64::MAX), x);
    }

    /// The sequence is part of what programs mean: a circuit must give the same. The starts are the
    /// outputs of SplitMix64 with seed 0, the steps those of xorshift64 with seed 1, as published.
    #[test]
    fn the_sequence_is_fixed() {
        assert_eq!(
            [0, 1].map(|site| start(0, site)),
            [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4]
        );
        assert_eq!(start(GAMMA.wrapping_neg(), 0), 1);
        assert_eq!(step(1), 0x0000_0000_4082_2041);
    }

    /// Neither neighbours in the program nor neighbouring seeds give numbers that belong together.
    #[test]
    fn sites_differ() {
        let first = |seed, site| between(step(start(seed, site)), 0, 9);
        let sites: Vec<u64> = (0..20).map(|site| first(0, site)).collect();
        let seeds: Vec<u64> = (0..20).map(|seed| first(seed, 0)).collect();
        for list in [sites, seeds] {
            let kinds: std::collections::BTreeSet<u64> = list.iter().copied().collect();
            assert!(kinds.len() > 5, "{list:?}");
        }
    }

    #[test]
    fn sites_are_numbered_in_the_order_of_the_text() {
        let program = build("p", |p| {
            let (a, b) = (p.meta("a", bit(8)), p.meta("b", bit(8)));
            // What is between 0 and the site's number tells where it stands.
            p.ingress(|c| {
                c.if_(a.eq(0), |c| c.random(b, 0, 2)).else_(|c| c.random(b, 0, 3));
                c.random(b, 0, 4);
            });
            p.egress(|c| c.random(b, 0, 5));
            p.action("first", [], |c, []| {
                c.random(b, 0, 0);
            });
            p.action("second", [], |c, []| {
                c.if_(a.eq(0), |_| {}).else_(|c| c.random(b, 0, 1));
            });
        });
        let sites = Sites::of(&program);
        assert_eq!(sites.count(), 6);
        let mut found = Vec::new();
        fn walk(sites: &Sites<'_>, block: &[Stmt], found: &mut Vec<(u64, u32)>) {
            for stmt in block {
                match &stmt.kind {
                    StmtKind::If { then, otherwise, .. } => {
                        walk(sites, otherwise, found);
                        walk(sites, then, found);
                    }
                    StmtKind::Random { high: crate::expr::Expr::Const { value, .. }, .. } => {
                        found.push((value.low_u64(), sites.number(&stmt.kind).unwrap()));
                    }
                    _ => {}
                }
            }
        }
        walk(&sites, &program.egress, &mut found);
        walk(&sites, &program.ingress, &mut found);
        program.actions.values().for_each(|a| walk(&sites, &a.body, &mut found));
        assert_eq!(found.len(), 6);
        assert!(found.iter().all(|(wanted, got)| *wanted == u64::from(*got)), "{found:?}");
        let copy = program.clone();
        assert_eq!(sites.number(&copy.egress[0].kind), None);
    }
}
