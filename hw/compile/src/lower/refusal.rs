//! What hardware cannot do at one packet per clock, or within the sizes of a shell.

use restage_program::check::Violation;
use restage_program::loc::Loc;
use std::fmt;

/// One thing that a legal program asks and that is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub struct Refusal {
    /// The place by name: ``table `acl` ``, ``state `parse_options` ``.
    pub subject: String,
    /// What cannot be done, with the numbers.
    pub found: Box<str>,
    /// What would be accepted.
    pub accepts: Box<str>,
    /// Where the description says so, if known.
    pub loc: Loc,
    /// Other places that have a part in it.
    pub related: Vec<(String, Loc)>,
}

impl Refusal {
    /// A refusal at a place that is known by name.
    pub fn new(
        subject: impl Into<String>,
        found: impl Into<String>,
        accepts: impl Into<String>,
    ) -> Self {
        Refusal {
            subject: subject.into(),
            found: found.into().into(),
            accepts: accepts.into().into(),
            loc: Loc::default(),
            related: Vec::new(),
        }
    }

    /// The same, with the place in the description.
    pub fn at(mut self, loc: &Loc) -> Self {
        self.loc = loc.clone();
        self
    }

    /// The same, with another place that has a part in it.
    pub fn with(mut self, what: impl Into<String>, loc: &Loc) -> Self {
        self.related.push((what.into(), loc.clone()));
        self
    }
}

impl From<Violation> for Refusal {
    fn from(v: Violation) -> Self {
        Refusal {
            found: v.found.into(),
            accepts: v.accepts.into(),
            loc: v.loc,
            related: v.related.into_iter().map(|r| (r.what, r.loc)).collect(),
            subject: if v.subject.is_empty() { v.path } else { v.subject },
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.subject, self.found, self.accepts)?;
        if self.loc.site().is_some() {
            write!(f, " ({:?})", self.loc)?;
        }
        for (what, loc) in &self.related {
            write!(f, "; {what}")?;
            if loc.site().is_some() {
                write!(f, " ({loc:?})")?;
            }
        }
        Ok(())
    }
}
