//! The Verilog that `rust_hdl` has no words for: clocked blocks, memories, delay lines, instances.
//!
//! This is the only file in which such text is written, so it is the one to read when simulation and
//! synthesis might disagree. Rules it keeps: only non-blocking assignments in clocked blocks; one block
//! writes a signal; memories are read into registers; no initial values but a memory's contents.

use super::block::expression;
use super::lower::{Stmt, literal};
use crate::net::{Direction, InstanceDecl, MemStyle, MemoryDecl, RESET};
use restage_program::Bits;
use rust_hdl::core::ast::VerilogExpression as E;
use std::fmt::Write;

/// Lines of a comment in front of a module.
pub(super) fn comment(lines: &[String]) -> String {
    lines.iter().map(|text| format!("// {text}").trim_end().to_string() + "\n").collect()
}

/// Registers that share clock enable and reset.
pub(super) struct Clocked {
    pub enable: Option<E>,
    /// Name, value while in reset if it has one, next value.
    pub registers: Vec<(String, Option<Bits>, Stmt)>,
}

/// `always @(posedge clk_i)` with reset before enable.
pub(super) fn clocked(block: &Clocked) -> String {
    let mut out = String::from("always @(posedge clk_i) begin\n");
    let mut depth = 1;
    let resets: Vec<_> =
        block.registers.iter().filter_map(|(n, r, _)| Some((n, r.as_ref()?))).collect();
    if !resets.is_empty() {
        line(&mut out, depth, "if (!rst_ni) begin");
        for (name, value) in &resets {
            line(&mut out, depth + 1, &format!("{name} <= {};", literal(value)));
        }
    }
    let mut head = String::new();
    if !resets.is_empty() {
        head.push_str("end else ");
    }
    if let Some(enable) = &block.enable {
        let _ = write!(head, "if ({}) ", expression(enable.clone()));
    }
    if !head.is_empty() {
        line(&mut out, depth, &format!("{head}begin"));
        depth += 1;
    }
    for (name, _, next) in &block.registers {
        statement(&mut out, depth, name, next);
    }
    if !head.is_empty() {
        line(&mut out, depth - 1, "end");
    }
    out.push_str("end\n");
    out
}

fn line(out: &mut String, depth: usize, text: &str) {
    for _ in 0..depth {
        out.push_str("    ");
    }
    out.push_str(text);
    out.push('\n');
}

fn statement(out: &mut String, depth: usize, name: &str, stmt: &Stmt) {
    match stmt {
        Stmt::Keep => {}
        Stmt::Value(e) => line(out, depth, &format!("{name} <= {};", expression(e.clone()))),
        Stmt::If(test, yes, no) => {
            let test = expression(test.clone());
            match (&**yes, &**no) {
                (Stmt::Keep, Stmt::Keep) => {}
                (Stmt::Keep, _) => {
                    line(out, depth, &format!("if (!({test})) begin"));
                    statement(out, depth + 1, name, no);
                    line(out, depth, "end");
                }
                _ => {
                    line(out, depth, &format!("if ({test}) begin"));
                    statement(out, depth + 1, name, yes);
                    otherwise(out, depth, name, no);
                }
            }
        }
        Stmt::Case(test, arms, default) => {
            line(out, depth, &format!("case ({})", expression(test.clone())));
            for (number, arm) in arms {
                line(out, depth + 1, &format!("{number}: begin"));
                statement(out, depth + 2, name, arm);
                line(out, depth + 1, "end");
            }
            line(out, depth + 1, "default: begin");
            statement(out, depth + 2, name, default);
            line(out, depth + 1, "end");
            line(out, depth, "endcase");
        }
    }
}

/// What follows a block of `if`: chains stay on one level.
fn otherwise(out: &mut String, depth: usize, name: &str, no: &Stmt) {
    match no {
        Stmt::Keep => line(out, depth, "end"),
        Stmt::If(test, yes, no) if !matches!(**yes, Stmt::Keep) => {
            let test = expression(test.clone());
            line(out, depth, &format!("end else if ({test}) begin"));
            statement(out, depth + 1, name, yes);
            otherwise(out, depth, name, no);
        }
        other => {
            line(out, depth, "end else begin");
            statement(out, depth + 1, name, other);
            line(out, depth, "end");
        }
    }
}

