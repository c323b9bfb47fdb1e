//! What fits the places for region variants.

use crate::net::{ModuleInterface, Port};
use restage_manifest::ShellConfig;
use restage_manifest::socket::{Direction, RegionKind, ports};

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
