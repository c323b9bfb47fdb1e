//! A host that reads and writes rows of a live memory while packets change others.
//!
//! A read must give what the row held at some time between command and answer. While a row is being written
//! packets leave it alone.

use crate::bench::{Bench, Bus};
use rand::Rng;
use rand::rngs::StdRng;
use restage_manifest::address::region;
use restage_program::Bits;

#[derive(Debug)]
enum Doing {
    Nothing,
    Writing(usize),
    Reading { row: usize, seen: Vec<Bits> },
}

/// The host.
#[derive(Debug)]
pub struct Host {
    doing: Doing,
    number: u32,
    width: u32,
    pub reads: u32,
    pub writes: u32,
}

/// Writes a row: hold, memory, row, command.
pub fn write_row(number: u32, row: u32, bits: &Bits) -> Vec<Bus> {
    let mut ops = hold(bits);
    ops.extend([Bus::Write(region::MEM, number), Bus::Write(region::ROW, row)]);
    ops.push(Bus::Write(region::CMD, region::WRITE));
    ops
}

pub fn hold(bits: &Bits) -> Vec<Bus> {
    let words = bits.width().div_ceil(32);
    let word = |i: u32| (bits.limbs()[i as usize / 2] >> (32 * (i % 2))) as u32;
    (0..words).map(|i| Bus::Write(region::HOLD + i, word(i))).collect()
}

pub fn read_row(number: u32, row: u32, width: u32) -> Vec<Bus> {
    let mut ops = vec![Bus::Write(region::MEM, number), Bus::Write(region::ROW, row)];
    ops.extend([Bus::Write(region::CMD, region::READ), Bus::Settle]);
    ops.extend((0..width.div_ceil(32)).map(|i| Bus::Read(region::HOLD + i)));
    ops
}

pub fn take_row(bench: &mut Bench, width: u32) -> Bits {
    let status = bench.answers.pop_front().unwrap();
    assert_eq!(status & 2, 0, "{}: refused", bench.note);
    let mut limbs = vec![0u64; width.div_ceil(64) as usize];
    for i in 0..width.div_ceil(32) as usize {
        limbs[i / 2] |= u64::from(bench.answers.pop_front().unwrap()) << (32 * (i % 2));
    }
    Bits::from_limbs(width, &limbs)
}

impl Host {
    pub fn new(number: u32, width: u32) -> Self {
        Host { doing: Doing::Nothing, number, width, reads: 0, writes: 0 }
    }

    /// Whether packets must leave a row alone.
    pub fn owns(&self, row: usize) -> bool {
        matches!(self.doing, Doing::Writing(r) if r == row)
    }

    /// A packet has changed a row.
    pub fn changed(&mut self, row: usize, now: &Bits) {
        if let Doing::Reading { row: reads, seen } = &mut self.doing
            && *reads == row
        {
            seen.push(now.clone());
        }
    }

    /// Begins and ends operations; called before each clock.
    pub fn turn(&mut self, bench: &mut Bench, rng: &mut StdRng, rows: &mut [Bits], hot: usize) {
        if !bench.bus.is_empty() {
            return;
        }
        match std::mem::replace(&mut self.doing, Doing::Nothing) {
            Doing::Nothing => {
                if rng.random_range(0..40) != 0 {
                    return;
                }
                let row = rng.random_range(0..hot.min(rows.len()));
                if rng.random() {
                    let limbs: Vec<u64> =
                        (0..self.width.div_ceil(64)).map(|_| rng.random()).collect();
                    rows[row] = Bits::from_limbs(self.width, &limbs);
                    bench.bus.extend(write_row(self.number, row as u32, &rows[row]));
                    bench.bus.push_back(Bus::Settle);
                    self.doing = Doing::Writing(row);
                } else {
                    bench.bus.extend(read_row(self.number, row as u32, self.width));
                    self.doing = Doing::Reading { row, seen: vec![rows[row].clone()] };
                }
            }
            Doing::Writing(_) => {
                assert_eq!(bench.answers.pop_front().unwrap() & 2, 0, "{}: refused", bench.note);
                self.writes += 1;
            }
            Doing::Reading { row, seen } => {
                let got = take_row(bench, self.width);
                assert!(
                    seen.contains(&got),
                    "{}: row {row} read as {got:?}, was {seen:?}",
                    bench.note
                );
                self.reads += 1;
            }
        }
    }
}
