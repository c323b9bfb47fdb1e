//! A module as ands, inverters, registers and memories, read from what yosys writes as BLIF.

use std::collections::HashMap;

/// A wire. The first two are the constants.
pub type Wire = usize;

/// The wire that is 0, as is what means nothing.
pub const FALSE: Wire = 0;
/// The wire that is 1.
pub const TRUE: Wire = 1;

/// What gives wires their values within a clock.
#[derive(Clone, Debug)]
pub enum Gate {
    /// The conjunction of two wires, each inverted if so said, and what it gives.
    And([Wire; 2], Wire),
    /// The opposite.
    Not(Wire, Wire),
    /// The same.
    Same(Wire, Wire),
    /// A read of a memory: address and data.
    Read(Vec<Wire>, Vec<Wire>),
}

/// A write port of a memory: enable of every bit, address, data.
#[derive(Clone, Debug)]
pub struct Write {
    pub enable: Vec<Wire>,
    pub address: Vec<Wire>,
    pub data: Vec<Wire>,
}

/// A module.
#[derive(Clone, Debug, Default)]
pub struct Gates {
    pub inputs: Vec<(String, Wire)>,
    pub outputs: Vec<Wire>,
    /// What comes first does not depend on what comes later.
    pub gates: Vec<Gate>,
    /// What each register gets and gives.
    pub registers: Vec<(Wire, Wire)>,
    pub writes: Vec<Write>,
    /// How many wires there are.
    pub wires: usize,
}

impl Gate {
    fn inputs(&self) -> &[Wire] {
        match self {
            Gate::And(inputs, _) => inputs,
            Gate::Not(input, _) | Gate::Same(input, _) => std::slice::from_ref(input),
            Gate::Read(address, _) => address,
        }
    }

    fn outputs(&self) -> &[Wire] {
        match self {
            Gate::And(_, out) | Gate::Not(_, out) | Gate::Same(_, out) => std::slice::from_ref(out),
            Gate::Read(_, data) => data,
        }
    }
}

