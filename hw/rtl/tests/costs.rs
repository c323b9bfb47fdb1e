//! What modules are thought to cost, on circuits small enough to count by hand.

#![allow(clippy::unwrap_used)] // a test may

use restage_program::Bits;
use restage_rtl::net::{Drive, MemStyle, Module, Net, Resources};

/// A module with an input of some bits; what `build` makes of it is registered.
fn cost(bits: u32, build: impl FnOnce(&mut Module, Net) -> Net) -> Resources {
    let mut m = Module::new("cost");
    let input = m.input("a_i", bits);
    let made = build(&mut m, input);
    m.output_reg("q_o", made);
    m.finish().unwrap().resources()
}

#[test]
fn logic_is_packed_into_tables_of_six_inputs() {
    assert_eq!(cost(6, |m, a| m.parity(a)).luts, 1);
    assert_eq!(cost(11, |m, a| m.parity(a)).luts, 2);
    assert_eq!(cost(36, |m, a| m.any(a)).luts, 7);
    // A choice of four takes six inputs, one of two takes three.
    let choice = |m: &mut Module, a: Net| {
        let [s, t, x, y, z, w] = [5, 4, 3, 2, 1, 0].map(|i| m.slice(a, i, i));
        let (low, high) = (m.mux(s, x, y), m.mux(s, z, w));
        m.mux(t, low, high)
    };
    assert_eq!(cost(6, choice), Resources { luts: 1, ffs: 1, ..Resources::default() });
    // What is used twice is made once.
    let shared = |m: &mut Module, a: Net| {
        let parity = m.parity(a);
        let [x, y] = [0, 1].map(|i| m.slice(a, i, i));
        let (x, y) = (m.and(parity, x), m.and(parity, y));
        m.concat(&[x, y])
    };
    assert!(cost(16, shared).luts <= cost(16, |m, a| m.parity(a)).luts + 2);
}

#[test]
fn what_is_constant_or_unused_is_free() {
    let padded = |m: &mut Module, a: Net| {
        let wide = m.zext(a, 512);
        let late = m.delay(wide, 9);
        m.not(late)
    };
    // An inverter in front of each register of which the input moves.
    let found = cost(8, padded);
    assert_eq!((found.luts, found.ffs), (8 + 8, 8 + 8), "{found:?}");
    let cut = |m: &mut Module, a: Net| {
        let sum = m.add(a, a);
        let held = m.delay(sum, 1);
        m.slice(held, 7, 0)
    };
    assert!(cost(64, cut).ffs <= 16);
}

#[test]
fn a_choice_of_zero_is_the_reset_of_a_register() {
    let gated = |m: &mut Module, a: Net| {
        let value = m.slice(a, 31, 0);
        let zero = m.lit(32, 0);
        let other = m.slice(a, 40, 33);
        let all = m.all(other);
        m.mux(all, zero, value)
    };
    assert!(cost(41, gated).luts <= 2 + 32);
    let enabled = |m: &mut Module, a: Net| {
        let (on, value) = (m.slice(a, 32, 32), m.slice(a, 31, 0));
        let held = m.reg("held", 32);
        m.drive(held, value, Drive::when(on).reset_zero(32));
        held.q()
    };
    assert_eq!(cost(33, enabled).luts, 0);
}

#[test]
fn carry_chains_take_a_table_for_each_bit_that_moves() {
    let sum = |m: &mut Module, a: Net| {
        let (x, y) = (m.slice(a, 31, 0), m.slice(a, 63, 32));
        m.add(x, y)
    };
    assert_eq!(cost(64, sum).luts, 32);
    let count = |m: &mut Module, a: Net| {
        let one = m.lit(32, 1);
        m.add(a, one)
    };
    // Only the bit to which one is added is inverted.
    assert_eq!(cost(32, count).luts, 1);
    let less = |m: &mut Module, a: Net| {
        let (x, y) = (m.slice(a, 31, 0), m.slice(a, 63, 32));
        m.lt(x, y)
    };
    assert_eq!(cost(64, less).luts, 2 * 11);
}

#[test]
fn memories_are_what_they_are_made_of() {
    let ram = |width: u32, depth: u32, style: MemStyle| {
        cost(160, |m, a| {
            let memory = m.memory("slots", width, depth, style);
            let bits = memory.addr_width();
            let (on, read) = (m.slice(a, 159, 159), m.slice(a, bits - 1, 0));
            let (write, data) = (m.slice(a, bits + 19, 20), m.slice(a, width + 39, 40));
            m.write_port(memory, on, write, data);
            let one = m.lit(1, 1);
            m.read_port(memory, one, read, 1)
        })
    };
    assert_eq!(ram(28, 32, MemStyle::Auto).luts, 16);
    assert_eq!(ram(28, 64, MemStyle::Distributed).luts, 32);
    assert_eq!(ram(64, 64, MemStyle::Block).bram18, 2);
    assert_eq!(ram(36, 512, MemStyle::Auto).bram18, 1);
    // As yosys maps them.
    for (width, depth, halves) in [
        (2, 2304, 1),
        (18, 2304, 3),
        (22, 2304, 4),
        (36, 2304, 5),
        (37, 2304, 7),
        (54, 2304, 8),
        (58, 2304, 9),
        (72, 2304, 10),
        (58, 2048, 7),
        (58, 2560, 9),
        (100, 1500, 9),
        (30, 5000, 10),
    ] {
        assert_eq!(ram(width, depth, MemStyle::Auto).bram18, halves, "{width} x {depth}");
    }
    let table: Vec<Bits> = (0..64_u32).map(|n| Bits::new(8, u128::from(n * n % 251))).collect();
    let rom = cost(6, |m, a| {
        let memory = m.rom("squares", 8, &table, MemStyle::Auto);
        let one = m.lit(1, 1);
        m.read_port(memory, one, a, 1)
    });
    assert_eq!((rom.luts, rom.bram18), (8, 0));
}