/// The storage of a memory and its contents at the start.
pub(super) fn memory(decl: &MemoryDecl) -> String {
    let style = match decl.kind() {
        MemStyle::Auto => "",
        // What never changes is logic, if it is small.
        MemStyle::Distributed if decl.write.is_none() => "",
        MemStyle::Block => "(* ram_style = \"block\" *) ",
        MemStyle::Distributed => "(* ram_style = \"distributed\" *) ",
        MemStyle::Ultra => "(* ram_style = \"ultra\" *) ",
    };
    let name = &decl.name;
    let mut out = format!("{style}reg {}{name} [0:{}];\n", range(decl.width), decl.depth - 1);
    if let Some(contents) = &decl.contents {
        out.push_str("initial begin\n");
        for (index, word) in contents.iter().enumerate() {
            line(&mut out, 1, &format!("{name}[{index}] = {};", literal(word)));
        }
        out.push_str("end\n");
    }
    out
}

/// A memory's write port.
pub(super) fn write_port(name: &str, enable: E, addr: E, data: E) -> String {
    let [enable, addr, data] = [enable, addr, data].map(expression);
    let write = format!("{name}[{addr}] <= {data};");
    if enable == "1'b1" {
        return format!("always @(posedge clk_i) {write}\n");
    }
    format!("always @(posedge clk_i) begin\n    if ({enable}) {write}\nend\n")
}

/// A memory's read port: `first` is the RAM's own register, `second` one behind it.
pub(super) fn read_port(
    name: &str,
    enable: E,
    addr: E,
    first: &str,
    second: Option<&str>,
) -> String {
    let [enable, addr] = [enable, addr].map(expression);
    let read = format!("{first} <= {name}[{addr}];");
    let read = if enable == "1'b1" { read } else { format!("if ({enable}) {read}") };
    let again = second.map_or(String::new(), |q| format!("    {q} <= {first};\n"));
    format!("always @(posedge clk_i) begin\n    {read}\n{again}end\n")
}

/// A delay of `slots + 1` cycles: a RAM in which every slot is read just before it is written.
pub(super) fn ring(name: &str, at: &str, width: u32, slots: u32, input: E, output: &str) -> String {
    let input = expression(input);
    format!(
        "(* ram_style = \"distributed\" *) reg {}{name} [0:{}];\n\
         always @(posedge clk_i) begin\n    {output} <= {name}[{at}];\n    {name}[{at}] <= {input};\nend\n",
        range(width),
        slots - 1
    )
}

/// The slot that all rings of one length are at.
pub(super) fn ring_pointer(at: &str, width: u32, slots: u32) -> String {
    let [zero, one, last] = [0, 1, slots - 1].map(|n| literal(&Bits::new(width, u128::from(n))));
    format!(
        "always @(posedge clk_i) begin\n    if (!rst_ni) begin\n        {at} <= {zero};\n    \
         end else if ({at} == {last}) begin\n        {at} <= {zero};\n    end else begin\n        \
         {at} <= {at} + {one};\n    end\nend\n"
    )
}

/// An instance; inputs and outputs by position in its interface.
pub(super) fn instance(decl: &InstanceDecl, connected: &[String]) -> String {
    let mut pins: Vec<String> = Vec::new();
    if decl.of.clocked {
        pins.push("    .clk_i(clk_i)".to_string());
        if decl.of.port(RESET).is_none() {
            pins.push("    .rst_ni(rst_ni)".to_string());
        }
    }
    for (port, text) in decl.of.ports.iter().zip(connected) {
        pins.push(format!("    .{}({text})", port.name));
    }
    format!("{} {} (\n{}\n);\n", decl.of.name, decl.name, pins.join(",\n"))
}

/// What a module looks like from outside, for tools that get its contents elsewhere.
pub(super) fn stub(interface: &crate::net::ModuleInterface) -> String {
    let mut ports: Vec<String> = Vec::new();
    if interface.clocked {
        ports.extend(["    input wire clk_i".to_string(), "    input wire rst_ni".to_string()]);
    }
    for port in &interface.ports {
        let direction = match port.direction {
            Direction::Input => "input",
            Direction::Output => "output",
        };
        ports.push(format!("    {direction} wire {}{}", range(port.width), port.name));
    }
    format!("(* blackbox *)\nmodule {} (\n{}\n);\nendmodule\n", interface.name, ports.join(",\n"))
}

/// The declaration of so many bits, with a blank behind it.
fn range(width: u32) -> String {
    if width == 1 { String::new() } else { format!("[{}:0] ", width - 1) }
}
