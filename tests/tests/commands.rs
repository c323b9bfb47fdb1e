//! `oracle` as people call it.

#![allow(clippy::unwrap_used)] // a test may

use std::process::{Command, Output};

fn oracle(args: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_oracle")).args(args).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn one_program_is_run() {
    let (code, out, err) = oracle(&["--program", "mpls", "--imported-only"]);
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains("mpls               imported  40 ok"), "{out}");
    let (code, out, _) = oracle(&["--program", "mpls", "--stf", "3", "--json"]);
    assert_eq!(code, Some(0));
    let outcomes: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(outcomes[0]["stf"]["passed"], 1);
    assert_eq!(outcomes.as_array().unwrap().len(), 2);
}

/// A program that the library does not have fails, and data that is wrong does.
#[test]
fn a_difference_ends_with_1() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("oracle");
    let _ = std::fs::remove_dir_all(&folder);
    let case = folder.join("nobody");
    for part in ["stf", "trace"] {
        std::fs::create_dir_all(case.join(part)).unwrap();
    }
    let mpls = restage_tests::oracle::case::directory().join("mpls");
    for (from, to) in [
        ("mpls.json", "nobody.json"),
        ("mpls.p4info.txtpb", "nobody.p4info.txtpb"),
        ("entries.txt", "entries.txt"),
        ("stf/mpls_1.stf", "stf/nobody_1.stf"),
    ] {
        std::fs::copy(mpls.join(from), case.join(to)).unwrap();
    }
    let data = folder.to_str().unwrap();
    let (code, out, _) = oracle(&["--data", data]);
    assert_eq!(code, Some(1));
    assert!(out.contains("MISSING"), "{out}");
    assert_eq!(oracle(&["--data", data, "--imported-only"]).0, Some(0));
    std::fs::write(case.join("stf/nobody_1.stf"), "packet 0 00\nexpect 1 00$\n").unwrap();
    let (code, out, _) = oracle(&["--data", data, "--imported-only", "--verbose"]);
    assert_eq!(code, Some(1));
    assert!(out.contains("1 packets are expected") && out.contains("PacketTooShort"), "{out}");
}

#[test]
fn wrong_arguments_end_with_2() {
    for (args, part) in [
        (vec!["--program", "nix"], "no program `nix`"),
        (vec!["--stf", "1"], "needs one --program"),
        (vec!["--program", "mpls", "--stf", "99"], "no test 99"),
        (vec!["--data", "/nowhere"], "/nowhere"),
        (vec!["--nonsense"], "unexpected argument"),
    ] {
        let (code, _, err) = oracle(&args);
        assert_eq!(code, Some(2), "{args:?}");
        assert!(err.contains(part), "{args:?}: {err}");
    }
}
