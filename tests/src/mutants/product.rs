//! Original and mutant side by side as one circuit with one output, which is 1 where they differ.
//!
//! A register of which both get the same, whatever they hold and whatever comes in, is one register for both; so is a
//! memory. Of memories the writes must be the same, and a read of another address may give anything. All begin with the
//! same contents, whatever they are. So a proof that the output is never 1 is a proof that they are the same; the opposite
//! says nothing.

use super::gates::{FALSE, Gate, Gates, TRUE, Wire};
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

/// A node, and whether it is inverted.
type Literal = u32;

const ZERO: Literal = 0;
const ONE: Literal = 1;

/// What is known of the circuit's surroundings and past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Past {
    /// What both have in common may hold anything at any time.
    Any,
    /// They have been reset for some clocks at the beginning and never since, and what they give counts some clocks behind that.
    Reset,
}

/// Clocks of reset.
const RESET: usize = 4;
/// Clocks until outputs count: what came in during the reset is gone.
const SETTLED: usize = 24;

/// The circuit as BLIF; `None` when they are the same by their structure alone.
pub fn product(gates: &Gates, select: &str, number: u64, past: Past) -> Option<String> {
    let mut split = BTreeSet::new();
    loop {
        let mut pair = Pair::new(gates, select, number, &split);
        let more = pair.differing(&split);
        if more.is_empty() {
            let bad = pair.bad();
            return (bad != ZERO).then(|| pair.blif(bad, past));
        }
        split.extend(more);
    }
}

/// Ands by their operands, free nodes, and what both circuits are of them.
struct Pair<'a> {
    gates: &'a Gates,
    nodes: Vec<Option<[Literal; 2]>>,
    known: HashMap<[Literal; 2], Literal>,
    reset: Option<Literal>,
    /// The registers: what the original's and the mutant's hold.
    held: Vec<[Literal; 2]>,
    /// The values of all wires in both.
    sides: [Vec<Literal>; 2],
}

impl<'a> Pair<'a> {
    fn new(gates: &'a Gates, select: &str, number: u64, split: &BTreeSet<usize>) -> Self {
        let sides = [vec![ZERO; gates.wires], vec![ZERO; gates.wires]];
        let nodes = vec![None];
        let (known, held) = (HashMap::new(), Vec::new());
        let mut pair = Pair { gates, nodes, known, reset: None, held, sides };
        for side in &mut pair.sides {
            side[FALSE] = ZERO;
            side[TRUE] = ONE;
        }
        let mut at = 0;
        for (name, wire) in &gates.inputs {
            let base = name.split('[').next().unwrap_or_default();
            let values = if base == select {
                at += 1;
                [ZERO, Literal::from(number >> (at - 1) & 1 == 1)]
            } else {
                let free = pair.free();
                if name == "rst_ni" {
                    pair.reset = Some(free);
                }
                [free; 2]
            };
            pair.set(*wire, values);
        }
        for (index, (_, out)) in gates.registers.iter().enumerate() {
            let first = pair.free();
            let second = if split.contains(&index) { pair.free() } else { first };
            pair.held.push([first, second]);
            pair.set(*out, [first, second]);
        }
        for gate in &gates.gates {
            pair.gate(gate);
        }
        pair
    }

    fn free(&mut self) -> Literal {
        self.nodes.push(None);
        2 * (self.nodes.len() as Literal - 1)
    }

    fn set(&mut self, wire: Wire, [first, second]: [Literal; 2]) {
        self.sides[0][wire] = first;
        self.sides[1][wire] = second;
    }

    fn get(&self, wire: Wire) -> [Literal; 2] {
        [self.sides[0][wire], self.sides[1][wire]]
    }

    fn and(&mut self, a: Literal, b: Literal) -> Literal {
        let [a, b] = [a.min(b), a.max(b)];
        match (a, b) {
            (ZERO, _) => ZERO,
            (ONE, _) => b,
            _ if a == b => a,
            _ if a == b ^ 1 => ZERO,
            _ => {
                if let Some(node) = self.known.get(&[a, b]) {
                    return *node;
                }
                self.nodes.push(Some([a, b]));
                let node = 2 * (self.nodes.len() as Literal - 1);
                self.known.insert([a, b], node);
                node
            }
        }
    }

    fn or(&mut self, a: Literal, b: Literal) -> Literal {
        self.and(a ^ 1, b ^ 1) ^ 1
    }

    fn xor(&mut self, a: Literal, b: Literal) -> Literal {
        let (one, other) = (self.and(a, b ^ 1), self.and(a ^ 1, b));
        self.or(one, other)
    }

