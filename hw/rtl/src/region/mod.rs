//! Region variants: parser, stages and deparser of a placed program, one module each.
//!
//! A variant is a pipe between the ports of its socket. Its values come from a flow, its cells from
//! [`crate::cells`]. It is a function of its input and its own state with the latency that it declares:
//! it cannot insert, drop or delay packets.
//!
//! What it does not do: choose where anything lies in the PHV or what is in which stage
//! ([`restage_compile`] does), or know what a packet's fate means (the shell does).

mod about;
mod access;
mod build;
mod deparser;
mod emit;
mod estimate;
mod inside;
mod late;
mod order;
mod parser;
mod socket;
mod stage;
mod statement;
mod values;
mod window;

use socket::Socket;

pub use about::contents;
pub use deparser::deparser;
pub use estimate::Estimator;
pub use parser::parser;
pub use stage::stage;

use crate::cells::Wish;
use crate::net::{Circuit, NetFault};
use restage_compile::flow::{Flow, Slot};
use restage_manifest::cell::Cells;
use restage_manifest::{Kept, PhvBits, ShellConfig};
use restage_program::Bits;
use restage_program::program::Program;

/// What a variant is made of.
#[derive(Clone, Copy)]
pub struct Plan<'a> {
    /// A name, for messages and the Verilog module.
    pub name: &'a str,
    /// The shell for which it is.
    pub config: &'a ShellConfig,
    /// The program: names and declarations.
    pub program: &'a Program,
    /// Which words of the lane its state shall have.
    pub lanes: Wish<'a>,
    /// Where slots lie in the PHV; `None` for those that nothing needs.
    pub layout: &'a dyn Fn(Slot) -> Option<PhvBits>,
}

impl std::fmt::Debug for Plan<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan").field("name", &self.name).finish()
    }
}

/// A variant.
#[derive(Clone, Debug)]
pub struct Variant {
    /// The module.
    pub circuit: Circuit,
    /// Clocks from input to output, as declared: a multiple of 8.
    pub latency: u32,
    /// Clocks that it needs by itself.
    pub needed: u32,
    /// PHV bits that it writes. The shell keeps all others.
    pub writes: Vec<PhvBits>,
    /// Its state.
    pub kept: Vec<Kept>,
    /// Its cells, in unit 0.
    pub cells: Cells,
}

impl Variant {
    /// The module under the name that it has in a program, with the number by which its contents are known.
    pub fn named(&self, name: &str, hash: u64) -> Circuit {
        let words = [hash as u32, (hash >> 32) as u32].map(|word| Bits::new(32, word.into()));
        self.circuit.clone().stamped(name, &words)
    }
}

/// Why a variant cannot be built.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{name}: {}", .faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct BuildError {
    /// The variant.
    pub name: String,
    /// What is wrong.
    pub faults: Vec<NetFault>,
}

/// The bits that a flow writes; what lies side by side is one range.
fn written(flow: &Flow, layout: &dyn Fn(Slot) -> Option<PhvBits>) -> Vec<PhvBits> {
    let mut bits: Vec<PhvBits> =
        flow.outputs.iter().filter_map(|(slot, _)| layout(*slot)).collect();
    bits.sort();
    let mut ranges: Vec<PhvBits> = Vec::new();
    for next in bits {
        match ranges.last_mut() {
            Some(last) if last.low + last.width == next.low => last.width += next.width,
            _ => ranges.push(next),
        }
    }
    ranges
}
