//! Registers, counters, meters, maps and profiles.

use restage_program::entity::Counter;
use restage_program::prelude::*;

crate::cases! {
    a_register_of_errors breaks R01: |p, b| p.register("causes", Type::Error, 4);
    a_map_key_that_is_a_varbit breaks R01: |p, b| p.map("m", [("text", varbit(64))], [], (4, 1), 0);
    a_register_without_cells breaks R02: |p, b| p.register("none", bit(8), 0);
    a_profile_without_members breaks R02: |p, b| p.action_profile("none", 0);
    a_value_set_of_a_billion breaks R02: |p, b| p.value_set("many", [("type", bit(16))], 1_000_000_000);
    a_meter_of_both breaks R03: |p, b| p.meter("m", Unit::Both, 4);
    a_direct_meter_of_both breaks R03: |p, b| p.table("t", |t| { t.exact(b.ip.ttl).meter("m", Unit::Both, b.m.colour); });
    a_colour_in_one_bit breaks R04: |p, b| p.ingress(|c| c.execute_meter(b.s.checksum_error, b.rate, 0));
    a_colour_in_a_bool breaks R04: |p, b| p.table("t", |t| { t.exact(b.ip.ttl).meter("m", Unit::Bytes, b.m.flag); });
    buckets_that_are_no_power_of_two breaks R05: |p, b| p.map("m", [("k", bit(8))], [("v", bit(8))], (100, 4), 0);
    a_bucket_of_17_ways breaks R05: |p, b| p.map("m", [("k", bit(8))], [("v", bit(8))], (64, 17), 0);
    a_map_without_a_key breaks R05: |p, b| p.map("m", [], [("v", bit(8))], (64, 4), 0);
    a_key_wider_than_2048_bits breaks R05: |p, b| p.map("m", [("a", bit(2000)), ("b", bit(49))], [], (64, 4), 0);
    a_lookup_with_a_field_too_many breaks R06: |p, b| p.ingress(|c| c.map_lookup(b.flows, (b.ip.src, b.ip.dst), b.m.flag, [b.s.egress_spec], false));
    a_lookup_that_drops_a_value breaks R06: |p, b| p.ingress(|c| c.map_lookup(b.flows, b.ip.src, b.m.flag, [], false));
    a_put_of_another_width breaks E04: |p, b| p.ingress(|c| c.map_put(b.flows, b.ip.src, b.ip.ttl, None));
    found_in_a_number breaks E04: |p, b| p.ingress(|c| c.map_lookup(b.flows, b.ip.src, b.m.colour, [b.s.egress_spec], false));
    a_register_read_into_another_width breaks E04: |p, b| p.ingress(|c| c.read(b.ip.ttl, b.cells, 0));
    a_register_written_with_another_width breaks E04: |p, b| p.ingress(|c| c.write(b.cells, 0, b.ip.ttl));
    a_counter_that_does_not_exist breaks I01: |p, b| p.ingress(|c| c.count(Counter(7), 0));
    half_a_gigabyte_of_registers breaks L03: |p, b| p.register("big", bit(1), 1 << 26);
}
