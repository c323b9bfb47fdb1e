//! Estimate of what a module costs, for a part with lookup tables of six inputs.
//!
//! Logic is covered with lookup tables bit by bit ([`covered`]); delays, memories and products are counted by rules,
//! those by which yosys maps them. Against yosys' synthesis of the library's circuits the sum is off by a tenth; the
//! synthesiser also restructures logic, which this does not.

use super::covered::{self, Line};
use super::{MemStyle, MemoryDecl, Module};
use std::iter::Sum;
use std::ops::Add;

/// Delays from this length on are shift registers made of lookup tables.
pub(super) const SHIFT_REGISTER: u32 = 3;

/// How a delay is built. Rings and words were measured in Verilator: a step of them costs the same however
/// long they are, which registers in a row do not; in hardware all of them are lookup tables.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum DelayLine {
    /// One register after the other: short ones.
    Registers,
    /// All but the last register side by side in 64 bits at most.
    Word,
    /// A small RAM.
    Ring,
}

impl DelayLine {
    pub fn of(width: u32, cycles: u32) -> Self {
        match cycles {
            0..=2 => DelayLine::Registers,
            _ if width * (cycles - 1) <= 64 => DelayLine::Word,
            3 => DelayLine::Registers,
            _ => DelayLine::Ring,
        }
    }
}

/// Lookup tables, registers and RAM. Instances are not counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Resources {
    /// Lookup tables, also those used as memory.
    pub luts: u64,
    /// Registers.
    pub ffs: u64,
    /// Halves of block RAMs: 18 kbit each.
    pub bram18: u64,
    /// UltraRAMs of 288 kbit.
    pub uram: u64,
    /// Multipliers.
    pub dsp: u64,
}

impl Resources {
    fn luts(luts: u64) -> Self {
        Resources { luts, ..Resources::default() }
    }
}

impl Add for Resources {
    type Output = Resources;
    fn add(self, other: Resources) -> Resources {
        Resources {
            luts: self.luts + other.luts,
            ffs: self.ffs + other.ffs,
            bram18: self.bram18 + other.bram18,
            uram: self.uram + other.uram,
            dsp: self.dsp + other.dsp,
        }
    }
}

impl Sum for Resources {
    fn sum<I: Iterator<Item = Resources>>(list: I) -> Resources {
        list.fold(Resources::default(), Add::add)
    }
}

impl Module {
    /// Estimate of what the module costs as it is; what reaches no output yet is free.
    pub fn resources(&self) -> Resources {
        let found = covered::find(self);
        let mut total =
            Resources { luts: found.luts, ffs: found.registers, ..Resources::default() };
        // A delay begins where the one before it of the same net ends.
        for (index, line) in found.lines.iter().enumerate() {
            let same = |other: &&Line| other.of == line.of;
            let later = found.lines[index..].iter().take_while(same);
            let bits = later.map(|l| l.bits).max().unwrap_or(line.bits);
            let before = found.lines[..index].last().filter(same).map_or(0, |l| l.cycles);
            total = total + delay(self.width(line.of), bits, line.cycles - before);
        }
        for [a, b] in found.products {
            total = total + product(a, b);
        }
        total + self.memories.iter().zip(&found.reads).map(|(m, reads)| memory(m, reads)).sum()
    }
}

/// Multipliers of 26 by 17 bits; very small products are logic.
fn product(a: u64, b: u64) -> Resources {
    let (small, large) = (a.min(b), a.max(b));
    if small + large < 9 {
        return Resources::luts(small * large);
    }
    Resources { dsp: small.div_ceil(17) * large.div_ceil(26), ..Resources::default() }
}

/// A delay, of which so many bits are needed.
fn delay(width: u32, bits: u64, cycles: u32) -> Resources {
    if DelayLine::of(width, cycles) == DelayLine::Ring {
        let luts = same_address(bits, u64::from(cycles - 1));
        return Resources { luts, ffs: bits, ..Resources::default() };
    }
    if cycles >= SHIFT_REGISTER {
        return Resources::luts(bits * u64::from(cycles).div_ceil(32));
    }
    Resources { ffs: bits * u64::from(cycles), ..Resources::default() }
}

/// Eight lookup tables are a RAM of 16 bits in 32 words or of 8 bits in 64 that is read where it is written,
fn same_address(width: u64, depth: u64) -> u64 {
    match depth {
        0..=32 => 8 * width.div_ceil(16),
        _ => 8 * width.div_ceil(8) * depth.div_ceil(64) + width * (depth.div_ceil(64) - 1),
    }
}

/// or of 14 bits in 32 words or of 7 bits in 64 that is read elsewhere.
fn lut_ram(width: u64, depth: u64) -> u64 {
    match depth {
        0..=32 => 8 * width.div_ceil(14),
        _ => 8 * width.div_ceil(7) * depth.div_ceil(64) + width * (depth.div_ceil(64) - 1),
    }
}

/// A memory, of whose words so many bits are needed through each of its read ports.
fn memory(decl: &MemoryDecl, reads: &[u64]) -> Resources {
    let depth = u64::from(decl.depth);
    let mut total = Resources::default();
    for (read, width) in decl.reads.iter().zip(reads).filter(|(_, width)| **width > 0) {
        total.ffs += width * u64::from(read.out_regs - 1);
        match decl.kind() {
            MemStyle::Ultra => total.uram += width.div_ceil(72) * depth.div_ceil(4096),
            MemStyle::Block => total.bram18 += block_ram(*width, depth),
            // Up to 64 words that never change are logic.
            _ if decl.write.is_none() => {
                total.luts += width * depth.div_ceil(64);
                total.ffs += width;
            }
            _ => {
                total.luts += lut_ram(*width, depth);
                total.ffs += width;
            }
        }
    }
    total
}

/// Halves of block RAMs, by the shape that needs the fewest; words that do not fill its last row may be of another shape.
fn block_ram(width: u64, depth: u64) -> u64 {
    const SHAPES: [(u64, u64, u64); 13] = [
        (36, 512, 1),
        (18, 1024, 1),
        (9, 2048, 1),
        (4, 4096, 1),
        (2, 8192, 1),
        (1, 16_384, 1),
        (72, 512, 2),
        (36, 1024, 2),
        (18, 2048, 2),
        (9, 4096, 2),
        (4, 8192, 2),
        (2, 16_384, 2),
        (1, 32_768, 2),
    ];
    let needed = SHAPES.iter().map(|(w, d, halves)| {
        let row = width.div_ceil(*w) * halves;
        match depth / d {
            0 => row,
            rows if depth.is_multiple_of(*d) => rows * row,
            rows => rows * row + block_ram(width, depth % d),
        }
    });
    needed.min().unwrap_or(0)
}
