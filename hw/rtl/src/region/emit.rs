//! What a deparser computes: valid headers side by side, and how many bytes they are.
//!
//! From the last header to the first: if it is valid, its bits go in front of what was made of those behind
//! it, else not. So nothing is shifted by more than one header at a time, and two headers share a level of
//! lookup tables. Only behind a varbit the rest is moved by a computed number of bytes.

use super::socket::zeros;
use crate::pipe::{Pipe, Sig};
use restage_compile::flow::Slot;
use restage_compile::lower::{DeparserPlan, Emission};

/// Bits from the first one on the wire, which is the most significant; zeros behind their end. And the number
/// of bytes.
pub(super) fn emit(
    pipe: &mut Pipe,
    plan: &DeparserPlan,
    names: impl Fn(&Emission) -> String,
    mut read: impl FnMut(&mut Pipe, Slot) -> Sig,
) -> (Option<Sig>, Sig) {
    let mut bits: Option<Sig> = None;
    let mut lengths = Vec::new();
    for emission in plan.emissions.iter().rev() {
        pipe.section(format!("header {}", names(emission)));
        let valid = read(pipe, Slot::Valid(emission.header));
        let header = header(pipe, emission, bits, &mut read);
        let width = pipe.width(header);
        bits = Some(match bits {
            None if emission.shared => {
                let nothing = zeros(pipe, width);
                pipe.mux(valid, header, nothing)
            }
            None => header,
            Some(rest) => {
                let rest = left(pipe, rest, width);
                pipe.mux(valid, header, rest)
            }
        });
        let fixed = fixed_bytes(emission);
        let mut length = pipe.lit(9, fixed.into());
        if emission.varbit.is_some() {
            let more = read(pipe, Slot::VarLength(emission.header));
            let more = pipe.resize(more, 9);
            length = pipe.add(length, more);
        }
        let mask = pipe.repeat(valid, 9);
        lengths.push(pipe.and(length, mask));
    }
    pipe.section("bytes of all valid headers");
    while lengths.len() > 1 {
        lengths = lengths
            .chunks(2)
            .map(|pair| match pair {
                [a, b] => pipe.add(*a, *b),
                _ => pair[0],
            })
            .collect();
    }
    let length = lengths.pop().unwrap_or_else(|| zeros(pipe, 9));
    (bits, length)
}

/// The bits of a header and, behind them, those of the rest.
fn header(
    pipe: &mut Pipe,
    emission: &Emission,
    rest: Option<Sig>,
    read: &mut impl FnMut(&mut Pipe, Slot) -> Sig,
) -> Sig {
    let mut field =
        |pipe: &mut Pipe, index: usize| read(pipe, Slot::Field(emission.header, index as u32));
    let count = emission.widths.len();
    let Some(varbit) = emission.varbit else {
        let mut parts: Vec<Sig> = (0..count).map(|i| field(pipe, i)).collect();
        parts.extend(rest);
        return pipe.concat(&parts);
    };
    let varbit = varbit as usize;
    let before: Vec<Sig> = (0..varbit).map(|i| field(pipe, i)).collect();
    let variable = field(pipe, varbit);
    let mut after: Vec<Sig> = (varbit + 1..count).map(|i| field(pipe, i)).collect();
    after.extend(rest);
    let length = read(pipe, Slot::VarLength(emission.header));
    let mut whole = before;
    whole.push(if after.is_empty() {
        variable
    } else {
        let after = pipe.concat(&after);
        let most = pipe.width(variable);
        let width = most + pipe.width(after);
        let moved = left(pipe, after, width);
        let moved = move_bytes(pipe, moved, length, most / 8);
        let variable = left(pipe, variable, width);
        pipe.or(variable, moved)
    });
    pipe.concat(&whole)
}

/// Bytes without the varbit.
fn fixed_bytes(emission: &Emission) -> u32 {
    let varbit = emission.varbit.map_or(0, |v| emission.widths[v as usize]);
    (emission.widths.iter().sum::<u32>() - varbit) / 8
}

/// Moved towards the end of the wire by up to `most` bytes.
fn move_bytes(pipe: &mut Pipe, mut bits: Sig, by: Sig, most: u32) -> Sig {
    for bit in 0..pipe.width(by) {
        let bytes = 1 << bit;
        if bytes <= most {
            let moved = pipe.shr_const(bits, 8 * bytes);
            let on = pipe.bit(by, bit);
            bits = pipe.mux(on, moved, bits);
        }
    }
    bits
}

/// Extended by zeros behind the end of the wire.
pub(super) fn left(pipe: &mut Pipe, bits: Sig, width: u32) -> Sig {
    let more = width.saturating_sub(pipe.width(bits));
    if more == 0 {
        return bits;
    }
    let rest = zeros(pipe, more);
    pipe.concat(&[bits, rest])
}
