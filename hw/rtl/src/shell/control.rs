//! The fabric's wiring of control: counters, the configuration bus, what is shown to observers.

use super::csr::{EVENTS, event};
use super::kit::but_not;
use super::shape::{Shape, WORD_BITS};
use super::wiring::Wiring;
use restage_manifest::address::shell::Count;
use restage_manifest::socket::TIME_BITS;
use restage_manifest::socket::sockets;
use restage_manifest::{ShellConfig, ShellField as F};

/// What is counted of each epoch.
pub(super) fn put_inflight(w: &mut Wiring<'_>, config: &ShellConfig) {
    let looped = if config.loops() {
        "merge_looped"
    } else {
        let no = w.m.lit(1, 0);
        w.set("never_looped", no);
        "never_looped"
    };
    w.put(
        "restage_inflight",
        "inflight",
        &[
            ("begun_i", "window_received"),
            ("begun_epoch_i", "window_received_epoch"),
            ("copied_i", "traffic_copied"),
            ("copied_epoch_i", "traffic_copied_epoch"),
            ("looped_i", looped),
            ("looped_epoch_i", "merge_retired_epoch"),
            ("forgotten_i", "traffic_forgotten"),
            ("forgotten_epoch_i", "traffic_forgotten_epoch"),
            ("popped_i", "traffic_popped"),
            ("popped_epoch_i", "traffic_copied_epoch"),
            ("gone_i", "verdict_gone"),
            ("gone_epoch_i", "verdict_gone_epoch"),
            ("retired_i", "merge_retired"),
            ("retired_epoch_i", "merge_retired_epoch"),
        ],
    );
}

/// Counters and what feeds them.
pub(super) fn put_csr(w: &mut Wiring<'_>, config: &ShellConfig, bus: &[(&str, &str)]) {
    let loops = config.loops();
    let digests = config.digest_bits > 0;
    let mut inputs: Vec<(&str, String)> = bus.iter().map(|(p, s)| (*p, s.to_string())).collect();
    inputs.push(("ready_i", "traffic_ready".into()));
    let (before, behind) = (w.get("admit_empty", 1), w.get("traffic_empty", 1));
    let out = w.get("merge_empty", 1);
    let mut empty = w.m.and_all(&[before, behind, out]);
    if loops {
        let looped = w.get("loop_empty", 1);
        empty = w.m.and(empty, looped);
    }
    w.set("empty", empty);
    inputs.push(("empty_i", "empty".into()));
    inputs.push(("flipped_i", "window_flipped".into()));
    inputs.push(("count0_i", "inflight_count0".into()));
    inputs.push(("count1_i", "inflight_count1".into()));
    for count in Count::ALL {
        let (here, sources): (bool, &[&str]) = match count {
            Count::Received => (true, &["window_received"]),
            Count::Sent => (true, &["merge_sent"]),
            Count::DroppedIngress => (true, &["traffic_dropped"]),
            Count::DroppedEgress => (true, &["verdict_dropped"]),
            Count::NoGroup => (true, &["traffic_no_group"]),
            Count::NoSession => (true, &["traffic_no_session"]),
            Count::MaxPasses => {
                (true, &["traffic_too_often", "verdict_too_often", "verdict_clone_often"])
            }
            Count::Looped => (loops, &["window_looped"]),
            Count::LoopFull => (loops, &["merge_l_full"]),
            Count::DigestsLost => (digests, &["digest_lost"]),
            Count::WrongSize => (true, &["window_wrong_size"]),
            Count::Lost => (true, &["traffic_lost"]),
            Count::Collided => (true, &["router_collided", "join_collided"]),
            Count::Disordered => (true, &["router_disordered", "join_disordered"]),
            Count::HeldIngress => (true, &["gate_held"]),
            Count::HeldEgress => (true, &["traffic_held"]),
            Count::Shed => (true, &["admit_shed"]),
        };
        let mut bits = [w.m.lit(1, 0); EVENTS as usize];
        for (bit, source) in bits.iter_mut().zip(sources.iter().filter(|_| here)) {
            *bit = w.get(source, 1);
        }
        let net = w.m.concat(&bits);
        let name = format!("event_{}", event(count).trim_end_matches("_i"));
        w.set(&name, net);
        inputs.push((event(count), name));
    }
    let inputs: Vec<(&str, &str)> = inputs.iter().map(|(p, s)| (*p, s.as_str())).collect();
    w.put("restage_csr", "csr", &inputs);
}

