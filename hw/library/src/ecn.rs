//! ECN marking by a virtual queue. The real queue's depth differs between runs, so the program keeps its
//! own: a backlog in bytes for each egress port, which grows by a packet's length and drains by a fixed
//! amount for each packet. Above the first threshold ECT becomes CE; what cannot be marked is dropped above
//! the second.

use crate::headers::*;
use restage_program::prelude::*;

const PORTS: u32 = 512;

/// Values of `Ipv4::ecn`.
mod codepoint {
    pub const NOT_ECT: i32 = 0;
    pub const CE: i32 = 3;
}

/// Indices of the counter `marks`.
mod mark {
    pub const UNCHANGED: i32 = 0;
    pub const MARKED: i32 = 1;
    pub const WAS_MARKED: i32 = 2;
    pub const DROPPED: i32 = 3;
}

metadata! {
    struct Meta { backlog: bit<16>, mark_at: bit<16>, drop_at: bit<16>, drain: bit<16> }
}

/// Describes the program.
pub fn program() -> Program {
    build("ecn", |p| {
        let (eth, ip): (Ethernet, Ipv4) = (p.header("eth"), p.header("ipv4"));
        let (m, s) = (p.metadata::<Meta>(), p.standard());
        parse_ipv4(p, eth, ip);

        let forward = p.action("forward", PORT, |c, [port]| c.set(s.egress_spec, port));
        let drop = p.action("drop", [], |c, []| c.mark_to_drop());
        let route = p.table("route", |t| {
            t.lpm(ip.dst).actions([forward, drop]).const_default(drop, []).size(64);
        });
        p.ingress(|c| {
            c.if_(ip.valid(), |c| {
                c.apply(route);
            })
            .else_(|c| c.run(drop));
        });

        let backlog = p.register("backlog", bit(16), PORTS);
        let marks = p.counter("marks", Unit::Packets, 4);

        let thresholds = [("mark_at", bit(16)), ("drop_at", bit(16)), ("drain", bit(16))];
        let thresholds = p.action("thresholds", thresholds, |c, [mark_at, drop_at, drain]| {
            c.set(m.mark_at, mark_at);
            c.set(m.drop_at, drop_at);
            c.set(m.drain, drain);
        });
        let no_action = p.no_action();
        let policy = p.table("policy", |t| {
            t.exact(s.egress_port).ternary(ip.dscp);
            t.actions([thresholds, no_action]).const_no_action().size(64);
        });
        p.egress(|c| {
            c.apply(policy).hit(|c| {
                c.read(m.backlog, backlog, s.egress_port);
                c.set(m.backlog, m.backlog.sat_add(ip.length).sat_sub(m.drain));
                c.write(backlog, s.egress_port, m.backlog);
                c.if_(ip.ecn.eq(codepoint::CE), |c| c.count(marks, mark::WAS_MARKED))
                    .else_if(ip.ecn.ne(codepoint::NOT_ECT) & m.backlog.gt(m.mark_at), |c| {
                        c.set(ip.ecn, codepoint::CE);
                        c.count(marks, mark::MARKED);
                    })
                    .else_if(ip.ecn.eq(codepoint::NOT_ECT) & m.backlog.gt(m.drop_at), |c| {
                        c.count(marks, mark::DROPPED);
                        c.mark_to_drop();
                    })
                    .else_(|c| c.count(marks, mark::UNCHANGED));
            });
        });

        update_ipv4_checksum(p, ip);
        p.emit(eth);
        p.emit(ip);
    })
}
