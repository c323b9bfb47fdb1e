//! The standard metadata and errors of v1model, which every program has at the same indices.

use crate::entity::{EntityMap, ErrorCode, Meta};
use crate::loc::Loc;
use crate::program::MetaDecl;
use crate::types::Type;

macro_rules! standard_metadata {
    ($($(#[$doc:meta])* $index:literal $name:ident: $ty:expr;)*) => {
        $($(#[$doc])* pub const $name: Meta = Meta($index);)*

        /// Name and type of each, in order of their indices.
        pub const FIELDS: &[(&str, Type)] = &[$((stringify!($name), $ty)),*];
    };
}

standard_metadata! {
    /// The port on which the packet arrived; 0 for copies and later passes.
    0 INGRESS_PORT: Type::Bit(9);
    /// Where ingress sends the packet; 511 drops it. In egress only 511 means anything.
    1 EGRESS_SPEC: Type::Bit(9);
    /// The port to which this copy goes; in egress.
    2 EGRESS_PORT: Type::Bit(9);
    /// How this copy came to be: see [`instance`].
    3 INSTANCE_TYPE: Type::Bit(32);
    /// Bytes of the packet; in egress validity changes of ingress are accounted for.
    4 PACKET_LENGTH: Type::Bit(32);
    /// When it was queued, in microseconds.
    5 ENQ_TIMESTAMP: Type::Bit(32);
    /// Length of the queue then.
    6 ENQ_QDEPTH: Type::Bit(19);
    /// Time in the queue, in microseconds.
    7 DEQ_TIMEDELTA: Type::Bit(32);
    /// Length of the queue when it left it.
    8 DEQ_QDEPTH: Type::Bit(19);
    /// When it entered ingress, in microseconds.
    9 INGRESS_GLOBAL_TIMESTAMP: Type::Bit(48);
    /// When it entered egress, in microseconds.
    10 EGRESS_GLOBAL_TIMESTAMP: Type::Bit(48);
    /// The multicast group; 0 for none.
    11 MCAST_GRP: Type::Bit(16);
    /// The replica's id; in egress.
    12 EGRESS_RID: Type::Bit(16);
    /// 1 when a verified checksum was wrong.
    13 CHECKSUM_ERROR: Type::Bit(1);
    /// What ended parsing.
    14 PARSER_ERROR: Type::Error;
    /// The queue asked for.
    15 PRIORITY: Type::Bit(3);
}

/// The `egress_spec` that drops.
pub const DROP_PORT: u32 = 511;

/// Values of `instance_type`.
pub mod instance {
    /// From a port.
    pub const NORMAL: u32 = 0;
    /// Made by a clone in ingress.
    pub const INGRESS_CLONE: u32 = 1;
    /// Made by a clone in egress.
    pub const EGRESS_CLONE: u32 = 2;
    /// Recirculated.
    pub const RECIRCULATED: u32 = 4;
    /// A multicast copy.
    pub const REPLICATED: u32 = 5;
    /// Resubmitted.
    pub const RESUBMITTED: u32 = 6;
}

/// Parser errors of the core library, in order of their codes.
pub const ERRORS: &[&str] = &[
    "NoError",
    "PacketTooShort",
    "NoMatch",
    "StackOutOfBounds",
    "HeaderTooShort",
    "ParserTimeout",
    "ParserInvalidArgument",
];

/// Codes of [`ERRORS`].
pub mod error {
    use super::ErrorCode;
    /// Nothing went wrong.
    pub const NO_ERROR: ErrorCode = ErrorCode(0);
    /// The packet ended before the header did.
    pub const PACKET_TOO_SHORT: ErrorCode = ErrorCode(1);
    /// No case of a select matched.
    pub const NO_MATCH: ErrorCode = ErrorCode(2);
    /// A stack had no room, or nothing in it.
    pub const STACK_OUT_OF_BOUNDS: ErrorCode = ErrorCode(3);
    /// A varbit was asked to be longer than it can be.
    pub const HEADER_TOO_SHORT: ErrorCode = ErrorCode(4);
    /// Parsing took too long.
    pub const PARSER_TIMEOUT: ErrorCode = ErrorCode(5);
    /// An argument was not allowed, such as a length that is no whole number of bytes.
    pub const PARSER_INVALID_ARGUMENT: ErrorCode = ErrorCode(6);
}

/// Standard metadata as a program declares it.
pub fn metas() -> EntityMap<Meta, MetaDecl> {
    FIELDS
        .iter()
        .map(|(name, ty)| MetaDecl {
            name: name.to_ascii_lowercase(),
            ty: *ty,
            loc: Loc::default(),
        })
        .collect()
}

/// Whether a metadata field is a standard one.
pub fn is_standard(meta: Meta) -> bool {
    (meta.0 as usize) < FIELDS.len()
}
