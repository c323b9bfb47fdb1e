//! A closer estimate of logic depth, for loops that must fit one clock.
//!
//! As [`super::timing`], with two differences. Carry chains are no levels: they are far quicker than a lookup table
//! and the way to it. And it is known which inputs a lookup table has, so that one that comes by two ways is counted
//! once. A net stands for any of its bits; where bits are moved, they count as others.

use super::{Binary, Def, Module, Net};
use std::collections::BTreeSet;

/// Inputs of a lookup table.
const INPUTS: usize = 6;

/// The lookup tables behind a net.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Luts {
    /// How many follow each other.
    pub level: u32,
    /// What the last of them is a function of.
    inputs: Inputs,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
enum Inputs {
    /// A constant.
    #[default]
    None,
    /// At most [`INPUTS`] bits.
    Few(Box<[Bit]>),
    /// The end of a carry chain: nothing joins it.
    Full,
}

/// A bit of a net: by how many places it was moved, and a number where there are several.
type Bit = (Net, u32, u32);

impl Luts {
    /// A register's output.
    fn leaf(net: Net) -> Self {
        Luts { level: 0, inputs: Inputs::Few([(net, 0, 0)].into()) }
    }

    fn full(level: u32) -> Self {
        Luts { level, inputs: Inputs::Full }
    }

    /// A function of as many bits of which nothing is known.
    fn some(level: u32, net: Net, count: u32) -> Self {
        let bits = (0..count.min(INPUTS as u32)).map(|n| (net, 0, n + 1)).collect();
        Luts { level, inputs: Inputs::Few(bits) }
    }

    fn support(&self) -> u32 {
        match &self.inputs {
            Inputs::None => 0,
            Inputs::Few(bits) => bits.len() as u32,
            Inputs::Full => INPUTS as u32,
        }
    }

    /// With all bits moved up or down.
    fn moved(&self, m: &Module, by: u32) -> Self {
        let inputs = match &self.inputs {
            Inputs::Few(bits) if by > 0 => Inputs::Few(
                bits.iter()
                    .map(
                        |(net, at, n)| {
                            if m.width(*net) == 1 { (*net, *at, *n) } else { (*net, at + by, *n) }
                        },
                    )
                    .collect(),
            ),
            other => other.clone(),
        };
        Luts { level: self.level, inputs }
    }
}

/// A function of `count` outputs of lookup tables; the first new one is at `level`.
fn tree(net: Net, mut level: u32, mut count: u32) -> Luts {
    while count as usize > INPUTS {
        count = count.div_ceil(INPUTS as u32);
        level += 1;
    }
    Luts::some(level, net, count)
}

/// A function of `count` bits like one.
fn reduce(net: Net, bit: &Luts, count: u32) -> Luts {
    let support = if bit.level == 0 { 1 } else { bit.support().max(1) };
    let first = count.div_ceil((INPUTS as u32 / support).max(1));
    if first == 1 && bit.inputs != Inputs::Full {
        return Luts::some(bit.level.max(1), net, count * support);
    }
    tree(net, bit.level.max(1) + 1, first)
}

impl Module {
    fn luts_of(&self, net: Net) -> Luts {
        self.nets.get(net.0 as usize).map_or_else(|| Luts::leaf(net), |d| d.luts.clone())
    }

    /// A bit made of one bit of each.
    fn joined(&self, operands: &[Net]) -> Luts {
        let operands: Vec<(Net, Luts)> = operands
            .iter()
            .filter(|n| self.constant(**n).is_none())
            .map(|n| (*n, self.luts_of(*n)))
            .collect();
        let level = operands.iter().map(|(_, l)| l.level).max().unwrap_or(0);
        let (mut bits, mut own) = (BTreeSet::new(), BTreeSet::new());
        let mut closed = false;
        for (net, luts) in &operands {
            match &luts.inputs {
                Inputs::Few(inputs) if luts.level == level || luts.level == 0 => {
                    bits.extend(inputs.iter().copied());
                }
                Inputs::Full if luts.level == level => closed = true,
                _ => _ = bits.insert((*net, 0, 0)),
            }
            match &luts.inputs {
                Inputs::Few(inputs) if luts.level == 0 => own.extend(inputs.iter().copied()),
                _ => _ = own.insert((*net, 0, 0)),
            }
        }
        if operands.is_empty() {
            return Luts::default();
        }
        if !closed && bits.len() <= INPUTS {
            let bits: Vec<Bit> = bits.into_iter().collect();
            return Luts { level: level.max(1), inputs: Inputs::Few(bits.into()) };
        }
        // The operands are inputs of a new lookup table.
        let own: Vec<Bit> = own.into_iter().take(INPUTS).collect();
        Luts { level: level + 1, inputs: Inputs::Few(own.into()) }
    }

