//! Texts that are no programs.

use crate::wrong;
use restage_program::prelude::*;

fn base() -> String {
    wrong(|_, _| {}).to_json()
}

/// The base program as JSON with one thing replaced.
fn with(old: &str, new: &str) -> String {
    let text = base();
    assert!(text.contains(old), "{old} is not in the text");
    text.replacen(old, new, 1)
}

#[test]
fn what_is_written_is_read_back() {
    let program = wrong(|_, _| {});
    let text = program.to_json();
    let read = Program::from_json(&text).unwrap();
    assert_eq!(read, program);
    assert_eq!(read.to_json(), text);
}

#[test]
fn what_differs_is_named() {
    let cases = [
        ("not JSON", "{ \"format\": 1, ".into()),
        ("not a program", "[1, 2]".into()),
        ("no format", "{}".into()),
        ("another format", with("\"format\": 1", "\"format\": 2")),
        ("a format of another type", with("\"format\": 1", "\"format\": \"new\"")),
        ("something behind it", base() + "{}"),
        ("an unknown field", with("\"start\": 0", "\"start\": 0, \"begin\": 1")),
        (
            "an unknown field of a table",
            with("\"const_default\": true", "\"const_default\": true, \"prority\": 3"),
        ),
        (
            "an unknown field of a field",
            with("\"name\": \"ttl\"", "\"name\": \"ttl\", \"signed\": true"),
        ),
        (
            "an unknown field of a name",
            with("\"name\": \"route\"", "\"name\": \"route\", \"alias\": \"r\""),
        ),
        ("a missing field", with("\"const_default\": true,", "")),
        ("a field twice", with("\"start\": 0", "\"start\": 0, \"start\": 1")),
        ("a word for a number", with("\"size\": 64", "\"size\": \"many\"")),
        ("a number that is too large", with("\"size\": 64", "\"size\": 5000000000")),
        ("an unknown match kind", with("\"kind\": \"lpm\"", "\"kind\": \"longest\"")),
        ("an unknown statement", with("\"mark_to_drop\"", "\"drop\"")),
        ("a type without a width", with("\"bit\": 48", "\"bit\": null")),
        ("a constant without a width", with("\"9w0x5\"", "\"5\"")),
        ("a constant that does not fit", with("\"9w0x5\"", "\"9w0x500\"")),
        ("too deep", "[".repeat(100_000)),
    ];
    let mut text = String::new();
    for (name, json) in cases {
        let error = Program::from_json(&json).expect_err(name);
        text += &format!("{name}\n    {}\n", error.to_string().replace('\n', "\n    "));
    }
    insta::assert_snapshot!(text);
}
