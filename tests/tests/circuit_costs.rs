//! Typical circuits through yosys: no latches, RAM as RAM, few levels of logic, and costs not far from the
//! circuit builder's estimate.

#![allow(clippy::unwrap_used)] // a test may

use restage_program::Bits;
use restage_program::op::Op;
use restage_program::program::HashAlgorithm;
use restage_program::types::{Type, bit};
use restage_rtl::hash::{Item, hash};
use restage_rtl::op::circuit;
use restage_rtl::pipe::{Latency, MemStyle, Pipe};
use restage_tests::tools::synth::{Luts, synth};
use restage_tests::tools::{Design, yosys};

/// Synthesizes a pipe and compares with the estimate.
fn check(p: Pipe, outputs: &[(&str, restage_rtl::Sig)]) {
    let piped = p.finish(outputs, Latency::Shortest).unwrap_or_else(|f| panic!("{f:#?}"));
    let name = piped.circuit.name();
    let design = Design::new(name, piped.circuit.verilog());
    yosys::check(&design).unwrap();
    let made = synth(&design, Luts::Plain).unwrap();
    let wanted = piped.circuit.resources();
    println!(
        "{name}: {} clocks, {} levels, {} bits of carry; LUT {} ({}), FF {} ({}), RAM {} ({}), DSP {} ({})",
        piped.latency,
        made.worst.luts,
        made.longest_carry,
        made.luts,
        wanted.luts,
        made.registers,
        wanted.ffs,
        made.half_rams,
        wanted.bram18,
        made.dsps,
        wanted.dsp
    );
    assert!(made.worst.luts <= 6, "{name}: {:?}", made.worst);
    assert!(made.longest_carry <= 72, "{name}: {} bits of carry", made.longest_carry);
    assert_eq!(made.half_rams, wanted.bram18, "{name}: block RAM");
    let (found, guess) = (made.luts as f64, wanted.luts as f64);
    // Whole regions are within a quarter; of small circuits yosys may find a better shape.
    assert!(guess < 1.6 * found + 20.0 && guess > 0.5 * found - 20.0, "{name}: {guess}, {found}");
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

fn one(name: &str, op: Op, types: &[Type], constant: Option<u128>) {
    let mut p = Pipe::new(name);
    let (a, b) = inputs(&mut p, types.iter().map(|t| t.width()).max().unwrap());
    let first = p.slice(a, types[0].width() - 1, 0);
    let second = match constant {
        Some(n) => p.bits(&Bits::new(types[1].width(), n)),
        None => p.slice(b, types[1].width() - 1, 0),
    };
    let out = circuit(&mut p, op, &[(types[0], first), (types[1], second)]);
    check(p, &[("out_o", out)]);
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
