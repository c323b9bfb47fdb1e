//! Verilator's lint on whole build folders: every file of `filelist.f`, every warning an error. The register map for C is
//! compiled as strictly.

#![allow(clippy::unwrap_used)] // a test may

use restage_gen::files;
use restage_gen::hardware::{Hardware, build};
use restage_gen::source::{self, Loaded};
use restage_tests::tools::Design;
use restage_tests::tools::lint::lint;
use std::io::Write;
use std::process::{Command, Stdio};

/// What is in the file list of a program's folder.
fn folder(loaded: &Loaded, hardware: &Hardware) -> Design {
    let made = files::make(loaded, hardware).unwrap();
    let text = |path: &str| {
        let found = made.iter().find(|f| f.path.to_str() == Some(path));
        found.unwrap_or_else(|| panic!("{path} is in the list and not in the folder")).text.clone()
    };
    let list = text("filelist.f");
    assert_eq!(list.lines().count(), list.lines().collect::<std::collections::HashSet<_>>().len());
    let files = list.lines().map(|path| (path.replace('/', "_"), text(path))).collect();
    Design { top: "restage_shell".into(), files }
}

/// What the C compiler says of a header.
fn header_faults(text: &str) -> String {
    let args = ["-x", "c", "-std=c99", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-"];
    let mut cc = Command::new("cc");
    cc.args(args).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut cc = cc.spawn().unwrap();
    cc.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    String::from_utf8(cc.wait_with_output().unwrap().stderr).unwrap()
}

fn header(loaded: &Loaded, hardware: &Hardware) -> String {
    let made = files::make(loaded, hardware).unwrap();
    made.into_iter().find(|f| f.path.ends_with("registers.h")).unwrap().text
}

fn clean(name: &str) {
    let loaded = source::load(name, None).unwrap();
    let hardware = build(&loaded.program).unwrap_or_else(|e| panic!("{name}: {e}"));
    lint(&folder(&loaded, &hardware)).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(header_faults(&header(&loaded, &hardware)), "", "{name}");
}

#[test]
fn all_cards_are_clean() {
    let halves = restage_library::ALL.chunks(restage_library::ALL.len().div_ceil(2));
    std::thread::scope(|scope| {
        for half in halves {
            scope.spawn(|| half.iter().for_each(|item| clean(item.name)));
        }
    });
}

#[test]
fn what_is_in_the_list_is_looked_at() {
    let loaded = source::load("vlan", None).unwrap();
    let mut design = folder(&loaded, &build(&loaded.program).unwrap());
    let (_, text) = design.files.iter_mut().find(|(name, _)| name.contains("vlan_egress")).unwrap();
    *text = text.replace("endmodule", "    wire nothing;\nendmodule");
    assert!(lint(&design).unwrap_err().to_string().contains("nothing"));
    // Two macros of one name with other values are noticed.
    assert_ne!(header_faults("#define A 1u\n#define A 2u\n"), "");
}
