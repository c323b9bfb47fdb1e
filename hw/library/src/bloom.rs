//! Bloom filter: three rows of bits, each with its own hash, driven by packets that are sent back with the
//! answer. There are two banks, so that a controller can age the filter without stopping it: it clears the
//! bank that is not in use cell by cell, then swaps the banks.

use crate::headers::*;
use restage_program::prelude::*;

const QUERY_PORT: i32 = 7001;
/// The hash of each row.
const ROWS: [HashAlgorithm; 3] = [Crc32, Crc16, Csum16];
/// Cells in a bank.
const CELLS: u32 = 256;

/// Values of `Query::op`.
mod op {
    pub const TEST: i32 = 0;
    pub const INSERT: i32 = 1;
    pub const TEST_AND_INSERT: i32 = 2;
    pub const CLEAR_CELL: i32 = 3;
    pub const SWAP_BANKS: i32 = 4;
}

header! { struct Query { op: bit<8>, pad: bit<7>, present: bit<1>, key: bit<128> } }

metadata! { struct Meta { bank: bit<1>, cell: bit<32> } }

/// Where the cells of a bank begin.
fn base(bank: impl Into<Val>) -> Val {
    bank.into().cast(bit(32)) * CELLS
}

/// Describes the program.
pub fn program() -> Program {
    build("bloom", |p| {
        let (eth, ip, udp): (Ethernet, Ipv4, Udp) =
            (p.header("eth"), p.header("ipv4"), p.header("udp"));
        let query: Query = p.header("query");
        let (m, s) = (p.metadata::<Meta>(), p.standard());
        let found = p.metas::<3>("b", bit(1));
        parse_udp_service(p, (eth, ip, udp), QUERY_PORT, query);

        let active = p.register("active", bit(1), 1);
        let rows = p.registers::<3>("f", bit(1), 2 * CELLS);

        p.ingress(|c| {
            c.if_(!query.valid(), |c| {
                c.mark_to_drop();
                c.exit();
            });
            c.set(s.egress_spec, s.ingress_port);
            c.read(m.bank, active, 0);
            let is = |op| query.op.eq(op);
            c.if_(is(op::TEST) | is(op::INSERT) | is(op::TEST_AND_INSERT), |c| {
                for (row, algorithm) in ROWS.into_iter().enumerate() {
                    c.hash(m.cell, algorithm, list![query.key], base(m.bank), CELLS);
                    c.read(found[row], rows[row], m.cell);
                    c.if_(query.op.ne(op::TEST), |c| c.write(rows[row], m.cell, 1));
                }
                c.set(query.present, found[0] & found[1] & found[2]);
            })
            .else_if(is(op::CLEAR_CELL), |c| {
                c.set(m.cell, base(!m.bank) + query.key.bits(7, 0).cast(bit(32)));
                for row in rows {
                    c.write(row, m.cell, 0);
                }
            })
            .else_if(is(op::SWAP_BANKS), |c| {
                c.write(active, 0, !m.bank);
                c.set(query.present, !m.bank);
            })
            .else_(|c| c.mark_to_drop());
        });

        p.emit(eth);
        p.emit(ip);
        p.emit(udp);
        p.emit(query);
    })
}
