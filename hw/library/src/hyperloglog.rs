//! HyperLogLog: how many different sources have been seen? The low 6 bits of a source's CRC-32 choose one
//! of 64 buckets; its rank is the position of the first one in the upper 26 bits, found by constant ternary
//! entries. The harmonic sum is kept up to date on the way: each new rank adds 2^(27 - new) - 2^(27 - old).
//! It starts at 0, the true sum less 64 * 2^27. A query returns it, with a bucket's rank.

use crate::headers::*;
use restage_program::prelude::*;

const QUERY_PORT: i32 = 7003;
const OUT: i32 = 2;
const BUCKETS: u32 = 64;
const RANK_BITS: u32 = 26;

header! {
    /// The sum is in two's complement.
    struct Query { bucket: bit<8>, rank: bit<8>, used: bit<8>, sum: bit<40> }
}

metadata! {
    struct Meta {
        digest: bit<32>, bucket: bit<32>, rank: bit<5>, old: bit<5>, sum: bit<40>, used: bit<8>,
    }
}

/// What a bucket of this rank adds to the sum: 2^(27 - rank).
fn weight(rank: Field) -> Val {
    bits(40, 1) << (bits(8, 27) - rank.cast(bit(8)))
}

/// Describes the program.
pub fn program() -> Program {
    build("hyperloglog", |p| {
        let (eth, ip, udp): (Ethernet, Ipv4, Udp) =
            (p.header("eth"), p.header("ipv4"), p.header("udp"));
        let query: Query = p.header("query");
        let (m, s) = (p.metadata::<Meta>(), p.standard());
        parse_udp_service(p, (eth, ip, udp), QUERY_PORT, query);

        let ranks = p.register("ranks", bit(5), BUCKETS);
        let total = p.register("total", bit(40), 1);
        let in_use = p.register("in_use", bit(8), 1);

        let set_rank = p.action("set_rank", [("rank", bit(5))], |c, [rank]| c.set(m.rank, rank));
        let leading_one = p.table("leading_one", |t| {
            t.ternary(m.digest).actions([set_rank]);
            for rank in 1..=RANK_BITS {
                let (one, up_to_it) = (1u32 << (32 - rank), u32::MAX << (32 - rank));
                t.entry(mask(one.into(), up_to_it.into()), set_rank, rank);
            }
            t.const_entries().const_default(set_rank, RANK_BITS + 1);
        });

        let answer = |c: &mut Body| {
            c.read(m.old, ranks, query.bucket & (BUCKETS - 1));
            c.set(query.rank, m.old.cast(bit(8)));
            c.set(query.used, m.used);
            c.set(query.sum, m.sum);
            c.set(s.egress_spec, s.ingress_port);
        };
        let count = |c: &mut Body| {
            c.hash(m.digest, Crc32, list![ip.src], 0, 1u64 << 32);
            c.set(m.bucket, m.digest & (BUCKETS - 1));
            c.apply(leading_one);
            c.read(m.old, ranks, m.bucket);
            c.if_(m.rank.gt(m.old), |c| {
                c.write(ranks, m.bucket, m.rank);
                c.write(total, 0, m.sum + weight(m.rank) - weight(m.old));
                c.if_(m.old.eq(0), |c| c.write(in_use, 0, m.used + 1));
            });
            c.set(s.egress_spec, OUT);
        };

        p.ingress(|c| {
            c.if_(!ip.valid(), |c| {
                c.mark_to_drop();
                c.exit();
            });
            c.read(m.sum, total, 0);
            c.read(m.used, in_use, 0);
            c.if_(query.valid(), answer).else_(count);
        });

        p.emit(eth);
        p.emit(ip);
        p.emit(udp);
        p.emit(query);
    })
}
