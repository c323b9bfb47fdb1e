//! Sums, differences, comparisons and products of any width.
//!
//! A carry chain is at most [`SEGMENT`] bits long. Wider operands are cut into segments that are added
//! side by side; which of them generate a carry and which pass one on are two numbers of one bit per
//! segment, and the carries between the segments are those of one more, short addition.

use super::{Pipe, Sig};
use crate::net::{LUT_INPUTS, Module, Net};
use restage_program::Bits;

/// Bits of one carry chain.
pub const SEGMENT: u32 = 64;

/// The same in a loop, which cannot have a register.
pub const LOOP_SEGMENT: u32 = 128;

/// Lookup tables that an operand of a carry chain may have behind it. Synthesis evens out each side of a chain as if it
/// were a path of its own, so that one which is long on both sides becomes longer than the estimate says. With 2 no
/// region of the library got another latency class, with 1 five did.
const CHAIN_LEVELS: u32 = 2;

/// Factors that a multiplier of the FPGA takes, both unsigned.
const FACTOR_A: u32 = 26;
const FACTOR_B: u32 = 17;

impl Pipe {
    /// Sum modulo 2^width, of any width.
    #[track_caller]
    pub fn add(&mut self, a: Sig, b: Sig) -> Sig {
        let width = self.width(a);
        if self.whole(a, b) {
            return self.chain(a, b, |m, n| m.add(n[0], n[1]));
        }
        let sum = self.sum(a, b, false);
        self.slice(sum, width - 1, 0)
    }

    /// Difference modulo 2^width, of any width.
    #[track_caller]
    pub fn sub(&mut self, a: Sig, b: Sig) -> Sig {
        let width = self.width(a);
        if self.whole(a, b) {
            return self.chain(a, b, |m, n| m.sub(n[0], n[1]));
        }
        let not_b = self.not(b);
        let sum = self.sum(a, not_b, true);
        self.slice(sum, width - 1, 0)
    }

    /// The sum with its carry above it.
    #[track_caller]
    pub fn add_carry(&mut self, a: Sig, b: Sig) -> Sig {
        let width = self.width(a);
        let most = if self.levels == u32::MAX { LOOP_SEGMENT } else { SEGMENT };
        if width < most || width != self.width(b) {
            return self.chain(a, b, |m, n| {
                let (a, b) = (m.zext(n[0], width + 1), m.zext(n[1], width + 1));
                m.add(a, b)
            });
        }
        self.sum(a, b, false)
    }

    /// 1 if `a < b`, unsigned, of any width.
    #[track_caller]
    pub fn lt(&mut self, a: Sig, b: Sig) -> Sig {
        if self.whole(a, b) {
            return self.chain(a, b, |m, n| m.lt(n[0], n[1]));
        }
        self.compare(a, b, false)
    }

    /// 1 if `a <= b`, unsigned, of any width.
    #[track_caller]
    pub fn le(&mut self, a: Sig, b: Sig) -> Sig {
        if self.whole(a, b) {
            return self.chain(a, b, |m, n| m.le(n[0], n[1]));
        }
        self.compare(a, b, true)
    }

    /// One carry chain, or a lookup table if that is enough. Outside of loops a chain's operands that are deeper than
    /// [`CHAIN_LEVELS`] are registered first.
    #[track_caller]
    fn chain(&mut self, a: Sig, b: Sig, build: impl FnMut(&mut Module, &[Net]) -> Net) -> Sig {
        let carries = 2 * self.width(a) > LUT_INPUTS && self.levels != u32::MAX;
        let [a, b] = [a, b].map(|s| {
            let late = carries && self.timing(s).level > CHAIN_LEVELS;
            if late { self.register(s) } else { s }
        });
        self.combine(&[a, b], build)
    }

    /// Whether one carry chain is enough. Operands that do not fit each other are one too, so that the
    /// module notes the fault.
    fn whole(&self, a: Sig, b: Sig) -> bool {
        let constant = self.constant(a).is_some() && self.constant(b).is_some();
        let most = if self.levels == u32::MAX { LOOP_SEGMENT } else { SEGMENT };
        self.width(a) <= most || self.width(a) != self.width(b) || constant
    }

    /// Bits of every segment: (high, low), the lowest first.
    fn segments(&self, a: Sig) -> Vec<(u32, u32)> {
        let width = self.width(a);
        (0..width.div_ceil(SEGMENT))
            .map(|i| ((i * SEGMENT + SEGMENT).min(width) - 1, i * SEGMENT))
            .collect()
    }

    /// The carry into every segment and, as the last bit, out of the highest one, given which segments
    /// generate a carry and which pass one on.
    fn carries(&mut self, generate: &[Sig], pass: &[Sig], carry_in: bool) -> Sig {
        let top_first = |list: &[Sig]| list.iter().rev().copied().collect::<Vec<_>>();
        let (generate, pass) = (top_first(generate), top_first(pass));
        let generate = self.concat(&generate);
        let pass = self.concat(&pass);
        let either = self.or(generate, pass);
        // One bit more above, for the last carry, and one below if there is a carry in.
        let count = self.width(generate);
        let (a, b) = (self.zext(either, count + 1), self.zext(generate, count + 1));
        let differ = self.xor(a, b);
        let sum = if carry_in {
            let one = self.lit(1, 1);
            let (a, b) = (self.concat(&[a, one]), self.concat(&[b, one]));
            let sum = self.add(a, b);
            self.slice(sum, count + 1, 1)
        } else {
            self.add(a, b)
        };
        // Where sum and exclusive or differ there came a carry.
        self.xor(sum, differ)
    }

