//! The configuration bus beside whatever cell: what it holds can be read back, what is not there is 0, and no command keeps it
//! for longer than it says.

use crate::bench::{Bench, Bus, Packet};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use restage_manifest::address::region;
use restage_program::Bits;
use restage_rtl::cells::PATIENCE;

/// Words of the held row at which is looked.
const HELD: u32 = 8;

/// The addresses of those words without their lowest bits.
const HOLD_GROUP: u32 = region::HOLD >> 3;

/// Plays with the bus when all else has been looked at. With `live`, the cell's first memory is one that packets write.
pub fn play(bench: &mut Bench, live: bool) {
    let mut rng = StdRng::seed_from_u64(77);
    bench.drain();
    bench.answers.clear();
    let identity = [region::MAGIC_VALUE, 1, 2, 3, 4, 5, 6, 7];
    for (word, value) in (region::MAGIC..).zip(identity) {
        check(bench, word, value);
    }
    check(bench, region::READY, 1);
    let mut held = 0;
    for round in 0..12 {
        let mut number = || match round {
            0 => u32::MAX,
            1 => 0,
            _ => rng.random(),
        };
        let (mem, row) = (number(), number());
        let words: Vec<u32> = (0..HELD).map(|_| number()).collect();
        bench.bus.extend([Bus::Write(region::MEM, mem), Bus::Write(region::ROW, row)]);
        bench.bus.extend((region::HOLD..).zip(&words).map(|(at, w)| Bus::Write(at, *w)));
        // What cannot be written stays as it is, as does what is elsewhere.
        let other = [region::MAGIC, region::READY, region::STATUS, region::HOLD | 0x1000, 0x31];
        bench.bus.extend(other.map(|at| Bus::Write(at, number())));
        // Nor does what is one bit away.
        let near = (region::HOLD..region::HOLD + HELD).chain([region::MEM, region::ROW]);
        let near = near.flat_map(|at| (0..14).map(move |bit| at ^ 1 << bit));
        let there = |at: &u32| (region::MEM..=region::CMD).contains(at) || at >> 3 == HOLD_GROUP;
        bench.bus.extend(near.filter(|at| !there(at)).map(|at| Bus::Write(at, number())));
        bench.drain();
        check(bench, region::MEM, mem & 0xffff);
        check(bench, region::ROW, row & 0xff_ffff);
        check(bench, region::MAGIC, region::MAGIC_VALUE);
        check(bench, region::READY, 1);
        if round == 0 {
            while held < HELD && bench.read(region::HOLD + held) != 0 {
                held += 1;
            }
        }
        for (at, word) in (0..).zip(&words) {
            check(bench, region::HOLD + at, if at < held { *word } else { 0 });
        }
        let bit = 1 << (5 + round);
        for at in [0x9, 0xf, region::CMD, 0x14, 0x1f, 0x20 << round & 0x3fc0, bit & 0x2e00] {
            if at > region::READY && at != region::HOLD {
                check(bench, at, 0);
            }
        }
    }
    assert!(held > 0 || !live, "{}: no held row", bench.note);
    if live {
        patience(bench);
    }
}

fn check(bench: &mut Bench, word: u32, want: u32) {
    let got = bench.read(word);
    assert_eq!(got, want, "{}: word {word:#x}", bench.note);
}

/// A command meets a packet in every clock: the next request waits as long as it says, does nothing, and says so.
fn patience(bench: &mut Bench) {
    let inputs = bench.widths().into_iter().map(Bits::zero).collect();
    let packet = Packet { epoch: false, time: 0, inputs };
    let row = bench.read(region::ROW);
    let first = bench.ports.first;
    bench.bus.extend([Bus::Write(region::MEM, first), Bus::Write(region::ROW, 0)]);
    bench.drain();
    let busy = |bench: &mut Bench, op: Bus| {
        bench.bus.push_back(op);
        let start = bench.clock;
        while !bench.bus.is_empty() {
            bench.step(Some(&packet), Vec::new());
            assert!(bench.clock - start < 2000, "{}: no answer to {op:?}", bench.note);
        }
        bench.clock - start
    };
    (0..20).for_each(|_| bench.step(Some(&packet), Vec::new()));
    let soon = busy(bench, Bus::Write(region::CMD, region::READ));
    assert!(soon < 10, "{}: {soon} clocks for a command", bench.note);
    // What can be said at once is said at once.
    let soon = busy(bench, Bus::Read(region::READY));
    assert!(soon < 10, "{}: {soon} clocks beside a command", bench.note);
    let took = busy(bench, Bus::Write(region::ROW, !row)) as u32;
    assert!((PATIENCE..PATIENCE + 10).contains(&took), "{}: {took} clocks", bench.note);
    bench.answers.clear();
    busy(bench, Bus::Read(region::STATUS));
    assert_eq!(bench.answers.pop_front(), Some(3), "{}: busy, and one refused", bench.note);
    bench.bus.push_back(Bus::Settle);
    bench.drain();
    assert_eq!(bench.answers.pop_front(), Some(2), "{}: one refused", bench.note);
    check(bench, region::ROW, 0);
    bench.bus.extend([Bus::Write(region::CMD, region::READ), Bus::Settle]);
    bench.drain();
    assert_eq!(bench.answers.pop_front(), Some(0), "{}: none refused since", bench.note);
}
