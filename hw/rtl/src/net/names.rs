//! Names in the Verilog: plain identifiers, each for one thing.

use super::{FaultKind, Module};
use std::panic::Location;

/// Words that Verilog-2005, SystemVerilog or C++ (for simulators) keep for themselves and that a
/// circuit could plausibly be tempted to use.
const KEPT: &[&str] = &[
    "always",
    "and",
    "assert",
    "assign",
    "automatic",
    "begin",
    "bit",
    "break",
    "buf",
    "byte",
    "case",
    "cell",
    "class",
    "config",
    "const",
    "constraint",
    "continue",
    "cover",
    "deassign",
    "default",
    "defparam",
    "delete",
    "design",
    "disable",
    "do",
    "edge",
    "else",
    "end",
    "endcase",
    "endmodule",
    "enum",
    "event",
    "export",
    "extern",
    "final",
    "first_match",
    "for",
    "force",
    "forever",
    "fork",
    "function",
    "generate",
    "genvar",
    "if",
    "iff",
    "import",
    "include",
    "initial",
    "inout",
    "input",
    "inside",
    "instance",
    "int",
    "integer",
    "interface",
    "join",
    "large",
    "library",
    "local",
    "logic",
    "longint",
    "macromodule",
    "matches",
    "medium",
    "modport",
    "module",
    "nand",
    "negedge",
    "new",
    "nor",
    "not",
    "null",
    "operator",
    "or",
    "output",
    "package",
    "parameter",
    "posedge",
    "priority",
    "private",
    "program",
    "property",
    "protected",
    "public",
    "pulldown",
    "pullup",
    "pure",
    "rand",
    "real",
    "realtime",
    "ref",
    "reg",
    "release",
    "repeat",
    "return",
    "sequence",
    "shortint",
    "signed",
    "small",
    "solve",
    "specify",
    "static",
    "string",
    "strong",
    "struct",
    "super",
    "supply0",
    "supply1",
    "table",
    "tagged",
    "task",
    "template",
    "this",
    "throughout",
    "time",
    "timeprecision",
    "timeunit",
    "tran",
    "tri",
    "type",
    "typedef",
    "typename",
    "union",
    "unique",
    "unsigned",
    "use",
    "var",
    "vectored",
    "virtual",
    "void",
    "wait",
    "weak",
    "while",
    "wire",
    "with",
    "within",
    "wor",
    "xnor",
    "xor",
];

impl Module {
    /// Takes a name that must be exactly this one: ports, instances, the module itself.
    pub(crate) fn claim(&mut self, name: &str, at: &'static Location<'static>) {
        let why = if !is_identifier(name) {
            "is not a Verilog identifier of letters, digits and underscores"
        } else if KEPT.contains(&name) {
            "is a word of the language"
        } else if !self.taken.insert(name.to_string()) {
            "is taken in this module"
        } else {
            return;
        };
        self.fault(at, FaultKind::Name { name: name.to_string(), why });
    }

    /// A free name like this one: other characters become underscores, a number is added when needed.
    pub(crate) fn free_name(&mut self, wish: &str) -> String {
        let mut base: String = wish
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .take(80)
            .collect();
        if !base.starts_with(|c: char| c.is_ascii_alphabetic()) || KEPT.contains(&base.as_str()) {
            base.insert_str(0, "n_");
        }
        if self.taken.insert(base.clone()) {
            return base;
        }
        let mut number = self.numbers.get(&base).copied().unwrap_or(2);
        loop {
            let name = format!("{base}_{number}");
            number += 1;
            if self.taken.insert(name.clone()) {
                self.numbers.insert(base, number);
                return name;
            }
        }
    }
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.len() <= 200
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
