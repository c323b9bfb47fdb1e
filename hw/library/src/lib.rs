//! The programs that come with restage, each with example entries.
//!
//! They are descriptions to be read: one file each, which says in its first lines what the program does.

mod acl5;
mod ecmp;
mod egress_acl;
pub mod headers;
mod icmp_echo;
mod ipip_tunnel;
mod ipv6_router;
mod l2_switch;
mod l3_acl;
mod l3_router;
mod l4_lb;
mod mpls;
mod multicast;
mod nat44;
mod rate_limit;
mod source_routing;
mod stateful_firewall;
mod ttl_normalizer;
mod varbit_options;
mod vlan;
mod vxlan_gateway;

use restage_program::Program;

/// A program of the library.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// Example entries, in the entries file format.
    pub entries: &'static str,
    describe: fn() -> Program,
}

impl Item {
    /// The description.
    pub fn program(&self) -> Program {
        (self.describe)()
    }
}

/// The program of a name.
pub fn get(name: &str) -> Option<&'static Item> {
    ALL.iter().find(|item| item.name == name)
}

macro_rules! library {
    ($($name:ident: $summary:literal;)*) => {
        /// All programs, the default one first.
        pub const ALL: &[Item] = &[$(Item {
            name: stringify!($name),
            summary: $summary,
            entries: include_str!(concat!("../entries/", stringify!($name), ".txt")),
            describe: $name::program,
        }),*];
    };
}

library! {
    l3_acl: "IPv4 router with next hops and a ternary 5-tuple access list (the default)";
    acl5: "wire with a ternary 5-tuple access list, fragments told apart";
    ecmp: "multipath router with an action selector";
    egress_acl: "access list, remarking and truncation behind the traffic point";
    icmp_echo: "answers ARP and echo requests for its own addresses";
    ipip_tunnel: "end point of IPv4-in-IPv4 tunnels";
    ipv6_router: "IPv6 router with hop limit, MTU and marking by flow label";
    l2_switch: "Ethernet bridge with flooding";
    l3_router: "IPv4 router that counts why packets are dropped or punted";
    l4_lb: "TCP load balancer with connection affinity";
    mpls: "MPLS edge and core router, four labels deep";
    multicast: "IPv4 multicast router, every copy rewritten for its branch";
    nat44: "static translation of addresses and ports";
    rate_limit: "policer with meters, range and optional keys";
    source_routing: "packets that carry their list of ports";
    stateful_firewall: "TCP connections tracked in registers";
    ttl_normalizer: "TTL, hop limit, identification and flow label made uniform";
    varbit_options: "IPv4 options as a varbit, transport in a header union";
    vlan: "VLAN bridge with access and trunk ports";
    vxlan_gateway: "VXLAN gateway between ports and remote end points";
}
