//! Nets to expressions: what gets a signal of its own and what is written where it is used.
//!
//! A net without a name and with one user is written into its user's expression, so that the Verilog
//! reads as the circuit was thought of. Multiplexers become `if`/`else`, on their own or inside the
//! statement that takes their value.

use super::block::{CLOSE, OPEN, expression};
use crate::net::{Binary, Def, Live, Module, Net, Reduce};
use restage_program::Bits;
use rust_hdl::core::ast::{VerilogExpression as E, VerilogOp, VerilogOpUnary};
use std::collections::{HashMap, HashSet};

/// Operands written into one expression at most, so that lines stay readable and nesting is bounded.
const MOST_PARTS: u32 = 12;

/// Multiplexers in one statement at most.
const MOST_NESTED: u32 = 24;

/// How an expression binds, as far as parentheses depend on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shape {
    /// Needs no parentheses anywhere.
    Atom,
    /// A chain of one operation that needs none among its like.
    Chain(Binary),
    Other,
}

/// What stands for a net in the text.
#[derive(Clone, Debug)]
struct Piece {
    e: E,
    shape: Shape,
    parts: u32,
}

/// A statement that gives a target its value.
#[derive(Clone, Debug)]
pub(super) enum Stmt {
    Value(E),
    /// The target stays as it is (only of registers).
    Keep,
    If(E, Box<Stmt>, Box<Stmt>),
    Case(E, Vec<(String, Stmt)>, Box<Stmt>),
}

/// Expressions for all nets of a module that matter.
pub(super) struct Lower<'a> {
    pub module: &'a Module,
    pub live: Live,
    /// Names of the nets that have a signal.
    names: Vec<Option<String>>,
    pieces: Vec<Option<Piece>>,
    /// Multiplexers that are written into the statement of their only user.
    nested: Vec<u32>,
    taken: HashSet<String>,
    /// Wires that are nothing but an output of an instance, and those outputs: one signal for both.
    joined: HashMap<Net, Net>,
}

impl<'a> Lower<'a> {
    pub fn new(module: &'a Module) -> Self {
        let count = module.nets.len();
        let mut lower = Lower {
            module,
            live: Live::of(module),
            names: vec![None; count],
            pieces: vec![None; count],
            nested: vec![0; count],
            taken: module.names().clone(),
            joined: HashMap::new(),
        };
        lower.join();
        let alone = lower.needing_names();
        // Loops have been refused, so there is an order.
        for net in module.order().unwrap_or_default() {
            if lower.live.has(net) || matches!(module.decl(net).def, Def::Input | Def::Pin(..)) {
                lower.place(net, &alone);
            }
        }
        lower
    }

    /// Finds wires that can lend their name to the output of an instance that drives them.
    fn join(&mut self) {
        for (index, decl) in self.module.nets.iter().enumerate() {
            let net = Net(index as u32);
            let Def::Wire(wire) = decl.def else { continue };
            if let Some(pin) = self.module.wires[wire.index as usize].driver
                && matches!(self.module.decl(pin).def, Def::Pin(..))
                && self.live.uses[pin.0 as usize] == 1
                && self.live.unused(self.module, net).is_empty()
                && decl.name.is_some()
            {
                self.joined.insert(net, pin);
                self.joined.insert(pin, net);
            }
        }
    }

    /// Whether a net is a wire that has the signal of the instance's output that drives it.
    pub fn is_joined(&self, net: Net) -> bool {
        self.joined.contains_key(&net)
    }

