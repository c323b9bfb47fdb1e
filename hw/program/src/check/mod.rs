//! The checker: what must hold of a program before anything else may look at it.
//!
//! [`Program::check`] reports every violation of the rules below, each with its place, what was found
//! there and what would be accepted. It takes any value of [`Program`], however it was made: nothing
//! is indexed before its index was looked at, and recursion is bounded by [`MAX_DEPTH`]. What it
//! accepts has a type everywhere, and the golden model can run it.
//!
//! Entities that nothing uses, parser states that are never reached, and cases behind a default are not
//! faults. [`Checked::beyond_line_rate`] tells what a legal program asks that hardware cannot do at one
//! packet per clock; that is no fault either.

mod cx;
mod data;
mod expr;
mod flow;
mod headers;
mod line_rate;
mod list;
mod matches;
mod names;
mod parser;
mod report;
mod state;
mod stmt;
mod table;
mod violation;

pub use violation::{Related, Violation, Violations};

use crate::program::Program;
use std::fmt;
use std::ops::Deref;

macro_rules! rules {
    ($($code:ident: $text:literal;)*) => {
        /// What must hold of a program.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Rule {
            $(#[doc = $text] $code,)*
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Rule] = &[$(Rule::$code),*];

            /// The rule in words.
            pub const fn text(self) -> &'static str {
                match self {
                    $(Rule::$code => $text,)*
                }
            }
        }
    };
}

