//! Every program of the oracle is imported, with and without its P4Info.

mod common;

use common::{check_types, files, import, programs};

#[test]
fn all_programs_are_imported() {
    let names = programs();
    assert_eq!(names.len(), 36);
    for name in names {
        let program = import(&name);
        check_types(&program);
        assert!(!program.states.is_empty() && !program.ingress.is_empty(), "{name}");
        if let Err(violations) = program.check() {
            panic!("{name}: {violations:?}");
        }
        let (json, _) = files(&name);
        let program = restage_p4::import(&json, None, &name).unwrap_or_else(|e| panic!("{e}"));
        check_types(&program);
        if let Err(violations) = program.check() {
            panic!("{name} without P4Info: {violations:?}");
        }
    }
}

/// A person who knows the P4 program recognises it.
#[test]
fn an_import_reads_like_its_source() {
    insta::assert_snapshot!(import("source_routing").to_string());
}
