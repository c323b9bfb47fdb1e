//! What happens to a packet, step by step, for people who debug.

use restage_program::Bits;
use std::fmt;

/// One step. `Display` says it in words, one line each.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A packet enters the parser: from a port, or again.
    Enter {
        /// Which pass this is, from 1.
        pass: u32,
        /// Its port.
        port: u64,
        /// Its length.
        bytes: usize,
        /// Its `instance_type`.
        instance: u64,
    },
    /// The parser enters a state.
    State(&'a str),
    /// A header was extracted.
    Extract {
        /// The header.
        header: &'a str,
        /// Names and values of its fields.
        fields: Vec<(&'a str, Bits)>,
        /// Bytes taken.
        bytes: usize,
    },
    /// A select decided.
    Select {
        /// The keys' values.
        keys: Vec<Bits>,
        /// Where parsing goes on: a state, `accept`, `reject` or the error `NoMatch`.
        to: &'a str,
    },
    /// Parsing has ended with an error.
    ParserError(&'a str),
    /// Parsing has ended; so many bytes were taken.
    Parsed(usize),
    /// A checksum was verified.
    Verified {
        /// Which of the program's, from 0.
        index: usize,
        /// Whether it was right.
        right: bool,
    },
    /// A half begins.
    Half {
        /// Ingress or egress.
        egress: bool,
        /// In egress: the port.
        port: u64,
        /// The replica's id.
        rid: u64,
        /// The `instance_type`.
        instance: u64,
    },
    /// A table was applied.
    Lookup {
        /// The table.
        table: &'a str,
        /// Names and values of its keys.
        keys: Vec<(&'a str, Bits)>,
        /// The entry that matched, in words, or `None` for a miss.
        hit: Option<String>,
    },
    /// An action runs.
    Action {
        /// The action.
        action: &'a str,
        /// Names and values of its parameters.
        args: Vec<(&'a str, Bits)>,
    },
    /// A field or metadata changed.
    Change {
        /// Which.
        place: &'a str,
        /// Its value before.
        old: Bits,
        /// Its value now.
        new: Bits,
    },
    /// A header became valid or invalid.
    Validity {
        /// Which.
        header: &'a str,
        /// Whether it is valid now.
        valid: bool,
    },
    /// State was read or written.
    Effect {
        /// What happened, in words.
        text: String,
    },
    /// The packet's fate was decided, or a copy made.
    Fate(String),
    /// A packet was put together.
    Deparse {
        /// The headers in it.
        headers: Vec<&'a str>,
        /// Its length, payload included, before truncation.
        bytes: usize,
    },
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}
