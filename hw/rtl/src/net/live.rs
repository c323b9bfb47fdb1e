//! What of a module reaches an output, and which bits of it are used.

use super::{Def, Module, Net};

/// Uses of the nets that matter.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    /// How often each net is an operand of something that matters; 0 for what does not matter.
    pub uses: Vec<u32>,
    /// Ranges of bits that are used, for nets of which only slices are.
    partly: Vec<Vec<(u32, u32)>>,
    /// Whether all bits are used.
    wholly: Vec<bool>,
}

impl Live {
    pub fn of(module: &Module) -> Self {
        let count = module.nets.len();
        let mut live = Live {
            uses: vec![0; count],
            partly: vec![Vec::new(); count],
            wholly: vec![false; count],
        };
        let mut open: Vec<Net> = Vec::new();
        for output in &module.outputs {
            live.uses_of(output.net, &mut open);
        }
        for net in module.instances.iter().flat_map(|i| i.inputs.iter().flatten()) {
            live.uses_of(*net, &mut open);
        }
        let mut written = vec![false; module.memories.len()];
        while let Some(net) = open.pop() {
            match &module.decl(net).def {
                Def::Slice { of, lo } => {
                    live.partly[of.0 as usize].push((*lo, lo + module.width(net)));
                    live.count(*of, &mut open);
                }
                Def::Delay { of, .. } => live.uses_of(*of, &mut open),
                Def::Reg(reg) => {
                    if let Some((next, drive)) = &module.regs[reg.index as usize].driver {
                        for net in [Some(*next), drive.enable].into_iter().flatten() {
                            live.uses_of(net, &mut open);
                        }
                    }
                }
                Def::Read(memory, port) => {
                    let decl = &module.memories[memory.index as usize];
                    let read = &decl.reads[*port as usize];
                    let mut nets = vec![read.enable, read.addr];
                    if !std::mem::replace(&mut written[memory.index as usize], true) {
                        nets.extend(decl.write.iter().flat_map(|w| [w.enable, w.addr, w.data]));
                    }
                    for net in nets {
                        live.uses_of(net, &mut open);
                    }
                }
                // The inputs of instances are there in any case.
                Def::Pin(..) => {}
                _ => {
                    for input in module.inputs_of(net) {
                        live.uses_of(input, &mut open);
                    }
                }
            }
        }
        live
    }

    fn uses_of(&mut self, net: Net, open: &mut Vec<Net>) {
        self.wholly[net.0 as usize] = true;
        self.count(net, open);
    }

    fn count(&mut self, net: Net, open: &mut Vec<Net>) {
        let uses = &mut self.uses[net.0 as usize];
        *uses += 1;
        if *uses == 1 {
            open.push(net);
        }
    }

    /// Whether the net matters.
    pub fn has(&self, net: Net) -> bool {
        self.uses[net.0 as usize] > 0
    }

    /// Ranges of bits (from, to) that nothing uses.
    pub fn unused(&self, module: &Module, net: Net) -> Vec<(u32, u32)> {
        let width = module.width(net);
        if !self.has(net) {
            return vec![(0, width)];
        }
        if self.wholly[net.0 as usize] {
            return Vec::new();
        }
        let mut used = self.partly[net.0 as usize].clone();
        used.sort_unstable();
        let mut gaps = Vec::new();
        let mut next = 0;
        for (from, to) in used {
            if from > next {
                gaps.push((next, from));
            }
            next = next.max(to);
        }
        if next < width {
            gaps.push((next, width));
        }
        gaps
    }
}
