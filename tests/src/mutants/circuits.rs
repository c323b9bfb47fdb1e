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

/// A module of the shell, in a small one.
const fn part(module: &'static str, checks: &'static [Check]) -> Circuit {
    Circuit { name: module, module: "restage_fabric", part: Some(module), checks }
}

const TRAFFIC: Check = Rtl("shell", "small::traffic_of_all_kinds");
const LONG: Check = Rtl("shell", "small::long_packets_and_back_pressure");
const WAYS: Check = Rtl("shell", "small::ways_change_while_packets_flow");
const MEET: Check = Rtl("shell", "small::packets_that_meet_are_counted");
const INSIDE: Check = Rtl("shell", "parts::packets_inside_are_counted_by_epoch");
const JOIN: Check = Rtl("shell", "parts::the_join_takes_from_the_deparser_of_the_epoch");
const TOLD: Check = Rtl("shell", "small::programs_are_told_of_packets_and_queues");
const REGISTERS: Check = Rtl("shell", "small::registers_keep_what_is_written");
const UNITS: Check = Rtl("shell", "small::units_answer_or_the_shell_does");
const SHED: Check = Rtl("shell", "small::what_finds_no_room_is_dropped_whole");
const LOOPS: Check = Rtl("shell", "small::a_full_loop_buffer");
const MESSAGES: Check = Rtl("shell", "small::messages_wait_to_be_read");
const COUNTS: Check = Rtl("shell", "parts::counters_count_every_event");
const RING: Check = Rtl("shell", "parts::the_payload_buffer_is_a_ring");
const GUARD: Check =
    Rtl("shell", "parts::a_guard_delays_by_the_latency_and_keeps_what_is_not_the_regions");
const PARSER_GUARD: Check =
    Rtl("shell", "parts::a_parsers_guard_delays_by_the_latency_and_keeps_what_is_not_the_regions");
const DEPARSER_GUARD: Check =
    Rtl("shell", "parts::a_deparsers_guard_delays_by_the_latency_and_shows_its_header");
const SIZES: Check = Rtl("shell", "small::packets_of_another_length_than_they_say");

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
    part("restage_admit", &[TRAFFIC, SHED, LONG, SIZES]),
    part("restage_gate", &[TRAFFIC, WAYS, LONG, LOOPS, SIZES, REGISTERS]),
    part("restage_window", &[TRAFFIC, WAYS, TOLD, SIZES, LONG]),
    part("restage_payload", &[RING, TRAFFIC, LONG, SHED]),
    part("restage_traffic", &[TRAFFIC, TOLD, WAYS, LONG, LOOPS]),
    part("restage_verdict", &[TRAFFIC, LONG, WAYS, LOOPS]),
    part("restage_merge", &[TRAFFIC, LONG, SHED, LOOPS, SIZES]),
    part("restage_axil", &[REGISTERS, UNITS, TRAFFIC]),
    part("restage_csr", &[REGISTERS, COUNTS, TRAFFIC, WAYS, SHED, LOOPS, MESSAGES, SIZES]),
    part("restage_router", &[TRAFFIC, WAYS, REGISTERS, MEET]),
    part("restage_join", &[JOIN, TRAFFIC, WAYS, MEET]),
    part("restage_inflight", &[INSIDE, TRAFFIC, WAYS, LOOPS]),
    part("restage_loop", &[TRAFFIC, LONG, LOOPS]),
    part("restage_digest", &[TRAFFIC, MESSAGES]),
    part("restage_guard_parser", &[PARSER_GUARD, TRAFFIC, WAYS, REGISTERS]),
    part("restage_guard_deparser", &[DEPARSER_GUARD, TRAFFIC, WAYS, REGISTERS]),
    part(
        "restage_image",
        &[
            Rtl("shell", "image::a_load_that_is_aborted_leaves_a_blank_region"),
            Rtl("shell", "image::what_cannot_be_begun_changes_nothing"),
            Rtl("shell", "image::a_slow_part_makes_the_host_wait"),
            Rtl("shell", "image::a_region_that_is_loaded_is_not_heard"),
            Rtl("shell", "image::bad_images_are_refused_and_traffic_goes_on"),
        ],
    ),
    cell("restage_lane", &[Rtl("shell", "parts::lanes_go_where_the_registers_say")]),
    part("restage_guard_stage", &[GUARD, TRAFFIC, WAYS, REGISTERS]),
    cell("restage_fifo_40x32", &[Rtl("shell", "parts::a_queue_keeps_order_at_every_filling")]),
    region("ttl_normalizer_parser", &[Regress("ttl_normalizer", 300)]),
    region("ttl_normalizer_ingress_0", &[Regress("ttl_normalizer", 300)]),
    region("ttl_normalizer_egress_0", &[Regress("ttl_normalizer", 300)]),
    region("ttl_normalizer_deparser", &[Regress("ttl_normalizer", 300)]),
    region("sequencer_parser", &[Regress("sequencer", 300)]),
    region("sequencer_ingress_0", &[Regress("sequencer", 300)]),
    region("sequencer_deparser", &[Regress("sequencer", 300)]),
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
