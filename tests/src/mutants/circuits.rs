//! Which circuits are mutated, and by which checks each is judged.

use super::check::Check::{self, Regress, Rtl};

/// A circuit.
#[derive(Clone, Copy, Debug)]
pub struct Circuit {
    /// What it is called here.
    pub name: &'static str,
    /// Its module, as the checks build it.
    pub module: &'static str,
    /// The module that it has an instance of and that is meant, if not all of it.
    pub part: Option<&'static str>,
    /// In this order, until one fails.
    pub checks: &'static [Check],
}

const fn cell(name: &'static str, test: &'static [Check]) -> Circuit {
    Circuit { name, module: name, part: None, checks: test }
}

const fn region(module: &'static str, checks: &'static [Check]) -> Circuit {
    Circuit { name: module, module, part: None, checks }
}

/// All.
pub const ALL: &[Circuit] = &[
    cell("register_8x16", &[Rtl("cells", "state::register_8x16")]),
    cell("register_33x5", &[Rtl("cells", "state::register_33x5")]),
    cell("counter_packets", &[Rtl("cells", "state::counter_packets")]),
    cell("counter_both", &[Rtl("cells", "state::counter_both")]),
    cell("meter_bytes", &[Rtl("cells", "behind::meter_bytes")]),
    cell("meter_packets", &[Rtl("cells", "behind::meter_packets")]),
    cell("random_16", &[Rtl("cells", "behind::random_16")]),
    cell("random_64", &[Rtl("cells", "behind::random_64")]),
    cell("map_conntrack", &[Rtl("cells", "map::map_conntrack")]),
    cell("map_odd", &[Rtl("cells", "map::map_odd")]),
    cell("exact_few", &[Rtl("cells", "tables::exact_few")]),
    cell("exact_48", &[Rtl("cells", "tables::exact_48")]),
    cell("exact_odd", &[Rtl("cells", "tables::exact_odd")]),
    cell("keyless", &[Rtl("cells", "tables::keyless")]),
    cell("lpm_few", &[Rtl("cells", "tables::lpm_few")]),
    cell("lpm_32", &[Rtl("cells", "tables::lpm_32")]),
    cell("lpm_exact", &[Rtl("cells", "tables::lpm_exact")]),
    cell("ternary_few", &[Rtl("cells", "tables::ternary_few")]),
    cell("ternary_acl", &[Rtl("cells", "tables::ternary_acl")]),
    cell("range_signed", &[Rtl("cells", "tables::range_signed")]),
    cell("direct_exact", &[Rtl("cells", "direct::direct_exact")]),
    cell("direct_lpm", &[Rtl("cells", "direct::direct_lpm")]),
    cell("direct_ternary", &[Rtl("cells", "direct::direct_ternary")]),
    cell("selector", &[Rtl("cells", "behind::selector")]),
    cell("value_set", &[Rtl("cells", "behind::value_sets")]),
    cell("ops_small", &[Rtl("ops", "every_operation_exhaustively_at_small_widths")]),
    cell("ops_65", &[Rtl("ops", "wide_operations")]),
    cell("products", &[Rtl("ops", "products_and_quotients")]),
    cell("hashes_whole", &[Rtl("hashes", "lists_that_are_always_whole")]),
    cell("hashes_varbit", &[Rtl("hashes", "lists_with_varbits")]),
    region("l3_acl_parser", &[Regress("l3_acl", 1000)]),
    region("l3_acl_ingress_0", &[Regress("l3_acl", 1000)]),
    region("l3_acl_egress_0", &[Regress("l3_acl", 1000)]),
    region("l3_acl_deparser", &[Regress("l3_acl", 1000)]),
    region("int_md_parser", &[Regress("int_md", 1000)]),
    region("int_md_egress_0", &[Regress("int_md", 1000)]),
    region("int_md_deparser", &[Regress("int_md", 1000)]),
    region("varbit_options_parser", &[Regress("varbit_options", 1000)]),
    region("varbit_options_deparser", &[Regress("varbit_options", 1000)]),
    region("conntrack_firewall_ingress_0", &[Regress("conntrack_firewall", 1000)]),
    region("netcache_ingress_0", &[Regress("netcache", 1000)]),
    region("ecmp_ingress_0", &[Regress("ecmp", 1000)]),
];
