//! Configurations of other projects, which are not in the repository.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::PathBuf;

/// Imports every BMv2 configuration below the folder that `RESTAGE_P4_CORPUS` names, and says what
/// became of each. The P4Info beside `x.json` is `x.p4info.txtpb`, if it is there. Nothing may panic,
/// and what is imported must have types that agree.
#[test]
#[ignore = "needs a folder of configurations"]
fn every_configuration_is_imported_or_refused_by_name() {
    let folder = std::env::var("RESTAGE_P4_CORPUS").expect("RESTAGE_P4_CORPUS names a folder");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "json"))
        .collect();
    files.sort();
    let (mut imported, mut refused, mut unsound) = (0, 0, 0);
    for path in files {
        let json = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        let info = std::fs::read_to_string(path.with_extension("p4info.txtpb")).ok();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        match restage_p4::import(&json, info.as_deref(), &name) {
            Ok(program) => {
                imported += 1;
                common::check_types(&program);
                if let Err(violations) = program.check() {
                    unsound += 1;
                    println!("{name}: {violations:?}");
                }
            }
            Err(error) => {
                refused += 1;
                println!("{error}");
                assert!(error.faults.iter().all(|f| !f.place.is_empty() && !f.found.is_empty()));
            }
        }
    }
    println!("{imported} imported, {refused} refused, {unsound} not accepted by the checker");
    assert!(imported > 0);
}
