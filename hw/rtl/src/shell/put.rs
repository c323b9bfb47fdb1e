//! The fabric's wiring of regions: guards, their sockets, the router between them.

use super::router;
use super::shape::Shape;
use super::wiring::Wiring;
use restage_manifest::ShellConfig;
use restage_manifest::address::PARSER;
use restage_manifest::socket::{Direction, RegionKind, Socket, ports, sockets};

/// What the window says to a parser.
pub(super) fn put_feed(
    w: &mut Wiring<'_>,
    config: &ShellConfig,
    socket: &Socket,
) -> (String, String) {
    let shape = Shape::new(config);
    let from = format!("{}_in", socket.name);
    let slot = socket.unit - PARSER;
    for what in ["valid", "live"] {
        let all = w.get(&format!("window_{what}"), config.slots);
        let own = w.m.bit(all, slot);
        w.set(&format!("{from}_{what}"), own);
    }
    for (what, width) in [("tag", shape.tag()), ("ticket", shape.ticket().width())] {
        let net = w.get(&format!("window_{what}"), width);
        w.set(&format!("{from}_{what}"), net);
    }
    let side = if config.egress_clones { "window_side" } else { "window_shell" };
    (from, side.into())
}

/// The router and the join, between all guards.
pub(super) fn put_router(w: &mut Wiring<'_>, config: &ShellConfig, bus: &[(&str, &str)]) {
    w.m.section("router");
    let mut inputs: Vec<(String, String)> =
        bus.iter().map(|(port, signal)| (port.to_string(), signal.to_string())).collect();
    for source in router::sources(config) {
        let from = match source.kind {
            None => "traffic".to_string(),
            Some(_) => format!("{}_guard", source.name),
        };
        for what in ["next_valid", "next_epoch", "live", "tag", "ticket", "phv"] {
            inputs.push((format!("{}_{what}_i", source.name), format!("{from}_{what}")));
        }
    }
    let named: Vec<(&str, &str)> = inputs.iter().map(|(p, s)| (p.as_str(), s.as_str())).collect();
    w.put("restage_router", "router", &named);
    let mut inputs: Vec<(String, String)> =
        (0..2).map(|e| (format!("join{e}_i"), format!("router_join{e}"))).collect();
    for socket in sockets(config).iter().filter(|s| s.kind == RegionKind::Deparser) {
        for what in ["valid", "tag", "ticket", "side", "header", "length"] {
            let name = &socket.name;
            inputs.push((format!("{name}_{what}_i"), format!("{name}_guard_{what}")));
        }
    }
    let named: Vec<(&str, &str)> = inputs.iter().map(|(p, s)| (p.as_str(), s.as_str())).collect();
    w.put("restage_join", "join", &named);
}

/// The lanes between all stages.
pub(super) fn put_lane(w: &mut Wiring<'_>, config: &ShellConfig, bus: &[(&str, &str)]) {
    w.m.section("lanes");
    let mut inputs: Vec<(String, String)> =
        bus.iter().map(|(port, signal)| (port.to_string(), signal.to_string())).collect();
    for socket in sockets(config).iter().filter(|s| s.kind == RegionKind::Stage) {
        let name = &socket.name;
        inputs.push((format!("{name}_coupled_i"), format!("{name}_guard_coupled")));
        for what in ["lane_valid_i", "lane_i"] {
            inputs.push((format!("{name}_{what}"), format!("in_{name}_{what}")));
        }
    }
    let named: Vec<(&str, &str)> = inputs.iter().map(|(p, s)| (p.as_str(), s.as_str())).collect();
    w.put("restage_lane", "lane", &named);
}

/// A guard and the ports of its region.
pub(super) fn put_guard(
    w: &mut Wiring<'_>,
    config: &ShellConfig,
    socket: &Socket,
    from: &str,
    side: &str,
) {
    let shape = Shape::new(config);
    let name = &socket.name;
    w.m.section(name.clone());
    let unit = w.m.lit(8, socket.unit.into());
    w.set(&format!("{name}_unit"), unit);
    let ticket = w.get(&format!("{from}_ticket"), shape.ticket().width());
    let epoch = shape.ticket().get(&mut w.m, ticket, "epoch");
    let time = shape.ticket().get(&mut w.m, ticket, "time");
    w.set(&format!("{name}_epoch"), epoch);
    w.set(&format!("{name}_time"), time);
    for port in ports(socket.kind, config) {
        let outside = socket.port(port.name);
        if port.direction == Direction::Output {
            w.input(&outside, port.width);
            continue;
        }
        let signal = match port.name {
            "valid_i" => format!("{from}_live"),
            "tag_i" => format!("{from}_tag"),
            "window_i" => "window_window".into(),
            "avail_i" => "window_avail".into(),
            "shell_i" => "window_shell".into(),
            "phv_i" => side.to_string(),
            "cfg_write_i" => "axil_cfg_write".into(),
            "cfg_addr_i" => "axil_cfg_addr".into(),
            "cfg_wdata_i" => "axil_cfg_wdata".into(),
            "lane_valid_i" | "lane_i" => {
                format!("lane_{name}_{}", port.name.trim_end_matches("_i"))
            }
            other => format!("{name}_{}", other.trim_end_matches("_i")),
        };
        let net = w.get(&signal, port.width);
        w.m.output(&outside, net);
    }
    for (port, signal) in [(socket.reset(), "reset_n"), (socket.clock_enable(), "clock_enable")] {
        let net = w.get(&format!("{name}_{signal}"), 1);
        w.m.output(&port, net);
    }
    let mut beside = side.to_string();
    if socket.kind == RegionKind::Deparser {
        // Behind egress the shell looks at its own bits only, unless clones carry all of them.
        let phv = w.get(side, config.phv_bits);
        let low = w.m.slice(phv, shape.side() - 1, 0);
        beside = format!("{name}_beside");
        w.set(&beside, low);
    }
    let part = match socket.kind {
        RegionKind::Parser => "restage_guard_parser",
        RegionKind::Stage => "restage_guard_stage",
        RegionKind::Deparser => "restage_guard_deparser",
    };
    let signal = |stem: &str| format!("in_{name}_{stem}_i");
    let inputs = [
        ("valid_i", format!("{from}_valid")),
        ("live_i", format!("{from}_live")),
        ("tag_i", format!("{from}_tag")),
        ("ticket_i", format!("{from}_ticket")),
        ("side_i", beside),
        ("region_tag_i", signal("tag")),
        ("region_phv_i", signal("phv")),
        ("region_header_i", signal("header")),
        ("region_length_i", signal("length")),
        ("csr_write_i", "axil_csr_write".into()),
        ("csr_addr_i", "axil_csr_addr".into()),
        ("csr_wdata_i", "axil_csr_wdata".into()),
        ("unit_i", format!("{name}_unit")),
        ("loading_i", format!("{name}_hold")),
        ("cfg_ack_i", format!("{name}_cfg_ack")),
        ("cfg_write_i", "axil_cfg_write".into()),
        ("cfg_addr_i", "axil_cfg_addr".into()),
        ("cfg_rdata_i", signal("cfg_rdata")),
    ];
    let inputs: Vec<(&str, &str)> = inputs.iter().map(|(p, s)| (*p, s.as_str())).collect();
    w.put(part, &format!("{name}_guard"), &inputs);
}
