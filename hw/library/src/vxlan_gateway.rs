//! VXLAN gateway between local ports and remote tunnel end points (VTEPs).
//!
//! * From a VTEP: the outer headers are removed, the VNI selects a bridge domain.
//! * From a local port: the port selects the bridge domain; a remote destination is encapsulated, and the
//!   UDP source port carries the flow's entropy.
//!
//! Nothing goes from tunnel to tunnel (split horizon).

use crate::headers::*;
use restage_program::prelude::*;

const VXLAN_PORT: i32 = 4789;
/// In `Vxlan::flags`: the VNI is valid.
const VNI_VALID: i32 = 8;

header! {
    /// VXLAN.
    struct Vxlan { flags: bit<8>, reserved: bit<24>, vni: bit<24>, reserved2: bit<8> }
}

metadata! { struct Meta { bd: bit<16>, entropy: bit<16>, from_tunnel: bool } }

/// Describes the program.
pub fn program() -> Program {
    build("vxlan_gateway", |p| {
        let (outer_eth, outer_ip): (Ethernet, Ipv4) = (p.header("outer_eth"), p.header("outer_ip"));
        let (outer_udp, vxlan): (Udp, Vxlan) = (p.header("outer_udp"), p.header("vxlan"));
        let eth: Ethernet = p.header("eth");
        let (m, s) = (p.metadata::<Meta>(), p.standard());

        // A frame that is not VXLAN must end up in `eth`, so the parser looks ahead first.
        p.state("start", |c| {
            c.select(lookahead_at(96, 16)).case(ethertype::IPV4, "maybe_ip").default("local");
        });
        p.state("maybe_ip", |c| {
            // 14 bytes of Ethernet, 20 of IPv4, 8 of UDP; a shorter IPv4 frame is a parser error.
            let ahead = |hi, lo| lookahead(336).bits(hi, lo);
            let (version_ihl, frag) = (ahead(223, 216), ahead(172, 160));
            let (proto, dport) = (ahead(151, 144), ahead(47, 32));
            c.select((version_ihl, frag, proto, dport))
                .case((0x45, 0, protocol::UDP, VXLAN_PORT), "outer")
                .default("local");
        });
        p.state("outer", |c| {
            c.extract(outer_eth);
            c.extract(outer_ip);
            c.extract(outer_udp);
            c.extract(vxlan);
            c.goto("local");
        });
        p.state("local", |c| {
            c.extract(eth);
            c.accept();
        });
        ipv4_checksum(p, outer_ip);

        let drop = p.action("drop", [], |c, []| c.mark_to_drop());
        let terminate = p.action("terminate", [("bd", bit(16))], |c, [bd]| {
            c.set(m.bd, bd);
            c.set(m.from_tunnel, true);
            c.set_invalid(outer_eth);
            c.set_invalid(outer_ip);
            c.set_invalid(outer_udp);
            c.set_invalid(vxlan);
        });
        let tunnel_term = p.table("tunnel_term", |t| {
            t.exact(outer_ip.dst).exact(vxlan.vni);
            t.actions([terminate, drop]).const_default(drop, []).size(256);
        });
        let domain = p.action("domain", [("bd", bit(16))], |c, [bd]| c.set(m.bd, bd));
        let port_bd = p.table("port_bd", |t| {
            t.exact(s.ingress_port).actions([domain, drop]).const_default(drop, []).size(64);
        });

        let local_port = p.action("local_port", PORT, |c, [port]| c.set(s.egress_spec, port));
        let remote = [
            ("vni", bit(24)),
            ("src", bit(32)),
            ("dst", bit(32)),
            ("port", bit(9)),
            ("smac", bit(48)),
            ("dmac", bit(48)),
        ];
        let remote = p.action("remote", remote, |c, [vni, src, dst, port, smac, dmac]| {
            let frame = s.packet_length.cast(bit(16));
            c.set(s.egress_spec, port);
            c.fill(outer_eth, (dmac, smac, ethertype::IPV4));
            let (length, dont_fragment, ttl) = (frame.clone() + 36, 2, 64);
            c.fill(
                outer_ip,
                (4, 5, 0, 0, length, 0, dont_fragment, 0, ttl, protocol::UDP, 0, src, dst),
            );
            c.fill(outer_udp, (m.entropy | 0xc000, VXLAN_PORT, frame + 16, 0));
            c.fill(vxlan, (VNI_VALID, 0, vni, 0));
        });
        let fdb = p.table("fdb", |t| {
            t.exact(m.bd).exact(eth.dst);
            t.actions([local_port, remote, drop]).const_default(drop, []).size(1024);
        });

        p.ingress(|c| {
            c.if_(!eth.valid() | s.checksum_error.eq(1), |c| {
                c.run(drop);
                c.exit();
            });
            c.hash(m.entropy, Crc16, list![eth.dst, eth.src, eth.r#type], 0, 0x4000);
            c.if_(vxlan.valid(), |c| {
                c.if_((vxlan.flags & VNI_VALID).eq(0), |c| {
                    c.run(drop);
                    c.exit();
                });
                c.apply(tunnel_term);
            })
            .else_(|c| {
                c.apply(port_bd);
            });
            c.if_(m.bd.ne(0), |c| {
                c.apply(fdb).on(remote, |c| {
                    c.if_(m.from_tunnel, |c| c.run(drop));
                });
            });
        });

        p.emit(outer_eth);
        p.emit(outer_ip);
        p.emit(outer_udp);
        p.emit(vxlan);
        p.emit(eth);
    })
}
