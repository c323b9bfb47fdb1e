//! More than one pass. A packet carries a list of instructions; each pass executes the first one and takes
//! it off, and recirculation, which keeps header changes, brings the packet back, up to 16 times. An
//! instruction that needs a table is done by resubmission, which discards header changes: the first try
//! puts the answer into metadata that is kept, the second one uses it.

use crate::headers::Ethernet;
use restage_program::prelude::*;

const TYPE_PROGRAM: i32 = 0x9000;
const MAX_PASSES: i32 = 16;

/// Values of `Instruction::op`.
mod code {
    pub const DONE: i32 = 0;
    pub const ADD: i32 = 1;
    pub const XOR: i32 = 2;
    /// By a nibble.
    pub const ROTATE: i32 = 3;
    /// Adds what the memory holds.
    pub const LOOK_UP: i32 = 4;
    pub const ADD_PORT: i32 = 5;
}

/// Values of `Meta::found`.
mod found {
    pub const YES: i32 = 1;
    pub const NO: i32 = 2;
}

header! {
    struct State { passes: bit<8>, left: bit<8>, acc: bit<32> }
    struct Instruction { op: bit<8>, arg: bit<32> }
}

metadata! {
    /// Another pass has an ingress port of 0, so the program keeps its own copy.
    struct Meta { looked_up: bit<32>, found: bit<8>, again: bool, in_port: bit<9> }
}

/// Describes the program.
pub fn program() -> Program {
    build("recirculate_demo", |p| {
        let (eth, st, op): (Ethernet, State, Instruction) =
            (p.header("eth"), p.header("st"), p.header("op"));
        let (m, s) = (p.metadata::<Meta>(), p.standard());
        let answer = p.field_list("answer", [m.looked_up, m.found, m.in_port]);
        let next_pass = p.field_list("next_pass", [m.again, m.in_port]);

        p.state("start", |c| {
            c.extract(eth);
            c.select(eth.r#type).case(TYPE_PROGRAM, "st").default("accept");
        });
        p.state("st", |c| {
            c.extract(st);
            c.select(st.left).case(0, "accept").default("op");
        });
        p.state("op", |c| {
            c.extract(op);
            c.accept();
        });

        // By instance type.
        let kinds = p.counter("kinds", Unit::Packets, 8);

        let drop = p.action("drop", [], |c, []| c.mark_to_drop());
        let value = p.action("value", [("v", bit(32))], |c, [v]| {
            c.set(m.looked_up, v);
            c.set(m.found, found::YES);
        });
        let none = p.action("none", [], |c, []| {
            c.set(m.looked_up, 0);
            c.set(m.found, found::NO);
        });
        let memory = p.table("memory", |t| {
            t.exact(op.arg).actions([value, none]).const_default(none, []).size(64);
        });

        let refuse = |c: &mut Body| {
            c.run(drop);
            c.exit();
        };
        let execute = |c: &mut Body| {
            let is = |code| op.op.eq(code);
            c.if_(is(code::ADD), |c| c.set(st.acc, st.acc + op.arg))
                .else_if(is(code::XOR), |c| c.set(st.acc, st.acc ^ op.arg))
                .else_if(is(code::ROTATE), |c| {
                    c.set(st.acc, st.acc.bits(27, 0).concat(st.acc.bits(31, 28)));
                })
                .else_if(is(code::LOOK_UP), |c| {
                    c.if_(m.found.eq(found::YES), |c| c.set(st.acc, st.acc + m.looked_up))
                        .else_(refuse);
                })
                .else_if(is(code::ADD_PORT), |c| {
                    c.set(st.acc, st.acc + s.ingress_port.cast(bit(32)))
                })
                .else_if(op.op.ne(code::DONE), refuse);
        };

        p.ingress(|c| {
            c.count(kinds, s.instance_type);
            c.if_(!st.valid() | s.parser_error.ne(error::NO_ERROR), refuse);
            c.if_(s.instance_type.eq(instance::NORMAL), |c| c.set(m.in_port, s.ingress_port));
            c.set(s.egress_spec, m.in_port);
            c.if_(!op.valid(), |c| c.exit());

            let first_try = s.instance_type.ne(instance::RESUBMITTED);
            c.if_(op.op.eq(code::LOOK_UP) & first_try, |c| {
                c.apply(memory);
                // Has no effect: a resubmitted packet is parsed afresh.
                c.set(st.acc, 0xbad);
                c.resubmit(Some(answer));
                c.exit();
            });
            execute(c);
            c.set(st.left, mux(op.op.eq(code::DONE), 0, st.left - 1));
            c.set_invalid(op);
            c.set(st.passes, st.passes + 1);
            c.set(m.again, st.left.ne(0) & st.passes.lt(MAX_PASSES));
        });
        p.egress(|c| {
            c.if_(m.again, |c| {
                c.set(m.again, false);
                c.recirculate(Some(next_pass));
            });
        });

        p.emit(eth);
        p.emit(st);
        p.emit(op);
    })
}
