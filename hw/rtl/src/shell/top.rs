//! The shell with its regions filled: what a user instantiates.

use crate::net::{self, Circuit, Module, ModuleInterface, NetFault, RESET};
use restage_manifest::ShellConfig;
use restage_manifest::socket::{Socket, sockets};
use restage_program::Bits;

/// `restage_shell`: the fabric and variants in sockets, by their units. Nothing comes from the other sockets.
///
/// Contract: the ports of the fabric but for the sockets and monitors.
pub fn shell(
    config: &ShellConfig,
    fabric: &ModuleInterface,
    variants: &[(u32, ModuleInterface)],
) -> Result<Circuit, Vec<NetFault>> {
    let mut module = Module::new("restage_shell");
    let m = &mut module;
    m.about("restage_shell - the fabric with a variant in each region: what a user instantiates");
    m.about(
        "AXI4-Stream in and out: tuser of the first beat has the length in bytes (15 to 0), the port it came by (31 to 16)\n\
         and the port it goes to (47 to 32); the first byte of a packet is in the low bits of tdata. AXI4-Lite: registers.md.\n\
         time_i: microseconds, of a clock that runs evenly.",
    );
    let sockets = sockets(config);
    m.section("regions");
    let mut to_fabric = Vec::new();
    let mut wires = Vec::new();
    for (unit, variant) in variants {
        let Some(socket) = sockets.iter().find(|s| s.unit == *unit) else {
            m.refuse(format!("there is no unit {unit} for {}", variant.name));
            continue;
        };
        let reset = m.wire(&socket.reset(), 1);
        let mut inputs = vec![(RESET, reset.net())];
        wires.push((socket.reset(), reset));
        let variant = &variant.clone().with_reset();
        for port in
            variant.ports.iter().filter(|p| p.direction == net::Direction::Input && p.name != RESET)
        {
            let wire = m.wire(&socket.port(&port.name), port.width);
            inputs.push((port.name.as_str(), wire.net()));
            wires.push((socket.port(&port.name), wire));
        }
        let instance = m.instance(variant, &format!("u_{}", socket.name), &inputs);
        for port in variant.ports.iter().filter(|p| p.direction == net::Direction::Output) {
            to_fabric.push((socket.port(&port.name), m.pin(instance, &port.name)));
        }
    }
    let filled = |socket: &Socket| variants.iter().any(|(unit, _)| *unit == socket.unit);
    for socket in sockets.iter().filter(|s| !filled(s)) {
        let ports = fabric.ports.iter().filter(|p| is_of(socket, &p.name));
        for port in ports.filter(|p| p.direction == net::Direction::Input) {
            let nothing = m.bits(&Bits::zero(port.width));
            to_fabric.push((port.name.clone(), nothing));
        }
    }
    m.section("ports");
    let mine = |name: &str| !sockets.iter().any(|s| is_of(s, name));
    for port in fabric.ports.iter().filter(|p| p.direction == net::Direction::Input) {
        if mine(&port.name) {
            let net = m.input(&port.name, port.width);
            to_fabric.push((port.name.clone(), net));
        }
    }
    m.section("fabric");
    let inputs: Vec<_> = to_fabric.iter().map(|(name, net)| (name.as_str(), *net)).collect();
    let instance = m.instance(fabric, "u_fabric", &inputs);
    for (name, wire) in wires {
        let net = m.pin(instance, &name);
        m.assign(wire, net);
    }
    for port in fabric.ports.iter().filter(|p| p.direction == net::Direction::Output) {
        if mine(&port.name) && !port.name.starts_with("mon_") {
            let net = m.pin(instance, &port.name);
            m.output_logic(&port.name, net);
        }
    }
    module.finish()
}

fn is_of(socket: &Socket, port: &str) -> bool {
    port.strip_prefix(socket.name.as_str()).is_some_and(|rest| rest.starts_with('_'))
}
