//! Logic as gates of two inputs: ands and inverters, equal ones shared.

use std::collections::HashMap;

/// Inputs of a lookup table.
pub const INPUTS: u32 = 6;

/// A gate's output or a source, or its inverse.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Lit(u32);

impl Lit {
    pub const ZERO: Lit = Lit(0);
    pub const ONE: Lit = Lit(1);

    /// The gate, without the inverter.
    pub fn node(self) -> usize {
        (self.0 >> 1) as usize
    }

    /// Whether there is an inverter.
    pub fn inverted(self) -> bool {
        self.0 & 1 == 1
    }

    pub fn constant(self) -> bool {
        self.node() == 0
    }
}

impl std::ops::Not for Lit {
    type Output = Lit;
    fn not(self) -> Lit {
        Lit(self.0 ^ 1)
    }
}

impl From<bool> for Lit {
    fn from(bit: bool) -> Lit {
        if bit { Lit::ONE } else { Lit::ZERO }
    }
}

/// Gates, each behind those it depends on. The first is the constant 0.
#[derive(Debug)]
pub struct Gates {
    /// The inputs of an and; none for sources.
    inputs: Vec<Option<[Lit; 2]>>,
    /// Inputs of the lookup table that it would come from, if tables were filled from the sources on.
    inputs_of: Vec<u32>,
    known: HashMap<[Lit; 2], Lit>,
}

impl Gates {
    pub fn new() -> Self {
        Gates { inputs: vec![None], inputs_of: vec![0], known: HashMap::new() }
    }

    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    /// The inputs of an and.
    pub fn and_of(&self, node: usize) -> Option<[Lit; 2]> {
        self.inputs.get(node).copied().flatten()
    }

    fn push(&mut self, inputs: Option<[Lit; 2]>) -> Lit {
        let sum = inputs.map_or(1, |lits| lits.iter().map(|lit| self.inputs_of(*lit)).sum());
        self.inputs_of.push(if sum > INPUTS { 2 } else { sum });
        self.inputs.push(inputs);
        Lit((self.inputs.len() as u32 - 1) << 1)
    }

    /// Something that no logic makes: a register, a RAM, a carry.
    pub fn source(&mut self) -> Lit {
        self.push(None)
    }

    pub fn and(&mut self, a: Lit, b: Lit) -> Lit {
        let (a, b) = if a < b { (a, b) } else { (b, a) };
        match (a, b) {
            (Lit::ZERO, _) => return Lit::ZERO,
            (Lit::ONE, b) => return b,
            _ if a == b => return a,
            _ if a == !b => return Lit::ZERO,
            _ => {}
        }
        if let Some(known) = self.known.get(&[a, b]) {
            return *known;
        }
        let made = self.push(Some([a, b]));
        self.known.insert([a, b], made);
        made
    }

    pub fn or(&mut self, a: Lit, b: Lit) -> Lit {
        !self.and(!a, !b)
    }

    pub fn xor(&mut self, a: Lit, b: Lit) -> Lit {
        // One gate for both polarities.
        let inverted = a.inverted() != b.inverted();
        let (a, b) = (Lit(a.0 & !1), Lit(b.0 & !1));
        let (left, right) = (self.and(a, !b), self.and(!a, b));
        let made = self.or(left, right);
        if inverted { !made } else { made }
    }

    pub fn mux(&mut self, sel: Lit, one: Lit, zero: Lit) -> Lit {
        if one == zero {
            return one;
        }
        if one == !zero {
            return self.xor(sel, zero);
        }
        let (left, right) = (self.and(sel, one), self.and(!sel, zero));
        self.or(left, right)
    }

    /// All of them, as a tree of groups that fit a lookup table.
    pub fn tree(&mut self, bits: &[Lit], one: impl Fn(&mut Self, Lit, Lit) -> Lit) -> Option<Lit> {
        let mut row: Vec<(Lit, u32)> =
            bits.iter().map(|lit| (*lit, self.inputs_of(*lit))).collect();
        while row.len() > 1 {
            let mut groups: Vec<(Lit, u32)> = Vec::new();
            for (lit, inputs) in &row {
                match groups.last_mut().filter(|(_, used)| used + inputs <= INPUTS) {
                    Some((all, used)) => (*all, *used) = (one(self, *all, *lit), *used + inputs),
                    None => groups.push((*lit, *inputs)),
                }
            }
            if groups.len() == row.len() {
                // Full ones become outputs of tables.
                groups.iter_mut().for_each(|(_, inputs)| *inputs = 1);
            }
            row = groups;
        }
        row.first().map(|(lit, _)| *lit)
    }

    /// Inputs of the lookup table that a signal would come from.
    fn inputs_of(&self, lit: Lit) -> u32 {
        self.inputs_of.get(lit.node()).copied().unwrap_or(1)
    }

    pub fn all(&mut self, bits: &[Lit]) -> Lit {
        self.tree(bits, Gates::and).unwrap_or(Lit::ONE)
    }

    pub fn any(&mut self, bits: &[Lit]) -> Lit {
        self.tree(bits, Gates::or).unwrap_or(Lit::ZERO)
    }
}
