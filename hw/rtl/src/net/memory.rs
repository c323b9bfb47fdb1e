//! Memories: one write port, any number of read ports.
//!
//! A read answers with what was stored before a write of the same clock. An address at or beyond the
//! depth gives anything and must not be written.

use super::{Def, FaultKind, Module, Net};
use restage_program::Bits;
use std::panic::Location;

/// A memory of a module.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Memory {
    pub(crate) index: u32,
    pub(crate) depth: u32,
}

/// What a memory is made of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum MemStyle {
    /// What the synthesiser likes.
    #[default]
    Auto,
    /// Block RAM.
    Block,
    /// Lookup tables.
    Distributed,
    /// UltraRAM: as block RAM, but without contents at the start.
    Ultra,
}

#[derive(Clone, Debug)]
pub(crate) struct WritePort {
    pub enable: Net,
    pub addr: Net,
    pub data: Net,
}

#[derive(Clone, Debug)]
pub(crate) struct ReadPort {
    pub enable: Net,
    pub addr: Net,
    /// Registers between the address and the value: 1 or 2.
    pub out_regs: u32,
    /// The value.
    pub net: Net,
}

#[derive(Clone, Debug)]
pub(crate) struct MemoryDecl {
    pub name: String,
    pub width: u32,
    pub depth: u32,
    pub style: MemStyle,
    pub contents: Option<Vec<Bits>>,
    pub write: Option<WritePort>,
    pub reads: Vec<ReadPort>,
    pub section: u32,
    pub at: &'static Location<'static>,
}

impl MemoryDecl {
    /// What it is made of: what was asked for, or, if that was nothing, block RAM where it is worth one.
    pub fn kind(&self) -> MemStyle {
        let (width, depth) = (u64::from(self.width), u64::from(self.depth));
        match self.style {
            MemStyle::Auto if depth <= 64 || width * depth < SMALL => MemStyle::Distributed,
            MemStyle::Auto => MemStyle::Block,
            style => style,
        }
    }
}

/// Bits from which on a memory of more than 64 words is a block RAM.
const SMALL: u64 = 2048;

/// The deepest memory that makes sense in one module.
const MOST_WORDS: u32 = 1 << 20;

impl Memory {
    /// Bits of an address.
    pub fn addr_width(self) -> u32 {
        address_width(self.depth)
    }

    /// Number of words.
    pub fn depth(self) -> u32 {
        self.depth
    }
}

/// Bits of an address of a memory of `depth` words; at least 1.
pub fn address_width(depth: u32) -> u32 {
    (u32::BITS - depth.saturating_sub(1).leading_zeros()).max(1)
}

impl Module {
    /// A memory with undefined contents at the start.
    #[track_caller]
    pub fn memory(&mut self, name: &str, width: u32, depth: u32, style: MemStyle) -> Memory {
        let at = Location::caller();
        let width = self.some_width(name, width, at);
        if !(2..=MOST_WORDS).contains(&depth) {
            let why = format!("{depth} words; 2 to {MOST_WORDS} are possible");
            self.fault(at, FaultKind::Memory { name: name.to_string(), why });
        }
        let depth = depth.clamp(2, MOST_WORDS);
        let name = self.free_name(name);
        let section = self.sections.len() as u32 - 1;
        let memory = Memory { index: self.memories.len() as u32, depth };
        self.memories.push(MemoryDecl {
            name,
            width,
            depth,
            style,
            contents: None,
            write: None,
            reads: Vec::new(),
            section,
            at,
        });
        memory
    }

    /// A memory that is never written. Words behind the contents are 0.
    #[track_caller]
    pub fn rom(&mut self, name: &str, width: u32, contents: &[Bits], style: MemStyle) -> Memory {
        let depth = (contents.len() as u32).max(2);
        let memory = self.memory(name, width, depth, style);
        self.contents(memory, contents);
        memory
    }

    /// Gives a memory its contents at the start (and after the load of an image, not after a reset).
    #[track_caller]
    pub fn contents(&mut self, memory: Memory, contents: &[Bits]) {
        let at = Location::caller();
        let Some((name, width, style)) = self.memory_of(memory, at) else { return };
        let found = contents.iter().map(Bits::width).find(|w| *w != width);
        let why = match found {
            Some(found) => format!("a word of {found} bits in one of {width}"),
            None if contents.len() > memory.depth as usize => {
                format!("{} words in {}", contents.len(), memory.depth)
            }
            None if style == MemStyle::Ultra => "UltraRAM cannot have contents".to_string(),
            None => {
                let mut words = contents.to_vec();
                words.resize(memory.depth as usize, Bits::zero(width));
                self.memories[memory.index as usize].contents = Some(words);
                return;
            }
        };
        self.fault(at, FaultKind::Memory { name, why });
    }

    /// The write port.
    #[track_caller]
    pub fn write_port(&mut self, memory: Memory, enable: Net, addr: Net, data: Net) {
        let at = Location::caller();
        let Some((name, width, _)) = self.memory_of(memory, at) else { return };
        if !self.port_fits(memory, enable, addr, at) {
            return;
        }
        let right = self.width(data);
        if right != width {
            return self.fault(at, FaultKind::Widths { what: "write_port", left: width, right });
        }
        let decl = &mut self.memories[memory.index as usize];
        if decl.write.is_some() {
            return self.fault(at, FaultKind::DrivenTwice { name });
        }
        decl.write = Some(WritePort { enable, addr, data });
    }

    /// A read port: the value `out_regs` (1 or 2) clocks after the address. The first register is the
    /// RAM's own and keeps its value while `enable` is 0; the second is always on.
    #[track_caller]
    pub fn read_port(&mut self, memory: Memory, enable: Net, addr: Net, out_regs: u32) -> Net {
        let at = Location::caller();
        let Some((name, width, _)) = self.memory_of(memory, at) else { return self.broken(1) };
        if !(1..=2).contains(&out_regs) {
            let why = format!("{out_regs} output registers; 1 or 2 are possible");
            self.fault(at, FaultKind::Memory { name, why });
            return self.broken(width);
        }
        if !self.port_fits(memory, enable, addr, at) {
            return self.broken(width);
        }
        let port = self.memories[memory.index as usize].reads.len() as u32;
        let net = self.push(Def::Read(memory, port), width);
        let wish = if port == 0 { format!("{name}_q") } else { format!("{name}_q{port}") };
        let wish = self.free_name(&wish);
        self.nets[net.0 as usize].name = Some(wish);
        self.memories[memory.index as usize].reads.push(ReadPort { enable, addr, out_regs, net });
        net
    }

    fn memory_of(
        &mut self,
        memory: Memory,
        at: &'static Location<'static>,
    ) -> Option<(String, u32, MemStyle)> {
        match self.memories.get(memory.index as usize) {
            Some(m) if m.depth == memory.depth => Some((m.name.clone(), m.width, m.style)),
            _ => {
                self.fault(at, FaultKind::Foreign);
                None
            }
        }
    }

    fn port_fits(
        &mut self,
        memory: Memory,
        enable: Net,
        addr: Net,
        at: &'static Location<'static>,
    ) -> bool {
        if !self.all_known(&[enable, addr], at) || !self.one_bit("memory port", enable, at) {
            return false;
        }
        let (left, right) = (memory.addr_width(), self.width(addr));
        if left != right {
            self.fault(at, FaultKind::Widths { what: "address of a memory", left, right });
        }
        left == right
    }
}
