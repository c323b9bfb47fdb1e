//! Estimate of what a module costs, for a part with lookup tables of six inputs.
//!
//! Counted is what reaches an output. An operation that the timing estimate put into the lookup table
//! of its only user costs nothing by itself. Sharing that a synthesiser finds is not foreseen, nor are
//! the lookup tables that it copies.

use super::{Binary, Def, Live, MemStyle, MemoryDecl, Module, Net};
use std::iter::Sum;
use std::ops::Add;

/// Inputs of a lookup table beyond the first; each further one takes so many more inputs.
const MORE_INPUTS: u64 = 5;

/// Delays from this length on are shift registers made of lookup tables.
const SHIFT_REGISTER: u32 = 3;

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
        let live = Live::of(self);
        // The deepest user within the same clock of nets that have only one.
        let mut user: Vec<Option<Net>> = vec![None; self.nets.len()];
        for index in 0..self.nets.len() as u32 {
            if live.has(Net(index)) {
                for input in self.inputs_of(Net(index)) {
                    user[input.0 as usize] = Some(Net(index));
                }
            }
        }
        let mut total = Resources::default();
        // Net, cycles, bits that are used.
        let mut lines: Vec<(Net, u32, u64)> = Vec::new();
        for index in 0..self.nets.len() as u32 {
            let net = Net(index);
            if !live.has(net) {
                continue;
            }
            match self.decl(net).def {
                Def::Delay { of, cycles } => lines.push((of, cycles, live.used_bits(self, net))),
                Def::Reg(_) => total.ffs += live.used_bits(self, net),
                _ => {
                    let only = user[index as usize].filter(|_| live.uses[index as usize] == 1);
                    let absorbed = only.is_some_and(|user| self.absorbs(user, net));
                    if !absorbed {
                        total = total + self.logic(net, live.used_bits(self, net));
                    }
                }
            }
        }
        lines.sort_unstable();
        let mut needed = 0;
        for (index, (of, cycles, used)) in lines.iter().enumerate().rev() {
            let same = |entry: Option<&(Net, u32, u64)>| entry.filter(|e| e.0 == *of).map(|e| e.1);
            needed = match same(lines.get(index + 1)) {
                Some(_) => needed.max(*used),
                None => *used,
            };
            let before = index.checked_sub(1).and_then(|i| same(lines.get(i))).unwrap_or(0);
            total = total + delay(needed, cycles - before);
        }
        total + self.memories.iter().map(|m| memory(m, &live)).sum()
    }

    /// Whether an operand is computed in the same lookup tables as its user.
    fn absorbs(&self, user: Net, operand: Net) -> bool {
        match &self.decl(user).def {
            Def::Not(_) | Def::Repeat(_) => true,
            Def::Binary(Binary::Mul, ..) => false,
            Def::Binary(Binary::Add | Binary::Sub | Binary::Lt | Binary::Le, ..) => {
                self.timing(operand).support < 5
            }
            // Two or more fit the first table of a tree.
            Def::Reduce(..) | Def::Binary(Binary::Eq | Binary::Ne, ..) => {
                self.masked(operand).is_some() || self.timing(operand).support <= 3
            }
            Def::Binary(..) | Def::Mux(..) => self.timing(user).level == self.timing(operand).level,
            _ => false,
        }
    }

    /// Ones of a constant that a net is masked by.
    fn masked(&self, net: Net) -> Option<u64> {
        match &self.decl(net).def {
            Def::Binary(Binary::And, _, mask) => {
                self.constant(*mask).map(|bits| bits.as_bitslice().count_ones() as u64)
            }
            _ => None,
        }
    }

    /// Inputs that one bit of an operand brings into a tree.
    fn spread(&self, user: Net, operand: Net) -> u64 {
        if self.constant(operand).is_some() {
            return 0;
        }
        let merged = self.timing(operand).level > 0 && self.absorbs(user, operand);
        if merged { u64::from(self.timing(operand).support) } else { 1 }
    }

    /// What one operation costs, of which so many bits are used.
    fn logic(&self, net: Net, used: u64) -> Resources {
        let decl = self.decl(net);
        let inputs = |count: u64| count.saturating_sub(1).div_ceil(MORE_INPUTS).max(1);
        match &decl.def {
            // Bits that a constant decides cost nothing.
            Def::Binary(Binary::And | Binary::Or | Binary::Xor, _, b) => {
                Resources::luts(match self.constant(*b) {
                    Some(bits) => (bits.as_bitslice().count_ones() as u64).min(used),
                    None => used,
                })
            }
            Def::Mux(..) => Resources::luts(used),
            // Where a number is constant the carry chain does it alone.
            Def::Binary(Binary::Add | Binary::Sub, a, b) => {
                let moving = |net: Net| u64::from(self.width(net)) - self.constant_bits(net);
                Resources::luts(used.min(moving(*a)).min(moving(*b)))
            }
            Def::Binary(Binary::Lt | Binary::Le, a, _) => {
                Resources::luts(u64::from(self.width(*a)).div_ceil(2) + 1)
            }
            Def::Binary(Binary::Eq | Binary::Ne, a, b) => {
                let spread = self.spread(net, *a) + self.spread(net, *b);
                let bits = u64::from(self.width(*a)) * spread;
                Resources::luts(inputs(bits))
            }
            Def::Binary(Binary::Mul, a, b) => self.product(*a, *b),
            Def::Reduce(_, a) => {
                let bits = match self.masked(*a) {
                    Some(ones) => ones,
                    None => u64::from(self.width(*a)) * self.spread(net, *a),
                };
                Resources::luts(inputs(bits))
            }
            Def::Case { sel, arms, default } => {
                let mut values: Vec<Net> = arms.iter().map(|(_, v)| *v).chain([*default]).collect();
                values.sort_unstable();
                values.dedup();
                let moving = values.iter().filter(|v| self.constant(**v).is_none()).count() as u64;
                let width = u64::from(self.width(*sel));
                let decoded =
                    if width + moving <= 6 { 0 } else { arms.len() as u64 * inputs(width) };
                let terms = if moving > 0 { moving } else { (arms.len() as u64).div_ceil(16) };
                Resources::luts(decoded + used * terms.saturating_sub(1).div_ceil(3).max(1))
            }
            _ => Resources::default(),
        }
    }

    /// Bits of a net that are constant.
    fn constant_bits(&self, net: Net) -> u64 {
        match &self.decl(net).def {
            Def::Const(bits) => bits.width().into(),
            Def::Concat(parts) => {
                let constant = parts.iter().filter(|p| self.constant(**p).is_some());
                constant.map(|p| u64::from(self.width(*p))).sum()
            }
            _ => 0,
        }
    }

    /// Multipliers of 26 by 17 bits; very small products are logic.
    fn product(&self, a: Net, b: Net) -> Resources {
        let size = |net: Net| match self.constant(net) {
            Some(bits) => u64::from(bits.significant()),
            // Factors were extended by zeros.
            None => u64::from(self.width(net)) - self.constant_bits(net),
        };
        let (small, large) = (size(a).min(size(b)), size(a).max(size(b)));
        if small + large < 9 {
            return Resources::luts(small * large);
        }
        Resources { dsp: small.div_ceil(17) * large.div_ceil(26), ..Resources::default() }
    }
}

