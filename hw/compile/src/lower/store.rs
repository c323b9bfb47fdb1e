//! What lowering needs to know of the point at which it stands: the same for halves and parser states.

use super::Position;
use super::env::{Env, Var};
use crate::flow::{Cell, Maker, Slot, Value};
use restage_program::entity::ErrorCode;

/// A point of a half or of a parser.
pub trait Store {
    /// Whether this is a parser: there things can go wrong.
    const PARSER: bool;
    /// What a slot holds.
    fn get(&mut self, make: &mut Maker<'_>, slot: Slot) -> Value;
    /// Writes a slot.
    fn set(&mut self, make: &mut Maker<'_>, slot: Slot, value: Value);
    /// Whether the packet comes here at all.
    fn path(&mut self, make: &mut Maker<'_>) -> Value;
    /// Whether the packet has accessed a cell before.
    fn touched(&mut self, make: &mut Maker<'_>, cell: Cell) -> Value;
    /// From here on it has.
    fn touch(&mut self, make: &mut Maker<'_>, cell: Cell);
    /// In a parser: what follows happens only if this holds, else parsing ends with the error.
    fn require(&mut self, make: &mut Maker<'_>, ok: Value, error: ErrorCode);
    /// In a parser: where it stands.
    fn position(&mut self) -> Option<Position>;
}

/// A point of a half.
#[derive(Clone, Debug)]
pub struct HalfStore {
    /// What the packet carries.
    pub env: Env,
    /// Whether it comes here.
    pub path: Value,
}

impl Store for HalfStore {
    const PARSER: bool = false;

    fn get(&mut self, make: &mut Maker<'_>, slot: Slot) -> Value {
        self.env.get(make, slot)
    }

    fn set(&mut self, make: &mut Maker<'_>, slot: Slot, value: Value) {
        make.name(value, &slot.name(make.program));
        self.env.set(slot, value);
    }

    fn path(&mut self, _: &mut Maker<'_>) -> Value {
        self.path
    }

    fn touched(&mut self, make: &mut Maker<'_>, cell: Cell) -> Value {
        self.env.var(make, Var::Touched(cell))
    }

    fn touch(&mut self, make: &mut Maker<'_>, cell: Cell) {
        let yes = make.truth(true);
        self.env.set_var(Var::Touched(cell), yes);
    }

    /// Halves have no errors.
    fn require(&mut self, _: &mut Maker<'_>, _: Value, _: ErrorCode) {}

    fn position(&mut self) -> Option<Position> {
        None
    }
}
