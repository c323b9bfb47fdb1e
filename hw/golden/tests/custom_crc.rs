//! Custom CRCs: what they are before they are set, that all places that name one change together, and what
//! is refused.

#![allow(clippy::unwrap_used)]

mod common;

use common::{model, send};
use restage_program::entity::Crc;
use restage_program::entry::{CrcParams, Write};
use restage_program::prelude::*;

header! { struct Sums { hashed: bit<32>, again: bit<32>, other: bit<32>, sum: bit<16> } }

const XMODEM: CrcParams =
    CrcParams { polynomial: 0x1021, start: 0, xor: 0, reflect_data: false, reflect_result: false };

fn sums(golden: &mut restage_golden::Golden) -> [u64; 4] {
    let bytes = send(golden, &[]).remove(0).1;
    [0, 4, 8, 12].map(|at| {
        let end = (at + 4).min(bytes.len());
        bytes[at..end].iter().fold(0, |n, b| n << 8 | u64::from(*b))
    })
}

#[test]
fn parameters_are_set_for_all_places_at_once() {
    let mut golden = model(|p| {
        let out: Sums = p.header("out");
        let (row, wide) = (p.crc16("row"), p.crc32("wide"));
        let digits = || list![bits(72, 0x31_3233_3435_3637_3839)];
        p.ingress(|c| {
            c.set_valid(out);
            c.hash(out.hashed, row, digits(), 0, 1u64 << 32);
            c.hash(out.again, row, digits(), 0, 1u64 << 32);
            c.hash(out.other, wide, digits(), 0, bits(64, 1 << 32));
        });
        p.update_checksum(true, digits(), out.sum, row);
        p.emit(out);
    });
    assert_eq!(sums(&mut golden), [0xbb3d, 0xbb3d, 0xcbf4_3926, 0xbb3d]);
    golden.write(&Write::SetCrc(Crc(0), XMODEM)).unwrap();
    assert_eq!(golden.crc(Crc(0)), Some(XMODEM));
    assert_eq!(sums(&mut golden), [0x31c3, 0x31c3, 0xcbf4_3926, 0x31c3]);

    let wide = CrcParams { xor: 0x1_0000, ..XMODEM };
    let error = golden.write(&Write::SetCrc(Crc(0), wide)).unwrap_err();
    assert_eq!(error.to_string(), "custom CRC `row`: has 16 bits, its parameters no more");
    assert_eq!(golden.crc(Crc(0)), Some(XMODEM), "a refused write changes nothing");
    golden.write(&Write::SetCrc(Crc(1), wide)).unwrap();
    let error = golden.write(&Write::SetCrc(Crc(2), XMODEM)).unwrap_err();
    assert_eq!(error.to_string(), "custom CRC `2`: does not exist; the program has 2");
}
