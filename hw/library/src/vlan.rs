//! VLAN bridge with access and trunk ports; a second tag (QinQ) is carried as payload.
//!
//! * `port_vlan`: what a port does with untagged, priority tagged (vid 0) and tagged frames.
//! * `fdb`, then `vlan_group`: where a destination is in its VLAN, else flooding.
//! * `out_tag`: whether a port sends a VLAN tagged or untagged; one that is no member sends nothing.

use crate::headers::*;
use restage_program::prelude::*;

metadata! { struct Meta { vid: bit<12>, pcp: bit<3> } }

/// Describes the program.
pub fn program() -> Program {
    build("vlan", |p| {
        let (eth, tag): (Ethernet, Vlan) = (p.header("eth"), p.header("vlan"));
        let (m, s) = (p.metadata::<Meta>(), p.standard());

        p.state("start", |c| {
            c.extract(eth);
            c.select(eth.r#type).case(ethertype::VLAN, "vlan").default("accept");
        });
        p.state("vlan", |c| {
            c.extract(tag);
            c.accept();
        });

        let drop = p.action("drop", [], |c, []| c.mark_to_drop());
        let access = p.action("access", [("pvid", bit(12)), ("pcp", bit(3))], |c, [pvid, pcp]| {
            c.set(m.vid, pvid);
            c.set(m.pcp, pcp);
        });
        let trunk = p.action("trunk", [], |c, []| {
            c.set(m.vid, tag.vid);
            c.set(m.pcp, tag.pcp);
        });
        // Priority tagged frames keep their priority and take the port's VLAN.
        let native = p.action("native", [("pvid", bit(12))], |c, [pvid]| {
            c.set(m.vid, pvid);
            c.set(m.pcp, tag.pcp);
        });
        let port_vlan = p.table("port_vlan", |t| {
            t.exact(s.ingress_port);
            t.exact(tag.valid()).named("tagged").ternary(tag.vid).named("vid");
            t.actions([access, trunk, native, drop]).const_default(drop, []).size(256);
        });

        let forward = p.action("forward", PORT, |c, [port]| c.set(s.egress_spec, port));
        let fdb = p.table("fdb", |t| {
            t.exact(m.vid).exact(eth.dst).actions([forward]).const_no_action().size(1024);
        });
        let flood = [("group", bit(16))];
        let flood = p.action("flood", flood, |c, [group]| c.set(s.mcast_grp, group));
        let vlan_group = p.table("vlan_group", |t| {
            t.exact(m.vid).actions([flood, drop]).const_default(drop, []).size(64);
        });

        p.ingress(|c| {
            c.if_(!eth.valid(), |c| c.run(drop)).else_(|c| {
                c.apply(port_vlan).on(drop, |_| {}).otherwise(|c| {
                    // Between ingress and egress every frame is tagged.
                    c.if_(!tag.valid(), |c| {
                        c.fill(tag, (0, 0, 0, eth.r#type));
                        c.set(eth.r#type, ethertype::VLAN);
                    });
                    c.set(tag.vid, m.vid);
                    c.set(tag.pcp, m.pcp);
                    c.apply(fdb).miss(|c| {
                        c.apply(vlan_group);
                    });
                });
            });
        });

        let tagged = p.action("tagged", [], |_, []| {});
        let untagged = p.action("untagged", [], |c, []| {
            c.set(eth.r#type, tag.r#type);
            c.set_invalid(tag);
        });
        let not_member = p.action("not_member", [], |c, []| c.mark_to_drop());
        let out_tag = p.table("out_tag", |t| {
            t.exact(s.egress_port).exact(tag.vid);
            t.actions([tagged, untagged, not_member]).const_default(not_member, []).size(256);
        });
        p.egress(|c| {
            c.if_(s.egress_port.eq(s.ingress_port), |c| c.mark_to_drop()).else_(|c| {
                c.apply(out_tag);
            });
        });

        p.emit(eth);
        p.emit(tag);
    })
}
