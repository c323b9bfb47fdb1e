//! Sums and exclusive ors of 16-bit words.
//!
//! Both are indifferent to the order of the words, and turning all words turns the result. So pieces
//! that are not there may count as zeros in their place as long as what follows keeps its place in the
//! word; where it does not, the result of what follows is turned instead.

use super::Piece;
use super::length::Length;
use super::stream::gated;
use crate::pipe::{Pipe, Sig};
use restage_program::Bits;

/// Complement of the one's complement sum.
pub(super) fn checksum(p: &mut Pipe, pieces: &[Piece], behind: Option<Sig>) -> Sig {
    let (runs, end) = runs(p, pieces);
    let mut sums: Vec<Sig> = Vec::new();
    let mut steady: Vec<Sig> = Vec::new();
    for run in runs {
        if run.at.possible.len() == 1 {
            let by = run.at.possible.first().copied().unwrap_or(0);
            for word in run.words {
                steady.push(turned(p, word, by));
            }
        } else {
            let sum = one_complement(p, &run.words);
            sums.push(run.at.choose(p, |n| n, |p, by| turned(p, sum, by)));
        }
    }
    if let Some(sum) = behind {
        // At an odd byte the words are turned.
        let by = |n: u32| n.next_multiple_of(8) % 16;
        sums.push(end.choose(p, by, |p, by| turned(p, sum, by)));
    }
    steady.extend(sums);
    let sum = one_complement(p, &steady);
    p.not(sum)
}

/// Exclusive or of the words.
pub(super) fn xor(p: &mut Pipe, pieces: &[Piece]) -> Sig {
    let (runs, _) = runs(p, pieces);
    let mut words: Vec<Sig> = vec![p.lit(16, 0)];
    for run in runs {
        let word = p.xor_all(&run.words);
        words.push(run.at.choose(p, |n| n, |p, by| turned(p, word, by)));
    }
    p.xor_all(&words)
}

/// Words whose place in the input depends on the packet as a whole only.
struct Run {
    /// Where it begins, in bits modulo 16.
    at: Length,
    /// At least one.
    words: Vec<Sig>,
}

/// Cuts the input behind every piece whose absence would shift what follows within a word.
fn runs(p: &mut Pipe, pieces: &[Piece]) -> (Vec<Run>, Length) {
    let mut runs = Vec::new();
    let mut at = Length::zero(4);
    let mut end = at.clone();
    let mut parts: Vec<Sig> = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        parts.push(match piece.present {
            Some(present) => gated(p, present, piece.value),
            None => piece.value,
        });
        end.add(p, piece);
        let shifts = piece.present.is_some() && !p.width(piece.value).is_multiple_of(16);
        if shifts || index + 1 == pieces.len() {
            let words = words(p, &parts);
            runs.push(Run { at: at.clone(), words });
            parts.clear();
            at = end.clone();
        }
    }
    (runs, end)
}

/// 16 bits each, the last ones filled with zeros below.
fn words(p: &mut Pipe, parts: &[Sig]) -> Vec<Sig> {
    let mut words = Vec::new();
    let (mut word, mut free): (Vec<Sig>, u32) = (Vec::new(), 16);
    for part in parts {
        let mut rest = p.width(*part);
        while rest > 0 {
            let take = rest.min(free);
            word.push(p.slice(*part, rest - 1, rest - take));
            rest -= take;
            free -= take;
            if free == 0 {
                words.push(p.concat(&word));
                word.clear();
                free = 16;
            }
        }
    }
    if !word.is_empty() {
        word.push(p.bits(&Bits::zero(free)));
        words.push(p.concat(&word));
    }
    words
}

/// A word that begins `by` bits behind the beginning of a word: its bits in the places where they are.
fn turned(p: &mut Pipe, word: Sig, by: u32) -> Sig {
    if by.is_multiple_of(16) {
        return word;
    }
    let by = by % 16;
    let (high, low) = (p.slice(word, 15, by), p.slice(word, by - 1, 0));
    p.concat(&[low, high])
}

/// The sum with all carries folded in: 0 only if all words are 0.
fn one_complement(p: &mut Pipe, words: &[Sig]) -> Sig {
    let more = (u32::BITS - (words.len() as u32).leading_zeros()).max(1);
    let width = 16 + more;
    let wide: Vec<Sig> = words.iter().map(|w| p.zext(*w, width)).collect();
    let sum = p.sum_all(&wide, width);
    let (low, high) = (p.slice(sum, 15, 0), p.slice(sum, width - 1, 16));
    let high = p.resize(high, 16);
    let folded = p.add_carry(low, high);
    // Once more: a carry now leaves so little that there is none again.
    let (low, carry) = (p.slice(folded, 15, 0), p.bit(folded, 16));
    let carry = p.zext(carry, 16);
    p.add(low, carry)
}
