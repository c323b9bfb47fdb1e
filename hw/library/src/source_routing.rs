//! Source routing: the packet carries a list of output ports; each switch pops one and forwards.
//!
//! The list follows Ethernet under a type of its own. Popping its last entry makes the packet plain IPv4.

use crate::headers::*;
use restage_program::prelude::*;

/// The Ethernet type of a list of hops.
const SOURCE_ROUTE: i32 = 0x1234;

header! {
    /// One hop; `bos` marks the last one.
    struct Hop { bos: bit<1>, port: bit<15> }
}

/// Indices of the counter `outcome`.
mod outcome {
    pub const FORWARDED: i32 = 0;
    pub const LAST_HOP: i32 = 1;
    pub const DROPPED: i32 = 2;
}

/// Describes the program.
pub fn program() -> Program {
    build("source_routing", |p| {
        let eth: Ethernet = p.header("eth");
        let hops: StackView<Hop> = p.stack("hops", 9);
        let ip: Ipv4 = p.header("ipv4");
        let s = p.standard();
        let outcomes = p.counter("outcome", Unit::Packets, 4);

        p.state("start", |c| {
            c.extract(eth);
            c.select(eth.r#type).case(SOURCE_ROUTE, "hop").default("accept");
        });
        p.state("hop", |c| {
            c.extract(hops.next());
            c.select(hops.last().bos).case(1, "ipv4").case(0, "hop");
        });
        p.state("ipv4", |c| {
            c.extract(ip);
            c.accept();
        });

        p.ingress(|c| {
            let hop = hops.get(0);
            // A port that does not fit 9 bits, or is the one that drops.
            let no_port = hop.port.ge(DROP_PORT);
            c.if_(s.parser_error.ne(error::NO_ERROR) | !hop.valid() | no_port, |c| {
                c.count(outcomes, outcome::DROPPED);
                c.mark_to_drop();
            })
            .else_(|c| {
                c.set(s.egress_spec, hop.port.cast(bit(9)));
                c.if_(hop.bos.eq(1), |c| {
                    c.count(outcomes, outcome::LAST_HOP);
                    c.set(eth.r#type, ethertype::IPV4);
                    c.if_(ip.valid(), |c| c.set(ip.ttl, ip.ttl - 1));
                })
                .else_(|c| c.count(outcomes, outcome::FORWARDED));
                c.pop_front(hops, 1);
            });
        });

        update_ipv4_checksum(p, ip);
        p.emit(eth);
        p.emit(hops);
        p.emit(ip);
    })
}
