//! The firewall of the experiment: ingress says where packets go and which port is inside, and then knows connections; egress writes
//! the source address. Each is in a region of its own.
//!
//! Only the inside opens connections; what belongs to none is dropped. The second version also drops what has come too far.

use restage_library::headers::{Ethernet, Ipv4, Udp, parse_ethernet, protocol};
use restage_program::prelude::*;
use restage_program::program::Program;

/// Packets with fewer hops left are dropped by the second version.
pub const HOPS: u8 = 8;

/// Which firewall there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Firewall {
    /// None: everything passes.
    Off,
    /// Connections.
    First,
    /// Connections and hops.
    Second,
}

/// Describes the program.
pub fn program(firewall: Firewall) -> Program {
    let mut program = build("firewall", |p| {
        let (eth, ip, udp): (Ethernet, Ipv4, Udp) =
            (p.header("eth"), p.header("ipv4"), p.header("udp"));
        let s = p.standard();
        let inside = p.meta("inside", bit(1));
        parse_ethernet(p, eth);
        p.state("ipv4", |c| {
            c.extract(ip);
            c.select(ip.proto).case(protocol::UDP, "udp").default("accept");
        });
        p.state("udp", |c| {
            c.extract(udp);
            c.accept();
        });
        let zone = [("inside", bit(1)), ("port", bit(9))];
        let zone = p.action("zone", zone, |c, [side, port]| {
            c.set(inside, side);
            c.set(s.egress_spec, port);
        });
        let drop = p.action("drop", [], |c, []| c.mark_to_drop());
        let ports = p.table("ports", |t| {
            t.exact(s.ingress_port).actions([zone, drop]).const_default(drop, []).size(16);
        });
        let source = p.action("source", [("mac", bit(48))], |c, [mac]| c.set(eth.src, mac));
        let sources = p.table("sources", |t| {
            t.exact(s.egress_port).exact(inside).actions([source]).const_no_action().size(16);
        });
        let tracked = (firewall != Firewall::Off).then(|| {
            let key = [("near", bit(32)), ("far", bit(32)), ("ports", bit(32))];
            let connections = p.map("connections", key, [("seen", bit(8))], (1024, 4), 30_000_000);
            (connections, p.counter("verdict", Unit::Packets, 4))
        });
        let found = p.meta("found", Type::Bool);
        let (seen, stored) = (p.meta("seen", bit(8)), p.meta("stored", Type::Bool));
        p.egress(|c| {
            c.apply(sources);
        });
        p.ingress(|c| {
            c.apply(ports);
            let Some((connections, verdicts)) = tracked else { return };
            let refuse = |c: &mut Body<'_>, why: i32| {
                c.count(verdicts, why);
                c.run(drop);
            };
            c.if_(inside.eq(1) & udp.valid(), |c| {
                let key = (ip.src, ip.dst, udp.sport.concat(udp.dport));
                c.map_lookup(connections, key.clone(), found, [seen], true);
                c.if_(!found, |c| c.map_put(connections, key, 0, Some(stored)));
                c.count(verdicts, 0);
            })
            .else_(|c| {
                let key = (ip.dst, ip.src, udp.dport.concat(udp.sport));
                c.map_lookup(connections, key, found, [seen], true);
                c.if_(!found, |c| refuse(c, 1)).else_(|c| match firewall {
                    Firewall::Second => {
                        c.if_(ip.ttl.lt(i32::from(HOPS)), |c| refuse(c, 2))
                            .else_(|c| c.count(verdicts, 0));
                    }
                    _ => c.count(verdicts, 0),
                });
            });
        });
        p.emit(eth);
        p.emit(ip);
        p.emit(udp);
    });
    // So that the firewall can be taken away and put in again by itself.
    for table in program.tables.values_mut() {
        table.preamble.annotations.push(format!("@region(\"{}\")", table.preamble.name));
    }
    let maps = program.maps.values_mut().map(|d| &mut d.preamble);
    let counters = program.counters.values_mut().map(|d| &mut d.preamble);
    for preamble in maps.chain(counters) {
        preamble.annotations.push("@region(\"firewall\")".into());
    }
    program
}
