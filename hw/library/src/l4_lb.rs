//! Layer 4 load balancer with connection affinity, for TCP.
//!
//! * `vip`: address and port of a service, whose buckets are a power of two.
//! * The flow's hash picks a bucket, the bucket (`buckets`) a backend.
//! * `affinity` remembers the bucket of a flow, so that connections stay where they are when the control
//!   plane gives a service more buckets. Only a SYN, or a flow that is not the remembered one, picks anew.

use crate::headers::*;
use restage_program::prelude::*;

const SLOTS: u32 = 1024;

metadata! {
    struct Meta {
        service: bit<16>,
        mask: bit<16>,
        bucket: bit<16>,
        slot: bit<16>,
        digest: bit<32>,
        /// What `affinity` holds: a valid bit, 15 bits of the flow's digest, the bucket.
        cell: bit<32>,
        tcp_len: bit<16>,
    }
}

/// Describes the program.
pub fn program() -> Program {
    build("l4_lb", |p| {
        let (eth, ip, tcp): (Ethernet, Ipv4, Tcp) =
            (p.header("eth"), p.header("ipv4"), p.header("tcp"));
        let (m, s) = (p.metadata::<Meta>(), p.standard());
        let affinity = p.register("affinity", bit(32), SLOTS);

        parse_tcp(p, (eth, ip, tcp));
        ipv4_checksum(p, ip);
        let summed = tcp_summed(ip, tcp, m.tcp_len);
        p.update_checksum_with_payload(tcp.valid() & m.service.ne(0), summed, tcp.csum, Csum16);

        let drop = p.action("drop", [], |c, []| c.mark_to_drop());
        let service = p.action("service", [("id", bit(16)), ("mask", bit(16))], |c, [id, mask]| {
            c.set(m.service, id);
            c.set(m.mask, mask);
        });
        let vip = p.table("vip", |t| {
            t.exact(ip.dst).exact(tcp.dport);
            t.actions([service, drop]).const_default(drop, []).size(64);
        });

        let backend = [("ip", bit(32)), ("port", bit(16)), ("out_port", bit(9)), ("dmac", bit(48))];
        let backend = p.action("backend", backend, |c, [to_ip, to_port, out_port, dmac]| {
            c.set(ip.dst, to_ip);
            c.set(tcp.dport, to_port);
            c.set(eth.dst, dmac);
            c.set(ip.ttl, ip.ttl - 1);
            c.set(s.egress_spec, out_port);
        });
        let buckets = p.table("buckets", |t| {
            t.exact(m.service).exact(m.bucket);
            t.actions([backend]).const_default(drop, []).size(1024);
            t.counter("share", Unit::Packets);
        });

        let choose = |c: &mut Body| {
            let flow = list![ip.src, ip.dst, tcp.sport, tcp.dport];
            c.hash(m.digest, Crc32, flow.clone(), 0, 1u64 << 32);
            c.hash(m.slot, Crc16, flow, 0, SLOTS);
            c.read(m.cell, affinity, m.slot);
            let opens = (tcp.flags & (tcp_flag::SYN | tcp_flag::ACK)).eq(tcp_flag::SYN);
            let print = m.digest.bits(30, 16);
            let known = m.cell.bits(31, 31).eq(1) & m.cell.bits(30, 16).eq(print.clone());
            c.if_(!opens & known, |c| c.set(m.bucket, m.cell.bits(15, 0))).else_(|c| {
                c.set(m.bucket, m.digest.bits(15, 0) & m.mask);
                c.write(affinity, m.slot, bits(1, 1).concat(print).concat(m.bucket));
            });
        };
        p.ingress(|c| {
            let bad = !tcp.valid() | s.checksum_error.eq(1) | ip.ttl.le(1);
            c.if_(bad, |c| c.run(drop)).else_(|c| {
                c.apply(vip).hit(|c| {
                    c.if_(m.service.ne(0), |c| {
                        choose(c);
                        c.set(m.tcp_len, ip.length - 20);
                        c.apply(buckets);
                    });
                });
            });
        });

        p.emit(eth);
        p.emit(ip);
        p.emit(tcp);
    })
}
