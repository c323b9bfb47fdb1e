//! Heavy hitters with a hash table of two stages (HashPipe). Stage 1 always takes the arriving key; what
//! it evicts moves on to stage 2, which keeps the larger of that and what it has. A flow whose count in
//! stage 1 reaches the threshold is marked with DSCP 1 and takes the direct path.

use crate::headers::*;
use restage_program::prelude::*;

const THRESHOLD: i32 = 8;
const PATH: i32 = 2;
const DIRECT_PATH: i32 = 3;
const CELLS1: u32 = 16;
const CELLS2: u32 = 32;

metadata! {
    struct Meta {
        key: bit<64>, count: bit<32>, index: bit<32>,
        old_key: bit<64>, old_count: bit<32>,
        carry: bool, heavy: bool,
    }
}

/// Describes the program.
pub fn program() -> Program {
    build("heavy_hitter", |p| {
        let (eth, ip): (Ethernet, Ipv4) = (p.header("eth"), p.header("ipv4"));
        let (m, s) = (p.metadata::<Meta>(), p.standard());
        parse_ipv4(p, eth, ip);

        // A cell with a count of 0 is empty.
        let keys1 = p.register("keys1", bit(64), CELLS1);
        let counts1 = p.register("counts1", bit(32), CELLS1);
        let keys2 = p.register("keys2", bit(64), CELLS2);
        let counts2 = p.register("counts2", bit(32), CELLS2);

        // Inserts or adds; on a collision the old pair is evicted.
        let stage1 = |c: &mut Body| {
            c.hash(m.index, Crc32, list![m.key], 0, CELLS1);
            c.read(m.old_key, keys1, m.index);
            c.read(m.old_count, counts1, m.index);
            c.if_(m.old_count.ne(0) & m.old_key.eq(m.key), |c| c.set(m.count, m.old_count + 1))
                .else_(|c| {
                    c.set(m.count, 1);
                    c.write(keys1, m.index, m.key);
                    c.set(m.carry, m.old_count.ne(0));
                });
            c.write(counts1, m.index, m.count);
            c.set(m.heavy, m.count.ge(THRESHOLD));
        };
        // Takes the evicted pair, hashed with a salt.
        let stage2 = |c: &mut Body| {
            c.set(m.key, m.old_key);
            c.set(m.count, m.old_count);
            c.hash(m.index, Crc16, list![bits(8, 0x2f), m.key], 0, CELLS2);
            c.read(m.old_key, keys2, m.index);
            c.read(m.old_count, counts2, m.index);
            c.if_(m.old_key.eq(m.key) & m.old_count.ne(0), |c| {
                c.write(counts2, m.index, m.old_count + m.count);
            })
            .else_if(m.count.gt(m.old_count), |c| {
                c.write(keys2, m.index, m.key);
                c.write(counts2, m.index, m.count);
            });
        };

        p.ingress(|c| {
            c.if_(!ip.valid(), |c| {
                c.mark_to_drop();
                c.exit();
            });
            c.set(s.egress_spec, PATH);
            c.set(m.key, ip.src.concat(ip.dst));
            stage1(c);
            c.if_(m.carry, stage2);
            c.if_(m.heavy, |c| {
                c.set(ip.dscp, 1);
                c.set(s.egress_spec, DIRECT_PATH);
            });
        });

        update_ipv4_checksum(p, ip);
        p.emit(eth);
        p.emit(ip);
    })
}
