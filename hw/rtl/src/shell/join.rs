//! What comes from the deparsers, as one stream again.

use super::kit::{both, held, later, out_of_turn, state};
use super::shape::Shape;
use crate::net::{Circuit, Module, Net, NetFault};
use restage_manifest::ShellConfig;
use restage_manifest::socket::sockets;
use restage_manifest::socket::{LENGTH_BITS, RegionKind};

/// `restage_join`.
///
/// Contract: the inputs of each deparser D are its guard's; a packet counts when bit D of `join0_i` or `join1_i`, by
/// its epoch, is 1. Everything comes out one clock later. Two packets in one clock must not be: `collided_o`.
/// `disordered_o`: a packet comes out of turn.
pub fn join(config: &ShellConfig) -> Result<Circuit, Vec<NetFault>> {
    let shape = Shape::new(config);
    let mut module = Module::new("restage_join");
    let m = &mut module;
    m.section("ports");
    let all = sockets(config);
    let names: Vec<String> =
        all.into_iter().filter(|s| s.kind == RegionKind::Deparser).map(|s| s.name).collect();
    let ports = [
        ("tag", shape.tag()),
        ("ticket", shape.ticket().width()),
        ("side", shape.side()),
        ("header", shape.window()),
        ("length", LENGTH_BITS),
    ];
    let chosen = [0, 1].map(|e| m.input(&format!("join{e}_i"), names.len() as u32));
    let mut valids = Vec::new();
    let mut values: Vec<Vec<Net>> = Vec::new();
    for (i, name) in (0..).zip(&names) {
        let valid = m.input(&format!("{name}_valid_i"), 1);
        let nets: Vec<Net> =
            ports.iter().map(|(what, w)| m.input(&format!("{name}_{what}_i"), *w)).collect();
        let epoch = shape.ticket().get(m, nets[1], "epoch");
        let [zero, one] = chosen.map(|mask| m.bit(mask, i));
        let counts = m.mux(epoch, one, zero);
        valids.push(m.and(valid, counts));
        values.push(nets);
    }

    m.section("one of them");
    let any = m.or_all(&valids);
    let mut tag = None;
    for (place, (what, _)) in ports.iter().enumerate() {
        let mut net = values[0][place];
        for (valid, nets) in valids.iter().zip(&values).skip(1) {
            net = m.mux(*valid, nets[place], net);
        }
        let net = held(m, what, any, net);
        if place == 0 {
            tag = Some(net);
        } else {
            m.output(&format!("{what}_o"), net);
        }
    }
    let valid = later(m, "valid", any, 1);
    m.output("valid_o", valid);

    m.section("what must not happen");
    let collided = if valids.len() > 1 { both(m, &valids) } else { m.lit(1, 0) };
    let collided = state(m, "collided", collided);
    m.output("collided_o", collided);
    if let Some(tag) = tag {
        let wrong = out_of_turn(m, valid, tag);
        m.output("disordered_o", wrong);
    }
    module.finish()
}
