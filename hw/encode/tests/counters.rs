//! A counter that is counted in several places is their sum, so a host sets it in one.

#![allow(clippy::unwrap_used)] // a test may

use restage_encode::{BusOp, Encoder, Epochs};
use restage_manifest::address::region;
use restage_manifest::cell::{Cell, Cells, CounterShape};
use restage_program::build::build;
use restage_program::entity::Counter;
use restage_program::entry::{CounterValue, Write};
use restage_program::program::Unit;

#[test]
fn banks_add_up() {
    let program = build("banks", |p| {
        p.counter("seen", Unit::Both, 4);
    });
    let shape = CounterShape::of(&program.counters[Counter(0)]);
    let bank = |unit| (Counter(0), Cell { unit, first: 0, shape: shape.clone() });
    let cells = Cells { counters: vec![bank(2), bank(5)], ..Cells::default() };
    let mut encoder = Encoder::new(&program, &cells);
    let units: Vec<u32> = encoder.counters(Counter(0)).iter().map(|rows| rows.unit).collect();
    assert_eq!(units, [2, 5]);
    let write = Write::SetCounter(Counter(0), 3, CounterValue { packets: 7, bytes: 500 });
    let ops = encoder.write(Epochs::Both, &[write]).unwrap();
    let held = |of: u32| -> Vec<u32> {
        let held = ops.iter().filter_map(|op| match op {
            BusOp::Write { unit, word, value } if *unit == of && *word >= region::HOLD => {
                Some(*value)
            }
            _ => None,
        });
        held.collect()
    };
    assert_eq!((held(2), held(5)), (vec![7, 0, 500, 0], vec![0; 4]));
}
