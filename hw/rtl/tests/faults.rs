//! Every check of the builder, triggered.

#![allow(clippy::unwrap_used)] // a test may

use restage_program::Bits;
use restage_rtl::net::{Drive, FaultKind, MemStyle, Module, ModuleInterface, Port};
use restage_rtl::pipe::{Latency, Pipe};

/// Builds a module that must be refused; the kinds of what was found.
fn faults(build: impl FnOnce(&mut Module)) -> Vec<FaultKind> {
    let mut m = Module::new("wrong");
    m.section("the wrong part");
    build(&mut m);
    let faults = m.finish().unwrap_err();
    for fault in &faults {
        assert_eq!(fault.module, "wrong");
        assert!(!fault.to_string().is_empty());
    }
    faults.into_iter().map(|f| f.kind).collect()
}

/// The first fault is the cause: one mistake must not be reported many times.
macro_rules! refused {
    ($build:expr, $($kind:pat),+) => {{
        let found = faults($build);
        let mut rest = found.iter();
        $(assert!(matches!(rest.next(), Some($kind)), "{found:?}");)+
        assert!(rest.next().is_none(), "{found:?}");
    }};
}

#[test]
fn operands_must_fit() {
    refused!(
        |m| {
            let (a, b) = (m.input("a_i", 8), m.input("b_i", 7));
            let sum = m.add(a, b);
            // Follows from the first and is no second fault.
            let more = m.and(sum, a);
            m.output_reg("sum_o", more);
        },
        FaultKind::Widths { what: "add", left: 8, right: 7 }
    );
    refused!(
        |m| {
            let (a, b) = (m.input("a_i", 8), m.input("b_i", 8));
            m.mux(a, a, b);
        },
        FaultKind::NotOneBit { what: "mux", width: 8 }
    );
    refused!(
        |m| {
            let a = m.input("a_i", 8);
            m.slice(a, 8, 0);
            m.slice(a, 0, 1);
            m.zext(a, 7);
        },
        FaultKind::Slice { hi: 8, lo: 0, width: 8 },
        FaultKind::Slice { hi: 0, lo: 1, width: 8 },
        FaultKind::Extend { width: 8, to: 7 }
    );
    refused!(
        |m| {
            m.lit(4, 16);
            m.input("none_i", 0);
            m.concat(&[]);
            m.or_all(&[]);
        },
        FaultKind::Literal { value: 16, width: 4 },
        FaultKind::NoWidth { .. },
        FaultKind::Empty { what: "concat" },
        FaultKind::Empty { what: "or" }
    );
    refused!(
        |m| {
            let (a, sel) = (m.input("a_i", 8), m.input("sel_i", 2));
            let narrow = m.slice(a, 3, 0);
            m.case(sel, &[(0, a), (0, narrow)], a);
        },
        FaultKind::Widths { what: "case", .. }
    );
    refused!(
        |m| {
            let (a, sel) = (m.input("a_i", 8), m.input("sel_i", 2));
            m.case(sel, &[(1, a), (1, a)], a);
        },
        FaultKind::DrivenTwice { .. }
    );
}

#[test]
fn everything_is_driven_once() {
    refused!(
        |m| {
            let r = m.reg("idle", 4);
            m.output("idle_o", r.q());
        },
        FaultKind::NeverDriven { .. }
    );
    refused!(
        |m| {
            let w = m.wire("loose", 4);
            m.output_reg("loose_o", w.net());
        },
        FaultKind::NeverDriven { .. }
    );
    refused!(
        |m| {
            let a = m.input("a_i", 4);
            let (r, w) = (m.reg("r", 4), m.wire("w", 4));
            m.drive(r, a, Drive::always());
            m.drive(r, a, Drive::always());
            m.assign(w, a);
            m.assign(w, a);
            m.output("r_o", r.q());
        },
        FaultKind::DrivenTwice { .. },
        FaultKind::DrivenTwice { .. }
    );
    refused!(
        |m| {
            let a = m.input("a_i", 5);
            let r = m.reg("r", 4);
            m.drive(r, a, Drive::when(a).reset(Bits::zero(3)));
            m.output("r_o", r.q());
        },
        FaultKind::NotOneBit { .. },
        FaultKind::Widths { what: "drive", left: 4, right: 5 },
        FaultKind::Widths { what: "drive", left: 4, right: 3 }
    );
}

#[test]
fn loops_need_a_register() {
    let mut m = Module::new("loops");
    let a = m.input("a_i", 4);
    let w = m.wire("around", 4);
    let next = m.add(w.net(), a);
    m.assign(w, next);
    m.output_reg("sum_o", w.net());
    let faults = m.finish().unwrap_err();
    assert!(faults[0].to_string().contains("around"), "{}", faults[0]);
    assert!(matches!(&faults[0].kind, FaultKind::Loop { .. }));

    // The same through a module whose output is logic.
    let mut m = Module::new("through");
    let a = m.input("a_i", 1);
    let b = m.input("b_i", 1);
    let both = m.and(a, b);
    m.output_logic("both_o", both);
    let inner = m.finish().unwrap();
    let mut m = Module::new("outer");
    let w = m.wire("w", 1);
    let b = m.input("b_i", 1);
    let u = m.instance(inner.interface(), "u_inner", &[("a_i", w.net()), ("b_i", b)]);
    let both = m.pin(u, "both_o");
    m.assign(w, both);
    m.output_reg("both_o", both);
    let faults = m.finish().unwrap_err();
    assert!(matches!(&faults[0].kind, FaultKind::Loop { .. }), "{faults:?}");
}

