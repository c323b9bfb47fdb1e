//! What happens to a packet, step by step, for people who debug.

use crate::layout::{Layout, Slot};
use restage_program::entry::{Entry, KeyMatch};
use restage_program::program::Program;
use restage_program::{Bits, Type};
use std::collections::HashMap;
use std::fmt;

/// One step. `Display` says it in words, one line each.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A packet enters the parser: from a port, or again.
    Enter {
        /// Which pass this is, from 1.
        pass: u32,
        /// Its port.
        port: u64,
        /// Its length.
        bytes: usize,
        /// Its `instance_type`.
        instance: u64,
    },
    /// The parser enters a state.
    State(&'a str),
    /// A header was extracted.
    Extract {
        /// The header.
        header: &'a str,
        /// Names and values of its fields.
        fields: Vec<(&'a str, Bits)>,
        /// Bytes taken.
        bytes: usize,
    },
    /// A select decided.
    Select {
        /// The keys' values.
        keys: Vec<Bits>,
        /// Where parsing goes on: a state, `accept`, `reject` or the error `NoMatch`.
        to: &'a str,
    },
    /// Parsing has ended with an error.
    ParserError(&'a str),
    /// Parsing has ended; so many bytes were taken.
    Parsed(usize),
    /// A checksum was verified.
    Verified {
        /// Which of the program's, from 0.
        index: usize,
        /// Whether it was right.
        right: bool,
    },
    /// A half begins.
    Half {
        /// Ingress or egress.
        egress: bool,
        /// In egress: the port.
        port: u64,
        /// The replica's id.
        rid: u64,
        /// The `instance_type`.
        instance: u64,
    },
    /// A table was applied.
    Lookup {
        /// The table.
        table: &'a str,
        /// Names and values of its keys.
        keys: Vec<(&'a str, Bits)>,
        /// The entry that matched, in words, or `None` for a miss.
        hit: Option<String>,
    },
    /// An action runs.
    Action {
        /// The action.
        action: &'a str,
        /// Names and values of its parameters.
        args: Vec<(&'a str, Bits)>,
    },
    /// A field or metadata changed.
    Change {
        /// Which.
        place: &'a str,
        /// Its value before.
        old: Bits,
        /// Its value now.
        new: Bits,
    },
    /// A header became valid or invalid.
    Validity {
        /// Which.
        header: &'a str,
        /// Whether it is valid now.
        valid: bool,
    },
    /// State was read or written.
    Effect {
        /// What happened, in words.
        text: String,
    },
    /// The packet's fate was decided, or a copy made.
    Fate(String),
    /// A packet was put together.
    Deparse {
        /// The headers in it.
        headers: Vec<&'a str>,
        /// Its length, payload included, before truncation.
        bytes: usize,
    },
}

/// `name 0x..., name 0x...`
fn list(f: &mut fmt::Formatter<'_>, items: &[(&str, Bits)]) -> fmt::Result {
    for (i, (name, value)) in items.iter().enumerate() {
        write!(f, "{}{name} {value:#x}", if i > 0 { ", " } else { "" })?;
    }
    Ok(())
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Enter { pass, port, bytes, instance } => {
                write!(f, "pass {pass}: {bytes} bytes on port {port}{}", kind(*instance))
            }
            Event::State(name) => write!(f, "  state {name}"),
            Event::Extract { header, fields, bytes } => {
                write!(f, "    extract {header} ({bytes} bytes): ")?;
                list(f, fields)
            }
            Event::Select { keys, to } => {
                let keys: Vec<String> = keys.iter().map(|k| format!("{k:#x}")).collect();
                write!(f, "    select {}: {to}", keys.join(", "))
            }
            Event::ParserError(name) => write!(f, "    parser error {name}"),
            Event::Parsed(bytes) => write!(f, "  parsed {bytes} bytes, the rest is payload"),
            Event::Verified { index, right } => {
                write!(f, "  checksum {index} is {}", if *right { "right" } else { "wrong" })
            }
            Event::Half { egress: false, .. } => f.write_str("ingress"),
            Event::Half { port, rid, instance, .. } => {
                write!(f, "egress to port {port}, rid {rid}{}", kind(*instance))
            }
            Event::Lookup { table, keys, hit } => {
                write!(f, "  table {table}: ")?;
                list(f, keys)?;
                match hit {
                    Some(entry) => write!(f, " hit {entry}"),
                    None => f.write_str(" missed"),
                }
            }
            Event::Action { action, args } => {
                write!(f, "  action {action}(")?;
                list(f, args)?;
                f.write_str(")")
            }
            Event::Change { place, old, new } => write!(f, "    {place}: {old:#x} -> {new:#x}"),
            Event::Validity { header, valid } => {
                write!(f, "    {header} is {}", if *valid { "valid" } else { "invalid" })
            }
            Event::Effect { text } => write!(f, "    {text}"),
            Event::Fate(text) => write!(f, "  {text}"),
            Event::Deparse { headers, bytes } => {
                write!(f, "  deparsed {bytes} bytes: {}", headers.join(", "))
            }
        }
    }
}

fn kind(instance: u64) -> String {
    use restage_program::standard::instance::*;
    match u32::try_from(instance).unwrap_or(u32::MAX) {
        NORMAL => String::new(),
        INGRESS_CLONE => ", an ingress clone".to_string(),
        EGRESS_CLONE => ", an egress clone".to_string(),
        RECIRCULATED => ", recirculated".to_string(),
        REPLICATED => ", a multicast copy".to_string(),
        RESUBMITTED => ", resubmitted".to_string(),
        other => format!(", instance type {other}"),
    }
}

/// An entry in words: its keys and its priority.
pub(crate) fn describe(entry: &Entry) -> String {
    let key = |key: &KeyMatch| match key {
        KeyMatch::Any => "any".to_string(),
        KeyMatch::Exact(value) => format!("{value:#x}"),
        KeyMatch::Lpm { value, prefix } => format!("{value:#x}/{prefix}"),
        KeyMatch::Masked { value, mask } => format!("{value:#x}&{mask:#x}"),
        KeyMatch::Range { low, high } => format!("{low:#x}..{high:#x}"),
    };
    let keys: Vec<String> = entry.keys.iter().map(key).collect();
    let keys = keys.join(", ");
    if entry.priority == 0 { keys } else { format!("{keys} priority {}", entry.priority) }
}

/// Names and types of what stands in slots.
#[derive(Clone, Debug)]
pub(crate) struct Names(HashMap<Slot, (String, Type)>);

impl Names {
    pub fn new(program: &Program, layout: &Layout) -> Self {
        let mut names = HashMap::new();
        for (meta, val) in layout.metas.iter() {
            names.insert(val.slot, (program.metas[meta].name.clone(), val.ty));
        }
        for (header, place) in layout.headers.iter() {
            let decl = &program.headers[header];
            let fields = &program.header_types[decl.ty].fields;
            for (field, val) in fields.iter().zip(&place.fields) {
                names.insert(val.slot, (format!("{}.{}", decl.name, field.name), val.ty));
            }
        }
        Names(names)
    }

    pub fn place(&self, slot: Slot) -> Option<(&str, Type)> {
        self.0.get(&slot).map(|(name, ty)| (name.as_str(), *ty))
    }
}
