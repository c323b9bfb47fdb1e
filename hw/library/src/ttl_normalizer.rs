//! Traffic normalizer: takes away what tells hosts apart or confuses a middlebox, for IPv4 and IPv6.
//!
//! * TTL and hop limit are raised to a floor, capped or set, by rule; a packet with 0 is dropped.
//! * IPv4: the identification of what may not be and is not fragmented is cleared, so is the reserved
//!   flag; packets from an address to itself ("land") are dropped.
//! * IPv6: the flow label is cleared.

use crate::headers::*;
use restage_program::prelude::*;

/// Bits of `Ipv4::flags`.
mod flag {
    pub const DONT_FRAGMENT: i32 = 2;
    pub const MORE_FRAGMENTS: i32 = 1;
}

metadata! { struct Meta { ttl: bit<8>, proto: bit<8>, dscp: bit<6> } }

/// Describes the program.
pub fn program() -> Program {
    build("ttl_normalizer", |p| {
        let (eth, v4, v6): (Ethernet, Ipv4, Ipv6) =
            (p.header("eth"), p.header("ipv4"), p.header("ipv6"));
        let (m, s) = (p.metadata::<Meta>(), p.standard());

        p.state("start", |c| {
            c.extract(eth);
            c.select(eth.r#type)
                .case(ethertype::IPV4, "ipv4")
                .case(ethertype::IPV6, "ipv6")
                .default("accept");
        });
        p.state("ipv4", |c| {
            c.extract(v4);
            // Other versions are taken as they are; BMv2 accepts where the P4 has no case for them.
            c.accept();
        });
        p.state("ipv6", |c| {
            c.extract(v6);
            c.verify(v6.version.eq(6), error::NO_MATCH);
            c.accept();
        });
        ipv4_checksum(p, v4);

        let drop = p.action("drop", [], |c, []| c.mark_to_drop());
        let at_least = [("floor", bit(8))];
        let at_least = p.action("at_least", at_least, |c, [floor]| c.set(m.ttl, max(m.ttl, floor)));
        let at_most = [("cap", bit(8))];
        let at_most = p.action("at_most", at_most, |c, [cap]| c.set(m.ttl, min(m.ttl, cap)));
        let set = p.action("set", [("ttl", bit(8))], |c, [ttl]| c.set(m.ttl, ttl));
        let keep = p.action("keep", [], |_, []| {});
        let rule = p.table("rule", |t| {
            t.exact(s.ingress_port).ternary(m.proto).ternary(m.ttl).ternary(m.dscp);
            t.actions([at_least, at_most, set, keep, drop]).const_default(keep, []).size(128);
            t.counter("applied", Unit::Packets);
        });

        p.ingress(|c| {
            c.if_(s.parser_error.ne(error::NO_ERROR) | s.checksum_error.eq(1), |c| {
                c.mark_to_drop();
                c.exit();
            });
            c.set(s.egress_spec, s.ingress_port ^ 1);
            c.if_(v4.valid(), |c| {
                c.set(m.ttl, v4.ttl);
                c.set(m.proto, v4.proto);
                c.set(m.dscp, v4.dscp);
            })
            .else_if(v6.valid(), |c| {
                c.set(m.ttl, v6.hops);
                c.set(m.proto, v6.next);
                c.set(m.dscp, v6.class.bits(7, 2));
            })
            .else_(|c| c.exit());
            c.if_(m.ttl.eq(0), |c| {
                c.mark_to_drop();
                c.exit();
            });

            c.apply(rule);
            c.if_(v4.valid(), |c| {
                c.if_(v4.src.eq(v4.dst), |c| c.mark_to_drop());
                c.set(v4.ttl, m.ttl);
                let both = v4.flags & (flag::DONT_FRAGMENT | flag::MORE_FRAGMENTS);
                c.if_(both.clone().eq(flag::DONT_FRAGMENT) & v4.frag.eq(0), |c| c.set(v4.id, 0));
                c.set(v4.flags, both);
            })
            .else_(|c| {
                c.set(v6.hops, m.ttl);
                c.set(v6.flow, 0);
            });
        });

        p.emit(eth);
        p.emit(v4);
        p.emit(v6);
    })
}
