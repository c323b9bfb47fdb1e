//! Statements and where they may stand.

use crate::expr::stmt;
use restage_program::prelude::*;
use restage_program::stmt::{AfterApply, StmtKind, SwitchCase};

crate::cases! {
    a_drop_in_the_parser breaks S01: |p, b| p.state("more", |c| { c.mark_to_drop(); c.accept(); });
    an_if_in_the_parser breaks S01: |p, b| p.state("more", |c| { c.if_(b.m.flag, |c| c.set(b.ip.ttl, 1)); c.accept(); });
    an_extract_in_ingress breaks S01: |p, b| p.program_mut().ingress.push(stmt(StmtKind::Advance(restage_program::expr::Expr::bit(32, 8))));
    a_table_applied_in_an_action breaks S01: |p, b| p.action("again", [], |c, []| { c.apply(b.late); });
    an_action_called_in_an_action breaks S01: |p, b| p.action("again", [], |c, []| c.run(b.drop));
    a_resubmission_in_egress breaks S01: |p, b| p.egress(|c| c.resubmit(None));
    a_recirculation_in_ingress breaks S01: |p, b| p.ingress(|c| c.recirculate(None));
    an_assignment_of_another_width breaks S02: |p, b| p.ingress(|c| c.set(b.ip.ttl, b.ip.len));
    an_assignment_of_another_sign breaks S02: |p, b| p.ingress(|c| c.set(b.ip.len, b.ip.delta));
    an_assignment_of_a_comparison breaks S02: |p, b| p.ingress(|c| c.set(b.m.colour, b.ip.ttl.eq(0)));
    a_varbit_assigned_a_number breaks S02: |p, b| p.ingress(|c| c.set(b.options.data, bits(320, 1)));
    a_copy_between_header_types breaks S03: |p, b| {
        let (dst, src) = (restage_program::build::HeaderView::href(b.tcp), restage_program::build::HeaderView::href(b.icmp));
        p.program_mut().ingress = vec![stmt(StmtKind::CopyHeader { dst: dst.into(), src: src.into() })]
    };
    a_copy_between_stacks_of_two_sizes breaks S04: |p, b| {
        let (dst, src) = (b.tags.stack(), b.others.stack());
        p.program_mut().ingress = vec![stmt(StmtKind::CopyStack { dst, src })]
    };
    a_push_by_0 breaks S05: |p, b| p.ingress(|c| c.push_front(b.tags, 0));
    a_varbit_header_extracted_without_length breaks S06: |p, b| p.state("more", |c| { c.extract(b.more); c.accept(); });
    a_plain_header_extracted_with_a_length breaks S06: |p, b| p.state("more", |c| { c.extract_var(b.ip, 32); c.accept(); });
    a_case_for_an_action_of_another_table breaks S07: |p, b| p.egress(|c| { c.apply(b.late).on(b.to, |c| c.exit()); });
    two_cases_for_an_action breaks S07: |p, b| {
        let case = SwitchCase { actions: vec![b.drop], body: vec![] };
        let then = AfterApply::Switch { cases: vec![case.clone(), case], default: vec![] };
        p.program_mut().egress = vec![stmt(StmtKind::Apply { table: b.late, then })]
    };
    a_call_without_its_argument breaks S08: |p, b| p.ingress(|c| c.run(b.to));
    a_call_with_an_argument_of_another_width breaks S08: |p, b| p.ingress(|c| c.call(b.to, b.ip.ttl));
    a_table_in_both_halves breaks S09: |p, b| p.egress(|c| { c.apply(b.acl); });
    a_table_twice_in_a_row breaks S10: |p, b| p.egress(|c| { c.apply(b.late); c.apply(b.late); });
    a_table_again_behind_a_branch breaks S10: |p, b| p.egress(|c| {
        c.if_(b.m.flag, |c| { c.apply(b.late); });
        c.apply(b.late);
    });
    a_table_again_in_its_own_hit breaks S10: |p, b| p.egress(|c| { c.apply(b.late).hit(|c| { c.apply(b.late); }); });
    an_ingress_clone_in_an_action_of_egress breaks S11: |p, b| {
        let copy = p.action("copy", [], |c, []| c.clone_ingress(5, None));
        p.egress(|c| c.run(copy))
    };
    a_recirculation_in_an_action_of_an_ingress_table breaks S11: |p, b| {
        let again = p.action("again", [], |c, []| c.recirculate(None));
        p.program_mut().tables[b.route].actions[0].action = again
    };
}

/// A table may be applied in branches of which only one is taken, and behind one that left.
#[test]
fn exclusive_applications_are_legal() {
    let program = crate::wrong(|p, b| {
        let leave = p.action("leave", [], |c, []| c.exit());
        p.egress(|c| {
            c.if_(b.m.flag, |c| {
                c.apply(b.late);
                c.exit();
            });
            c.if_(b.ip.ttl.eq(1), |c| {
                c.apply(b.late);
                c.run(leave);
            });
            c.if_(b.ip.ttl.eq(0), |c| {
                c.apply(b.late);
            })
            .else_(|c| {
                c.apply(b.late);
            });
        });
    });
    program.check().unwrap();
}

/// One action for both halves is legal as long as it does nothing that only one can do.
#[test]
fn an_action_may_serve_both_halves() {
    crate::wrong(|p, b| {
        p.ingress(|c| c.run(b.drop));
        p.egress(|c| c.run(b.drop));
    })
    .check()
    .unwrap();
}
