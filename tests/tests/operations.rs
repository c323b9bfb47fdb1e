//! The definition of the operations against the slow evaluator's, which is written over numbers.

#![allow(clippy::unwrap_used)] // a test may

use restage_program::op::Op;
use restage_program::{Bits, Type, eval};
use restage_tests::random::Rng;
use restage_tests::slow::num;

fn number_type(rng: &mut Rng) -> Type {
    let width = match rng.below(4) {
        0 => rng.between(1, 9),
        1 => [31, 32, 33, 63, 64, 65, 127, 128, 129][rng.below(9)],
        2 => rng.between(1, 300),
        _ => rng.between(1, 2048),
    };
    if rng.chance(50) { Type::Bit(width) } else { Type::Int(width) }
}

fn with_parameters(rng: &mut Rng, op: Op) -> (Op, Vec<Type>) {
    let t = number_type(rng);
    match op {
        Op::Cast(_) => (Op::Cast(number_type(rng)), vec![t]),
        Op::SatCast(_) => (Op::SatCast(number_type(rng)), vec![t]),
        Op::Slice { .. } => {
            let hi = rng.below(t.width() as usize) as u32;
            (Op::Slice { hi, lo: rng.between(0, hi) }, vec![t])
        }
        Op::Not | Op::Neg => (op, vec![t]),
        Op::Div | Op::Mod => (op, vec![Type::Bit(t.width()); 2]),
        Op::Shl | Op::Shr => (op, vec![t, Type::Bit(rng.between(1, 40))]),
        Op::Concat => (op, vec![number_type(rng), t]),
        Op::Mux => (op, vec![Type::Bool, t, t]),
        _ => (op, vec![t, t]),
    }
}

#[test]
fn operations_agree_with_arithmetic_over_numbers() {
    let mut rng = Rng::new(1);
    for op in Op::ALL {
        let mut tried = 0;
        for _ in 0..400 {
            let (op, types) = with_parameters(&mut rng, op);
            if op.result_type(&types).is_err() {
                continue; // a concatenation beyond the widest value
            }
            let mut args: Vec<(Type, Bits)> = types.iter().map(|t| (*t, rng.value(*t))).collect();
            if matches!(op, Op::Shl | Op::Shr) && rng.chance(70) {
                let by = rng.between(0, types[0].width() + 2);
                args[1].1 = Bits::new(types[1].width(), by.into());
            }
            let pairs: Vec<(Type, &Bits)> = args.iter().map(|(t, b)| (*t, b)).collect();
            let got = eval::eval(op, &pairs).unwrap();
            let (_, want) = num::compute(op, &args).unwrap();
            assert_eq!(got, want, "{op:?} {args:?}");
            tried += 1;
        }
        assert!(tried > 100, "{op:?} was hardly tried");
    }
}
