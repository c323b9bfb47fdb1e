//! What P4 for v1model, as p4c compiles it for BMv2, cannot say.

use std::fmt;

/// A place of a program whose text does not mean the same, or is not accepted by p4c.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Where: `action Ing.forward`.
    pub place: String,
    /// What cannot be said.
    pub what: &'static str,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

impl Gap {
    pub(super) const LAST: &'static str =
        "outside the parser P4 has neither `last` nor `lastIndex`";
    pub(super) const INDEX: &'static str = "P4 refuses a constant index beyond the stack";
    pub(super) const UNION_INDEX: &'static str =
        "of a stack of unions p4c reads only elements at constant indices";
    pub(super) const NEXT: &'static str = "P4 does not read the next element of a stack";
    pub(super) const LONG_IN_PARSER: &'static str =
        "p4c has no functions with conditions in parsers, and the operand is long";
    pub(super) const RANGES: &'static str = "p4c takes no ranges that need so many masks";
    pub(super) const CONSTANT_KEY: &'static str = "p4c compares no constants with a value set";
    pub(super) const STANDARD_IN_CHECKSUM: &'static str =
        "checksum controls do not see standard metadata";
    pub(super) const DIVISION: &'static str =
        "p4c divides neither by what is no constant nor beyond 1023 bits";
    pub(super) const CCITT: &'static str = "v1model has no CCITT CRC; crc16_custom stands for it";
    pub(super) const PARSER_STATE: &'static str = "p4c has no registers in parsers";
    pub(super) const PARSER_STACK: &'static str =
        "P4 has neither push_front nor pop_front in parsers";
    pub(super) const KEPT_STANDARD: &'static str = "standard metadata cannot be in a field list";
    pub(super) const HASH_LIST: &'static str =
        "more than 4 headers whose fields are left out of a hash when they are invalid";
    pub(super) const CHECKSUM_ITEM: &'static str = "p4c takes only fields, headers and constants for checksums, and leaves out invalid headers";
    pub(super) const SELECTOR_ITEM: &'static str = "p4c takes no varbit as selector key";
    pub(super) const SELECTOR_COPY: &'static str =
        "p4c copies selector keys out of stacks, so that invalid ones are not left out";
    pub(super) const PROFILE_DEFAULT: &'static str =
        "p4c has no default action that can change for a table with an action profile";
    pub(super) const PROFILE_SWITCH: &'static str =
        "p4c has no default action to switch on for a table with an action profile";
    pub(super) const PROFILE_ENTRY: &'static str =
        "P4 has no entries that name members or groups of a profile";
    pub(super) const METER_PLACE: &'static str = "p4c puts the colour of a direct meter only into metadata or a field of a header in no stack";
    pub(super) const WIDE_PREFIX: &'static str =
        "p4c gets prefixes of keys beyond 64 bits wrong in entries";
    pub(super) const ENTRY_TIMEOUT: &'static str = "P4 has no time-out of an entry";
    pub(super) const SIGNED_RANGE: &'static str =
        "p4c has no negative numbers in entries; this range is not written";
    pub(super) const BOTH_HALVES: &'static str =
        "both halves use this; P4 wants two of them, with two names";
    pub(super) const LATE_DIGEST: &'static str =
        "a field of the digest may change after it; P4 sends what it was at the call";
    pub(super) const CHECKSUM_CONDITION: &'static str =
        "p4c takes neither a choice nor a division in the condition of a checksum";
    pub(super) const APPLIED_TWICE: &'static str =
        "p4c takes a table that is applied at several places only when the same follows them";
}
