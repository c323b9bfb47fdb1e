//! A module, bit by bit.

use super::cover::cover;
use super::gates::{Gates, Lit};
use crate::net::resources::SHIFT_REGISTER;
use crate::net::{Binary, Def, Module, Net, Reduce};
use std::collections::HashMap;

/// Sums of so many bits and fewer are logic without carries.
const NO_CARRY: u32 = 2;
/// Bits of two operands that a step of a comparing carry chain takes; of one, where the other is constant in some bits.
const COMPARED: usize = 3;
const COMPARED_CONSTANT: usize = 6;

/// Bits of a delay that are needed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Line {
    /// Of what.
    pub of: Net,
    /// Clocks.
    pub cycles: u32,
    /// How many bits.
    pub bits: u64,
}

/// What is needed of a module.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Lookup tables of the logic.
    pub luts: u64,
    /// Bits of registers, delays aside.
    pub registers: u64,
    pub lines: Vec<Line>,
    /// For each memory the bits of a word that are needed through each of its read ports.
    pub reads: Vec<Vec<u64>>,
    /// Bits of both factors of products.
    pub products: Vec<[u64; 2]>,
}

/// What cuts the logic; its outputs are sources.
#[derive(Clone, Copy, Debug)]
enum Cut {
    Outside,
    Register {
        index: u32,
        bit: u32,
    },
    Delay {
        net: Net,
        bit: u32,
    },
    Read {
        memory: u32,
        port: u32,
        bit: u32,
    },
    /// The last input that counts, in the list of a box.
    Box {
        index: u32,
        upto: u32,
    },
}

/// A carry chain or a multiplier: what it is made of.
#[derive(Clone, Debug, Default)]
struct Boxed {
    /// Inputs, those of the lowest bits first.
    inputs: Vec<Lit>,
    product: Option<[u64; 2]>,
}

struct Bits<'a> {
    module: &'a Module,
    gates: Gates,
    of: Vec<Option<Vec<Lit>>>,
    cuts: HashMap<usize, Cut>,
    boxes: Vec<Boxed>,
}

/// What the outputs of a module need; nothing of a module with loops.
pub fn find(module: &Module) -> Found {
    let mut bits = Bits {
        module,
        gates: Gates::new(),
        of: vec![None; module.nets.len()],
        cuts: HashMap::new(),
        boxes: Vec::new(),
    };
    let Ok(order) = module.order() else { return Found::default() };
    for net in order {
        let made = bits.net(net);
        bits.of[net.0 as usize] = Some(made);
    }
    bits.needed()
}

