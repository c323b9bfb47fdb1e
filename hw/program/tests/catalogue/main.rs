//! Wrong programs and what the checker says about each.
//!
//! A case changes a thing or two of one valid program ([`base`]). It names the rules that it breaks, and
//! no others may be reported. The texts are snapshots, one file for each group. A rule that no case
//! breaks fails a test, too.

#![allow(clippy::unwrap_used)] // It is all tests.

mod base;
mod data;
mod expr;
mod headers;
mod json;
mod limits;
mod line_rate;
mod mutate;
mod names;
mod parser;
mod state;
mod stmt;
mod tables;

use base::{Base, base};
use restage_program::build::Builder;
use restage_program::check::{Rule, Violation};
use restage_program::prelude::*;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

/// A wrong program.
#[derive(Debug)]
pub struct Case {
    name: &'static str,
    breaks: &'static [Rule],
    change: fn(&mut Builder, &Base),
}

/// Declares the cases of a group.
#[macro_export]
macro_rules! cases {
    ($($name:ident breaks $($rule:ident)+: |$p:ident, $b:ident| $change:expr;)*) => {
        pub const CASES: &[$crate::Case] = &[$($crate::Case {
            name: stringify!($name),
            breaks: &[$(restage_program::check::Rule::$rule),+],
            change: |$p, $b| { let _ = ($b, $change); },
        }),*];
    };
}

const GROUPS: &[(&str, &[Case])] = &[
    ("names", names::CASES),
    ("headers", headers::CASES),
    ("expr", expr::CASES),
    ("stmt", stmt::CASES),
    ("parser", parser::CASES),
    ("tables", tables::CASES),
    ("state", state::CASES),
    ("data", data::CASES),
    ("limits", limits::CASES),
];

/// The text of a source file, by the path that the compiler gives it.
fn read(path: &str) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read_to_string(root.join(path)).ok()
}

fn rules(violations: &[Violation]) -> BTreeSet<Rule> {
    violations.iter().map(|v| v.rule).collect()
}

fn wrong(change: impl FnOnce(&mut Builder, &Base)) -> Program {
    build("base", |p| {
        let b = base(p);
        change(p, &b);
    })
}

#[test]
fn the_base_program_is_right() {
    let checked = wrong(|_, _| {}).check().unwrap();
    assert_eq!(checked.beyond_line_rate(), []);
}

#[test]
fn every_wrong_program_is_reported_with_its_rules_and_no_others() {
    for (group, cases) in GROUPS {
        let mut text = String::new();
        for case in *cases {
            let violations = wrong(case.change).check().expect_err(case.name);
            let want: BTreeSet<Rule> = case.breaks.iter().copied().collect();
            assert_eq!(rules(&violations.0), want, "{}: {violations:?}", case.name);
            writeln!(text, "=== {} ===\n{}", case.name, violations.report(read)).unwrap();
        }
        insta::assert_snapshot!(*group, text);
    }
}

#[test]
fn every_rule_has_a_wrong_program() {
    let broken: BTreeSet<Rule> =
        GROUPS.iter().flat_map(|(_, cases)| *cases).flat_map(|c| c.breaks).copied().collect();
    let by_name = |rule: &Rule| format!("{rule}").starts_with('W');
    let missing: Vec<_> = Rule::ALL.iter().filter(|r| !broken.contains(r) && !by_name(r)).collect();
    assert!(missing.is_empty(), "no wrong program for {missing:?}");
}

#[test]
fn all_violations_are_reported_at_once() {
    let program = wrong(|p, b| {
        p.program_mut().format = 7;
        p.program_mut().headers.get_mut(restage_program::entity::Header(0)).unwrap().name.clear();
        p.ingress(|c| {
            c.set(b.ip.ttl, bits(16, 1));
            c.if_(bits(8, 1), |c| c.set(b.ip.len, b.ip.ttl));
        });
        p.emit(b.eth);
    });
    let violations = program.check().unwrap_err();
    let text: Vec<String> = violations.iter().map(|v| format!("{} {}", v.rule, v.path)).collect();
    insta::assert_snapshot!("all_at_once", text.join("\n"));
}

/// Without sources the place is told by path and line.
#[test]
fn reports_do_without_sources() {
    let violations = wrong(|p, b| p.ingress(|c| c.set(b.ip.ttl, bits(16, 1)))).check().unwrap_err();
    let line = violations.0[0].loc.site().unwrap().line.to_string();
    insta::assert_snapshot!("no_sources", violations.report(|_| None).replace(&line, "LINE"));
}
