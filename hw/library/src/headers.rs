//! Headers that many programs share.

use restage_program::prelude::*;

header! {
    /// Ethernet.
    pub struct Ethernet { dst: bit<48>, src: bit<48>, r#type: bit<16> }

    /// An 802.1Q tag.
    pub struct Vlan { pcp: bit<3>, dei: bit<1>, vid: bit<12>, r#type: bit<16> }

    /// IPv4 without options.
    pub struct Ipv4 {
        version: bit<4>, ihl: bit<4>, dscp: bit<6>, ecn: bit<2>, length: bit<16>,
        id: bit<16>, flags: bit<3>, frag: bit<13>,
        ttl: bit<8>, proto: bit<8>, csum: bit<16>,
        src: bit<32>,
        dst: bit<32>,
    }

    /// IPv6.
    pub struct Ipv6 {
        version: bit<4>, class: bit<8>, flow: bit<20>,
        length: bit<16>, next: bit<8>, hops: bit<8>,
        src: bit<128>,
        dst: bit<128>,
    }

    /// TCP without options.
    pub struct Tcp {
        sport: bit<16>, dport: bit<16>,
        seq: bit<32>,
        ack: bit<32>,
        offset: bit<4>, reserved: bit<4>, flags: bit<8>, window: bit<16>,
        csum: bit<16>, urgent: bit<16>,
    }

    /// UDP.
    pub struct Udp { sport: bit<16>, dport: bit<16>, length: bit<16>, csum: bit<16> }

    /// The first four bytes that TCP and UDP share.
    pub struct Ports { sport: bit<16>, dport: bit<16> }
}

/// Values of `Ethernet::type`.
pub mod ethertype {
    /// IPv4.
    pub const IPV4: i32 = 0x0800;
    /// ARP.
    pub const ARP: i32 = 0x0806;
    /// An 802.1Q tag.
    pub const VLAN: i32 = 0x8100;
    /// IPv6.
    pub const IPV6: i32 = 0x86dd;
    /// MPLS, unicast.
    pub const MPLS: i32 = 0x8847;
}

/// Values of `Ipv4::proto` and `Ipv6::next`.
pub mod protocol {
    /// ICMP.
    pub const ICMP: i32 = 1;
    /// IPv4 in IP.
    pub const IPV4: i32 = 4;
    /// TCP.
    pub const TCP: i32 = 6;
    /// UDP.
    pub const UDP: i32 = 17;
}

/// Bits of `Tcp::flags`.
pub mod tcp_flag {
    /// The sender has no more data.
    pub const FIN: i32 = 0x01;
    /// Opens a connection.
    pub const SYN: i32 = 0x02;
    /// Ends a connection at once.
    pub const RST: i32 = 0x04;
    /// The acknowledgement number is valid.
    pub const ACK: i32 = 0x10;
}

/// Action data: a port.
pub const PORT: [(&str, Type); 1] = [("port", bit(9))];

/// What the checksum of a TCP segment without its payload covers: the pseudo header with the segment's
/// length, and the header.
pub fn tcp_summed(ip: Ipv4, tcp: Tcp, length: impl Into<Val>) -> Vec<Item> {
    let pseudo_header = list![ip.src, ip.dst, bits(8, 0), ip.proto, length.into()];
    [pseudo_header, tcp.except([tcp.csum])].concat()
}

/// Verifies the IPv4 header checksum before ingress and makes it anew behind egress.
#[track_caller]
pub fn ipv4_checksum(p: &mut Builder, ip: Ipv4) {
    p.verify_checksum(ip.valid(), ip.except([ip.csum]), ip.csum, Csum16);
    update_ipv4_checksum(p, ip);
}

/// Makes the IPv4 header checksum anew behind egress.
#[track_caller]
pub fn update_ipv4_checksum(p: &mut Builder, ip: Ipv4) {
    p.update_checksum(ip.valid(), ip.except([ip.csum]), ip.csum, Csum16);
}

/// Parses Ethernet and IPv4.
#[track_caller]
pub fn parse_ipv4(p: &mut Builder, eth: Ethernet, ip: Ipv4) {
    parse_ethernet(p, eth);
    p.state("ipv4", |c| {
        c.extract(ip);
        c.accept();
    });
}

/// Parses Ethernet, and goes on in the state `ipv4` behind it, which the caller describes.
#[track_caller]
pub fn parse_ethernet(p: &mut Builder, eth: Ethernet) {
    p.state("start", |c| {
        c.extract(eth);
        c.select(eth.r#type).case(ethertype::IPV4, "ipv4").default("accept");
    });
}

/// Parses Ethernet, IPv4, UDP and, behind UDP to a port, a header of the program's own.
#[track_caller]
pub fn parse_udp_service(
    p: &mut Builder,
    (eth, ip, udp): (Ethernet, Ipv4, Udp),
    port: i32,
    service: impl HeaderView,
) {
    parse_ethernet(p, eth);
    p.state("ipv4", |c| {
        c.extract(ip);
        c.select(ip.proto).case(protocol::UDP, "udp").default("accept");
    });
    p.state("udp", |c| {
        c.extract(udp);
        c.select(udp.dport).case(port, "service").default("accept");
    });
    p.state("service", |c| {
        c.extract(service);
        c.accept();
    });
}

/// Parses Ethernet, IPv4 and, where no options and no fragment stand in between, TCP.
#[track_caller]
pub fn parse_tcp(p: &mut Builder, (eth, ip, tcp): (Ethernet, Ipv4, Tcp)) {
    parse_ethernet(p, eth);
    p.state("ipv4", |c| {
        c.extract(ip);
        c.select((ip.ihl, ip.frag, ip.proto)).case((5, 0, protocol::TCP), "tcp").default("accept");
    });
    p.state("tcp", |c| {
        c.extract(tcp);
        c.accept();
    });
}

/// Parses Ethernet, IPv4 and, where no options and no fragment stand in between, the ports of TCP and UDP.
#[track_caller]
pub fn parse_ports(p: &mut Builder, (eth, ip, l4): (Ethernet, Ipv4, Ports)) {
    parse_ethernet(p, eth);
    p.state("ipv4", |c| {
        c.extract(ip);
        c.select((ip.ihl, ip.frag, ip.proto))
            .case((5, 0, protocol::TCP), "l4")
            .case((5, 0, protocol::UDP), "l4")
            .default("accept");
    });
    p.state("l4", |c| {
        c.extract(l4);
        c.accept();
    });
}
