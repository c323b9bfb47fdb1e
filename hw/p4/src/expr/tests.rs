//! Random expressions: what is lowered computes what BMv2 would, on integers.

use super::lower::Lower;
use super::{Bin, Compare, Int, Num, Truth};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use restage_program::expr::Expr;
use restage_program::program::FieldDecl;
use restage_program::{Bits, Program, Type, eval};

/// Types of the parameters that the expressions read.
const PARAMS: [Type; 7] = [
    Type::Bit(1),
    Type::Bit(3),
    Type::Bit(8),
    Type::Bit(11),
    Type::Int(2),
    Type::Int(5),
    Type::Int(8),
];

struct Generator(SmallRng);

impl Generator {
    fn constant(&mut self) -> Num {
        let value: i64 = match self.0.random_range(0..5) {
            0 => self.0.random_range(-20..20),
            1 => 0,
            2 => self.0.random_range(0..4096),
            3 => 1 << self.0.random_range(0..12),
            _ => -(1 << self.0.random_range(0..10)),
        };
        let sign = if value < 0 { "-" } else { "" };
        Num::Const(Int::parse(&format!("{sign}0x{:x}", value.unsigned_abs())).unwrap())
    }

    fn mask(&mut self) -> Num {
        let width = self.0.random_range(1..16);
        Num::Const(Int::parse(&format!("0x{:x}", (1u32 << width) - 1)).unwrap())
    }

    fn leaf(&mut self) -> Num {
        let i = self.0.random_range(0..PARAMS.len());
        Num::Leaf(Expr::Param(i as u32), PARAMS[i])
    }

    fn amount(&mut self) -> Num {
        match self.0.random_range(0..8) {
            0 => Num::Leaf(Expr::Param(1), PARAMS[1]),
            1 => Num::Leaf(Expr::Param(0), PARAMS[0]),
            2 => Num::Const(Int::from(self.0.random_range(0..300))),
            _ => Num::Const(Int::from(self.0.random_range(0..9))),
        }
    }

    fn num(&mut self, depth: u32) -> Num {
        if depth == 0 {
            return if self.0.random_bool(0.3) { self.constant() } else { self.leaf() };
        }
        let sub = |g: &mut Self| Box::new(g.num(depth - 1));
        match self.0.random_range(0..18) {
            0 => self.leaf(),
            1 => Num::Inv(sub(self)),
            2 => Num::TwoComp(sub(self), self.0.random_range(1..14)),
            3 => Num::USat(sub(self), self.0.random_range(1..14)),
            4 => Num::Sat(sub(self), self.0.random_range(1..14)),
            5 => Num::Mux(Box::new(self.truth(depth - 1)), sub(self), sub(self)),
            6 => Num::FromTruth(Box::new(self.truth(depth - 1))),
            7 => Num::Bin(Bin::Shl, sub(self), Box::new(self.amount())),
            8 => Num::Bin(Bin::Shr, sub(self), Box::new(self.amount())),
            9 | 10 => Num::Bin(Bin::And, sub(self), Box::new(self.mask())),
            11 => {
                // A concatenation, as the compiler writes it.
                let by = self.0.random_range(1..9u32);
                let low_mask = Int::parse(&format!("0x{:x}", (1u32 << by) - 1)).unwrap();
                let high = Num::Bin(Bin::Shl, sub(self), Box::new(Num::Const(Int::from(by))));
                let high = Num::Bin(Bin::And, Box::new(high), Box::new(self.mask()));
                let low = Num::Bin(Bin::And, sub(self), Box::new(Num::Const(low_mask)));
                Num::Bin(Bin::Or, Box::new(high), Box::new(low))
            }
            12 => {
                let by = Num::Const(Int::from(self.0.random_range(1..40)));
                let op = if self.0.random_bool(0.5) { Bin::Div } else { Bin::Mod };
                let masked = Num::Bin(Bin::And, sub(self), Box::new(self.mask()));
                Num::Bin(op, Box::new(masked), Box::new(by))
            }
            _ => {
                let ops = [Bin::Add, Bin::Sub, Bin::Mul, Bin::And, Bin::Or, Bin::Xor];
                let op = ops[self.0.random_range(0..ops.len())];
                Num::Bin(op, sub(self), sub(self))
            }
        }
    }

