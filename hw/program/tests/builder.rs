//! What the builder writes down beyond the obvious.

use restage_program::entry::{EntryTarget, KeyMatch};
use restage_program::prelude::*;
use restage_program::stmt::StmtKind;

header! { struct Pair { left: bit<8>, right: bit<16> } }

#[test]
fn fill_makes_valid_and_sets_every_field() {
    let program = build("fill", |p| {
        let pair: Pair = p.header("pair");
        p.ingress(|c| c.fill(pair, (1, 2)));
    });
    assert!(program.faults.is_empty());
    let kinds: Vec<_> = program.ingress.iter().map(|s| &s.kind).collect();
    assert!(matches!(
        kinds[..],
        [StmtKind::SetValid(_), StmtKind::Assign { .. }, StmtKind::Assign { .. }]
    ));
}

#[test]
fn fill_with_too_few_values_is_a_fault() {
    let program = build("fill", |p| {
        let pair: Pair = p.header("pair");
        p.ingress(|c| c.fill(pair, 1));
    });
    assert_eq!(program.faults.len(), 1);
    assert_eq!(program.faults[0].message, "1 values for a header of 2 fields");
    assert!(format!("{:?}", program.faults[0].loc).contains("builder.rs"));
}

#[test]
fn locals_of_one_name_are_different_fields() {
    let program = build("locals", |p| {
        p.ingress(|c| {
            for value in 1..4 {
                c.local("x", bits(8, value));
            }
        });
    });
    let names: Vec<_> = program.metas.values().map(|m| m.name.as_str()).collect();
    assert!(names.ends_with(&["x", "x_2", "x_3"]), "{names:?}");
}

#[test]
fn entries_take_tuples_and_bare_numbers() {
    let program = build("entries", |p| {
        let (a, b) = (p.meta("a", bit(8)), p.meta("b", bit(8)));
        let set = p.action("set", [("v", bit(8)), ("w", bit(4))], |_, _| {});
        p.table("one", |t| {
            t.exact(a).actions([set]).entry(5, set, (6, 7));
        });
        p.table("two", |t| {
            t.exact(a).ternary(b).actions([set]).entry((1, mask(2, 3)), set, (8, 9));
        });
    });
    let entry = |table: usize| program.tables.values().nth(table).unwrap().entries[0].clone();
    let EntryTarget::Action(call) = &entry(0).target else { panic!("an action") };
    assert_eq!(call.args.iter().map(|b| b.width()).collect::<Vec<_>>(), [8, 4]);
    assert!(matches!(entry(0).keys[..], [KeyMatch::Exact(_)]));
    assert!(matches!(entry(1).keys[..], [KeyMatch::Exact(_), KeyMatch::Masked { .. }]));
}

#[test]
fn rows_are_numbered_from_zero() {
    let program = build("rows", |p| {
        p.registers::<2>("row", bit(32), 16);
        p.metas::<2>("index", bit(32));
    });
    let registers: Vec<_> = program.registers.values().map(|r| r.preamble.name.as_str()).collect();
    let metas: Vec<_> = program.metas.values().map(|m| m.name.as_str()).collect();
    assert_eq!(registers, ["row0", "row1"]);
    assert!(metas.ends_with(&["index0", "index1"]));
}