impl Gates {
    /// Reads it; `None` when there is something in it that is not known here.
    pub fn read(blif: &str) -> Option<Self> {
        let text = blif.replace("\\\n", " ");
        let mut names = Names::default();
        let mut module = Gates::default();
        let mut memory: Option<Memory> = None;
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let first = words.next();
            if first != Some(".param")
                && let Some(memory) = memory.take()
            {
                memory.put(&mut module)?;
            }
            match first {
                Some(".inputs") => {
                    module.inputs.extend(words.map(|w| (w.to_string(), names.wire(w))));
                }
                Some(".outputs") => module.outputs.extend(words.map(|w| names.wire(w))),
                Some(".names") => {
                    let wires: Vec<Wire> = words.map(|w| names.wire(w)).collect();
                    if let [from, to] = wires[..] {
                        module.gates.push(Gate::Same(from, to));
                    }
                }
                Some(".subckt") => {
                    let kind = words.next()?;
                    let mut ports: HashMap<&str, Vec<(usize, Wire)>> = HashMap::new();
                    for word in words {
                        let (port, wire) = word.split_once('=')?;
                        let (port, index) = match port.split_once('[') {
                            Some((port, index)) => (port, index.strip_suffix(']')?.parse().ok()?),
                            None => (port, 0),
                        };
                        ports.entry(port).or_default().push((index, names.wire(wire)));
                    }
                    let mut bits = |name: &str| {
                        let mut bits = ports.remove(name).unwrap_or_default();
                        bits.sort();
                        bits.into_iter().map(|(_, wire)| wire).collect::<Vec<_>>()
                    };
                    let one = |bits: Vec<Wire>| bits.first().copied();
                    match kind {
                        "$_AND_" => {
                            let inputs = [one(bits("A"))?, one(bits("B"))?];
                            module.gates.push(Gate::And(inputs, one(bits("Y"))?));
                        }
                        "$_NOT_" => {
                            module.gates.push(Gate::Not(one(bits("A"))?, one(bits("Y"))?));
                        }
                        "$_DFF_P_" => {
                            module.registers.push((one(bits("D"))?, one(bits("Q"))?));
                        }
                        "$mem_v2" => {
                            let reads = [bits("RD_ADDR"), bits("RD_DATA")];
                            let writes = [bits("WR_EN"), bits("WR_ADDR"), bits("WR_DATA")];
                            memory = Some(Memory { reads, writes, ports: HashMap::new() });
                        }
                        _ => return None,
                    }
                }
                Some(".param") => {
                    let (name, value) = (words.next()?, words.next()?);
                    if let Some(memory) = &mut memory
                        && let Ok(value) = usize::from_str_radix(value, 2)
                    {
                        memory.ports.insert(name.to_string(), value);
                    }
                }
                _ => {}
            }
        }
        module.wires = names.0.len().max(2);
        module.sorted()
    }

    /// The same with its gates in order; `None` if they go round.
    fn sorted(mut self) -> Option<Self> {
        let mut driver = vec![usize::MAX; self.wires];
        for (at, gate) in self.gates.iter().enumerate() {
            gate.outputs().iter().for_each(|wire| driver[*wire] = at);
        }
        // 0: not seen, 1: what it depends on is under way, 2: done.
        let mut state = vec![0u8; self.gates.len()];
        let mut order = Vec::with_capacity(self.gates.len());
        let mut stack: Vec<usize> = (0..self.gates.len()).rev().collect();
        while let Some(at) = stack.pop() {
            match state[at] {
                0 => {
                    state[at] = 1;
                    stack.push(at);
                    for wire in self.gates[at].inputs() {
                        match driver[*wire] {
                            usize::MAX => {}
                            from if state[from] == 0 => stack.push(from),
                            from if state[from] == 1 => return None,
                            _ => {}
                        }
                    }
                }
                1 => {
                    state[at] = 2;
                    order.push(at);
                }
                _ => {}
            }
        }
        self.gates = order.into_iter().map(|at| self.gates[at].clone()).collect();
        Some(self)
    }
}

#[derive(Default)]
struct Names(HashMap<String, Wire>);

impl Names {
    fn wire(&mut self, name: &str) -> Wire {
        if self.0.is_empty() {
            for (name, wire) in [("$false", FALSE), ("$true", TRUE)] {
                self.0.insert(name.to_string(), wire);
            }
        }
        let next = self.0.len();
        let name = if name == "$undef" { "$false" } else { name };
        match self.0.get(name) {
            Some(wire) => *wire,
            None => {
                self.0.insert(name.to_string(), next);
                next
            }
        }
    }
}

/// A memory while its parameters are read.
struct Memory {
    reads: [Vec<Wire>; 2],
    writes: [Vec<Wire>; 3],
    ports: HashMap<String, usize>,
}

impl Memory {
    fn put(self, module: &mut Gates) -> Option<()> {
        let number = |name: &str| self.ports.get(name).copied().unwrap_or(0);
        let (reads, writes) = (number("RD_PORTS"), number("WR_PORTS"));
        // A read with a clock would be a register, too.
        if number("RD_CLK_ENABLE") != 0 {
            return None;
        }
        let part = |bits: &[Wire], of: usize, at: usize| -> Vec<Wire> {
            let width = bits.len() / of;
            bits[at * width..(at + 1) * width].to_vec()
        };
        let [address, data] = &self.reads;
        for at in 0..reads {
            module.gates.push(Gate::Read(part(address, reads, at), part(data, reads, at)));
        }
        let [enable, address, data] = &self.writes;
        for at in 0..writes {
            module.writes.push(Write {
                enable: part(enable, writes, at),
                address: part(address, writes, at),
                data: part(data, writes, at),
            });
        }
        Some(())
    }
}
