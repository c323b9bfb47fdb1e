//! The text of a module, section by section: logic, memories, registers, instances.

use super::block::{self, CLOSE, Kind, OPEN, Signal, expression};
use super::lower::{Lower, Stmt};
use super::text::{self, Clocked};
use crate::net::{Def, DelayLine, Module, ModuleInterface, Net, address_width};
use restage_program::Bits;
use rust_hdl::core::ast::{
    VerilogBlockOrConditional as Else, VerilogCase, VerilogConditional, VerilogExpression as E,
    VerilogMatch, VerilogStatement as S,
};
use std::collections::{BTreeMap, HashMap};

/// What a section consists of.
#[derive(Default)]
struct Section {
    logic: Vec<String>,
    memories: Vec<String>,
    clocked: Vec<Clocked>,
    instances: Vec<String>,
}

struct Emit<'a> {
    lower: Lower<'a>,
    sections: Vec<Section>,
    signals: Vec<Signal>,
    /// Signals with bits that nothing uses.
    unused: Vec<String>,
    /// Delay lines by length, and the name of the slot they are at.
    pointers: BTreeMap<u32, String>,
    clock: bool,
    reset: bool,
}

pub(super) fn emit(module: &Module, interface: &ModuleInterface) -> String {
    let sections = module.sections.iter().map(|_| Section::default()).collect();
    let mut emit = Emit {
        lower: Lower::new(module),
        sections,
        signals: Vec::new(),
        unused: Vec::new(),
        pointers: BTreeMap::new(),
        clock: false,
        reset: false,
    };
    if interface.clocked {
        emit.signals.push(Signal::new("clk_i", 1, Kind::Input));
        emit.signals.push(Signal::new("rst_ni", 1, Kind::Input));
    }
    emit.inputs();
    emit.outputs();
    emit.nets();
    emit.delays();
    emit.memories();
    emit.registers();
    emit.instances();
    if interface.clocked {
        let clocks = [("clk_i", emit.clock), ("rst_ni", emit.reset)];
        let idle: Vec<String> =
            clocks.iter().filter(|(_, used)| !used).map(|(name, _)| name.to_string()).collect();
        emit.unused.extend(idle);
    }
    let body = emit.body();
    let about = text::comment(&module.about);
    about + &wrap(&block::module(&module.name, &emit.signals, &body))
}

