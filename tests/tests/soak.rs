//! Random lives, and what the programs of a soak must be like.

#![allow(clippy::unwrap_used)] // a test may

use restage_compile::change::{Running, Wishes, plan};
use restage_gen::hardware::{Hardware, Target, build_with};
use restage_tests::soak::life::{Life, Options};
use restage_tests::soak::pool::{FUNCTIONS, Versions, program};
use std::collections::BTreeMap;

fn hardware(versions: &Versions, old: Option<&Hardware>) -> Hardware {
    let Options { config, .. } = Options::default();
    let old = old.map(|h| (&h.placement, &h.manifest));
    let target =
        Target { like: Some(&config), regions: Some(config.regions), old, ..Target::default() };
    build_with(&program(versions, 1).check().unwrap(), &target).unwrap_or_else(|e| panic!("{e}"))
}

/// What is taken away needs no image, whatever is in front of it or behind: all others are the same circuits. The first
/// stage of a half also has what is done there without any cell.
#[test]
fn taking_a_function_away_loads_nothing() {
    let all = Versions { parser: 1, functions: [Some(1); FUNCTIONS], deparser: 0 };
    let full = hardware(&all, None);
    let spare = BTreeMap::new();
    for function in [1, 2, 4] {
        let mut some = all.clone();
        some.functions[function] = None;
        let less = hardware(&some, Some(&full));
        let running = Running { manifest: &full.manifest, spare: &spare };
        let plan = plan(running, &less.manifest, Wishes::default()).unwrap();
        assert!(plan.loaded.is_empty(), "function {function}: {:?} loaded", plan.loaded);
        assert_eq!(plan.leaves.len(), 1);
        assert!(plan.adoption.carried.is_empty());
    }
}

/// Whether a life goes wrong within so many changes.
fn lives(seed: u64, changes: usize, shorter: u32) -> Result<(), String> {
    let mut life = Life::new(Options { seed, ..Options::default() }).unwrap();
    life.shorten_bubbles(shorter);
    for _ in 0..changes {
        life.step().map_err(|e| e.to_string())?;
    }
    life.check().map_err(|e| e.to_string())
}

/// Everything that can happen to a card, and every packet and every row as the model says.
#[test]
fn a_life() {
    lives(20, 30, 0).unwrap();
}

/// One clock less between two programs, and a packet or a row is wrong, or the monitor counts.
#[test]
fn a_bubble_that_is_a_clock_short_is_noticed() {
    let error = lives(20, 30, 1).unwrap_err();
    println!("{error}");
}
