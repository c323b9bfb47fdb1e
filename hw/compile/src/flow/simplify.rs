//! Rules by which an operation becomes a smaller one. Each is an equation that holds for all operands.

use super::{Def, Maker, Slot, Value, evaluate};
use restage_program::op::Op;
use restage_program::types::{MAX_WIDTH, bit};
use restage_program::{Bits, Type};

/// Links of a chain of choices that is compared with a constant.
const MOST_LINKS: usize = 32;

impl Maker<'_> {
    /// The operation, or what it is equal to.
    pub(super) fn simplified(&mut self, op: Op, args: &[Value]) -> Value {
        let types: Vec<Type> = args.iter().map(|a| self.ty(*a)).collect();
        let ty = match op.result_type(&types) {
            Ok(ty) => ty,
            // Only for varbits beyond the widest number, which are chosen and nothing else; the verifier
            // finds anything else.
            Err(_) => types.last().copied().unwrap_or(Type::Bool),
        };
        if args.iter().all(|a| self.as_const(*a).is_some())
            && types.iter().all(|t| t.width() <= MAX_WIDTH)
        {
            let def = Def::Op(op, args.to_vec());
            let known = evaluate(&def, |a| {
                let bits = self.as_const(a).cloned().unwrap_or_default();
                (self.ty(a), bits)
            });
            if let Some(bits) = known {
                return self.constant(ty, bits);
            }
        }
        let simpler = match (op, args) {
            (Op::Mux, [c, a, b]) => self.simpler_mux(*c, *a, *b),
            (Op::And | Op::Or | Op::Xor, [a, b]) => self.simpler_bitwise(op, *a, *b),
            (Op::Not, [a]) => match self.decl(*a).def {
                Def::Op(Op::Not, ref inner) => inner.first().copied(),
                _ => None,
            },
            (Op::Eq | Op::Ne, [a, b]) => self.simpler_equality(op, *a, *b),
            (Op::Cast(to), [a]) => self.simpler_cast(to, *a),
            (Op::Slice { hi, lo }, [a]) => self.simpler_slice(hi, lo, *a),
            (Op::Add | Op::Shl | Op::Shr | Op::SatAdd, [a, b]) => {
                let (za, zb) = (self.is_zero(*a), self.is_zero(*b));
                match op {
                    _ if zb => Some(*a),
                    Op::Add | Op::SatAdd if za => Some(*b),
                    _ => None,
                }
            }
            (Op::Sub | Op::SatSub, [a, b]) if self.is_zero(*b) => Some(*a),
            _ => None,
        };
        if let Some(simpler) = simpler {
            return simpler;
        }
        let mut args = args.to_vec();
        // One order for what commutes, so that equal values are found: constants last.
        if matches!(op, Op::And | Op::Or | Op::Xor | Op::Add | Op::Eq | Op::Ne | Op::Mul) {
            args.sort_by_key(|a| (self.as_const(*a).is_some(), *a));
        }
        self.define(ty, Def::Op(op, args))
    }

    fn is_zero(&self, value: Value) -> bool {
        self.as_const(value).is_some_and(Bits::is_zero)
    }

    fn is_ones(&self, value: Value) -> bool {
        self.as_const(value).is_some_and(|b| *b == Bits::ones(b.width()))
    }

    /// Whether one is the other's negation.
    fn opposite(&self, a: Value, b: Value) -> bool {
        let negated = |of: Value, x: Value| match &self.decl(of).def {
            Def::Op(Op::Not, args) => args.first() == Some(&x),
            _ => false,
        };
        negated(a, b) || negated(b, a)
    }

    fn simpler_mux(&mut self, c: Value, a: Value, b: Value) -> Option<Value> {
        if a == b {
            return Some(a);
        }
        if let Some(truth) = self.as_truth(c) {
            return Some(if truth { a } else { b });
        }
        if let Def::Op(Op::Not, args) = &self.decl(c).def
            && let [inner] = args.as_slice()
        {
            let inner = *inner;
            return Some(self.mux(inner, b, a));
        }
        if self.ty(a) == Type::Bool {
            match (self.as_truth(a), self.as_truth(b)) {
                (Some(true), Some(false)) => return Some(c),
                (Some(false), Some(true)) => return Some(self.not(c)),
                (Some(true), None) => return Some(self.or(c, b)),
                (None, Some(false)) => return Some(self.and(c, a)),
                (Some(false), None) => {
                    let not = self.not(c);
                    return Some(self.and(not, b));
                }
                (None, Some(true)) => {
                    let not = self.not(c);
                    return Some(self.or(not, a));
                }
                _ if a == c => return Some(self.or(c, b)),
                _ if b == c => return Some(self.and(c, a)),
                _ => {}
            }
        }
        // A field of an invalid header is 0.
        if self.is_field_of(b, c) && !self.is_zero(b) {
            let ty = self.ty(b);
            let zero = self.zero(ty);
            return Some(self.mux(c, a, zero));
        }
        // c ? (c ? x : y) : b, and the other way round.
        if let Some((inner, x, _)) = self.as_mux(a)
            && inner == c
        {
            return Some(self.mux(c, x, b));
        }
        if let Some((inner, _, y)) = self.as_mux(b)
            && inner == c
        {
            return Some(self.mux(c, a, y));
        }
        // c ? (d ? x : b) : b
        if let Some((d, x, y)) = self.as_mux(a) {
            if y == b {
                let both = self.and(c, d);
                return Some(self.mux(both, x, b));
            }
            if x == b {
                let not = self.not(d);
                let both = self.and(c, not);
                return Some(self.mux(both, y, b));
            }
        }
        // c ? a : (d ? a : y)
        if let Some((d, x, y)) = self.as_mux(b)
            && x == a
        {
            let either = self.or(c, d);
            return Some(self.mux(either, a, y));
        }
        None
    }

    /// Whether one is what a field of a header held in the beginning, and the other whether it was valid.
    fn is_field_of(&self, field: Value, valid: Value) -> bool {
        match (&self.decl(field).def, &self.decl(valid).def) {
            (
                Def::Slot(Slot::Field(header, _) | Slot::VarLength(header)),
                Def::Slot(Slot::Valid(of)),
            ) => header == of,
            _ => false,
        }
    }

    fn as_mux(&self, value: Value) -> Option<(Value, Value, Value)> {
        match &self.decl(value).def {
            Def::Op(Op::Mux, args) => match args.as_slice() {
                [c, a, b] => Some((*c, *a, *b)),
                _ => None,
            },
            _ => None,
        }
    }

    fn simpler_bitwise(&mut self, op: Op, a: Value, b: Value) -> Option<Value> {
        let (zero, ones) = match (self.is_zero(a), self.is_zero(b)) {
            (true, _) => (Some(b), None),
            (_, true) => (Some(a), None),
            _ if self.is_ones(a) => (None, Some(b)),
            _ if self.is_ones(b) => (None, Some(a)),
            _ => (None, None),
        };
        let ty = self.ty(a);
        let same = a == b;
        match op {
            Op::And if zero.is_some() => Some(self.zero(ty)),
            Op::Or | Op::Xor if zero.is_some() => zero,
            Op::And if ones.is_some() => ones,
            Op::Or if ones.is_some() => {
                let ones = Bits::ones(ty.width());
                Some(self.constant(ty, ones))
            }
            Op::Xor => match ones {
                Some(other) => Some(self.not(other)),
                None if same => Some(self.zero(ty)),
                None => None,
            },
            Op::And | Op::Or if same => Some(a),
            Op::And if self.opposite(a, b) => Some(self.zero(ty)),
            Op::Or if self.opposite(a, b) => {
                let ones = Bits::ones(ty.width());
                Some(self.constant(ty, ones))
            }
            Op::And | Op::Or => self.absorbed(op, a, b).or_else(|| self.absorbed(op, b, a)),
            _ => None,
        }
    }

    /// `a & (a & x)` is `a & x`, `a & (a | x)` is `a`, `a & (!a | x)` is `a & x`, `a & (!a & x)` is 0; and
    /// with and and or exchanged.
    fn absorbed(&mut self, op: Op, a: Value, b: Value) -> Option<Value> {
        let (inner, [x, y]) = match &self.decl(b).def {
            Def::Op(inner @ (Op::And | Op::Or), args) => {
                (*inner, <[Value; 2]>::try_from(args.as_slice()).ok()?)
            }
            _ => return None,
        };
        if x == a || y == a {
            return Some(if inner == op { b } else { a });
        }
        let rest = if self.opposite(x, a) {
            y
        } else if self.opposite(y, a) {
            x
        } else {
            return None;
        };
        if inner != op {
            return Some(self.op(op, &[a, rest]));
        }
        let ty = self.ty(a);
        let bits = if op == Op::And { Bits::zero(ty.width()) } else { Bits::ones(ty.width()) };
        Some(self.constant(ty, bits))
    }

    fn simpler_equality(&mut self, op: Op, a: Value, b: Value) -> Option<Value> {
        if a == b {
            return Some(self.truth(op == Op::Eq));
        }
        if self.ty(a) == Type::Bool {
            let known = self.as_truth(a).map(|t| (t, b)).or(self.as_truth(b).map(|t| (t, a)));
            if let Some((truth, other)) = known {
                return Some(if truth == (op == Op::Eq) { other } else { self.not(other) });
            }
        }
        // A number that was extended is compared as it was.
        let (wide, number) = match (self.as_const(a), self.as_const(b)) {
            (Some(n), None) => (b, n.clone()),
            (None, Some(n)) => (a, n.clone()),
            _ => return None,
        };
        let number_value = if wide == a { b } else { a };
        if let Some(chosen) = self.equality_of_choice(op, wide, number_value) {
            return Some(chosen);
        }
        let Def::Op(Op::Cast(to), args) = &self.decl(wide).def else { return None };
        let [inner] = args.as_slice() else { return None };
        let inner = *inner;
        let from = self.ty(inner);
        if !matches!(from, Type::Bit(_) | Type::Bool) || to.width() < from.width() {
            return None;
        }
        if number.significant() > from.width() {
            return Some(self.truth(op == Op::Ne));
        }
        let narrow = self.constant(from, number.resize(from.width()));
        Some(self.op(op, &[inner, narrow]))
    }

    /// A chain of choices between constants is compared link by link: `(c ? 1 : x) == 2` is `!c && x == 2`.
    fn equality_of_choice(&mut self, op: Op, chosen: Value, number: Value) -> Option<Value> {
        let (mut links, mut rest) = (Vec::new(), chosen);
        while let Some((condition, x, y)) = self.as_mux(rest) {
            if links.len() == MOST_LINKS {
                return None;
            }
            let first = self.as_const(x).is_some();
            if !first && self.as_const(y).is_none() {
                break;
            }
            links.push((condition, if first { x } else { y }, first));
            rest = if first { y } else { x };
        }
        if links.is_empty() {
            return None;
        }
        let mut made = self.op(op, &[rest, number]);
        for (condition, known, first) in links.into_iter().rev() {
            let known = self.op(op, &[known, number]);
            let (x, y) = if first { (known, made) } else { (made, known) };
            made = self.mux(condition, x, y);
        }
        Some(made)
    }

    fn simpler_cast(&mut self, to: Type, a: Value) -> Option<Value> {
        let from = self.ty(a);
        if from == to {
            return Some(a);
        }
        let Def::Op(Op::Cast(middle), args) = &self.decl(a).def else { return None };
        let (middle, inner) = (*middle, *args.first()?);
        let source = self.ty(inner);
        if source == Type::Bool || to == Type::Bool {
            return (source == to).then_some(inner);
        }
        // Extended and cut again, cut twice, or zeros twice.
        let same = source.is_signed() == middle.is_signed();
        let cuts = to.width() <= middle.width();
        if (cuts && (to.width() <= source.width() || same))
            || same && middle.width() >= source.width()
        {
            return Some(self.cast(to, inner));
        }
        None
    }

    fn simpler_slice(&mut self, hi: u32, lo: u32, a: Value) -> Option<Value> {
        let ty = self.ty(a);
        if lo == 0 && hi + 1 == ty.width() && matches!(ty, Type::Bit(_)) {
            return Some(a);
        }
        let Def::Op(op, args) = &self.decl(a).def else { return None };
        match (*op, args.as_slice()) {
            (Op::Slice { lo: base, .. }, [of]) => {
                let of = *of;
                Some(self.op(Op::Slice { hi: hi + base, lo: lo + base }, &[of]))
            }
            (Op::Concat, [upper, lower]) => {
                let (upper, lower) = (*upper, *lower);
                let split = self.ty(lower).width();
                if hi < split {
                    Some(self.op(Op::Slice { hi, lo }, &[lower]))
                } else if lo >= split {
                    Some(self.op(Op::Slice { hi: hi - split, lo: lo - split }, &[upper]))
                } else {
                    None
                }
            }
            (Op::Cast(_), [of]) => {
                let of = *of;
                let from = self.ty(of);
                if from.is_number() && hi < from.width() {
                    Some(self.op(Op::Slice { hi, lo }, &[of]))
                } else if matches!(from, Type::Bit(w) if lo >= w) {
                    Some(self.zero(bit(hi - lo + 1)))
                } else {
                    None
                }
            }
            _ => None,
        }
    }
}
