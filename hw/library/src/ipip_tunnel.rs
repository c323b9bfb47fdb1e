//! End point of IPv4-in-IPv4 tunnels. A packet can leave one tunnel and enter another in one pass.
//!
//! * decapsulation (`local_end`): protocol 4 from a known peer; the inner packet is then routed.
//! * encapsulation (`route`): the outer header is made from scratch with the inner DSCP and ECN.

use crate::headers::*;
use restage_program::prelude::*;

/// Describes the program.
pub fn program() -> Program {
    build("ipip_tunnel", |p| {
        let (eth, outer, ip): (Ethernet, Ipv4, Ipv4) =
            (p.header("eth"), p.header("outer"), p.header("ipv4"));
        let s = p.standard();
        let tunnel = p.counter("tunnel", Unit::Both, 256);

        p.state("start", |c| {
            c.extract(eth);
            c.select(eth.r#type).case(ethertype::IPV4, "first").default("accept");
        });
        // The protocol (byte 9) decides which instance the bytes are, so that the packet's own header is
        // always `ipv4`.
        p.state("first", |c| {
            c.select(lookahead_at(72, 8)).case(protocol::IPV4, "outer").default("ipv4");
        });
        p.state("outer", |c| {
            c.extract(outer);
            c.goto("ipv4");
        });
        p.state("ipv4", |c| {
            c.extract(ip);
            c.accept();
        });
        ipv4_checksum(p, outer);
        ipv4_checksum(p, ip);

        let drop = p.action("drop", [], |c, []| c.mark_to_drop());
        let decap = p.action("decap", [("id", bit(16))], |c, [id]| {
            c.set_invalid(outer);
            c.count(tunnel, id);
        });
        let local_end = p.table("local_end", |t| {
            t.exact(outer.src).exact(outer.dst);
            t.actions([decap, drop]).const_default(drop, []).size(256);
        });

        let send = |c: &mut Body, port: Param| {
            c.set(s.egress_spec, port);
            c.set(ip.ttl, ip.ttl - 1);
        };
        let forward = p.action("forward", PORT, |c, [port]| send(c, port));
        let encap = [("id", bit(16)), ("src", bit(32)), ("dst", bit(32)), ("port", bit(9))];
        let encap = p.action("encap", encap, |c, [id, src, dst, port]| {
            send(c, port);
            c.set_valid(outer);
            c.set(outer.version, 4);
            c.set(outer.ihl, 5);
            c.set(outer.dscp, ip.dscp);
            c.set(outer.ecn, ip.ecn);
            c.set(outer.length, ip.length + 20);
            c.set(outer.id, 0);
            c.set(outer.flags, 2);
            c.set(outer.frag, 0);
            c.set(outer.ttl, 64);
            c.set(outer.proto, protocol::IPV4);
            c.set(outer.src, src);
            c.set(outer.dst, dst);
            c.count(tunnel, id);
        });
        let route = p.table("route", |t| {
            t.lpm(ip.dst).actions([forward, encap, drop]).const_default(drop, []).size(256);
        });

        p.ingress(|c| {
            c.if_(!ip.valid() | s.checksum_error.eq(1), |c| {
                c.run(drop);
                c.exit();
            });
            c.if_(outer.valid(), |c| {
                c.apply(local_end).miss(|c| c.exit());
            });
            c.if_(ip.ttl.le(1), |c| c.run(drop)).else_(|c| {
                c.apply(route);
            });
        });

        p.emit(eth);
        p.emit(outer);
        p.emit(ip);
    })
}
