//! One program with every kind of object, its entries there and back, and what is said of wrong ones.

use super::{parse, print, priority, priority_text};
use crate::Bits;
use crate::entry::{EntryTarget, KeyMatch, Write};
use crate::prelude::*;

fn program() -> Program {
    build("all", |p| {
        let ip = p.meta("ip_dst", bit(32));
        let port = p.meta("port", bit(16));
        let wide = p.meta("wide", bit(128));
        let level = p.meta("level", int(8));
        let drop = p.action("drop", [], |c, []| c.mark_to_drop());
        let to = p.action("to", [("port", bit(9)), ("mac", bit(48))], |_, [_, _]| {});
        p.table("route", |t| {
            t.lpm(ip).actions([to, drop]).default(drop, []).size(16).idle_timeout();
            t.counter("route_hits", Unit::Both);
        });
        p.table("acl", |t| {
            t.ternary(ip).range(port).optional(wide).exact(level);
            t.actions([drop]).table_only([to]).const_default(drop, []).size(16);
        });
        let ways = p.action_selector("ways", Crc16, list![port], 8);
        p.table("group", |t| {
            t.exact(port).actions([to, drop]).default(drop, []).implementation(ways).size(16);
        });
        p.value_set("ports", [("port", bit(16))], 4);
        p.register("seen", bit(48), 8);
        p.counter("packets", Unit::Both, 8);
        p.meter("police", Unit::Packets, 8);
        p.crc16("row");
        p.crc32("rows.wide");
        p.map("flows", [("src", bit(32))], [("state", bit(4))], (8, 2), 0);
    })
}

const TEXT: &str = "\
# Every command once.
table_add route to 10.1.2.3/8 => 1 0a:00:00:00:00:01   # a comment
table_add route drop * => timeout=0.25
table_modify route to 0 => 2 0xff
";

/// What printing makes of the whole language; parsing it gives the same writes.
const CANONICAL: &str = "\
table_add route to 10.0.0.0/8 => 1 0a:00:00:00:00:01
table_add route drop * => timeout=0.250
table_modify route to [10.0.0.0/8] 2 00:00:00:00:00:ff timeout=7
table_add acl drop 10.0.0.0&&&255.0.0.0 1->9 * 255 => 20
table_add acl to * * 0x20010db8000000000000000000000001 5 => 3 00:00:00:00:00:00 -1
counter_write route_hits [*] 4 5
table_delete acl [10.0.0.0&&&255.0.0.0 1->9 * 255 20]
table_set_default route to 5 00:00:00:00:00:00
table_reset_default route
act_prof_create_member ways drop
act_prof_create_member ways to 3 00:00:00:00:00:03
act_prof_modify_member ways drop 1
act_prof_create_group ways
act_prof_add_member_to_group ways 0 0
act_prof_add_member_to_group ways 1 0 5
act_prof_create_group ways
act_prof_set_group ways 9 0*1 1*2
table_indirect_add group 7 => 0
table_indirect_add_with_group group 8 => 1
table_indirect_modify group [7] 1
table_indirect_modify_with_group group [7] 0
act_prof_delete_member ways 0
act_prof_delete_group ways 1
mc_mgrp_create 3
mc_node_create 1 4 5
mc_node_associate 3 0
mc_node_create 2 4
mc_node_associate 3 1
mc_mgrp_destroy 4
mirroring_add 5 64
mirroring_add 6 1 2:7 truncate=128
mirroring_add_mc 7 3
mirroring_delete 5
pvs_add ports 7
pvs_add ports 8&&&255
pvs_clear ports
pvs_add ports 1->2
register_write seen 7 00:00:00:00:00:09
counter_write packets 1 2 3
meter_set_rates police 0 1e-6:0 1e3:100
meter_unset police 0
set_crc16_parameters row 0x1021 0xffff 0x0000 false true
set_crc32_parameters rows.wide 0x1edc6f41 0xffffffff 0xffffffff true true
map_add flows 10.0.0.1 => 3
map_delete flows 10.0.0.1
";

fn read(text: &str) -> Vec<Write> {
    parse(&program(), text).unwrap_or_else(|e| panic!("{}", e.list("text")))
}

#[test]
fn printing_and_parsing_are_inverse() {
    let program = program();
    let writes = read(CANONICAL);
    assert_eq!(print(&program, &writes), CANONICAL);
    assert_eq!(read(&print(&program, &writes)), writes);
}

#[test]
fn handles_names_and_addresses_are_understood() {
    let writes = read(TEXT);
    let [Write::Insert(table, first), Write::Insert(_, second), Write::Modify(_, third)] =
        writes.as_slice()
    else {
        panic!("{writes:?}");
    };
    assert_eq!(program().tables.get(*table).unwrap().preamble.name, "route");
    assert_eq!(first.keys, [KeyMatch::Lpm { value: Bits::new(32, 0x0a00_0000), prefix: 8 }]);
    assert_eq!(second.idle_timeout_us, 250);
    assert_eq!(third.keys, first.keys);
    let EntryTarget::Action(call) = &third.target else { panic!("{third:?}") };
    assert_eq!(call.args, [Bits::new(9, 2), Bits::new(48, 255)]);
}

/// Lines on one group are one write while nothing else stands between them, and repeat it otherwise.
#[test]
fn groups_grow_line_by_line() {
    let writes = read(
        "mc_mgrp_create 1\nmc_node_create 0 1 2\nmc_node_create 0 3\nmc_node_associate 1 0\n\
         mirroring_delete 1\nmc_node_associate 1 1\n",
    );
    let ports = |w: &Write| match w {
        Write::SetMulticast { replicas: Some(r), .. } => r.iter().map(|r| r.port).collect(),
        _ => Vec::new(),
    };
    assert_eq!(writes.iter().map(ports).collect::<Vec<_>>(), [vec![1, 2], vec![], vec![1, 2, 3]]);
}

