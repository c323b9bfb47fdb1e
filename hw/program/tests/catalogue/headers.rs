//! Types, headers, unions and stacks.

use restage_program::entity::{Header, HeaderType, Union};
use restage_program::prelude::*;
use restage_program::program::{Elements, Program};

header! {
    struct Odd { a: bit<8>, b: bit<5> }
    struct OddVarbit { a: bit<8>, b: varbit<12> }
    struct TwoVarbits { a: bit<8>, b: varbit<16>, c: varbit<16> }
    struct NoWidth { a: bit<8>, b: bit<0> }
    struct TooWide { a: bit<2056> }
}

/// The header of a name.
pub fn named(p: &Program, name: &str) -> Header {
    p.headers.iter().find(|(_, h)| h.name == name).unwrap().0
}

crate::cases! {
    a_field_without_width breaks T01: |p, b| p.header::<NoWidth>("none");
    a_field_wider_than_2048_bits breaks T01: |p, b| p.header::<TooWide>("wide");
    metadata_without_width breaks T01: |p, b| p.meta("none", bit(0));
    varbit_metadata breaks T02: |p, b| p.meta("text", varbit(64));
    a_varbit_parameter breaks T02: |p, b| p.action("say", [("text", varbit(64))], |_, [_]| {});
    an_error_in_a_header breaks T03: |p, b| p.program_mut().header_types[HeaderType(0)].fields.push(restage_program::build::field_decl("cause", Type::Error));
    an_error_in_a_digest breaks T03: |p, b| p.digest("failed", [("cause", b.m.cause)]);
    a_header_without_fields breaks H01: |p, b| {
        let at = p.program_mut().header_types.len();
        p.header::<Odd>("empty");
        p.program_mut().header_types[HeaderType(at as u32)].fields.clear()
    };
    a_header_of_13_bits breaks H02: |p, b| p.header::<Odd>("odd");
    a_varbit_of_12_bits breaks H02: |p, b| p.header::<OddVarbit>("odd");
    two_varbits_in_a_header breaks H03: |p, b| p.header::<TwoVarbits>("two");
    a_union_without_members breaks H04: |p, b| p.union("nothing");
    a_stack_without_elements breaks H05: |p, b| p.stack::<crate::base::Tag>("none", 0);
    a_stack_of_300 breaks H05: |p, b| p.stack::<crate::base::Tag>("many", 300);
    a_stack_of_two_types breaks H06: |p, b| {
        let element = named(p.program_mut(), "tags[2]");
        p.program_mut().headers[element].ty = HeaderType(0)
    };
    a_stack_of_different_unions breaks H06: |p, b| {
        for (i, name) in ["u[0]", "u[1]"].into_iter().enumerate() {
            let union = p.union(name);
            p.program_mut().unions[union].type_name = "u_t".into();
            p.member::<crate::base::Tcp>(union, "tcp");
            if i == 0 {
                p.member::<crate::base::Icmp>(union, "icmp");
            }
        }
        let loc = restage_program::Loc::caller();
        let elements = Elements::Unions(vec![Union(1), Union(2)]);
        p.program_mut().stacks.push(restage_program::program::StackDecl { name: "u".into(), elements, loc })
    };
    a_header_in_two_stacks breaks N09 H07: |p, b| {
        let loc = restage_program::Loc::caller();
        let elements = Elements::Headers(vec![named(p.program_mut(), "tags[0]")]);
        p.program_mut().stacks.push(restage_program::program::StackDecl { name: "again".into(), elements, loc });
    };
    a_header_of_no_type breaks I01: |p, b| p.program_mut().headers[Header(0)].ty = HeaderType(77);
    an_element_beyond_the_stack breaks I01: |p, b| p.ingress(|c| c.set_valid(b.tags.get(4)));
    a_header_of_20000_bits breaks L02: |p, b| {
        let at = HeaderType(p.program_mut().header_types.len() as u32);
        p.header::<Odd>("huge");
        let fields = (0..10).map(|i| restage_program::build::field_decl(&format!("f{i}"), bit(2000)));
        p.program_mut().header_types[at].fields = fields.collect()
    };
    headers_of_more_than_a_megabit breaks L02: |p, b| {
        let at = HeaderType(p.program_mut().header_types.len() as u32);
        p.stack::<Odd>("huge", 128);
        let fields = (0..8).map(|i| restage_program::build::field_decl(&format!("f{i}"), bit(2000)));
        p.program_mut().header_types[at].fields = fields.collect()
    };
}
