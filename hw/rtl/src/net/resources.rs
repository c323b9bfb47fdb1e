//! Estimate of what a module costs.

use super::{Binary, Def, MemStyle, Module};

/// Look-up tables, registers and RAM. Instances are not counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Resources {
    /// Lookup tables of six inputs, also those used as memory.
    pub luts: u64,
    /// Registers.
    pub ffs: u64,
    /// Block RAMs of 36 kbit; half ones count 1 in `bram18`.
    pub bram18: u64,
    /// UltraRAMs of 288 kbit.
    pub uram: u64,
    /// Multipliers.
    pub dsp: u64,
}

impl std::ops::Add for Resources {
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

impl Module {
    /// Estimate of what the module costs.
    pub fn resources(&self) -> Resources {
        let mut total = Resources::default();
        for net in &self.nets {
            let width = u64::from(net.width);
            match &net.def {
                Def::Binary(Binary::Mul, ..) => total.dsp += width.div_ceil(32),
                Def::Binary(..) | Def::Mux(..) | Def::Case { .. } => total.luts += width,
                Def::Reg(_) | Def::Delay { .. } => total.ffs += width,
                _ => {}
            }
        }
        for memory in &self.memories {
            match memory.style {
                MemStyle::Ultra => total.uram += 1,
                _ => total.bram18 += 1,
            }
        }
        total
    }
}
