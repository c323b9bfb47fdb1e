//! What must hold of every program of the library, whatever it does.

use restage_library::ALL;
use restage_program::entry::Write;
use restage_program::{Program, entries_text};
use std::collections::HashSet;

#[test]
fn every_program_is_accepted_by_the_checker() {
    for item in ALL {
        if let Err(violations) = item.program().check() {
            panic!("{}: {violations:?}", item.name);
        }
    }
}

#[test]
fn names_are_unique_and_those_of_the_programs() {
    let mut seen = HashSet::new();
    for item in ALL {
        assert!(seen.insert(item.name), "{} is there twice", item.name);
        assert_eq!(item.program().name, item.name);
    }
    assert_eq!(ALL[0].name, "l3_acl", "the default comes first");
    assert!(ALL[1..].is_sorted_by_key(|item| item.name), "the others are in order");
}

#[test]
fn every_program_has_entries_that_fit_it_and_a_comment_on_them() {
    for item in ALL {
        assert!(item.entries.starts_with("# "), "{}: entries without a comment", item.name);
        if let Err(errors) = entries_text::parse(&item.program(), item.entries) {
            panic!("{}: {errors:?}", item.name);
        }
    }
}

#[test]
fn every_table_is_filled_by_the_program_or_its_example_entries() {
    for item in ALL {
        let program = item.program();
        let writes = entries_text::parse(&program, item.entries).unwrap();
        for (id, table) in program.tables.iter() {
            let filled =
                writes.iter().any(|w| matches!(w, Write::Insert(table, _) if *table == id));
            let name = &table.preamble.name;
            assert!(table.const_entries || filled, "{}: nothing in {name}", item.name);
        }
    }
}

#[test]
fn every_program_survives_its_serde_form() {
    for item in ALL {
        // Only the places in the Rust source are lost, which the text does not have either.
        let text = serde_json::to_string(&item.program()).unwrap();
        let read: Program = serde_json::from_str(&text).unwrap();
        assert_eq!(text, serde_json::to_string(&read).unwrap(), "{}", item.name);
    }
}

#[test]
fn every_program_needs_one_access_per_packet_and_array_and_so_can_keep_line_rate() {
    for item in ALL {
        let beyond = item.program().check().unwrap().beyond_line_rate();
        assert!(beyond.is_empty(), "{}: {beyond:?}", item.name);
    }
}
