//! Connecting parts by the names of signals.

use crate::net::{self, Circuit, Module, Net, Wire};
use std::collections::BTreeMap;

/// Signals by name; which may be used before they are driven.
pub(super) struct Wiring<'a> {
    pub m: Module,
    pub parts: &'a [Circuit],
    pub signals: BTreeMap<String, Wire>,
}

impl Wiring<'_> {
    /// A signal. An output of an instance is called after both.
    pub fn get(&mut self, name: &str, width: u32) -> Net {
        if let Some(wire) = self.signals.get(name) {
            return wire.net();
        }
        let wire = self.m.wire(name, width);
        self.signals.insert(name.to_string(), wire);
        wire.net()
    }

    /// Drives a signal.
    pub fn set(&mut self, name: &str, net: Net) {
        let width = self.m.width(net);
        self.get(name, width);
        if let Some(wire) = self.signals.get(name) {
            self.m.assign(*wire, net);
        }
    }

    /// Puts a part in. `inputs`: the signals of its inputs by port; inputs that the part does not have
    /// are left out.
    pub fn put(&mut self, part: &str, name: &str, inputs: &[(&str, &str)]) {
        let Some(part) = self.parts.iter().find(|c| c.name() == part) else {
            return self.m.refuse(format!("there is no part `{part}`"));
        };
        let interface = part.interface().clone();
        let mut nets = Vec::new();
        for port in interface.ports.iter().filter(|p| p.direction == net::Direction::Input) {
            match inputs.iter().find(|i| i.0 == port.name) {
                Some((_, signal)) => nets.push((port.name.as_str(), self.get(signal, port.width))),
                None => self.m.refuse(format!("nothing is said about `{name}.{}`", port.name)),
            }
        }
        let instance = self.m.instance(&interface, &format!("u_{name}"), &nets);
        for port in interface.ports.iter().filter(|p| p.direction == net::Direction::Output) {
            let pin = self.m.pin(instance, &port.name);
            self.set(&format!("{name}_{}", port.name.trim_end_matches("_o")), pin);
        }
    }

    /// A port in, as a signal of the same name.
    pub fn input(&mut self, name: &str, width: u32) {
        let net = self.m.input(name, width);
        self.set(&format!("in_{name}"), net);
    }

    /// A port out, driven by a signal.
    pub fn output(&mut self, name: &str, signal: &str, width: u32) {
        let net = self.get(signal, width);
        self.m.output_logic(name, net);
    }
}
