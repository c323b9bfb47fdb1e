//! Every program of the oracle and of the library can run at one packet per clock; what random programs are left with at that
//! rate is everything that programs can say.

#![allow(clippy::unwrap_used)]

use restage_program::Program;
use restage_tests::hardware::random;
use restage_tests::random::census::Census;
use restage_tests::random::compare::compare;
use std::path::Path;

fn findings(name: &str, program: Program) -> String {
    let checked = program.check().unwrap_or_else(|v| panic!("{name}: {v:?}"));
    let lines = checked.beyond_line_rate().into_iter().map(|v| {
        let before = v.related.first().map_or("?", |r| r.path.as_str());
        format!("{name}: {} {} at {}, before at {before}\n", v.rule, v.found, v.path)
    });
    lines.collect()
}

#[test]
fn programs_of_the_oracle_and_of_the_library() {
    let oracle = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle");
    let (mut beyond, mut imported) = (String::new(), 0);
    for item in restage_library::ALL {
        let name = item.name;
        beyond += &findings(name, item.program());
        let read =
            |ext: &str| std::fs::read_to_string(oracle.join(name).join(format!("{name}.{ext}")));
        let (Ok(json), Ok(info)) = (read("json"), read("p4info.txtpb")) else { continue };
        beyond += &findings(name, restage_p4::import(&json, Some(&info), name).unwrap());
        imported += 1;
    }
    assert_eq!(beyond, "");
    assert_eq!(imported, 36);
}

/// What `regress --random 100` asks of hardware, but for what no shell holds.
#[test]
fn nothing_is_missing_in_a_hundred_random_programs() {
    let mut census = Census::default();
    for seed in 7_000_001..=7_000_100 {
        let Some(case) = random::case(seed, 40).unwrap() else { continue };
        census.program(&case.program);
        census.fates(&compare(&case).unwrap().tally);
    }
    assert!(census.missing().is_empty(), "{:?}", census.missing());
}