/// The image port, and what it does to each region.
pub(super) fn put_image(w: &mut Wiring<'_>, config: &ShellConfig, bus: &[(&str, &str)]) {
    let sockets = sockets(config);
    let coupled: Vec<_> =
        sockets.iter().rev().map(|s| w.get(&format!("{}_guard_coupled", s.name), 1)).collect();
    let coupled = w.m.concat(&coupled);
    w.set("coupled", coupled);
    let mut inputs = vec![
        ("coupled_i", "coupled"),
        ("ready_i", "in_image_ready_i"),
        ("done_i", "in_image_done_i"),
        ("fail_i", "in_image_fail_i"),
        ("code_i", "in_image_code_i"),
    ];
    inputs.extend(bus);
    w.put("restage_image", "image", &inputs);
    for (what, signal) in
        [("hold", "hold"), ("reset_n", "reset_n"), ("clock_enable", "clock_enable")]
    {
        let all = w.get(&format!("image_{signal}"), sockets.len() as u32);
        for (index, socket) in (0..).zip(&sockets) {
            let bit = w.m.bit(all, index);
            w.set(&format!("{}_{what}", socket.name), bit);
        }
    }
}

/// The bus master and its connections to all regions.
pub(super) fn put_axil(w: &mut Wiring<'_>, config: &ShellConfig) {
    let sockets = sockets(config);
    let valids = w.get("axil_cfg_valid", sockets.len() as u32);
    let (mut acks, mut words) = (Vec::new(), Vec::new());
    for (index, socket) in sockets.iter().enumerate() {
        let valid = w.m.bit(valids, index as u32);
        w.set(&format!("{}_cfg_valid", socket.name), valid);
        // What is being loaded answers nothing.
        let ack = w.get(&format!("in_{}_cfg_ack_i", socket.name), 1);
        let hold = w.get(&format!("{}_hold", socket.name), 1);
        let ack = but_not(&mut w.m, ack, hold);
        w.set(&format!("{}_cfg_ack", socket.name), ack);
        acks.insert(0, ack);
        words.insert(0, w.get(&format!("in_{}_cfg_rdata_i", socket.name), WORD_BITS));
    }
    let (acks, words) = (w.m.concat(&acks), w.m.concat(&words));
    w.set("cfg_acks", acks);
    w.set("cfg_rdatas", words);
    let mut inputs: Vec<(String, String)> =
        ["awaddr", "awvalid", "wdata", "wstrb", "wvalid", "bready", "araddr", "arvalid", "rready"]
            .iter()
            .map(|name| (format!("s_axil_{name}"), format!("in_s_axil_{name}")))
            .collect();
    for (port, signal) in [
        ("csr_rdata_i", "csr_rdata"),
        ("cfg_ack_i", "cfg_acks"),
        ("cfg_rdata_i", "cfg_rdatas"),
        ("csr_stall_i", "image_stall"),
    ] {
        inputs.push((port.into(), signal.into()));
    }
    let inputs: Vec<(&str, &str)> = inputs.iter().map(|(p, s)| (p.as_str(), s.as_str())).collect();
    w.put("restage_axil", "axil", &inputs);
}

/// What is shown to who follows the packets from outside.
pub(super) fn monitors(w: &mut Wiring<'_>, config: &ShellConfig) {
    let shape = Shape::new(config);
    w.m.section("ports: monitors");
    let ticket = w.get("window_ticket", shape.ticket().width());
    let time = shape.ticket().get(&mut w.m, ticket, "time");
    let source = shape.ticket().get(&mut w.m, ticket, "source");
    let size = shape.ticket().get(&mut w.m, ticket, "size");
    let valid = w.get("window_any", 1);
    let tag = w.get("window_tag", shape.tag());
    w.m.output("mon_gate_valid_o", valid);
    w.m.output("mon_gate_tag_o", tag);
    w.m.output("mon_gate_time_o", time);
    w.m.output("mon_gate_source_o", source);
    w.m.output("mon_gate_size_o", size);
    if shape.ticket().has("kind") {
        let kind = shape.ticket().get(&mut w.m, ticket, "kind");
        w.m.output("mon_gate_looped_o", kind);
    } else {
        let zero = w.m.lit(3, 0);
        w.m.output("mon_gate_looped_o", zero);
    }
    if config.loops() {
        let asks = w.get("merge_l_asks", 1);
        let full = w.get("merge_l_full", 1);
        w.m.output("mon_loop_valid_o", asks);
        w.m.output("mon_loop_full_o", full);
    }
    let valid = w.get("traffic_valid", 1);
    let tag = w.get("traffic_tag", shape.tag());
    w.m.output("mon_emit_valid_o", valid);
    w.m.output("mon_emit_tag_o", tag);
    for (name, width) in [
        ("time", TIME_BITS),
        ("gate_time", TIME_BITS),
        ("enq_time", F::EnqTime.width()),
        ("enq_depth", F::EnqDepth.width()),
        ("deq_delta", F::DeqDelta.width()),
        ("deq_depth", F::DeqDepth.width()),
        ("port", F::EgressPort.width()),
        ("rid", F::EgressRid.width()),
        ("instance", F::Instance.width()),
        ("raw", 1),
    ] {
        let net = w.get(&format!("traffic_emit_{name}"), width);
        w.m.output(&format!("mon_emit_{name}_o"), net);
    }
}
