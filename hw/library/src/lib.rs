//! The programs that come with restage, each with example entries.
//!
//! They are descriptions to be read: one file each, which says in its first lines what the program does.

mod acl5;
mod bloom;
mod calculator;
mod conntrack_firewall;
mod count_min;
mod digest_learn;
mod ecmp;
mod ecn;
mod egress_acl;
pub mod headers;
mod heavy_hitter;
mod hyperloglog;
mod icmp_echo;
mod in_network_cache;
mod int_md;
mod ipip_tunnel;
mod ipv6_router;
mod l2_switch;
mod l3_acl;
mod l3_router;
mod l4_lb;
mod mirror;
mod mpls;
mod multicast;
mod nat44;
mod netcache;
mod query_dedup;
mod rate_limit;
mod recirculate_demo;
mod sequencer;
mod source_routing;
mod stateful_firewall;
mod sumax;
mod syn_defence;
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
    bloom: "Bloom filter with two banks, driven by packets";
    calculator: "22 operations on the operands in a packet; constant entries";
    conntrack_firewall: "connections of TCP and UDP in a map with ageing";
    count_min: "count-min sketch of packets per source, with queries in band";
    digest_learn: "a switch whose control plane learns addresses from digests";
    ecmp: "multipath router with an action selector";
    ecn: "ECN marking by a virtual queue in egress";
    egress_acl: "access list, remarking and truncation behind the traffic point";
    heavy_hitter: "the largest flows, in a hash table of two stages (HashPipe)";
    hyperloglog: "how many different sources there are";
    icmp_echo: "answers ARP and echo requests for its own addresses";
    in_network_cache: "a key-value cache in front of a server";
    int_md: "in-band telemetry: source, transit and sink, clones to a collector";
    ipip_tunnel: "end point of IPv4-in-IPv4 tunnels";
    ipv6_router: "IPv6 router with hop limit, MTU and marking by flow label";
    l2_switch: "Ethernet bridge with flooding";
    l3_router: "IPv4 router that counts why packets are dropped or punted";
    l4_lb: "TCP load balancer with connection affinity";
    mirror: "mirrors packets as they come in and as they leave";
    mpls: "MPLS edge and core router, four labels deep";
    multicast: "IPv4 multicast router, every copy rewritten for its branch";
    nat44: "static translation of addresses and ports";
    netcache: "a key-value cache that reports hot keys: count-min sketch, Bloom filter, clones";
    query_dedup: "drops repeated queries in front of a name server";
    rate_limit: "policer with meters, range and optional keys";
    recirculate_demo: "several passes: recirculation and resubmission with metadata kept";
    sequencer: "a node of a replication chain: sequence numbers per key (NetChain)";
    source_routing: "packets that carry their list of ports";
    stateful_firewall: "TCP connections tracked in registers";
    sumax: "SuMax sketch: bytes and longest packet of each flow";
    syn_defence: "answers SYNs with cookies and lets proven sources in";
    ttl_normalizer: "TTL, hop limit, identification and flow label made uniform";
    varbit_options: "IPv4 options as a varbit, transport in a header union";
    vlan: "VLAN bridge with access and trunk ports";
    vxlan_gateway: "VXLAN gateway between ports and remote end points";
}
