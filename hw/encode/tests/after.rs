//! What encoders take over from program to program.

#![allow(clippy::unwrap_used)] // a test may

use restage_encode::{BusOp, Encoder, Epochs};
use restage_manifest::cell::{Cell, Cells, TableShape};
use restage_program::Bits;
use restage_program::entity::Table;
use restage_program::entry::{Entry, EntryTarget, KeyMatch, Write};
use restage_program::prelude::build as describe;
use restage_program::prelude::*;
use restage_program::program::ActionCall;

header! { struct Ask { key: bit<16>, out: bit<16> } }

/// A table `rules`, whose actions have other numbers in the second version; behind another table there.
fn program(second: bool) -> Program {
    describe("rules", |p| {
        let ask: Ask = p.header("ask");
        if second {
            let other = p.action("other", [], move |c, []| c.set(ask.out, 1));
            p.table("before", |t| {
                t.exact(ask.key).actions([other]).const_no_action().size(4);
            });
        }
        let mark = p.action("mark", [("value", bit(16))], move |c, [v]| c.set(ask.out, v));
        p.table("rules", |t| {
            t.exact(ask.key)
                .actions([mark])
                .const_no_action()
                .size(8)
                .counter("met", Unit::Packets);
        });
    })
}

fn rules(program: &Program) -> Table {
    let mut all = program.tables.iter();
    all.find(|(_, t)| t.preamble.name == "rules").unwrap().0
}

fn insert(program: &Program, key: u32, value: u32) -> Write {
    let (action, _) = program.actions.iter().find(|(_, a)| a.preamble.name == "mark").unwrap();
    let call = ActionCall { action, args: vec![Bits::new(16, value.into())] };
    let keys = vec![KeyMatch::Exact(Bits::new(16, key.into()))];
    let target = EntryTarget::Action(call);
    Write::Insert(rules(program), Entry { keys, priority: 0, target, idle_timeout_us: 0 })
}

/// `rules` in a region.
fn encoder(program: &Program, unit: u32) -> Encoder {
    let table = rules(program);
    let shape = TableShape::of(program, table, 16).unwrap();
    let cells = Cells { tables: vec![(table, Cell { unit, first: 0, shape })], ..Cells::default() };
    Encoder::new(program, &cells)
}

/// The row behind which the counter of an entry is.
fn row(encoder: &Encoder, program: &Program, key: u32) -> Option<u32> {
    let keys = [KeyMatch::Exact(Bits::new(16, key.into()))];
    encoder.direct_counter(false, rules(program), &keys, 0).ok().flatten().map(|(_, row)| row)
}

#[test]
fn a_region_that_stays_has_its_entries_and_their_places() {
    let (first, second) = (program(false), program(true));
    let mut old = encoder(&first, 3);
    let writes: Vec<Write> = (0..5).map(|k| insert(&first, k, k)).collect();
    old.write(Epochs::Both, &writes).unwrap();
    let Write::Insert(table, entry) = insert(&first, 1, 0) else { unreachable!() };
    old.write(Epochs::Both, &[Write::Delete { table, keys: entry.keys, priority: 0 }]).unwrap();
    let mut new = encoder(&second, 3).keep(&old, &|unit| unit == 3);
    for key in 0..5 {
        assert_eq!(row(&new, &second, key), row(&old, &first, key), "key {key}");
    }
    assert!(row(&new, &second, 4).is_some() && row(&new, &second, 1).is_none());
    assert!(new.keeps_of(&insert(&second, 9, 9)));
    // It goes on from there: the same write is the same words in both, and what is there is there.
    let [theirs, ours] = [(&mut old, &first), (&mut new, &second)]
        .map(|(encoder, program)| encoder.write(Epochs::Both, &[insert(program, 9, 9)]).unwrap());
    assert_eq!(theirs, ours);
    assert!(new.write(Epochs::Both, &[insert(&second, 9, 9)]).is_err());
    let elsewhere = encoder(&second, 4).keep(&old, &|unit| unit == 4);
    assert_eq!(row(&elsewhere, &second, 4), None, "another region has nothing");
    assert!(!elsewhere.keeps_of(&insert(&second, 9, 9)));
}

#[test]
fn a_region_that_is_fed_again_gets_what_it_has_not() {
    let first = program(false);
    let mut aside = encoder(&first, 5);
    let writes: Vec<Write> = [1, 2, 3].map(|k| insert(&first, k, k)).into();
    aside.write(Epochs::Both, &writes).unwrap();
    let there = |unit| unit == 5;
    let mut again = encoder(&first, 5).keep(&aside, &there);
    // 1 is as it was, 2 does something else, 3 is gone, 4 is new.
    let wanted = [insert(&first, 1, 1), insert(&first, 2, 7), insert(&first, 4, 4)];
    let steps = again.towards(&wanted, &there);
    let kinds: Vec<&str> = steps
        .iter()
        .map(|write| match write {
            Write::Delete { .. } => "delete",
            Write::Modify(..) => "modify",
            Write::Insert(..) => "insert",
            _ => "other",
        })
        .collect();
    assert_eq!(kinds, ["delete", "modify", "insert"]);
    let before = row(&again, &first, 1);
    again.write(Epochs::Both, &steps).unwrap();
    assert_eq!(row(&again, &first, 1), before, "its counter goes on");
    assert!(row(&again, &first, 3).is_none() && row(&again, &first, 4).is_some());
    assert!(again.towards(&wanted, &there).is_empty());
}

/// Counters come row by row from what ran meanwhile, where entries had got other ids.
#[test]
fn a_region_that_gets_its_state_from_another_has_that_ones_ids() {
    let first = program(false);
    let (mut aside, mut running) = (encoder(&first, 5), encoder(&first, 3));
    for (encoder, keys) in [(&mut aside, [1, 2, 3]), (&mut running, [3, 2, 1])] {
        let writes: Vec<Write> = keys.map(|k| insert(&first, k, k)).into();
        encoder.write(Epochs::Both, &writes).unwrap();
    }
    let there = |unit| unit == 5;
    let mut again = encoder(&first, 5).keep(&aside, &there);
    assert_ne!(row(&again, &first, 1), row(&running, &first, 1));
    let gone: Vec<BusOp> = again.write(Epochs::Both, &again.clone().emptied(&there)).unwrap();
    assert!(!gone.is_empty());
    again.number_like(&running, false, &there);
    let wanted: Vec<Write> = [2, 1, 3].map(|k| insert(&first, k, k)).into();
    again.write(Epochs::Both, &again.clone().filled(&wanted, &there)).unwrap();
    for key in 1..4 {
        assert_eq!(row(&again, &first, key), row(&running, &first, key), "key {key}");
    }
}
