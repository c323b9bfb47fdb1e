//! The invariants of ARCHITECTURE.md.

#![allow(clippy::unwrap_used)] // a test may

use cargo_metadata::{DependencyKind, MetadataCommand};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Package, folder, rank, and what it may depend on. Tests and benches of a package may also use those
/// of its own rank.
const PACKAGES: &[(&str, &str, u8, &[&str])] = &[
    ("restage-program", "hw/program", 0, &[]),
    ("restage-golden", "hw/golden", 1, &["restage-program"]),
    ("restage-p4", "hw/p4", 1, &["restage-program"]),
    ("restage-library", "hw/library", 1, &["restage-program"]),
    ("restage-manifest", "hw/manifest", 1, &["restage-program"]),
    ("restage-image", "hw/image", 2, &["restage-manifest"]),
    ("restage-encode", "hw/encode", 2, &["restage-program", "restage-manifest"]),
    ("restage-compile", "hw/compile", 2, &["restage-program", "restage-manifest"]),
    ("restage-rtl", "hw/rtl", 3, &["restage-program", "restage-manifest", "restage-compile"]),
    (
        "restage-sim-verilator",
        "sim-verilator",
        3,
        &["restage-program", "restage-manifest", "restage-image"],
    ),
    (
        "restage-gen",
        "gen",
        4,
        &[
            "restage-program",
            "restage-golden",
            "restage-p4",
            "restage-library",
            "restage-manifest",
            "restage-compile",
            "restage-encode",
            "restage-image",
            "restage-rtl",
        ],
    ),
    (
        "restage-tests",
        "tests",
        5,
        &[
            "restage-program",
            "restage-golden",
            "restage-p4",
            "restage-library",
            "restage-manifest",
            "restage-compile",
            "restage-encode",
            "restage-image",
            "restage-rtl",
            "restage-sim-verilator",
            "restage-gen",
        ],
    ),
];

#[test]
fn dependencies_follow_the_arrows() {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_string()])
        .exec()
        .unwrap();
    let rank: BTreeMap<&str, u8> = PACKAGES.iter().map(|p| (p.0, p.2)).collect();
    let mut seen = BTreeSet::new();
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        let known = PACKAGES.iter().find(|p| p.0 == name);
        let (_, folder, own, allowed) =
            known.unwrap_or_else(|| panic!("{name} is in neither ARCHITECTURE.md nor this test"));
        assert_eq!(package.manifest_path, root().join(folder).join("Cargo.toml"), "{name}");
        seen.insert(name.to_string());
        for dependency in package.dependencies.iter().filter(|d| rank.contains_key(d.name.as_str()))
        {
            let to = dependency.name.as_str();
            let fine = allowed.contains(&to)
                || dependency.kind == DependencyKind::Development && rank[to] <= *own;
            assert!(fine, "{name} must not depend on {to}");
        }
        if folder.starts_with("hw/") {
            for dependency in &package.dependencies {
                let asynchronous = ["tokio", "futures", "async-std", "smol"];
                assert!(!asynchronous.contains(&dependency.name.as_str()), "{name} knows async");
            }
        }
    }
    assert_eq!(seen.len(), PACKAGES.len(), "a package is gone: {seen:?}");
}

#[test]
fn every_package_is_described() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for (name, folder, ..) in PACKAGES {
        let row = format!("| `{folder}/` | `{name}` |");
        assert!(text.contains(&row), "ARCHITECTURE.md has no row {row}");
    }
}

/// What would be I/O, or depend on the machine or the moment.
const FORBIDDEN: &[&str] = &[
    "std::fs",
    "std::net",
    "std::process",
    "std::env",
    "std::thread",
    "std::time",
    "std::io",
    "println!",
    "print!",
    "eprintln!",
    "eprint!",
    "dbg!",
    "async fn",
    "async move",
    ".await",
];

#[test]
fn nothing_under_hw_does_io() {
    let mut files = Vec::new();
    for folder in fs::read_dir(root().join("hw")).unwrap() {
        walk(&folder.unwrap().path().join("src"), &mut files);
    }
    assert!(files.len() > 30, "the sources were not found: {files:?}");
    for file in files.iter().filter(|f| !f.ends_with("tests.rs")) {
        let text = fs::read_to_string(file).unwrap();
        // Unit tests stand at the end of a file.
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        for (number, line) in (1..).zip(code.lines()) {
            let line = line.split("//").next().unwrap_or_default();
            for word in FORBIDDEN {
                // `println!` ends with `print!`-like words of others, so whole words are looked for.
                let found = line.match_indices(word).any(|(at, _)| {
                    !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_')
                });
                assert!(!found, "{}:{number}: {word}", file.display());
            }
        }
    }
}

/// The place where the first plan lay is none of the project's.
#[test]
fn no_file_refers_to_what_is_outside() {
    let outside = concat!("../", "shared");
    let mut files = Vec::new();
    walk(&root(), &mut files);
    assert!(files.len() > 1000, "the files were not found");
    for file in files {
        let bytes = fs::read(&file).unwrap();
        let found = bytes.windows(outside.len()).any(|w| w == outside.as_bytes());
        assert!(!found, "{} refers to {outside}", file.display());
    }
}

/// All files below a folder that are not made by building.
fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        if path.is_dir() {
            if !["target", "build", ".git"].contains(&name) || path.ends_with("src/build") {
                walk(&path, files);
            }
        } else {
            files.push(path);
        }
    }
}
