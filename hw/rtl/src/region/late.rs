//! Values between whose sides is chosen late: what is computed of them is computed of all sides, and the choice is made
//! in the end.

use crate::pipe::{Pipe, Sig};
use restage_program::Bits;

/// Sides that are computed of a value at most.
pub(super) const MOST_SIDES: usize = 4;

/// A value between whose sides may not have been chosen yet.
#[derive(Clone)]
pub(super) enum Late {
    Is(Sig),
    Either(Sig, Box<(Late, Late)>),
}

impl Late {
    pub fn either(condition: Sig, then: Late, otherwise: Late) -> Self {
        Late::Either(condition, Box::new((then, otherwise)))
    }

    pub fn count(&self) -> usize {
        match self {
            Late::Is(_) => 1,
            Late::Either(_, sides) => sides.0.count() + sides.1.count(),
        }
    }

    /// What is left when a condition is known.
    fn given(&self, known: Sig, truth: bool) -> Late {
        match self {
            Late::Either(condition, sides) if *condition == known => {
                let side = if truth { &sides.0 } else { &sides.1 };
                side.given(known, truth)
            }
            Late::Either(condition, sides) => {
                let (then, otherwise) = (sides.0.given(known, truth), sides.1.given(known, truth));
                Late::either(*condition, then, otherwise)
            }
            Late::Is(sig) => Late::Is(*sig),
        }
    }

    /// A function of values, computed for all sides of all.
    pub fn each(
        pipe: &mut Pipe,
        of: &[Late],
        f: &mut impl FnMut(&mut Pipe, &[Sig]) -> Late,
    ) -> Late {
        let condition = of.iter().find_map(|late| match late {
            Late::Either(condition, _) => Some(*condition),
            Late::Is(_) => None,
        });
        let Some(condition) = condition else {
            let known: Vec<Sig> = of
                .iter()
                .filter_map(|late| match late {
                    Late::Is(sig) => Some(*sig),
                    Late::Either(..) => None,
                })
                .collect();
            return f(pipe, &known);
        };
        let mut side = |truth| {
            let of: Vec<Late> = of.iter().map(|late| late.given(condition, truth)).collect();
            Late::each(pipe, &of, f)
        };
        let (then, otherwise) = (side(true), side(false));
        Late::either(condition, then, otherwise)
    }

    pub fn chosen(&self, pipe: &mut Pipe) -> Sig {
        match self {
            Late::Is(sig) => *sig,
            Late::Either(condition, sides) => {
                let (then, otherwise) = (sides.0.chosen(pipe), sides.1.chosen(pipe));
                pipe.mux(*condition, then, otherwise)
            }
        }
    }
}

/// A saturating sum or difference as a choice between the wrapped one and the bound.
pub(super) fn saturated(pipe: &mut Pipe, sum: bool, a: Sig, b: Sig) -> Late {
    let width = pipe.width(a);
    if sum {
        let all = pipe.add_carry(a, b);
        let (carry, low) = (pipe.bit(all, width), pipe.slice(all, width - 1, 0));
        let most = pipe.bits(&Bits::ones(width));
        return Late::either(carry, Late::Is(most), Late::Is(low));
    }
    let (below, rest) = (pipe.lt(a, b), pipe.sub(a, b));
    let least = pipe.bits(&Bits::zero(width));
    Late::either(below, Late::Is(least), Late::Is(rest))
}
