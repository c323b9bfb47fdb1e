//! What is wrong with an input, where, and what would have been accepted.

use restage_program::Loc;
use std::fmt;

/// Why an input could not be imported: every fault that was found.
#[derive(Debug, Clone, thiserror::Error, miette::Diagnostic)]
#[error("`{name}` cannot be imported: {}", .faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("; "))]
#[diagnostic(code(restage::p4::import))]
pub struct ImportError {
    /// Name of the program.
    pub name: String,
    /// The faults, in the order of the input. There is at least one.
    #[related]
    pub faults: Vec<Fault>,
}

/// One fault.
#[derive(Debug, Clone, thiserror::Error, miette::Diagnostic)]
#[error("{place}: {found}{}", Source(.source_loc))]
#[diagnostic(help("{accepts}"))]
pub struct Fault {
    /// Where in the input: `pipelines[0].tables[3].key[1]`, or a line of the P4Info.
    pub place: String,
    /// What was found there.
    pub found: String,
    /// What would have been accepted.
    pub accepts: String,
    /// The place in the P4 program that the input names as its origin.
    pub source_loc: Loc,
}

struct Source<'a>(&'a Loc);

impl fmt::Display for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.site() {
            Some(site) => write!(f, " (from {}:{}:{})", site.file, site.line, site.column),
            None => Ok(()),
        }
    }
}

/// What most functions here return. Faults are rare and large, so they are boxed.
pub(crate) type Result<T> = std::result::Result<T, Box<Fault>>;

/// Faults found so far; work goes on where that makes sense, so that one run tells them all.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    /// The value, or nothing and one more fault.
    pub fn keep<T>(&mut self, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(fault) => {
                // A broken input can be wrong in a million places; nobody reads more than these.
                if self.0.len() < 100 {
                    self.0.push(*fault);
                }
                None
            }
        }
    }

    /// Ends the import if there is a fault. Later parts look up what earlier ones declared, so what
    /// they would say after a fault would mislead.
    pub fn settle(&mut self, name: &str) -> std::result::Result<(), ImportError> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(ImportError { name: name.to_string(), faults: std::mem::take(&mut self.0) })
    }
}