    /// The lookup tables of a net that is being made.
    pub(crate) fn estimate_luts(&self, def: &Def) -> Luts {
        let net = Net(self.nets.len() as u32);
        match def {
            Def::Not(a) | Def::Repeat(a) => self.luts_of(*a),
            Def::Slice { of, lo } => match self.luts_of(*of) {
                luts if luts.level == 0 => Luts::leaf(net),
                luts => luts.moved(self, *lo),
            },
            Def::Binary(Binary::And | Binary::Or | Binary::Xor, a, b) => self.joined(&[*a, *b]),
            Def::Mux(sel, a, b) => self.joined(&[*sel, *a, *b]),
            Def::Binary(Binary::Eq | Binary::Ne, a, b) => match self.width(*a) {
                1 => self.joined(&[*a, *b]),
                width => match (self.constant(*a), self.constant(*b)) {
                    (Some(_), _) => reduce(net, &self.luts_of(*b), width),
                    (_, Some(_)) => reduce(net, &self.luts_of(*a), width),
                    // Two registers are two inputs, of which three pairs fit.
                    _ => reduce(net, &self.joined(&[*a, *b]), width),
                },
            },
            Def::Binary(Binary::Add | Binary::Sub | Binary::Lt | Binary::Le, a, b) => {
                Luts::full(self.joined(&[*a, *b]).level.max(1))
            }
            Def::Binary(Binary::Mul, a, b) => Luts::full(self.joined(&[*a, *b]).level + 3),
            Def::Reduce(_, a) => match &self.decl(*a).def {
                Def::Concat(parts)
                    if parts.len() <= INPUTS && parts.iter().all(|p| self.width(*p) == 1) =>
                {
                    self.joined(parts)
                }
                // A constant mask only leaves bits out.
                Def::Binary(Binary::And, value, mask) if self.constant(*mask).is_some() => {
                    let ones = self.constant(*mask).map_or(0, |m| m.as_bitslice().count_ones());
                    reduce(net, &self.luts_of(*value), (ones as u32).max(1))
                }
                _ => reduce(net, &self.luts_of(*a), self.width(*a)),
            },
            Def::Concat(parts) => self.latest(net, parts),
            Def::Case { sel, arms, default } => {
                let values = arms.iter().map(|(_, v)| *v).chain([*default]);
                self.chosen(net, *sel, values.collect())
            }
            Def::Const(_) => Luts::default(),
            Def::Input
            | Def::Delay { .. }
            | Def::Reg(_)
            | Def::Wire(_)
            | Def::Read(..)
            | Def::Pin(..)
            | Def::Fault => Luts::leaf(net),
        }
    }

    /// The carry chains behind a net that is being made.
    pub(crate) fn estimate_chains(&self, def: &Def) -> u32 {
        let before = self.inputs_of_def(def).into_iter().map(|n| self.chains(n)).max().unwrap_or(0);
        match def {
            Def::Binary(Binary::Add | Binary::Sub | Binary::Lt | Binary::Le, a, _)
                if 2 * self.width(*a) as usize > INPUTS =>
            {
                before + 1
            }
            _ => before,
        }
    }

    /// Parts side by side: the latest counts.
    fn latest(&self, net: Net, parts: &[Net]) -> Luts {
        let mut at: u32 = parts.iter().map(|p| self.width(*p)).sum();
        let mut latest: Option<Luts> = None;
        for part in parts {
            at -= self.width(*part);
            let luts = self.luts_of(*part);
            let depth = |l: &Luts| (l.level, l.support());
            if latest.as_ref().is_none_or(|best| depth(&luts) > depth(best)) {
                latest = Some(luts.moved(self, at));
            }
        }
        match latest {
            Some(luts) if luts.level > 0 => luts,
            _ => Luts::leaf(net),
        }
    }

    fn chosen(&self, net: Net, sel: Net, mut values: Vec<Net>) -> Luts {
        values.retain(|v| self.constant(*v).is_none());
        values.sort_unstable();
        values.dedup();
        let (width, count) = (self.width(sel), values.len() as u32);
        let chooses = self.luts_of(sel);
        let level = values.iter().map(|v| self.luts_of(*v).level).max().unwrap_or(0);
        if (width + count) as usize <= INPUTS {
            let mut bits: Vec<Bit> = (0..width).map(|n| (sel, n, 0)).collect();
            bits.extend(values.iter().map(|v| (*v, 0, 0)));
            return Luts { level: level.max(chooses.level) + 1, inputs: Inputs::Few(bits.into()) };
        }
        // Each value is gated by its decoded number, then they are or-ed.
        let decode = reduce(net, &chooses, width).level;
        let gated = Luts::some(decode.max(level) + 1, net, 2);
        reduce(net, &gated, count.max(1))
    }
}
