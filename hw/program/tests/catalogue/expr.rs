//! Expressions and indices.

use restage_program::Bits;
use restage_program::entity::{Header, Meta, Stack};
use restage_program::expr::{Expr, HeaderRef, Place};
use restage_program::op::Op;
use restage_program::prelude::*;
use restage_program::stmt::{Stmt, StmtKind};

/// A statement that no method of the builder writes.
pub fn stmt(kind: StmtKind) -> Stmt {
    Stmt { kind, loc: restage_program::Loc::caller() }
}

crate::cases! {
    a_sum_of_two_widths breaks E01: |p, b| p.ingress(|c| c.set(b.ip.len, b.ip.len + b.ip.ttl));
    a_sum_of_signed_and_unsigned breaks E01: |p, b| p.ingress(|c| c.set(b.ip.len, b.ip.len + b.ip.delta));
    an_operation_with_one_operand_too_few breaks E01: |p, b| {
        let src = Expr::op(Op::Add, [Expr::bit(8, 1)]);
        p.program_mut().ingress = vec![stmt(StmtKind::Assign { dst: b.ip.ttl.into(), src })]
    };
    a_slice_beyond_the_value breaks E01: |p, b| {
        let src = Expr::op(Op::Slice { hi: 15, lo: 8 }, [Expr::bit(8, 1)]);
        p.program_mut().ingress = vec![stmt(StmtKind::Assign { dst: b.ip.ttl.into(), src })]
    };
    a_constant_that_does_not_fit breaks E02: |p, b| p.ingress(|c| c.set(b.ip.ttl, 256));
    a_constant_of_another_width breaks E02: |p, b| {
        let src = Expr::Const { ty: bit(8), value: Bits::new(4, 1) };
        p.program_mut().ingress = vec![stmt(StmtKind::Assign { dst: b.ip.ttl.into(), src })]
    };
    an_error_that_does_not_exist breaks E02: |p, b| {
        let src = Expr::Const { ty: Type::Error, value: Bits::new(32, 70) };
        p.program_mut().ingress = vec![stmt(StmtKind::Assign { dst: b.m.cause.into(), src })]
    };
    a_division_by_0 breaks E03: |p, b| {
        let src = Expr::op(Op::Div, [Expr::bit(8, 1), Expr::bit(8, 0)]);
        p.program_mut().ingress = vec![stmt(StmtKind::Assign { dst: b.ip.ttl.into(), src })]
    };
    a_division_by_a_field breaks E03: |p, b| {
        let src = Expr::op(Op::Mod, [Expr::bit(8, 1), Expr::Read(b.ip.proto.into())]);
        p.program_mut().ingress = vec![stmt(StmtKind::Assign { dst: b.ip.ttl.into(), src })]
    };
    a_condition_that_is_a_number breaks E04: |p, b| p.ingress(|c| { c.if_(b.ip.ttl, |c| c.exit()); });
    a_signed_index breaks E04: |p, b| p.ingress(|c| c.count(b.hits, b.ip.delta));
    a_length_of_16_bits breaks E04: |p, b| p.egress(|c| c.truncate(b.ip.len));
    a_parameter_outside_an_action breaks E05: |p, b| {
        let src = Expr::Param(0);
        p.program_mut().ingress = vec![stmt(StmtKind::Assign { dst: b.ip.ttl.into(), src })]
    };
    a_parameter_too_many breaks E05: |p, b| {
        let body = vec![stmt(StmtKind::Assign { dst: b.ip.ttl.into(), src: Expr::Param(1) })];
        p.program_mut().actions[b.to].body = body
    };
    a_lookahead_in_ingress breaks E06: |p, b| p.ingress(|c| c.set(b.ip.ttl, lookahead(8)));
    a_lookahead_beyond_every_packet breaks E06: |p, b| p.state("more", |c| {
        c.set(b.ip.ttl, lookahead_at(4_000_000, 8));
        c.accept();
    });
    a_lookahead_of_an_error breaks E06: |p, b| p.state("more", |c| {
        c.set(b.m.cause, Val::new(Expr::Lookahead { skip: 0, ty: Type::Error }, Type::Error));
        c.accept();
    });
    next_of_a_stack_in_egress breaks E07: |p, b| p.egress(|c| c.set_valid(b.tags.next()));
    a_varbit_compared breaks E08: |p, b| p.ingress(|c| { c.if_(b.options.data.eq(b.more.data), |c| c.exit()); });
    a_varbit_as_key breaks E08: |p, b| p.table("text", |t| { t.exact(b.options.data).default(b.drop, []); });
    a_slice_of_a_bool breaks E09: |p, b| p.ingress(|c| c.set(b.m.flag.slice(0, 0), bits(1, 1)));
    a_slice_upside_down breaks E09: |p, b| p.ingress(|c| c.set(b.ip.ttl.slice(0, 3), bits(4, 1)));
    a_cast_to_no_width breaks T01: |p, b| {
        let src = Expr::op(Op::Cast(bit(0)), [Expr::bit(8, 1)]);
        p.program_mut().ingress = vec![stmt(StmtKind::Assign { dst: b.ip.ttl.into(), src })]
    };
    metadata_that_does_not_exist breaks I01: |p, b| {
        let src = Expr::meta(Meta(99));
        p.program_mut().ingress = vec![stmt(StmtKind::Assign { dst: b.ip.ttl.into(), src })]
    };
    a_field_that_does_not_exist breaks I01: |p, b| {
        let dst = Place::field(Header(0), 3);
        p.program_mut().ingress = vec![stmt(StmtKind::Assign { dst, src: Expr::bit(8, 1) })]
    };
    a_stack_that_does_not_exist breaks I01: |p, b| {
        let at = restage_program::expr::ElementIndex::Last;
        let header = HeaderRef::Element { stack: Stack(9), at, member: 0 };
        p.program_mut().ingress = vec![stmt(StmtKind::SetValid(header))]
    };
    a_member_of_a_plain_stack breaks I01: |p, b| {
        let at = restage_program::expr::ElementIndex::Last;
        let header = HeaderRef::Element { stack: b.tags.stack(), at, member: 1 };
        p.program_mut().ingress = vec![stmt(StmtKind::SetValid(header))]
    };
}
