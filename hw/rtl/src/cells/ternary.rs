//! Ternary, range and optional match: for each few bits of the key a memory with one bit for each position.

use super::Site;
use super::config::{Config, Ports};
use crate::pipe::{MemStyle, Pipe, Sig};
use restage_manifest::cell::{Column, ColumnTest, Part, TernaryShape, bits_for};

/// Whether a position matches, and the lowest that does.
pub(super) fn ternary(
    p: &mut Pipe,
    config: &mut Config,
    ports: &Ports,
    shape: &TernaryShape,
    site: Site<'_>,
    keys: &[Sig],
) -> (Sig, Sig) {
    let matches = positions(p, config, ports, shape, site, keys);
    let mut winners: Vec<(Sig, Option<Sig>)> =
        matches.into_iter().map(|vector| first_in_block(p, vector)).collect();
    while winners.len() > 1 {
        let pairs = winners.chunks(2).map(|pair| match pair {
            [low, high] => first_of(p, *low, *high),
            other => alone(p, other[0]),
        });
        winners = pairs.collect();
    }
    let (hit, position) = winners[0];
    let position = position.unwrap_or_else(|| p.lit(1, 0));
    (hit, position)
}

/// Whether any position matches.
pub(super) fn member(
    p: &mut Pipe,
    config: &mut Config,
    ports: &Ports,
    shape: &TernaryShape,
    site: Site<'_>,
    keys: &[Sig],
) -> Sig {
    let matches = positions(p, config, ports, shape, site, keys);
    let any: Vec<Sig> = matches.into_iter().map(|vector| p.any(vector)).collect();
    p.or_all(&any)
}

/// For each block which positions match.
fn positions(
    p: &mut Pipe,
    config: &mut Config,
    ports: &Ports,
    shape: &TernaryShape,
    site: Site<'_>,
    keys: &[Sig],
) -> Vec<Sig> {
    let plain: Vec<Sig> =
        shape.keys.iter().zip(keys).filter(|(k, _)| !k.ranges).map(|(_, key)| *key).collect();
    let plain = if plain.is_empty() { None } else { Some(p.concat(&plain)) };
    let mut columns: Vec<Vec<Sig>> = Vec::new();
    for (index, column) in (0..).zip(&shape.columns) {
        let source = match column.key {
            None => plain,
            Some(key) => keys.get(key as usize).copied(),
        };
        let Some(source) = source else { continue };
        let source = p.registered(source);
        let value = p.slice(source, column.lo + column.bits - 1, column.lo);
        columns.push(read(p, config, ports, shape, site, index, column, value));
    }
    (0..shape.blocks as usize)
        .map(|block| {
            let of_block: Vec<Sig> = columns.iter().map(|blocks| blocks[block]).collect();
            matching(p, shape, &of_block)
        })
        .collect()
}

/// A column's answer for each block.
#[allow(clippy::too_many_arguments)] // a step of `positions`, which is long enough
fn read(
    p: &mut Pipe,
    config: &mut Config,
    ports: &Ports,
    shape: &TernaryShape,
    site: Site<'_>,
    index: u32,
    column: &Column,
    value: Sig,
) -> Vec<Sig> {
    let fixed = config.fixed(p, ports, Part::Column(index));
    let addr = p.concat(&[value, site.epoch]);
    let row_bits = column.bits + 1;
    let mut answers = Vec::new();
    for block in 0..shape.blocks {
        let m = p.module();
        let row = m.slice(fixed.row, row_bits - 1, 0);
        let enable = if shape.blocks == 1 {
            fixed.enable
        } else {
            let number = m.lit(bits_for(shape.blocks), block.into());
            let top = m.width(fixed.row) - 1;
            let mine = m.slice(fixed.row, top, row_bits);
            let mine = m.eq(mine, number);
            m.and(mine, fixed.enable)
        };
        let style = if row_bits > 6 { MemStyle::Block } else { MemStyle::Distributed };
        let name = format!("{}_column{index}_{block}", site.name);
        let memory = m.memory(&name, shape.block, 1 << row_bits, style);
        m.write_port(memory, enable, row, fixed.data);
        answers.push(p.ram_read(memory, addr));
    }
    answers
}

/// Which positions of a block match, from what its columns say.
fn matching(p: &mut Pipe, shape: &TernaryShape, answers: &[Sig]) -> Sig {
    let mut all = Vec::new();
    for (column, answer) in shape.columns.iter().zip(answers) {
        if column.test == ColumnTest::Fits {
            all.push(*answer);
        }
    }
    for key in 0..shape.keys.len() as u32 {
        for (beyond, equal) in
            [(ColumnTest::AboveLow, ColumnTest::IsLow), (ColumnTest::BelowHigh, ColumnTest::IsHigh)]
        {
            let of = |test| {
                let columns = shape.columns.iter().zip(answers);
                columns.filter(move |(c, _)| c.key == Some(key) && c.test == test).map(|(_, a)| *a)
            };
            // From the lowest chunk up.
            let mut inside: Option<Sig> = None;
            let mut chunks: Vec<(Sig, Sig)> = of(beyond).zip(of(equal)).collect();
            chunks.reverse();
            for (beyond, equal) in chunks {
                let equal = match inside {
                    None => equal,
                    Some(inside) => p.and(equal, inside),
                };
                inside = Some(p.or(beyond, equal));
            }
            all.extend(inside);
        }
    }
    p.and_all(&all)
}

/// Whether a position of a block matches, and which is the lowest. Neighbours are in different halves, so halving
/// compares all neighbours at once.
fn first_in_block(p: &mut Pipe, vector: Sig) -> (Sig, Option<Sig>) {
    let mut any = vector;
    // Bits of the position, the lowest first, for each lane that is left.
    let mut index: Vec<Sig> = Vec::new();
    while p.width(any) > 1 {
        let (width, half) = (p.width(any), p.width(any) / 2);
        let (even, odd) = (p.slice(any, half - 1, 0), p.slice(any, width - 1, half));
        let not_even = p.not(even);
        index = index
            .into_iter()
            .map(|bit| {
                let (low, high) = (p.slice(bit, half - 1, 0), p.slice(bit, width - 1, half));
                let (low, high) = (p.and(low, even), p.and(high, not_even));
                p.or(low, high)
            })
            .collect();
        index.push(not_even);
        any = p.or(even, odd);
    }
    index.reverse();
    let position = if index.is_empty() { None } else { Some(p.concat(&index)) };
    (any, position)
}

fn first_of(p: &mut Pipe, low: (Sig, Option<Sig>), high: (Sig, Option<Sig>)) -> (Sig, Option<Sig>) {
    let not_low = p.not(low.0);
    let position = match (low.1, high.1) {
        (Some(a), Some(b)) => {
            let rest = p.mux(low.0, a, b);
            p.concat(&[not_low, rest])
        }
        _ => not_low,
    };
    (p.or(low.0, high.0), Some(position))
}

/// A block without a neighbour.
fn alone(p: &mut Pipe, block: (Sig, Option<Sig>)) -> (Sig, Option<Sig>) {
    let zero = p.lit(1, 0);
    let position = match block.1 {
        Some(position) => p.concat(&[zero, position]),
        None => zero,
    };
    (block.0, Some(position))
}
