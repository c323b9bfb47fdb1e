//! A small key-value cache in front of a server. An entry gives a cached key its slot; a bit per slot says
//! whether the slot is filled. A put empties it and goes on to the server, whose reply fills it on its way
//! back; a get that finds it filled is answered from here.

use crate::headers::*;
use restage_program::prelude::*;

const KV_PORT: i32 = 9000;
const SLOTS: u32 = 64;

/// Values of `Kv::op`.
mod op {
    pub const GET: i32 = 0;
    pub const PUT: i32 = 1;
    pub const REPLY: i32 = 2;
}

header! {
    struct Kv { op: bit<8>, reserved: bit<7>, hit: bit<1>, key: bit<32>, value: bit<32> }
}

metadata! { struct Meta { slot: bit<32>, valid: bit<1> } }

/// Describes the program.
pub fn program() -> Program {
    build("in_network_cache", |p| {
        let (eth, ip, udp): (Ethernet, Ipv4, Udp) =
            (p.header("eth"), p.header("ipv4"), p.header("udp"));
        let kv: Kv = p.header("kv");
        let (m, s) = (p.metadata::<Meta>(), p.standard());

        parse_ethernet(p, eth);
        p.state("ipv4", |c| {
            c.extract(ip);
            c.select(ip.proto).case(protocol::UDP, "udp").default("accept");
        });
        p.state("udp", |c| {
            c.extract(udp);
            c.select((udp.sport, udp.dport))
                .case((ANY, KV_PORT), "kv")
                .case((KV_PORT, ANY), "kv")
                .default("accept");
        });
        p.state("kv", |c| {
            c.extract(kv);
            c.accept();
        });

        let values = p.register("values", bit(32), SLOTS);
        let valids = p.register("valids", bit(1), SLOTS);

        let slot = p.action("slot", [("index", bit(32))], |c, [index]| c.set(m.slot, index));
        let cached_keys = p.table("cached_keys", |t| {
            t.exact(kv.key).actions([slot]).const_no_action().size(SLOTS);
            t.counter("popularity", Unit::Packets);
        });

        let to = p.action("to", PORT, |c, [port]| c.set(s.egress_spec, port));
        let drop = p.action("drop", [], |c, []| c.mark_to_drop());
        let route = p.table("route", |t| {
            t.exact(ip.dst).actions([to, drop]).const_default(drop, []).size(64);
        });

        let answer = p.action("answer", [], |c, []| {
            c.swap(eth.src, eth.dst);
            c.swap(ip.src, ip.dst);
            c.swap(udp.sport, udp.dport);
            c.set(udp.csum, 0);
            c.set(kv.op, op::REPLY);
            c.set(kv.hit, 1);
            c.set(s.egress_spec, s.ingress_port);
        });

        p.ingress(|c| {
            c.if_(!ip.valid(), |c| {
                c.run(drop);
                c.exit();
            });
            c.apply(route);
            c.if_(kv.valid(), |c| {
                c.apply(cached_keys).hit(|c| {
                    c.if_(kv.op.eq(op::GET), |c| {
                        c.read(m.valid, valids, m.slot);
                        c.if_(m.valid.eq(1), |c| {
                            c.read(kv.value, values, m.slot);
                            c.run(answer);
                        });
                    })
                    .else_if(kv.op.eq(op::PUT), |c| c.write(valids, m.slot, 0))
                    .else_if(kv.op.eq(op::REPLY), |c| {
                        c.write(values, m.slot, kv.value);
                        c.write(valids, m.slot, 1);
                    });
                });
            });
        });

        update_ipv4_checksum(p, ip);
        p.emit(eth);
        p.emit(ip);
        p.emit(udp);
        p.emit(kv);
    })
}
