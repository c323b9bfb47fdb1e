//! A flow as text for people.
//!
//! ```text
//! flow ingress
//!   v3: bit<8> = ipv4.ttl
//!   v7: bool = le(v3, 1)                        // action `forward`
//!   a0: if v9 table `routes` keys v4
//!   v10: bool = a0.hit
//!   ipv4.ttl := v12
//! ```

use super::{Access, AccessDecl, AccessKind, Def, Flow, Origin, Slot, ValueDecl};
use restage_program::entity::{Entity, Header};
use restage_program::op::Op;
use restage_program::program::Program;
use std::fmt::{self, Write as _};

impl Slot {
    /// Its name for people: that of the field, with what it is of it.
    pub fn name(self, program: &Program) -> String {
        let header = |h: Header| program.headers.get(h).map_or("?", |d| d.name.as_str());
        match self {
            Slot::Shell(field) => format!("shell.{field:?}"),
            Slot::Available => "available".into(),
            Slot::Valid(h) => format!("{}.valid", header(h)),
            Slot::VarLength(h) => format!("{}.length", header(h)),
            Slot::Field(h, field) => {
                let ty = program.headers.get(h).and_then(|d| program.header_types.get(d.ty));
                let name = ty.and_then(|t| t.fields.get(field as usize));
                format!("{}.{}", header(h), name.map_or("?", |f| f.name.as_str()))
            }
            Slot::NextIndex(stack) => {
                format!("{}.next", program.stacks.get(stack).map_or("?", |s| s.name.as_str()))
            }
            Slot::Meta(meta) => {
                format!("meta.{}", program.metas.get(meta).map_or("?", |m| m.name.as_str()))
            }
            Slot::Keep(meta) => {
                format!("keep.{}", program.metas.get(meta).map_or("?", |m| m.name.as_str()))
            }
            Slot::Length => "length".into(),
            Slot::PayloadSum => "payload_sum".into(),
            Slot::Message(digest, field) => {
                let decl = program.digests.get(digest);
                let name = decl.and_then(|d| d.fields.get(field as usize));
                format!("message{}.{}", digest.index(), name.map_or("?", |f| f.0.name.as_str()))
            }
            Slot::Temp(number) => format!("temp{number}"),
            Slot::Shared(number) => format!("shared{number}"),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// A flow with the program that gives its slots and cells names.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    flow: &'a Flow,
    program: &'a Program,
}

impl Flow {
    /// The flow as text.
    pub fn show<'a>(&'a self, program: &'a Program) -> Shown<'a> {
        Shown { flow: self, program }
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "flow {}", self.flow.name)?;
        let mut told = vec![false; self.flow.accesses.len()];
        for (value, decl) in self.flow.values.iter() {
            if let Def::Out(access, _) = decl.def
                && let Some(told) = told.get_mut(access.index())
                && !std::mem::replace(told, true)
            {
                self.access(f, access)?;
            }
            let text = format!("  {value:?}: {} = {}", decl.ty, self.def(decl));
            line(f, text, &[decl.name.as_deref().unwrap_or(""), decl.origin.text()])?;
        }
        for access in self.flow.accesses.keys().filter(|a| !told[a.index()]) {
            self.access(f, access)?;
        }
        for access in self.flow.accesses.keys() {
            self.update(f, access)?;
        }
        for (slot, value) in &self.flow.outputs {
            writeln!(f, "  {} := {value:?}", slot.name(self.program))?;
        }
        Ok(())
    }
}

fn line(f: &mut fmt::Formatter<'_>, text: String, notes: &[&str]) -> fmt::Result {
    let notes: Vec<&str> = notes.iter().copied().filter(|n| !n.is_empty()).collect();
    if notes.is_empty() {
        writeln!(f, "{text}")
    } else {
        writeln!(f, "{text:<60} // {}", notes.join(", "))
    }
}

impl Shown<'_> {
    fn def(&self, decl: &ValueDecl) -> String {
        match &decl.def {
            Def::Slot(slot) => slot.name(self.program),
            Def::Const(bits) => format!("{bits}"),
            Def::Op(Op::Slice { hi, lo }, args) => match args.as_slice() {
                [of] => format!("{of:?}[{hi}:{lo}]"),
                _ => "slice?".into(),
            },
            Def::Op(op, args) => format!("{}({})", op.name(), list(args)),
            Def::Select { arms, default } => {
                let arms: Vec<String> = arms.iter().map(|(c, v)| format!("{c:?}: {v:?}")).collect();
                format!("select({}, else {default:?})", arms.join(", "))
            }
            Def::Out(access, port) => match self.flow.accesses.get(*access).map(|a| &a.kind) {
                Some(kind) => format!("{access:?}.{}", self.port(kind, *port)),
                None => format!("{access:?}.{port}"),
            },
            Def::Hash(hash) => {
                let mut text = format!("{:?}(", hash.algorithm);
                for (i, item) in hash.items.iter().enumerate() {
                    let comma = if i > 0 { ", " } else { "" };
                    let _ = write!(text, "{comma}{:?}", item.value);
                    if let Some(bytes) = item.bytes {
                        let _ = write!(text, "[{bytes:?} bytes]");
                    }
                    if let Some(present) = item.present {
                        let _ = write!(text, " if {present:?}");
                    }
                }
                if let Some(behind) = hash.behind {
                    let _ = write!(text, "; behind {behind:?}");
                }
                text + ")"
            }
            Def::Window(window) => {
                let first = match &window.at {
                    None => format!("{}", window.skip),
                    Some(at) => {
                        let places: Vec<String> =
                            at.candidates.iter().map(u32::to_string).collect();
                        format!("8*{:?} + {}, {{{}}}", at.position, window.skip, places.join(" "))
                    }
                };
                format!("window({first})")
            }
            Def::WindowSum { length } => format!("window_sum({length:?})"),
        }
    }

