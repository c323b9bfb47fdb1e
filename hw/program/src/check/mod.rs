//! The checker: what must hold of a program before anything else may look at it.

use crate::program::Program;
use std::ops::Deref;

/// A program that the checker has accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked(Program);

impl Deref for Checked {
    type Target = Program;
    fn deref(&self) -> &Program {
        &self.0
    }
}

impl Checked {
    /// The program, to be changed and checked again.
    pub fn into_inner(self) -> Program {
        self.0
    }
}

/// All that is wrong with a program.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the program has {} faults", .0.len())]
pub struct Violations(pub Vec<String>);

impl Program {
    /// Checks the program.
    pub fn check(self) -> Result<Checked, Violations> {
        Ok(Checked(self))
    }
}
