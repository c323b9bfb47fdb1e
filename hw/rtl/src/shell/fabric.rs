//! The static part as a whole: everything but the regions, which have sockets.

use super::control::{monitors, put_axil, put_csr, put_image, put_inflight};
use super::put::{put_feed, put_guard, put_lane, put_router};
use super::shape::{Shape, USER_BITS, WORD_BITS};
use super::wiring::Wiring;
use super::{
    Fifos, admit, axil, csr, digest, gate, guard, image, inflight, join, lane, looper, merge,
    payload, router, traffic, verdict, window,
};
use crate::net::{Circuit, Module, Net, NetFault};
use restage_manifest::ShellConfig;
use restage_manifest::socket::sockets;
use restage_manifest::socket::{RegionKind, TIME_BITS};
use std::collections::BTreeMap;

/// The modules of the static part.
#[derive(Clone, Debug)]
pub struct Static {
    /// `restage_fabric`.
    pub fabric: Circuit,
    /// What it is made of.
    pub parts: Vec<Circuit>,
}

impl Static {
    /// All modules, the top last.
    pub fn circuits(&self) -> impl Iterator<Item = &Circuit> {
        self.parts.iter().chain([&self.fabric])
    }
}

/// `restage_fabric`: gate, window, guards, traffic point, merge, control, with the regions' sockets as ports.
///
/// Contract: `s_axis_*`, `m_axis_*`, `s_axil_*`: see [`gate`](super::gate()), [`merge`](super::merge()),
/// [`axil`](super::axil()). `time_i`: microseconds. For each socket the ports of
/// [`Socket::port`], its reset and whether its clock shall run, all outputs from registers. `image_*`: the way of images to the
/// part, see [`image`](super::image()). `mon_gate_*`: a packet goes to the parser, for the first
/// time or (`looped` is not 0, but a value of `standard::instance`) again. `mon_emit_*`: a copy goes to egress
/// (or, if `raw`, past it to the loop port). `mon_loop_*`: a packet goes to the loop buffer, or finds it full.
pub fn fabric(config: &ShellConfig) -> Result<Static, Vec<NetFault>> {
    let mut fifos = Fifos::default();
    let mut parts = vec![
        admit::admit(config, &mut fifos)?,
        gate::gate(config)?,
        window::window(config)?,
        payload::payload(config)?,
        traffic::traffic(config, &mut fifos)?,
        verdict::verdict(config)?,
        merge::merge(config, &mut fifos)?,
        axil::axil(config)?,
        csr::csr(config)?,
        guard::guard(config, RegionKind::Parser)?,
        guard::guard(config, RegionKind::Stage)?,
        guard::guard(config, RegionKind::Deparser)?,
        router::router(config)?,
        join::join(config)?,
        inflight::inflight()?,
        image::image(config)?,
    ];
    if config.lane_words > 0 {
        parts.push(lane::lane(config)?);
    }
    if config.loops() {
        parts.push(looper::looper(config, &mut fifos)?);
    }
    if config.digest_bits > 0 {
        parts.push(digest::digest(config, &mut fifos)?);
    }
    parts.extend(fifos.into_circuits());
    let fabric = wire(config, &parts)?;
    Ok(Static { fabric, parts })
}

