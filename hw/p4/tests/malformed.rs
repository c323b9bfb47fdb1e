//! Broken inputs: nothing panics, and every fault says where, what and what else.

#![allow(clippy::unwrap_used)]

mod common;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use restage_p4::import;
use serde_json::{Value, json};

/// What a value is replaced by.
fn replacements() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(""),
        json!("no such name"),
        json!("0xzz"),
        json!(0),
        json!(-1),
        json!(7),
        json!(4294967295u64),
        json!(1e300),
        json!([]),
        json!([null]),
        json!({}),
        json!({"op": "?", "type": "expression", "value": null}),
    ]
}

/// Paths of everything in a value, as JSON pointers.
fn pointers(value: &Value, at: &str, out: &mut Vec<String>) {
    out.push(at.to_string());
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, v)| pointers(v, &format!("{at}/{i}"), out));
        }
        Value::Object(map) => map.iter().for_each(|(k, v)| {
            let key = k.replace('~', "~0").replace('/', "~1");
            pointers(v, &format!("{at}/{key}"), out);
        }),
        _ => {}
    }
}

/// Removes what a pointer names; the whole stays.
fn remove(value: &mut Value, pointer: &str) {
    let Some((parent, key)) = pointer.rsplit_once('/') else { return };
    match value.pointer_mut(parent) {
        Some(Value::Object(map)) => drop(map.remove(&key.replace("~1", "/").replace("~0", "~"))),
        Some(Value::Array(items)) => drop(items.remove(key.parse::<usize>().unwrap())),
        _ => {}
    }
}

fn try_import(json: &str, info: Option<&str>) -> bool {
    match import(json, info, "broken") {
        Ok(program) => {
            let _ = program.check();
            true
        }
        Err(error) => {
            assert!(!error.faults.is_empty());
            for fault in &error.faults {
                assert!(
                    !fault.place.is_empty() && !fault.found.is_empty() && !fault.accepts.is_empty(),
                    "{fault:?}"
                );
            }
            false
        }
    }
}

#[test]
fn replaced_and_missing_values() {
    let replacements = replacements();
    let (mut accepted, mut refused) = (0, 0);
    for (n, name) in common::programs().iter().enumerate() {
        let (json, info) = common::files(name);
        let whole: Value = serde_json::from_str(&json).unwrap();
        let mut all = Vec::new();
        pointers(&whole, "", &mut all);
        for seed in 0..25 {
            let mut rng = SmallRng::seed_from_u64(1000 * n as u64 + seed);
            let mut broken = whole.clone();
            let pointer = &all[rng.random_range(0..all.len())];
            let at = rng.random_range(0..=replacements.len());
            match replacements.get(at) {
                Some(value) => *broken.pointer_mut(pointer).unwrap() = value.clone(),
                None => remove(&mut broken, pointer),
            }
            if try_import(&broken.to_string(), Some(&info)) { accepted += 1 } else { refused += 1 }
        }
    }
    // Positions and unused names may be anything; most else may not.
    assert!(accepted > 80 && refused > 200, "{accepted} accepted, {refused} refused");
}

/// Every value of a small program, with a replacement that goes round.
#[test]
fn every_value_of_one_program() {
    let (json, info) = common::files("varbit_options");
    let whole: Value = serde_json::from_str(&json).unwrap();
    let mut all = Vec::new();
    pointers(&whole, "", &mut all);
    all.retain(|p| !p.contains("source_info"));
    let replacements = replacements();
    for (i, pointer) in all.iter().enumerate() {
        let mut broken = whole.clone();
        *broken.pointer_mut(pointer).unwrap() = replacements[i % replacements.len()].clone();
        try_import(&broken.to_string(), Some(&info));
    }
    assert!(all.len() > 1000);
}

#[test]
fn truncated_and_garbled_texts() {
    let (json, info) = common::files("int_md");
    for end in (0..json.len()).step_by(911) {
        assert!(!try_import(&json[..end], None));
    }
    for end in (0..info.len()).step_by(61) {
        try_import(&json, Some(&info[..end]));
    }
    let mut rng = SmallRng::seed_from_u64(7);
    for _ in 0..200 {
        let mut bytes = info.clone().into_bytes();
        for _ in 0..3 {
            let at = rng.random_range(0..bytes.len());
            bytes[at] = rng.random_range(0x20..0x7f);
        }
        try_import(&json, Some(&String::from_utf8(bytes).unwrap()));
    }
}

#[test]
fn nesting_without_end() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        assert!(!try_import(&deep, None));
    }
}
