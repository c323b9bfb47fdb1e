//! Bump in the wire with a 5-tuple access list, ternary, with priorities and a direct counter.
//!
//! A fragment other than the first has no ports. The ports are looked up in metadata next to a bit that
//! says whether there are any, so that a rule for port 0 is not one for fragments.

use crate::headers::*;
use restage_program::prelude::*;

metadata! { struct Meta { has_ports: bit<1>, sport: bit<16>, dport: bit<16> } }

/// Describes the program.
pub fn program() -> Program {
    build("acl5", |p| {
        let (eth, ip, l4): (Ethernet, Ipv4, Ports) =
            (p.header("eth"), p.header("ipv4"), p.header("l4"));
        let (m, s) = (p.metadata::<Meta>(), p.standard());

        parse_ports(p, (eth, ip, l4));

        let permit = p.action("permit", [], |_, []| {});
        let deny = p.action("deny", [], |c, []| c.mark_to_drop());
        let remark = p.action("remark", [("dscp", bit(6))], |c, [dscp]| c.set(ip.dscp, dscp));
        let acl = p.table("acl", |t| {
            t.ternary(ip.src).ternary(ip.dst).ternary(ip.proto);
            t.ternary(m.has_ports).ternary(m.sport).ternary(m.dport);
            t.actions([permit, deny, remark]).default(permit, []).size(512);
            t.counter("hits", Unit::Both);
        });

        let out_port = p.action("out_port", PORT, |c, [port]| c.set(s.egress_spec, port));
        let unwired = p.action("unwired", [], |c, []| c.mark_to_drop());
        let wire = p.table("wire", |t| {
            t.exact(s.ingress_port).actions([out_port, unwired]);
            t.const_default(unwired, []).size(16);
        });

        p.ingress(|c| {
            c.apply(wire);
            c.if_(ip.valid() & s.egress_spec.ne(DROP_PORT), |c| {
                c.if_(l4.valid(), |c| {
                    c.set(m.has_ports, 1);
                    c.set(m.sport, l4.sport);
                    c.set(m.dport, l4.dport);
                });
                c.apply(acl);
            });
        });

        update_ipv4_checksum(p, ip);
        p.emit(eth);
        p.emit(ip);
        p.emit(l4);
    })
}
