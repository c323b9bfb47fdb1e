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

/// A hash of its own that can be set has the name by which BMv2's control plane sets it; a selector's
/// cannot be set there.
#[test]
fn custom_crcs_have_the_names_of_calculations() {
    let (json, info) = files("vxlan_gateway");
    let custom = json.replace(r#""algo": "crc16""#, r#""algo": "crc16_custom""#);
    assert_ne!(custom, json);
    let program = restage_p4::import(&custom, Some(&info), "custom").unwrap();
    let crcs: Vec<(&str, u32)> = program.crcs.values().map(|c| (&c.name[..], c.width)).collect();
    assert_eq!(crcs, [("calc", 16)]);
    program.check().unwrap();
    let (json, info) = files("ecmp");
    let custom = json.replace(r#""algo": "crc16""#, r#""algo": "crc16_custom""#);
    assert_ne!(custom, json);
    let program = restage_p4::import(&custom, Some(&info), "custom").unwrap();
    assert!(program.crcs.is_empty());
}
