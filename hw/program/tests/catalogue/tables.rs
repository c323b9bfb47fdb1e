//! Tables and their entries.

use restage_program::Bits;
use restage_program::entity::Profile;
use restage_program::entry::{EntryTarget, KeyMatch};
use restage_program::prelude::*;
use restage_program::program::MatchKind;

crate::cases! {
    an_lpm_key_that_is_a_bool breaks B01: |p, b| p.table("t", |t| { t.lpm(b.m.flag).default(b.drop, []); });
    a_ternary_key_that_is_an_error breaks B01: |p, b| p.table("t", |t| { t.ternary(b.m.cause).default(b.drop, []); });
    two_lpm_keys breaks B02: |p, b| p.table("t", |t| { t.lpm(b.ip.src).lpm(b.ip.dst).default(b.drop, []); });
    a_key_of_two_widths breaks E01: |p, b| p.table("t", |t| { t.exact(b.ip.len ^ b.ip.ttl).default(b.drop, []); });
    next_as_a_key breaks E07: |p, b| p.table("t", |t| { t.exact(b.tags.next().label).default(b.drop, []); });
    an_action_listed_twice breaks B03: |p, b| p.table("t", |t| { t.exact(b.ip.ttl).actions([b.drop, b.drop]).default(b.drop, []); });
    a_default_that_is_not_listed breaks B04: |p, b| p.program_mut().tables[b.late].default = restage_program::program::ActionCall { action: b.to, args: vec![Bits::new(9, 1)] };
    a_default_that_is_table_only breaks B04: |p, b| p.table("t", |t| { t.exact(b.ip.ttl).table_only([b.drop]).default(b.drop, []); });
    an_action_that_does_not_exist breaks I01: |p, b| p.program_mut().tables[b.late].actions[0].action = restage_program::entity::Action(50);
    a_default_without_its_data breaks B05: |p, b| p.table("t", |t| { t.exact(b.ip.ttl).default(b.to, []); });
    action_data_that_does_not_fit breaks B05: |p, b| p.table("t", |t| { t.exact(b.ip.ttl).actions([b.to]).entry(7, b.to, 512); });
    an_entry_with_a_match_too_few breaks B06: |p, b| p.program_mut().tables[b.acl].entries[0].keys.truncate(1);
    an_entry_without_keys breaks B06: |p, b| {
        let entry = p.program_mut().tables[b.acl].entries[0].clone();
        p.table("t", |t| { t.actions([b.to]); });
        let table = p.program_mut().tables.values_mut().last().unwrap();
        table.entries = vec![restage_program::entry::Entry { keys: vec![], priority: 0, ..entry }]
    };
    an_entry_whose_action_is_not_listed breaks B07: |p, b| p.table("t", |t| { t.exact(b.ip.ttl).actions([b.drop]).entry(7, b.to, 1); });
    an_entry_whose_action_is_default_only breaks B07: |p, b| p.table("t", |t| { t.exact(b.ip.ttl).default_only([b.drop]).entry(7, b.drop, []); });
    a_priority_without_ternary_keys breaks B08: |p, b| {
        p.table("t", |t| { t.exact(b.ip.ttl).actions([b.drop]).entry(7, b.drop, []); });
        p.program_mut().tables.values_mut().last().unwrap().entries[0].priority = 3
    };
    two_entries_with_the_same_keys breaks B09: |p, b| p.table("t", |t| {
        t.exact(b.ip.ttl).actions([b.drop]).entry(7, b.drop, []).entry(7, b.drop, []);
    });
    a_size_of_0 breaks B10: |p, b| p.program_mut().tables[b.late].size = 0;
    more_entries_than_the_size breaks B10: |p, b| p.program_mut().tables[b.acl].size = 1;
    an_entry_that_names_a_member breaks B11: |p, b| p.program_mut().tables[b.acl].entries[0].target = EntryTarget::Member(4);
    entries_in_a_table_with_a_profile breaks B11: |p, b| {
        p.program_mut().tables[b.acl].profile = Some(p.action_profile("own", 4))
    };
    a_time_out_in_a_table_without breaks B12: |p, b| p.program_mut().tables[b.acl].entries[0].idle_timeout_us = 1000;
    a_profile_for_other_actions breaks B13: |p, b| p.table("t", |t| {
        t.exact(b.ip.ttl).actions([b.drop]).implementation(b.profile);
    });
    a_profile_that_does_not_exist breaks I01: |p, b| p.program_mut().tables[b.late].profile = Some(Profile(3));
    a_match_of_another_kind breaks M01: |p, b| p.program_mut().tables[b.acl].keys[0].kind = MatchKind::Optional;
    an_exact_key_that_matches_anything breaks M01: |p, b| p.program_mut().tables[b.acl].entries[1].keys[1] = KeyMatch::Any;
    a_match_of_another_width breaks M02: |p, b| p.program_mut().tables[b.acl].entries[1].keys[1] = KeyMatch::Exact(Bits::new(8, 1));
    bits_outside_the_mask breaks M03: |p, b| {
        let (value, mask) = (Bits::new(32, 0x0a00_0001), Bits::new(32, 0xff00_0000));
        p.program_mut().tables[b.acl].entries[0].keys[0] = KeyMatch::Masked { value, mask }
    };
    bits_behind_the_prefix breaks M03: |p, b| {
        p.table("t", |t| { t.lpm(b.ip.src).actions([b.drop]).entry(7, b.drop, []); });
        let value = Bits::new(32, 0x0a00_0001);
        p.program_mut().tables.values_mut().last().unwrap().entries[0].keys[0] = KeyMatch::Lpm { value, prefix: 24 }
    };
    a_prefix_longer_than_the_key breaks M03: |p, b| {
        p.table("t", |t| { t.lpm(b.ip.src).actions([b.drop]).entry(7, b.drop, []); });
        let value = Bits::new(32, 0x0a00_0001);
        p.program_mut().tables.values_mut().last().unwrap().entries[0].keys[0] = KeyMatch::Lpm { value, prefix: 33 }
    };
}

/// Numbers of an `int` key are compared with their sign.
#[test]
fn a_signed_range_may_begin_below_0() {
    crate::wrong(|p, b| {
        p.table("t", |t| {
            t.range(b.ip.delta).actions([b.drop]).entry(range(1, 5), b.drop, []);
        });
        let (low, high) = (Bits::new(16, 0xfff0), Bits::new(16, 5));
        let table = p.program_mut().tables.values_mut().last().unwrap();
        table.entries[0].keys[0] = KeyMatch::Range { low, high };
    })
    .check()
    .unwrap();
}
