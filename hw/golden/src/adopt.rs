//! State taken over from another program: what a live change carries from one variant to the next.
//!
//! Known by name: registers, counters, meters, maps; counters, meters and times of hits of entries with the same keys in
//! tables of the same name. Numbers may have become wider, arrays longer; what is new begins as it does in a new model.
//! Rates and entries are not state: they are written to the new program as to any other. Random generators begin anew.
//!
//! A program that is gone back to takes over as much as it has room for: it had that before, and has the rest from then.

use crate::golden::Golden;
use crate::state::RegisterState;
use restage_program::Bits;
use restage_program::entity::Entity;
use restage_program::program::Preamble;

/// State that has become smaller, so that something of it would get lost.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "{kind} {name} cannot be taken over: it is smaller than it was, or has other keys or values"
)]
pub struct Smaller {
    /// What it is.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
}

impl Golden {
    /// Takes the state over that `old` has, if its name is `wanted`. On an error nothing has changed.
    pub fn adopt(&mut self, old: &Golden, wanted: &dyn Fn(&str) -> bool) -> Result<(), Smaller> {
        self.take(old, wanted, false)
    }

    /// Takes the state over that the program behind it had in the end, if its name is `wanted`, as far as there is room for it.
    /// On an error nothing has changed.
    pub fn go_back(
        &mut self,
        later: &Golden,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<(), Smaller> {
        self.take(later, wanted, true)
    }

    fn take(
        &mut self,
        old: &Golden,
        wanted: &dyn Fn(&str) -> bool,
        cut: bool,
    ) -> Result<(), Smaller> {
        let wanted = |name: &Preamble| wanted(&name.name);
        let smaller = |kind, name: &Preamble| Smaller { kind, name: name.name.clone() };
        let (ours, theirs) = (&self.program, &old.program);
        let mut state = self.state.clone();
        for (at, decl) in ours.registers.iter().filter(|(_, d)| wanted(&d.preamble)) {
            let found =
                theirs.registers.iter().find(|(_, d)| d.preamble.name == decl.preamble.name);
            let Some((from, _)) = found else { continue };
            let (from, to) = (&old.state.registers[from.index()], &mut state.registers[at.index()]);
            resize(from, to, cut).ok_or_else(|| smaller("register", &decl.preamble))?;
        }
        for (at, decl) in ours.counters.iter().filter(|(_, d)| wanted(&d.preamble)) {
            let found = theirs.counters.iter().find(|(_, d)| d.preamble.name == decl.preamble.name);
            let Some((from, was)) = found else { continue };
            let (from, to) = (&old.state.counters[from.index()], &mut state.counters[at.index()]);
            if was.unit != decl.unit || from.len() > to.len() && !cut {
                return Err(smaller("counter", &decl.preamble));
            }
            to.iter_mut().zip(from).for_each(|(to, from)| to.clone_from(from));
        }
        for (at, decl) in ours.meters.iter().filter(|(_, d)| wanted(&d.preamble)) {
            let found = theirs.meters.iter().find(|(_, d)| d.preamble.name == decl.preamble.name);
            let Some((from, was)) = found else { continue };
            let (from, to) = (&old.state.meters[from.index()], &mut state.meters[at.index()]);
            if was.unit != decl.unit || from.len() > to.len() && !cut {
                return Err(smaller("meter", &decl.preamble));
            }
            to.iter_mut().zip(from).for_each(|(to, from)| to.adopt(from));
        }
        for (at, decl) in ours.maps.iter().filter(|(_, d)| wanted(&d.preamble)) {
            let found = theirs.maps.iter().find(|(_, d)| d.preamble.name == decl.preamble.name);
            let Some((from, was)) = found else { continue };
            let types = |fields: &[restage_program::program::FieldDecl]| {
                fields.iter().map(|f| f.ty).collect::<Vec<_>>()
            };
            let shape = |d: &restage_program::program::MapDecl| {
                (types(&d.key), types(&d.values), d.buckets, d.ways)
            };
            if shape(was) != shape(decl) {
                return Err(smaller("map", &decl.preamble));
            }
            state.maps[at.index()].adopt(&old.state.maps[from.index()]);
        }
        for (at, decl) in ours.tables.iter().filter(|(_, d)| wanted(&d.preamble)) {
            let found = theirs.tables.iter().find(|(_, d)| d.preamble.name == decl.preamble.name);
            if let Some((from, _)) = found {
                state.tables[at.index()].adopt(&old.state.tables[from.index()]);
            }
        }
        state.now = old.state.now;
        self.state = state;
        Ok(())
    }
}

/// `None` if there are fewer rows, or fewer bits, and that shall not be.
fn resize(from: &RegisterState, to: &mut RegisterState, cut: bool) -> Option<()> {
    let signed = from.ty.is_signed();
    let fewer = to.size < from.size || to.ty.width() < from.ty.width();
    if fewer && !cut || to.ty.is_signed() != signed {
        return None;
    }
    let width = to.ty.width();
    for (words, to) in from.words.chunks(from.limbs).zip(to.words.chunks_mut(to.limbs)) {
        let value = Bits::from_limbs(from.ty.width(), words);
        let minus = signed && value.bit(from.ty.width() - 1);
        let mut limbs = value.resize(width).limbs().to_vec();
        for bit in (from.ty.width()..width).filter(|_| minus) {
            limbs[bit as usize / 64] |= 1 << (bit % 64);
        }
        to.copy_from_slice(&limbs);
    }
    Some(())
}
