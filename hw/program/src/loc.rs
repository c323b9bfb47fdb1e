//! Where in a description something was said.
//!
//! A location is provenance, not content: it is not written out, and two programs that differ in
//! nothing else are equal. The builder takes it from its caller; an importer from its input.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;

/// A place in a source file, or nowhere.
#[derive(Clone, Default)]
pub struct Loc {
    site: Option<Site>,
}

/// File, line and column, both counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Path as the compiler or the input named it.
    pub file: Cow<'static, str>,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

impl Loc {
    /// The place from which the function that calls this one was called.
    #[track_caller]
    pub fn caller() -> Self {
        let at = Location::caller();
        Loc { site: Some(Site { file: at.file().into(), line: at.line(), column: at.column() }) }
    }

    /// A place in a file that was read at run time.
    pub fn at(file: impl Into<String>, line: u32, column: u32) -> Self {
        Loc { site: Some(Site { file: Cow::Owned(file.into()), line, column }) }
    }

    /// The place, when it is known.
    pub fn site(&self) -> Option<&Site> {
        self.site.as_ref()
    }
}

impl PartialEq for Loc {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Loc {}

impl fmt::Debug for Loc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.site {
            Some(s) => write!(f, "{}:{}:{}", s.file, s.line, s.column),
            None => f.write_str("nowhere"),
        }
    }
}
