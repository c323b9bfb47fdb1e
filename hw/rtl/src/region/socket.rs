//! The ports of a region around a pipe.

use crate::pipe::{Pipe, Sig};
use restage_manifest::socket::{self, Direction, RegionKind};
use restage_manifest::{PhvBits, ShellConfig};
use std::collections::HashMap;

/// The inputs of a region under construction, but for the configuration bus and the lane, which [`crate::cells`] makes.
#[derive(Debug)]
pub(crate) struct Socket {
    inputs: HashMap<&'static str, Sig>,
}

impl Socket {
    /// Makes all input ports of a kind.
    pub fn new(pipe: &mut Pipe, kind: RegionKind, config: &ShellConfig) -> Self {
        let inputs = socket::ports(kind, config)
            .into_iter()
            .filter(|p| p.direction == Direction::Input && !made_by_cells(p.name))
            .map(|port| (port.name, pipe.input(port.name, port.width)))
            .collect();
        Socket { inputs }
    }

    /// An input; a name that no region of the kind has is a fault.
    pub fn get(&self, pipe: &mut Pipe, name: &str) -> Sig {
        match self.inputs.get(name) {
            Some(sig) => *sig,
            None => {
                pipe.refuse(format!("a region of this kind has no input {name}"));
                pipe.lit(1, 0)
            }
        }
    }
}

fn made_by_cells(port: &str) -> bool {
    port.starts_with("cfg_") || port.starts_with("lane_")
}

/// Parts put at their places in a word of `width` bits, zeros between. Parts must not overlap.
pub(crate) fn assemble(pipe: &mut Pipe, width: u32, parts: &[(PhvBits, Sig)], cycle: u32) -> Sig {
    let mut parts: Vec<(PhvBits, Sig)> = parts.to_vec();
    parts.sort_by_key(|(bits, _)| bits.low);
    let mut pieces = Vec::new();
    let mut next = 0;
    for (bits, sig) in parts {
        if bits.low < next || bits.low + bits.width > width {
            pipe.refuse(format!(
                "bits {} to {} of a word of {width} are written twice or do not exist",
                bits.low,
                bits.high()
            ));
            continue;
        }
        if bits.low > next {
            pieces.push(zeros(pipe, bits.low - next));
        }
        let sig = pipe.resize(sig, bits.width);
        pieces.push(pipe.at(sig, cycle));
        next = bits.low + bits.width;
    }
    if next < width {
        pieces.push(zeros(pipe, width - next));
    }
    pieces.reverse();
    pipe.concat(&pieces)
}

/// A constant 0 of any width.
pub(crate) fn zeros(pipe: &mut Pipe, width: u32) -> Sig {
    pipe.bits(&restage_program::Bits::zero(width))
}
