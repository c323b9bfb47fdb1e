//! Lists that are hashed or summed.

use crate::entity::Crc;
use crate::expr::{Expr, HeaderRef, Place};
use crate::loc::Loc;
use serde::{Deserialize, Serialize};

/// A checksum to be verified or updated.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Checksum {
    /// Nothing happens unless this holds.
    pub condition: Expr,
    /// What is summed.
    pub items: Vec<Item>,
    /// Where the sum stands.
    pub field: Place,
    /// How it is computed.
    pub algorithm: HashAlgorithm,
    /// Whether everything behind the extracted headers is summed too, after the items.
    pub with_payload: bool,
    /// Where it was declared.
    #[serde(skip)]
    pub loc: Loc,
}

/// A member of a list that is hashed or summed. Members are concatenated without gaps.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// A value; a field of an invalid header is 0 of its full width (a varbit: nothing).
    Value(Expr),
    /// A field, left out when its header is invalid, as `verify_checksum` and selectors do.
    IfValid {
        /// The header.
        header: HeaderRef,
        /// The field's position; may be a varbit.
        field: u32,
    },
    /// All fields of a header, left out when it is invalid.
    Header(HeaderRef),
}

/// A hash or checksum function.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HashAlgorithm {
    /// CRC-32 of Ethernet.
    Crc32,
    /// CRC-16, reflected 0x8005, start 0.
    Crc16,
    /// CRC-16 with polynomial 0x1021, start 0xffff (CCITT).
    CrcCcitt,
    /// Complement of the one's complement sum of 16-bit words.
    Csum16,
    /// Exclusive or of 16-bit words.
    Xor16,
    /// The first 64 bits as a number.
    Identity,
    /// A CRC whose parameters are set at run time.
    Custom(Crc),
}
