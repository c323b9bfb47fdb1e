//! Checksums, hashes, digests, field lists and the deparser.

use restage_program::prelude::*;

crate::cases! {
    a_metadata_kept_twice breaks C01: |p, b| p.field_list("twice", [b.m.index, b.m.index]);
    a_header_field_kept breaks I01: |p, b| p.field_list("wrong", [b.ip.ttl]);
    a_digest_of_nothing breaks C02: |p, b| p.digest("nothing", []);
    a_digest_of_another_type breaks E04: |p, b| p.program_mut().digests[b.learn].fields[0].0.ty = bit(40);
    a_hash_of_nothing breaks K01: |p, b| p.ingress(|c| c.hash(b.m.index, Crc32, vec![], 0, 8));
    a_selector_of_nothing breaks K01: |p, b| p.action_selector("none", Crc16, vec![], 4);
    a_checksum_into_a_signed_number breaks K02: |p, b| p.update_checksum(true, list![b.ip.src], b.ip.delta, Csum16);
    a_hash_into_a_bool breaks K02: |p, b| p.ingress(|c| c.hash(b.m.flag, Crc32, list![b.ip.src], 0, 2));
    a_hash_of_an_error breaks K03: |p, b| p.ingress(|c| c.hash(b.m.index, Crc32, list![b.m.cause], 0, 8));
    a_checksum_if_a_number breaks E04: |p, b| p.update_checksum(b.ip.ttl, list![b.ip.src], b.ip.len, Csum16);
    a_random_number_of_another_width breaks E04: |p, b| p.ingress(|c| c.random(b.m.index, b.ip.ttl, 9));
    a_custom_crc_of_8_bits breaks K04: |p, _b| p.program_mut().crcs.push(restage_program::program::CrcDecl { name: "short".into(), width: 8, loc: Default::default() });
    a_custom_crc_that_does_not_exist breaks I01: |p, b| p.ingress(|c| c.hash(b.m.index, Custom(restage_program::entity::Crc(0)), list![b.ip.src], 0, 8));
    two_custom_crcs_of_one_name breaks N03: |p, _b| { p.crc16("row"); p.crc32("row"); };
    a_header_emitted_twice breaks D01: |p, b| p.emit(b.eth);
    a_member_emitted_beside_its_union breaks D01: |p, b| p.emit(b.icmp);
    a_stack_that_does_not_exist breaks I01: |p, b| p.program_mut().deparser.push(restage_program::program::Emit::Stack(restage_program::entity::Stack(8)));
}

/// A list may be empty when the payload is summed.
#[test]
fn a_sum_of_the_payload_alone_is_legal() {
    crate::wrong(|p, b| p.update_checksum_with_payload(true, vec![], b.ip.len, Csum16))
        .check()
        .unwrap();
}
