//! A module as yosys writes it in JSON: cells and the nets between them.

use super::{Design, ToolError};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A bit of a connection: a net by number, or a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bit {
    /// A net.
    Net(usize),
    /// `0`, `1`, `x` or `z`.
    Constant(char),
}

impl Bit {
    /// The net, if it is one.
    pub fn net(self) -> Option<usize> {
        match self {
            Bit::Net(net) => Some(net),
            Bit::Constant(_) => None,
        }
    }
}

/// An instance of something.
#[derive(Clone, Debug, Deserialize)]
pub struct Cell {
    /// Of what.
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    parameters: BTreeMap<String, Value>,
    /// Left out for cells that yosys has no description of.
    #[serde(default)]
    port_directions: BTreeMap<String, String>,
    connections: BTreeMap<String, Vec<Value>>,
}

impl Cell {
    /// A parameter, written as a string of bits.
    pub fn number(&self, name: &str) -> u64 {
        let text = self.parameters.get(name).and_then(Value::as_str).unwrap_or_default();
        u64::from_str_radix(text, 2).unwrap_or(0)
    }

    /// Bits of a port; none if it is not connected.
    pub fn bits(&self, port: &str) -> Vec<Bit> {
        self.connections.get(port).map(|v| v.iter().map(bit).collect()).unwrap_or_default()
    }

    /// Connected ports of one direction.
    fn ports(&self, direction: &'static str) -> impl Iterator<Item = &str> {
        let is =
            move |port: &&String| self.port_directions.get(*port).is_some_and(|d| d == direction);
        self.connections.keys().filter(is).map(String::as_str)
    }

    /// Connected inputs.
    pub fn inputs(&self) -> impl Iterator<Item = &str> {
        self.ports("input")
    }

    /// Connected outputs.
    pub fn outputs(&self) -> impl Iterator<Item = &str> {
        self.ports("output")
    }
}

#[derive(Clone, Debug, Deserialize)]
struct PortBits {
    direction: String,
    bits: Vec<Value>,
}

#[derive(Clone, Debug, Deserialize)]
struct Name {
    bits: Vec<Value>,
    #[serde(default)]
    hide_name: u8,
}

/// A flat module.
#[derive(Clone, Debug, Deserialize)]
pub struct Netlist {
    ports: BTreeMap<String, PortBits>,
    /// Its cells by name.
    pub cells: BTreeMap<String, Cell>,
    netnames: BTreeMap<String, Name>,
}

#[derive(Deserialize)]
struct File {
    modules: BTreeMap<String, Netlist>,
}

impl Netlist {
    /// Reads what `json` or `write_json` has written, and takes the design's top out of it.
    pub fn read(design: &Design, json: &str) -> Result<Self, ToolError> {
        let wrong =
            |what: String| ToolError::Output { tool: "yosys", top: design.top.clone(), what };
        let mut file: File = serde_json::from_str(json).map_err(|e| wrong(e.to_string()))?;
        file.modules.remove(&design.top).ok_or_else(|| wrong("the module is not in it".into()))
    }

    /// The nets of the module's inputs or outputs.
    pub fn port_nets(&self, direction: &str) -> impl Iterator<Item = usize> {
        let ports = self.ports.values().filter(move |p| p.direction == direction);
        ports.flat_map(|p| &p.bits).filter_map(|b| match bit(b) {
            Bit::Net(net) => Some(net),
            Bit::Constant(_) => None,
        })
    }

    /// Inverters of which only resets of flip-flops are behind: yosys makes one for each, in the card it is a property
    /// of the flip-flop's pin (`IS_R_INVERTED`).
    pub fn inverted_resets(&self) -> BTreeSet<&str> {
        let mut inverters: BTreeMap<usize, &str> = BTreeMap::new();
        for (name, cell) in self.cells.iter().filter(|(_, cell)| cell.kind == "INV") {
            let nets = cell.bits("O").into_iter().filter_map(Bit::net);
            inverters.extend(nets.map(|net| (net, name.as_str())));
        }
        for net in self.port_nets("output") {
            inverters.remove(&net);
        }
        for cell in self.cells.values() {
            for port in cell.inputs() {
                let reset = cell.kind.starts_with("FD") && ["R", "S"].contains(&port);
                for net in cell.bits(port).into_iter().filter_map(Bit::net).filter(|_| !reset) {
                    inverters.remove(&net);
                }
            }
        }
        inverters.into_values().collect()
    }

    /// Names of nets as the Verilog has them, where it has one.
    pub fn names(&self) -> BTreeMap<usize, String> {
        let mut names = BTreeMap::new();
        for (name, Name { bits, hide_name }) in &self.netnames {
            for (i, b) in bits.iter().enumerate() {
                if let (Bit::Net(net), 0) = (bit(b), hide_name) {
                    let text = if bits.len() == 1 { name.clone() } else { format!("{name}[{i}]") };
                    names.entry(net).or_insert(text);
                }
            }
        }
        names
    }
}

fn bit(value: &Value) -> Bit {
    match value {
        Value::Number(n) => Bit::Net(n.as_u64().unwrap_or(0) as usize),
        other => Bit::Constant(other.as_str().and_then(|s| s.chars().next()).unwrap_or('x')),
    }
}
