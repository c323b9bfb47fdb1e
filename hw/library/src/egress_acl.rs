//! What egress can do: an access list behind the traffic point, remarking, and truncation per port.
//!
//! Every copy of a packet is looked up on its own, with the port to which it goes and the length that it
//! has then. Dropping it here leaves ingress counters as they are.

use crate::headers::*;
use restage_program::prelude::*;

metadata! { struct Meta { exempt: bit<1> } }

/// Indices of the counter `shaped`.
mod shape {
    pub const WHOLE: i32 = 0;
    pub const CUT: i32 = 1;
    pub const TOO_LONG: i32 = 2;
}

/// Describes the program.
pub fn program() -> Program {
    build("egress_acl", |p| {
        let (eth, ip, l4): (Ethernet, Ipv4, Ports) =
            (p.header("eth"), p.header("ipv4"), p.header("l4"));
        let (m, s) = (p.metadata::<Meta>(), p.standard());
        let routed = p.counter("routed", Unit::Both, 16);
        let shaped = p.counter("shaped", Unit::Both, 8);

        parse_ports(p, (eth, ip, l4));

        let forward = [("port", bit(9)), ("exempt", bit(1))];
        let forward = p.action("forward", forward, |c, [port, exempt]| {
            c.set(s.egress_spec, port);
            c.set(m.exempt, exempt);
            c.count(routed, port & 15);
        });
        let monitor = p.action("monitor", [("group", bit(16))], |c, [group]| {
            c.set(s.mcast_grp, group);
            // The group decides, whatever egress_spec says.
            c.set(s.egress_spec, DROP_PORT);
        });
        let drop = p.action("drop", [], |c, []| c.mark_to_drop());
        let route = p.table("route", |t| {
            t.lpm(ip.dst).actions([forward, monitor, drop]).const_default(drop, []).size(64);
        });
        p.ingress(|c| {
            c.if_(ip.valid(), |c| {
                c.apply(route);
            })
            .else_(|c| c.run(drop));
        });

        let permit = p.action("permit", [], |_, []| {});
        let deny = p.action("deny", [], |c, []| c.mark_to_drop());
        let remark = p.action("remark", [("dscp", bit(6))], |c, [dscp]| c.set(ip.dscp, dscp));
        let acl = p.table("acl", |t| {
            t.exact(s.egress_port).ternary(ip.src);
            t.ternary(l4.dport).named("dport").ternary(l4.valid()).named("has_ports");
            t.actions([permit, deny, remark]).const_default(permit, []).size(128);
            t.counter("hits", Unit::Both);
        });
        let cut = p.action("cut", [("length", bit(32))], |c, [length]| {
            c.truncate(length);
            c.count(shaped, shape::CUT);
        });
        let whole = p.action("whole", [], |c, []| c.count(shaped, shape::WHOLE));
        let too_long = p.action("too_long", [], |c, []| {
            c.mark_to_drop();
            c.count(shaped, shape::TOO_LONG);
        });
        let port_shape = p.table("port_shape", |t| {
            t.exact(s.egress_port).ternary(s.packet_length);
            t.actions([cut, whole, too_long]).const_default(whole, []).size(32);
        });
        p.egress(|c| {
            c.if_(m.exempt.eq(0), |c| {
                c.apply(acl);
            });
            c.apply(port_shape);
        });

        update_ipv4_checksum(p, ip);
        p.emit(eth);
        p.emit(ip);
        p.emit(l4);
    })
}
