//! In-band telemetry: a stack of records between UDP and payload. The source adds a shim to watched flows
//! and sends them to a UDP port of their own; each hop pushes a record on top while there is room, else it
//! sets the `exceeded` flag; the sink takes the telemetry off and sends a clone with it to the collector.
//!
//! It is an ingress clone because a clone made in egress has the headers as they are at the *end* of
//! egress: the original could not be stripped without stripping the clone.

use crate::headers::*;
use restage_program::prelude::*;

const INT_PORT: i32 = 5000;
const COLLECTOR: i32 = 7;
const MAX_RECORDS: u32 = 4;
const PORTS: u32 = 512;
/// Bytes of a shim.
const SHIM: i32 = 4;
/// Bytes of a record.
const RECORD: i32 = 12;

header! {
    /// The original UDP destination port, the number of records behind the shim, and how many more hops
    /// may add one.
    struct Shim {
        dport: bit<16>, count: bit<8>, left: bit<4>, reserved: bit<3>, exceeded: bit<1>,
    }

    /// What a hop has seen; no clock and no queue depth, so that it can be reproduced. The length is that
    /// with which the packet came in.
    struct Record {
        switch_id: bit<32>, ingress_port: bit<16>, egress_port: bit<16>,
        length: bit<16>, sequence: bit<16>,
    }
}

metadata! {
    /// `arrived`: the shim came with the packet.
    struct Meta {
        left: bit<8>, arrived: bool, sink: bool, add: bool,
        switch_id: bit<32>, length: bit<16>, in_port: bit<16>, out_port: bit<16>,
        sequence: bit<16>,
    }
}

/// Makes the packet longer by so many bytes, in the headers that say how long it is.
fn grow(c: &mut Body, (ip, udp): (Ipv4, Udp), bytes: impl Into<Operand>) {
    let bytes = bytes.into();
    c.set(udp.length, udp.length + bytes.clone());
    c.set(ip.length, ip.length + bytes);
}

/// Describes the program.
pub fn program() -> Program {
    build("int_md", |p| {
        let (eth, ip, udp): (Ethernet, Ipv4, Udp) =
            (p.header("eth"), p.header("ipv4"), p.header("udp"));
        let shim: Shim = p.header("shim");
        let records: StackView<Record> = p.stack("records", MAX_RECORDS);
        let (m, s) = (p.metadata::<Meta>(), p.standard());
        let own_record = [m.add, m.switch_id, m.length, m.in_port, m.out_port];
        let own_record = p.field_list("own_record", own_record);

        parse_ethernet(p, eth);
        p.state("ipv4", |c| {
            c.extract(ip);
            c.select((ip.ihl, ip.frag, ip.proto))
                .case((5, 0, protocol::UDP), "udp")
                .default("accept");
        });
        p.state("udp", |c| {
            c.extract(udp);
            c.select(udp.dport).case(INT_PORT, "shim").default("accept");
        });
        p.state("shim", |c| {
            c.extract(shim);
            c.set(m.left, shim.count);
            c.set(m.arrived, true);
            c.select(shim.count).case(0, "accept").default("record");
        });
        p.state("record", |c| {
            // A fifth record is the error StackOutOfBounds.
            c.extract(records.next());
            c.set(m.left, m.left - 1);
            c.select(m.left).case(0, "accept").default("record");
        });

        let drop = p.action("drop", [], |c, []| c.mark_to_drop());
        let forward = p.action("forward", PORT, |c, [port]| {
            c.set(s.egress_spec, port);
            c.set(ip.ttl, ip.ttl - 1);
        });
        let route = p.table("route", |t| {
            t.lpm(ip.dst).actions([forward, drop]).const_default(drop, []).size(64);
        });

        let source = p.action("source", [("max_hops", bit(4))], |c, [max_hops]| {
            c.fill(shim, (udp.dport, 0, max_hops, 0, 0));
            c.set(udp.dport, INT_PORT);
            grow(c, (ip, udp), SHIM);
        });
        let no_action = p.no_action();
        let watch = p.table("watch", |t| {
            t.ternary(ip.src).ternary(ip.dst).ternary(udp.dport);
            t.actions([source, no_action]).const_no_action().size(64);
        });

        let add_record = |c: &mut Body, switch_id: Param| {
            c.set(m.switch_id, switch_id);
            c.set(m.add, true);
        };
        let switch_id = [("switch_id", bit(32))];
        let transit = p.action("transit", switch_id, |c, [id]| add_record(c, id));
        let sink = p.action("sink", switch_id, |c, [id]| {
            add_record(c, id);
            c.set(m.sink, true);
        });
        let role = p.table("role", |t| {
            t.exact(s.egress_spec).actions([transit, sink]).const_no_action().size(64);
        });

        p.ingress(|c| {
            let bad = !ip.valid() | ip.ttl.le(1) | s.parser_error.ne(error::NO_ERROR);
            c.if_(bad, |c| {
                c.run(drop);
                c.exit();
            });
            c.set(m.length, s.packet_length.cast(bit(16)));
            c.set(m.in_port, s.ingress_port.cast(bit(16)));
            c.if_(udp.valid() & !shim.valid(), |c| {
                c.apply(watch);
            });
            c.apply(route);
            c.if_(shim.valid(), |c| {
                c.apply(role);
                c.set(m.out_port, s.egress_spec.cast(bit(16)));
                c.if_(m.sink & m.arrived, |c| c.clone_ingress(COLLECTOR, Some(own_record)));
            });
        });

        let sequence = p.register("sequence", bit(16), PORTS);
        let strip = |c: &mut Body| {
            c.set(udp.dport, shim.dport);
            grow(c, (ip, udp), -(shim.count.cast(bit(16)) * RECORD + SHIM));
            c.set_invalid(shim);
            c.pop_front(records, MAX_RECORDS);
        };
        let push = |c: &mut Body| {
            let port = m.out_port & (PORTS - 1);
            c.read(m.sequence, sequence, port.clone());
            c.write(sequence, port, m.sequence + 1);
            c.push_front(records, 1);
            c.fill(records.get(0), (m.switch_id, m.in_port, m.out_port, m.length, m.sequence));
            c.set(shim.count, shim.count + 1);
            c.set(shim.left, shim.left - 1);
            grow(c, (ip, udp), RECORD);
        };
        p.egress(|c| {
            c.if_(m.sink, |c| {
                strip(c);
                c.set(udp.csum, 0);
            })
            // A transit hop, or the sink's clone on its way to the collector.
            .else_if(shim.valid() & m.add, |c| {
                let full = shim.left.eq(0) | shim.count.ge(MAX_RECORDS);
                c.if_(full, |c| c.set(shim.exceeded, 1)).else_(push);
                c.set(udp.csum, 0);
            });
        });

        update_ipv4_checksum(p, ip);
        p.emit(eth);
        p.emit(ip);
        p.emit(udp);
        p.emit(shim);
        p.emit(records);
    })
}
