//! Names, ids, and what every program has.

use restage_program::entity::{ErrorCode, Header, HeaderType, Meta};
use restage_program::prelude::*;

crate::cases! {
    a_state_that_is_not_described breaks F01: |p, b| p.state("more", |c| c.goto("parse_gre"));
    another_format breaks N01: |p, b| p.program_mut().format = 2;
    a_header_named_with_a_space breaks N02: |p, b| p.header::<crate::base::Tcp>("my tcp");
    an_index_that_is_no_number breaks N02: |p, b| p.meta("queue[x]", bit(8));
    an_error_with_a_dot breaks N02: |p, b| p.error("Ip.Bad");
    a_key_with_a_quote breaks N02: |p, b| p.program_mut().tables[b.acl].keys[0].name = "a\"b".into();
    two_tables_of_one_name breaks N03: |p, b| p.table("acl", |t| { t.default(b.drop, []); });
    a_header_named_as_a_stack breaks N03: |p, b| p.header::<crate::base::Tcp>("tags");
    two_parameters_of_one_name breaks N03: |p, b| p.action("two", [("x", bit(8)), ("x", bit(8))], |_, [_, _]| {});
    two_keys_of_one_name breaks N03: |p, b| p.program_mut().tables[b.acl].keys[1].name = "h.ip.src".into();
    an_id_of_another_kind breaks N04: |p, b| p.program_mut().tables[b.acl].preamble.id = 0x0100_0007;
    one_id_twice breaks N05: |p, b| {
        p.program_mut().tables[b.acl].preamble.id = 0x0200_0007;
        p.program_mut().tables[b.late].preamble.id = 0x0200_0007
    };
    standard_metadata_renamed breaks N06: |p, b| p.program_mut().metas[Meta(1)].name = "egress_port_wanted".into();
    standard_metadata_retyped breaks N06: |p, b| p.program_mut().metas[Meta(13)].ty = bit(8);
    a_standard_error_renamed breaks N07: |p, b| p.program_mut().errors[ErrorCode(3)] = "StackFull".into();
    an_annotation_without_its_sign breaks N08: |p, b| p.program_mut().header_types[HeaderType(0)].annotations = vec!["hidden".into()];
    an_element_not_named_after_its_stack breaks N09: |p, b| {
        let element = p.program_mut().headers.iter().find(|(_, h)| h.name == "tags[1]").map(|(h, _)| h);
        p.program_mut().headers[element.unwrap()].name = "second_tag".into()
    };
    a_member_not_named_after_its_union breaks N09: |p, b| {
        let at = p.program_mut().headers.len();
        p.header::<crate::base::Tcp>("udp");
        p.program_mut().unions[b.l4].members.push(Header(at as u32))
    };
}
