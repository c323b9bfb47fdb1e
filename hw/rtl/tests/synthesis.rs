//! Typical circuits through yosys: no latches, RAM as RAM, few levels of logic, and costs near the
//! estimate.

#![allow(clippy::unwrap_used)] // a test may

mod common;

use common::{folder, run, write};
use restage_program::Bits;
use restage_program::op::Op;
use restage_program::program::HashAlgorithm;
use restage_program::types::{Type, bit};
use restage_rtl::Circuit;
use restage_rtl::hash::{Item, hash};
use restage_rtl::op::circuit;
use restage_rtl::pipe::{Latency, MemStyle, Pipe};
use serde_json::Value;
use std::collections::HashMap;
use std::process::Command;

/// What yosys made of a circuit.
#[derive(Debug)]
struct Made {
    cells: HashMap<String, u64>,
    /// Lookup tables between registers or ports, at most.
    levels: u32,
}

impl Made {
    fn count(&self, prefix: &str) -> u64 {
        self.cells.iter().filter(|(kind, _)| kind.starts_with(prefix)).map(|(_, n)| n).sum()
    }
}

fn synthesize(circuit: &Circuit) -> Made {
    let folder = folder(circuit.name());
    let file = write(circuit, &folder);
    let json = folder.join("netlist.json");
    let name = circuit.name();
    let script = format!(
        "read_verilog {}; hierarchy -check -top {name}; proc; check -assert; \
         select -assert-none t:$dlatch t:$adlatch t:$dlatchsr; \
         synth_xilinx -family xcup -flatten -noiopad -noclkbuf -top {name}; write_json {}",
        file.display(),
        json.display()
    );
    run(Command::new("yosys").args(["-q", "-p", &script]));
    let netlist: Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    let module = &netlist["modules"][name];
    let mut cells = HashMap::new();
    // Who drives a net: a lookup table or other logic, and from which nets.
    let mut drivers: HashMap<u64, (bool, Vec<u64>)> = HashMap::new();
    let mut ends = Vec::new();
    for cell in module["cells"].as_object().unwrap().values() {
        let kind = cell["type"].as_str().unwrap();
        *cells.entry(kind.to_string()).or_insert(0) += 1;
        let (mut ins, mut outs) = (Vec::new(), Vec::new());
        for (port, bits) in cell["connections"].as_object().unwrap() {
            let bits = bits.as_array().unwrap().iter().filter_map(Value::as_u64);
            match cell["port_directions"][port].as_str() {
                Some("output") => outs.extend(bits),
                _ => ins.extend(bits),
            }
        }
        let clocked = ["FD", "RAM", "SRL", "DSP"].iter().any(|k| kind.starts_with(k));
        if clocked {
            ends.extend(ins);
            continue;
        }
        let table = kind.starts_with("LUT") || kind == "INV";
        for out in outs {
            drivers.insert(out, (table, ins.clone()));
        }
    }
    let mut known = HashMap::new();
    let levels = ends.into_iter().map(|net| depth(net, &drivers, &mut known)).max().unwrap_or(0);
    Made { cells, levels }
}

fn depth(net: u64, drivers: &HashMap<u64, (bool, Vec<u64>)>, known: &mut HashMap<u64, u32>) -> u32 {
    if let Some(depth) = known.get(&net) {
        return *depth;
    }
    let Some((table, ins)) = drivers.get(&net) else { return 0 };
    // Carry chains are long but not loops.
    let before = ins.iter().map(|net| depth(*net, drivers, known)).max().unwrap_or(0);
    known.insert(net, before + u32::from(*table));
    before + u32::from(*table)
}

/// Synthesizes a pipe and compares with the estimate.
fn check(p: Pipe, outputs: &[(&str, restage_rtl::Sig)]) -> Made {
    let piped = p.finish(outputs, Latency::Shortest).unwrap_or_else(|f| panic!("{f:#?}"));
    let made = synthesize(&piped.circuit);
    let wanted = piped.circuit.resources();
    let name = piped.circuit.name();
    let tables = made.count("LUT") + made.count("SRL") + lut_rams(&made);
    let (ffs, dsp) = (made.count("FD"), made.count("DSP"));
    let bram = made.count("RAMB18") + 2 * made.count("RAMB36");
    println!(
        "{name}: {} clocks, {} levels; LUT {tables} ({}), FF {ffs} ({}), RAMB18 {bram} ({}), DSP {dsp} ({})",
        piped.latency, made.levels, wanted.luts, wanted.ffs, wanted.bram18, wanted.dsp
    );
    println!("    {:?}", made.cells);
    assert!(made.levels <= 6, "{name}: {} levels", made.levels);
    assert_eq!(bram, wanted.bram18, "{name}: block RAM");
    made
}