    /// Nets that cannot be written into an expression: sliced ones; and those that may be statements.
    fn needing_names(&self) -> Places {
        let count = self.module.nets.len();
        let mut places = Places { sliced: vec![false; count], statement: vec![false; count] };
        for (index, decl) in self.module.nets.iter().enumerate() {
            if !self.live.has(Net(index as u32)) {
                continue;
            }
            match &decl.def {
                Def::Slice { of, .. } => places.sliced[of.0 as usize] = true,
                Def::Mux(_, a, b) => {
                    places.statement[a.0 as usize] = true;
                    places.statement[b.0 as usize] = true;
                }
                Def::Case { arms, default, .. } => {
                    for net in arms.iter().map(|(_, v)| v).chain([default]) {
                        places.statement[net.0 as usize] = true;
                    }
                }
                Def::Reg(reg) => {
                    if let Some((next, _)) = &self.module.regs[reg.index as usize].driver {
                        places.statement[next.0 as usize] = true;
                    }
                }
                Def::Wire(wire) => {
                    if let Some(driver) = self.module.wires[wire.index as usize].driver {
                        places.statement[driver.0 as usize] = true;
                    }
                }
                _ => {}
            }
        }
        places
    }

    fn place(&mut self, net: Net, places: &Places) {
        let index = net.0 as usize;
        let decl = self.module.decl(net);
        let single = self.live.uses[index] == 1 && !places.sliced[index];
        let signal = match &decl.def {
            Def::Const(_) => false,
            Def::Slice { .. } => decl.name.is_some(),
            Def::Input
            | Def::Delay { .. }
            | Def::Reg(_)
            | Def::Wire(_)
            | Def::Read(..)
            | Def::Pin(..) => true,
            _ if decl.name.is_some() || places.sliced[index] => true,
            Def::Not(a) => {
                let short = self.operand(*a).shape == Shape::Atom && self.operand(*a).parts == 1;
                !short && !single
            }
            Def::Repeat(_) => false,
            Def::Mux(_, a, b) => {
                let depth = 1 + self.nested[a.0 as usize].max(self.nested[b.0 as usize]);
                self.nest(net, depth, single && places.statement[index])
            }
            Def::Case { arms, default, .. } => {
                let values = arms.iter().map(|(_, v)| v).chain([default]);
                let depth = 1 + values.map(|v| self.nested[v.0 as usize]).max().unwrap_or(0);
                self.nest(net, depth, single && places.statement[index])
            }
            _ => !single,
        };
        if !signal && self.nested[index] == 0 {
            let piece = self.piece(net);
            if piece.parts <= MOST_PARTS || matches!(decl.def, Def::Const(_) | Def::Slice { .. }) {
                self.pieces[index] = Some(piece);
                return;
            }
        }
        if self.nested[index] == 0 {
            self.declare(net);
        }
    }

    /// Whether a multiplexer of this depth needs a signal; notes it if not.
    fn nest(&mut self, net: Net, depth: u32, possible: bool) -> bool {
        let fits = possible && depth < MOST_NESTED;
        self.nested[net.0 as usize] = if fits { depth } else { 0 };
        !fits
    }

    fn declare(&mut self, net: Net) {
        let decl = self.module.decl(net);
        let port = match decl.def {
            Def::Delay { .. } => self.module.outputs.iter().find(|o| o.net == net),
            _ => None,
        };
        let wire = match decl.def {
            Def::Pin(..) => self.joined.get(&net).and_then(|w| self.module.decl(*w).name.as_ref()),
            _ => None,
        };
        let name = match (wire.or(decl.name.as_ref()), port) {
            (Some(name), _) => name.clone(),
            // The register of an output is the output.
            (None, Some(output)) => output.name.clone(),
            (None, None) => {
                let wish = self.hint(net);
                self.fresh(&wish)
            }
        };
        self.pieces[net.0 as usize] =
            Some(Piece { e: E::Signal(name.clone()), shape: Shape::Atom, parts: 1 });
        self.names[net.0 as usize] = Some(name);
    }

    /// A name that nothing else has.
    pub fn fresh(&mut self, wish: &str) -> String {
        let mut name = wish.to_string();
        let mut number = 2;
        while !self.taken.insert(name.clone()) {
            name = format!("{wish}_{number}");
            number += 1;
        }
        name
    }

