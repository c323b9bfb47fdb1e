//! Where a parser stands in the header window.

use super::{Lower, Refusal};
use crate::flow::{Slot, Value, WindowAt};
use restage_manifest::socket::LENGTH_BITS;
use restage_program::op::Op;

/// A position in bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Position {
    /// Its value, a `bit<9>`.
    pub value: Value,
    /// All values that it can have, ascending.
    pub candidates: Vec<u32>,
}

impl Position {
    /// The position, when it is known.
    pub fn fixed(&self) -> Option<u32> {
        match self.candidates.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }

    /// The position as a window takes it.
    pub fn at(&self) -> WindowAt {
        WindowAt { position: self.value, candidates: self.candidates.clone() }
    }

    /// The largest.
    pub fn most(&self) -> u32 {
        self.candidates.last().copied().unwrap_or(0)
    }
}

impl Lower<'_> {
    /// A position that is known.
    pub fn fixed_position(&mut self, bytes: u32) -> Position {
        let value = self.make.number(LENGTH_BITS, bytes.into());
        Position { value, candidates: vec![bytes] }
    }

    /// Further by a known number of bytes.
    pub fn further(&mut self, from: &Position, bytes: u32) -> Position {
        if let Some(at) = from.fixed() {
            return self.fixed_position(at + bytes);
        }
        let step = self.make.number(LENGTH_BITS, bytes.into());
        let value = self.make.op(Op::Add, &[from.value, step]);
        Position { value, candidates: from.candidates.iter().map(|c| c + bytes).collect() }
    }

    /// Further by a computed number of bytes, one of `steps`.
    pub fn further_by(&mut self, from: &Position, bytes: Value, steps: &[u32]) -> Position {
        if let [step] = steps {
            return self.further(from, *step);
        }
        let bytes = self.make.natural(LENGTH_BITS, bytes);
        let value = self.make.op(Op::Add, &[from.value, bytes]);
        let mut candidates: Vec<u32> =
            from.candidates.iter().flat_map(|c| steps.iter().map(move |s| c + s)).collect();
        candidates.sort_unstable();
        candidates.dedup();
        Position { value, candidates }
    }

    /// Whether the packet has so many bytes behind a position.
    pub fn fits(&mut self, from: &Position, bytes: u32) -> Value {
        let end = self.further(from, bytes);
        let available = self.make.slot(Slot::Available);
        self.make.op(Op::Le, &[end.value, available])
    }

    /// Refuses a parser that looks behind the window.
    pub fn in_window(&mut self, from: &Position, bytes: u32) -> bool {
        let (needed, window) = (from.most() + bytes, self.config.window_bytes);
        if needed > window {
            let mut refusal = Refusal::new(
                "the parser",
                format!("looks at the first {needed} bytes of a packet"),
                format!("the window of {window} bytes is accepted"),
            )
            .at(&self.place);
            if let Some(at) = self
                .refusals
                .iter_mut()
                .find(|r| r.subject == refusal.subject && r.loc.site() == refusal.loc.site())
            {
                // One loop would say it many times.
                std::mem::swap(at, &mut refusal);
            } else {
                self.refuse(refusal);
            }
        }
        needed <= window
    }
}