fn wire(config: &ShellConfig, parts: &[Circuit]) -> Result<Circuit, Vec<NetFault>> {
    let shape = Shape::new(config);
    let mut module = Module::new("restage_fabric");
    module.about("restage_fabric - all that stays while variants of regions come and go; the sockets are ports");
    let mut w = Wiring { m: module, parts, signals: BTreeMap::new() };
    let bus = [
        ("csr_write_i", "axil_csr_write"),
        ("csr_addr_i", "axil_csr_addr"),
        ("csr_wdata_i", "axil_csr_wdata"),
    ];
    w.m.section("ports");
    for (name, width) in [
        ("s_axis_tdata", shape.beat()),
        ("s_axis_tkeep", config.data_bytes),
        ("s_axis_tvalid", 1),
        ("s_axis_tlast", 1),
        ("s_axis_tuser", USER_BITS),
        ("m_axis_tready", 1),
        ("s_axil_awaddr", axil::AXIL_ADDRESS_BITS),
        ("s_axil_awvalid", 1),
        ("s_axil_wdata", WORD_BITS),
        ("s_axil_wstrb", WORD_BITS / 8),
        ("s_axil_wvalid", 1),
        ("s_axil_bready", 1),
        ("s_axil_araddr", axil::AXIL_ADDRESS_BITS),
        ("s_axil_arvalid", 1),
        ("s_axil_rready", 1),
        ("time_i", TIME_BITS),
        ("image_ready_i", 1),
        ("image_done_i", 1),
        ("image_fail_i", 1),
        ("image_code_i", image::CODE_BITS),
    ] {
        w.input(name, width);
    }

    w.m.section("gate, window, payload");
    w.put(
        "restage_admit",
        "admit",
        &[
            ("s_axis_tdata", "in_s_axis_tdata"),
            ("s_axis_tkeep", "in_s_axis_tkeep"),
            ("s_axis_tvalid", "in_s_axis_tvalid"),
            ("s_axis_tlast", "in_s_axis_tlast"),
            ("s_axis_tuser", "in_s_axis_tuser"),
            ("sheds_i", "csr_sheds"),
            ("g_axis_tready", "gate_s_axis_tready"),
        ],
    );
    w.put(
        "restage_gate",
        "gate",
        &[
            ("s_axis_tdata", "admit_g_axis_tdata"),
            ("s_axis_tkeep", "admit_g_axis_tkeep"),
            ("s_axis_tvalid", "admit_g_axis_tvalid"),
            ("s_axis_tlast", "admit_g_axis_tlast"),
            ("s_axis_tuser", "admit_g_axis_tuser"),
            ("open_i", "csr_open"),
            ("credit_i", "traffic_credit"),
            ("room_i", "payload_room"),
            ("yield_i", "yield"),
            ("reserve_ok_i", "loop_reserve_ok"),
            ("epoch_i", "csr_epoch"),
            ("bubble0_i", "csr_bubble_ingress0"),
            ("bubble1_i", "csr_bubble_ingress1"),
            ("l_valid_i", "loop_out_valid"),
            ("l_data_i", "loop_out_data"),
            ("l_last_i", "loop_out_last"),
            ("l_meta_i", "loop_out_meta"),
            ("l_phv_i", "loop_out_phv"),
        ],
    );
    w.put(
        "restage_window",
        "window",
        &[
            ("beat_valid_i", "gate_beat_valid"),
            ("beat_first_i", "gate_beat_first"),
            ("beat_last_i", "gate_beat_last"),
            ("beat_data_i", "gate_beat_data"),
            ("beat_index_i", "gate_beat_index"),
            ("completes_i", "gate_completes"),
            ("size_i", "gate_size"),
            ("source_i", "gate_source"),
            ("ptr_i", "gate_ptr"),
            ("looped_i", "gate_looped"),
            ("meta_i", "gate_meta"),
            ("phv_i", "gate_phv"),
            ("growth_i", "csr_growth"),
            ("time_i", "in_time_i"),
            ("epoch_i", "gate_epoch"),
            ("fed_i", "router_fed"),
        ],
    );
    let pointer = shape.pointer();
    let (quiet, end) = (w.get("traffic_quiet", 1), w.get("traffic_end_ptr", pointer));
    let (works, at) = (w.get("merge_free", 1), w.get("merge_free_ptr", pointer));
    let free = w.m.or(quiet, works);
    let place = w.m.mux(quiet, end, at);
    w.set("free", free);
    w.set("free_ptr", place);
    w.put(
        "restage_payload",
        "payload",
        &[
            ("beat_valid_i", "gate_beat_valid"),
            ("beat_data_i", "gate_beat_data"),
            ("ptr_i", "gate_ptr"),
            ("read_i", "merge_read"),
            ("read_ptr_i", "merge_read_ptr"),
            ("free_i", "free"),
            ("free_ptr_i", "free_ptr"),
        ],
    );

    let mut reads = vec!["csr_csr_rdata".to_string()];
    for socket in sockets(config) {
        let (from, side) = match socket.kind {
            RegionKind::Parser => put_feed(&mut w, config, &socket),
            _ => (format!("router_{}", socket.name), format!("router_{}_phv", socket.name)),
        };
        put_guard(&mut w, config, &socket, &from, &side);
        reads.push(format!("{}_guard_csr_rdata", socket.name));
    }
    put_router(&mut w, config, &bus);
    reads.push("router_csr_rdata".into());
    if config.lane_words > 0 {
        put_lane(&mut w, config, &bus);
        reads.push("lane_csr_rdata".into());
    }

    w.m.section("traffic point");
    let mut inputs = vec![
        ("valid_i", "router_point_valid"),
        ("ticket_i", "router_point_ticket"),
        ("phv_i", "router_point_phv"),
        ("time_i", "in_time_i"),
        ("admitted_i", "window_admitted"),
        ("retired_i", "merge_retired"),
        ("gone_i", "verdict_gone"),
        ("yield_i", "yield"),
        ("bubble0_i", "csr_bubble_egress0"),
        ("bubble1_i", "csr_bubble_egress1"),
    ];
    inputs.extend(bus);
    w.put("restage_traffic", "traffic", &inputs);

    w.m.section("behind egress");
    w.put(
        "restage_verdict",
        "verdict",
        &[
            ("valid_i", "join_valid"),
            ("ticket_i", "join_ticket"),
            ("side_i", "join_side"),
            ("header_i", "join_header"),
            ("length_i", "join_length"),
        ],
    );
    w.put(
        "restage_merge",
        "merge",
        &[
            ("header_valid_i", "verdict_header_valid"),
            ("header_i", "verdict_header"),
            ("side_i", "verdict_side"),
            ("job_valid_i", "verdict_job_valid"),
            ("job_i", "verdict_job"),
            ("ptr_i", "gate_ptr"),
            ("m_axis_tready", "in_m_axis_tready"),
            ("beat_i", "payload_beat"),
            ("next_i", "payload_next"),
            ("l_space_i", "loop_space"),
            ("l_phv_room_i", "loop_phv_room"),
        ],
    );
    if config.loops() {
        w.put(
            "restage_loop",
            "loop",
            &[
                ("in_valid_i", "merge_l_valid"),
                ("in_data_i", "merge_l_data"),
                ("in_last_i", "merge_l_last"),
                ("meta_valid_i", "merge_l_meta_valid"),
                ("meta_i", "merge_l_meta"),
                ("phv_valid_i", "merge_l_phv_valid"),
                ("phv_i", "merge_l_phv"),
                ("take_i", "merge_l_take"),
                ("take_beats_i", "merge_l_take_beats"),
                ("out_take_i", "gate_l_take"),
                ("growth_i", "csr_growth"),
                ("received_i", "window_received"),
                ("reserve_i", "window_reserve"),
                ("release0_valid_i", "traffic_release_valid"),
                ("release0_i", "traffic_release"),
                ("release1_valid_i", "verdict_release_valid"),
                ("release1_i", "verdict_release"),
            ],
        );
    }

    w.m.section("control");
    if config.digest_bits > 0 {
        let mut inputs =
            vec![("digest_valid_i", "traffic_digest_valid"), ("digest_i", "traffic_digest")];
        inputs.extend(bus);
        w.put("restage_digest", "digest", &inputs);
        reads.push("digest_csr_rdata".into());
    }
    put_inflight(&mut w, config);
    put_csr(&mut w, config, &bus);
    put_image(&mut w, config, &bus);
    reads.push("image_csr_rdata".into());
    let (waits, copies) = (w.get("axil_yield", 1), w.get("csr_yield", 1));
    let either = w.m.or(waits, copies);
    w.set("yield", either);
    let words: Vec<Net> = reads.iter().map(|name| w.get(name, WORD_BITS)).collect();
    let word = w.m.or_all(&words);
    w.set("csr_rdata", word);
    put_axil(&mut w, config);

    w.m.section("ports: packets and registers");
    for (name, signal, width) in [
        ("s_axis_tready", "admit_s_axis_tready", 1),
        ("m_axis_tdata", "merge_m_axis_tdata", shape.beat()),
        ("m_axis_tkeep", "merge_m_axis_tkeep", config.data_bytes),
        ("m_axis_tvalid", "merge_m_axis_tvalid", 1),
        ("m_axis_tlast", "merge_m_axis_tlast", 1),
        ("m_axis_tuser", "merge_m_axis_tuser", USER_BITS),
        ("s_axil_awready", "axil_s_axil_awready", 1),
        ("s_axil_wready", "axil_s_axil_wready", 1),
        ("s_axil_arready", "axil_s_axil_arready", 1),
        ("s_axil_bvalid", "axil_s_axil_bvalid", 1),
        ("s_axil_bresp", "axil_s_axil_bresp", 2),
        ("s_axil_rvalid", "axil_s_axil_rvalid", 1),
        ("s_axil_rresp", "axil_s_axil_rresp", 2),
        ("s_axil_rdata", "axil_s_axil_rdata", WORD_BITS),
        ("image_active_o", "image_active", 1),
        ("image_unit_o", "image_unit", image::UNIT_BITS),
        ("image_valid_o", "image_valid", 1),
        ("image_word_o", "image_word", WORD_BITS),
        ("image_last_o", "image_last", 1),
    ] {
        w.output(name, signal, width);
    }
    monitors(&mut w, config);
    w.m.finish()
}