    fn differ(&mut self, wires: &[Wire]) -> Literal {
        let mut any = ZERO;
        for wire in wires {
            let [a, b] = self.get(*wire);
            let differs = self.xor(a, b);
            any = self.or(any, differs);
        }
        any
    }

    fn gate(&mut self, gate: &Gate) {
        match gate {
            Gate::And([a, b], out) => {
                let ([a0, a1], [b0, b1]) = (self.get(*a), self.get(*b));
                let values = [self.and(a0, b0), self.and(a1, b1)];
                self.set(*out, values);
            }
            Gate::Not(from, out) => {
                let [a, b] = self.get(*from);
                self.set(*out, [a ^ 1, b ^ 1]);
            }
            Gate::Same(from, out) => {
                let values = self.get(*from);
                self.set(*out, values);
            }
            Gate::Read(address, data) => {
                let other = self.differ(address);
                for wire in data {
                    let (stored, anything) = (self.free(), self.free());
                    // The same word where the address is the same.
                    let (same, not) = (self.and(other ^ 1, stored), self.and(other, anything));
                    let second = self.or(same, not);
                    self.set(*wire, [stored, second]);
                }
            }
        }
    }

    /// Registers that are one for both and do not get the same.
    fn differing(&self, split: &BTreeSet<usize>) -> Vec<usize> {
        let registers = self.gates.registers.iter().enumerate();
        registers
            .filter(|(index, (data, _))| {
                let [a, b] = self.get(*data);
                a != b && !split.contains(index)
            })
            .map(|(index, _)| index)
            .collect()
    }

    /// Whether outputs or writes differ.
    fn bad(&mut self) -> Literal {
        let gates = self.gates;
        let mut bad = self.differ(&gates.outputs);
        for write in &gates.writes {
            let elsewhere = self.differ(&write.address);
            for (enable, data) in write.enable.iter().zip(&write.data) {
                let [a, b] = self.get(*enable);
                let (one, both) = (self.xor(a, b), self.and(a, b));
                let other = self.differ(&[*data]);
                let wrong = self.or(elsewhere, other);
                let wrong = self.and(both, wrong);
                let wrong = self.or(one, wrong);
                bad = self.or(bad, wrong);
            }
        }
        bad
    }

    fn blif(&self, bad: Literal, past: Past) -> String {
        // By node: what register it is, and on which side.
        let mut registers = HashMap::new();
        for (index, held) in self.held.iter().enumerate() {
            for (side, literal) in held.iter().enumerate() {
                if (held[0] != held[1] || past == Past::Reset)
                    && registers.insert(literal / 2, (index, side)).is_some()
                {
                    // One for both.
                    registers.insert(literal / 2, (index, 0));
                }
            }
        }
        let (mut text, mut inputs) = (String::new(), String::new());
        let mut seen = vec![false; self.nodes.len()];
        let mut stack = vec![bad / 2];
        let mut begun = BTreeSet::new();
        while let Some(node) = stack.pop() {
            if node == 0 || std::mem::replace(&mut seen[node as usize], true) {
                continue;
            }
            let bit = |literal: Literal| 1 - (literal & 1);
            if let Some([a, b]) = self.nodes[node as usize] {
                let _ =
                    writeln!(text, ".names n{} n{} n{node}\n{}{} 1", a / 2, b / 2, bit(a), bit(b));
                stack.extend([a / 2, b / 2]);
            } else if let Some((index, side)) = registers.get(&node) {
                let (data, _) = self.gates.registers[*index];
                let next = self.get(data)[*side];
                let _ = writeln!(text, ".names n{} d{node}\n{} 1", next / 2, bit(next));
                let _ = writeln!(text, ".latch d{node} l{node} 0");
                let _ = writeln!(text, ".names begun l{node} i{index} n{node}\n11- 1\n0-1 1");
                if begun.insert(*index) {
                    let _ = write!(inputs, " i{index}");
                }
                stack.push(next / 2);
            } else if past == Past::Reset && self.reset == Some(2 * node) {
                let _ = writeln!(text, ".names r{} n{node}\n1 1", RESET - 1);
            } else {
                let _ = write!(inputs, " n{node}");
            }
        }
        let bit = 1 - (bad & 1);
        let counts = match past {
            Past::Any => "one".to_string(),
            Past::Reset => {
                for clock in 1..SETTLED {
                    let from = if clock == 1 { "one".into() } else { format!("r{}", clock - 1) };
                    let _ = writeln!(text, ".latch {from} r{clock} 0");
                }
                format!("r{}", SETTLED - 1)
            }
        };
        format!(
            ".model product\n.inputs{inputs}\n.outputs bad\n.names n0\n.names one\n1\n.latch one begun 0\n\
             .names n{} {counts} bad\n{bit}1 1\n{text}.end\n",
            bad / 2
        )
    }
}
