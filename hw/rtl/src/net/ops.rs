//! Pure operations. All operands of one operation have one width unless said otherwise.

use super::{Binary, Def, FaultKind, Module, Net, Reduce};
use restage_program::Bits;
use std::panic::Location;

pub(super) type At = &'static Location<'static>;

impl Module {
    /// A number in `width` bits; it must fit.
    #[track_caller]
    pub fn lit(&mut self, width: u32, value: u64) -> Net {
        let at = Location::caller();
        if width < 64 && value >> width != 0 {
            self.fault(at, FaultKind::Literal { value, width });
        }
        let width = self.some_width("lit", width, at);
        self.share(Def::Const(Bits::new(width, value.into())), width)
    }

    /// A constant.
    #[track_caller]
    pub fn bits(&mut self, bits: &Bits) -> Net {
        let width = self.some_width("bits", bits.width(), Location::caller());
        self.share(Def::Const(bits.resize(width)), width)
    }

    /// Every bit inverted.
    #[track_caller]
    pub fn not(&mut self, a: Net) -> Net {
        if !self.all_known(&[a], Location::caller()) {
            return self.broken(1);
        }
        let width = self.width(a);
        self.make(Def::Not(a), width)
    }

    /// Bitwise and.
    #[track_caller]
    pub fn and(&mut self, a: Net, b: Net) -> Net {
        self.binary(Binary::And, "and", a, b, Location::caller())
    }

    /// Bitwise or.
    #[track_caller]
    pub fn or(&mut self, a: Net, b: Net) -> Net {
        self.binary(Binary::Or, "or", a, b, Location::caller())
    }

    /// Bitwise exclusive or.
    #[track_caller]
    pub fn xor(&mut self, a: Net, b: Net) -> Net {
        self.binary(Binary::Xor, "xor", a, b, Location::caller())
    }

    /// Sum modulo 2^width.
    #[track_caller]
    pub fn add(&mut self, a: Net, b: Net) -> Net {
        self.binary(Binary::Add, "add", a, b, Location::caller())
    }

    /// Difference modulo 2^width.
    #[track_caller]
    pub fn sub(&mut self, a: Net, b: Net) -> Net {
        self.binary(Binary::Sub, "sub", a, b, Location::caller())
    }

    /// The whole product of two unsigned numbers: as wide as both together.
    #[track_caller]
    pub fn mul(&mut self, a: Net, b: Net) -> Net {
        let at = Location::caller();
        if !self.all_known(&[a, b], at) {
            return self.broken(1);
        }
        let width = self.width(a) + self.width(b);
        let (a, b) = (self.zext(a, width), self.zext(b, width));
        self.make(Def::Binary(Binary::Mul, a, b), width)
    }

    /// 1 if equal.
    #[track_caller]
    pub fn eq(&mut self, a: Net, b: Net) -> Net {
        self.binary(Binary::Eq, "eq", a, b, Location::caller())
    }

    /// 1 unless equal.
    #[track_caller]
    pub fn ne(&mut self, a: Net, b: Net) -> Net {
        self.binary(Binary::Ne, "ne", a, b, Location::caller())
    }

    /// 1 if `a < b`, unsigned.
    #[track_caller]
    pub fn lt(&mut self, a: Net, b: Net) -> Net {
        self.binary(Binary::Lt, "lt", a, b, Location::caller())
    }

    /// 1 if `a <= b`, unsigned.
    #[track_caller]
    pub fn le(&mut self, a: Net, b: Net) -> Net {
        self.binary(Binary::Le, "le", a, b, Location::caller())
    }

    fn binary(&mut self, op: Binary, what: &'static str, a: Net, b: Net, at: At) -> Net {
        if !self.all_known(&[a, b], at) {
            return self.broken(1);
        }
        let (left, right) = (self.width(a), self.width(b));
        let compares = matches!(op, Binary::Eq | Binary::Ne | Binary::Lt | Binary::Le);
        let width = if compares { 1 } else { left };
        if left != right {
            self.fault(at, FaultKind::Widths { what, left, right });
            return self.broken(width);
        }
        self.make(Def::Binary(op, a, b), width)
    }

    /// 1 if any bit is 1.
    #[track_caller]
    pub fn any(&mut self, a: Net) -> Net {
        self.reduce(Reduce::Any, a, Location::caller())
    }

    /// 1 if all bits are 1.
    #[track_caller]
    pub fn all(&mut self, a: Net) -> Net {
        self.reduce(Reduce::All, a, Location::caller())
    }

    /// 1 if an odd number of bits is 1.
    #[track_caller]
    pub fn parity(&mut self, a: Net) -> Net {
        self.reduce(Reduce::Parity, a, Location::caller())
    }

    fn reduce(&mut self, op: Reduce, a: Net, at: At) -> Net {
        if !self.all_known(&[a], at) {
            return self.broken(1);
        }
        self.make(Def::Reduce(op, a), 1)
    }

    /// `a` if the one bit `sel` is 1, else `b`.
    #[track_caller]
    pub fn mux(&mut self, sel: Net, a: Net, b: Net) -> Net {
        let at = Location::caller();
        if !self.all_known(&[sel, a, b], at) {
            return self.broken(1);
        }
        let (left, right) = (self.width(a), self.width(b));
        if !self.one_bit("mux", sel, at) {
            return self.broken(left);
        }
        if left != right {
            self.fault(at, FaultKind::Widths { what: "mux", left, right });
            return self.broken(left);
        }
        self.make(Def::Mux(sel, a, b), left)
    }