fn delay(width: u64, cycles: u32) -> Resources {
    if DelayLine::of(width as u32, cycles) == DelayLine::Ring {
        let luts = lut_ram(width, u64::from(cycles - 1));
        return Resources { luts, ffs: width, ..Resources::default() };
    }
    if cycles >= SHIFT_REGISTER {
        return Resources::luts(width * u64::from(cycles).div_ceil(32));
    }
    Resources { ffs: width * u64::from(cycles), ..Resources::default() }
}

/// Eight lookup tables are a RAM of 14 bits in 32 words or of 7 bits in 64.
fn lut_ram(width: u64, depth: u64) -> u64 {
    match depth {
        0..=32 => 8 * width.div_ceil(14),
        _ => 8 * width.div_ceil(7) * depth.div_ceil(64) + width * (depth.div_ceil(64) - 1),
    }
}

fn memory(decl: &MemoryDecl, live: &Live) -> Resources {
    let (width, depth) = (u64::from(decl.width), u64::from(decl.depth));
    let reads = decl.reads.iter().filter(|r| live.has(r.net));
    let mut total = Resources::default();
    for read in reads {
        total.ffs += width * u64::from(read.out_regs - 1);
        let small = depth <= 64 || width * depth < 2048;
        match decl.style {
            MemStyle::Ultra => total.uram += width.div_ceil(72) * depth.div_ceil(4096),
            MemStyle::Auto if small && decl.write.is_none() => {
                total.luts += width * depth.div_ceil(64);
                total.ffs += width;
            }
            MemStyle::Auto if !small => total.bram18 += block_ram(width, depth),
            MemStyle::Block => total.bram18 += block_ram(width, depth),
            MemStyle::Auto | MemStyle::Distributed => {
                total.luts += lut_ram(width, depth);
                total.ffs += width;
            }
        }
    }
    total
}

/// Halves of block RAMs, by the shape that needs the fewest.
fn block_ram(width: u64, depth: u64) -> u64 {
    const SHAPES: [(u64, u64, u64); 8] = [
        (36, 512, 1),
        (18, 1024, 1),
        (9, 2048, 1),
        (72, 512, 2),
        (36, 1024, 2),
        (18, 2048, 2),
        (9, 4096, 2),
        (1, 32_768, 2),
    ];
    let needed =
        SHAPES.iter().map(|(w, d, halves)| width.div_ceil(*w) * depth.div_ceil(*d) * halves);
    needed.min().unwrap_or(0)
}
