//! Equal cost multipath: a destination prefix names a next hop, or a group of them out of which the
//! CRC-16 of the 5-tuple picks one. A next hop is complete (port and addresses), so one table is enough.

use crate::headers::*;
use restage_program::prelude::*;

metadata! {
    /// The ports, 0 when there are none. A selector leaves out fields of an invalid header; with these,
    /// fragments and other protocols hash over zeros instead.
    struct Meta { sport: bit<16>, dport: bit<16> }
}

/// Describes the program.
pub fn program() -> Program {
    build("ecmp", |p| {
        let (eth, ip, l4): (Ethernet, Ipv4, Ports) =
            (p.header("eth"), p.header("ipv4"), p.header("l4"));
        let (m, s) = (p.metadata::<Meta>(), p.standard());
        let tx = p.counter("tx", Unit::Packets, 512);

        parse_ports(p, (eth, ip, l4));
        ipv4_checksum(p, ip);

        let drop = p.action("drop", [], |c, []| c.mark_to_drop());
        let member = [("port", bit(9)), ("smac", bit(48)), ("dmac", bit(48))];
        let member = p.action("member", member, |c, [port, smac, dmac]| {
            c.set(s.egress_spec, port);
            c.set(eth.src, smac);
            c.set(eth.dst, dmac);
            c.set(ip.ttl, ip.ttl - 1);
            c.count(tx, port);
        });
        let flow = list![ip.src, ip.dst, ip.proto, m.sport, m.dport];
        let members = p.action_selector("members", Crc16, flow, 64);
        let group = p.table("group", |t| {
            t.lpm(ip.dst).actions([member, drop]).implementation(members).size(256);
        });

        p.ingress(|c| {
            c.if_(l4.valid(), |c| {
                c.set(m.sport, l4.sport);
                c.set(m.dport, l4.dport);
            });
            let bad = !ip.valid() | s.checksum_error.eq(1) | ip.ttl.le(1);
            c.if_(bad, |c| c.run(drop)).else_(|c| {
                c.apply(group).miss(|c| c.run(drop));
            });
        });

        p.emit(eth);
        p.emit(ip);
        p.emit(l4);
    })
}