    /// The or of all nets, as a tree that fills lookup tables. At least one net.
    #[track_caller]
    pub fn or_all(&mut self, nets: &[Net]) -> Net {
        self.tree(Binary::Or, "or", nets, Location::caller())
    }

    /// The and of all nets, as [`or_all`](Self::or_all).
    #[track_caller]
    pub fn and_all(&mut self, nets: &[Net]) -> Net {
        self.tree(Binary::And, "and", nets, Location::caller())
    }

    /// The exclusive or of all nets, as [`or_all`](Self::or_all).
    #[track_caller]
    pub fn xor_all(&mut self, nets: &[Net]) -> Net {
        self.tree(Binary::Xor, "xor", nets, Location::caller())
    }

    /// Groups neighbours as long as they fit one lookup table, until one is left.
    fn tree(&mut self, op: Binary, what: &'static str, nets: &[Net], at: At) -> Net {
        let mut nets = nets.to_vec();
        loop {
            let mut next: Vec<Net> = Vec::new();
            let mut rest = nets.iter().copied();
            let Some(mut group) = rest.next() else {
                self.fault(at, FaultKind::Empty { what });
                return self.broken(1);
            };
            let single = nets.len() == 1;
            let mut members = 1;
            for net in rest {
                let level = self.timing(group).level.max(self.timing(net).level).max(1);
                let joined = self.binary(op, what, group, net, at);
                if members == 1 || self.timing(joined).level <= level {
                    (group, members) = (joined, members + 1);
                } else {
                    next.push(group);
                    (group, members) = (net, 1);
                }
            }
            if single {
                return group;
            }
            next.push(group);
            nets = next;
        }
    }

    /// The value whose condition is 1; 0 if none is. At most one condition may be 1 (the values of
    /// several are or-ed). At least one choice.
    #[track_caller]
    pub fn select(&mut self, choices: &[(Net, Net)]) -> Net {
        let at = Location::caller();
        let mut terms = Vec::with_capacity(choices.len());
        for (condition, value) in choices {
            let width = self.width(*value);
            if !self.all_known(&[*condition, *value], at) || !self.one_bit("select", *condition, at)
            {
                return self.broken(width);
            }
            let gate = self.make(Def::Repeat(*condition), width);
            terms.push(self.binary(Binary::And, "select", gate, *value, at));
        }
        self.tree(Binary::Or, "select", &terms, at)
    }

    /// The value listed for the number `sel`, or the default. A number listed twice is a fault.
    #[track_caller]
    pub fn case(&mut self, sel: Net, arms: &[(u64, Net)], default: Net) -> Net {
        let at = Location::caller();
        let (from, width) = (self.width(sel), self.width(default));
        if !self.all_known(&[sel, default], at) {
            return self.broken(width);
        }
        let mut list: Vec<(Bits, Net)> = Vec::with_capacity(arms.len());
        for (number, value) in arms {
            if !self.all_known(&[*value], at) {
                return self.broken(width);
            }
            if from < 64 && number >> from != 0 {
                self.fault(at, FaultKind::Literal { value: *number, width: from });
            }
            let right = self.width(*value);
            if right != width {
                self.fault(at, FaultKind::Widths { what: "case", left: width, right });
                return self.broken(width);
            }
            list.push((Bits::new(from, u128::from(*number)), *value));
        }
        list.sort_by(|a, b| a.0.limbs().iter().rev().cmp(b.0.limbs().iter().rev()));
        if list.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            let name = "a number of a case".to_string();
            self.fault(at, FaultKind::DrivenTwice { name });
            return self.broken(width);
        }
        self.make(Def::Case { sel, arms: list, default }, width)
    }

    /// A constant that is 0 until [`Circuit::stamped`](super::Circuit::stamped) sets it: a number that depends on all the
    /// rest of the module. What is made of it may be simplified as if it were 0, so it should only be chosen.
    pub fn stamp(&mut self, width: u32) -> Net {
        let net = self.push(Def::Const(Bits::zero(width)), width);
        self.stamps.push(net);
        net
    }

    /// The value `cycles` clock cycles ago: registers without reset or enable, or for long and wide
    /// ones a small RAM. Chains of one net are shared.
    #[track_caller]
    pub fn delay(&mut self, a: Net, cycles: u32) -> Net {
        if !self.all_known(&[a], Location::caller()) {
            return self.broken(1);
        }
        let width = self.width(a);
        match &self.decl(a).def {
            _ if cycles == 0 => a,
            Def::Const(_) => a,
            Def::Delay { of, cycles: before } => {
                let def = Def::Delay { of: *of, cycles: before + cycles };
                self.share(def, width)
            }
            _ => self.share(Def::Delay { of: a, cycles }, width),
        }
    }

    pub(crate) fn all_known(&mut self, nets: &[Net], at: At) -> bool {
        let known = nets.iter().all(|n| self.has(*n));
        if !known {
            self.fault(at, FaultKind::Foreign);
        }
        // What follows from a fault is no second fault.
        known && !nets.iter().any(|n| self.decl(*n).def == Def::Fault)
    }

    pub(crate) fn one_bit(&mut self, what: &'static str, net: Net, at: At) -> bool {
        let width = self.width(net);
        if width != 1 {
            self.fault(at, FaultKind::NotOneBit { what, width });
        }
        width == 1
    }
}
