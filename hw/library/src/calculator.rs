//! A calculator: the packet carries an operator and two operands, the switch answers in place. The
//! operations are constant entries, so the program needs no configuration. Unknown operators and malformed
//! requests are dropped.

use crate::headers::Ethernet;
use restage_program::prelude::*;

const TYPE_CALC: i32 = 0x1235;
/// The first three bytes of a request: magic number and version.
const REQUEST: i32 = 0xca1c01;

header! {
    /// Flags: bit 0 carry or overflow, bit 1 the result is zero, bit 2 its sign.
    struct Calc {
        magic: bit<16>, version: bit<8>, op: bit<8>,
        a: bit<32>, b: bit<32>, result: bit<32>, flags: bit<8>,
    }
}

/// What an operation makes of the two operands: the result and its carry bit.
type Operation = fn(Field, Field) -> (Val, Val);

/// Operator, name, meaning. The amount of a shift is the low byte of b: 32 and more are meaningful.
const OPERATIONS: [(i32, &str, Operation); 21] = [
    (0x2b, "add", |a, b| {
        let sum = a.cast(bit(33)) + b.cast(bit(33));
        (sum.clone().bits(31, 0), sum.bits(32, 32))
    }),
    (0x2d, "sub", |a, b| (a - b, flag(a.lt(b)))),
    (0x01, "add_sat", |a, b| plain(a.sat_add(b))),
    (0x02, "sub_sat", |a, b| plain(a.sat_sub(b))),
    (0x03, "add_sat_signed", |a, b| plain(signed(a).sat_add(signed(b)))),
    (0x04, "sub_sat_signed", |a, b| plain(signed(a).sat_sub(signed(b)))),
    (0x2a, "mul", |a, b| {
        let high = product(a, b).bits(63, 32);
        (product(a, b).bits(31, 0), flag(high.ne(0)))
    }),
    (0x05, "mul_high", |a, b| plain(product(a, b).bits(63, 32))),
    (0x26, "bit_and", |a, b| plain(a & b)),
    (0x7c, "bit_or", |a, b| plain(a | b)),
    (0x5e, "bit_xor", |a, b| plain(a ^ b)),
    (0x7e, "bit_not", |a, _| plain(!a)),
    (0x06, "neg", |a, _| plain(-a)),
    (0x07, "shl", |a, b| plain(a << b.bits(7, 0))),
    (0x08, "shr", |a, b| plain(a >> b.bits(7, 0))),
    (0x09, "sar", |a, b| plain(signed(a) >> b.bits(7, 0))),
    (0x0a, "rol8", |a, _| plain(a.bits(23, 0).concat(a.bits(31, 24)))),
    (0x0b, "swap16", |a, _| plain(a.bits(15, 0).concat(a.bits(31, 16)))),
    (0x3c, "lt", |a, b| plain(a.lt(b).cast(bit(1)))),
    (0x0c, "lt_signed", |a, b| plain(signed(a).lt(signed(b)).cast(bit(1)))),
    (0x0d, "sext8", |a, _| plain(a.bits(7, 0).cast(int(8)).cast(int(32)))),
];
const MERGE: i32 = 0x0e;

fn signed(a: Field) -> Val {
    a.cast(int(32))
}

fn product(a: Field, b: Field) -> Val {
    a.cast(bit(64)) * b.cast(bit(64))
}

fn flag(condition: Val) -> Val {
    condition.cast(bit(1))
}

/// A result without a carry.
fn plain(result: Val) -> (Val, Val) {
    (result.cast(bit(32)), bits(1, 0))
}

fn put(c: &mut Body, calc: Calc, (result, carry): (Val, Val)) {
    c.set(calc.result, result);
    let sign = calc.result.bits(31, 31);
    let zero = flag(calc.result.eq(0));
    c.set(calc.flags, bits(5, 0).concat(sign).concat(zero).concat(carry));
}

/// Describes the program.
pub fn program() -> Program {
    build("calculator", |p| {
        let (eth, calc): (Ethernet, Calc) = (p.header("eth"), p.header("calc"));
        let s = p.standard();

        p.state("start", |c| {
            c.extract(eth);
            c.select(eth.r#type).case(TYPE_CALC, "check").default("accept");
        });
        p.state("check", |c| c.select(lookahead(24)).case(REQUEST, "calc").default("accept"));
        p.state("calc", |c| {
            c.extract(calc);
            c.accept();
        });

        let operations = OPERATIONS.map(|(operator, name, operation)| {
            let result = operation(calc.a, calc.b);
            (operator, p.action(name, [], |c, []| put(c, calc, result)))
        });
        let merge = p.action("merge", [], |c, []| {
            c.set(calc.a.slice(15, 8), calc.b.bits(31, 24));
            put(c, calc, plain(calc.a.into()));
        });
        let drop = p.action("drop", [], |c, []| c.mark_to_drop());
        let operate = p.table("operate", |t| {
            t.exact(calc.op).actions(operations.map(|(_, action)| action)).actions([merge, drop]);
            for (operator, action) in operations {
                t.entry(operator, action, []);
            }
            t.entry(MERGE, merge, []).const_entries().const_default(drop, []);
        });

        p.ingress(|c| {
            c.if_(!calc.valid(), |c| c.run(drop)).else_(|c| {
                c.apply(operate).hit(|c| {
                    c.swap(eth.src, eth.dst);
                    c.set(s.egress_spec, s.ingress_port);
                });
            });
        });

        p.emit(eth);
        p.emit(calc);
    })
}