    /// What an unnamed net could be called.
    fn hint(&self, net: Net) -> String {
        let what = match &self.module.decl(net).def {
            Def::Delay { of, cycles } => return format!("{}_d{cycles}", self.base(*of)),
            Def::Not(a) => return format!("not_{}", self.base(*a)),
            Def::Binary(Binary::And, ..) => "both",
            Def::Binary(Binary::Or, ..) => "either",
            Def::Binary(Binary::Xor, ..) => "differ",
            Def::Binary(Binary::Add, ..) => "sum",
            Def::Binary(Binary::Sub, ..) => "difference",
            Def::Binary(Binary::Mul, ..) => "product",
            Def::Binary(Binary::Eq, ..) => "equal",
            Def::Binary(Binary::Ne, ..) => "unequal",
            Def::Binary(Binary::Lt, ..) => "less",
            Def::Binary(Binary::Le, ..) => "at_most",
            Def::Reduce(Reduce::Any, _) => "some_bit",
            Def::Reduce(Reduce::All, _) => "all_bits",
            Def::Reduce(Reduce::Parity, _) => "parity",
            Def::Mux(..) => "choice",
            Def::Case { .. } => "chosen",
            _ => "part",
        };
        format!("{what}_{}", net.0)
    }

    fn base(&self, net: Net) -> String {
        let decl = self.module.decl(net);
        match (&self.names[net.0 as usize], &decl.name, &decl.def) {
            (Some(name), ..) | (None, Some(name), _) => name.clone(),
            (_, _, Def::Slice { of, lo }) => {
                format!("{}_{}_{lo}", self.base_of_slice(*of), lo + decl.width - 1)
            }
            _ => self.hint_without_chain(net),
        }
    }

    fn base_of_slice(&self, of: Net) -> String {
        let name = &self.names[of.0 as usize];
        name.clone().unwrap_or_else(|| format!("n_{}", of.0))
    }

    fn hint_without_chain(&self, net: Net) -> String {
        match self.module.decl(net).def {
            Def::Delay { .. } | Def::Not(_) => format!("n_{}", net.0),
            _ => self.hint(net),
        }
    }

    /// The name of a net's signal, if it has one.
    pub fn signal(&self, net: Net) -> Option<&str> {
        self.names[net.0 as usize].as_deref()
    }

    fn operand(&self, net: Net) -> Piece {
        match &self.pieces[net.0 as usize] {
            Some(piece) => piece.clone(),
            // Cannot be: operands come before their users.
            None => Piece { e: E::Signal("1'bx".to_string()), shape: Shape::Atom, parts: 1 },
        }
    }

    /// The expression of a net, to be used as a whole.
    pub fn value(&self, net: Net) -> E {
        self.operand(net).e
    }

    fn piece(&self, net: Net) -> Piece {
        let decl = self.module.decl(net);
        match &decl.def {
            Def::Const(bits) => Piece { e: E::Signal(literal(bits)), shape: Shape::Atom, parts: 1 },
            Def::Not(a) => unary(VerilogOpUnary::Not, self.operand(*a)),
            Def::Reduce(op, a) => {
                let op = match op {
                    Reduce::Any => VerilogOpUnary::Any,
                    Reduce::All => VerilogOpUnary::All,
                    Reduce::Parity => VerilogOpUnary::Xor,
                };
                let piece = unary(op, self.operand(*a));
                Piece { shape: Shape::Other, ..piece }
            }
            Def::Binary(op, a, b) => binary(*op, self.operand(*a), self.operand(*b)),
            Def::Slice { of, lo } => {
                let name = self.base_of_slice(*of);
                let range = match decl.width {
                    1 => format!("{lo}"),
                    width => format!("{}:{lo}", lo + width - 1),
                };
                let text = format!("{name}{OPEN}{range}{CLOSE}");
                Piece { e: E::Signal(text), shape: Shape::Atom, parts: 1 }
            }
            Def::Concat(list) => {
                let mut texts = Vec::with_capacity(list.len());
                let mut parts = 0;
                for part in list {
                    let piece = self.operand(*part);
                    parts += piece.parts;
                    texts.push(expression(piece.e));
                }
                let text = format!("{{{}}}", texts.join(", "));
                Piece { e: E::Signal(text), shape: Shape::Atom, parts }
            }
            Def::Repeat(a) => {
                let piece = self.operand(*a);
                let text = format!("{{{}{{{}}}}}", decl.width, expression(piece.e));
                Piece { e: E::Signal(text), shape: Shape::Atom, parts: piece.parts }
            }
            _ => self.operand(net),
        }
    }

