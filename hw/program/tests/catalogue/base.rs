//! The valid program that every case changes.

use restage_program::build::Builder;
use restage_program::entity::{Digest, Profile, Union, ValueSet};
use restage_program::prelude::*;

header! {
    pub struct Ethernet { dst: bit<48>, src: bit<48>, r#type: bit<16> }
    pub struct Ipv4 { ttl: bit<8>, proto: bit<8>, len: bit<16>, src: bit<32>, dst: bit<32>, delta: int<16> }
    pub struct Options { kind: bit<8>, data: varbit<320> }
    pub struct Tag { label: bit<20>, rest: bit<12> }
    pub struct Tcp { sport: bit<16>, dport: bit<16> }
    pub struct Icmp { kind: bit<8>, code: bit<8> }
}

metadata! {
    pub struct Meta { index: bit<32>, wide: bit<64>, flag: bool, colour: bit<2>, cause: error }
}

/// What it declares.
pub struct Base {
    pub s: Standard,
    pub m: Meta,
    pub eth: Ethernet,
    pub ip: Ipv4,
    pub options: Options,
    pub more: Options,
    pub tags: StackView<Tag>,
    pub others: StackView<Tag>,
    pub l4: Union,
    pub tcp: Tcp,
    pub icmp: Icmp,
    pub ports: ValueSet,
    pub drop: Action,
    pub to: Action,
    pub route: Table,
    pub acl: Table,
    pub late: Table,
    pub spread: Table,
    pub profile: Profile,
    pub hits: Counter,
    pub rate: Meter,
    pub cells: Register,
    pub flows: Map,
    pub learn: Digest,
}

pub fn base(p: &mut Builder) -> Base {
    let s = p.standard();
    let m: Meta = p.metadata();
    let (eth, ip): (Ethernet, Ipv4) = (p.header("eth"), p.header("ip"));
    let (options, more): (Options, Options) = (p.header("options"), p.header("more"));
    let (tags, others): (StackView<Tag>, StackView<Tag>) =
        (p.stack("tags", 4), p.stack("others", 3));
    let l4 = p.union("l4");
    let (tcp, icmp): (Tcp, Icmp) = (p.member(l4, "tcp"), p.member(l4, "icmp"));
    let ports = p.value_set("ports", [("type", bit(16))], 4);

    p.state("start", |c| {
        c.extract(eth);
        c.select(eth.r#type)
            .case(0x800, "ipv4")
            .case(0x8847, "tag")
            .value_set(ports, "ipv4")
            .default("accept");
    });
    p.state("tag", |c| {
        c.extract(tags.next());
        c.select(tags.last().rest).case(mask(0, 1), "tag").default("accept");
    });
    p.state("ipv4", |c| {
        c.extract(ip);
        c.extract_var(options, 32);
        c.select(ip.proto).case(6, "tcp").default("accept");
    });
    p.state("tcp", |c| {
        c.extract(tcp);
        c.accept();
    });

    let drop = p.action("drop", [], |c, []| c.mark_to_drop());
    let to = p.action("to", [("port", bit(9))], |c, [port]| c.set(s.egress_spec, port));
    let route = p.table("route", |t| {
        t.lpm(ip.dst).actions([to]).const_default(drop, []).size(64);
    });
    let acl = p.table("acl", |t| {
        t.ternary(ip.src).exact(m.flag).actions([drop, to]).default(drop, []).size(64);
        t.entry((mask(0x0a00_0000, 0xff00_0000), 1), to, 5);
        t.entry((ANY, 0), drop, []);
    });
    let late = p.table("late", |t| {
        t.exact(s.egress_port).actions([drop]).size(8);
    });
    let profile = p.action_selector("paths", Crc16, list![ip.src, ip.dst], 16);
    let spread = p.table("spread", |t| {
        t.exact(ip.len).actions([to]).size(8).implementation(profile);
    });
    let hits = p.counter("hits", Unit::Both, 16);
    let rate = p.meter("rate", Unit::Bytes, 16);
    let cells = p.register("cells", bit(32), 1024);
    let flows = p.map("flows", [("src", bit(32))], [("port", bit(9))], (64, 4), 0);
    p.field_list("keep", [m.index]);
    let learn = p.digest("learn", [("src", eth.src)]);

    p.verify_checksum(ip.valid(), list![ip.src, ip.dst], ip.len, Csum16);
    p.ingress(|c| {
        c.apply(route).hit(|c| {
            c.apply(acl);
        });
        c.apply(spread);
        c.read(m.index, cells, ip.src);
        c.digest(learn);
    });
    p.egress(|c| {
        c.apply(late);
    });
    p.emit(eth);
    p.emit(tags);
    p.emit(ip);
    p.emit(options);
    p.emit(l4);
    Base {
        s,
        m,
        eth,
        ip,
        options,
        more,
        tags,
        others,
        l4,
        tcp,
        icmp,
        ports,
        drop,
        to,
        route,
        acl,
        late,
        spread,
        profile,
        hits,
        rate,
        cells,
        flows,
        learn,
    }
}