/// Lookup tables that are RAM.
fn lut_rams(made: &Made) -> u64 {
    let of = |kind: &str| made.cells.get(kind).copied().unwrap_or(0);
    8 * (of("RAM32M16") + of("RAM64M8")) + 4 * (of("RAM32M") + of("RAM64M"))
}

fn inputs(p: &mut Pipe, width: u32) -> (restage_rtl::Sig, restage_rtl::Sig) {
    // Registered, so that the first logic is between registers too.
    let (a, b) = (p.input("a_i", width), p.input("b_i", width));
    (p.register(a), p.register(b))
}

#[test]
fn hashes() {
    let mut p = Pipe::new("synth_crc32");
    let (a, b) = inputs(&mut p, 104);
    let on = p.bit(b, 0);
    let (addresses, ports) = (p.slice(a, 103, 32), p.slice(a, 31, 0));
    let items = [Item::new(addresses), Item::when(ports, on)];
    let out = hash(&mut p, HashAlgorithm::Crc32, &items, None);
    check(p, &[("out_o", out)]);

    let mut p = Pipe::new("synth_csum16");
    let (a, b) = inputs(&mut p, 160);
    let on = p.bit(b, 0);
    let items = [Item::new(a), Item::when(b, on)];
    let out = hash(&mut p, HashAlgorithm::Csum16, &items, None);
    check(p, &[("out_o", out)]);
}

fn one(name: &str, op: Op, types: &[Type], constant: Option<u128>) -> Made {
    let mut p = Pipe::new(name);
    let (a, b) = inputs(&mut p, types.iter().map(|t| t.width()).max().unwrap());
    let first = p.slice(a, types[0].width() - 1, 0);
    let second = match constant {
        Some(n) => p.bits(&Bits::new(types[1].width(), n)),
        None => p.slice(b, types[1].width() - 1, 0),
    };
    let out = circuit(&mut p, op, &[(types[0], first), (types[1], second)]);
    check(p, &[("out_o", out)])
}

#[test]
fn operations() {
    one("synth_add_128", Op::Add, &[bit(128), bit(128)], None);
    one("synth_less_128", Op::Lt, &[bit(128), bit(128)], None);
    one("synth_equal_512", Op::Eq, &[bit(512), bit(512)], None);
    one("synth_shift_128", Op::Shl, &[bit(128), bit(8)], None);
    one("synth_saturate_32", Op::SatSub, &[bit(32), bit(32)], None);
    one("synth_product_32", Op::Mul, &[bit(32), bit(32)], None);
    one("synth_modulo_1000", Op::Mod, &[bit(32), bit(32)], Some(1000));
    one("synth_modulo_16", Op::Mod, &[bit(16), bit(16)], None);
}

#[test]
fn memories_and_delays() {
    let mut p = Pipe::new("synth_memories");
    let (a, b) = inputs(&mut p, 72);
    let write = p.bit(b, 71);
    let mut parts = Vec::new();
    for (index, (width, depth, style)) in [
        (40, 512, MemStyle::Auto),
        (72, 512, MemStyle::Block),
        (20, 1024, MemStyle::Auto),
        (9, 4096, MemStyle::Auto),
        (30, 64, MemStyle::Distributed),
    ]
    .into_iter()
    .enumerate()
    {
        let m = p.module().memory(&format!("ram{index}"), width, depth, style);
        let addr = p.slice(b, m.addr_width() - 1, 0);
        let read = p.slice(b, m.addr_width() + 19, 20);
        let data = p.slice(a, width - 1, 0);
        p.module().write_port(m, write.net(), addr.net(), data.net());
        parts.push(p.ram_read(m, read));
    }
    let mut late = p.slice(a, 0, 0);
    for _ in 0..20 {
        late = p.register(late);
    }
    let narrow = p.slice(a, 8, 1);
    parts.extend([late, a, narrow]);
    let all = p.concat(&parts);
    check(p, &[("out_o", all)]);
}

#[test]
fn a_choice_among_many() {
    let mut p = Pipe::new("synth_case");
    let (a, b) = inputs(&mut p, 1024);
    let sel = p.slice(b, 4, 0);
    let arms: Vec<_> =
        (0..31).map(|n| (n, p.slice(a, 32 * n as u32 + 31, 32 * n as u32))).collect();
    let default = p.slice(b, 63, 32);
    let out = p.case(sel, &arms, default);
    let hits: Vec<_> =
        (0..32).map(|n| (p.bit(b, 100 + n), p.slice(a, 32 * n + 31, 32 * n))).collect();
    let picked = p.select(&hits);
    check(p, &[("out_o", out), ("picked_o", picked)]);
}
