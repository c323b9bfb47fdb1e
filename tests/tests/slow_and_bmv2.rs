//! The slow evaluator against BMv2's recorded traces: what a comparison with it is worth.

#![allow(clippy::unwrap_used)] // a test may

use restage_tests::oracle::case::{Case, Frame, directory, names};
use restage_tests::oracle::compare::{Verdict, frames};
use restage_tests::oracle::subject::imported;
use restage_tests::slow::{Queue, Slow};

#[test]
fn the_slow_evaluator_does_what_bmv2_did() {
    let mut compared = 0;
    for name in names(&directory()).unwrap() {
        let case = Case::load(&directory(), &name).unwrap();
        let program = imported(&case).unwrap().check().unwrap();
        let mut slow = Slow::new(&program);
        for write in restage_program::entries_text::parse(&program, &case.entries).unwrap() {
            slow.write(&write).unwrap_or_else(|e| panic!("{name}: {e}, in {write:?}"));
        }
        for (number, frame) in &case.trace.inputs {
            let time = u64::from(*number) * 1000;
            let out = slow.process(frame.port, &frame.bytes, time, Queue::default());
            let have: Vec<Frame> =
                out.sent.into_iter().map(|(port, bytes)| Frame { port, bytes }).collect();
            let want = case.trace.outputs.get(number).cloned().unwrap_or_default();
            if let Verdict::Different(what) = frames(&want, &have) {
                panic!("{name}, packet {number}: {what}");
            }
            compared += 1;
        }
    }
    assert_eq!(compared, 19528);
}
