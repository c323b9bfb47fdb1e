//! A module of `rust_hdl` whose ports and signals are run-time values, and the printing of its
//! expressions.
//!
//! `rust_hdl` writes the module's head, declarations and every expression. Three of its habits are
//! worked around here: it takes `[` and `.` in a name for its own syntax (so [`OPEN`] and [`CLOSE`]
//! stand for brackets until the end), it writes expressions only as statements of a block, and its text
//! is a little untidy.

use rust_hdl::core::ast::{VerilogExpression, VerilogStatement};
use rust_hdl::core::module_defines::ModuleDefines;
use rust_hdl::core::verilog_gen::verilog_combinatorial;
use rust_hdl::prelude::*;

/// Stands for `[` in a name.
pub(super) const OPEN: &str = "\u{27e6}";
/// Stands for `]` in a name.
pub(super) const CLOSE: &str = "\u{27e7}";

/// How a signal is declared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Input,
    /// An output that a continuous assignment drives.
    OutputWire,
    /// An output that a clocked block drives.
    OutputReg,
    Wire,
    Reg,
}

/// A declared signal.
#[derive(Clone, Debug)]
pub(super) struct Signal {
    pub name: String,
    pub width: u32,
    pub kind: Kind,
    id: usize,
}

impl Signal {
    pub fn new(name: impl Into<String>, width: u32, kind: Kind) -> Self {
        let id = rust_hdl::core::signal::get_signal_id();
        Signal { name: name.into(), width, kind, id }
    }
}

impl Atom for Signal {
    fn bits(&self) -> usize {
        self.width as usize
    }
    /// Drivers have been checked before.
    fn connected(&self) -> bool {
        true
    }
    fn changed(&self) -> bool {
        false
    }
    fn kind(&self) -> AtomKind {
        match self.kind {
            Kind::Input => AtomKind::InputParameter,
            Kind::OutputWire => AtomKind::OutputPassthrough,
            Kind::OutputReg => AtomKind::OutputParameter,
            // What it declares as a wire.
            Kind::Wire => AtomKind::StubOutputSignal,
            Kind::Reg => AtomKind::LocalSignal,
        }
    }
    fn descriptor(&self) -> TypeDescriptor {
        let width = self.width as usize;
        TypeDescriptor { name: format!("Bits::<{width}>"), kind: TypeKind::Bits(width) }
    }
    fn vcd(&self) -> VCDValue {
        false.into()
    }
    fn id(&self) -> usize {
        self.id
    }
    fn verilog(&self) -> VerilogLiteral {
        0u32.into()
    }
    fn constraints(&self) -> Vec<PinConstraint> {
        Vec::new()
    }
}

/// A module whose logic is already text.
struct TextModule<'a> {
    signals: &'a [Signal],
    body: &'a str,
}

impl Logic for TextModule<'_> {
    fn update(&mut self) {}
    fn hdl(&self) -> Verilog {
        Verilog::Custom(self.body.to_string())
    }
}

impl Block for TextModule<'_> {
    fn connect_all(&mut self) {}
    fn update_all(&mut self) {}
    fn has_changed(&self) -> bool {
        false
    }
    fn accept(&self, name: &str, probe: &mut dyn Probe) {
        probe.visit_start_scope(name, self);
        for signal in self.signals {
            probe.visit_atom(&signal.name, signal);
        }
        probe.visit_end_scope(name, self);
    }
}

/// The text of a module.
pub(super) fn module(name: &str, signals: &[Signal], body: &str) -> String {
    let mut defines = ModuleDefines::default();
    TextModule { signals, body }.accept(name, &mut defines);
    tidy(&defines.defines())
}

/// The text of an expression, brackets still in disguise.
pub(super) fn expression(expression: VerilogExpression) -> String {
    let target = VerilogExpression::Signal("x".to_string());
    let text = statements(vec![VerilogStatement::Assignment(target, expression)]);
    let from = text.find("x = ").map_or(0, |at| at + 4);
    let to = text.rfind(';').unwrap_or(text.len());
    text[from..to].to_string()
}

/// The text of a combinational block, brackets still in disguise.
pub(super) fn statements(block: Vec<VerilogStatement>) -> String {
    verilog_combinatorial(&block).trim_end().to_string()
}

/// Brackets undisguised, blanks and headings as a person would write them.
fn tidy(text: &str) -> String {
    let text = text.replace(OPEN, "[").replace(CLOSE, "]");
    let mut out = String::with_capacity(text.len());
    let mut blank = true;
    for line in text.lines() {
        let line = match line.trim() {
            "// Module arguments" | "// Update code (custom)" => continue,
            "// Stub signals" => "    // Wires",
            "// Local signals" => "    // Registers",
            _ => line.trim_end(),
        };
        let words = line.trim_start();
        let declares = ["input", "output", "wire", "reg"].iter().any(|w| words.starts_with(w));
        let line = if declares && line.starts_with(' ') {
            format!("    {}", words.replacen("  ", " ", 2))
        } else if let Some((head, ports)) = words.strip_suffix(");").and_then(|l| l.split_once('('))
            && head.starts_with("module ")
        {
            format!("{head} (\n    {}\n);", ports.replace(',', ",\n    "))
        } else {
            line.to_string()
        };
        if line.is_empty() && blank {
            continue;
        }
        blank = line.is_empty();
        out.push_str(&line);
        out.push('\n');
    }
    out
}