impl Emit<'_> {
    fn module(&self) -> &Module {
        self.lower.module
    }

    fn signal(&mut self, net: Net, kind: Kind) {
        if let Some(name) = self.lower.signal(net).map(str::to_string) {
            let width = self.module().width(net);
            self.note_unused(net, &name);
            self.signals.push(Signal::new(name, width, kind));
        }
    }

    fn note_unused(&mut self, net: Net, name: &str) {
        let width = self.module().width(net);
        for (from, to) in self.lower.live.unused(self.lower.module, net) {
            self.unused.push(if to - from == width {
                name.to_string()
            } else if to - from == 1 {
                format!("{name}{OPEN}{from}{CLOSE}")
            } else {
                format!("{name}{OPEN}{}:{from}{CLOSE}", to - 1)
            });
        }
    }

    fn inputs(&mut self) {
        for net in self.lower.module.inputs.clone() {
            self.signal(net, Kind::Input);
        }
    }

    fn outputs(&mut self) {
        for output in &self.lower.module.outputs {
            let width = self.lower.module.width(output.net);
            let register = self.lower.signal(output.net) == Some(&output.name);
            let kind = if register { Kind::OutputReg } else { Kind::OutputWire };
            self.signals.push(Signal::new(&output.name, width, kind));
        }
    }

    /// Logic with a signal of its own.
    fn nets(&mut self) {
        for (index, decl) in self.lower.module.nets.iter().enumerate() {
            let net = Net(index as u32);
            let Some(name) = self.lower.signal(net).map(str::to_string) else { continue };
            let stmt = match &decl.def {
                Def::Input | Def::Delay { .. } | Def::Reg(_) | Def::Read(..) => continue,
                Def::Pin(..) => {
                    self.signal(net, Kind::Wire);
                    continue;
                }
                Def::Wire(_) if self.lower.is_joined(net) => continue,
                Def::Wire(wire) => match self.lower.module.wires[wire.index as usize].driver {
                    Some(driver) => self.lower.statement(driver, None),
                    None => continue,
                },
                _ => self.lower.definition(net),
            };
            let kind = if matches!(stmt, Stmt::Value(_)) { Kind::Wire } else { Kind::Reg };
            self.signal(net, kind);
            self.sections[decl.section as usize].logic.push(combinational(&name, stmt));
        }
    }

    /// Delay lines: every net's taps in order, each from the one before.
    fn delays(&mut self) {
        let mut lines: BTreeMap<Net, Vec<(u32, Net)>> = BTreeMap::new();
        for (index, decl) in self.lower.module.nets.iter().enumerate() {
            let net = Net(index as u32);
            if let Def::Delay { of, cycles } = decl.def
                && self.lower.live.has(net)
            {
                lines.entry(of).or_default().push((cycles, net));
            }
        }
        for (of, mut taps) in lines {
            taps.sort_unstable();
            let mut from = self.lower.value(of);
            let mut before = 0;
            for (cycles, net) in taps {
                self.delay(net, cycles - before, from);
                let name = self.lower.signal(net).unwrap_or_default();
                from = E::Signal(name.to_string());
                before = cycles;
            }
        }
    }

    fn delay(&mut self, net: Net, cycles: u32, mut from: E) {
        let decl = self.module().decl(net);
        let (width, section) = (decl.width, decl.section as usize);
        let Some(name) = self.lower.signal(net).map(str::to_string) else { return };
        if !self.lower.module.outputs.iter().any(|o| o.name == name) {
            self.signal(net, Kind::Reg);
        }
        self.clock = true;
        match DelayLine::of(width, cycles) {
            DelayLine::Ring => {
                let slots = cycles - 1;
                let at = self.pointer(slots);
                let ring = self.lower.fresh(&format!("{name}_ring"));
                let text = text::ring(&ring, &at, width, slots, from, &name);
                self.sections[section].memories.push(text);
                return;
            }
            DelayLine::Word => {
                let size = width * (cycles - 1);
                let word = self.lower.fresh(&format!("{name}_line"));
                let part = |hi, lo| E::Signal(format!("{word}{OPEN}{hi}:{lo}{CLOSE}"));
                let (young, old) = (part(size - width - 1, 0), part(size - 1, size - width));
                let next = format!("{{{}, {}}}", expression(young), expression(from));
                self.signals.push(Signal::new(&word, size, Kind::Reg));
                self.register(section, None, word, None, Stmt::Value(E::Signal(next)));
                self.register(section, None, name, None, Stmt::Value(old));
                return;
            }
            DelayLine::Registers => {}
        }
        for step in 1..=cycles {
            let next = if step == cycles {
                name.clone()
            } else {
                let between = self.lower.fresh(&format!("{name}_{step}"));
                self.signals.push(Signal::new(&between, width, Kind::Reg));
                between
            };
            self.register(section, None, next.clone(), None, Stmt::Value(from));
            from = E::Signal(next);
        }
    }

    fn pointer(&mut self, slots: u32) -> String {
        if let Some(name) = self.pointers.get(&slots) {
            return name.clone();
        }
        let name = self.lower.fresh(&format!("ring_{slots}_at"));
        self.reset = true;
        let width = address_width(slots);
        self.signals.push(Signal::new(&name, width, Kind::Reg));
        self.pointers.insert(slots, name.clone());
        let text = text::ring_pointer(&name, width, slots);
        self.sections[0].memories.push(text);
        name
    }

    fn memories(&mut self) {
        for memory in &self.lower.module.memories {
            if !memory.reads.iter().any(|r| self.lower.live.has(r.net)) {
                continue;
            }
            self.clock = true;
            let mut parts = vec![text::memory(memory)];
            if let Some(write) = &memory.write {
                let [enable, addr, data] =
                    [write.enable, write.addr, write.data].map(|n| self.lower.value(n));
                parts.push(text::write_port(&memory.name, enable, addr, data));
            }
            for read in &memory.reads {
                if !self.lower.live.has(read.net) {
                    continue;
                }
                let Some(name) = self.lower.signal(read.net).map(str::to_string) else { continue };
                let [enable, addr] = [read.enable, read.addr].map(|n| self.lower.value(n));
                parts.push(if read.out_regs == 2 {
                    let first = self.lower.fresh(&format!("{name}_ram"));
                    self.signals.push(Signal::new(&first, memory.width, Kind::Reg));
                    text::read_port(&memory.name, enable, addr, &first, Some(&name))
                } else {
                    text::read_port(&memory.name, enable, addr, &name, None)
                });
                self.signal(read.net, Kind::Reg);
            }
            self.sections[memory.section as usize].memories.push(parts.concat());
        }
    }

    fn registers(&mut self) {
        for reg in &self.lower.module.regs {
            if !self.lower.live.has(reg.q) {
                continue;
            }
            let Some((next, drive)) = &reg.driver else { continue };
            let Some(name) = self.lower.signal(reg.q).map(str::to_string) else { continue };
            let stmt = self.lower.statement(*next, Some(reg.q));
            let enable =
                drive.enable.filter(|e| self.lower.module.constant(*e).is_none_or(Bits::is_zero));
            self.clock = true;
            self.reset |= drive.reset.is_some();
            self.signal(reg.q, Kind::Reg);
            let enable = enable.map(|e| self.lower.value(e));
            self.register(reg.section as usize, enable, name, drive.reset.clone(), stmt);
        }
    }

    /// Into the block of the registers with the same enable, with or without reset.
    fn register(
        &mut self,
        section: usize,
        enable: Option<E>,
        name: String,
        reset: Option<Bits>,
        next: Stmt,
    ) {
        let key = |e: &Option<E>| e.as_ref().map(|e| expression(e.clone()));
        let wanted = key(&enable);
        let blocks = &mut self.sections[section].clocked;
        let found = blocks.iter_mut().find(|b| {
            b.registers.first().is_some_and(|(_, r, _)| r.is_some() == reset.is_some())
                && key(&b.enable) == wanted
        });
        match found {
            Some(block) => block.registers.push((name, reset, next)),
            None => blocks.push(Clocked { enable, registers: vec![(name, reset, next)] }),
        }
    }

    fn instances(&mut self) {
        for decl in &self.lower.module.instances {
            self.clock |= decl.of.clocked;
            self.reset |= decl.of.clocked;
            let nets = decl.inputs.iter().zip(&decl.outputs).map(|(i, o)| i.or(*o));
            let connected: Vec<String> = nets
                .map(|n| n.map_or(String::new(), |n| expression(self.lower.value(n))))
                .collect();
            let text = text::instance(decl, &connected);
            self.sections[decl.section as usize].instances.push(text);
        }
    }

    /// Everything but declarations.
    fn body(&mut self) -> String {
        let mut out = String::new();
        let titles: HashMap<usize, String> =
            self.lower.module.sections.iter().cloned().enumerate().collect();
        for (index, section) in self.sections.iter().enumerate() {
            let mut parts: Vec<String> = Vec::new();
            if !section.logic.is_empty() {
                parts.push(section.logic.concat());
            }
            parts.extend(section.memories.iter().cloned());
            parts.extend(section.clocked.iter().map(text::clocked));
            parts.extend(section.instances.iter().cloned());
            if parts.is_empty() {
                continue;
            }
            out.push('\n');
            match titles.get(&index) {
                Some(title) if !title.is_empty() => out.push_str(&format!("// {title}\n")),
                _ => {}
            }
            out.push_str(&parts.join("\n"));
        }
        let module = self.lower.module;
        let outputs: Vec<_> = module
            .outputs
            .iter()
            .filter(|o| self.lower.signal(o.net) != Some(o.name.as_str()))
            .collect();
        if !outputs.is_empty() {
            out.push_str("\n// Outputs\n");
        }
        for output in outputs {
            let value = expression(self.lower.value(output.net));
            out.push_str(&format!("assign {} = {value};\n", output.name));
        }
        if !self.unused.is_empty() {
            self.signals.push(Signal::new("unused", 1, Kind::Wire));
            let list = self.unused.join(", ");
            out.push_str(&format!("\n// Not needed here\nassign unused = &{{1'b0, {list}}};\n"));
        }
        out
    }
}

