//! Reading the header window.
//!
//! The first byte on the wire is the most significant one of the window, and zeros follow the packet's end.

use super::socket::zeros;
use crate::pipe::{Pipe, Sig};
use restage_compile::flow::WindowAt;

/// Bits of the window: `width` of them, `skip` bits behind the beginning or behind a computed position.
pub(super) fn read(
    pipe: &mut Pipe,
    window: Sig,
    skip: u32,
    at: Option<(&WindowAt, Sig)>,
    width: u32,
) -> Sig {
    let Some((at, position)) = at else { return bits(pipe, window, skip, width) };
    let whole = pipe.width(position);
    let choices: Vec<(Sig, Sig)> = at
        .candidates
        .iter()
        .filter(|c| whole >= 32 || **c >> whole == 0)
        .map(|candidate| {
            let this = pipe.lit(whole, (*candidate).into());
            (pipe.eq(position, this), bits(pipe, window, candidate * 8 + skip, width))
        })
        .collect();
    match choices.as_slice() {
        [] => zeros(pipe, width),
        // What is elsewhere is free, so there is nothing to ask.
        [(_, only)] => *only,
        _ => pipe.select(&choices),
    }
}

/// The sum of the first `length` bytes: 16-bit words in network order, no carry folded, a `bit<32>`.
pub(super) fn sum(pipe: &mut Pipe, window: Sig, length: Sig) -> Sig {
    let bytes = pipe.width(window) / 8;
    let length = pipe.resize(length, 9.max(pipe.width(length)));
    let whole = pipe.width(length);
    let byte = |pipe: &mut Pipe, index: u32| {
        let byte = bits(pipe, window, 8 * index, 8);
        let place = pipe.lit(whole, index.into());
        let inside = pipe.lt(place, length);
        let mask = pipe.repeat(inside, 8);
        pipe.and(byte, mask)
    };
    let mut words: Vec<Sig> = (0..bytes / 2)
        .map(|word| {
            let upper = byte(pipe, 2 * word);
            let lower = byte(pipe, 2 * word + 1);
            let word = pipe.concat(&[upper, lower]);
            pipe.zext(word, 32)
        })
        .collect();
    while words.len() > 1 {
        words = words
            .chunks(2)
            .map(|pair| match pair {
                [a, b] => pipe.add(*a, *b),
                _ => pair[0],
            })
            .collect();
    }
    words.pop().unwrap_or_else(|| zeros(pipe, 32))
}

/// Bits at a fixed place; behind the window they are 0.
fn bits(pipe: &mut Pipe, window: Sig, skip: u32, width: u32) -> Sig {
    let whole = pipe.width(window);
    let there = whole.saturating_sub(skip).min(width);
    if there == 0 {
        return zeros(pipe, width);
    }
    let top = whole - skip;
    let found = pipe.slice(window, top - 1, top - there);
    if there == width {
        return found;
    }
    let rest = zeros(pipe, width - there);
    pipe.concat(&[found, rest])
}
