//! Static NAPT: one table per direction gives (address, port, protocol) another address and port.
//!
//! TCP and UDP checksums are adjusted, not recomputed. A UDP checksum of zero means "none" and stays;
//! one that becomes zero is sent as 0xffff.

use crate::headers::*;
use restage_program::prelude::*;

/// The port on which the private side is.
const INSIDE: i32 = 1;

metadata! {
    struct Meta {
        sport: bit<16>,
        dport: bit<16>,
        old_ip: bit<32>,
        new_ip: bit<32>,
        old_port: bit<16>,
        new_port: bit<16>,
        translated: bool,
    }
}

/// Indices of the counter `side`.
mod side {
    pub const OUTBOUND: i32 = 0;
    pub const INBOUND: i32 = 1;
    pub const NOT_TRANSLATED: i32 = 2;
}

/// RFC 1624, equation 3: `HC' = ~(~HC + ~m + m')` in one's complement, over the three words that changed.
fn adjust(c: &mut Body, m: Meta, csum: Field) {
    let wide = |word: Val| word.cast(bit(32));
    let changes = [
        (m.old_ip.bits(31, 16), m.new_ip.bits(31, 16)),
        (m.old_ip.bits(15, 0), m.new_ip.bits(15, 0)),
        (m.old_port.into(), m.new_port.into()),
    ];
    let sum = changes.into_iter().fold(wide(!csum), |sum, (old, new)| sum + wide(!old) + wide(new));
    let sum = c.local("sum", sum);
    for _fold_carries in 0..2 {
        c.set(sum, (sum & 0xffff) + (sum >> 16));
    }
    c.set(csum, !sum.bits(15, 0));
}

/// Describes the program.
pub fn program() -> Program {
    build("nat44", |p| {
        let (eth, ip): (Ethernet, Ipv4) = (p.header("eth"), p.header("ipv4"));
        let (tcp, udp): (Tcp, Udp) = (p.header("tcp"), p.header("udp"));
        let (m, s) = (p.metadata::<Meta>(), p.standard());
        let sides = p.counter("side", Unit::Packets, 4);

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
            c.accept();
        });
        p.state("udp", |c| {
            c.extract(udp);
            c.set(m.sport, udp.sport);
            c.set(m.dport, udp.dport);
            c.accept();
        });
        ipv4_checksum(p, ip);

        let drop = p.action("drop", [], |c, []| {
            c.count(sides, side::NOT_TRANSLATED);
            c.mark_to_drop();
        });
        let endpoint = [("ip", bit(32)), ("port", bit(16)), ("out_port", bit(9))];
        // Replaces the address and the port of one side and remembers what changed.
        let translate = |c: &mut Body, (ip, port): (Field, Field), to: [Param; 3], side: i32| {
            let [new_ip, new_port, out_port] = to;
            c.set(m.old_ip, ip);
            c.set(m.old_port, port);
            c.set(m.new_ip, new_ip);
            c.set(m.new_port, new_port);
            c.set(ip, new_ip);
            c.set(port, new_port);
            c.set(m.translated, true);
            c.set(s.egress_spec, out_port);
            c.count(sides, side);
        };
        let snat = p.action("snat", endpoint, |c, to| {
            translate(c, (ip.src, m.sport), to, side::OUTBOUND);
        });
        let outbound = p.table("outbound", |t| {
            t.exact(ip.src).exact(m.sport).exact(ip.proto);
            t.actions([snat, drop]).const_default(drop, []).size(1024);
        });
        let dnat = p.action("dnat", endpoint, |c, to| {
            translate(c, (ip.dst, m.dport), to, side::INBOUND);
        });
        let inbound = p.table("inbound", |t| {
            t.exact(ip.dst).exact(m.dport).exact(ip.proto);
            t.actions([dnat, drop]).const_default(drop, []).size(1024);
        });

        p.ingress(|c| {
            let no_ports = !tcp.valid() & !udp.valid();
            c.if_(!ip.valid() | s.checksum_error.eq(1) | ip.ttl.le(1) | no_ports, |c| {
                c.run(drop);
                c.exit();
            });
            c.if_(s.ingress_port.eq(INSIDE), |c| {
                c.apply(outbound);
            })
            .else_(|c| {
                c.apply(inbound);
            });
            c.if_(m.translated, |c| {
                c.set(ip.ttl, ip.ttl - 1);
                c.if_(tcp.valid(), |c| {
                    c.set(tcp.sport, m.sport);
                    c.set(tcp.dport, m.dport);
                    adjust(c, m, tcp.csum);
                })
                .else_(|c| {
                    c.set(udp.sport, m.sport);
                    c.set(udp.dport, m.dport);
                    c.if_(udp.csum.ne(0), |c| {
                        adjust(c, m, udp.csum);
                        c.if_(udp.csum.eq(0), |c| c.set(udp.csum, 0xffff));
                    });
                });
            });
        });

        p.emit(eth);
        p.emit(ip);
        p.emit(tcp);
        p.emit(udp);
    })
}
