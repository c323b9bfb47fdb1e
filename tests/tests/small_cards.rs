//! Small programs as cards against the model: each is what is left of a random program that once differed.

#![allow(clippy::unwrap_used)] // a test may

use restage_gen::hardware;
use restage_program::entry::{CloneTarget, Replica, Write};
use restage_program::prelude::*;
use restage_sim_verilator::BenchOptions;
use restage_tests::hardware::Packet;
use restage_tests::hardware::regress::{Job, Report, regress_on};

/// The clone session and the port of its copies.
const SESSION: u32 = 1;
const TO: u16 = 3;

/// A program with a clone session and some packets of these bytes, as a card and in the model; what was looked at.
fn agrees(program: Program, packets: &[&[u8]]) -> Report {
    let program = program.check().unwrap();
    let replicas = CloneTarget::Replicas(vec![Replica { port: TO, rid: 0 }]);
    let writes = [Write::SetClone { session: SESSION, target: Some((replicas, None)) }];
    let packets: Vec<Packet> =
        packets.iter().map(|bytes| Packet { port: 2, bytes: bytes.to_vec() }).collect();
    let job = Job {
        program: &program,
        writes: &writes,
        lone: &[],
        packets: &packets,
        dense: &[],
        options: BenchOptions { seed: 7, ..BenchOptions::default() },
    };
    let report = regress_on(&hardware::build(&program).unwrap(), &job).unwrap();
    assert!(report.difference.is_none(), "{}", report.difference.unwrap().text);
    report
}

header! {
    struct Head { a: bit<8>, sum: bit<16> }
    struct Tail { a: bit<8>, b: bit<8> }
    struct Wide { sum: bit<16>, a: bit<256>, b: bit<192> }
}

/// What ingress alone writes is 0 in egress of a clone that was made in ingress, also where its bits held something else that
/// ingress was the last to read.
#[test]
fn a_clone_of_ingress_has_nothing_that_ingress_writes() {
    let program = build("small", |p| {
        let (head, tail): (Head, Tail) = (p.header("head"), p.header("tail"));
        let (mark, s) = (p.meta("mark", bit(8)), p.standard());
        p.state("start", |c| {
            c.extract(head);
            c.extract(tail);
            c.accept();
        });
        p.ingress(|c| {
            // Where `tail.b` lay.
            c.set(mark, tail.b + 1);
            c.set(s.egress_spec, 5);
            c.clone_ingress(SESSION, None);
        });
        p.egress(|c| c.set(head.sum, mark.concat(head.a)));
        p.emit(head);
    });
    let report = agrees(program, &[&[0xff; 60], &[0; 60], &[0x5a; 60]]);
    assert_eq!((report.tally.sent, report.tally.looped), (6, 3));
}

/// Two headers of which a packet has one lie in the same bits where a PHV is too small for both. With clones of egress checksums
/// are updated in the deparser, which sends what it updated.
#[test]
fn sums_of_headers_that_share_bits_are_updated_in_front_of_the_deparser() {
    let program = build("small", |p| {
        let head: Head = p.header("head");
        let (left, right): (Wide, Wide) = (p.header("left"), p.header("right"));
        let s = p.standard();
        p.state("start", |c| {
            c.extract(head);
            c.select(head.a).case(0, "left").default("right");
        });
        for (name, header) in [("left", left), ("right", right)] {
            p.state(name, |c| {
                c.extract(header);
                c.accept();
            });
        }
        p.ingress(|c| c.set(s.egress_spec, 5));
        p.egress(|c| {
            let first = s.instance_type.eq(instance::NORMAL);
            c.if_(first, |c| c.clone_egress(SESSION, None));
        });
        for header in [left, right] {
            p.update_checksum(header.valid(), list![header.a, header.b], header.sum, Csum16);
        }
        p.emit(head);
        p.emit(left);
        p.emit(right);
    });
    let (mut left, mut right) = ([0x5a; 80], [0x3c; 80]);
    (left[0], right[0]) = (0, 1);
    (left[40], right[40]) = (0xff, 0xff);
    let report = agrees(program, &[&left, &right]);
    assert_eq!((report.tally.sent, report.tally.looped), (4, 2));
}
