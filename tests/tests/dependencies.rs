//! Licences and sources of dependencies, against `deny.toml`, for machines without cargo-deny.

#![allow(clippy::unwrap_used)] // a test may

use cargo_metadata::MetadataCommand;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn allowed() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let text = fs::read_to_string(root.join("deny.toml")).unwrap();
    let list = text.split("allow = [").nth(1).and_then(|t| t.split(']').next()).unwrap();
    list.lines()
        .filter_map(|l| l.trim().strip_prefix('"')?.split('"').next())
        .map(String::from)
        .collect()
}

/// Parts of an SPDX expression between a word outside of parentheses.
fn parts<'t>(text: &'t str, word: &str) -> Vec<&'t str> {
    let (mut depth, mut start, mut out) = (0, 0, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ if depth == 0 && at >= start && text[at..].starts_with(word) => {
                out.push(&text[start..at]);
                start = at + word.len();
            }
            _ => {}
        }
    }
    out.push(&text[start..]);
    out
}

fn accepts(allowed: &BTreeSet<String>, expression: &str) -> bool {
    let expression = expression.trim();
    let either = |word: &str| parts(expression, word).len() > 1;
    if either(" OR ") {
        parts(expression, " OR ").iter().any(|p| accepts(allowed, p))
    } else if either(" AND ") {
        parts(expression, " AND ").iter().all(|p| accepts(allowed, p))
    } else if either("/") {
        // As some crates wrote it before SPDX expressions.
        parts(expression, "/").iter().any(|p| accepts(allowed, p))
    } else if let Some(inner) = expression.strip_prefix('(').and_then(|e| e.strip_suffix(')')) {
        accepts(allowed, inner)
    } else {
        allowed.contains(expression)
    }
}

#[test]
fn licences_and_sources_are_allowed() {
    let allowed = allowed();
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    // What other systems need is not downloaded here.
    let platform = format!("--filter-platform={}-unknown-linux-gnu", std::env::consts::ARCH);
    let metadata = MetadataCommand::new()
        .manifest_path(manifest)
        .other_options(["--offline".to_string(), "--locked".to_string(), platform])
        .exec()
        .unwrap();
    assert!(metadata.packages.len() > 50);
    for package in &metadata.packages {
        let licence = package.license.as_deref().unwrap_or("none");
        assert!(accepts(&allowed, licence), "{} {}: {licence}", package.name, package.version);
        if let Some(source) = &package.source {
            assert!(source.is_crates_io(), "{}: {source}", package.name);
        }
    }
}

#[test]
fn expressions_are_understood() {
    let allowed = ["MIT", "Zlib"].map(String::from).into();
    for (expression, want) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("MIT OR GPL-3.0", true),
        ("MIT AND GPL-3.0", false),
        ("(GPL-3.0 OR MIT) AND Zlib", true),
        ("GPL-3.0/MIT", true),
        ("GPL-3.0 OR (MIT AND Apache-2.0)", false),
    ] {
        assert_eq!(accepts(&allowed, expression), want, "{expression}");
    }
}
