//! How many LUTs lie between two registers.
//!
//! A path begins at a register, a RAM's output or an input of the module, and ends at one of those or at an
//! output. It is as long as the LUTs on it; multiplexers behind LUTs and carry chains are far quicker and
//! counted apart. A small RAM that is read without a clock counts as a LUT from its address to its data, and
//! so does a shift register whose length is a signal.

use super::netlist::{Bit, Cell, Netlist};
use super::synth::{constant, is_lut, ram_luts};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// A path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Path {
    /// LUTs on it.
    pub luts: u32,
    /// Multiplexers behind LUTs on it.
    pub muxf: u32,
    /// Bits of carry chains on it, whole cells.
    pub carry: u32,
    /// Multipliers on it.
    pub dsps: u32,
    /// The named signals that it passes, from its beginning.
    pub through: Vec<String>,
}

/// What is known of all paths.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    /// The one with most LUTs; among those, the one with most of everything else.
    pub worst: Path,
    /// Bits of the longest carry chain.
    pub longest_carry: u64,
}

/// What a path is made longer by.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Lut,
    /// A LUT; behind another one it is a copy of that with the opposite contents, and no level.
    Inverter,
    /// A small RAM, as long as a LUT.
    Ram,
    Mux,
    Carry(u32),
    Dsp,
}

/// How long the longest path up to a net is: LUTs, carry bits, multiplexers, multipliers; the order decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Length {
    luts: u32,
    dsps: u32,
    carry: u32,
    muxf: u32,
}

impl Length {
    fn plus(mut self, kind: Kind) -> Self {
        match kind {
            Kind::Lut | Kind::Inverter | Kind::Ram => self.luts += 1,
            Kind::Mux => self.muxf += 1,
            Kind::Carry(bits) => self.carry += bits,
            Kind::Dsp => self.dsps += 1,
        }
        self
    }
}

/// A net that a cell drives without a clock, and the nets that it depends on.
#[derive(Clone, Debug)]
struct Node {
    kind: Kind,
    from: Vec<usize>,
}

/// The paths of a module. It is an error if there is a loop without a register.
pub fn paths(netlist: &Netlist) -> Result<Paths, String> {
    let mut nodes: HashMap<usize, Node> = HashMap::new();
    let mut ends: Vec<usize> = netlist.port_nets("output").collect();
    let mut chains = Chains::default();
    for cell in netlist.cells.values() {
        collect(cell, &mut nodes, &mut ends);
        chains.add(cell);
    }
    let lengths = lengths(&nodes)?;
    let worst = ends
        .iter()
        .filter_map(|net| lengths.get(net).map(|(length, _)| (*length, *net)))
        .max()
        .map(|(length, net)| (length, trace(net, &lengths)))
        .unwrap_or_default();
    let names = netlist.names();
    let (Length { luts, dsps, carry, muxf }, nets) = worst;
    let through = nets.iter().filter_map(|net| names.get(net).cloned()).collect();
    Ok(Paths { worst: Path { luts, muxf, carry, dsps, through }, longest_carry: chains.longest() })
}

