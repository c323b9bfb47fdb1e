//! A PHV: bits in which slots lie as the layout says.

use super::FlowRun;
use restage_compile::flow::Slot;
use restage_compile::layout::Layout;
use restage_manifest::{PhvBits, ShellField};
use restage_program::Bits;

/// The bits of a packet.
#[derive(Clone, Debug)]
pub(super) struct Phv {
    bits: Vec<bool>,
}

impl Phv {
    /// What a slot holds; `None` when it has no place.
    pub fn get(&self, layout: &Layout, slot: Slot) -> Option<Bits> {
        let PhvBits { low, width } = layout.at(slot)?;
        let mut limbs = vec![0u64; width.div_ceil(64) as usize];
        for i in 0..width {
            limbs[(i / 64) as usize] |= u64::from(self.bits[(low + i) as usize]) << (i % 64);
        }
        Some(Bits::from_limbs(width, &limbs))
    }

    /// Writes a slot.
    pub fn set(&mut self, layout: &Layout, slot: Slot, value: &Bits) {
        if let Some(PhvBits { low, width }) = layout.at(slot) {
            for i in 0..width {
                self.bits[(low + i) as usize] = value.bit(i);
            }
        }
    }

    /// A shell field, 0 when the shell has none.
    pub fn shell(&self, layout: &Layout, field: ShellField) -> u64 {
        self.get(layout, Slot::Shell(field)).map_or(0, |bits| bits.low_u64())
    }

    /// Writes a shell field, if the shell has it.
    pub fn set_shell(&mut self, layout: &Layout, field: ShellField, value: u64) {
        self.set(layout, Slot::Shell(field), &Bits::new(field.width(), value.into()));
    }
}

impl FlowRun {
    /// A PHV of garbage.
    pub(super) fn fresh(&mut self) -> Phv {
        let garbage = self.garbage(self.config.phv_bits);
        Phv { bits: garbage.as_bitslice().iter().by_vals().collect() }
    }

    /// A PHV of garbage but for what the shell keeps of another.
    pub(super) fn kept(&mut self, from: &Phv) -> Phv {
        let mut kept = self.fresh();
        let first = ShellField::bits(&self.config) as usize;
        let range = first..first + self.config.keep_bits as usize;
        kept.bits[range.clone()].copy_from_slice(&from.bits[range]);
        kept
    }
}
