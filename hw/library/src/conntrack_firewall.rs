//! Connection tracking firewall in a map that packets fill: only the inside opens connections.
//!
//! A connection is an entry of `connections`. Its key is the same in both directions, since the inside's
//! address and port come first. It is made by the inside's SYN, or UDP datagram; every later packet of
//! either side finds it and restarts its time-out. It goes with an RST, with the packet that follows a FIN
//! from both sides (the last ACK), or when it has been idle for 30 seconds. Sequence numbers are not looked at.
//!
//! A bucket of the map holds four connections. A fifth one is refused and counted (`FULL`) for as long as
//! these four are alive: nothing passes untracked, and nobody's connection is thrown out for a new one.

use crate::headers::tcp_flag::{ACK, FIN, RST, SYN};
use crate::headers::*;
use restage_program::prelude::*;

const BUCKETS: u32 = 1024;
const WAYS: u32 = 4;
const IDLE_US: u64 = 30_000_000;

/// Indices of the counter `verdict`.
mod verdict {
    pub const OPENED: i32 = 0;
    pub const PASSED: i32 = 1;
    /// Passed, and the last one of its connection.
    pub const CLOSED: i32 = 2;
    /// Refused: no room for a new connection.
    pub const FULL: i32 = 3;
    /// Refused: of no connection, and not from the inside to open one.
    pub const UNKNOWN: i32 = 4;
    /// Refused: neither TCP nor UDP, or a fragment, or IPv4 options.
    pub const UNTRACKED: i32 = 5;
}

/// What `fins` of a connection remembers: who has sent a FIN. One bit for each.
mod fin_from {
    pub const INSIDE: i32 = 1;
    pub const OUTSIDE: i32 = 2;
    pub const BOTH: i32 = 3;
}

metadata! {
    struct Meta {
        inside: bit<1>,
        sport: bit<16>,
        dport: bit<16>,
        /// 0 for UDP.
        flags: bit<8>,
        inside_ip: bit<32>,
        inside_port: bit<16>,
        outside_ip: bit<32>,
        outside_port: bit<16>,
        fin: bit<2>,
        found: bool,
        fins: bit<2>,
        stored: bool,
    }
}

/// Describes the program.
pub fn program() -> Program {
    build("conntrack_firewall", |p| {
        let (eth, ip): (Ethernet, Ipv4) = (p.header("eth"), p.header("ipv4"));
        let (tcp, udp): (Tcp, Udp) = (p.header("tcp"), p.header("udp"));
        let (m, s) = (p.metadata::<Meta>(), p.standard());
        let verdicts = p.counter("verdict", Unit::Packets, 8);
        let key = [
            ("inside_ip", bit(32)),
            ("inside_port", bit(16)),
            ("outside_ip", bit(32)),
            ("outside_port", bit(16)),
            ("proto", bit(8)),
        ];
        let connections = p.map("connections", key, [("fins", bit(2))], (BUCKETS, WAYS), IDLE_US);

        parse_ethernet(p, eth);
        p.state("ipv4", |c| {
            c.extract(ip);
            c.select((ip.ihl, ip.frag, ip.proto))
                .case((5, 0, protocol::TCP), "tcp")
                .case((5, 0, protocol::UDP), "udp")
                .default("accept");
        });
        p.state("tcp", |c| {
            c.extract(tcp);
            c.set(m.sport, tcp.sport);
            c.set(m.dport, tcp.dport);
            c.set(m.flags, tcp.flags & (FIN | SYN | RST | ACK));
            c.accept();
        });
        p.state("udp", |c| {
            c.extract(udp);
            c.set(m.sport, udp.sport);
            c.set(m.dport, udp.dport);
            c.accept();
        });

        let zone = [("inside", bit(1)), ("out_port", bit(9))];
        let zone = p.action("zone", zone, |c, [inside, out_port]| {
            c.set(m.inside, inside);
            c.set(s.egress_spec, out_port);
        });
        let drop = p.action("drop", [], |c, []| c.mark_to_drop());
        let port_zone = p.table("port_zone", |t| {
            t.exact(s.ingress_port).actions([zone, drop]).const_default(drop, []).size(16);
        });

        let refuse = |c: &mut Body, why: i32| {
            c.count(verdicts, why);
            c.run(drop);
        };
        // One key for both directions, and the bit of `fins` that is the sender's.
        let orient = |c: &mut Body, near: (Field, Field), far: (Field, Field), fin: i32| {
            c.set(m.inside_ip, near.0);
            c.set(m.inside_port, near.1);
            c.set(m.outside_ip, far.0);
            c.set(m.outside_port, far.1);
            c.set(m.fin, fin);
        };
        let track = |c: &mut Body| {
            let inside = m.inside.eq(1);
            let (source, target) = ((ip.src, m.sport), (ip.dst, m.dport));
            c.if_(inside.clone(), |c| orient(c, source, target, fin_from::INSIDE))
                .else_(|c| orient(c, target, source, fin_from::OUTSIDE));
            let key = (m.inside_ip, m.inside_port, m.outside_ip, m.outside_port, ip.proto);
            let has = |flag: i32| (m.flags & flag).ne(0);
            let syn = c.local("syn", inside.clone() & m.flags.eq(SYN));
            let last_ack = m.fins.eq(fin_from::BOTH) & !has(FIN);
            c.map_lookup(connections, key, m.found, [m.fins], true);
            c.if_(m.found & !syn, |c| {
                c.if_(has(RST) | last_ack, |c| {
                    c.map_remove(connections, key);
                    c.count(verdicts, verdict::CLOSED);
                })
                .else_(|c| {
                    c.if_(has(FIN), |c| c.map_put(connections, key, m.fins | m.fin, None));
                    c.count(verdicts, verdict::PASSED);
                });
            })
            // A SYN on a known connection begins it anew.
            .else_if(syn | (inside & udp.valid()), |c| {
                c.map_put(connections, key, 0, Some(m.stored));
                c.if_(m.stored, |c| c.count(verdicts, verdict::OPENED))
                    .else_(|c| refuse(c, verdict::FULL));
            })
            .else_(|c| refuse(c, verdict::UNKNOWN));
        };
        p.ingress(|c| {
            c.apply(port_zone).hit(|c| {
                // ARP passes, or the two sides would not find each other.
                c.if_(eth.r#type.ne(ethertype::ARP), |c| {
                    c.if_(tcp.valid() | udp.valid(), track)
                        .else_(|c| refuse(c, verdict::UNTRACKED));
                });
            });
        });

        p.emit(eth);
        p.emit(ip);
        p.emit(tcp);
        p.emit(udp);
    })
}
