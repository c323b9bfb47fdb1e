//! SuMax sketch: bytes and longest packet of each flow (address pair), in two rows each. Sums are updated
//! conservatively: the new sum is the smallest of the rows plus the length, and a row grows to it or stays,
//! so the estimate is never too small and less too large than a count-min sketch's. A query returns both
//! for any flow.

use crate::headers::*;
use restage_program::prelude::*;

const QUERY_PORT: i32 = 7002;
const OUT: i32 = 2;
const ROWS: usize = 2;
const CELLS: u32 = 128;

header! { struct Query { src: bit<32>, dst: bit<32>, bytes: bit<32>, longest: bit<16> } }

metadata! { struct Meta { src: bit<32>, dst: bit<32>, low: bit<32> } }

/// Describes the program.
pub fn program() -> Program {
    build("sumax", |p| {
        let (eth, ip, udp): (Ethernet, Ipv4, Udp) =
            (p.header("eth"), p.header("ipv4"), p.header("udp"));
        let query: Query = p.header("query");
        let (m, s) = (p.metadata::<Meta>(), p.standard());
        let index = p.metas::<ROWS>("i", bit(32));
        let sum = p.metas::<ROWS>("s", bit(32));
        let longest = p.metas::<ROWS>("x", bit(16));
        parse_udp_service(p, (eth, ip, udp), QUERY_PORT, query);

        let sums = p.registers::<ROWS>("sum", bit(32), CELLS);
        let maxima = p.registers::<ROWS>("max", bit(16), CELLS);

        p.ingress(|c| {
            c.if_(!ip.valid(), |c| {
                c.mark_to_drop();
                c.exit();
            });
            c.set(m.src, mux(query.valid(), query.src, ip.src));
            c.set(m.dst, mux(query.valid(), query.dst, ip.dst));
            for (row, algorithm) in [Crc32, Crc16].into_iter().enumerate() {
                c.hash(index[row], algorithm, list![m.src, m.dst], 0, CELLS);
                c.read(sum[row], sums[row], index[row]);
                c.read(longest[row], maxima[row], index[row]);
            }
            c.set(m.low, min(sum[0], sum[1]));
            c.if_(query.valid(), |c| {
                c.set(query.bytes, m.low);
                c.set(query.longest, min(longest[0], longest[1]));
                c.set(s.egress_spec, s.ingress_port);
            })
            .else_(|c| {
                let grown = c.local("grown", m.low.sat_add(ip.length.cast(bit(32))));
                for row in 0..ROWS {
                    c.write(sums[row], index[row], max(sum[row], grown));
                    c.write(maxima[row], index[row], max(longest[row], ip.length));
                }
                c.set(s.egress_spec, OUT);
            });
        });

        p.emit(eth);
        p.emit(ip);
        p.emit(udp);
        p.emit(query);
    })
}
