//! One flow, one packet.

use super::FlowRun;
use super::phv::Phv;
use crate::slow::hash::{from_wire, wire_bits};
use restage_compile::flow::{Access, Def, Flow, HashUse, Slot, Value, Window, evaluate};
use restage_program::program::HashAlgorithm;
use restage_program::{Bits, Entity};

/// What a parser sees.
#[derive(Clone, Copy)]
pub(super) struct Front<'a> {
    /// The packet's bytes as far as the window reaches.
    pub bytes: &'a [u8],
}

impl FlowRun {
    /// Something that nobody may rely on.
    pub(super) fn garbage(&mut self, width: u32) -> Bits {
        let mut limbs = Vec::new();
        for _ in 0..width.div_ceil(64) {
            self.garbage =
                self.garbage.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            limbs.push(self.garbage ^ self.garbage >> 29);
        }
        Bits::from_limbs(width, &limbs)
    }

    /// Evaluates a flow and writes its outputs into the PHV.
    pub(super) fn run(&mut self, flow: &Flow, phv: &mut Phv, front: Option<Front<'_>>) {
        let mut values: Vec<Bits> = Vec::with_capacity(flow.values.len());
        let mut ports: Vec<Option<Vec<Bits>>> = vec![None; flow.accesses.len()];
        for decl in flow.values.values() {
            let width = decl.ty.width();
            let value = match &decl.def {
                Def::Slot(Slot::Available) => {
                    Bits::new(9, front.map_or(0, |f| f.bytes.len()) as u128)
                }
                Def::Slot(slot) => match phv.get(&self.flows.layout, *slot) {
                    Some(bits) => bits,
                    None => panic!("{slot:?} is read in {} and has no place", flow.name),
                },
                Def::Out(access, port) => {
                    self.issue(flow, *access, &values, &mut ports);
                    let given = ports[access.index()].as_ref().and_then(|p| p.get(*port as usize));
                    given.cloned().unwrap_or_else(|| Bits::zero(width))
                }
                Def::Hash(hash) => {
                    let data = hashed(hash, &values);
                    let number = self.slow.state.hash(&self.slow.program, hash.algorithm, &data);
                    Bits::new(decl.ty.width(), number.into())
                }
                Def::Window(window) => self.window(window, front, &values, width),
                Def::WindowSum { length } => {
                    let length = values[length.index()].low_u64() as usize;
                    let bytes = front.map_or(&[][..], |f| f.bytes);
                    let bytes = &bytes[..length.min(bytes.len())];
                    Bits::new(32, super::pass::plain_sum(bytes).into())
                }
                def => {
                    let operand = |v: Value| (flow.values[v].ty, values[v.index()].clone());
                    evaluate(def, operand).unwrap_or_else(|| Bits::zero(width))
                }
            };
            assert_eq!(value.width(), width, "{decl:?}");
            values.push(value);
        }
        for access in flow.accesses.keys() {
            self.issue(flow, access, &values, &mut ports);
        }
        for access in flow.accesses.keys() {
            self.update(flow, access, &values);
        }
        for (slot, value) in &flow.outputs {
            phv.set(&self.flows.layout, *slot, &values[value.index()]);
        }
    }

    fn issue(
        &mut self,
        flow: &Flow,
        access: Access,
        values: &[Bits],
        ports: &mut [Option<Vec<Bits>>],
    ) {
        if ports[access.index()].is_none() {
            ports[access.index()] = Some(self.begin(flow, access, values));
        }
    }

    fn window(
        &mut self,
        window: &Window,
        front: Option<Front<'_>>,
        values: &[Bits],
        width: u32,
    ) -> Bits {
        let mut first = window.skip as usize;
        if let Some(at) = &window.at {
            let position = values[at.position.index()].low_u64() as u32;
            if !at.candidates.contains(&position) {
                return self.garbage(width);
            }
            first += 8 * position as usize;
        }
        let bytes = front.map_or(&[][..], |f| f.bytes);
        let bit = |i: usize| bytes.get(i / 8).is_some_and(|b| b >> (7 - i % 8) & 1 == 1);
        let bits: Vec<bool> = (first..first + width as usize).map(bit).collect();
        from_wire(&bits)
    }
}

/// What is hashed.
fn hashed(use_: &HashUse, values: &[Bits]) -> Vec<bool> {
    let get = |v: Value| &values[v.index()];
    let mut data = Vec::new();
    for item in &use_.items {
        if item.present.is_some_and(|p| get(p).is_zero()) {
            continue;
        }
        let bits = wire_bits(get(item.value));
        let count = item.bytes.map_or(bits.len(), |b| 8 * get(b).low_u64() as usize);
        data.extend_from_slice(&bits[..count]);
    }
    if let Some(behind) = use_.behind {
        assert_eq!(use_.algorithm, HashAlgorithm::Csum16);
        // The sum as a word behind an even number of bytes has the same sum as the bytes it is of.
        let mut sum = get(behind).low_u64() as u16;
        if data.len() / 8 % 2 == 1 {
            data.extend([false; 8]);
            sum = sum.rotate_left(8);
        }
        data.extend(wire_bits(&Bits::new(16, sum.into())));
    }
    data
}
