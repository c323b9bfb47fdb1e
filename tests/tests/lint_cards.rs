//! Verilator's lint on whole build folders: every file of `filelist.f`, every warning an error.

#![allow(clippy::unwrap_used)] // a test may

use restage_gen::files;
use restage_gen::hardware::{Hardware, HardwareError, build};
use restage_gen::source::{self, Loaded};
use restage_tests::tools::Design;
use restage_tests::tools::lint::lint;

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

fn clean(name: &str) {
    let loaded = source::load(name, None).unwrap();
    match build(&loaded.program) {
        Ok(hardware) => lint(&folder(&loaded, &hardware)).unwrap_or_else(|e| panic!("{name}: {e}")),
        Err(HardwareError::Refused(why)) => {
            println!("{name} cannot be hardware: {}", why[0]);
        }
        Err(e) => panic!("{name}: {e}"),
    }
}

#[test]
fn cards_are_clean() {
    for name in ["l3_acl", "mirror", "varbit_options", "digest_learn"] {
        clean(name);
    }
}

#[test]
#[ignore = "takes minutes"]
fn all_cards_are_clean() {
    restage_library::ALL.iter().for_each(|item| clean(item.name));
}

#[test]
fn what_is_in_the_list_is_looked_at() {
    let loaded = source::load("vlan", None).unwrap();
    let mut design = folder(&loaded, &build(&loaded.program).unwrap());
    let (_, text) = design.files.iter_mut().find(|(name, _)| name.contains("vlan_egress")).unwrap();
    *text = text.replace("endmodule", "    wire nothing;\nendmodule");
    assert!(lint(&design).unwrap_err().to_string().contains("nothing"));
}
