//! Every operation's circuit, simulated, against the definition.
//!
//! Small widths exhaustively, all operations in one module; wide ones on random and extreme values. A
//! new set of operands enters at every clock.

#![allow(clippy::unwrap_used)] // a test may

mod common;

use common::{Stream, folder, lint};
use restage_program::Bits;
use restage_program::eval::eval;
use restage_program::op::Op;
use restage_program::types::{Type, bit, int};
use restage_rtl::op::circuit;
use restage_rtl::pipe::{Latency, MAX_LEVELS, Pipe};

/// An operation on typed operands, some of them constant.
#[derive(Clone, Debug)]
struct Case {
    op: Op,
    types: Vec<Type>,
    constants: Vec<Option<Bits>>,
}

impl Case {
    fn new(op: Op, types: &[Type]) -> Self {
        Case { op, types: types.to_vec(), constants: vec![None; types.len()] }
    }

    fn with(mut self, index: usize, value: Bits) -> Self {
        self.constants[index] = Some(value);
        self
    }

    fn operands(&self, inputs: &[Bits]) -> Vec<Bits> {
        let parts = self.types.iter().zip(&self.constants).zip(inputs);
        parts.map(|((t, c), v)| c.clone().unwrap_or_else(|| v.resize(t.width()))).collect()
    }

    fn wanted(&self, inputs: &[Bits]) -> Bits {
        let operands = self.operands(inputs);
        let typed: Vec<(Type, &Bits)> = self.types.iter().copied().zip(&operands).collect();
        eval(self.op, &typed).unwrap()
    }
}

/// All cases in one module: inputs as wide as the widest operand, one output each. Every case must give
/// what is wanted for every set of inputs.
fn check(name: &str, cases: &[Case], inputs: &[Vec<Bits>]) {
    let mut p = Pipe::new(name);
    let widths: Vec<u32> = (0..3)
        .map(|i| cases.iter().filter_map(|c| c.types.get(i)).map(|t| t.width()).max().unwrap_or(1))
        .collect();
    let ports: Vec<_> =
        widths.iter().enumerate().map(|(i, w)| p.input(&format!("in{i}_i"), *w)).collect();
    let mut outputs = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        p.section(format!("{:?} {:?} {:?}", case.op, case.types, case.constants));
        let operands: Vec<_> = case
            .types
            .iter()
            .enumerate()
            .map(|(i, t)| {
                let sig = match &case.constants[i] {
                    Some(bits) => p.bits(bits),
                    None => p.slice(ports[i], t.width() - 1, 0),
                };
                (*t, sig)
            })
            .collect();
        let out = circuit(&mut p, case.op, &operands);
        assert!(p.timing(out).level <= MAX_LEVELS, "{case:?}: {:?}", p.timing(out));
        // Each as soon as it can be: delaying all to the slowest would be most of the module.
        let name = format!("out{index}_o");
        p.module().output_reg(&name, out.net());
        outputs.push((name, out.cycle() as usize + 1));
    }
    let piped = p.finish(&[], Latency::Shortest).unwrap_or_else(|f| panic!("{f:#?}"));
    let longest = outputs.iter().map(|(_, latency)| *latency).max().unwrap_or(0);
    let cost = piped.circuit.resources();
    println!("{name}: {} cases, at most {longest} clocks, {cost:?}", cases.len());
    lint(&[&piped.circuit], &folder(name));
    let names: Vec<_> = outputs.iter().map(|(n, latency)| (n.as_str(), *latency)).collect();
    let mut stream = Stream::new(&piped.circuit, &["in0_i", "in1_i", "in2_i"], &names);
    let results = stream.run(inputs);
    for (set, got) in inputs.iter().zip(&results) {
        for (case, got) in cases.iter().zip(got) {
            let wanted = case.wanted(set);
            assert_eq!(*got, wanted, "{name}: {case:?} of {:?}", case.operands(set));
        }
    }
}

fn ops() -> Vec<Op> {
    let mut ops: Vec<Op> = Op::ALL
        .into_iter()
        .filter(|op| !matches!(op, Op::Cast(_) | Op::SatCast(_) | Op::Slice { .. }))
        .collect();
    for to in [bit(1), bit(3), bit(6), int(1), int(2), int(4), int(7)] {
        ops.extend([Op::Cast(to), Op::SatCast(to)]);
    }
    ops.push(Op::Cast(Type::Bool));
    for (hi, lo) in [(0, 0), (2, 0), (2, 1), (3, 3), (3, 0)] {
        ops.push(Op::Slice { hi, lo });
    }
    ops
}

fn lists(op: Op, types: &[Type]) -> Vec<Vec<Type>> {
    let all: Vec<Vec<Type>> = match op.arity() {
        1 => types.iter().map(|t| vec![*t]).collect(),
        2 => types.iter().flat_map(|a| types.iter().map(|b| vec![*a, *b])).collect(),
        _ => types.iter().map(|t| vec![Type::Bool, *t, *t]).collect(),
    };
    all.into_iter().filter(|list| op.result_type(list).is_ok()).collect()
}

#[test]
fn every_operation_exhaustively_at_small_widths() {
    let types = [bit(1), bit(2), bit(3), bit(4), int(1), int(2), int(3), int(4), Type::Bool];
    let mut cases = Vec::new();
    for op in ops() {
        let found = lists(op, &types);
        assert!(!found.is_empty(), "{op:?} is never tried");
        cases.extend(found.iter().map(|list| Case::new(op, list)));
    }
    let number = |width, n: u32| Bits::new(width, u128::from(n));
    let inputs: Vec<Vec<Bits>> =
        (0..1u32 << 12).map(|n| vec![number(4, n), number(4, n >> 4), number(4, n >> 8)]).collect();
    check("ops_small", &cases, &inputs);
}