    /// `a + b + carry_in`, one bit wider.
    fn sum(&mut self, a: Sig, b: Sig, carry_in: bool) -> Sig {
        let (mut sums, mut generate, mut pass) = (Vec::new(), Vec::new(), Vec::new());
        for (hi, lo) in self.segments(a) {
            let (x, y) = (self.slice(a, hi, lo), self.slice(b, hi, lo));
            let sum = self.chain(x, y, |m, n| {
                let width = hi - lo + 2;
                let (x, y) = (m.zext(n[0], width), m.zext(n[1], width));
                m.add(x, y)
            });
            let sum = self.register(sum);
            let low = self.slice(sum, hi - lo, 0);
            generate.push(self.bit(sum, hi - lo + 1));
            pass.push(self.all(low));
            sums.push(low);
        }
        let carries = self.carries(&generate, &pass, carry_in);
        let carries = self.register(carries);
        let mut parts = vec![self.bit(carries, sums.len() as u32)];
        for (index, low) in sums.iter().enumerate().rev() {
            let carry = self.bit(carries, index as u32);
            let carry = self.zext(carry, self.width(*low));
            parts.push(self.add(*low, carry));
        }
        self.concat(&parts)
    }

    fn compare(&mut self, a: Sig, b: Sig, or_equal: bool) -> Sig {
        let (mut less, mut equal) = (Vec::new(), Vec::new());
        for (hi, lo) in self.segments(a) {
            let (x, y) = (self.slice(a, hi, lo), self.slice(b, hi, lo));
            less.push(self.lt(x, y));
            equal.push(self.eq(x, y));
        }
        let carries = self.carries(&less, &equal, or_equal);
        self.bit(carries, less.len() as u32)
    }

    /// The whole product: as wide as both operands together.
    #[track_caller]
    pub fn mul(&mut self, a: Sig, b: Sig) -> Sig {
        let width = self.width(a) + self.width(b);
        self.mul_low(a, b, width)
    }

    /// The lowest `width` bits of the product.
    #[track_caller]
    pub fn mul_low(&mut self, a: Sig, b: Sig, width: u32) -> Sig {
        let (a, b) = if self.constant(a).is_some() { (b, a) } else { (a, b) };
        if let Some(factor) = self.constant(b).cloned()
            && factor.as_bitslice().count_ones() <= 2
        {
            return self.mul_sparse(a, &factor, width);
        }
        let rows = self.partial_products(a, b, width);
        self.sum_all(&rows, width)
    }

    /// The product with a number of few ones.
    fn mul_sparse(&mut self, a: Sig, factor: &Bits, width: u32) -> Sig {
        let wide = self.resize(a, width);
        let terms: Vec<Sig> =
            factor.as_bitslice().iter_ones().map(|by| self.shl_const(wide, by as u32)).collect();
        self.sum_all(&terms, width)
    }

    /// Numbers whose sum is the product: products that do not overlap share one.
    fn partial_products(&mut self, a: Sig, b: Sig, width: u32) -> Vec<Sig> {
        let mut rows = Vec::new();
        for j in (0..self.width(b)).step_by(FACTOR_B as usize) {
            let y = self.slice(b, (j + FACTOR_B).min(self.width(b)) - 1, j);
            if self.constant(y).is_some_and(Bits::is_zero) {
                continue;
            }
            for odd in 0..2 {
                // From the lowest bit up; what has been filled so far.
                let (mut parts, mut filled) = (Vec::new(), 0);
                let starts = (odd * FACTOR_A..self.width(a)).step_by(2 * FACTOR_A as usize);
                for i in starts.filter(|i| i + j < width) {
                    let x = self.slice(a, (i + FACTOR_A).min(self.width(a)) - 1, i);
                    let (x, y) = (self.registered(x), self.registered(y));
                    let product = self.combine(&[x, y], |m, n| m.mul(n[0], n[1]));
                    let product = self.register(product);
                    if i + j > filled {
                        let gap = self.bits(&Bits::zero(i + j - filled));
                        parts.push(gap);
                    }
                    filled = i + j + self.width(product);
                    parts.push(product);
                }
                if !parts.is_empty() {
                    parts.reverse();
                    let row = self.concat(&parts);
                    rows.push(self.resize(row, width));
                }
            }
        }
        rows
    }

    /// The sum modulo 2^width of any number of numbers of that width; 0 of none.
    #[track_caller]
    pub fn sum_all(&mut self, numbers: &[Sig], width: u32) -> Sig {
        let mut numbers = numbers.to_vec();
        // Wide sums are kept as two numbers without carries until there are only two.
        while width > SEGMENT && numbers.len() > 2 {
            let mut next = Vec::new();
            for group in numbers.chunks(3) {
                match *group {
                    [a, b, c] => {
                        next.push(self.xor_all(&[a, b, c]));
                        let carry = self.combine(&[a, b, c], |m, n| {
                            let (ab, ac, bc) =
                                (m.and(n[0], n[1]), m.and(n[0], n[2]), m.and(n[1], n[2]));
                            let carry = m.or_all(&[ab, ac, bc]);
                            m.shl_const(carry, 1)
                        });
                        next.push(carry);
                    }
                    _ => next.extend_from_slice(group),
                }
            }
            numbers = next;
        }
        while numbers.len() > 1 {
            numbers = numbers
                .chunks(2)
                .map(|pair| match *pair {
                    [a, b] => self.add(a, b),
                    _ => pair[0],
                })
                .collect();
        }
        match numbers.first() {
            Some(sum) => *sum,
            None => self.bits(&Bits::zero(width)),
        }
    }
}
