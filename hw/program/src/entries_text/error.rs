//! What is wrong with an entries file: every fault with its place.

use miette::{Diagnostic, SourceSpan};
use std::fmt;
use std::sync::Arc;

/// Faults that are kept; more are only counted.
pub const MAX_FAULTS: usize = 100;

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
#[error("line {line}, column {column}: {message}")]
pub struct Fault {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// What was found.
    pub message: String,
    /// What would be accepted.
    #[help]
    pub help: Option<String>,
    /// Where in the text.
    #[label("here")]
    pub span: SourceSpan,
    #[source_code]
    text: Arc<String>,
}

/// All faults of a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
#[error("{} in the entries", count(*.total))]
pub struct EntriesErrors {
    /// The first [`MAX_FAULTS`] of them.
    #[related]
    pub faults: Vec<Fault>,
    /// How many there are.
    pub total: usize,
}

fn count(faults: usize) -> String {
    if faults == 1 { "1 fault".into() } else { format!("{faults} faults") }
}

impl EntriesErrors {
    /// All of them, a line each with its remedy, `file` in front as compilers write it.
    pub fn list(&self, file: &str) -> String {
        let mut out = String::new();
        for f in &self.faults {
            let help = f.help.as_ref().map(|h| format!("\n    {h}")).unwrap_or_default();
            out += &format!("{file}:{}:{}: {}{help}\n", f.line, f.column, f.message);
        }
        if self.total > self.faults.len() {
            out += &format!("{file}: {} more\n", count(self.total - self.faults.len()));
        }
        out
    }
}

/// Faults as they are found.
#[derive(Debug)]
pub(super) struct Faults {
    text: Arc<String>,
    pub found: Vec<Fault>,
    pub total: usize,
}

/// Says that the fault has been noted and the line is given up.
#[derive(Debug)]
pub(super) struct Stop;

impl Faults {
    pub fn new(text: &str) -> Self {
        Faults { text: Arc::new(text.to_string()), found: Vec::new(), total: 0 }
    }

    /// Notes a fault at `at` of the line that starts at byte `start`.
    pub fn add(
        &mut self,
        (line, start): (u32, usize),
        at: std::ops::Range<usize>,
        message: impl fmt::Display,
        help: Option<String>,
    ) -> Stop {
        self.total += 1;
        if self.found.len() < MAX_FAULTS {
            let before = self.text.get(start..at.start).unwrap_or_default();
            self.found.push(Fault {
                line,
                column: before.chars().count() as u32 + 1,
                message: message.to_string(),
                help,
                span: SourceSpan::from(at),
                text: Arc::clone(&self.text),
            });
        }
        Stop
    }

    pub fn into_result<T>(self, value: T) -> Result<T, EntriesErrors> {
        match self.total {
            0 => Ok(value),
            total => Err(EntriesErrors { faults: self.found, total }),
        }
    }
}
