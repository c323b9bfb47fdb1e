//! `random(dst, low, high)`: every statement draws from a sequence of its own.

use super::num::natural;
use num_bigint::BigInt;
use restage_program::Bits;
use restage_program::program::Program;
use restage_program::stmt::{AfterApply, Block, StmtKind};
use std::collections::BTreeMap;

/// The sequences of a program by the position of their statement, each begun when it is first needed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sequences(BTreeMap<usize, u64>);

impl Sequences {
    /// The next number of a statement's sequence, between two others; `low` when they are the wrong way
    /// round. The seed is 0.
    pub fn next(&mut self, program: &Program, stmt: &StmtKind, low: &Bits, high: &Bits) -> BigInt {
        let bodies = program.actions.values().map(|a| &a.body);
        let all = bodies.chain([&program.ingress, &program.egress]).flat_map(drawing);
        let position = all.take_while(|s| !std::ptr::eq(*s, stmt)).count();
        self.next_at(position, low, high)
    }

    /// The next number of the statement at a position.
    pub fn next_at(&mut self, position: usize, low: &Bits, high: &Bits) -> BigInt {
        let x = self.0.entry(position).or_insert_with(|| first(position));
        *x ^= *x << 13;
        *x ^= *x >> 7;
        *x ^= *x << 17;
        let (low, high) = (natural(low), natural(high));
        if low > high {
            return low;
        }
        let count: BigInt = &high - &low + 1;
        low + BigInt::from(*x) * count / (BigInt::from(1) << 64)
    }
}

/// The statements of a block that draw a number, in the order of the text.
fn drawing(block: &Block) -> Vec<&StmtKind> {
    let mut out = Vec::new();
    for stmt in block {
        let inside: Vec<&Block> = match &stmt.kind {
            StmtKind::Random { .. } => {
                out.push(&stmt.kind);
                vec![]
            }
            StmtKind::If { then, otherwise, .. } => vec![then, otherwise],
            StmtKind::Apply { then: AfterApply::Hit { hit, miss }, .. } => vec![hit, miss],
            StmtKind::Apply { then: AfterApply::Switch { cases, default }, .. } => {
                cases.iter().map(|c| &c.body).chain([default]).collect()
            }
            _ => vec![],
        };
        out.extend(inside.into_iter().flat_map(drawing));
    }
    out
}

/// Where the sequence at a position begins: what SplitMix64, begun at 0, gives as its number `position`.
fn first(position: usize) -> u64 {
    let word = BigInt::from(1) << 64;
    let gamma = BigInt::from(0x9e37_79b9_7f4a_7c15_u64);
    let mut z: BigInt = (gamma * (position + 1)) % &word;
    for (shift, factor) in [(30, 0xbf58_476d_1ce4_e5b9_u64), (27, 0x94d0_49bb_1331_11eb)] {
        let mixed: BigInt = &z ^ (&z >> shift);
        z = mixed * factor % &word;
    }
    let z: BigInt = &z ^ (&z >> 31);
    u64::try_from(z).unwrap_or(0).max(1)
}
