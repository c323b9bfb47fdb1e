//! Constant folding and other simplifications, as nets are made.
//!
//! Only rules that never make a circuit larger. They let generic circuits be built with constants: a
//! division by 3 is the general divider in which most of the logic has folded away.

use super::{Binary, Def, Module, Net, Reduce};
use restage_program::{Bits, Type, eval::eval, op::Op};

impl Module {
    /// A net for a definition, simplified and shared. Widths have been checked.
    pub(crate) fn make(&mut self, def: Def, width: u32) -> Net {
        match self.simplify(&def, width) {
            Some(net) => net,
            None => self.share(self.ordered(def), width),
        }
    }

    /// Operands of commutative operations in the order of their making.
    fn ordered(&self, def: Def) -> Def {
        match def {
            Def::Binary(
                op @ (Binary::And
                | Binary::Or
                | Binary::Xor
                | Binary::Add
                | Binary::Mul
                | Binary::Eq
                | Binary::Ne),
                a,
                b,
            ) if self.constant(a).is_some() || (b < a && self.constant(b).is_none()) => {
                Def::Binary(op, b, a)
            }
            other => other,
        }
    }

    fn value(&mut self, bits: Bits) -> Net {
        let width = bits.width();
        self.share(Def::Const(bits), width)
    }

    fn flag(&mut self, value: bool) -> Net {
        self.value(Bits::new(1, value.into()))
    }

    fn simplify(&mut self, def: &Def, width: u32) -> Option<Net> {
        match def {
            Def::Not(a) => match self.decl(*a).def.clone() {
                Def::Const(bits) => Some(self.value(computed(Op::Not, &[&bits])?)),
                Def::Not(inner) => Some(inner),
                Def::Binary(Binary::Eq, x, y) => Some(self.make(Def::Binary(Binary::Ne, x, y), 1)),
                Def::Binary(Binary::Ne, x, y) => Some(self.make(Def::Binary(Binary::Eq, x, y), 1)),
                _ => None,
            },
            Def::Binary(op, a, b) => self.simplify_binary(*op, *a, *b, width),
            Def::Reduce(op, a) => self.simplify_reduce(*op, *a),
            Def::Mux(sel, a, b) => self.simplify_mux(*sel, *a, *b),
            Def::Case { sel, arms, default } => {
                if let Some(number) = self.constant(*sel) {
                    let arm = arms.iter().find(|(n, _)| n == number);
                    return Some(arm.map_or(*default, |(_, value)| *value));
                }
                arms.iter().all(|(_, value)| value == default).then_some(*default)
            }
            Def::Slice { of, lo } => self.simplify_slice(*of, *lo, width),
            Def::Concat(parts) => self.simplify_concat(parts, width),
            Def::Repeat(a) => match self.constant(*a) {
                Some(bits) if bits.is_zero() => Some(self.value(Bits::zero(width))),
                Some(_) => Some(self.value(Bits::ones(width))),
                None => (width == 1).then_some(*a),
            },
            _ => None,
        }
    }

