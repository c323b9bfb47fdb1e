//! What is tested: one description of a program, and how entries reach it.

use super::case::Case;
use super::stf::{self, Stf};
use super::translate::Translation;
use restage_golden::Golden;
use restage_program::entry::Write;
use restage_program::{Checked, Program, entries_text};

/// Which description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// p4c's JSON.
    Imported,
    /// The library's Rust.
    Library,
}

impl Source {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Source::Imported => "imported",
            Source::Library => "library",
        }
    }
}

/// A program to be tested, and the one whose names the data uses.
#[derive(Clone, Debug)]
pub struct Subject {
    program: Checked,
    reference: Program,
}

/// p4c's description of a case.
pub fn imported(case: &Case) -> Result<Program, String> {
    restage_p4::import(&case.json, Some(&case.p4info), &case.name).map_err(|e| e.to_string())
}

/// The library's description, if there is one.
pub fn from_library(case: &Case) -> Option<Program> {
    restage_library::get(&case.name).map(|item| item.program())
}

impl Subject {
    /// A program in the place of `reference`, from which names and handles are taken.
    pub fn new(program: Program, reference: &Program) -> Result<Self, String> {
        let program = program.check().map_err(|e| e.to_string())?;
        Ok(Subject { program, reference: reference.clone() })
    }

    /// The program under test.
    pub fn program(&self) -> &Checked {
        &self.program
    }

    /// The program that the data was made with.
    pub fn reference(&self) -> &Program {
        &self.reference
    }

    /// Names of the data in terms of the program under test.
    pub fn translation(&self) -> Translation<'_> {
        Translation::new(&self.reference, &self.program)
    }

    /// Entries of the data as the data says them.
    pub fn entries(&self, text: &str) -> Result<Vec<Write>, String> {
        entries_text::parse(&self.reference, text).map_err(|e| e.list("entries.txt"))
    }

    /// A test of the data.
    pub fn stf(&self, text: &str) -> Result<Stf, String> {
        stf::parse(&self.reference, text)
    }

    /// A model with these entries, said as the data says them.
    pub fn model(&self, writes: &[Write]) -> Result<Golden, String> {
        let mut golden = Golden::new(&self.program).map_err(|e| e.to_string())?;
        for write in writes {
            let write = self.translation().write(write)?;
            golden.write(&write).map_err(|e| format!("{e}, in {write:?}"))?;
        }
        Ok(golden)
    }
}
