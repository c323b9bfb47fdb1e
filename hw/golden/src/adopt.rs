//! State taken over from another program: what a live change carries from one variant to the next.
//!
//! Known by name: registers, counters, meters, maps; counters, meters and times of hits of entries with the same keys in
//! tables of the same name. Numbers may have become wider, arrays longer; what is new begins as it does in a new model.
//! Rates and entries are not state: they are written to the new program as to any other. Random generators begin anew.

use crate::golden::Golden;
use crate::state::RegisterState;
use restage_program::Bits;
use restage_program::entity::Entity;
use restage_program::program::Preamble;
use std::collections::BTreeSet;

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
    /// Takes the state over that `old` has, but for what is in `reset`. On an error nothing has changed.
    pub fn adopt(&mut self, old: &Golden, reset: &BTreeSet<&str>) -> Result<(), Smaller> {
        let wanted = |name: &Preamble| !reset.contains(name.name.as_str());
        let smaller = |kind, name: &Preamble| Smaller { kind, name: name.name.clone() };
        let (ours, theirs) = (&self.program, &old.program);
        let mut state = self.state.clone();
        for (at, decl) in ours.registers.iter().filter(|(_, d)| wanted(&d.preamble)) {
            let found =
                theirs.registers.iter().find(|(_, d)| d.preamble.name == decl.preamble.name);
            let Some((from, _)) = found else { continue };
            let (from, to) = (&old.state.registers[from.index()], &mut state.registers[at.index()]);
            widen(from, to).ok_or_else(|| smaller("register", &decl.preamble))?;
        }
        for (at, decl) in ours.counters.iter().filter(|(_, d)| wanted(&d.preamble)) {
            let found = theirs.counters.iter().find(|(_, d)| d.preamble.name == decl.preamble.name);
            let Some((from, was)) = found else { continue };
            let to = &mut state.counters[at.index()];
            let room = to.get_mut(..was.size as usize).filter(|_| was.unit == decl.unit);
            let room = room.ok_or_else(|| smaller("counter", &decl.preamble))?;
            room.clone_from_slice(&old.state.counters[from.index()]);
        }
        for (at, decl) in ours.meters.iter().filter(|(_, d)| wanted(&d.preamble)) {
            let found = theirs.meters.iter().find(|(_, d)| d.preamble.name == decl.preamble.name);
            let Some((from, was)) = found else { continue };
            let to = &mut state.meters[at.index()];
            let room = to.get_mut(..was.size as usize).filter(|_| was.unit == decl.unit);
            let room = room.ok_or_else(|| smaller("meter", &decl.preamble))?;
            room.iter_mut()
                .zip(&old.state.meters[from.index()])
                .for_each(|(to, from)| to.adopt(from));
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

/// `None` if there are fewer rows, or fewer bits.
fn widen(from: &RegisterState, to: &mut RegisterState) -> Option<()> {
    let signed = from.ty.is_signed();
    if to.size < from.size || to.ty.width() < from.ty.width() || to.ty.is_signed() != signed {
        return None;
    }
    for (row, words) in from.words.chunks(from.limbs).enumerate() {
        let value = Bits::from_limbs(from.ty.width(), words);
        let width = to.ty.width();
        let minus = signed && value.bit(from.ty.width() - 1);
        let mut limbs = value.resize(width).limbs().to_vec();
        for bit in (from.ty.width()..width).filter(|_| minus) {
            limbs[bit as usize / 64] |= 1 << (bit % 64);
        }
        to.words[row * to.limbs..(row + 1) * to.limbs].copy_from_slice(&limbs);
    }
    Some(())
}
