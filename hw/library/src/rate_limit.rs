//! Policer: a classifier picks a meter, and its colour decides: green passes, yellow is remarked, red is
//! dropped. The classifier shows range and optional keys.

use crate::headers::*;
use restage_program::prelude::*;

/// Colours of a meter.
mod color {
    pub const YELLOW: i32 = 1;
    pub const RED: i32 = 2;
}

metadata! {
    struct Meta {
        meter_id: bit<32>,
        color: bit<2>,
        policed: bool,
        /// 0 when there are no ports.
        dport: bit<16>,
    }
}

/// Describes the program.
pub fn program() -> Program {
    build("rate_limit", |p| {
        let (eth, ip, l4): (Ethernet, Ipv4, Ports) =
            (p.header("eth"), p.header("ipv4"), p.header("l4"));
        let (m, s) = (p.metadata::<Meta>(), p.standard());
        let police = p.meter("police", Unit::Packets, 64);
        let colors = p.counter("colors", Unit::Packets, 4);

        parse_ethernet(p, eth);
        p.state("ipv4", |c| {
            c.extract(ip);
            c.select(ip.proto)
                .case(protocol::TCP, "l4")
                .case(protocol::UDP, "l4")
                .default("accept");
        });
        p.state("l4", |c| {
            c.extract(l4);
            c.set(m.dport, l4.dport);
            c.accept();
        });

        let limit = p.action("limit", [("meter_id", bit(32))], |c, [meter_id]| {
            c.set(m.meter_id, meter_id);
            c.set(m.policed, true);
        });
        let exempt = p.action("exempt", [], |_, []| {});
        let classify = p.table("classify", |t| {
            t.optional(s.ingress_port).optional(ip.dst).range(m.dport).range(ip.length);
            t.actions([limit, exempt]).const_default(exempt, []).size(64);
        });

        p.ingress(|c| {
            c.if_(!ip.valid(), |c| c.mark_to_drop()).else_(|c| {
                c.set(s.egress_spec, s.ingress_port ^ 1);
                c.apply(classify);
                c.if_(m.policed, |c| {
                    c.execute_meter(m.color, police, m.meter_id);
                    c.count(colors, m.color);
                    c.if_(m.color.eq(color::RED), |c| c.mark_to_drop())
                        .else_if(m.color.eq(color::YELLOW), |c| c.set(ip.dscp, 8));
                });
            });
        });

        update_ipv4_checksum(p, ip);
        p.emit(eth);
        p.emit(ip);
        p.emit(l4);
    })
}