/// Enters what a cell drives, and what ends in it.
fn collect(cell: &Cell, nodes: &mut HashMap<usize, Node>, ends: &mut Vec<usize>) {
    let kind = cell.kind.as_str();
    let nets = |port: &str| cell.bits(port).into_iter().filter_map(Bit::net);
    let all_inputs = || cell.inputs().flat_map(nets).collect::<Vec<_>>();
    let mut drive = |port: &str, kind: Kind, from: Vec<usize>| {
        for net in nets(port) {
            nodes.insert(net, Node { kind, from: from.clone() });
        }
    };
    if is_lut(kind) || kind == "INV" {
        let kind = if kind == "INV" { Kind::Inverter } else { Kind::Lut };
        drive("O", kind, all_inputs());
        return;
    } else if kind.starts_with("MUXF") {
        drive("O", Kind::Mux, all_inputs());
        return;
    } else if kind.starts_with("CARRY") {
        let [di, s] = ["DI", "S"].map(|port| cell.bits(port));
        let mut from: Vec<usize> = ["CI", "CYINIT", "CI_TOP"].into_iter().flat_map(nets).collect();
        let outputs = ["O", "CO"].map(|port| cell.bits(port));
        for bit in 0..s.len() {
            let at = |bits: &[Bit]| match bits.get(bit) {
                Some(Bit::Net(net)) => Some(*net),
                _ => None,
            };
            from.extend([at(&di), at(&s)].into_iter().flatten());
            for net in outputs.iter().filter_map(|bits| at(bits)) {
                nodes.insert(net, Node { kind: Kind::Carry(s.len() as u32), from: from.clone() });
            }
        }
        return;
    } else if ram_luts(kind).is_some() {
        // `ADDRA` is for `DOA`, `DPRA` for `DPO`, `A` for `SPO` and `O`.
        for output in cell.outputs() {
            let addresses = cell.inputs().filter(|input| match output.strip_prefix("DO") {
                Some(letter) => input.strip_prefix("ADDR") == Some(letter),
                None if output == "DPO" => input.starts_with("DPRA"),
                None => input.starts_with('A'),
            });
            drive(output, Kind::Ram, addresses.flat_map(nets).collect());
        }
    } else if kind.starts_with("SRL") {
        let addresses: Vec<&str> = cell.inputs().filter(|p| p.starts_with('A')).collect();
        if addresses.iter().any(|a| !constant(cell, a)) {
            drive("Q", Kind::Ram, addresses.iter().flat_map(|a| nets(a)).collect());
        }
    } else if kind == "DSP48E2"
        && ["AREG", "BREG", "MREG", "PREG"].iter().all(|r| cell.number(r) == 0)
    {
        for output in cell.outputs() {
            drive(output, Kind::Dsp, all_inputs());
        }
        return;
    }
    // The address of a RAM ends here as well, for it may be what a write needs; the way through is longer.
    ends.extend(all_inputs());
}

/// The longest path to every net that is driven without a clock, and the net that it came from.
type Lengths = HashMap<usize, (Length, usize)>;

fn lengths(nodes: &HashMap<usize, Node>) -> Result<Lengths, String> {
    let mut done: Lengths = HashMap::new();
    let mut open: HashMap<usize, ()> = HashMap::new();
    let mut starts: Vec<usize> = nodes.keys().copied().collect();
    starts.sort_unstable();
    for start in starts {
        let mut stack = vec![start];
        while let Some(net) = stack.last().copied() {
            let Some(node) = nodes.get(&net).filter(|_| !done.contains_key(&net)) else {
                stack.pop();
                continue;
            };
            let waits = |from: &&usize| nodes.contains_key(*from) && !done.contains_key(*from);
            if open.insert(net, ()).is_none() {
                let before = stack.len();
                stack.extend(node.from.iter().filter(waits));
                if stack.len() > before {
                    continue;
                }
            } else if let Some(loops) = node.from.iter().find(waits) {
                return Err(format!("a loop without a register through net {loops}"));
            }
            let reach = |from: &usize| done.get(from).map_or(Length::default(), |d| d.0);
            let longest = node.from.iter().map(|from| (reach(from), *from)).max();
            let (length, from) = longest.unwrap_or_default();
            let copied = matches!(node.kind, Kind::Inverter)
                && nodes.get(&from).is_some_and(|n| matches!(n.kind, Kind::Lut));
            done.insert(net, (if copied { length } else { length.plus(node.kind) }, from));
            stack.pop();
        }
    }
    Ok(done)
}

/// The nets of the longest path to a net, from its beginning.
fn trace(end: usize, lengths: &Lengths) -> Vec<usize> {
    let mut nets = vec![end];
    let mut net = end;
    while let Some((_, from)) = lengths.get(&net) {
        net = *from;
        nets.push(net);
    }
    nets.reverse();
    nets
}

/// Carry chains: to each carry output the carry input of its cell, and the bits between.
#[derive(Debug, Default)]
struct Chains {
    outputs: HashMap<usize, (Option<usize>, u64)>,
    cells: Vec<(Option<usize>, u64)>,
}

