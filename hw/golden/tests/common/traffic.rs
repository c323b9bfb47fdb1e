//! Frames that get somewhere in most programs, and frames that do not.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use restage_golden::Golden;
use restage_library::Item;

/// The model of a library program with its example entries.
pub fn with_entries(item: &Item) -> Golden {
    let program = item.program().check().unwrap();
    let mut golden = Golden::new(&program).unwrap();
    for write in restage_program::entries_text::parse(&program, item.entries).unwrap() {
        golden.write(&write).unwrap();
    }
    golden
}

/// Ethernet with something behind it, fields being small numbers, known ones or anything.
pub fn frames(seed: u64, count: usize) -> Vec<(u16, Vec<u8>)> {
    let mut rng = SmallRng::seed_from_u64(seed);
    let types = [0x0800u16, 0x0800, 0x0800, 0x86dd, 0x8100, 0x8847, 0x0806, 0x1234, 0x88b5, 0x1212];
    (0..count)
        .map(|_| {
            let mut frame: Vec<u8> = (0..12).map(|_| rng.random_range(0..4)).collect();
            frame.extend(types[rng.random_range(0..types.len())].to_be_bytes());
            let (ihl, proto) =
                (rng.random_range(4..8u8), [1u8, 4, 6, 17, 17, 253][rng.random_range(0..6)]);
            frame.extend([
                0x40 | ihl,
                0,
                0,
                40,
                0,
                0,
                0,
                0,
                rng.random_range(0..4) * 21,
                proto,
                0,
                0,
            ]);
            for _ in 0..2 {
                frame.extend([
                    10,
                    rng.random_range(0..3),
                    rng.random_range(0..3),
                    rng.random_range(0..9),
                ]);
            }
            let sum: u32 =
                frame[14..].chunks(2).map(|w| u32::from(w[0]) << 8 | u32::from(w[1])).sum();
            let sum = (sum & 0xffff) + (sum >> 16);
            frame[24..26].copy_from_slice(&(!(sum as u16)).to_be_bytes());
            let rest = rng.random_range(0..80);
            let small = rng.random_bool(0.7);
            frame.extend(
                (0..rest).map(|_| if small { rng.random_range(0..3) } else { rng.random::<u8>() }),
            );
            if rng.random_bool(0.2) {
                frame.truncate(rng.random_range(0..frame.len()));
            }
            (rng.random_range(0..8), frame)
        })
        .collect()
}