    /// The statement that computes a net from its operands, for the net's own signal.
    pub fn definition(&self, net: Net) -> Stmt {
        match &self.module.decl(net).def {
            Def::Mux(sel, a, b) => Stmt::If(
                self.value(*sel),
                Box::new(self.statement(*a, None)),
                Box::new(self.statement(*b, None)),
            ),
            Def::Case { sel, arms, default } => self.case(*sel, arms, *default, None),
            _ => Stmt::Value(self.piece(net).e),
        }
    }

    /// The statement that gives some target this net's value; `keep` is the target if it is a register.
    pub fn statement(&self, net: Net, keep: Option<Net>) -> Stmt {
        if keep == Some(net) {
            return Stmt::Keep;
        }
        if self.nested[net.0 as usize] == 0 {
            return Stmt::Value(self.value(net));
        }
        match &self.module.decl(net).def {
            Def::Mux(sel, a, b) => Stmt::If(
                self.value(*sel),
                Box::new(self.statement(*a, keep)),
                Box::new(self.statement(*b, keep)),
            ),
            Def::Case { sel, arms, default } => self.case(*sel, arms, *default, keep),
            _ => Stmt::Value(self.value(net)),
        }
    }

    fn case(&self, sel: Net, arms: &[(Bits, Net)], default: Net, keep: Option<Net>) -> Stmt {
        let arms =
            arms.iter().map(|(number, v)| (literal(number), self.statement(*v, keep))).collect();
        Stmt::Case(self.value(sel), arms, Box::new(self.statement(default, keep)))
    }
}

/// By net.
struct Places {
    /// Verilog slices names only.
    sliced: Vec<bool>,
    /// Used where a statement may stand.
    statement: Vec<bool>,
}

fn unary(op: VerilogOpUnary, a: Piece) -> Piece {
    let e = if a.shape == Shape::Atom { a.e } else { E::Paren(Box::new(a.e)) };
    Piece { e: E::Unary(op, Box::new(e)), shape: Shape::Atom, parts: a.parts }
}

fn binary(op: Binary, a: Piece, b: Piece) -> Piece {
    let word = match op {
        Binary::And => VerilogOp::BitAnd,
        Binary::Or => VerilogOp::BitOr,
        Binary::Xor => VerilogOp::BitXor,
        Binary::Add => VerilogOp::Add,
        Binary::Sub => VerilogOp::Sub,
        Binary::Mul => VerilogOp::Mul,
        Binary::Eq => VerilogOp::Eq,
        Binary::Ne => VerilogOp::Ne,
        Binary::Lt => VerilogOp::Lt,
        Binary::Le => VerilogOp::Le,
    };
    let chains = matches!(op, Binary::And | Binary::Or | Binary::Xor | Binary::Add);
    let wrap = |piece: Piece| match piece.shape {
        Shape::Atom => piece.e,
        Shape::Chain(other) if chains && other == op => piece.e,
        _ => E::Paren(Box::new(piece.e)),
    };
    let parts = a.parts + b.parts;
    let shape = if chains { Shape::Chain(op) } else { Shape::Other };
    Piece { e: E::Binary(Box::new(wrap(a)), word, Box::new(wrap(b))), shape, parts }
}

/// A sized number.
pub(super) fn literal(bits: &Bits) -> String {
    match bits.width() {
        1 => format!("1'b{}", u8::from(bits.bit(0))),
        width => format!("{width}'h{bits:x}"),
    }
}
