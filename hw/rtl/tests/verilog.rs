//! The Verilog of small circuits, as a person would read it, and that the tools take it.

#![allow(clippy::unwrap_used)] // a test may

mod common;

use common::{folder, lint};
use restage_program::Bits;
use restage_rtl::net::{Drive, MemStyle, Module};
use restage_rtl::pipe::{Latency, Pipe};

/// Takes the circuit's text for the snapshot, once the tools have accepted it.
macro_rules! shown {
    ($circuit:expr) => {{
        let circuit = $circuit;
        lint(&[&circuit], &folder(circuit.name()));
        insta::assert_snapshot!(circuit.name(), circuit.verilog());
    }};
}

#[test]
fn a_counter_with_everything_a_register_can_have() {
    let mut m = Module::new("event_counter");
    let event = m.input("event_i", 1);
    let clear = m.input("clear_i", 1);
    m.section("count");
    let count = m.reg("count", 8);
    let one = m.lit(8, 1);
    let zero = m.lit(8, 0);
    let more = m.add(count.q(), one);
    let next = m.mux(clear, zero, more);
    let touched = m.or(event, clear);
    m.drive(count, next, Drive::when(touched).reset_zero(8));
    let full = m.all(count.q());
    m.output("count_o", count.q());
    m.output_reg("full_o", full);
    shown!(m.finish().unwrap());
}

#[test]
fn logic_of_every_kind() {
    let mut m = Module::new("every_operation");
    let a = m.input("a_i", 8);
    let b = m.input("b_i", 8);
    let sel = m.input("sel_i", 2);
    m.section("bitwise");
    let both = m.and(a, b);
    let either = m.or(a, b);
    let differ = m.xor(both, either);
    m.output_reg("bits_o", differ);
    m.section("arithmetic");
    let sum = m.add(a, b);
    let rest = m.sub(a, b);
    let product = m.mul(a, b);
    let sum = m.named("sum", sum);
    let chosen = m.case(sel, &[(0, sum), (1, rest), (3, a)], b);
    m.output_reg("chosen_o", chosen);
    m.output_reg("product_o", product);
    m.section("comparison");
    let less = m.lt(a, b);
    let same = m.eq(a, b);
    let most = m.le(sum, b);
    let other = m.ne(rest, b);
    let flags = m.concat(&[less, same, most, other]);
    m.output_reg("flags_o", flags);
    m.section("bits");
    let low = m.slice(sum, 3, 0);
    let wide = m.sext(low, 12);
    let (any, all, odd) = (m.any(a), m.all(rest), m.parity(b));
    let reduced = m.concat(&[any, all, odd]);
    m.output_reg("wide_o", wide);
    m.output_reg("reduced_o", reduced);
    let first = m.bit(sel, 0);
    let second = m.bit(sel, 1);
    let picked = m.select(&[(first, a), (second, b)]);
    let inner = m.mux(second, picked, rest);
    let nested = m.mux(first, a, inner);
    m.output_logic("nested_o", nested);
    shown!(m.finish().unwrap());
}

#[test]
fn memories_and_a_rom() {
    let mut m = Module::new("memories");
    let addr = m.input("addr_i", 6);
    let on = m.input("on_i", 1);
    let data = m.input("data_i", 40);
    m.section("a RAM that is written and read");
    let ram = m.memory("slots", 40, 64, MemStyle::Block);
    m.write_port(ram, on, addr, data);
    let high = m.not(addr);
    let one = m.read_port(ram, on, addr, 1);
    let always = m.lit(1, 1);
    let two = m.read_port(ram, always, high, 2);
    m.output("one_o", one);
    m.output("two_o", two);
    m.section("squares");
    let squares: Vec<Bits> = (0..5u128).map(|n| Bits::new(8, n * n)).collect();
    let rom = m.rom("squares", 8, &squares, MemStyle::Auto);
    let low = m.slice(addr, 2, 0);
    let square = m.read_port(rom, always, low, 1);
    m.output("square_o", square);
    shown!(m.finish().unwrap());
}

#[test]
fn a_pipe_delays_what_comes_early() {
    let mut p = Pipe::new("delays");
    let key = p.input("key_i", 48);
    let tag = p.input("tag_i", 8);
    p.section("sum of the tag and a late number");
    let mut number = p.slice(key, 7, 0);
    for _ in 0..6 {
        number = p.register(number);
    }
    let sum = p.add(number, tag);
    let sum = p.named("sum", sum);
    let done = p.finish(&[("sum_o", sum), ("key_o", key)], Latency::Class).unwrap();
    assert_eq!((done.latency, done.needed), (8, 7));
    shown!(done.circuit);
}

#[test]
fn modules_in_modules() {
    let mut m = Module::new("leaf");
    let a = m.input("a_i", 4);
    let inverted = m.not(a);
    m.output_reg("held_o", inverted);
    m.output_logic("now_o", inverted);
    let leaf = m.finish().unwrap();
    let mut m = Module::new("parent");
    let a = m.input("a_i", 4);
    let first = m.instance(leaf.interface(), "u_first", &[("a_i", a)]);
    let now = m.pin(first, "now_o");
    let five = m.lit(4, 5);
    let sum = m.xor(now, five);
    let second = m.instance(leaf.interface(), "u_second", &[("a_i", sum)]);
    let held = m.pin(second, "held_o");
    m.output("held_o", held);
    let parent = m.finish().unwrap();
    lint(&[&leaf, &parent], &folder("parent"));
    insta::assert_snapshot!("parent", parent.verilog());
    insta::assert_snapshot!("leaf_stub", leaf.interface().stub());
}
