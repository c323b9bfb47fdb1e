//! Suppresses repeated queries in front of a name server. The fingerprint of a query (client, port, id)
//! occupies a slot until the answer passes. The same fingerprint again is dropped; another one in an
//! occupied slot is forwarded and not remembered, so no clock is needed.

use crate::headers::*;
use restage_program::prelude::*;

const SERVICE_PORT: i32 = 53;
const SLOTS: u32 = 128;

/// Indices of the counter `events`.
mod event {
    pub const NEW: i32 = 0;
    pub const REPEATED: i32 = 1;
    pub const COLLISION: i32 = 2;
    pub const ANSWER: i32 = 3;
    pub const LATE_ANSWER: i32 = 4;
}

header! {
    struct Dns {
        id: bit<16>, response: bit<1>, flags: bit<15>,
        questions: bit<16>, answers: bit<16>, authority: bit<16>, additional: bit<16>,
    }
}

metadata! {
    struct Meta { client: bit<32>, port: bit<16>, slot: bit<32>, print: bit<32>, owner: bit<32> }
}

/// Describes the program.
pub fn program() -> Program {
    build("query_dedup", |p| {
        let (eth, ip, udp): (Ethernet, Ipv4, Udp) =
            (p.header("eth"), p.header("ipv4"), p.header("udp"));
        let dns: Dns = p.header("dns");
        let (m, s) = (p.metadata::<Meta>(), p.standard());

        parse_ethernet(p, eth);
        p.state("ipv4", |c| {
            c.extract(ip);
            c.select((ip.ihl, ip.frag, ip.proto))
                .case((5, 0, protocol::UDP), "udp")
                .default("accept");
        });
        p.state("udp", |c| {
            c.extract(udp);
            c.select((udp.sport, udp.dport))
                .case((SERVICE_PORT, ANY), "dns")
                .case((ANY, SERVICE_PORT), "dns")
                .default("accept");
        });
        p.state("dns", |c| {
            c.extract(dns);
            c.accept();
        });

        let owners = p.register("owners", bit(32), SLOTS);
        let events = p.counter("events", Unit::Both, 5);

        let forward = p.action("forward", PORT, |c, [port]| c.set(s.egress_spec, port));
        let drop = p.action("drop", [], |c, []| c.mark_to_drop());
        let wire = p.table("wire", |t| {
            t.exact(s.ingress_port).actions([forward, drop]).const_default(drop, []).size(8);
        });

        let find_owner = |c: &mut Body| {
            c.if_(dns.response.eq(1), |c| {
                c.set(m.client, ip.dst);
                c.set(m.port, udp.dport);
            })
            .else_(|c| {
                c.set(m.client, ip.src);
                c.set(m.port, udp.sport);
            });
            c.hash(m.slot, Crc16, list![m.client, m.port, dns.id], 0, SLOTS);
            c.hash(m.print, Crc32, list![m.client, m.port, dns.id], 0, 1u64 << 32);
            // An owner of 0 means an empty slot.
            c.set(m.print, m.print | 1);
            c.read(m.owner, owners, m.slot);
        };

        p.ingress(|c| {
            c.apply(wire);
            c.if_(!dns.valid(), |c| c.exit());
            find_owner(c);
            c.if_(dns.response.eq(1), |c| {
                c.if_(m.owner.eq(m.print), |c| {
                    c.write(owners, m.slot, 0);
                    c.count(events, event::ANSWER);
                })
                .else_(|c| c.count(events, event::LATE_ANSWER));
            })
            .else_if(m.owner.eq(0), |c| {
                c.write(owners, m.slot, m.print);
                c.count(events, event::NEW);
            })
            .else_if(m.owner.eq(m.print), |c| {
                c.count(events, event::REPEATED);
                c.run(drop);
            })
            .else_(|c| c.count(events, event::COLLISION));
        });

        p.emit(eth);
        p.emit(ip);
        p.emit(udp);
        p.emit(dns);
    })
}