/// A continuous assignment, or a block if there is something to decide.
fn combinational(name: &str, stmt: Stmt) -> String {
    match stmt {
        Stmt::Value(e) => format!("assign {name} = {};\n", expression(e)),
        other => format!("{}\n", block::statements(vec![statement(name, other)])),
    }
}

fn statement(name: &str, stmt: Stmt) -> S {
    match stmt {
        Stmt::Value(e) => S::Assignment(E::Signal(name.to_string()), e),
        // Only registers keep their value.
        Stmt::Keep => S::Comment("unchanged".to_string()),
        Stmt::If(test, yes, no) => {
            let no = statement(name, *no);
            S::If(VerilogConditional {
                test,
                then: vec![statement(name, *yes)],
                otherwise: match no {
                    chain @ S::If(_) => Else::Conditional(Box::new(chain)),
                    other => Else::Block(vec![other]),
                },
            })
        }
        Stmt::Case(test, arms, default) => {
            let mut cases: Vec<VerilogCase> = arms
                .into_iter()
                .map(|(condition, arm)| VerilogCase {
                    condition,
                    block: vec![statement(name, arm)],
                })
                .collect();
            let block = vec![statement(name, *default)];
            cases.push(VerilogCase { condition: "default".to_string(), block });
            S::Match(VerilogMatch { test, cases })
        }
    }
}

/// Breaks lines that are too long to read.
fn wrap(text: &str) -> String {
    const LONG: usize = 110;
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let mut rest = line;
        let mut first = true;
        while rest.len() > LONG && !line.trim_start().starts_with("//") {
            let room = if first { LONG } else { LONG - indent - 8 };
            let head = &rest[..rest.floor_char_boundary(room)];
            let cut = [", ", " | ", " & ", " ^ ", " + "]
                .iter()
                .filter_map(|mark| head.rfind(mark).map(|at| at + mark.len()))
                .max();
            let Some(cut) = cut.filter(|cut| *cut > indent + 8) else { break };
            if !first {
                out.push_str(&" ".repeat(indent + 8));
            }
            out.push_str(rest[..cut].trim_end());
            out.push('\n');
            rest = &rest[cut..];
            first = false;
        }
        if !first {
            out.push_str(&" ".repeat(indent + 8));
        }
        out.push_str(rest);
        out.push('\n');
    }
    out
}