#[test]
fn outputs_are_registered() {
    refused!(
        |m| {
            let a = m.input("a_i", 4);
            let inverted = m.not(a);
            m.output("a_o", inverted);
        },
        FaultKind::Unregistered { .. }
    );
    refused!(
        |m| {
            let a = m.input("a_i", 4);
            m.output("a_o", a);
        },
        FaultKind::Unregistered { .. }
    );
    // Bits of registers side by side are fine.
    let mut m = Module::new("fine");
    let a = m.input("a_i", 4);
    let late = m.delay(a, 1);
    let (low, high) = (m.slice(late, 1, 0), m.slice(late, 3, 2));
    let turned = m.concat(&[low, high]);
    m.output("a_o", turned);
    m.finish().unwrap();
}

#[test]
fn names_are_for_one_thing() {
    refused!(
        |m| {
            m.input("a_i", 4);
            m.input("a_i", 4);
            m.input("wire", 4);
            m.input("a.b", 4);
            m.input("clk_i", 1);
        },
        FaultKind::Name { .. },
        FaultKind::Name { .. },
        FaultKind::Name { .. },
        FaultKind::Name { .. }
    );
    // Names that are only wishes give way.
    let mut m = Module::new("wishes");
    let a = m.input("a_i", 4);
    let x = m.not(a);
    m.named("module", x);
    let y = m.add(a, x);
    m.named("a_i", y);
    m.output_reg("x_o", y);
    let text = m.finish().unwrap().verilog();
    assert!(text.contains("n_module") && text.contains("a_i_2"), "{text}");
}

#[test]
fn memories_are_what_there_is() {
    refused!(
        |m| {
            let (a, on) = (m.input("a_i", 4), m.input("on_i", 1));
            let mem = m.memory("mem", 8, 16, MemStyle::Auto);
            m.read_port(mem, on, a, 3);
            m.write_port(mem, on, a, a);
            m.write_port(mem, a, a, a);
        },
        FaultKind::Memory { .. },
        FaultKind::Widths { .. },
        FaultKind::NotOneBit { .. },
        FaultKind::Memory { .. }
    );
    refused!(
        |m| {
            let (a, on) = (m.input("a_i", 4), m.input("on_i", 1));
            let mem = m.memory("mem", 4, 8, MemStyle::Ultra);
            m.read_port(mem, on, a, 1);
            m.contents(mem, &[Bits::zero(4)]);
            let one = m.slice(a, 2, 0);
            m.write_port(mem, on, one, a);
            m.write_port(mem, on, one, a);
            let read = m.read_port(mem, on, one, 1);
            m.output("read_o", read);
        },
        FaultKind::Widths { .. },
        FaultKind::Memory { .. },
        FaultKind::DrivenTwice { .. }
    );
    refused!(
        |m| {
            m.memory("small", 4, 1, MemStyle::Auto);
        },
        FaultKind::Memory { .. },
        FaultKind::Memory { .. }
    );
}

#[test]
fn instances_are_connected() {
    let leaf = ModuleInterface::new("leaf", vec![Port::input("a_i", 4), Port::output("q_o", 4)]);
    refused!(
        |m| {
            m.instance(&leaf, "u_leaf", &[]);
        },
        FaultKind::NeverDriven { .. }
    );
    refused!(
        |m| {
            let a = m.input("a_i", 3);
            let u = m.instance(&leaf, "u_leaf", &[("a_i", a), ("a_i", a), ("b_i", a)]);
            m.pin(u, "a_i");
        },
        FaultKind::Widths { .. },
        FaultKind::DrivenTwice { .. },
        FaultKind::NoPort { direction: "input", .. },
        FaultKind::NoPort { direction: "output", .. }
    );
}

#[test]
fn nets_stay_in_their_module() {
    let mut other = Module::new("other");
    let mut foreign = other.input("a_i", 4);
    for _ in 0..5 {
        foreign = other.not(foreign);
        foreign = other.shl_const(foreign, 1);
    }
    refused!(
        |m| {
            m.not(foreign);
        },
        FaultKind::Foreign
    );
}

#[test]
fn a_pipe_does_not_go_back() {
    let mut p = Pipe::new("back");
    let a = p.input("a_i", 4);
    let late = p.at(a, 5);
    p.at(late, 4);
    let faults = p.finish(&[("a_o", late)], Latency::Exactly(3)).unwrap_err();
    let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert!(texts[0].contains("cycle 5 is wanted at cycle 4"), "{texts:?}");
    assert!(texts[1].contains("a latency of 3 is wanted and 6 is needed"), "{texts:?}");
    // The mistake is in this file, not in the pipe's.
    assert!(faults.iter().all(|f| f.file.ends_with("faults.rs")), "{texts:?}");
}

#[test]
fn a_pipe_blames_its_user() {
    let mut p = Pipe::new("blame");
    let (a, b) = (p.input("a_i", 4), p.input("b_i", 5));
    p.and(a, b);
    p.add(a, b);
    p.or_all(&[a, b]);
    let faults = p.finish(&[("a_o", a)], Latency::Class).unwrap_err();
    assert_eq!(faults.len(), 3, "{faults:?}");
    assert!(faults.iter().all(|f| f.file.ends_with("faults.rs")), "{faults:?}");
}
