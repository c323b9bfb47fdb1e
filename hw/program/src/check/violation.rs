//! A violation: which rule, where, what was found, what would be accepted.

use super::Rule;
use crate::loc::Loc;
use std::fmt;

/// One thing that is wrong with a program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// The rule that does not hold.
    pub rule: Rule,
    /// The place as a path into the serde form: `tables[3].keys[0].value`.
    pub path: String,
    /// The place by name: ``table `acl`, key `sport` ``; empty when the path says all.
    pub subject: String,
    /// Where the description says so: the nearest statement or declaration around the place.
    pub loc: Loc,
    /// What was found.
    pub found: String,
    /// What would be accepted.
    pub accepts: String,
    /// Other places that have a part in it.
    pub related: Vec<Related>,
}

/// Another place that has a part in a violation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Related {
    /// What is there.
    pub what: String,
    /// The place as a path into the serde form.
    pub path: String,
    /// Where the description says so.
    pub loc: Loc,
}

/// What was found, in one line.
impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.subject.is_empty() {
            write!(f, "{}: ", self.subject)?;
        }
        f.write_str(&self.found)
    }
}

impl std::error::Error for Violation {}

/// Everything that is wrong with a program. [`Violations::report`] renders it with its sources.
#[derive(Clone, PartialEq, Eq)]
pub struct Violations(pub Vec<Violation>);

impl Violations {
    /// The violations in the order of the checks.
    pub fn iter(&self) -> std::slice::Iter<'_, Violation> {
        self.0.iter()
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("the program has 1 fault"),
            n => write!(f, "the program has {n} faults"),
        }
    }
}

/// All of it as text, since this is what a failed `unwrap` in a test shows.
impl fmt::Debug for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        for v in &self.0 {
            write!(f, "\n{} {}: {v}; accepted: {}", v.rule, v.path, v.accepts)?;
            if let Some(site) = v.loc.site() {
                write!(f, " ({}:{}:{})", site.file, site.line, site.column)?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Violations {}
