//! IPv4 router: longest prefix match to a next hop, new MAC addresses, TTL, header checksum.
//!
//! What the router itself must answer (TTL expired, own addresses) goes to the CPU port unchanged; what is
//! malformed (version, ihl, checksum, length) is dropped. Options are not parsed, so a packet with options
//! has a wrong checksum here, unless they sum to zero, and is dropped with the malformed ones.

use crate::headers::*;
use restage_program::prelude::*;

const CPU_PORT: i32 = 64;

metadata! { struct Meta { nhop: bit<16> } }

/// What became of a packet: index of the counter `reason`.
mod reason {
    pub const ROUTED: i32 = 0;
    pub const NOT_IPV4: i32 = 1;
    pub const BAD_HEADER: i32 = 2;
    pub const TTL: i32 = 3;
    pub const NO_ROUTE: i32 = 4;
    pub const LOCAL: i32 = 5;
}

/// Describes the program.
pub fn program() -> Program {
    build("l3_router", |p| {
        let (eth, ip): (Ethernet, Ipv4) = (p.header("eth"), p.header("ipv4"));
        let (m, s) = (p.metadata::<Meta>(), p.standard());
        let reasons = p.counter("reason", Unit::Packets, 16);

        parse_ipv4(p, eth, ip);
        ipv4_checksum(p, ip);

        let drop = |c: &mut Body, why: i32| {
            c.count(reasons, why);
            c.mark_to_drop();
        };
        let punt = |c: &mut Body, why: i32| {
            c.count(reasons, why);
            c.set(s.egress_spec, CPU_PORT);
        };
        let local = p.action("local", [], |c, []| punt(c, reason::LOCAL));
        let no_route = p.action("no_route", [], |c, []| drop(c, reason::NO_ROUTE));
        let via = p.action("via", [("nhop", bit(16))], |c, [nhop]| c.set(m.nhop, nhop));
        let route = p.table("route", |t| {
            t.lpm(ip.dst).actions([via, local, no_route]).default(no_route, []).size(4096);
        });

        let rewrite = [("port", bit(9)), ("smac", bit(48)), ("dmac", bit(48))];
        let rewrite = p.action("rewrite", rewrite, |c, [port, smac, dmac]| {
            c.set(s.egress_spec, port);
            c.set(eth.src, smac);
            c.set(eth.dst, dmac);
            c.set(ip.ttl, ip.ttl - 1);
            c.count(reasons, reason::ROUTED);
        });
        let nexthop = p.table("nexthop", |t| {
            t.exact(m.nhop).actions([rewrite, no_route]).const_default(no_route, []).size(256);
        });

        p.ingress(|c| {
            let too_long = (ip.length.cast(bit(32)) + 14).gt(s.packet_length);
            let bad = ip.version.ne(4) | ip.ihl.lt(5) | s.checksum_error.eq(1) | too_long;
            c.if_(!ip.valid(), |c| drop(c, reason::NOT_IPV4))
                .else_if(bad, |c| drop(c, reason::BAD_HEADER))
                .else_if(ip.ttl.le(1), |c| punt(c, reason::TTL))
                .else_(|c| {
                    c.apply(route).on(via, |c| {
                        c.apply(nexthop);
                    });
                });
        });

        p.emit(eth);
        p.emit(ip);
    })
}
