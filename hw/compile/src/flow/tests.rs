use super::{AccessKind, Def, Flow, Maker, Slot, Value, ValueDecl, evaluate, verify};
use crate::lower::{Lowered, lower, shell_for};
use restage_manifest::{ShellConfig, ShellField};
use restage_program::Bits;
use restage_program::entity::Register;
use restage_program::op::Op;
use restage_program::prelude::{HeaderView, Program, Type, bit, build, header, int};

fn lowered(program: Program) -> (restage_program::Checked, Lowered) {
    let program = program.check().unwrap();
    let config = shell_for(&program, &ShellConfig::default());
    let lowered = lower(&program, &config).unwrap();
    (program, lowered)
}

header! {
    struct Eth { dst: bit<48>, src: bit<48>, kind: bit<16> }
    struct Tag { id: bit<12>, rest: bit<4>, kind: bit<16> }
}

/// A program of everything that is short to say.
fn small() -> Program {
    build("small", |p| {
        let (eth, tag): (Eth, Tag) = (p.header("eth"), p.header("tag"));
        let (s, seen) = (p.standard(), p.meta("seen", bit(16)));
        let counts = p.register("counts", bit(16), 256);
        p.state("start", |c| {
            c.extract(eth);
            c.select(eth.kind).case(0x8100, "tag").default("accept");
        });
        p.state("tag", |c| {
            c.extract(tag);
            c.accept();
        });
        let forward =
            p.action("forward", [("port", bit(9))], |c, [port]| c.set(s.egress_spec, port));
        let drop = p.action("drop", [], |c, []| c.mark_to_drop());
        let table = p.table("route", |t| {
            t.exact(eth.dst).actions([forward, drop]).const_default(drop, []).size(64);
        });
        p.ingress(|c| {
            c.if_(tag.valid(), |c| {
                c.read(seen, counts, tag.id);
                c.write(counts, tag.id, seen + 1);
                c.set_invalid(tag);
            });
            c.apply(table);
        });
        p.emit(eth);
        p.emit(tag);
    })
}

#[test]
fn flows_are_shown() {
    let (program, lowered) = lowered(small());
    let text: Vec<String> = lowered.flows().map(|f| f.show(&program).to_string()).collect();
    insta::assert_snapshot!(text.join("\n"));
}

/// Each of these breaks the contract in one place; the verifier says where.
#[test]
fn breaches_of_the_contract_are_found() {
    let (program, lowered) = lowered(small());
    let good = lowered.ingress;
    assert_eq!(verify(&program, &good), Ok(()));
    let find = |f: &dyn Fn(&ValueDecl) -> bool| {
        good.values.iter().find(|(_, v)| f(v)).map(|(v, _)| v).unwrap()
    };
    let and = find(&|v| matches!(v.def, Def::Op(..)) && v.ty == Type::Bool);
    let old = find(&|v| matches!(v.def, Def::Out(..)) && v.ty == Type::Bit(16));
    let Def::Out(register, _) = good.values[old].def else { panic!() };
    let mut said = Vec::new();
    let mut try_one = |what: &str, change: &dyn Fn(&mut Flow)| {
        let mut bad = good.clone();
        change(&mut bad);
        let faults = verify(&program, &bad).expect_err(what);
        said.push(format!("{what}: {}", faults[0]));
    };
    try_one("operands behind", &|f| {
        let last = Value((f.values.len() - 1) as u32);
        f.values[Value(2)].def = Def::Op(Op::Not, vec![last]);
    });
    try_one("types of operands", &|f| f.values[and].def = Def::Op(Op::And, vec![old, old]));
    try_one("type of the result", &|f| f.values[and].ty = Type::Bit(2));
    try_one("type of a slot", &|f| {
        f.values[and].def = Def::Slot(Slot::Shell(ShellField::Consumed));
    });
    try_one("width of a constant", &|f| f.values[and].def = Def::Const(Bits::zero(2)));
    try_one("a port that is not there", &|f| f.values[and].def = Def::Out(register, 7));
    try_one("a guard that is no bool", &|f| f.accesses[register].guard = old);
    try_one("two accesses of a cell", &|f| {
        let again = f.accesses[register].clone();
        f.accesses.push(again);
    });
    try_one("a slot written twice", &|f| {
        let again = f.outputs[0];
        f.outputs.push(again);
    });
    try_one("a slot written with another type", &|f| f.outputs[0].1 = old);
    try_one("data of another type", &|f| {
        if let AccessKind::Register { write: Some(write), .. } = &mut f.accesses[register].kind {
            write.data = and;
        }
    });
    try_one("a register that is not there", &|f| {
        if let AccessKind::Register { register, .. } = &mut f.accesses[register].kind {
            *register = Register(9);
        }
    });
    insta::assert_snapshot!(said.join("\n"));
}

