//! The operations of [`crate::net`] on signals, with registers where they are needed.

use super::{Pipe, Sig};
use crate::net::{Module, Net};
use std::panic::Location;

impl Pipe {
    /// One operation on aligned operands; those that are logic are registered first if it would
    /// become too deep.
    #[track_caller]
    pub fn combine(
        &mut self,
        operands: &[Sig],
        mut build: impl FnMut(&mut Module, &[Net]) -> Net,
    ) -> Sig {
        let before = self.module().blame;
        self.module().blame = before.or(Some(Location::caller()));
        let mut operands = self.align(operands);
        let mut cycle = self.latest(&operands);
        let mut nets: Vec<Net> = operands.iter().map(|s| s.net).collect();
        let mut net = build(self.module(), &nets);
        let deep = operands.iter().any(|s| self.timing(*s).level > 0);
        if self.module.timing(net).level > self.levels && deep {
            cycle += 1;
            operands = operands.iter().map(|s| self.at(*s, cycle)).collect();
            nets = operands.iter().map(|s| s.net).collect();
            net = build(self.module(), &nets);
        }
        self.module().blame = before;
        self.sig(net, cycle)
    }

    /// Every bit inverted.
    #[track_caller]
    pub fn not(&mut self, a: Sig) -> Sig {
        self.combine(&[a], |m, n| m.not(n[0]))
    }

    /// Bitwise and.
    #[track_caller]
    pub fn and(&mut self, a: Sig, b: Sig) -> Sig {
        self.combine(&[a, b], |m, n| m.and(n[0], n[1]))
    }

    /// Bitwise or.
    #[track_caller]
    pub fn or(&mut self, a: Sig, b: Sig) -> Sig {
        self.combine(&[a, b], |m, n| m.or(n[0], n[1]))
    }

    /// Bitwise exclusive or.
    #[track_caller]
    pub fn xor(&mut self, a: Sig, b: Sig) -> Sig {
        self.combine(&[a, b], |m, n| m.xor(n[0], n[1]))
    }

    /// 1 if equal.
    #[track_caller]
    pub fn eq(&mut self, a: Sig, b: Sig) -> Sig {
        self.combine(&[a, b], |m, n| m.eq(n[0], n[1]))
    }

    /// 1 unless equal.
    #[track_caller]
    pub fn ne(&mut self, a: Sig, b: Sig) -> Sig {
        self.combine(&[a, b], |m, n| m.ne(n[0], n[1]))
    }

    /// `a` if the one bit `sel` is 1, else `b`.
    #[track_caller]
    pub fn mux(&mut self, sel: Sig, a: Sig, b: Sig) -> Sig {
        self.combine(&[sel, a, b], |m, n| m.mux(n[0], n[1], n[2]))
    }

    /// Bits `hi` to `lo`, both included.
    #[track_caller]
    pub fn slice(&mut self, a: Sig, hi: u32, lo: u32) -> Sig {
        let net = self.module().slice(a.net, hi, lo);
        self.sig(net, a.cycle)
    }

    /// One bit.
    #[track_caller]
    pub fn bit(&mut self, a: Sig, index: u32) -> Sig {
        self.slice(a, index, index)
    }

    /// Joined, the first part most significant.
    #[track_caller]
    pub fn concat(&mut self, parts: &[Sig]) -> Sig {
        self.combine(parts, |m, n| m.concat(n))
    }

    /// One bit, `times` times.
    #[track_caller]
    pub fn repeat(&mut self, a: Sig, times: u32) -> Sig {
        self.combine(&[a], |m, n| m.repeat(n[0], times))
    }

    /// Extended by zeros to `width` bits.
    #[track_caller]
    pub fn zext(&mut self, a: Sig, width: u32) -> Sig {
        self.combine(&[a], |m, n| m.zext(n[0], width))
    }

    /// Extended by copies of the highest bit to `width` bits.
    #[track_caller]
    pub fn sext(&mut self, a: Sig, width: u32) -> Sig {
        self.combine(&[a], |m, n| m.sext(n[0], width))
    }

