//! Cache with statistics: which keys are hot and should be cached next? Hits are counted per cached key.
//! Misses go through a two-row count-min sketch; when the estimate reaches the threshold, a Bloom filter
//! lets the first report of each key through: a clone for the control port, with the estimate in front.

use crate::headers::*;
use restage_program::prelude::*;

const KV_PORT: i32 = 9000;
const SERVER: i32 = 10;
const HOT: i32 = 5;
const REPORT_SESSION: i32 = 5;
const SLOTS: u32 = 64;
const SKETCH: u32 = 128;
const BLOOM: u32 = 256;

/// Values of `Kv::op`.
mod op {
    pub const GET: i32 = 0;
    pub const PUT: i32 = 1;
    pub const REPLY: i32 = 2;
}

header! {
    struct Kv { op: bit<8>, key: bit<32>, value: bit<64> }
    struct Report { estimate: bit<16>, key: bit<32> }
}

metadata! { struct Meta { estimate: bit<16>, slot: bit<32>, hits: bit<32> } }

/// Describes the program.
pub fn program() -> Program {
    build("netcache", |p| {
        let report: Report = p.header("report");
        let (eth, ip, udp): (Ethernet, Ipv4, Udp) =
            (p.header("eth"), p.header("ipv4"), p.header("udp"));
        let kv: Kv = p.header("kv");
        let (m, s) = (p.metadata::<Meta>(), p.standard());
        let [i0, i1] = p.metas("i", bit(32));
        let [c0, c1] = p.metas("c", bit(16));
        let [seen0, seen1] = p.metas("seen", bit(1));
        let keep = p.field_list("report", [m.estimate]);
        parse_udp_service(p, (eth, ip, udp), KV_PORT, kv);

        let values = p.register("values", bit(64), SLOTS);
        let hits = p.register("hits", bit(32), SLOTS);
        let [row0, row1] = p.registers("row", bit(16), SKETCH);
        let [bloom0, bloom1] = p.registers("bloom", bit(1), BLOOM);

        let slot = p.action("slot", [("index", bit(32))], |c, [index]| c.set(m.slot, index));
        let lookup = p.table("lookup", |t| {
            t.exact(kv.key).actions([slot]).const_no_action().size(SLOTS);
        });
        let drop = p.action("drop", [], |c, []| c.mark_to_drop());

        let serve = |c: &mut Body| {
            c.read(m.hits, hits, m.slot);
            c.write(hits, m.slot, m.hits + 1);
            c.read(kv.value, values, m.slot);
            c.set(kv.op, op::REPLY);
            c.set(s.egress_spec, s.ingress_port);
        };
        let estimate = |c: &mut Body| {
            c.hash(i0, Crc32, list![kv.key], 0, SKETCH);
            c.hash(i1, Crc16, list![kv.key, bits(16, 0x5bd1)], 0, SKETCH);
            for (cell, row, index) in [(c0, row0, i0), (c1, row1, i1)] {
                c.read(cell, row, index);
                c.set(cell, cell.sat_add(1));
                c.write(row, index, cell);
            }
            c.set(m.estimate, min(c0, c1));
        };
        let report_once = |c: &mut Body| {
            c.hash(i0, Crc32, list![kv.key, bits(8, 1)], 0, BLOOM);
            c.hash(i1, Crc16, list![kv.key, bits(8, 2)], 0, BLOOM);
            c.read(seen0, bloom0, i0);
            c.read(seen1, bloom1, i1);
            c.if_((seen0 & seen1).eq(0), |c| {
                c.write(bloom0, i0, 1);
                c.write(bloom1, i1, 1);
                c.clone_ingress(REPORT_SESSION, Some(keep));
            });
        };

        p.ingress(|c| {
            c.if_(!kv.valid(), |c| {
                c.run(drop);
                c.exit();
            });
            c.set(s.egress_spec, SERVER);
            c.apply(lookup)
                .hit(|c| {
                    c.if_(kv.op.eq(op::GET), serve)
                        .else_if(kv.op.eq(op::PUT), |c| c.write(values, m.slot, kv.value));
                })
                .miss(|c| {
                    c.if_(kv.op.eq(op::GET), |c| {
                        estimate(c);
                        c.if_(m.estimate.ge(HOT), report_once);
                    });
                });
        });
        p.egress(|c| {
            c.if_(s.instance_type.eq(instance::INGRESS_CLONE), |c| {
                c.fill(report, (m.estimate, kv.key));
            });
        });

        p.emit(report);
        p.emit(eth);
        p.emit(ip);
        p.emit(udp);
        p.emit(kv);
    })
}