    fn simplify_binary(&mut self, op: Binary, a: Net, b: Net, width: u32) -> Option<Net> {
        let (left, right) = (self.constant(a).cloned(), self.constant(b).cloned());
        if let (Some(left), Some(right)) = (&left, &right)
            && width <= restage_program::types::MAX_WIDTH
        {
            return Some(self.value(computed(as_op(op), &[left, right])?));
        }
        let zero = |bits: &Option<Bits>| bits.as_ref().is_some_and(Bits::is_zero);
        let ones = |bits: &Option<Bits>| bits.as_ref().is_some_and(|b| b.as_bitslice().all());
        let nothing = Bits::zero(width);
        match op {
            Binary::And if zero(&left) || zero(&right) => Some(self.value(nothing)),
            Binary::And if ones(&left) || a == b => Some(b),
            Binary::And if ones(&right) => Some(a),
            Binary::Or if ones(&left) || ones(&right) => Some(self.value(Bits::ones(width))),
            Binary::Or if zero(&left) || a == b => Some(b),
            Binary::Or if zero(&right) => Some(a),
            Binary::Xor | Binary::Sub if a == b => Some(self.value(nothing)),
            Binary::Xor | Binary::Add if zero(&left) => Some(b),
            Binary::Xor | Binary::Add | Binary::Sub if zero(&right) => Some(a),
            Binary::Xor if ones(&left) => Some(self.make(Def::Not(b), width)),
            Binary::Xor if ones(&right) => Some(self.make(Def::Not(a), width)),
            Binary::Mul if zero(&left) || zero(&right) => Some(self.value(nothing)),
            Binary::Eq | Binary::Le if a == b => Some(self.flag(true)),
            Binary::Ne | Binary::Lt if a == b => Some(self.flag(false)),
            // Nothing is below 0, everything is from 0 on.
            Binary::Lt if zero(&right) => Some(self.flag(false)),
            Binary::Le if zero(&left) => Some(self.flag(true)),
            Binary::Le if ones(&right) => Some(self.flag(true)),
            Binary::Lt if ones(&left) => Some(self.flag(false)),
            Binary::Eq if self.width(a) == 1 && ones(&right) => Some(a),
            Binary::Eq if self.width(a) == 1 && ones(&left) => Some(b),
            Binary::Ne if self.width(a) == 1 && zero(&right) => Some(a),
            Binary::Ne if self.width(a) == 1 && zero(&left) => Some(b),
            Binary::Eq if self.width(a) == 1 && zero(&right) => Some(self.make(Def::Not(a), 1)),
            Binary::Eq if self.width(a) == 1 && zero(&left) => Some(self.make(Def::Not(b), 1)),
            Binary::Ne if self.width(a) == 1 && ones(&right) => Some(self.make(Def::Not(a), 1)),
            Binary::Ne if self.width(a) == 1 && ones(&left) => Some(self.make(Def::Not(b), 1)),
            _ => None,
        }
    }

    fn simplify_reduce(&mut self, op: Reduce, a: Net) -> Option<Net> {
        if self.width(a) == 1 {
            return Some(a);
        }
        match self.decl(a).def.clone() {
            Def::Const(bits) => {
                let ones = bits.as_bitslice().count_ones();
                Some(self.flag(match op {
                    Reduce::Any => ones > 0,
                    Reduce::All => ones == bits.width() as usize,
                    Reduce::Parity => ones % 2 == 1,
                }))
            }
            // Constant parts decide or vanish.
            Def::Concat(parts) if parts.iter().any(|p| self.constant(*p).is_some()) => {
                let mut kept = Vec::new();
                let mut odd = false;
                for part in parts {
                    let Some(bits) = self.constant(part) else {
                        kept.push(part);
                        continue;
                    };
                    match op {
                        Reduce::Any if !bits.is_zero() => return Some(self.flag(true)),
                        Reduce::All if !bits.as_bitslice().all() => return Some(self.flag(false)),
                        Reduce::Parity => odd ^= bits.as_bitslice().count_ones() % 2 == 1,
                        _ => {}
                    }
                }
                let width = kept.iter().map(|p| self.width(*p)).sum();
                let rest = self.make(Def::Concat(kept), width);
                let reduced = self.make(Def::Reduce(op, rest), 1);
                Some(if odd { self.make(Def::Not(reduced), 1) } else { reduced })
            }
            _ => None,
        }
    }

    fn simplify_mux(&mut self, sel: Net, a: Net, b: Net) -> Option<Net> {
        if a == b {
            return Some(a);
        }
        if let Some(bits) = self.constant(sel) {
            return Some(if bits.is_zero() { b } else { a });
        }
        if let Def::Not(inner) = self.decl(sel).def {
            return Some(self.make(Def::Mux(inner, b, a), self.width(a)));
        }
        if self.width(a) > 1 {
            return None;
        }
        let flag = |net: Net| self.constant(net).map(|bits| !bits.is_zero());
        match (flag(a), flag(b)) {
            (Some(true), Some(false)) => Some(sel),
            (Some(false), Some(true)) => Some(self.make(Def::Not(sel), 1)),
            (Some(true), None) => Some(self.make(Def::Binary(Binary::Or, sel, b), 1)),
            (None, Some(false)) => Some(self.make(Def::Binary(Binary::And, sel, a), 1)),
            _ => None,
        }
    }

