//! MAC learning by digest: sources that the control plane does not know yet, or knows at another port, are
//! reported to it with port and VLAN. Forwarding floods until it has filled `dmac`.

use crate::headers::*;
use restage_program::prelude::*;

const UNKNOWN: u32 = 511;
const FLOOD_GROUP: i32 = 1;

metadata! { struct Meta { vid: bit<12>, known_port: bit<9>, moved: bit<1> } }

/// Describes the program.
pub fn program() -> Program {
    build("digest_learn", |p| {
        let (eth, vlan): (Ethernet, Vlan) = (p.header("eth"), p.header("vlan"));
        let (m, s) = (p.metadata::<Meta>(), p.standard());

        p.state("start", |c| {
            c.extract(eth);
            c.select(eth.r#type).case(ethertype::VLAN, "vlan").default("accept");
        });
        p.state("vlan", |c| {
            c.extract(vlan);
            c.set(m.vid, vlan.vid);
            c.accept();
        });

        let learn =
            [("src", eth.src), ("port", s.ingress_port), ("vid", m.vid), ("moved", m.moved)];
        let learn = p.digest("learn_t", learn);

        let known = p.action("known", PORT, |c, [port]| c.set(m.known_port, port));
        let unknown = p.action("unknown", [], |c, []| c.set(m.known_port, UNKNOWN));
        let smac = p.table("smac", |t| {
            t.exact(eth.src).exact(m.vid);
            t.actions([known, unknown]).const_default(unknown, []).size(1024);
        });

        let forward = p.action("forward", PORT, |c, [port]| c.set(s.egress_spec, port));
        let flood = p.action("flood", [], |c, []| c.set(s.mcast_grp, FLOOD_GROUP));
        let dmac = p.table("dmac", |t| {
            t.exact(eth.dst).exact(m.vid);
            t.actions([forward, flood]).const_default(flood, []).size(1024);
        });

        p.ingress(|c| {
            c.if_(s.parser_error.ne(error::NO_ERROR), |c| {
                c.mark_to_drop();
                c.exit();
            });
            // Group addresses are never learnt.
            c.if_(eth.src.bits(40, 40).eq(0), |c| {
                c.apply(smac);
                c.if_(m.known_port.eq(UNKNOWN), |c| c.digest(learn)).else_if(
                    m.known_port.ne(s.ingress_port),
                    |c| {
                        c.set(m.moved, 1);
                        c.digest(learn);
                    },
                );
            });
            c.apply(dmac);
        });
        p.egress(|c| {
            // Never back to where it came from.
            c.if_(s.egress_port.eq(s.ingress_port), |c| c.mark_to_drop());
        });

        p.emit(eth);
        p.emit(vlan);
    })
}
