//! SYN flood defence. The switch answers a SYN from outside itself and keeps no state: the sequence number
//! is a cookie, a hash of the connection and a secret. A client that acknowledges the cookie has proved its
//! address; this attempt is reset, and its next SYN passes. Everything else from unproven sources is
//! dropped; traffic from inside always passes.

use crate::headers::tcp_flag::{ACK, RST, SYN};
use crate::headers::*;
use restage_program::prelude::*;

/// Cells in each row of the filter of proven sources.
const CELLS: u32 = 512;
/// Bytes of a TCP header without options.
const TCP_LENGTH: u8 = 20;

/// Indices of the counter `events`.
mod event {
    pub const ANSWERED: i32 = 0;
    pub const PROVEN: i32 = 1;
    pub const PASSED: i32 = 2;
    pub const DROPPED: i32 = 3;
    pub const FROM_INSIDE: i32 = 4;
}

metadata! { struct Meta { secret: bit<32>, cookie: bit<32>, answered: bool } }

/// Describes the program.
pub fn program() -> Program {
    build("syn_defence", |p| {
        let (eth, ip, tcp): (Ethernet, Ipv4, Tcp) =
            (p.header("eth"), p.header("ipv4"), p.header("tcp"));
        let (m, s) = (p.metadata::<Meta>(), p.standard());
        let index = p.metas::<2>("i", bit(32));
        let proof = p.metas::<2>("p", bit(1));

        parse_tcp(p, (eth, ip, tcp));

        let proven = p.registers::<2>("proven", bit(1), CELLS);
        let events = p.counter("events", Unit::Packets, 5);

        let drop = p.action("drop", [], |c, []| c.mark_to_drop());
        let inside = p.action("inside", [("out_port", bit(9))], |c, [out_port]| {
            c.set(s.egress_spec, out_port);
            c.count(events, event::FROM_INSIDE);
        });
        let outside = [("out_port", bit(9)), ("secret", bit(32))];
        let outside = p.action("outside", outside, |c, [out_port, secret]| {
            c.set(s.egress_spec, out_port);
            c.set(m.secret, secret);
        });
        let side = p.table("side", |t| {
            t.exact(s.ingress_port).actions([inside, outside, drop]);
            t.const_default(drop, []).size(16);
        });

        // Turns the packet around as a bare TCP segment. Options and payload stay behind it, outside the
        // length in the IPv4 header, like Ethernet padding.
        let answer = [("seq", bit(32)), ("ack", bit(32)), ("flags", bit(8))];
        let answer = p.action("answer", answer, |c, [seq, ack, flags]| {
            c.swap(eth.src, eth.dst);
            c.swap(ip.src, ip.dst);
            c.set(ip.length, 20 + TCP_LENGTH);
            c.set(ip.ttl, 64);
            c.swap(tcp.sport, tcp.dport);
            c.set(tcp.seq, seq);
            c.set(tcp.ack, ack);
            c.set(tcp.offset, TCP_LENGTH / 4);
            c.set(tcp.flags, flags);
            c.set(tcp.window, 0);
            c.set(tcp.urgent, 0);
            c.set(m.answered, true);
            c.set(s.egress_spec, s.ingress_port);
        });

        let defend = |c: &mut Body| {
            for (row, algorithm) in [Crc32, Crc16].into_iter().enumerate() {
                c.hash(index[row], algorithm, list![ip.src], 0, CELLS);
                c.read(proof[row], proven[row], index[row]);
            }
            let connection = list![ip.src, ip.dst, tcp.sport, tcp.dport, m.secret];
            c.hash(m.cookie, Crc32, connection, 0, 1u64 << 32);

            c.if_(proof[0].eq(1) & proof[1].eq(1), |c| c.count(events, event::PASSED))
                .else_if(tcp.flags.eq(SYN), |c| {
                    c.count(events, event::ANSWERED);
                    c.call(answer, (m.cookie, tcp.seq + 1, SYN | ACK));
                })
                .else_if(tcp.flags.eq(ACK) & (tcp.ack - 1).eq(m.cookie), |c| {
                    c.count(events, event::PROVEN);
                    for row in 0..2 {
                        c.write(proven[row], index[row], 1);
                    }
                    c.call(answer, (tcp.ack, 0, RST));
                })
                .else_(|c| {
                    c.count(events, event::DROPPED);
                    c.run(drop);
                });
        };

        p.ingress(|c| {
            c.if_(tcp.valid(), |c| {
                c.apply(side).on(outside, defend);
            })
            .else_(|c| c.run(drop));
        });

        update_ipv4_checksum(p, ip);
        let answer = tcp_summed(ip, tcp, bits(16, TCP_LENGTH.into()));
        p.update_checksum(m.answered, answer, tcp.csum, Csum16);
        p.emit(eth);
        p.emit(ip);
        p.emit(tcp);
    })
}
