//! A node of a chain that replicates a key-value store (NetChain). The head gives each write the key's
//! next sequence number; the others take a chained write only when its number is newer than their own, so
//! that reordered writes cannot undo each other. The tail answers. Entries say what this switch is for
//! which range of keys.

use crate::headers::*;
use restage_program::prelude::*;

const CHAIN_PORT: i32 = 8900;

/// Values of `Chain::op`.
mod op {
    pub const READ: i32 = 0;
    /// From a client.
    pub const WRITE: i32 = 1;
    pub const CHAINED_WRITE: i32 = 2;
    pub const REPLY: i32 = 3;
    pub const REFUSED: i32 = 4;
}

/// What this switch is for a key.
mod role {
    pub const NONE: i32 = 0;
    pub const HEAD: i32 = 1;
    pub const MIDDLE: i32 = 2;
    pub const TAIL: i32 = 3;
}

header! { struct Chain { op: bit<8>, key: bit<32>, seq: bit<16>, value: bit<64> } }

metadata! { struct Meta { role: bit<2>, slot: bit<32>, next_port: bit<9>, seq: bit<16> } }

/// Describes the program.
pub fn program() -> Program {
    build("sequencer", |p| {
        let (eth, ip, udp): (Ethernet, Ipv4, Udp) =
            (p.header("eth"), p.header("ipv4"), p.header("udp"));
        let chain: Chain = p.header("chain");
        let (m, s) = (p.metadata::<Meta>(), p.standard());
        parse_udp_service(p, (eth, ip, udp), CHAIN_PORT, chain);

        let sequence = p.register("sequence", bit(16), 256);
        let values = p.register("values", bit(64), 256);
        let ops = p.counter("ops", Unit::Packets, 8);

        // Each range of keys has 64 slots.
        let take = |c: &mut Body, role: i32, base: Param| {
            c.set(m.role, role);
            c.set(m.slot, base + (chain.key & 0x3f));
        };
        let link = [("base", bit(32)), ("next_port", bit(9))];
        let head = p.action("head", link, |c, [base, next_port]| {
            take(c, role::HEAD, base);
            c.set(m.next_port, next_port);
        });
        let middle = p.action("middle", link, |c, [base, next_port]| {
            take(c, role::MIDDLE, base);
            c.set(m.next_port, next_port);
        });
        let tail = p.action("tail", [("base", bit(32))], |c, [base]| take(c, role::TAIL, base));
        let drop = p.action("drop", [], |c, []| c.mark_to_drop());
        let role = p.table("role", |t| {
            t.lpm(chain.key).actions([head, middle, tail, drop]).const_default(drop, []).size(16);
        });
        let reply = p.action("reply", [("op", bit(8))], |c, [op]| {
            c.swap(eth.src, eth.dst);
            c.set(chain.op, op);
            c.set(s.egress_spec, s.ingress_port);
        });

        let store = |c: &mut Body| {
            c.write(sequence, m.slot, chain.seq);
            c.write(values, m.slot, chain.value);
        };
        let pass_on = |c: &mut Body| c.set(s.egress_spec, m.next_port);

        p.ingress(|c| {
            c.if_(!chain.valid(), |c| {
                c.run(drop);
                c.exit();
            });
            c.apply(role);
            c.if_(m.role.eq(role::NONE), |c| c.exit());
            c.count(ops, chain.op & 7);
            c.read(m.seq, sequence, m.slot);
            c.if_(chain.op.eq(op::READ), |c| {
                c.if_(m.role.eq(role::TAIL), |c| {
                    c.set(chain.seq, m.seq);
                    c.read(chain.value, values, m.slot);
                    c.call(reply, op::REPLY);
                })
                .else_(pass_on);
            })
            .else_if(chain.op.eq(op::WRITE) & m.role.eq(role::HEAD), |c| {
                c.set(chain.seq, m.seq + 1);
                c.set(chain.op, op::CHAINED_WRITE);
                store(c);
                pass_on(c);
            })
            .else_if(chain.op.eq(op::CHAINED_WRITE) & m.role.ne(role::HEAD), |c| {
                // Serial number arithmetic: newer when the difference, taken as signed, is positive.
                let newer = (chain.seq - m.seq).cast(int(16)).gt(0);
                c.if_(newer, |c| {
                    store(c);
                    c.if_(m.role.eq(role::TAIL), |c| c.call(reply, op::REPLY)).else_(pass_on);
                })
                .else_(|c| c.run(drop));
            })
            .else_(|c| c.call(reply, op::REFUSED));
        });

        p.emit(eth);
        p.emit(ip);
        p.emit(udp);
        p.emit(chain);
    })
}
