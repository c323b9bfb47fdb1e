//! Ethernet bridge. A known destination gets the frame alone; an unknown one makes the table's default
//! action flood a multicast group, as do group addresses. Unknown sources are only counted: learning is
//! the control plane's. Egress prunes the copy that would go back where the frame came from.

use crate::headers::*;
use restage_program::prelude::*;

/// Describes the program.
pub fn program() -> Program {
    build("l2_switch", |p| {
        let eth: Ethernet = p.header("eth");
        let s = p.standard();
        let rx = p.counter("rx", Unit::Both, 512);
        let unknown_src = p.counter("unknown_src", Unit::Packets, 512);

        p.state("start", |c| {
            c.extract(eth);
            c.accept();
        });

        let known = p.action("known", [], |_, []| {});
        let unknown = p.action("unknown", [], |c, []| c.count(unknown_src, s.ingress_port));
        let smac = p.table("smac", |t| {
            t.exact(eth.src).exact(s.ingress_port);
            t.actions([known, unknown]).const_default(unknown, []).size(1024);
        });

        let forward = p.action("forward", PORT, |c, [port]| c.set(s.egress_spec, port));
        let flood = [("group", bit(16))];
        let flood = p.action("flood", flood, |c, [group]| c.set(s.mcast_grp, group));
        let discard = p.action("discard", [], |c, []| c.mark_to_drop());
        let dmac = p.table("dmac", |t| {
            t.exact(eth.dst).actions([forward, flood, discard]).default(discard, []).size(1024);
        });
        // Groups get their own table so that flooding can be limited per ingress port.
        let group = p.table("group", |t| {
            t.exact(s.ingress_port).actions([flood, discard]).default(discard, []).size(64);
        });

        p.ingress(|c| {
            c.count(rx, s.ingress_port);
            c.if_(!eth.valid(), |c| c.run(discard)).else_(|c| {
                c.apply(smac);
                let to_group = eth.dst.bits(40, 40).eq(1);
                c.if_(to_group, |c| {
                    c.apply(group);
                })
                .else_(|c| {
                    c.apply(dmac);
                });
            });
        });
        p.egress(|c| {
            c.if_(s.egress_port.eq(s.ingress_port), |c| c.mark_to_drop());
        });

        p.emit(eth);
    })
}
