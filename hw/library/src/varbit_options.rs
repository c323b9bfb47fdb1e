//! IPv4 with options of any length, and a header union for the transport.
//!
//! * The options are one varbit field. The type of the first one is looked at before they are extracted:
//!   router alert goes to the CPU port, source routes are dropped.
//! * `strip` sends a packet on without its options.
//! * The header checksum covers the options when they are there.

use crate::headers::*;
use restage_program::prelude::*;

const CPU_PORT: i32 = 64;

/// Types of IPv4 options.
mod option {
    pub const LOOSE_SOURCE_ROUTE: i32 = 0x83;
    pub const STRICT_SOURCE_ROUTE: i32 = 0x89;
    pub const ROUTER_ALERT: i32 = 0x94;
}

header! {
    /// All options of an IPv4 header.
    struct Options { data: varbit<320> }
}

metadata! { struct Meta { first_option: bit<8>, opt_bytes: bit<16> } }

/// Describes the program.
pub fn program() -> Program {
    build("varbit_options", |p| {
        let (eth, ip, options): (Ethernet, Ipv4, Options) =
            (p.header("eth"), p.header("ipv4"), p.header("options"));
        let l4 = p.union("l4");
        let (tcp, udp): (Tcp, Udp) = (p.member(l4, "tcp"), p.member(l4, "udp"));
        let (m, s) = (p.metadata::<Meta>(), p.standard());
        let bad_ihl = p.error("BadIhl");
        let option_bytes = p.counter("option_bytes", Unit::Both, 64);

        parse_ethernet(p, eth);
        p.state("ipv4", |c| {
            c.extract(ip);
            c.verify(ip.version.eq(4) & ip.ihl.ge(5), bad_ihl);
            c.select(ip.ihl).case(5, "transport").default("options");
        });
        p.state("options", |c| {
            let words = ip.ihl.cast(bit(16)) - 5;
            c.set(m.first_option, lookahead(8));
            c.set(m.opt_bytes, words << 2);
            c.extract_var(options, m.opt_bytes.cast(bit(32)) << 3);
            c.goto("transport");
        });
        p.state("transport", |c| {
            c.select((ip.frag, ip.proto))
                .case((0, protocol::TCP), "tcp")
                .case((0, protocol::UDP), "udp")
                .default("accept");
        });
        p.state("tcp", |c| {
            c.extract(tcp);
            c.accept();
        });
        p.state("udp", |c| {
            c.extract(udp);
            c.accept();
        });
        let summed = [ip.except([ip.csum]), list![options.data]].concat();
        p.verify_checksum(ip.valid(), summed.clone(), ip.csum, Csum16);
        p.update_checksum(ip.valid(), summed, ip.csum, Csum16);

        let drop = p.action("drop", [], |c, []| c.mark_to_drop());
        let port = ("port", bit(9));
        let forward = p.action("forward", [port], |c, [port]| c.set(s.egress_spec, port));
        let strip = p.action("strip", [port], |c, [port]| {
            c.set(s.egress_spec, port);
            c.set_invalid(options);
            c.set(ip.ihl, 5);
            c.set(ip.length, ip.length - m.opt_bytes);
        });
        let policy = p.table("policy", |t| {
            t.lpm(ip.dst);
            t.exact(tcp.valid()).named("is_tcp").exact(udp.valid()).named("is_udp");
            t.actions([forward, strip, drop]).const_default(drop, []).size(64);
        });

        p.ingress(|c| {
            let first_is = |option: i32| options.valid() & m.first_option.eq(option);
            let source_route =
                first_is(option::LOOSE_SOURCE_ROUTE) | first_is(option::STRICT_SOURCE_ROUTE);
            let bad = s.parser_error.ne(error::NO_ERROR) | s.checksum_error.eq(1);
            c.if_(!ip.valid() | bad, |c| c.run(drop)).else_(|c| {
                c.count(option_bytes, m.opt_bytes);
                c.if_(first_is(option::ROUTER_ALERT), |c| c.set(s.egress_spec, CPU_PORT))
                    .else_if(source_route, |c| c.run(drop))
                    .else_(|c| {
                        c.apply(policy);
                    });
            });
        });

        p.emit(eth);
        p.emit(ip);
        p.emit(options);
        p.emit(l4);
    })
}