    fn port(&self, kind: &AccessKind, port: u32) -> String {
        match (kind, port) {
            (AccessKind::Table(_), 0) => "hit".into(),
            (AccessKind::Table(_), 1) => "action".into(),
            (AccessKind::Table(_), 2) | (AccessKind::Meter { .. }, _) => "colour".into(),
            (AccessKind::Table(u), mut port) => {
                port -= 3;
                let actions = self.program.tables.get(u.table).into_iter().flat_map(|t| &t.actions);
                for action in actions.filter_map(|a| self.program.actions.get(a.action)) {
                    match action.params.get(port as usize) {
                        Some(param) => return format!("{}.{}", action.preamble.name, param.name),
                        None => port -= action.params.len() as u32,
                    }
                }
                "?".into()
            }
            (AccessKind::Map(_), 0) => "found".into(),
            (AccessKind::Map(u), port) => {
                let values = self.program.maps.get(u.map).map(|m| m.values.as_slice());
                let name = values.unwrap_or_default().get(port as usize - 1);
                name.map_or("room", |f| f.name.as_str()).into()
            }
            (AccessKind::Register { .. }, _) => "old".into(),
            (AccessKind::ValueSet { .. }, _) => "member".into(),
            (AccessKind::Random { .. } | AccessKind::Counter { .. }, port) => port.to_string(),
        }
    }

    fn access(&self, f: &mut fmt::Formatter<'_>, access: Access) -> fmt::Result {
        let AccessDecl { guard, kind, origin } = &self.flow.accesses[access];
        let p = self.program;
        let what = match kind {
            AccessKind::Table(u) => {
                let name = p.tables.get(u.table).map_or("?", |t| t.preamble.name.as_str());
                let mut text = format!("table `{name}` keys {}", list(&u.keys));
                if let Some(selector) = u.selector {
                    let _ = write!(text, " selector {selector:?}");
                }
                if let Some(length) = u.length {
                    let _ = write!(text, " length {length:?}");
                }
                text
            }
            AccessKind::Register { register, index, .. } => {
                let name = p.registers.get(*register).map_or("?", |r| r.preamble.name.as_str());
                format!("register `{name}`[{index:?}]")
            }
            AccessKind::Counter { counter, bank, index, length } => {
                let name = p.counters.get(*counter).map_or("?", |c| c.preamble.name.as_str());
                let bank = if *bank > 0 { format!(" bank {bank}") } else { String::new() };
                format!("counter `{name}`{bank}[{index:?}] length {length:?}")
            }
            AccessKind::Meter { meter, index, length } => {
                let name = p.meters.get(*meter).map_or("?", |m| m.preamble.name.as_str());
                format!("meter `{name}`[{index:?}] length {length:?}")
            }
            AccessKind::Map(u) => {
                let name = p.maps.get(u.map).map_or("?", |m| m.preamble.name.as_str());
                format!("map `{name}`[{}] touch {:?}", list(&u.key), u.touch)
            }
            AccessKind::Random { site, draws } => {
                let draws: Vec<String> = draws
                    .iter()
                    .map(|d| format!("if {:?} {:?}..={:?}", d.guard, d.low, d.high))
                    .collect();
                format!("random {site} {}", draws.join(", "))
            }
            AccessKind::ValueSet { set, columns } => {
                let name = p.value_sets.get(*set).map_or("?", |s| s.preamble.name.as_str());
                format!("value set `{name}` columns {}", list(columns))
            }
        };
        line(f, format!("  {access:?}: if {guard:?} {what}"), &[origin.text()])
    }

    fn update(&self, f: &mut fmt::Formatter<'_>, access: Access) -> fmt::Result {
        match &self.flow.accesses[access].kind {
            AccessKind::Register { write: Some(write), .. } => {
                writeln!(f, "  {access:?} := {:?} if {:?}", write.data, write.enable)
            }
            AccessKind::Map(u) => {
                if let Some(put) = &u.put {
                    writeln!(f, "  {access:?} := {} if {:?}", list(&put.values), put.enable)?;
                }
                match u.remove {
                    Some(remove) => writeln!(f, "  {access:?} removed if {remove:?}"),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}

fn list(values: &[super::Value]) -> String {
    let texts: Vec<String> = values.iter().map(|v| format!("{v:?}")).collect();
    texts.join(", ")
}