    /// Cut or extended by zeros to `width` bits.
    #[track_caller]
    pub fn resize(&mut self, a: Sig, width: u32) -> Sig {
        self.combine(&[a], |m, n| m.resize(n[0], width))
    }

    /// Moved up by a constant, zeros below; the width stays.
    #[track_caller]
    pub fn shl_const(&mut self, a: Sig, by: u32) -> Sig {
        self.combine(&[a], |m, n| m.shl_const(n[0], by))
    }

    /// Moved down by a constant, zeros above; the width stays.
    #[track_caller]
    pub fn shr_const(&mut self, a: Sig, by: u32) -> Sig {
        self.combine(&[a], |m, n| m.shr_const(n[0], by))
    }

    /// 1 if any bit is 1.
    #[track_caller]
    pub fn any(&mut self, a: Sig) -> Sig {
        self.combine(&[a], |m, n| m.any(n[0]))
    }

    /// 1 if all bits are 1.
    #[track_caller]
    pub fn all(&mut self, a: Sig) -> Sig {
        self.combine(&[a], |m, n| m.all(n[0]))
    }

    /// 1 if an odd number of bits is 1.
    #[track_caller]
    pub fn parity(&mut self, a: Sig) -> Sig {
        self.combine(&[a], |m, n| m.parity(n[0]))
    }

    /// The or of all signals; at least one.
    #[track_caller]
    pub fn or_all(&mut self, signals: &[Sig]) -> Sig {
        self.tree(signals, |m, n| m.or_all(n))
    }

    /// The and of all signals; at least one.
    #[track_caller]
    pub fn and_all(&mut self, signals: &[Sig]) -> Sig {
        self.tree(signals, |m, n| m.and_all(n))
    }

    /// The exclusive or of all signals; at least one.
    #[track_caller]
    pub fn xor_all(&mut self, signals: &[Sig]) -> Sig {
        self.tree(signals, |m, n| m.xor_all(n))
    }

    /// The value whose condition is 1; 0 if none is. At most one condition may be 1.
    #[track_caller]
    pub fn select(&mut self, choices: &[(Sig, Sig)]) -> Sig {
        let terms: Vec<Sig> = choices
            .iter()
            .map(|(condition, value)| {
                self.combine(&[*condition, *value], |m, n| m.select(&[(n[0], n[1])]))
            })
            .collect();
        self.or_all(&terms)
    }

    /// The value listed for the number `sel`, or the default. A number listed twice is a fault.
    #[track_caller]
    pub fn case(&mut self, sel: Sig, arms: &[(u64, Sig)], default: Sig) -> Sig {
        let mut operands = vec![sel, default];
        operands.extend(arms.iter().map(|(_, value)| *value));
        let direct = self.combine(&operands, |m, n| {
            let arms: Vec<(u64, Net)> =
                arms.iter().zip(&n[2..]).map(|((number, _), net)| (*number, *net)).collect();
            m.case(n[0], &arms, n[1])
        });
        if self.timing(direct).level <= self.levels {
            return direct;
        }
        // Too many for one cycle: decoded, gated and joined with registers wherever they are needed.
        let width = self.width(sel);
        let mut choices = Vec::with_capacity(arms.len() + 1);
        for (number, value) in arms {
            let number = self.lit(width, *number);
            choices.push((self.eq(sel, number), *value));
        }
        let hits: Vec<Sig> = choices.iter().map(|(hit, _)| *hit).collect();
        let hit = self.or_all(&hits);
        let other = self.not(hit);
        choices.push((other, default));
        self.select(&choices)
    }

    /// A tree that is cut into pieces of one lookup table wherever it becomes too deep.
    #[track_caller]
    fn tree(&mut self, signals: &[Sig], build: impl Fn(&mut Module, &[Net]) -> Net + Copy) -> Sig {
        let mut signals = signals.to_vec();
        while signals.len() > 6 {
            // Early ones first, so that late ones meet few others.
            signals.sort_by_key(|s| (s.cycle, s.net));
            let rest = signals.split_off(6);
            let six = self.combine(&signals, build);
            signals = rest;
            signals.push(six);
        }
        self.combine(&signals, build)
    }
}