/// A node that is changed or destroyed changes the groups that have it.
#[test]
fn groups_follow_their_nodes() {
    let writes = read(
        "mc_mgrp_create 1\nmc_mgrp_create 2\nmc_node_create 5 1 2\nmc_node_create 6 3\n\
         mc_node_associate 1 0\nmc_node_associate 1 1\nmc_node_associate 2 1\n\
         mc_node_update 1 7\nmc_node_dissociate 1 0\nmc_node_destroy 1\n",
    );
    let said = writes.iter().map(|w| match w {
        Write::SetMulticast { group, replicas: Some(r) } => {
            (*group, r.iter().map(|r| (r.rid, r.port)).collect())
        }
        other => panic!("{other:?}"),
    });
    let said: Vec<(u16, Vec<(u16, u16)>)> = said.collect();
    let wanted = [
        (1, vec![]),
        (2, vec![]),
        (1, vec![(5, 1), (5, 2), (6, 3)]),
        (2, vec![(6, 3)]),
        (1, vec![(5, 1), (5, 2), (6, 7)]),
        (2, vec![(6, 7)]),
        (1, vec![]),
        (2, vec![]),
    ];
    assert_eq!(said, wanted);
}

/// Commands on all entries are about those that the lines above have left.
#[test]
fn whole_tables_and_arrays() {
    let text = "\
table_add route drop 10.0.0.0/8 =>
table_add route drop 11.0.0.0/8 =>
table_delete route [10.0.0.0/8]
table_add route drop * =>
table_delete route 1
table_add route drop 12.0.0.0/8 =>
counter_reset route_hits
table_clear route
table_add route drop 10.0.0.0/8 =>
table_clear route
table_clear route
register_reset seen
counter_reset packets
meter_array_set_rates police 1e-6:1 1e-6:1
pvs_add ports 7
pvs_add ports 8
pvs_remove ports 7
";
    let program = program();
    let writes = print(&program, &read(text));
    let behind = writes.lines().skip(6).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(behind);
    assert!(parse(&program, "table_clear route\ntable_delete route 0").is_err());
}

#[test]
fn the_smaller_number_in_text_is_the_larger_priority() {
    assert_eq!(priority(0), Some(i32::MAX as u32));
    assert!(priority(1) > priority(2));
    for p in [0, 1, i32::MAX as u32, u32::MAX] {
        assert_eq!(priority(priority_text(p)), Some(p));
    }
    assert_eq!(priority(i64::MIN), None);
    assert_eq!(priority(1 << 31), None);
}

#[test]
fn every_fault_is_named_with_place_and_remedy() {
    let text = "\
table_ad route to 1/8 => 1 2
table_add rute to 1/8 => 1 2
table_add acl tu 1 2 3 4 => 5
table_add acl drop 1 2 => 5
table_add acl drop 10.0.0.256 9->1 1&&&3 200/3 =>
table_add route to 10.0.0.0/33 => 512
table_add route drop 1/8
table_add route drop 1/8 => 7
table_add group drop 1 =>
table_indirect_add route 1/8 => 0
table_add acl to * * * 0 => 1 2 three
table_set_default acl drop
table_set_default acl to 1 2
table_delete route 3
table_modify route drop [1/8
register_write seen 8 0
set_crc16_parameters row 0x11021 0 0 0 0
set_crc32_parameters row 1 0 0 0 0
set_crc16_parameters row 1 0 0 yes 0
set_crc16_parameters rows 1 0 0 0 0
register_reset sen
mc_node_update 0 1
pvs_remove ports 7
register_write seen 0 0x1000000000000
counter_write packetz 0 1 1
meter_set_rates police 0 2:1 1:1
meter_set_rates police 0 x 1:1
act_prof_create_group nobody
act_prof_add_member_to_group ways 0 0
mc_node_associate 1 0
mc_mgrp_create 0
mirroring_add 1 512
pvs_add ports 65536
map_add flows 1 2 => 3
table_add route drop 1/8 => timeout=soon
";
    let errors = parse(&program(), text).unwrap_err();
    insta::assert_snapshot!(errors.list("entries.txt"));
    assert!(errors.faults.iter().all(|f| text.get(f.span.offset()..).is_some()));
}

/// Bad text of any kind ends in faults, and a text of many faults in a bounded list of them.
#[test]
fn nonsense_is_survived() {
    let mut seed = 1u64;
    let words: Vec<&str> =
        CANONICAL.split_whitespace().chain(["[", "]", "é", "&&&", "->", "-"]).collect();
    let mut text = String::new();
    for i in 0..20_000 {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        text += words[(seed >> 33) as usize % words.len()];
        text += if i % 7 == 0 { "\n" } else { " " };
    }
    let errors = parse(&program(), &text).unwrap_err();
    assert_eq!(errors.faults.len(), super::MAX_FAULTS);
    assert!(errors.total > 2000);
    for end in (0..CANONICAL.len()).filter(|i| CANONICAL.is_char_boundary(*i)) {
        let _ = parse(&program(), &CANONICAL[..end]);
    }
}

/// Two groups in turn would be written again and again.
#[test]
fn a_text_cannot_ask_for_the_square_of_its_length() {
    let mut text = "mc_mgrp_create 1\nmc_mgrp_create 2\nmc_node_create 0 1\n".to_string();
    for _ in 0..10_000 {
        text += "mc_node_associate 1 0\nmc_node_associate 2 0\n";
    }
    let errors = parse(&program(), &text).unwrap_err();
    assert!(errors.faults[0].message.contains("too often"), "{errors:?}");
}
