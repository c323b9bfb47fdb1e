//! Delays of all lengths and widths, simulated: whatever they are built of, they must be the same.

#![allow(clippy::unwrap_used)] // a test may

mod common;

use common::{Stream, folder, lint};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use restage_program::Bits;
use restage_rtl::net::Module;

#[test]
fn delays_of_every_kind() {
    let mut m = Module::new("all_delays");
    let input = m.input("in_i", 200);
    let mut asked = Vec::new();
    for width in [1, 2, 16, 32, 33, 64, 65, 200] {
        let part = m.slice(input, width - 1, 0);
        // The later ones go on from the earlier ones.
        for cycles in [1, 2, 3, 4, 5, 9, 17, 40, 73] {
            let late = m.delay(part, cycles);
            let name = format!("out_{width}_{cycles}_o");
            m.output(&name, late);
            asked.push((name, width, cycles as usize));
        }
        // And some alone, as long as they can be in one piece.
        let inverted = m.not(part);
        for cycles in [2, 3, 4, 33, 65] {
            let odd = m.bits(&Bits::new(width, cycles.into()));
            let value = m.xor(inverted, odd);
            let late = m.delay(value, cycles);
            let name = format!("alone_{width}_{cycles}_o");
            m.output(&name, late);
            asked.push((name, width, cycles as usize));
        }
    }
    let circuit = m.finish().unwrap();
    lint(&[&circuit], &folder("all_delays"));
    let names: Vec<_> = asked.iter().map(|(n, _, cycles)| (n.as_str(), *cycles)).collect();
    let mut stream = Stream::new(&circuit, &["in_i"], &names);
    let mut random = SmallRng::seed_from_u64(3);
    let sets: Vec<Vec<Bits>> = (0..500)
        .map(|_| vec![Bits::from_limbs(200, &[0; 4].map(|_: u64| random.random()))])
        .collect();
    for (set, results) in sets.iter().zip(stream.run(&sets)) {
        for ((name, width, cycles), got) in asked.iter().zip(results) {
            let value = set[0].resize(*width);
            let wanted = if name.starts_with("alone") {
                let ones = Bits::ones(*width);
                let odd = Bits::new(*width, *cycles as u128);
                let limbs = value.limbs().iter().zip(ones.limbs()).zip(odd.limbs());
                let limbs: Vec<u64> = limbs.map(|((v, o), c)| v ^ o ^ c).collect();
                Bits::from_limbs(*width, &limbs)
            } else {
                value
            };
            assert_eq!(got, wanted, "{name}");
        }
    }
}
