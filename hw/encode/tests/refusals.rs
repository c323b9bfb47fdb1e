//! What the encoder refuses, in which words, and that nothing remains of it.

#![allow(clippy::unwrap_used)] // a test may

use restage_encode::{Encoder, Epochs};
use restage_manifest::cell::{Cell, Cells, TableShape};
use restage_program::build::build;
use restage_program::entity::{Crc, Table};
use restage_program::entry::{CrcParams, Entry, EntryTarget, KeyMatch, Write};
use restage_program::prelude::*;
use restage_program::program::ActionCall;
use restage_program::{Bits, Program};

metadata! { struct Meta { key: bit<12> } }

fn program(size: u32) -> (Program, Encoder) {
    let program = build("refusals", |p| {
        let (m, s) = (p.metadata::<Meta>(), p.standard());
        let to = p.action("to", [("port", bit(9))], |c, [port]| c.set(s.egress_spec, port));
        let drop = p.action("drop", [], |c, []| c.mark_to_drop());
        let table = p.table("lookup", |t| {
            t.exact(m.key).actions([to, drop]).default(drop, []).size(size);
        });
        p.ingress(|c| {
            c.apply(table);
        });
    });
    let shape = TableShape::of(&program, Table(0), 0).unwrap();
    let cells =
        Cells { tables: vec![(Table(0), Cell { unit: 2, first: 0, shape })], ..Cells::default() };
    let mut encoder = Encoder::new(&program, &cells);
    encoder.initial(&[]).unwrap();
    (program, encoder)
}

fn insert(program: &Program, key: u32) -> Write {
    let action = program.tables[Table(0)].actions[0].action;
    let call = ActionCall { action, args: vec![Bits::new(9, key.into())] };
    let keys = vec![KeyMatch::Exact(Bits::new(12, key.into()))];
    let target = EntryTarget::Action(call);
    Write::Insert(Table(0), Entry { keys, priority: 0, target, idle_timeout_us: 0 })
}

fn delete(key: u32) -> Write {
    let keys = vec![KeyMatch::Exact(Bits::new(12, key.into()))];
    Write::Delete { table: Table(0), keys, priority: 0 }
}

#[test]
fn a_full_table_says_so() {
    let (program, mut encoder) = program(20);
    let writes: Vec<Write> = (0..20).map(|k| insert(&program, k)).collect();
    encoder.write(Epochs::Both, &writes).unwrap();
    let error = encoder.write(Epochs::Both, &[insert(&program, 99)]).unwrap_err();
    assert!(
        error.to_string().contains("lookup") && error.to_string().contains("20 entries"),
        "{error}"
    );
    let error = encoder.write(Epochs::Both, &[insert(&program, 7)]).unwrap_err();
    assert!(error.to_string().contains("exists already"), "{error}");
    let error = encoder.write(Epochs::Both, &[delete(99)]).unwrap_err();
    assert!(error.to_string().contains("does not exist"), "{error}");
}

/// A program may declare a table that it never applies: no region has it, and no word says its entries.
#[test]
fn a_table_in_no_region_takes_entries_as_any_other() {
    let (program, _) = program(20);
    let mut encoder = Encoder::new(&program, &Cells::default());
    assert_eq!(encoder.initial(&[]).unwrap(), []);
    let writes: Vec<Write> = (0..20).map(|k| insert(&program, k)).collect();
    assert_eq!(encoder.write(Epochs::Both, &writes).unwrap(), []);
    let error = encoder.write(Epochs::Both, &[insert(&program, 7)]).unwrap_err();
    assert!(error.to_string().contains("exists already"), "{error}");
    assert_eq!(encoder.write(Epochs::Both, &[delete(7)]).unwrap(), []);
}

/// A full table has room for some other entries under the next epoch, not for as many again.
#[test]
fn both_epochs_together_have_a_limit() {
    let (program, mut encoder) = program(20);
    let writes: Vec<Write> = (0..20).map(|k| insert(&program, k)).collect();
    encoder.write(Epochs::Both, &writes).unwrap();
    let swap = |n: u32| -> Vec<Write> {
        (0..n).flat_map(|k| [delete(k), insert(&program, 100 + k)]).collect()
    };
    let error = encoder.write(Epochs::One(true), &swap(3)).unwrap_err();
    assert!(error.to_string().contains("22 entries in both epochs"), "{error}");
    assert_eq!(error.index, 5);
    encoder.write(Epochs::One(true), &swap(2)).unwrap();
    // Repeated under the other epoch it frees what it took.
    encoder.write(Epochs::One(false), &swap(2)).unwrap();
    encoder.write(Epochs::One(true), &[delete(5), insert(&program, 200)]).unwrap();
}

#[test]
fn nothing_remains_of_a_refused_batch() {
    let (program, mut encoder) = program(30);
    let mut other = encoder.clone();
    let batch = [insert(&program, 1), insert(&program, 2), delete(3)];
    assert_eq!(encoder.write(Epochs::Both, &batch).unwrap_err().index, 2);
    let good = [insert(&program, 2), insert(&program, 4), delete(2)];
    let (a, b) = (encoder.write(Epochs::Both, &good), other.write(Epochs::Both, &good));
    assert_eq!(a.unwrap(), b.unwrap());
}

#[test]
fn a_crc_has_the_usual_parameters_in_circuits() {
    let program = build("crcs", |p| {
        p.crc16("sum");
    });
    let mut encoder = Encoder::new(&program, &Cells::default());
    let set = |params| [Write::SetCrc(Crc(0), params)];
    let usual = CrcParams::standard(16);
    assert_eq!(encoder.write(Epochs::Both, &set(usual)).unwrap(), []);
    let other = CrcParams { polynomial: 0x1021, ..usual };
    let text = encoder.write(Epochs::Both, &set(other)).unwrap_err().to_string();
    assert!(text.contains("custom CRC `sum`") && text.contains("usual CRC-16"), "{text}");
}