impl Bits<'_> {
    fn at(&self, net: Net) -> Vec<Lit> {
        self.of[net.0 as usize].clone().unwrap_or_else(|| vec![Lit::ZERO; self.width(net)])
    }

    fn bit(&self, net: Net) -> Lit {
        self.of[net.0 as usize].as_ref().and_then(|b| b.first()).copied().unwrap_or(Lit::ZERO)
    }

    fn width(&self, net: Net) -> usize {
        self.module.width(net) as usize
    }

    fn source(&mut self, cut: Cut) -> Lit {
        let lit = self.gates.source();
        self.cuts.insert(lit.node(), cut);
        lit
    }

    fn sources(&mut self, width: usize, cut: impl Fn(u32) -> Cut) -> Vec<Lit> {
        (0..width as u32).map(|bit| self.source(cut(bit))).collect()
    }

    /// The bits of a net, the lowest first.
    fn net(&mut self, net: Net) -> Vec<Lit> {
        let width = self.width(net);
        match &self.module.decl(net).def {
            Def::Input | Def::Pin(..) | Def::Fault => self.sources(width, |_| Cut::Outside),
            Def::Const(bits) => (0..bits.width()).map(|i| bits.bit(i).into()).collect(),
            Def::Not(a) => self.at(*a).into_iter().map(|bit| !bit).collect(),
            Def::Binary(op, a, b) => self.binary(*op, *a, *b),
            Def::Reduce(op, a) => {
                let a = self.at(*a);
                vec![match op {
                    Reduce::Any => self.gates.any(&a),
                    Reduce::All => self.gates.all(&a),
                    Reduce::Parity => self.parity(&a),
                }]
            }
            Def::Mux(sel, one, zero) => {
                let sel = self.bit(*sel);
                self.mux(sel, &self.at(*one), &self.at(*zero))
            }
            Def::Case { sel, arms, default } => {
                let sel = self.at(*sel);
                let mut chosen = vec![Vec::new(); width];
                let mut hits = Vec::new();
                for (number, value) in arms {
                    let like = (0..).zip(&sel);
                    let like: Vec<Lit> =
                        like.map(|(i, bit)| if number.bit(i) { *bit } else { !*bit }).collect();
                    let hit = self.gates.all(&like);
                    hits.push(hit);
                    for (terms, bit) in chosen.iter_mut().zip(self.at(*value)) {
                        terms.push(self.gates.and(hit, bit));
                    }
                }
                let none = !self.gates.any(&hits);
                for (terms, bit) in chosen.iter_mut().zip(self.at(*default)) {
                    terms.push(self.gates.and(none, bit));
                }
                chosen
                    .into_iter()
                    .map(|mut terms| {
                        terms.retain(|t| *t != Lit::ZERO);
                        self.gates.any(&terms)
                    })
                    .collect()
            }
            Def::Slice { of, lo } => self.at(*of)[*lo as usize..*lo as usize + width].to_vec(),
            Def::Concat(parts) => parts.iter().rev().flat_map(|part| self.at(*part)).collect(),
            Def::Repeat(a) => vec![self.bit(*a); width],
            Def::Wire(wire) => {
                let driver = self.module.wires.get(wire.index as usize).and_then(|w| w.driver);
                match driver {
                    Some(driver) => self.at(driver),
                    None => self.sources(width, |_| Cut::Outside),
                }
            }
            Def::Delay { of, .. } => {
                // What is delayed is there already, except round a loop through a wire.
                let before = self.of[of.0 as usize].clone();
                let known = |bit: u32| before.as_ref().and_then(|b| b.get(bit as usize)).copied();
                (0..width as u32)
                    .map(|bit| match known(bit).filter(|lit| lit.constant()) {
                        Some(constant) => constant,
                        None => self.source(Cut::Delay { net, bit }),
                    })
                    .collect()
            }
            Def::Reg(reg) => {
                let index = reg.index;
                self.sources(width, |bit| Cut::Register { index, bit })
            }
            Def::Read(memory, port) => {
                let (memory, port) = (memory.index, *port);
                self.sources(width, |bit| Cut::Read { memory, port, bit })
            }
        }
    }

    fn mux(&mut self, sel: Lit, one: &[Lit], zero: &[Lit]) -> Vec<Lit> {
        one.iter().zip(zero).map(|(one, zero)| self.gates.mux(sel, *one, *zero)).collect()
    }

    fn parity(&mut self, bits: &[Lit]) -> Lit {
        let moving: Vec<Lit> = bits.iter().copied().filter(|b| *b != Lit::ZERO).collect();
        self.gates.tree(&moving, Gates::xor).unwrap_or(Lit::ZERO)
    }

    fn binary(&mut self, op: Binary, a: Net, b: Net) -> Vec<Lit> {
        let (a, b) = (self.at(a), self.at(b));
        match op {
            Binary::And => self.each(&a, &b, Gates::and),
            Binary::Or => self.each(&a, &b, Gates::or),
            Binary::Xor => self.each(&a, &b, Gates::xor),
            Binary::Eq | Binary::Ne => {
                let differ = self.each(&a, &b, Gates::xor);
                let any = self.gates.any(&differ);
                vec![if op == Binary::Eq { !any } else { any }]
            }
            Binary::Add => self.sum(&a, &b, Lit::ZERO),
            Binary::Sub => {
                let b: Vec<Lit> = b.into_iter().map(|bit| !bit).collect();
                self.sum(&a, &b, Lit::ONE)
            }
            Binary::Lt => vec![self.greater(&b, &a, false)],
            Binary::Le => vec![self.greater(&b, &a, true)],
            Binary::Mul => {
                let moving = |x: &[Lit]| x.iter().filter(|b| !b.constant()).count() as u64;
                let size = |x: &[Lit]| match moving(x) {
                    0 => x.iter().rposition(|b| *b == Lit::ONE).map_or(0, |at| at as u64 + 1),
                    some => some,
                };
                let product = Some([size(&a), size(&b)]);
                let inputs: Vec<Lit> = a.iter().chain(&b).copied().collect();
                let (index, upto) = (self.boxes.len() as u32, inputs.len() as u32);
                self.boxes.push(Boxed { inputs, product });
                self.sources(a.len(), |_| Cut::Box { index, upto })
            }
        }
    }

    fn each(
        &mut self,
        a: &[Lit],
        b: &[Lit],
        one: impl Fn(&mut Gates, Lit, Lit) -> Lit,
    ) -> Vec<Lit> {
        a.iter().zip(b).map(|(a, b)| one(&mut self.gates, *a, *b)).collect()
    }

    /// A carry chain takes for each bit whether its operands differ, and one of them.
    fn sum(&mut self, a: &[Lit], b: &[Lit], carry: Lit) -> Vec<Lit> {
        let differ = self.each(a, b, Gates::xor);
        if a.len() as u32 <= NO_CARRY {
            let mut carry = carry;
            let mut sum = Vec::new();
            for (a, differ) in a.iter().zip(differ) {
                sum.push(self.gates.xor(differ, carry));
                carry = self.gates.mux(differ, carry, *a);
            }
            return sum;
        }
        let inputs = differ.iter().zip(a).flat_map(|(d, a)| [*d, *a]).collect();
        let index = self.boxes.len() as u32;
        self.boxes.push(Boxed { inputs, product: None });
        self.sources(a.len(), |bit| Cut::Box { index, upto: 2 * bit + 2 })
    }

    /// Whether `a` is above `b`, or equal: steps of some bits each, from the highest on.
    fn greater(&mut self, a: &[Lit], b: &[Lit], or_equal: bool) -> Lit {
        let constant = a.iter().chain(b).any(|bit| bit.constant());
        let step = if constant { COMPARED_CONSTANT } else { COMPARED };
        let mut steps = Vec::new();
        for (a, b) in a.chunks(step).zip(b.chunks(step)) {
            let (mut above, mut equal) = (Lit::ZERO, Lit::ONE);
            for (a, b) in a.iter().zip(b) {
                let differ = self.gates.xor(*a, *b);
                above = self.gates.mux(differ, *a, above);
                equal = self.gates.and(equal, !differ);
            }
            steps.push((above, equal));
        }
        if steps.len() as u32 <= NO_CARRY {
            let mut out: Lit = or_equal.into();
            for (above, equal) in steps {
                let passed = self.gates.and(equal, out);
                out = self.gates.or(above, passed);
            }
            return out;
        }
        let inputs: Vec<Lit> =
            steps.into_iter().flat_map(|(above, equal)| [above, equal]).collect();
        let (index, upto) = (self.boxes.len() as u32, inputs.len() as u32);
        self.boxes.push(Boxed { inputs, product: None });
        self.source(Cut::Box { index, upto })
    }

    /// The data input of a register. A choice of a constant in front of it becomes its reset, or its set.
    fn data(&self, mut net: Net, bit: u32, walk: &mut Walk) {
        let mut bit = bit as usize;
        loop {
            let (next, at) = match &self.module.decl(net).def {
                Def::Slice { of, lo } => (*of, bit + *lo as usize),
                Def::Mux(sel, one, zero) => {
                    let [a, b] = [*one, *zero].map(|n| self.at(n)[bit]);
                    let other = match (a.constant(), b.constant()) {
                        (true, false) => *zero,
                        (false, true) => *one,
                        _ => break,
                    };
                    walk.want(self.bit(*sel));
                    (other, bit)
                }
                Def::Case { sel, arms, default } if self.at(*default)[bit].constant() => {
                    let mut values = arms.iter().map(|(_, value)| *value);
                    let first = values.next().filter(|f| values.all(|v| v == *f));
                    let Some(first) = first else { break };
                    self.at(*sel).into_iter().for_each(|lit| walk.want(lit));
                    (first, bit)
                }
                _ => break,
            };
            (net, bit) = (next, at);
        }
        walk.want(self.at(net)[bit]);
    }

    /// Follows what the outputs need through everything that cuts logic, and covers the logic in between.
    fn needed(self) -> Found {
        let module = self.module;
        let mut walk =
            Walk { seen: vec![false; self.gates.len()], roots: Vec::new(), open: Vec::new() };
        let mut found = Found {
            reads: module.memories.iter().map(|m| vec![0; m.reads.len()]).collect(),
            ..Found::default()
        };
        let mut enabled = vec![false; module.regs.len()];
        let mut written = vec![false; module.memories.len()];
        let mut read: HashMap<(u32, u32), ()> = HashMap::new();
        let mut boxed: Vec<u32> = vec![0; self.boxes.len()];
        let mut delays: HashMap<Net, u64> = HashMap::new();
        // The shortest delay of each net: what is longer begins behind it.
        let mut first: HashMap<Net, u32> = HashMap::new();
        for decl in &module.nets {
            if let Def::Delay { of, cycles } = decl.def {
                let shortest = first.entry(of).or_insert(cycles);
                *shortest = cycles.min(*shortest);
            }
        }
        let outside = module.outputs.iter().map(|o| o.net);
        let inside = module.instances.iter().flat_map(|i| i.inputs.iter().flatten().copied());
        for net in outside.chain(inside) {
            self.at(net).into_iter().for_each(|lit| walk.want(lit));
        }
        while let Some(node) = walk.open.pop() {
            if let Some(inputs) = self.gates.and_of(node) {
                inputs.iter().for_each(|lit| walk.see(lit.node()));
                continue;
            }
            match self.cuts.get(&node).copied().unwrap_or(Cut::Outside) {
                Cut::Outside => {}
                Cut::Register { index, bit } => {
                    found.registers += 1;
                    let Some((next, drive)) = &module.regs[index as usize].driver else { continue };
                    self.data(*next, bit, &mut walk);
                    if !std::mem::replace(&mut enabled[index as usize], true) {
                        drive.enable.iter().for_each(|e| walk.want(self.bit(*e)));
                    }
                }
                Cut::Delay { net, bit } => {
                    *delays.entry(net).or_default() += 1;
                    if let Def::Delay { of, .. } = module.decl(net).def {
                        let cycles = first.get(&of).copied().unwrap_or(0);
                        if cycles < SHIFT_REGISTER {
                            self.data(of, bit, &mut walk);
                        } else {
                            walk.want(self.at(of)[bit as usize]);
                        }
                    }
                }
                Cut::Read { memory, port, bit } => {
                    let decl = &module.memories[memory as usize];
                    found.reads[memory as usize][port as usize] += 1;
                    if let Some(write) = &decl.write {
                        walk.want(self.at(write.data)[bit as usize]);
                        if !std::mem::replace(&mut written[memory as usize], true) {
                            walk.want(self.bit(write.enable));
                            self.at(write.addr).into_iter().for_each(|lit| walk.want(lit));
                        }
                    }
                    if read.insert((memory, port), ()).is_none() {
                        let port = &decl.reads[port as usize];
                        walk.want(self.bit(port.enable));
                        self.at(port.addr).into_iter().for_each(|lit| walk.want(lit));
                    }
                }
                Cut::Box { index, upto } => {
                    let made = &self.boxes[index as usize];
                    let before = boxed[index as usize];
                    boxed[index as usize] = before.max(upto);
                    if before == 0 {
                        found.products.extend(made.product);
                    }
                    if upto > before {
                        let new = &made.inputs[before as usize..upto as usize];
                        new.iter().for_each(|lit| walk.want(*lit));
                    }
                }
            }
        }
        for (net, bits) in delays {
            if let Def::Delay { of, cycles } = module.decl(net).def {
                found.lines.push(Line { of, cycles, bits });
            }
        }
        found.lines.sort_unstable();
        walk.roots.sort_unstable();
        walk.roots.dedup();
        found.luts = cover(&self.gates, &walk.roots);
        found
    }
}

/// What has been reached.
struct Walk {
    seen: Vec<bool>,
    roots: Vec<Lit>,
    open: Vec<usize>,
}

impl Walk {
    fn see(&mut self, node: usize) {
        if !std::mem::replace(&mut self.seen[node], true) {
            self.open.push(node);
        }
    }

    /// It is an input of something that is no logic.
    fn want(&mut self, lit: Lit) {
        if !lit.constant() {
            self.roots.push(lit);
            self.see(lit.node());
        }
    }
}
