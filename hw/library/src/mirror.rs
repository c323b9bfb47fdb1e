//! Mirroring at both ends of the pipeline: a rule in ingress clones the packet as it came in, one in egress
//! as it leaves. Both copies get a header in front that says why and where.

use crate::headers::*;
use restage_program::prelude::*;

/// Values of `Mirror::origin`.
mod origin {
    pub const INGRESS: i32 = 1;
    pub const EGRESS: i32 = 2;
}

header! {
    /// For an egress clone, `out_port` is the one through which the original leaves.
    struct Mirror {
        origin: bit<8>, rule: bit<8>, in_port: bit<16>, out_port: bit<16>, length: bit<16>,
    }
}

metadata! {
    /// `not_kept` is in no field list, so a clone reads 0.
    struct Meta { rule: bit<8>, in_port: bit<16>, out_port: bit<16>, not_kept: bit<16> }
}

/// Describes the program.
pub fn program() -> Program {
    build("mirror", |p| {
        let mirror: Mirror = p.header("mirror");
        let (eth, ip): (Ethernet, Ipv4) = (p.header("eth"), p.header("ipv4"));
        let (m, s) = (p.metadata::<Meta>(), p.standard());
        let keep_in = p.field_list("keep_in", [m.rule, m.in_port]);
        let keep_out = p.field_list("keep_out", [m.rule, m.in_port, m.out_port]);
        parse_ipv4(p, eth, ip);

        let drop = p.action("drop", [], |c, []| c.mark_to_drop());
        let forward = p.action("forward", PORT, |c, [port]| {
            c.set(s.egress_spec, port);
            c.set(ip.ttl, ip.ttl - 1);
        });
        let route = p.table("route", |t| {
            t.lpm(ip.dst).actions([forward, drop]).const_default(drop, []).size(64);
        });

        let rule = [("rule", bit(8)), ("session", bit(32))];
        let mirror_in = p.action("mirror_in", rule, |c, [rule, session]| {
            c.set(m.rule, rule);
            c.set(m.not_kept, 0xffff);
            c.clone_ingress(session, Some(keep_in));
        });
        let no_action = p.no_action();
        let watch_in = p.table("watch_in", |t| {
            t.ternary(ip.src).ternary(ip.proto);
            t.actions([mirror_in, no_action]).const_no_action().size(64);
        });

        p.ingress(|c| {
            c.set(m.in_port, s.ingress_port.cast(bit(16)));
            c.if_(ip.valid(), |c| {
                c.apply(watch_in);
                // A dropped original still has its clone.
                c.apply(route);
                // After the clone call, yet the clone has it: fields are kept as they are at the end.
                c.set(m.rule, m.rule + 1);
            })
            .else_(|c| c.run(drop));
        });

        let add_header = p.action("add_header", [("origin", bit(8))], |c, [origin]| {
            let (out_port, length) = (m.out_port + m.not_kept, s.packet_length.cast(bit(16)));
            c.fill(mirror, (origin, m.rule, m.in_port, out_port, length));
        });
        let mirror_out = p.action("mirror_out", rule, |c, [rule, session]| {
            c.set(m.rule, rule);
            c.set(m.out_port, s.egress_port.cast(bit(16)));
            c.clone_egress(session, Some(keep_out));
        });
        let watch_out = p.table("watch_out", |t| {
            t.exact(s.egress_port).ternary(ip.dscp);
            t.actions([mirror_out, no_action]).const_no_action().size(64);
        });

        p.egress(|c| {
            // An egress clone goes through egress again and must not be cloned once more.
            c.if_(s.instance_type.eq(instance::INGRESS_CLONE), |c| {
                c.call(add_header, origin::INGRESS)
            })
            .else_if(s.instance_type.eq(instance::EGRESS_CLONE), |c| {
                c.call(add_header, origin::EGRESS)
            })
            .else_(|c| {
                c.apply(watch_out);
                // After the clone call, yet the clone shows it: it is made at the end of egress.
                c.if_(ip.valid(), |c| c.set(ip.dscp, 0));
            });
        });

        update_ipv4_checksum(p, ip);
        p.emit(mirror);
        p.emit(eth);
        p.emit(ip);
    })
}
