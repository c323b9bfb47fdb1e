//! Nesting. Nothing here may use more stack than a test thread has.

use crate::expr::stmt;
use restage_program::Bits;
use restage_program::expr::{ElementIndex, Expr, HeaderRef, Place};
use restage_program::op::Op;
use restage_program::prelude::*;
use restage_program::stmt::{AfterApply, StmtKind};

/// A sum of `depth` ones and a one.
fn tower(depth: u32) -> Expr {
    (0..depth).fold(Expr::bit(8, 1), |sum, _| Expr::op(Op::Add, [sum, Expr::bit(8, 1)]))
}

fn chain(depth: u32) -> StmtKind {
    (0..depth).fold(StmtKind::Exit, |inner, _| StmtKind::If {
        condition: Expr::bool(true),
        then: vec![],
        otherwise: vec![stmt(inner)],
    })
}

crate::cases! {
    a_sum_of_200 breaks L01: |p, b| p.program_mut().ingress = vec![stmt(StmtKind::Assign { dst: b.ip.ttl.into(), src: tower(200) })];
    a_chain_of_200_ifs breaks L01: |p, b| p.program_mut().ingress = vec![stmt(chain(200))];
    a_slice_of_a_slice_and_so_on breaks L01: |p, b| {
        let slices = (0..200).fold(Place::from(b.ip.ttl), |of, _| Place::Slice { of: Box::new(of), hi: 7, lo: 0 });
        p.program_mut().ingress = vec![stmt(StmtKind::Assign { dst: slices, src: Expr::bit(8, 1) })]
    };
    an_index_by_an_index_and_so_on breaks L01: |p, b| {
        let index = (0..200).fold(Expr::bit(20, 1), |index, _| {
            let header = HeaderRef::Element { stack: b.tags.stack(), at: ElementIndex::Expr(Box::new(index)), member: 0 };
            Expr::Read(Place::Field { header, field: 0 })
        });
        p.program_mut().ingress = vec![stmt(StmtKind::Count { counter: b.hits, index })]
    };
}

/// What is legal must be checked, written and read with the stack that there is.
#[test]
fn the_deepest_legal_program_is_checked_and_read() {
    let depth = restage_program::check::MAX_DEPTH - 1;
    let program = crate::wrong(|p, b| {
        let index = (0..depth / 2).fold(Expr::bit(20, 1), |index, _| {
            let at = ElementIndex::Expr(Box::new(index));
            let header = HeaderRef::Element { stack: b.tags.stack(), at, member: 0 };
            Expr::Read(Place::Field { header, field: 0 })
        });
        let inner = stmt(StmtKind::Count { counter: b.hits, index });
        let block = (0..depth).fold(vec![inner], |body, i| {
            let mut kind =
                StmtKind::If { condition: Expr::bool(true), then: vec![], otherwise: body };
            if i == depth - 1 {
                let StmtKind::If { otherwise, .. } = kind else { return vec![] };
                let then = AfterApply::Hit { hit: vec![], miss: otherwise };
                kind = StmtKind::Apply { table: b.late, then };
            }
            vec![stmt(kind)]
        });
        p.program_mut().egress = block;
        let value = Expr::op(Op::Add, [tower(depth - 1), Expr::bit(8, 1)]);
        p.program_mut().ingress = vec![stmt(StmtKind::Assign { dst: b.ip.ttl.into(), src: value })];
    });
    let text = program.to_json();
    assert_eq!(Program::from_json(&text).unwrap(), program);
    program.check().unwrap().beyond_line_rate();
}

/// Far deeper than anyone writes: refused without using up the stack.
#[test]
fn towers_are_refused() {
    let program = crate::wrong(|p, b| {
        p.program_mut().ingress = vec![
            stmt(StmtKind::Assign { dst: b.ip.ttl.into(), src: tower(5_000) }),
            stmt(chain(3_000)),
        ];
    });
    let violations = program.check().unwrap_err();
    assert_eq!(violations.0.len(), 2);
}

#[test]
fn odd_values_do_not_overflow() {
    let program = crate::wrong(|p, b| {
        p.program_mut().registers[b.cells].size = u32::MAX;
        p.program_mut().registers[b.cells].ty = bit(u32::MAX);
        p.program_mut().maps[b.flows].buckets = u32::MAX;
        p.program_mut().maps[b.flows].ways = u32::MAX;
        p.program_mut().maps[b.flows].key[0].ty = bit(u32::MAX);
        let wide = Expr::Const { ty: bit(u32::MAX), value: Bits::zero(0) };
        let src = Expr::op(Op::Concat, [wide.clone(), wide]);
        p.program_mut().ingress = vec![stmt(StmtKind::Assign { dst: b.ip.ttl.into(), src })];
    });
    assert!(program.check().unwrap_err().0.len() > 5);
}
