//! Whole cards in a second simulator: what the verilated top was given at its pins, boot and entries included, is played
//! to Icarus Verilog, whose outputs must be the same in every clock.
//!
//! Icarus does not know what nobody has set. Outputs that must be known always are; data is compared while it is valid.

#![allow(clippy::unwrap_used)] // a test may

use restage_gen::hardware::build;
use restage_gen::source;
use restage_program::entries_text;
use restage_sim_verilator::BenchOptions;
use restage_tests::hardware::Packet;
use restage_tests::hardware::card::Card;
use restage_tests::tools::Design;
use restage_tests::tools::icarus::icarus;
use restage_tests::tools::recording::Recording;
use restage_tests::traffic::Traffic;
use std::time::Instant;

/// Packets for each program.
const PACKETS: usize = 200;

fn agree(name: &str) {
    let start = Instant::now();
    let loaded = source::load(name, None).unwrap();
    let writes = entries_text::parse(&loaded.program, loaded.entries.unwrap()).unwrap();
    let hardware = build(&loaded.program).unwrap();
    let options = BenchOptions { gaps: 20, back_pressure: 20, ..BenchOptions::default() };
    let mut card = Card::whole(&loaded.program, &hardware, options).unwrap();

    let part = card.nic.fabric().parts().next().unwrap();
    card.nic.fabric().model_mut(part).record();
    card.restart(&loaded.program).unwrap();
    for write in &writes {
        card.install(write).unwrap().unwrap();
    }
    let traffic = Traffic::new(&loaded.program, &writes, 1).take(PACKETS);
    let packets: Vec<Packet> = traffic.map(|(port, bytes)| Packet { port, bytes }).collect();
    let run = card.run(&packets).unwrap();
    assert!(run.received.len() >= PACKETS / 10, "{name}: only {} left", run.received.len());

    let mut recording = Recording::of(card.nic.fabric().model_mut(part)).skip(8);
    for (when, outputs) in [
        (
            "m_axis_tvalid",
            ["m_axis_tdata", "m_axis_tkeep", "m_axis_tlast", "m_axis_tuser"].as_slice(),
        ),
        ("s_axil_rvalid", &["s_axil_rdata", "s_axil_rresp"]),
        ("s_axil_bvalid", &["s_axil_bresp"]),
        ("image_valid_o", &["image_word_o", "image_last_o"]),
    ] {
        for output in outputs {
            recording = recording.only_while(output, when);
        }
    }
    let circuits = hardware.fabric.circuits().chain(&hardware.variants).chain([&hardware.top]);
    let files = circuits.map(|c| (format!("{}.v", c.name()), c.verilog())).collect();
    let design = Design { top: hardware.top.name().to_string(), files };
    let recorded = start.elapsed();
    let agreement = icarus(&design, &recording).unwrap();
    println!(
        "{name}: {} packets in, {} out, {} clocks, {} bits equal, {} unknown; {:.1} s and {:.1} s",
        packets.len(),
        run.received.len(),
        agreement.clocks,
        agreement.equal,
        agreement.unknown,
        recorded.as_secs_f64(),
        start.elapsed().as_secs_f64() - recorded.as_secs_f64(),
    );
    assert_eq!(agreement.unknown, 0, "{name}: Icarus does not know what leaves");
}

#[test]
fn icarus_agrees_on_a_card() {
    agree("vlan");
}

#[test]
#[ignore = "takes minutes"]
fn icarus_agrees_on_cards_of_all_features() {
    for name in
        ["l3_acl", "ecmp", "nat44", "rate_limit", "conntrack_firewall", "mirror", "varbit_options"]
    {
        agree(name);
    }
}