    fn truth(&mut self, depth: u32) -> Truth {
        let compare =
            [Compare::Eq, Compare::Ne, Compare::Lt, Compare::Le, Compare::Gt, Compare::Ge];
        if depth == 0 {
            return Truth::Const(self.0.random_bool(0.5));
        }
        let sub = |g: &mut Self| Box::new(g.truth(depth - 1));
        match self.0.random_range(0..8) {
            0 => Truth::NonZero(self.num(depth - 1)),
            1 => Truth::Not(sub(self)),
            2 => Truth::And(sub(self), sub(self)),
            3 => Truth::Or(sub(self), sub(self)),
            4 => Truth::Same(sub(self), sub(self)),
            5 => Truth::Mux(sub(self), sub(self), sub(self)),
            _ => {
                let op = compare[self.0.random_range(0..compare.len())];
                Truth::Compare(op, self.num(depth - 1), self.num(depth - 1))
            }
        }
    }
}

/// The number that bits are in a type.
fn number(ty: Type, bits: &Bits) -> i128 {
    let value = bits.low_u128() as i128;
    let width = ty.width();
    if ty.is_signed() && bits.bit(width - 1) { value - (1 << width) } else { value }
}

/// BMv2's value; nothing when it leaves 100 bits.
fn value(num: &Num, params: &[Bits]) -> Option<i128> {
    let small = |v: i128| (v.unsigned_abs() < 1 << 100).then_some(v);
    match num {
        Num::Const(c) => {
            let magnitude = c.bits(120).low_u128() as i128;
            Some(if c.is_negative() { magnitude - (1 << 120) } else { magnitude })
        }
        Num::Leaf(Expr::Param(i), ty) => Some(number(*ty, &params[*i as usize])),
        Num::Leaf(..) | Num::Error(_) => None,
        Num::Inv(a) => Some(!value(a, params)?),
        Num::TwoComp(a, n) => {
            let low = value(a, params)? & ((1 << n) - 1);
            Some(if low >> (n - 1) & 1 == 1 { low - (1 << n) } else { low })
        }
        Num::USat(a, n) => Some(value(a, params)?.clamp(0, (1 << n) - 1)),
        Num::Sat(a, n) => Some(value(a, params)?.clamp(-(1 << (n - 1)), (1 << (n - 1)) - 1)),
        Num::Mux(c, a, b) => value(if truth(c, params)? { a } else { b }, params),
        Num::FromTruth(t) => Some(truth(t, params)?.into()),
        Num::Bin(op, a, b) => {
            let (a, b) = (value(a, params)?, value(b, params)?);
            small(match op {
                Bin::Add => a + b,
                Bin::Sub => a - b,
                Bin::Mul => a.checked_mul(b)?,
                Bin::Div => a / b,
                Bin::Mod => a % b,
                Bin::And => a & b,
                Bin::Or => a | b,
                Bin::Xor => a ^ b,
                Bin::Shl if a == 0 => 0,
                Bin::Shl if b > 100 => return None,
                Bin::Shl => small(a)?.checked_mul(1i128.checked_shl(b as u32)?)?,
                Bin::Shr => a >> b.min(126),
            })
        }
    }
}

fn truth(t: &Truth, params: &[Bits]) -> Option<bool> {
    Some(match t {
        Truth::Const(v) => *v,
        Truth::Is(_) => return None,
        Truth::NonZero(n) => value(n, params)? != 0,
        Truth::Not(a) => !truth(a, params)?,
        Truth::And(a, b) => truth(a, params)? & truth(b, params)?,
        Truth::Or(a, b) => truth(a, params)? | truth(b, params)?,
        Truth::Same(a, b) => truth(a, params)? == truth(b, params)?,
        Truth::Mux(c, a, b) => truth(if truth(c, params)? { a } else { b }, params)?,
        Truth::Compare(op, a, b) => {
            let (a, b) = (value(a, params)?, value(b, params)?);
            match op {
                Compare::Eq => a == b,
                Compare::Ne => a != b,
                Compare::Lt => a < b,
                Compare::Le => a <= b,
                Compare::Gt => a > b,
                Compare::Ge => a >= b,
            }
        }
    })
}

/// The value of an expression by the program's own definition.
fn run(expr: &Expr, params: &[Bits]) -> (Type, Bits) {
    match expr {
        Expr::Const { ty, value } => (*ty, value.clone()),
        Expr::Param(i) => (PARAMS[*i as usize], params[*i as usize].clone()),
        Expr::Op { op, args } => {
            let args: Vec<(Type, Bits)> = args.iter().map(|a| run(a, params)).collect();
            let types: Vec<Type> = args.iter().map(|a| a.0).collect();
            let ty = op.result_type(&types).unwrap_or_else(|e| panic!("{e}"));
            let refs: Vec<(Type, &Bits)> = args.iter().map(|(t, b)| (*t, b)).collect();
            (ty, eval::eval(*op, &refs).unwrap())
        }
        other => panic!("{other:?} was not generated"),
    }
}

