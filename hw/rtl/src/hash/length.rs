//! How long the input is: a constant, or a signal with the values that it can have.

use super::Piece;
use crate::pipe::{Pipe, Sig};
use std::collections::BTreeSet;

/// A length in bits, modulo some number (or not).
#[derive(Clone, Debug)]
pub(super) struct Length {
    /// All values that it can have.
    pub possible: BTreeSet<u32>,
    /// The value, unless only one is possible.
    moving: Option<Sig>,
    /// Bits of the signal; lengths wrap there.
    width: u32,
}

impl Length {
    /// 0, in `width` bits.
    pub fn zero(width: u32) -> Self {
        Length { possible: BTreeSet::from([0]), moving: None, width }
    }

    /// With a piece more.
    pub fn add(&mut self, p: &mut Pipe, piece: &Piece) {
        let mask = u32::MAX >> (32 - self.width);
        let more = p.width(piece.value) & mask;
        if more == 0 {
            return;
        }
        let before = self.possible.clone();
        self.possible = before.iter().map(|n| n.wrapping_add(more) & mask).collect();
        let number = p.lit(self.width, more.into());
        let Some(present) = piece.present else {
            if let Some(signal) = self.moving {
                self.moving = Some(p.add(signal, number));
            }
            return;
        };
        let zero = p.lit(self.width, 0);
        let more = p.mux(present, number, zero);
        let signal = self.value(p, &before);
        self.moving = Some(p.add(signal, more));
        self.possible.extend(before);
    }

    /// The length.
    pub fn signal(&self, p: &mut Pipe) -> Sig {
        self.value(p, &self.possible)
    }

    fn value(&self, p: &mut Pipe, possible: &BTreeSet<u32>) -> Sig {
        match self.moving {
            Some(signal) => signal,
            None => {
                let only = possible.first().copied().unwrap_or(0);
                p.lit(self.width, only.into())
            }
        }
    }

    /// What `make` gives for the length that there is. Lengths that share a `key` share the result.
    pub fn choose<K: Ord + Copy>(
        &self,
        p: &mut Pipe,
        key: impl Fn(u32) -> K,
        mut make: impl FnMut(&mut Pipe, K) -> Sig,
    ) -> Sig {
        let keys: BTreeSet<K> = self.possible.iter().map(|n| key(*n)).collect();
        let results: Vec<(K, Sig)> = keys.into_iter().map(|k| (k, make(p, k))).collect();
        let Some((first, rest)) = results.split_first() else { return p.lit(1, 0) };
        if rest.is_empty() {
            return first.1;
        }
        let signal = self.signal(p);
        let arms: Vec<(u64, Sig)> = self
            .possible
            .iter()
            .filter_map(|n| {
                let (_, sig) = rest.iter().find(|(k, _)| *k == key(*n))?;
                Some((u64::from(*n), *sig))
            })
            .collect();
        p.case(signal, &arms, first.1)
    }
}
