//! Random programs: all are accepted, all survive being written and read, and together they use everything.

#![allow(clippy::unwrap_used)] // a test may

use restage_tests::random::census::Census;
use restage_tests::random::make;
use restage_tests::random::make::PORTS;
use restage_tests::random::trial::trial;
use restage_tests::slow::{Queue, Slow};

#[test]
fn a_hundred_programs_use_everything() {
    let mut census = Census::default();
    for seed in 1..=100 {
        let case = trial(seed, 50).unwrap();
        census.program(&case.program);
        let mut slow = Slow::new(&case.program);
        for write in &case.writes {
            let _ = slow.write(write);
        }
        for packet in &case.packets {
            let out = slow.process(packet.port, &packet.bytes, packet.time_us, Queue::default());
            if out.sent.iter().any(|(port, _)| *port == PORTS[0]) {
                slow.note("sent to the cpu");
            }
        }
        census.fates(slow.tally());
    }
    assert_eq!(census.missing(), Vec::<String>::new(), "{census}");
}

#[test]
fn a_seed_gives_the_same_case() {
    let (first, again) = (trial(7, 20).unwrap(), trial(7, 20).unwrap());
    assert_eq!(first.program, again.program);
    assert_eq!(first.writes, again.writes);
    assert_eq!(first.packets, again.packets);
    assert_ne!(make::program(7), make::program(8));
}
