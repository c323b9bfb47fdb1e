//! Stateful firewall for TCP in registers: only the inside may open connections.
//!
//! Both directions of a connection use the same slot, since the inside's address and port come first in
//! the hash. `state` holds where the connection is, `owner` a fingerprint of it; a slot in use is not
//! taken over before its connection is closed. There is no ageing (see `conntrack_firewall` for that).

use crate::headers::tcp_flag::{ACK, FIN, RST, SYN};
use crate::headers::*;
use restage_program::prelude::*;

const SLOTS: u32 = 256;

/// Contents of `state`, and indices of the counter `verdict`.
mod state {
    pub const NONE: i32 = 0;
    pub const SYN_SEEN: i32 = 1;
    pub const SYN_ACK_SEEN: i32 = 2;
    pub const ESTABLISHED: i32 = 3;
    /// One side has sent a FIN.
    pub const HALF_CLOSED: i32 = 4;
    pub const CLOSED: i32 = 5;
    pub const DROPPED: i32 = 7;
}

/// No state: the packet is refused.
const REFUSE: i32 = 0xff;

metadata! {
    struct Meta {
        inside: bit<1>,
        slot: bit<32>,
        print: bit<32>,
        owner: bit<32>,
        state: bit<8>,
        next: bit<8>,
    }
}

/// Describes the program.
pub fn program() -> Program {
    build("stateful_firewall", |p| {
        let (eth, ip, tcp): (Ethernet, Ipv4, Tcp) =
            (p.header("eth"), p.header("ipv4"), p.header("tcp"));
        let (m, s) = (p.metadata::<Meta>(), p.standard());
        let states = p.register("state", bit(8), SLOTS);
        let owners = p.register("owner", bit(32), SLOTS);
        let verdict = p.counter("verdict", Unit::Packets, 8);

        parse_tcp(p, (eth, ip, tcp));

        let drop = p.action("drop", [], |c, []| {
            c.count(verdict, state::DROPPED);
            c.mark_to_drop();
        });
        let zone = [("inside", bit(1)), ("out_port", bit(9))];
        let zone = p.action("zone", zone, |c, [inside, out_port]| {
            c.set(m.inside, inside);
            c.set(s.egress_spec, out_port);
        });
        let port_zone = p.table("port_zone", |t| {
            t.exact(s.ingress_port).actions([zone, drop]).const_default(drop, []).size(16);
        });

        let locate = |c: &mut Body, flow: Vec<Item>| {
            c.hash(m.slot, Crc16, flow.clone(), 0, SLOTS);
            c.hash(m.print, Crc32, flow, 0, 1u64 << 32);
        };
        // What the packet makes of its connection's state.
        let next_state = |c: &mut Body| {
            let (inside, outside) = (m.inside.eq(1), m.inside.eq(0));
            let mine = c.local("mine", m.owner.eq(m.print) & m.state.ne(state::NONE));
            let free = c.local("free", m.state.eq(state::NONE) | m.state.eq(state::CLOSED));
            let kind = c.local("kind", tcp.flags & (FIN | SYN | RST | ACK));
            let has = |flags: i32| (kind & flags).ne(0);
            let answer = outside & kind.eq(SYN | ACK) & m.state.eq(state::SYN_SEEN);
            let confirmed = inside.clone() & kind.eq(ACK) & m.state.eq(state::SYN_ACK_SEEN);
            c.set(m.next, REFUSE);
            c.if_(inside & kind.eq(SYN) & (free | mine), |c| c.set(m.next, state::SYN_SEEN))
                .else_if(mine & m.state.ne(state::CLOSED), |c| {
                    c.if_(has(RST), |c| c.set(m.next, state::CLOSED))
                        .else_if(answer, |c| c.set(m.next, state::SYN_ACK_SEEN))
                        .else_if(confirmed, |c| c.set(m.next, state::ESTABLISHED))
                        .else_if(has(FIN) & m.state.eq(state::ESTABLISHED), |c| {
                            c.set(m.next, state::HALF_CLOSED);
                        })
                        .else_if(has(FIN) & m.state.eq(state::HALF_CLOSED), |c| {
                            c.set(m.next, state::CLOSED);
                        })
                        .else_if(!has(SYN | FIN) & m.state.ge(state::ESTABLISHED), |c| {
                            c.set(m.next, m.state);
                        });
                });
        };
        p.ingress(|c| {
            c.apply(port_zone).miss(|c| c.exit());
            c.if_(!tcp.valid(), |c| {
                c.run(drop);
                c.exit();
            });
            c.if_(m.inside.eq(1), |c| locate(c, list![ip.src, tcp.sport, ip.dst, tcp.dport]))
                .else_(|c| locate(c, list![ip.dst, tcp.dport, ip.src, tcp.sport]));
            c.read(m.state, states, m.slot);
            c.read(m.owner, owners, m.slot);
            next_state(c);
            c.if_(m.next.eq(REFUSE), |c| c.run(drop)).else_(|c| {
                c.write(states, m.slot, m.next);
                c.write(owners, m.slot, m.print);
                c.count(verdict, m.next);
            });
        });

        p.emit(eth);
        p.emit(ip);
        p.emit(tcp);
    })
}
