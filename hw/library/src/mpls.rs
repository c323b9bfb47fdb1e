//! MPLS edge and core router with a label stack of up to four entries.
//!
//! At the edge an IPv4 prefix (`fec`) gets one or two labels; in the core a label (`ilm`) is swapped,
//! swapped and pushed upon, or popped. TTLs are carried up and down ("uniform"); popping the last label
//! exposes IPv4. A deeper stack is a parser error and is dropped.

use crate::headers::*;
use restage_program::prelude::*;

header! {
    /// A label; `bos` marks the bottom of the stack.
    struct Label { label: bit<20>, tc: bit<3>, bos: bit<1>, ttl: bit<8> }
}

metadata! { struct Meta { nhop: bit<16> } }

/// Describes the program.
pub fn program() -> Program {
    build("mpls", |p| {
        let eth: Ethernet = p.header("eth");
        let labels: StackView<Label> = p.stack("mpls", 4);
        let ip: Ipv4 = p.header("ipv4");
        let (m, s) = (p.metadata::<Meta>(), p.standard());
        let (top, below) = (labels.get(0), labels.get(1));

        p.state("start", |c| {
            c.extract(eth);
            c.select(eth.r#type)
                .case(ethertype::MPLS, "mpls")
                .case(ethertype::IPV4, "ipv4")
                .default("accept");
        });
        p.state("mpls", |c| {
            c.extract(labels.next());
            c.select(labels.last().bos).case(0, "mpls").default("ipv4");
        });
        p.state("ipv4", |c| {
            c.extract(ip);
            c.accept();
        });

        let (label, outer) = (("label", bit(20)), ("outer", bit(20)));
        let nhop = ("nhop", bit(16));
        let drop = p.action("drop", [], |c, []| c.mark_to_drop());

        // The first label of an IPv4 packet, and one more on top of another.
        let push_first = |c: &mut Body, label: Param| {
            c.push_front(labels, 1);
            c.fill(top, (label, ip.dscp.bits(5, 3), 1, ip.ttl - 1));
            c.set(eth.r#type, ethertype::MPLS);
        };
        let push_outer = |c: &mut Body, label: Param| {
            c.push_front(labels, 1);
            c.fill(top, (label, below.tc, 0, below.ttl));
        };
        let push1 = p.action("push1", [label, nhop], |c, [label, nhop]| {
            push_first(c, label);
            c.set(m.nhop, nhop);
        });
        let push2 = [("inner", bit(20)), outer, nhop];
        let push2 = p.action("push2", push2, |c, [inner, outer, nhop]| {
            push_first(c, inner);
            push_outer(c, outer);
            c.set(m.nhop, nhop);
        });
        let route = p.action("route", [nhop], |c, [nhop]| {
            c.set(ip.ttl, ip.ttl - 1);
            c.set(m.nhop, nhop);
        });
        let fec = p.table("fec", |t| {
            t.lpm(ip.dst).actions([push1, push2, route, drop]).const_default(drop, []).size(256);
        });

        let swap_top = |c: &mut Body, label: Param| {
            c.set(top.label, label);
            c.set(top.ttl, top.ttl - 1);
        };
        let swap = p.action("swap", [label, nhop], |c, [label, nhop]| {
            swap_top(c, label);
            c.set(m.nhop, nhop);
        });
        let swap_push = p.action("swap_push", [label, outer, nhop], |c, [label, outer, nhop]| {
            swap_top(c, label);
            push_outer(c, outer);
            c.set(m.nhop, nhop);
        });
        let pop_inner = p.action("pop_inner", [nhop], |c, [nhop]| {
            c.set(below.ttl, top.ttl - 1);
            c.pop_front(labels, 1);
            c.set(m.nhop, nhop);
        });
        let pop_last = p.action("pop_last", [nhop], |c, [nhop]| {
            c.set(ip.ttl, top.ttl - 1);
            c.pop_front(labels, 1);
            c.set(eth.r#type, ethertype::IPV4);
            c.set(m.nhop, nhop);
        });
        let ilm = p.table("ilm", |t| {
            t.exact(top.label).named("label").exact(top.bos).named("bos");
            t.actions([swap, swap_push, pop_inner, pop_last, drop]);
            t.const_default(drop, []).size(256);
        });

        let adjacency = [("port", bit(9)), ("smac", bit(48)), ("dmac", bit(48))];
        let adjacency = p.action("adjacency", adjacency, |c, [port, smac, dmac]| {
            c.set(s.egress_spec, port);
            c.set(eth.src, smac);
            c.set(eth.dst, dmac);
        });
        let nexthop = p.table("nexthop", |t| {
            t.exact(m.nhop).actions([adjacency, drop]).const_default(drop, []).size(64);
        });

        p.ingress(|c| {
            let through = |c: &mut Body, table: Table| {
                c.apply(table).hit(|c| {
                    c.apply(nexthop);
                });
            };
            let bad = s.parser_error.ne(error::NO_ERROR) | (top.valid() & top.ttl.le(1));
            c.if_(bad, |c| c.run(drop))
                .else_if(top.valid(), |c| through(c, ilm))
                .else_if(ip.valid() & ip.ttl.gt(1), |c| through(c, fec))
                .else_(|c| c.run(drop));
        });

        update_ipv4_checksum(p, ip);
        p.emit(eth);
        p.emit(labels);
        p.emit(ip);
    })
}
