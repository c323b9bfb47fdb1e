//! `random`: every statement has a generator of its own, stepped whenever the statement runs.

#![allow(clippy::unwrap_used)]

mod common;

use common::send;
use restage_golden::{Golden, Options};
use restage_program::prelude::*;
use restage_program::random::{between, start, step};

header! { struct Four { a: bit<32>, b: bit<32>, c: bit<32>, d: bit<32> } }

const MOST: u64 = 0xffff_ffff;

/// An action that two places run, one that none runs, and a statement in each half.
fn program() -> restage_program::Checked {
    let program = build("random", |p| {
        let out: Four = p.header("out");
        let x = p.meta("x", bit(32));
        p.action("idle", [], |c, []| c.random(x, 0, MOST));
        let draw = p.action("draw", [], |c, []| c.random(x, 0, MOST));
        p.ingress(|c| {
            c.set_valid(out);
            c.call(draw, []);
            c.set(out.a, x);
            c.random(out.b, 0, MOST);
            c.call(draw, []);
            c.set(out.c, x);
        });
        p.egress(|c| c.random(out.d, 0, MOST));
        p.emit(out);
    });
    program.check().unwrap()
}

fn drawn(golden: &mut Golden) -> Vec<u32> {
    let bytes = send(golden, &[]).remove(0).1;
    bytes.chunks(4).map(|b| u32::from_be_bytes(b.try_into().unwrap())).collect()
}

#[test]
fn every_statement_has_its_own() {
    let mut golden = Golden::new(&program()).unwrap();
    // The sites are: `idle`, `draw`, ingress, egress.
    let mut x = [0, 1, 2, 3].map(|site| start(0, site));
    let mut next = |site: usize| {
        x[site] = step(x[site]);
        between(x[site], 0, MOST) as u32
    };
    for _ in 0..5 {
        let wanted = [next(1), next(2), next(1), next(3)];
        assert_eq!(drawn(&mut golden), wanted);
    }
}

#[test]
fn a_seed_is_for_all() {
    let with = |seed| {
        let options = Options { seed, ..Options::default() };
        drawn(&mut Golden::with_options(&program(), options).unwrap())
    };
    assert_eq!(with(5), with(5));
    assert!(with(5).iter().zip(with(6)).all(|(a, b)| *a != b));
}