impl Chains {
    fn add(&mut self, cell: &Cell) {
        if !cell.kind.starts_with("CARRY") {
            return;
        }
        let net = |bit: &Bit| bit.net();
        let before = cell.bits("CI").first().and_then(net);
        self.cells.push((before, cell.bits("S").len() as u64));
        for (bits, output) in (1..).zip(cell.bits("CO")) {
            if let Some(output) = net(&output) {
                self.outputs.insert(output, (before, bits));
            }
        }
    }

    /// Bits of the longest one.
    fn longest(&self) -> u64 {
        let length = |(mut before, mut bits): (Option<usize>, u64)| {
            // No chain has more cells than there are: damaged input must not run for ever.
            for _ in 0..self.cells.len() {
                let Some((next, own)) = before.and_then(|net| self.outputs.get(&net)) else {
                    break;
                };
                bits += own;
                before = *next;
            }
            bits
        };
        self.cells.iter().map(|cell| length(*cell)).max().unwrap_or(0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test may
mod tests {
    use super::*;
    use crate::tools::Design;
    use serde_json::{Value, json};

    type Ports<'a> = &'a [Port<'a>];
    type Port<'a> = (&'a str, &'a [u32]);
    type Described<'a> = (&'a str, Ports<'a>, Ports<'a>);

    /// A netlist of cells: kind, and nets of its inputs and outputs. Nets below 100 are inputs of the
    /// module, those from 900 on its outputs.
    fn netlist(cells: &[Described]) -> Netlist {
        let mut all = serde_json::Map::new();
        for (i, (kind, inputs, outputs)) in cells.iter().enumerate() {
            let names = |ports: &[(&str, &[u32])], d: &str| -> serde_json::Map<String, Value> {
                ports.iter().map(|p| (p.0.to_string(), json!(d))).collect()
            };
            let mut directions = names(inputs, "input");
            directions.extend(names(outputs, "output"));
            let connections: serde_json::Map<String, Value> =
                inputs.iter().chain(*outputs).map(|p| (p.0.to_string(), json!(p.1))).collect();
            all.insert(
                format!("c{i}"),
                json!({"type": kind, "port_directions": directions, "connections": connections}),
            );
        }
        let module = json!({
            "ports": {"q_o": {"direction": "output", "bits": [900, 901]}},
            "cells": all,
            "netnames": {"a_i": {"bits": [2]}, "mid": {"bits": [101, 102]}, "q_o": {"bits": [900, 901]}},
        });
        let file = json!({"modules": {"m": module}}).to_string();
        Netlist::read(&Design::new("m", ""), &file).unwrap()
    }

    fn worst(cells: &[Described]) -> (u32, u32, u32) {
        let worst = paths(&netlist(cells)).unwrap().worst;
        (worst.luts, worst.muxf, worst.carry)
    }

    #[test]
    fn luts_are_counted_from_register_to_register() {
        let found = paths(&netlist(&[
            ("LUT2", &[("I0", &[1]), ("I1", &[2])], &[("O", &[101])]),
            ("LUT1", &[("I0", &[101])], &[("O", &[102])]),
            ("MUXF7", &[("I0", &[102]), ("I1", &[1]), ("S", &[2])], &[("O", &[103])]),
            ("FDRE", &[("D", &[103]), ("CE", &[3]), ("C", &[4])], &[("Q", &[200])]),
            ("INV", &[("I", &[200])], &[("O", &[900])]),
        ]))
        .unwrap()
        .worst;
        assert_eq!((found.luts, found.muxf, found.carry), (2, 1, 0));
        assert_eq!(found.through, ["a_i", "mid[0]", "mid[1]"]);
        assert_eq!(worst(&[("FDRE", &[("D", &[1]), ("C", &[2])], &[("Q", &[900])])]), (0, 0, 0));
        // An inverter behind a LUT is a copy of it.
        let lut = ("LUT1", &[("I0", &[2u32][..])][..], &[("O", &[101u32][..])][..]);
        let inverter = ("INV", &[("I", &[101u32][..])][..], &[("O", &[900u32][..])][..]);
        assert_eq!(worst(&[lut, inverter]), (1, 0, 0));
        // What nothing needs is no path.
        assert_eq!(worst(&[("LUT1", &[("I0", &[1])], &[("O", &[300])])]), (0, 0, 0));
    }

    #[test]
    fn chains_are_counted_by_their_bits() {
        let carry =
            |cin: &'static [u32], s: &'static [u32], co: &'static [u32], o: &'static [u32]| {
                let inputs: &[(&str, &[u32])] = Box::leak(Box::new([("CI", cin), ("S", s)]));
                let outputs: &[(&str, &[u32])] = Box::leak(Box::new([("CO", co), ("O", o)]));
                ("CARRY4", inputs, outputs)
            };
        let cells = [
            ("LUT1", &[("I0", &[1u32][..])][..], &[("O", &[101u32][..])][..]),
            carry(&[], &[101, 2, 3, 4], &[110, 111, 112, 113], &[114, 115, 116, 117]),
            carry(&[113], &[5, 6, 7, 8], &[120, 121, 122, 123], &[124, 125, 126, 900]),
        ];
        let found = paths(&netlist(&cells)).unwrap();
        assert_eq!((found.worst.luts, found.worst.carry, found.longest_carry), (1, 8, 8));
        // A carry does not go down: the first sum does not wait for the last bit.
        let cells = [
            ("LUT1", &[("I0", &[1u32][..])][..], &[("O", &[101u32][..])][..]),
            carry(&[], &[2, 3, 4, 101], &[110, 111, 112, 113], &[900, 115, 116, 117]),
        ];
        assert_eq!(worst(&cells), (0, 0, 4));
    }

    #[test]
    fn memories_begin_and_end_paths_or_are_on_them() {
        let lut = ("LUT1", &[("I0", &[1u32][..])][..], &[("O", &[101u32][..])][..]);
        let ram: Described = (
            "RAM32M",
            &[("ADDRA", &[101]), ("ADDRB", &[2]), ("DIA", &[3]), ("WCLK", &[4])],
            &[("DOA", &[900]), ("DOB", &[901])],
        );
        assert_eq!(worst(&[lut, ram]), (2, 0, 0));
        let other: Described =
            ("RAM32M", &[("ADDRA", &[2]), ("DIA", &[101]), ("WCLK", &[4])], &[("DOA", &[900])]);
        assert_eq!(worst(&[lut, other]), (1, 0, 0));
        let block: Described = ("RAMB36E2", &[("ADDRARDADDR", &[101])], &[("DOUTADOUT", &[900])]);
        assert_eq!(worst(&[lut, block]), (1, 0, 0));
        // A shift register is one in front of its output, unless its length is a signal.
        let shift: Described = ("SRL16E", &[("D", &[101])], &[("Q", &[900])]);
        assert_eq!(worst(&[lut, shift]), (1, 0, 0));
        let shift: Described = ("SRL16E", &[("A0", &[101]), ("D", &[2])], &[("Q", &[900])]);
        assert_eq!(worst(&[lut, shift]), (2, 0, 0));
    }

    #[test]
    fn loops_are_refused_and_deep_circuits_are_not() {
        let text = paths(&netlist(&[
            ("LUT2", &[("I0", &[1]), ("I1", &[102])], &[("O", &[101])]),
            ("LUT1", &[("I0", &[101])], &[("O", &[102])]),
        ]))
        .unwrap_err();
        assert!(text.contains("loop"), "{text}");
        let nets: Vec<[u32; 2]> = (0..20_000).map(|i| [1000 + i, 1001 + i]).collect();
        let ports: Vec<[[Port; 1]; 2]> = nets
            .iter()
            .map(|[a, b]| [[("I0", std::slice::from_ref(a))], [("O", std::slice::from_ref(b))]])
            .collect();
        let mut cells: Vec<Described> =
            ports.iter().map(|[i, o]| ("LUT1", &i[..], &o[..])).collect();
        cells.push(("LUT1", &[("I0", &[21_000])], &[("O", &[900])]));
        assert_eq!(worst(&cells).0, 20_001);
    }
}
