//! IPv6 router: LPM over 128 bits, hop limit, at most one hop-by-hop extension header of 8 bytes.
//!
//! Link-local and multicast destinations are dropped before the routes are asked. What needs software
//! goes to the CPU port: longer option headers, an expired hop limit, packets too big for the next hop.

use crate::headers::*;
use restage_program::prelude::*;

const CPU_PORT: i32 = 64;

header! {
    /// The hop-by-hop options; `len` is in units of 8 bytes and does not count the first 8.
    struct HopByHop { next: bit<8>, len: bit<8>, options: bit<48> }
}

metadata! { struct Meta { nhop: bit<16>, mtu: bit<16> } }

/// Describes the program.
pub fn program() -> Program {
    build("ipv6_router", |p| {
        let (eth, ip, hbh): (Ethernet, Ipv6, HopByHop) =
            (p.header("eth"), p.header("ipv6"), p.header("hbh"));
        let (m, s) = (p.metadata::<Meta>(), p.standard());

        p.state("start", |c| {
            c.extract(eth);
            c.select(eth.r#type).case(ethertype::IPV6, "ipv6").default("accept");
        });
        p.state("ipv6", |c| {
            c.extract(ip);
            c.select(ip.next).case(0, "hop_by_hop").default("accept");
        });
        p.state("hop_by_hop", |c| {
            c.extract(hbh);
            c.accept();
        });

        let drop = p.action("drop", [], |c, []| c.mark_to_drop());
        let punt = p.action("punt", [], |c, []| c.set(s.egress_spec, CPU_PORT));
        let via = p.action("via", [("nhop", bit(16)), ("mtu", bit(16))], |c, [nhop, mtu]| {
            c.set(m.nhop, nhop);
            c.set(m.mtu, mtu);
        });
        let route = p.table("route", |t| {
            t.lpm(ip.dst).actions([via, punt, drop]).const_default(drop, []).size(1024);
        });

        let rewrite = [("port", bit(9)), ("smac", bit(48)), ("dmac", bit(48))];
        let rewrite = p.action("rewrite", rewrite, |c, [port, smac, dmac]| {
            c.set(s.egress_spec, port);
            c.set(eth.src, smac);
            c.set(eth.dst, dmac);
            c.set(ip.hops, ip.hops - 1);
        });
        let nexthop = p.table("nexthop", |t| {
            t.exact(m.nhop).actions([rewrite, drop]).const_default(drop, []).size(256);
        });

        // DSCP, the upper six bits of the traffic class, by flow label; the ECN bits stay.
        let mark = p.action("mark", [("dscp", bit(6))], |c, [dscp]| {
            c.set(ip.class, dscp.concat(ip.class.bits(1, 0)));
        });
        let no_action = p.no_action();
        let flow_class = p.table("flow_class", |t| {
            t.ternary(ip.flow).lpm(ip.src);
            t.actions([mark, no_action]).const_no_action().size(64);
        });

        p.ingress(|c| {
            let multicast = ip.dst.bits(127, 120).eq(0xff);
            let link_local = ip.dst.bits(127, 118).eq(0xfe80 >> 6);
            c.if_(!ip.valid() | ip.version.ne(6), |c| c.run(drop))
                .else_if(multicast | link_local, |c| c.run(drop))
                .else_if(hbh.valid() & hbh.len.ne(0), |c| c.run(punt))
                .else_if(ip.hops.le(1), |c| c.run(punt))
                .else_(|c| {
                    c.apply(route).on(via, |c| {
                        // 16 bits, as the payload length has: nearly 64 KB and the header wrap around.
                        c.if_((ip.length + 40).gt(m.mtu), |c| c.run(punt)).else_(|c| {
                            c.apply(flow_class);
                            c.apply(nexthop);
                        });
                    });
                });
        });

        p.emit(eth);
        p.emit(ip);
        p.emit(hbh);
    })
}
