//! `regress` as people call it.

#![allow(clippy::unwrap_used)] // a test may

use restage_tests::hardware::random;
use std::process::{Command, Output};

fn regress(args: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_regress")).args(args).output().unwrap();
    let out = String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap();
    (status.code(), out)
}

/// Circuits that add where they should subtract: the seed is said, a smaller program, and in words the first packet
/// that differs.
#[test]
fn a_planted_fault_is_told() {
    let (seed, packets) = (7001, 30);
    let whole = random::case(seed, packets).unwrap().unwrap();
    let (seed, packets) = (seed.to_string(), packets.to_string());
    let common = ["--random", "1", "--seed", &seed, "--packets", &packets, "--shrink", "40"];
    let (code, out) = regress(&[&common[..], &["--plant", " - = + "]].concat());
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("again: regress --random 1 --seed 7001 --packets 30"), "{out}");
    let (_, small) = out.split_once("smaller, as P4:").unwrap();
    let (text, rest) = small.split_once(") main;").unwrap();
    let sent = rest.lines().filter_map(|line| line.strip_prefix("packet on port"));
    let after = text.len() + sent.map(str::len).sum::<usize>();
    let bytes: usize = whole.packets.iter().map(|packet| 2 * packet.bytes.len()).sum();
    let before = whole.program.to_string().len() + bytes;
    assert!(10 * after < 9 * before, "{after} of {before} characters are left");
    for words in ["what the model did", "  model: ", "  hardware: ", "1 failed"] {
        assert!(rest.contains(words), "{words}: {rest}");
    }
}

#[test]
fn what_is_planted_has_two_texts() {
    let (code, out) = regress(&["--random", "1", "--plant", "nothing"]);
    assert_eq!(code, Some(2));
    assert!(out.contains("what is replaced, `=`, and what stands there instead"), "{out}");
}
