//! Why a program cannot be loaded.

use restage_program::accept::WriteError;

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
