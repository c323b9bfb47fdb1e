//! The places for region variants.

use crate::net::{ModuleInterface, Port};
use restage_manifest::socket::{Direction, RegionKind, ports};
use restage_manifest::{ShellConfig, address};

/// A place for a region variant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Socket {
    /// The beginning of the names of its ports on the fabric.
    pub name: String,
    /// Its unit on the configuration bus.
    pub unit: u32,
    /// What fits.
    pub kind: RegionKind,
}

impl Socket {
    /// The fabric's port that belongs to a region's port.
    pub fn port(&self, region_port: &str) -> String {
        let name = &self.name;
        match region_port.strip_suffix("_i") {
            Some(stem) => format!("{name}_{stem}_o"),
            None => format!("{name}_{}_i", region_port.trim_end_matches("_o")),
        }
    }
}

/// All sockets, in the order of their units: parsers, stages, deparsers.
pub fn sockets(config: &ShellConfig) -> Vec<Socket> {
    let socket = |name: String, unit, kind| Socket { name, unit, kind };
    let parsers = (0..config.slots)
        .map(|i| socket(format!("parser{i}"), address::PARSER + i, RegionKind::Parser));
    let stages = (0..config.regions)
        .map(|i| socket(format!("stage{i}"), address::stage(config, i), RegionKind::Stage));
    let deparsers = (0..config.slots).map(|i| {
        socket(format!("deparser{i}"), address::deparser(config, i), RegionKind::Deparser)
    });
    parsers.chain(stages).chain(deparsers).collect()
}

/// What a region of some kind looks like, as a module of a given name.
pub fn region_interface(config: &ShellConfig, kind: RegionKind, name: &str) -> ModuleInterface {
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    for port in ports(kind, config) {
        match port.direction {
            Direction::Input => inputs.push(Port::input(port.name, port.width)),
            Direction::Output => outputs.push(Port::output(port.name, port.width)),
        }
    }
    inputs.extend(outputs);
    ModuleInterface::new(name, inputs)
}