/// With one operand constant nothing may change but the cost.
#[test]
fn every_operation_with_constants() {
    let mut cases = Vec::new();
    for op in ops().into_iter().filter(|op| op.arity() > 1) {
        for list in lists(op, &[bit(4), int(3), Type::Bool]) {
            let values = |t: Type| (0..1u128 << t.width()).map(move |n| Bits::new(t.width(), n));
            for (index, t) in list.iter().enumerate() {
                for value in values(*t).step_by(if op.arity() == 3 { 5 } else { 1 }) {
                    cases.push(Case::new(op, &list).with(index, value));
                }
            }
        }
    }
    let number = |width, n: u32| Bits::new(width, u128::from(n));
    let inputs: Vec<Vec<Bits>> = (0..1u32 << 8)
        .flat_map(|n| {
            (0..3).map(move |k| vec![number(4, n), number(4, n >> 4), number(4, n * 5 + k)])
        })
        .collect();
    check("ops_constants", &cases, &inputs);
}

/// Random limbs, now and then all ones or all zeros, and extreme numbers.
struct Values(u64);

impl Values {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bits(&mut self, width: u32) -> Bits {
        let kind = self.next() % 8;
        let limbs: Vec<u64> = (0..width.div_ceil(64))
            .map(|_| match (kind, self.next() % 4) {
                (0, _) => 0,
                (1, _) => u64::MAX,
                (2 | 3, 0) => 0,
                (2 | 3, 1) => u64::MAX,
                _ => self.next(),
            })
            .collect();
        let full = Bits::from_limbs(width, &limbs);
        match self.next() % 4 {
            // Small numbers, for shifts and saturation.
            0 => full.resize((self.next() % u64::from(width)) as u32 + 1).resize(width),
            _ => full,
        }
    }
}

fn inputs(widths: [u32; 3], count: usize, seed: u64) -> Vec<Vec<Bits>> {
    let mut values = Values(seed);
    (0..count)
        .map(|round| {
            let mut set: Vec<Bits> = widths.iter().map(|w| values.bits(*w)).collect();
            // Equal operands and neighbours are rare otherwise.
            if round % 5 == 0 {
                set[1] = set[0].resize(widths[1]);
                set[2] = set[0].resize(widths[2]);
            }
            set
        })
        .collect()
}

fn wide_cases(width: u32) -> Vec<Case> {
    let mut cases = Vec::new();
    let both = [bit(width), int(width)];
    for op in Op::ALL {
        for t in both {
            let list = match op {
                Op::Cast(_) => {
                    let to = [bit(width / 2), bit(2048), int(2048), int(width - 1)];
                    cases.extend(to.map(|to| Case::new(Op::Cast(to), &[t])));
                    continue;
                }
                Op::SatCast(_) => {
                    let more = (width + 7).min(2048);
                    let to = [bit(width / 2), int(width - 1), int(more), bit(more), int(9)];
                    cases.extend(to.map(|to| Case::new(Op::SatCast(to), &[t])));
                    continue;
                }
                Op::Slice { .. } => {
                    let (hi, lo) = (width - 2, width / 3);
                    cases.push(Case::new(Op::Slice { hi, lo }, &[t]));
                    continue;
                }
                Op::Mux => vec![Type::Bool, t, t],
                Op::Shl | Op::Shr => {
                    let amounts = [3, 9, 16, width].map(|by| vec![t, bit(by)]);
                    cases.extend(amounts.map(|list| Case::new(op, &list)));
                    continue;
                }
                Op::Concat => vec![t, bit((2048 - width).clamp(1, width))],
                // Their own tests.
                Op::Mul | Op::Div | Op::Mod => continue,
                _ if op.arity() == 1 => vec![t],
                _ => vec![t, t],
            };
            if op.result_type(&list).is_ok() {
                cases.push(Case::new(op, &list));
            }
        }
    }
    cases
}

#[test]
fn wide_operations() {
    for width in [17, 64, 65, 200] {
        check(&format!("ops_{width}"), &wide_cases(width), &inputs([width, width, width], 300, 7));
    }
}

#[test]
fn the_widest_operations() {
    check("ops_2048", &wide_cases(2048), &inputs([2048, 2048, 2048], 60, 8));
}

#[test]
fn products_and_quotients() {
    let mut cases = Vec::new();
    for width in [8, 17, 27, 32, 65, 128] {
        for t in [bit(width), int(width)] {
            cases.push(Case::new(Op::Mul, &[t, t]));
        }
        let t = bit(width);
        for n in [1u128, 2, 3, 6, 10, 100, 255, 641, 65_521, u128::MAX] {
            let n = Bits::new(width, n);
            for op in [Op::Div, Op::Mod] {
                if !n.is_zero() {
                    cases.push(Case::new(op, &[t, t]).with(1, n.clone()));
                }
            }
            cases.push(Case::new(Op::Mul, &[t, t]).with(1, n));
        }
    }
    for width in [8, 16, 33] {
        let t = bit(width);
        cases.extend([Op::Div, Op::Mod].map(|op| Case::new(op, &[t, t])));
    }
    check("products", &cases, &inputs([128, 128, 1], 400, 9));
}

#[test]
fn wide_products_and_quotients() {
    let mut cases = vec![Case::new(Op::Mul, &[int(300), int(300)])];
    let t = bit(2048);
    cases.push(Case::new(Op::Mul, &[t, t]).with(1, Bits::new(2048, 1_000_003)));
    for op in [Op::Div, Op::Mod] {
        let t = bit(400);
        cases.push(Case::new(op, &[t, t]).with(1, Bits::new(400, 12_345)));
    }
    check("products_wide", &cases, &inputs([2048, 2048, 1], 40, 10));
}
