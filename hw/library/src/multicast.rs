//! IPv4 multicast router: a group address names a replication list; egress rewrites every copy.
//!
//! Each copy comes with the replication id of its branch; (port, id) gives its source address and VLAN.
//! The destination address is made of the group's. A source must arrive on the port that `rpf` names.

use crate::headers::*;
use restage_program::prelude::*;

header! {
    /// An 802.1Q tag, its control information in one piece.
    struct Tag { tci: bit<16>, r#type: bit<16> }
}

/// Describes the program.
pub fn program() -> Program {
    build("multicast", |p| {
        let (eth, tag, ip): (Ethernet, Tag, Ipv4) =
            (p.header("eth"), p.header("vlan"), p.header("ipv4"));
        let s = p.standard();
        let copies = p.counter("copies", Unit::Packets, 512);

        p.state("start", |c| {
            c.extract(eth);
            c.select(eth.r#type)
                .case(ethertype::VLAN, "vlan")
                .case(ethertype::IPV4, "ipv4")
                .default("accept");
        });
        p.state("vlan", |c| {
            c.extract(tag);
            c.select(tag.r#type).case(ethertype::IPV4, "ipv4").default("accept");
        });
        p.state("ipv4", |c| {
            c.extract(ip);
            c.accept();
        });

        let drop = p.action("drop", [], |c, []| c.mark_to_drop());
        let from_port = p.action("from_port", PORT, |c, [port]| {
            c.if_(s.ingress_port.ne(port), |c| c.mark_to_drop());
        });
        let rpf = p.table("rpf", |t| {
            t.lpm(ip.src).actions([from_port, drop]).const_default(drop, []).size(64);
        });
        let replicate = [("group", bit(16))];
        let replicate = p.action("replicate", replicate, |c, [group]| c.set(s.mcast_grp, group));
        let unicast = p.action("unicast", PORT, |c, [port]| c.set(s.egress_spec, port));
        let groups = p.table("groups", |t| {
            t.exact(ip.dst).actions([replicate, unicast, drop]);
            t.const_default(drop, []).size(256);
        });

        p.ingress(|c| {
            let not_multicast = ip.dst.bits(31, 28).ne(0xe);
            c.if_(!ip.valid() | ip.ttl.le(1) | not_multicast, |c| c.run(drop)).else_(|c| {
                c.apply(groups);
                // Last, because its drop must cancel the replication too.
                c.apply(rpf);
            });
        });

        let route = |c: &mut Body, smac: Param| {
            // 01:00:5e, a 0, and the low 23 bits of the group address.
            let mac = bits(25, 0x01005e << 1).concat(ip.dst.bits(22, 0));
            c.set(eth.src, smac);
            c.set(eth.dst, mac);
            c.set(ip.ttl, ip.ttl - 1);
        };
        let routed = p.action("routed", [("smac", bit(48))], |c, [smac]| {
            route(c, smac);
            c.if_(tag.valid(), |c| {
                c.set(eth.r#type, tag.r#type);
                c.set_invalid(tag);
            });
        });
        let routed_vlan = [("smac", bit(48)), ("tci", bit(16))];
        let routed_vlan = p.action("routed_vlan", routed_vlan, |c, [smac, tci]| {
            route(c, smac);
            c.fill(tag, (tci, ethertype::IPV4));
            c.set(eth.r#type, ethertype::VLAN);
        });
        let bridged = p.action("bridged", [], |_, []| {});
        let prune = p.action("prune", [], |c, []| c.mark_to_drop());
        let replica = p.table("replica", |t| {
            t.exact(s.egress_port).exact(s.egress_rid);
            t.actions([routed, routed_vlan, bridged, prune]).const_default(prune, []).size(256);
        });
        p.egress(|c| {
            c.apply(replica);
            c.count(copies, s.egress_rid);
        });

        update_ipv4_checksum(p, ip);
        p.emit(eth);
        p.emit(tag);
        p.emit(ip);
    })
}
