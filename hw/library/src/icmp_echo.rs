//! Answers ARP and ICMP echo requests for the switch's own addresses; all else is forwarded by MAC.
//!
//! The ICMP checksum is adjusted for the changed type only, so the payload is not read.

use crate::headers::*;
use restage_program::prelude::*;

header! {
    /// ARP for Ethernet and IPv4.
    struct Arp {
        htype: bit<16>, ptype: bit<16>, hlen: bit<8>, plen: bit<8>, op: bit<16>,
        sha: bit<48>, spa: bit<32>,
        tha: bit<48>, tpa: bit<32>,
    }

    /// What all ICMP messages begin with.
    struct Icmp { r#type: bit<8>, code: bit<8>, csum: bit<16> }
}

metadata! {
    struct Meta {
        /// The address asked for, or sent to.
        target: bit<32>,
        mac: bit<48>,
        own: bool,
    }
}

/// Indices of the counter `answers`.
mod answer {
    pub const ARP: i32 = 0;
    pub const ECHO: i32 = 1;
    /// Traffic to own addresses that gets no answer.
    pub const NONE: i32 = 2;
}

/// `Arp::op`.
mod arp_op {
    pub const REQUEST: i32 = 1;
    pub const REPLY: i32 = 2;
}

/// `Icmp::type`.
mod icmp_type {
    pub const ECHO_REPLY: i32 = 0;
    pub const ECHO_REQUEST: i32 = 8;
}

/// Describes the program.
pub fn program() -> Program {
    build("icmp_echo", |p| {
        let (eth, arp): (Ethernet, Arp) = (p.header("eth"), p.header("arp"));
        let (ip, icmp): (Ipv4, Icmp) = (p.header("ipv4"), p.header("icmp"));
        let (m, s) = (p.metadata::<Meta>(), p.standard());
        let answers = p.counter("answers", Unit::Packets, 4);

        p.state("start", |c| {
            c.extract(eth);
            c.select(eth.r#type)
                .case(ethertype::ARP, "arp")
                .case(ethertype::IPV4, "ipv4")
                .default("accept");
        });
        p.state("arp", |c| {
            c.extract(arp);
            c.set(m.target, arp.tpa);
            c.accept();
        });
        p.state("ipv4", |c| {
            c.extract(ip);
            c.set(m.target, ip.dst);
            c.select((ip.ihl, ip.frag, ip.proto))
                .case((5, 0, protocol::ICMP), "icmp")
                .default("accept");
        });
        p.state("icmp", |c| {
            c.extract(icmp);
            c.accept();
        });
        ipv4_checksum(p, ip);

        let drop = p.action("drop", [], |c, []| c.mark_to_drop());
        let is_own = p.action("is_own", [("mac", bit(48))], |c, [mac]| {
            c.set(m.own, true);
            c.set(m.mac, mac);
        });
        let no_action = p.no_action();
        let own = p.table("own", |t| {
            t.exact(m.target).ternary(s.ingress_port);
            t.actions([is_own, no_action]).const_no_action().size(64);
        });
        let forward = p.action("forward", PORT, |c, [port]| c.set(s.egress_spec, port));
        let dmac = p.table("dmac", |t| {
            t.exact(eth.dst).actions([forward, drop]).const_default(drop, []).size(256);
        });

        let turn = |c: &mut Body| {
            c.set(eth.dst, eth.src);
            c.set(eth.src, m.mac);
            c.set(s.egress_spec, s.ingress_port);
        };
        let answer_arp = |c: &mut Body| {
            turn(c);
            c.set(arp.op, arp_op::REPLY);
            c.set(arp.tha, arp.sha);
            c.set(arp.sha, m.mac);
            c.swap(arp.spa, arp.tpa);
            c.count(answers, answer::ARP);
        };
        let answer_echo = |c: &mut Body| {
            turn(c);
            c.swap(ip.src, ip.dst);
            c.set(ip.ttl, 64);
            c.set(icmp.r#type, icmp_type::ECHO_REPLY);
            // RFC 1624, where the word 0x0800 became 0: HC' = ~(~HC + ~0x0800 + 0).
            let sum = c.local("sum", (!icmp.csum).cast(bit(17)) + 0xf7ff);
            c.set(icmp.csum, !(sum.bits(15, 0) + sum.bits(16, 16).cast(bit(16))));
            c.count(answers, answer::ECHO);
        };
        p.ingress(|c| {
            c.if_(s.checksum_error.eq(1), |c| {
                c.run(drop);
                c.exit();
            });
            c.if_(arp.valid() | ip.valid(), |c| {
                c.apply(own);
            });
            let for_ipv4 = arp.htype.eq(1)
                & arp.ptype.eq(ethertype::IPV4)
                & arp.hlen.eq(6)
                & arp.plen.eq(4)
                & arp.op.eq(arp_op::REQUEST);
            let echo = icmp.valid() & icmp.r#type.eq(icmp_type::ECHO_REQUEST) & icmp.code.eq(0);
            c.if_(!m.own, |c| {
                c.apply(dmac);
            })
            .else_if(arp.valid() & for_ipv4, answer_arp)
            .else_if(arp.valid(), |c| c.run(drop))
            .else_if(echo, answer_echo)
            .else_(|c| {
                c.count(answers, answer::NONE);
                c.run(drop);
            });
        });

        p.emit(eth);
        p.emit(arp);
        p.emit(ip);
        p.emit(icmp);
    })
}
