//! A bounded run of what `fuzz/` runs without bounds: a fixed corpus and mutations of it.

#![allow(clippy::unwrap_used)] // a test may

use restage_tests::oracle::case::{Case, directory};
use restage_tests::random::{Rng, make};
use restage_tests::robust;

/// Calls `target` with every text and with mutations of each.
fn run(corpus: &[Vec<u8>], mutations: u32, target: fn(&[u8])) {
    let mut rng = Rng::new(4);
    for text in corpus {
        target(text);
        for _ in 0..mutations {
            let mut text = text.clone();
            robust::mutate(&mut text, &mut rng);
            target(&text);
        }
    }
}

fn oracle(name: &str) -> Case {
    Case::load(&directory(), name).unwrap()
}

#[test]
fn packets() {
    let mut corpus: Vec<Vec<u8>> = Vec::new();
    for (i, name) in robust::PROGRAMS.iter().enumerate() {
        let case = oracle(name);
        let frames = case.trace.inputs.values().take(40);
        corpus.extend(frames.map(|f| [&[i as u8], f.bytes.as_slice()].concat()));
    }
    assert_eq!(corpus.len(), 200);
    run(&corpus, 200, robust::packet);
}

#[test]
fn bmv2_configurations() {
    let corpus = ["l2_switch", "varbit_options", "ecmp"].map(|n| oracle(n).json.into_bytes());
    run(&corpus, 500, robust::bmv2_json);
}

#[test]
fn entries() {
    let corpus = [oracle("l3_acl").entries.into_bytes()];
    run(&corpus, 8000, robust::entries);
}

#[test]
fn programs() {
    let corpus: Vec<Vec<u8>> =
        (0..4).map(|seed| make::program(seed).to_json().into_bytes()).collect();
    run(&corpus, 400, robust::program_json);
}

/// The targets do reach what they are for.
#[test]
fn the_corpus_is_accepted() {
    for name in robust::PROGRAMS {
        assert!(robust::loaded(name).is_some(), "{name}");
    }
    let json = oracle("l2_switch").json;
    assert!(restage_p4::import(&json, None, "fuzz").unwrap().check().is_ok());
}
