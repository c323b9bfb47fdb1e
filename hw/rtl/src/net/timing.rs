//! Estimate of logic depth, made as nets are built.
//!
//! Lookup tables have six inputs. An operation whose operands' inputs are six together at most stays in
//! one lookup table; otherwise the operands become outputs of lookup tables and it starts a new level.
//! An adder or comparison is one level for the lookup tables before its carries and one for the carries
//! themselves, whatever its width: nobody should build more than 64 bits at once.
//! The estimate ignores shared inputs and what a synthesiser finds out; it is meant to be near and never
//! far below.

use super::{Binary, Def, Module, Net};

/// Inputs of a lookup table.
pub(crate) const INPUTS: u32 = 6;

/// Where a net is, counted in lookup tables since the last register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timing {
    /// Lookup tables on the longest path; 0 for a register, an input of the module or a constant.
    pub level: u32,
    /// Inputs of the last of them.
    pub support: u32,
}

impl Timing {
    /// A register.
    pub const START: Timing = Timing { level: 0, support: 1 };

    /// The output of a full lookup table or of a carry chain: nothing joins it.
    const fn full(level: u32) -> Timing {
        Timing { level, support: INPUTS }
    }
}

/// One bit made of one bit of each operand.
fn join(operands: &[Timing]) -> Timing {
    let level = operands.iter().map(|t| t.level).max().unwrap_or(0);
    if operands.is_empty() {
        return Timing { level: 0, support: 0 };
    }
    let support: u32 =
        operands.iter().map(|t| if t.level == level && level > 0 { t.support } else { 1 }).sum();
    if support <= INPUTS {
        return Timing { level: level.max(1), support };
    }
    let count = operands.len() as u32;
    tree(level + 1, count)
}

/// One bit made of `count` outputs of lookup tables; the first new table is at `level`.
fn tree(mut level: u32, mut count: u32) -> Timing {
    while count > INPUTS {
        count = count.div_ceil(INPUTS);
        level += 1;
    }
    Timing { level, support: count }
}

/// One bit made of `count` alike bits.
fn reduce(bit: Timing, count: u32) -> Timing {
    let support = if bit.level == 0 { 1 } else { bit.support.max(1) };
    let first = count.div_ceil((INPUTS / support).max(1));
    if first == 1 {
        return Timing { level: bit.level.max(1), support: (count * support).min(INPUTS) };
    }
    tree(bit.level.max(1) + 1, first)
}

impl Module {
    /// The operands that are not constant.
    fn operands(&self, nets: &[Net]) -> Vec<Timing> {
        nets.iter().filter(|n| self.constant(**n).is_none()).map(|n| self.timing(*n)).collect()
    }

    pub(crate) fn estimate(&self, def: &Def, _width: u32) -> Timing {
        match def {
            // An inverter is part of the table before or behind it.
            Def::Not(a) | Def::Repeat(a) => self.timing(*a),
            Def::Slice { of, .. } => self.timing(*of),
            Def::Binary(Binary::And | Binary::Or | Binary::Xor, a, b) => {
                join(&self.operands(&[*a, *b]))
            }
            Def::Mux(sel, a, b) => join(&self.operands(&[*sel, *a, *b])),
            Def::Binary(Binary::Eq | Binary::Ne, a, b) => {
                let bits = self.operands(&[*a, *b]);
                let bit = match bits.as_slice() {
                    [only] => *only,
                    // Two registers are one table's inputs, of which three pairs fit.
                    many => join(many),
                };
                reduce(bit, self.width(*a))
            }
            Def::Binary(Binary::Add | Binary::Sub | Binary::Lt | Binary::Le, a, b) => {
                let bit = join(&self.operands(&[*a, *b]));
                match self.width(*a) {
                    // Few inputs need no carries.
                    width if width * 2 <= INPUTS && bit.level <= 1 => Timing::full(1),
                    _ => Timing::full(bit.level + 1),
                }
            }
            Def::Binary(Binary::Mul, a, b) => {
                let bit = join(&self.operands(&[*a, *b]));
                Timing::full(bit.level + 3)
            }
            Def::Reduce(_, a) => match &self.decl(*a).def {
                // A constant mask only leaves bits out.
                Def::Binary(Binary::And, value, mask) if self.constant(*mask).is_some() => {
                    let ones = self.constant(*mask).map_or(0, |m| m.as_bitslice().count_ones());
                    reduce(self.timing(*value), (ones as u32).max(1))
                }
                Def::Concat(parts) => {
                    let latest = join_latest(&self.operands(parts));
                    reduce(latest, self.width(*a))
                }
                _ => reduce(self.timing(*a), self.width(*a)),
            },
            Def::Concat(parts) => join_latest(&self.operands(parts)),
            Def::Case { sel, arms, default } => self.estimate_case(*sel, arms, *default),
            Def::Input
            | Def::Const(_)
            | Def::Delay { .. }
            | Def::Reg(_)
            | Def::Wire(_)
            | Def::Read(..)
            | Def::Pin(..)
            | Def::Fault => Timing::START,
        }
    }

    fn estimate_case(
        &self,
        sel: Net,
        arms: &[(restage_program::Bits, Net)],
        default: Net,
    ) -> Timing {
        let mut values: Vec<Net> = arms.iter().map(|(_, v)| *v).chain([default]).collect();
        values.sort_unstable();
        values.dedup();
        let values = self.operands(&values);
        let width = self.width(sel);
        let sel = self.timing(sel);
        let level = values.iter().map(|t| t.level).max().unwrap_or(0).max(sel.level);
        let count = values.len() as u32;
        if width + count <= INPUTS {
            return Timing { level: level + 1, support: width + count };
        }
        // Each value is gated by its decoded number, then they are or-ed.
        let decode = reduce(sel, width).level;
        let terms = if values.is_empty() { arms.len() as u32 } else { count };
        reduce(Timing { level: decode.max(level) + 1, support: 2 }, terms)
    }
}

/// Parts side by side: the latest counts.
fn join_latest(parts: &[Timing]) -> Timing {
    parts.iter().copied().max_by_key(|t| (t.level, t.support)).unwrap_or(Timing::START)
}
