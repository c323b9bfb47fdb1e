//! Why a program cannot be loaded, or a write is refused.

/// Why a program cannot be run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BuildError {
    /// An entry that comes with the program is refused.
    #[error("entry {index} of table `{table}` cannot be installed: {source}")]
    Entry {
        /// Name of the table.
        table: String,
        /// Which of its entries, from 0.
        index: usize,
        /// Why.
        source: WriteError,
    },
    /// A default action that comes with the program is refused.
    #[error("the default action of table `{table}` cannot be set: {source}")]
    Default {
        /// Name of the table.
        table: String,
        /// Why.
        source: WriteError,
    },
    /// The program needs more memory than the model gives to one.
    #[error(
        "{what} `{name}` needs {words} words of state; the model has room for {limit}; make it smaller"
    )]
    TooBig {
        /// Kind of object.
        what: &'static str,
        /// Its name.
        name: String,
        /// What it needs.
        words: u64,
        /// What there is.
        limit: u64,
    },
}

/// Why a write is refused. A refused write has changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} `{name}`: {fault}")]
pub struct WriteError {
    /// Kind of object: `table`, `register`, ...
    pub what: &'static str,
    /// Its name, or its number when it has none.
    pub name: String,
    /// What is wrong with the write, and what would be accepted.
    pub fault: Fault,
}

/// What is wrong with a write. Each says what would be accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// There is no such object.
    #[error("does not exist; the program has {count}")]
    NoSuchObject {
        /// How many there are.
        count: usize,
    },
    /// Something else is wrong with the request itself.
    #[error("{0}")]
    Invalid(String),
    /// An entry, member, group or session that is to be added exists.
    #[error("{0} exists already; modify or delete it")]
    Exists(String),
    /// An entry, member, group or session that is named does not exist.
    #[error("{0} does not exist; insert it first")]
    Missing(String),
    /// There is no more room.
    #[error("is full: it holds {limit} {of}; delete some first or give it a larger size")]
    Full {
        /// Of what.
        of: &'static str,
        /// How many there can be.
        limit: u64,
    },
    /// It is still named elsewhere.
    #[error("{0} is in use; delete what names it first")]
    InUse(String),
}