// The complete list. F what the builder could not write down, N names, T types, I indices, H headers, E expressions, S statements, M matches,
// P parser, B tables, R state, C copies and messages, K checksums and lists, D deparser, L limits; W is
// not checked by `check` but by `beyond_line_rate`.
rules! {
    F01: "The builder could write down all that it was told.";

    N01: "The format is the one this version reads.";
    N02: "A name is well formed: fields, parameters and errors have P4 identifiers; objects, headers, metadata, states and lists may also have dots and [index]; keys have printable characters.";
    N03: "Names differ: those of one kind of object; headers, stacks and unions together; fields of one type, parameters of one action, keys of one table.";
    N04: "An id is 0, or its top byte is the prefix of its kind.";
    N05: "Ids other than 0 differ.";
    N06: "The first metadata are the standard ones of v1model.";
    N07: "The first errors are those of the core library.";
    N08: "An annotation begins with @.";
    N09: "Element i of a stack `s` is named `s[i]`; a member of a union `u` is named `u.` and an identifier.";

    T01: "A width is between 1 and 2048 bits, a varbit's between 1 and 16384.";
    T02: "A varbit is the type of a header's field and of nothing else.";
    T03: "An error is the type of metadata and of expressions, not of header fields, parameters, registers, maps, value sets or digests.";

    I01: "Every index names something that exists.";

    H01: "A header type has a field.";
    H02: "The fixed part of a header is whole bytes; so is the longest varbit.";
    H03: "A header type has one varbit field at most.";
    H04: "A union has a member.";
    H05: "A stack has an element, and 256 at most.";
    H06: "The elements of a stack are of one type.";
    H07: "A header is in one stack or union at most, once; a union in one stack at most.";

    E01: "The operands of an operation have types that it takes.";
    E02: "The value of a constant has the width of its type; a constant error exists.";
    E03: "The divisor of a division or modulo is a constant other than 0.";
    E04: "A value has the type that is wanted where it stands.";
    E05: "A parameter stands in the body of its action, and exists.";
    E06: "A lookahead stands in a parser state, gives numbers or bools, and reaches 65536 bytes at most.";
    E07: "`next` of a stack stands in a parser state.";
    E08: "A varbit field is read only to copy it to another or as a member of a list.";
    E09: "A slice lies inside the number of which it is taken.";

    S01: "A statement stands where it may: parser state, action or half.";
    S02: "Both sides of an assignment have one type.";
    S03: "Both headers of a copy have one type.";
    S04: "Both stacks of a copy have one type and size.";
    S05: "A push or pop moves by 1 or more.";
    S06: "A header with a varbit is extracted with a length, one without is not.";
    S07: "The cases of a switch name actions of the table, each once.";
    S08: "A call gives one argument for each parameter, of its type.";
    S09: "A table is applied in one half only.";
    S10: "A table is applied once at most on every path through a half.";
    S11: "A statement for one half only is not in an action that the other half runs.";

    M01: "A match is of a kind that its key takes.";
    M02: "The values of a match have the width of the key.";
    M03: "A match is canonical: no value bits outside the mask or prefix, a prefix no longer than the key, low not above high.";

    P01: "A program has a start state exactly when it has states.";
    P02: "A select has a key, and each case one match for every key.";
    P03: "A value set has a column, and the columns of a case's value set have the types of the keys.";
    P04: "Every cycle of parser states extracts or advances.";

    B01: "A key's kind suits its type: lpm and range want numbers, error is matched exactly.";
    B02: "A table has one lpm key at most.";
    B03: "A table lists an action once.";
    B04: "The default action is listed, and not as table only.";
    B05: "Action data has one value for each parameter, of its width.";
    B06: "An entry has one match for every key; a table without keys has no entries.";
    B07: "The action of an entry is listed, and not as default only.";
    B08: "An entry has a priority only in a table with a ternary, range or optional key.";
    B09: "Entries differ in keys or priority.";
    B10: "A table's size is at least 1 and that of its entries, and 2^24 at most.";
    B11: "Entries of the program name actions; a table with a profile has none.";
    B12: "An entry times out only in a table whose entries can.";
    B13: "Tables that share a profile list the same actions.";

    R01: "A register, and a field of a map, is a number or a bool.";
    R02: "An array, a profile or a value set has a size of at least 1; profiles and value sets have 2^24 at most.";
    R03: "A meter measures packets or bytes, not both.";
    R04: "The colour of a meter goes to a bit of 2 bits or more.";
    R05: "A map has a key of 2048 bits at most, values of 2048 bits at most, a power of two of buckets, and 1 to 16 ways.";
    R06: "A map is used with one value for each field of its key, and of its entry.";

    C01: "A field list names each metadata once.";
    C02: "A digest has a field.";

    K01: "A list that is hashed or summed has a member, unless the payload is summed.";
    K02: "A sum or hash goes to a bit.";
    K03: "A member of a list is a number, a bool or a varbit.";
    K04: "A custom CRC has 16 or 32 bits.";

    D01: "A header is emitted once at most.";

    L01: "Statements and expressions are nested 100 deep at most.";
    L02: "A header has 16384 bits at most, all headers together 2^20.";
    L03: "State takes 2^28 bytes at most: registers in whole 64-bit words, 16 bytes for a counter, 64 for a meter, key and values and 16 bytes for an entry of a map.";

    W01: "A packet accesses a register or map once, or reads it and then writes it at the same index.";
    W02: "A register or map is accessed in one of parser, ingress and egress only.";
    W03: "A packet runs the same `random` once at most, and in one half only.";
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// How deep statements, and how deep expressions, may be nested.
pub const MAX_DEPTH: u32 = 100;
/// Most elements of a stack.
pub const MAX_STACK: usize = 256;
/// Most bits of a header.
pub const MAX_HEADER_BITS: u32 = 16_384;
/// Most bits of all headers together.
pub const MAX_HEADERS_BITS: u64 = 1 << 20;
/// How far a lookahead may reach, in bits.
pub const MAX_LOOKAHEAD_BITS: u64 = 8 << 16;
/// Most entries of a table, members of a profile or of a value set.
pub const MAX_ENTRIES: u32 = 1 << 24;
/// Most bytes of registers, counters, meters and maps together.
pub const MAX_STATE_BYTES: u64 = 1 << 28;
/// Most ways of a map.
pub const MAX_WAYS: u32 = 16;

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

    /// What this program asks that hardware cannot do at one packet per clock: rules W.
    pub fn beyond_line_rate(&self) -> Vec<Violation> {
        line_rate::check(&self.0)
    }
}

impl Program {
    /// Checks the program against all rules but W.
    pub fn check(self) -> Result<Checked, Violations> {
        let found = {
            let mut cx = cx::Cx::new(&self);
            cx.faults();
            cx.names();
            cx.headers();
            cx.parser();
            cx.data();
            cx.state();
            cx.tables();
            cx.halves();
            cx.found
        };
        if found.is_empty() { Ok(Checked(self)) } else { Err(Violations(found)) }
    }
}