    fn simplify_slice(&mut self, of: Net, lo: u32, width: u32) -> Option<Net> {
        if width == self.width(of) {
            return Some(of);
        }
        match self.decl(of).def.clone() {
            Def::Const(bits) => {
                let slice = Op::Slice { hi: lo + width - 1, lo };
                match computed(slice, &[&bits]) {
                    Some(bits) => Some(self.value(bits)),
                    // Wider than any value of a program.
                    None => {
                        let mut limbs = vec![0u64; restage_program::bits::limb_count(width)];
                        for i in (0..width).filter(|i| bits.bit(lo + i)) {
                            limbs[i as usize / 64] |= 1 << (i % 64);
                        }
                        Some(self.value(Bits::from_limbs(width, &limbs)))
                    }
                }
            }
            Def::Slice { of, lo: below } => {
                Some(self.make(Def::Slice { of, lo: lo + below }, width))
            }
            Def::Repeat(a) => Some(self.make(Def::Repeat(a), width)),
            Def::Not(a) => {
                let part = self.make(Def::Slice { of: a, lo }, width);
                Some(self.make(Def::Not(part), width))
            }
            Def::Concat(parts) => {
                let mut kept = Vec::new();
                let mut base = 0;
                for part in parts.iter().rev() {
                    let size = self.width(*part);
                    let (from, to) = (lo.max(base), (lo + width).min(base + size));
                    if from < to {
                        kept.push(self.make(Def::Slice { of: *part, lo: from - base }, to - from));
                    }
                    base += size;
                }
                kept.reverse();
                Some(self.make(Def::Concat(kept), width))
            }
            _ => None,
        }
    }

    fn simplify_concat(&mut self, parts: &[Net], width: u32) -> Option<Net> {
        if let [only] = parts {
            return Some(*only);
        }
        let mut flat: Vec<Net> = Vec::with_capacity(parts.len());
        for part in parts {
            match &self.decl(*part).def {
                Def::Concat(inner) => {
                    for net in inner.clone() {
                        self.append(&mut flat, net);
                    }
                }
                _ => self.append(&mut flat, *part),
            }
        }
        (flat != parts).then(|| self.make(Def::Concat(flat), width))
    }

    /// Adds a part below others; neighbours that belong together become one.
    fn append(&mut self, parts: &mut Vec<Net>, net: Net) {
        let Some(above) = parts.last().copied() else { return parts.push(net) };
        let width = self.width(above) + self.width(net);
        let joined = match (&self.decl(above).def, &self.decl(net).def) {
            (Def::Const(high), Def::Const(low)) => {
                let mut limbs = vec![0u64; restage_program::bits::limb_count(width)];
                let all = low.as_bitslice().iter().chain(high.as_bitslice().iter());
                for (i, _) in all.enumerate().filter(|(_, bit)| **bit) {
                    limbs[i / 64] |= 1 << (i % 64);
                }
                Some(self.value(Bits::from_limbs(width, &limbs)))
            }
            (Def::Slice { of: high, lo: upper }, Def::Slice { of: low, lo: lower })
                if high == low && lower + self.width(net) == *upper =>
            {
                let (of, lo) = (*low, *lower);
                Some(self.make(Def::Slice { of, lo }, width))
            }
            (Def::Repeat(x), Def::Repeat(y)) if x == y => {
                let bit = *x;
                Some(self.make(Def::Repeat(bit), width))
            }
            _ => None,
        };
        match joined {
            Some(joined) => {
                parts.pop();
                parts.push(joined);
            }
            None => parts.push(net),
        }
    }
}

fn as_op(op: Binary) -> Op {
    match op {
        Binary::And => Op::And,
        Binary::Or => Op::Or,
        Binary::Xor => Op::Xor,
        Binary::Add => Op::Add,
        Binary::Sub => Op::Sub,
        Binary::Mul => Op::Mul,
        Binary::Eq => Op::Eq,
        Binary::Ne => Op::Ne,
        Binary::Lt => Op::Lt,
        Binary::Le => Op::Le,
    }
}

/// What the operation computes, as long as the operands are no wider than a program's.
fn computed(op: Op, operands: &[&Bits]) -> Option<Bits> {
    if operands.iter().any(|b| b.width() > restage_program::types::MAX_WIDTH) {
        return None;
    }
    let typed: Vec<(Type, &Bits)> = operands.iter().map(|b| (Type::Bit(b.width()), *b)).collect();
    eval(op, &typed)
}