/// Every rule of simplification, tried on all values of its operands: the result is equal.
#[test]
fn simplification_changes_no_result() {
    let program = Program::new("none");
    let types = [Type::Bool, Type::Bit(2), Type::Int(2)];
    let ops: Vec<Op> = Op::ALL
        .into_iter()
        .chain([
            Op::Cast(bit(1)),
            Op::Cast(bit(2)),
            Op::Cast(int(2)),
            Op::Cast(int(4)),
            Op::Cast(Type::Bool),
        ])
        .chain([Op::Slice { hi: 0, lo: 0 }, Op::Slice { hi: 1, lo: 1 }, Op::Slice { hi: 1, lo: 0 }])
        .collect();
    let slots = [Slot::Temp(0), Slot::Temp(1), Slot::Temp(2)];
    let mut tried = 0;
    for ty in types {
        let mut make = Maker::new(&program);
        let mut plain: Vec<(Value, Def)> = Vec::new();
        let mut leaves: Vec<Value> = slots.map(|s| make.define(ty, Def::Slot(s))).to_vec();
        for bits in 0..1u64 << ty.width() {
            leaves.push(make.constant(ty, Bits::new(ty.width(), bits.into())));
        }
        // Two rounds: the operands of the second are results of the first.
        for round in 0..2 {
            let mut results = Vec::new();
            for op in &ops {
                for a in leaves.clone() {
                    for b in leaves.iter().rev().take(if round == 0 { 99 } else { 12 }).copied() {
                        let args = match op.arity() {
                            1 => vec![a],
                            2 => vec![a, b],
                            _ => vec![leaves[0], a, b],
                        };
                        let types: Vec<Type> = args.iter().map(|v| make.ty(*v)).collect();
                        if op.result_type(&types).is_err() || matches!(op, Op::Div | Op::Mod) {
                            continue;
                        }
                        let value = make.op(*op, &args);
                        plain.push((value, Def::Op(*op, args)));
                        results.push(value);
                    }
                }
            }
            results.sort_unstable();
            results.dedup();
            let fresh = results.into_iter().filter(|v| !leaves.contains(v));
            leaves.extend(fresh.step_by(7).take(60).collect::<Vec<_>>());
        }
        for inputs in 0..1u64 << (3 * ty.width()) {
            let width = ty.width();
            let slot = |n: u32| Bits::new(width, (inputs >> (n * width)).into());
            let mut known: Vec<Bits> = Vec::new();
            let count = plain.iter().map(|(v, _)| v.0).max().unwrap() + 1;
            for value in (0..count).map(Value) {
                let decl = make.decl(value);
                let bits = match decl.def {
                    Def::Slot(Slot::Temp(n)) => slot(n),
                    _ => {
                        evaluate(&decl.def, |v| (make.ty(v), known[v.0 as usize].clone())).unwrap()
                    }
                };
                known.push(bits);
            }
            for (value, def) in &plain {
                let wanted = evaluate(def, |v| (make.ty(v), known[v.0 as usize].clone())).unwrap();
                assert_eq!(known[value.0 as usize], wanted, "{def:?} became {value:?}");
                tried += 1;
            }
        }
    }
    assert!(tried > 100_000, "{tried}");
}

#[test]
fn conditions_that_exclude_each_other_are_seen() {
    let program = Program::new("none");
    let mut make = Maker::new(&program);
    let kind = make.define(bit(4), Def::Slot(Slot::Temp(0)));
    let [a, b, c] = [1, 2, 3].map(|n| make.is(kind, n));
    let flag = make.define(Type::Bool, Def::Slot(Slot::Temp(1)));
    let not = make.not(flag);
    let either = make.or(a, b);
    let guarded = make.and(either, flag);
    let other = make.and(a, not);
    for (x, y, apart) in [
        (a, b, true),
        (a, a, false),
        (either, c, true),
        (either, a, false),
        (guarded, other, true),
        (guarded, either, false),
        (flag, not, true),
        (flag, a, false),
    ] {
        assert_eq!(make.exclusive(x, y), apart, "{x:?} {y:?}");
        assert_eq!(make.exclusive(y, x), apart, "{y:?} {x:?}");
    }
}

#[test]
fn choices_between_constants_are_compared_link_by_link() {
    let program = Program::new("none");
    let mut make = Maker::new(&program);
    let [c, d] = [0, 1].map(|n| make.define(Type::Bool, Def::Slot(Slot::Temp(n))));
    let x = make.define(bit(4), Def::Slot(Slot::Temp(2)));
    let [one, two] = [1, 2].map(|n| make.number(4, n));
    let rest = make.mux(d, x, two);
    let chosen = make.mux(c, one, rest);
    for number in 0..4 {
        for op in [Op::Eq, Op::Ne] {
            let number = make.number(4, number);
            let found = make.op(op, &[chosen, number]);
            assert!(!matches!(&make.decl(found).def, Def::Op(_, args) if args.contains(&chosen)));
            for inputs in 0..64u128 {
                let mut known: Vec<Bits> = Vec::new();
                for value in (0..=found.0.max(chosen.0)).map(Value) {
                    let bits = match make.decl(value).def {
                        Def::Slot(Slot::Temp(n @ 0..2)) => Bits::new(1, inputs >> n & 1),
                        Def::Slot(_) => Bits::new(4, inputs >> 2),
                        ref def => {
                            evaluate(def, |v| (make.ty(v), known[v.0 as usize].clone())).unwrap()
                        }
                    };
                    known.push(bits);
                }
                let plain = Def::Op(op, vec![chosen, number]);
                let wanted = evaluate(&plain, |v| (make.ty(v), known[v.0 as usize].clone()));
                assert_eq!(Some(&known[found.0 as usize]), wanted.as_ref());
            }
        }
    }
}
