//! Packets cut at every byte, runts, giants and garbage, through every program of the library: nothing
//! panics, and listening changes nothing.

#![allow(clippy::unwrap_used)]

mod common;

use common::traffic::{frames, with_entries};
use restage_golden::{Golden, Input, Output};

type Packets = Vec<(u16, Vec<u8>)>;

fn out(out: &Output) -> Packets {
    out.packets().map(|(port, bytes)| (port, bytes.to_vec())).collect()
}

/// Processes a packet on two equal models, one of which is listened to.
fn both(plain: &mut Golden, traced: &mut Golden, port: u16, bytes: &[u8]) -> (Packets, usize) {
    let (mut a, mut b) = (Output::new(), Output::new());
    let input = Input::new(port, bytes);
    plain.process(&input, &mut a);
    let mut lines = 0;
    traced.process_traced(&input, &mut b, &mut |event| {
        assert!(!event.to_string().is_empty());
        lines += 1;
    });
    assert_eq!(out(&a), out(&b), "{bytes:02x?}");
    assert_eq!(a.drops, b.drops);
    assert_eq!(a.digests().collect::<Vec<_>>(), b.digests().collect::<Vec<_>>());
    (out(&a), lines)
}

#[test]
fn every_program_survives_everything() {
    for item in restage_library::ALL {
        let (mut plain, mut traced) = (with_entries(item), with_entries(item));
        let (mut sent, mut lines) = (0, 0);
        let mut packets: Packets = frames(1, 300);
        for (port, frame) in frames(2, 12) {
            packets.extend((0..=frame.len()).map(|end| (port, frame[..end].to_vec())));
        }
        for byte in [0, 1, 0x45, 0xff] {
            packets.push((0, vec![byte; 9216]));
        }
        packets.push((u16::MAX, vec![]));
        packets.push((511, vec![0x45; 70_000]));
        for (port, bytes) in packets {
            let (out, told) = both(&mut plain, &mut traced, port, &bytes);
            sent += out.len();
            lines += told;
        }
        assert!(lines > 1000, "{}: {lines}", item.name);
        println!("{}: {sent} sent", item.name);
    }
}
