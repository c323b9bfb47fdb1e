//! What must hold of a whole module: everything driven once, no loop, outputs registered.

use super::{Binary, Def, FaultKind, Module, ModuleInterface, Net, Port};
use std::panic::Location;

pub(super) fn check(module: &mut Module) {
    let mut found: Vec<(&'static Location<'static>, FaultKind)> = Vec::new();
    let name = |net: Net| module.decl(net).name.clone().unwrap_or_default();
    let undriven = module.regs.iter().filter(|r| r.driver.is_none()).map(|r| (r.q, r.at));
    let loose = module.wires.iter().filter(|w| w.driver.is_none()).map(|w| (w.net, w.at));
    for (net, at) in undriven.chain(loose) {
        found.push((at, FaultKind::NeverDriven { name: name(net) }));
    }
    for memory in &module.memories {
        let why = match (memory.write.is_some(), memory.contents.is_some(), memory.reads.len()) {
            (false, false, _) => "is neither written nor has contents",
            (_, _, 0) => "is never read",
            _ => continue,
        };
        let kind = FaultKind::Memory { name: memory.name.clone(), why: why.to_string() };
        found.push((memory.at, kind));
    }
    match module.order() {
        Err(path) => {
            let names: Vec<String> = path
                .iter()
                .map(|net| module.decl(*net).name.clone())
                .map(|name| name.unwrap_or_else(|| "(unnamed logic)".to_string()))
                .collect();
            found.push((Location::caller(), FaultKind::Loop { names }));
        }
        Ok(order) => {
            let mut registered = vec![false; module.nets.len()];
            for net in order {
                registered[net.0 as usize] = module.is_registered(net, &registered);
            }
            for output in &module.outputs {
                if !output.logic && !registered[output.net.0 as usize] {
                    let kind = FaultKind::Unregistered { name: output.name.clone() };
                    found.push((output.at, kind));
                }
            }
        }
    }
    for (at, kind) in found {
        module.fault(at, kind);
    }
}

impl Module {
    /// Nets that this net depends on within a clock.
    pub(crate) fn inputs_of(&self, net: Net) -> Vec<Net> {
        self.inputs_of_def(&self.decl(net).def)
    }

    /// The same of a net that is being made.
    pub(crate) fn inputs_of_def(&self, def: &Def) -> Vec<Net> {
        match def {
            Def::Not(a) | Def::Reduce(_, a) | Def::Repeat(a) | Def::Slice { of: a, .. } => vec![*a],
            Def::Binary(_, a, b) => vec![*a, *b],
            Def::Mux(sel, a, b) => vec![*sel, *a, *b],
            Def::Case { sel, arms, default } => {
                [*sel, *default].into_iter().chain(arms.iter().map(|(_, v)| *v)).collect()
            }
            Def::Concat(parts) => parts.clone(),
            Def::Wire(wire) => {
                self.wires.get(wire.index as usize).and_then(|w| w.driver).into_iter().collect()
            }
            Def::Pin(instance, position) => {
                let decl = &self.instances[instance.0 as usize];
                let port = &decl.of.ports[*position as usize];
                let ins = |at: &u32| decl.inputs.get(*at as usize).copied().flatten();
                port.depends.iter().filter_map(ins).collect()
            }
            Def::Input
            | Def::Const(_)
            | Def::Delay { .. }
            | Def::Reg(_)
            | Def::Read(..)
            | Def::Fault => Vec::new(),
        }
    }

    /// All nets, each behind those it depends on within a clock; or the nets of a loop.
    pub(crate) fn order(&self) -> Result<Vec<Net>, Vec<Net>> {
        let mut order = Vec::with_capacity(self.nets.len());
        let mut state = vec![State::New; self.nets.len()];
        for root in 0..self.nets.len() as u32 {
            if state[root as usize] != State::New {
                continue;
            }
            state[root as usize] = State::Open;
            let mut stack = vec![(Net(root), self.inputs_of(Net(root)))];
            while let Some((net, rest)) = stack.last_mut() {
                let net = *net;
                let Some(next) = rest.pop() else {
                    state[net.0 as usize] = State::Done;
                    order.push(net);
                    stack.pop();
                    continue;
                };
                match state[next.0 as usize] {
                    State::Done => {}
                    State::New => {
                        state[next.0 as usize] = State::Open;
                        stack.push((next, self.inputs_of(next)));
                    }
                    State::Open => {
                        let path = stack.iter().map(|(n, _)| *n).skip_while(|n| *n != next);
                        return Err(path.collect());
                    }
                }
            }
        }
        Ok(order)
    }

    /// Whether a net changes only with the clock, given the same of those it depends on.
    fn is_registered(&self, net: Net, known: &[bool]) -> bool {
        match &self.decl(net).def {
            Def::Const(_) | Def::Delay { .. } | Def::Reg(_) | Def::Read(..) => true,
            Def::Slice { .. } | Def::Concat(_) | Def::Repeat(_) | Def::Wire(_) => {
                self.inputs_of(net).iter().all(|n| known[n.0 as usize])
            }
            Def::Pin(instance, position) => {
                self.instances[instance.0 as usize].of.ports[*position as usize].registered
            }
            // A fault has been noted already.
            Def::Fault => true,
            Def::Input
            | Def::Not(_)
            | Def::Binary(
                Binary::And
                | Binary::Or
                | Binary::Xor
                | Binary::Add
                | Binary::Sub
                | Binary::Mul
                | Binary::Eq
                | Binary::Ne
                | Binary::Lt
                | Binary::Le,
                ..,
            )
            | Def::Reduce(..)
            | Def::Mux(..)
            | Def::Case { .. } => false,
        }
    }

    /// Whether the module has a clock.
    pub(crate) fn is_clocked(&self) -> bool {
        !self.regs.is_empty()
            || self.memories.iter().any(|m| !m.reads.is_empty())
            || self.nets.iter().any(|n| matches!(n.def, Def::Delay { .. }))
            || self.instances.iter().any(|i| i.of.clocked)
    }

    /// The module from outside; it must have no loops.
    pub(crate) fn interface(&self) -> ModuleInterface {
        let name = |net: &Net| self.decl(*net).name.clone().unwrap_or_default();
        let mut ports: Vec<Port> =
            self.inputs.iter().map(|net| Port::input(name(net), self.width(*net))).collect();
        for output in &self.outputs {
            let mut port = Port::output(&output.name, self.width(output.net));
            if output.logic {
                port.registered = false;
                port.depends = self.reaches(output.net);
            }
            ports.push(port);
        }
        ModuleInterface { name: self.name.clone(), clocked: self.is_clocked(), ports }
    }

    /// Positions of the inputs that a net depends on within a clock.
    fn reaches(&self, from: Net) -> Vec<u32> {
        let mut seen = vec![false; self.nets.len()];
        let mut open = vec![from];
        while let Some(net) = open.pop() {
            if !std::mem::replace(&mut seen[net.0 as usize], true) {
                open.extend(self.inputs_of(net));
            }
        }
        let positions = self.inputs.iter().enumerate();
        positions.filter(|(_, net)| seen[net.0 as usize]).map(|(i, _)| i as u32).collect()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Open,
    Done,
}
