//! Count-min sketch: how many packets has each source sent? Every IPv4 packet adds one to a cell in each
//! row. A query does not count: it asks for any key and is sent back with the estimate, the smallest of the
//! key's cells.

use crate::headers::*;
use restage_program::prelude::*;

const QUERY_PORT: i32 = 7000;
const ROWS: usize = 3;
const CELLS: u32 = 256;

header! { struct Query { key: bit<32>, estimate: bit<32> } }

metadata! { struct Meta { key: bit<32> } }

/// Describes the program.
pub fn program() -> Program {
    build("count_min", |p| {
        let (eth, ip, udp): (Ethernet, Ipv4, Udp) =
            (p.header("eth"), p.header("ipv4"), p.header("udp"));
        let query: Query = p.header("query");
        let (m, s) = (p.metadata::<Meta>(), p.standard());
        let index = p.metas::<ROWS>("i", bit(32));
        let cell = p.metas::<ROWS>("c", bit(32));
        parse_udp_service(p, (eth, ip, udp), QUERY_PORT, query);

        let rows = p.registers::<ROWS>("row", bit(32), CELLS);

        let forward = p.action("forward", PORT, |c, [port]| c.set(s.egress_spec, port));
        let drop = p.action("drop", [], |c, []| c.mark_to_drop());
        let route = p.table("route", |t| {
            t.lpm(ip.dst).actions([forward, drop]).const_default(drop, []).size(64);
        });

        p.ingress(|c| {
            c.if_(!ip.valid(), |c| {
                c.run(drop);
                c.exit();
            });
            c.set(m.key, mux(query.valid(), query.key, ip.src));
            // A salt makes three functions out of two algorithms.
            c.hash(index[0], Crc32, list![m.key], 0, CELLS);
            c.hash(index[1], Crc16, list![m.key], 0, CELLS);
            c.hash(index[2], Crc32, list![bits(16, 0xbeef), m.key], 0, CELLS);
            for row in 0..ROWS {
                c.read(cell[row], rows[row], index[row]);
            }
            c.if_(query.valid(), |c| {
                c.set(query.estimate, min(cell[0], min(cell[1], cell[2])));
                c.swap(eth.src, eth.dst);
                c.set(s.egress_spec, s.ingress_port);
            })
            .else_(|c| {
                for row in 0..ROWS {
                    c.write(rows[row], index[row], cell[row] + 1);
                }
                c.apply(route);
            });
        });

        p.emit(eth);
        p.emit(ip);
        p.emit(udp);
        p.emit(query);
    })
}
