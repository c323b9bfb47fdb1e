//! Router with an access list: LPM, next hop, ternary 5-tuple ACL, in that order, so that a denied packet
//! has already been rewritten when it is dropped (only the counters can tell).

use crate::headers::*;
use restage_program::prelude::*;

metadata! { struct Meta { nhop: bit<16> } }

/// Describes the program.
pub fn program() -> Program {
    build("l3_acl", |p| {
        let (eth, ip, l4): (Ethernet, Ipv4, Ports) =
            (p.header("eth"), p.header("ipv4"), p.header("l4"));
        let (m, s) = (p.metadata::<Meta>(), p.standard());

        p.state("start", |c| {
            c.extract(eth);
            c.select(eth.r#type).case(ethertype::IPV4, "ipv4").default("accept");
        });
        p.state("ipv4", |c| {
            c.extract(ip);
            c.select(ip.proto)
                .case(protocol::TCP, "l4")
                .case(protocol::UDP, "l4")
                .default("accept");
        });
        p.state("l4", |c| {
            c.extract(l4);
            c.accept();
        });
        ipv4_checksum(p, ip);

        let drop = p.action("drop", [], |c, []| c.mark_to_drop());
        let to = p.action("to", [("nhop", bit(16))], |c, [nhop]| {
            c.set(m.nhop, nhop);
            c.set(ip.ttl, ip.ttl - 1);
        });
        let route = p.table("route", |t| {
            t.lpm(ip.dst).actions([to]).const_default(drop, []).size(4096);
            t.counter("route_hits", Unit::Packets);
        });

        let adjacency = [("port", bit(9)), ("smac", bit(48)), ("dmac", bit(48))];
        let adjacency = p.action("adjacency", adjacency, |c, [port, smac, dmac]| {
            c.set(s.egress_spec, port);
            c.set(eth.src, smac);
            c.set(eth.dst, dmac);
        });
        let nexthop = p.table("nexthop", |t| {
            t.exact(m.nhop).actions([adjacency, drop]).const_default(drop, []).size(256);
        });

        let permit = p.action("permit", [], |_, []| {});
        let deny = p.action("deny", [], |c, []| c.mark_to_drop());
        let acl = p.table("acl", |t| {
            t.ternary(ip.src).ternary(ip.dst).ternary(ip.proto);
            // A packet without ports is looked up with ports of 0.
            t.ternary(l4.sport).named("sport").ternary(l4.dport).named("dport");
            t.actions([permit, deny]).const_default(permit, []).size(512);
            t.counter("acl_hits", Unit::Both);
        });

        p.ingress(|c| {
            let bad = !ip.valid() | s.checksum_error.eq(1) | ip.ttl.le(1);
            c.if_(bad, |c| c.run(drop)).else_(|c| {
                c.apply(route).hit(|c| {
                    c.apply(nexthop);
                    c.apply(acl);
                });
            });
        });

        p.emit(eth);
        p.emit(ip);
        p.emit(l4);
    })
}