#[test]
fn what_is_lowered_computes_what_bmv2_does() {
    let program = Program::new("none");
    let decls: Vec<FieldDecl> =
        PARAMS.iter().map(|ty| FieldDecl { name: "p".into(), ty: *ty }).collect();
    let lower = Lower { errors: &[0] };
    let (mut compared, mut refused) = (0, 0);
    for seed in 0..2500 {
        let mut g = Generator(SmallRng::seed_from_u64(seed));
        let depth = g.0.random_range(1..5);
        let num = g.num(depth);
        let condition = g.truth(depth);
        let width = g.0.random_range(1..20);
        let asked = if g.0.random_bool(0.3) { Type::Int(width) } else { Type::Bit(width) };
        let low = lower.modulo(&num, asked);
        let exact = lower.exact(&num);
        let holds = lower.truth(&condition);
        refused += u32::from(low.is_err()) + u32::from(exact.is_err()) + u32::from(holds.is_err());
        for expr in low.iter().chain(exact.iter().map(|e| &e.0)).chain(&holds) {
            program.type_of(expr, &decls).unwrap_or_else(|e| panic!("seed {seed}: {e}: {num:?}"));
        }
        for _ in 0..5 {
            let params: Vec<Bits> = PARAMS
                .iter()
                .map(|ty| match g.0.random_range(0..4) {
                    0 => Bits::zero(ty.width()),
                    1 => Bits::ones(ty.width()),
                    _ => Bits::new(ty.width(), g.0.random()),
                })
                .collect();
            let want = value(&num, &params);
            if let (Ok(low), Some(want)) = (&low, want) {
                let (ty, found) = run(low, &params);
                assert_eq!(ty, asked, "seed {seed}: {num:?}");
                let want = Bits::new(width, want as u128);
                assert_eq!(found, want, "seed {seed}: {num:?} as {asked}: {low:?} of {params:?}");
                compared += 1;
            }
            if let (Ok((exact, ty)), Some(want)) = (&exact, want) {
                let (found_ty, found) = run(exact, &params);
                assert_eq!(found_ty, *ty);
                if ty.width() <= 120 {
                    assert_eq!(
                        number(*ty, &found),
                        want,
                        "seed {seed}: {num:?}: {exact:?} of {params:?}"
                    );
                    compared += 1;
                }
            }
            if let (Ok(holds), Some(want)) = (&holds, truth(&condition, &params)) {
                let (ty, found) = run(holds, &params);
                assert_eq!(
                    (ty, !found.is_zero()),
                    (Type::Bool, want),
                    "seed {seed}: {condition:?}: {holds:?}"
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 20_000, "only {compared} comparisons");
    assert!(refused < 800, "{refused} of 7500 refused");
}

/// What a person would have written.
#[test]
fn the_compilers_patterns_become_what_they_were() {
    let hex = |text: &str| Box::new(Num::Const(Int::parse(text).unwrap()));
    let x = || Box::new(Num::Leaf(Expr::Param(2), Type::Bit(8)));
    let sum = |c: &str| Box::new(Num::Bin(Bin::Add, x(), hex(c)));
    let lower = Lower { errors: &[0] };
    let text = |num: &Num, ty| format!("{:?}", lower.modulo(num, ty).unwrap());
    let byte = Type::Bit(8);
    for (num, want) in [
        (
            Num::Bin(Bin::And, sum("0x03"), hex("0xff")),
            "Add, args: [Param(2), Const { ty: Bit(8), value: 8w0x3 }]",
        ),
        (
            Num::Bin(Bin::And, sum("0xff"), hex("0xff")),
            "Sub, args: [Param(2), Const { ty: Bit(8), value: 8w0x1 }]",
        ),
        (Num::USat(sum("0x03"), 8), "SatAdd, args: [Param(2), Const { ty: Bit(8), value: 8w0x3 }]"),
        (
            Num::Bin(Bin::Shr, x(), hex("0x1")),
            "Shr, args: [Param(2), Const { ty: Bit(8), value: 8w0x1 }]",
        ),
    ] {
        assert_eq!(text(&num, byte), format!("Op {{ op: {want} }}"));
    }
    let slice = Num::Bin(Bin::And, Box::new(Num::Bin(Bin::Shr, x(), hex("0x2"))), hex("0x7"));
    assert_eq!(text(&slice, Type::Bit(3)), "Op { op: Slice { hi: 4, lo: 2 }, args: [Param(2)] }");
    let high = Num::Bin(Bin::And, Box::new(Num::Bin(Bin::Shl, x(), hex("0x8"))), hex("0xffff"));
    let both = Num::Bin(Bin::Or, Box::new(high), x());
    assert_eq!(text(&both, Type::Bit(16)), "Op { op: Concat, args: [Param(2), Param(2)] }");
}
