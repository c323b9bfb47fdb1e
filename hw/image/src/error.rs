//! What can be wrong with an image, and what to do about it.

use restage_manifest::address::image::Code;
use restage_manifest::socket::RegionKind;

/// Why an image is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// It does not begin as one.
    #[error("this is no image: it begins with {found:02x?}, not with `RSTI`")]
    Magic {
        /// Its first bytes.
        found: [u8; 4],
    },
    /// It is of a version that this reader does not know.
    #[error("version {found} of the format; version {accepted} is accepted")]
    Version {
        /// What it says.
        found: u16,
        /// What is known.
        accepted: u16,
    },
    /// It ends too early.
    #[error("truncated at byte {at}: {wanted} bytes were announced")]
    Truncated {
        /// Bytes that there are.
        at: usize,
        /// Bytes that there should be.
        wanted: usize,
    },
    /// There is something behind its end.
    #[error("{found} bytes; {wanted} were announced")]
    TooLong {
        /// Bytes that there are.
        found: usize,
        /// Bytes that there should be.
        wanted: usize,
    },
    /// A sum over a part of it is not what stands in it.
    #[error(
        "the {what}'s CRC-32 is {found:#010x}, not {wanted:#010x}: it was damaged on its way, fetch it again"
    )]
    Crc {
        /// Which part: header or payload.
        what: &'static str,
        /// Of the bytes that there are.
        found: u32,
        /// What stands in it.
        wanted: u32,
    },
    /// A field holds what it cannot.
    #[error("byte {at}: {what} cannot be {found}")]
    Field {
        /// Where.
        at: usize,
        /// What it is.
        what: &'static str,
        /// What was found.
        found: u64,
    },
    /// It is for another part.
    #[error("for part `{found}`; this is `{wanted}`")]
    Part {
        /// What it is for.
        found: String,
        /// What it would have to be for.
        wanted: String,
    },
    /// It is for another build of the shell.
    #[error("for the shell {found:#010x}; {wanted:#010x} runs: build the image for that one")]
    Shell {
        /// What it is for.
        found: u32,
        /// What it would have to be for.
        wanted: u32,
    },
    /// It is for another region.
    #[error("for unit {found}, not for unit {wanted}: an image fits one region")]
    Region {
        /// What it is for.
        found: u8,
        /// What it would have to be for.
        wanted: u8,
    },
    /// It is for another kind of region.
    #[error("for a {found:?} region, not for a {wanted:?} region")]
    Kind {
        /// What it is for.
        found: RegionKind,
        /// What it would have to be for.
        wanted: RegionKind,
    },
    /// A newer one has been loaded.
    #[error("number {found}; {least} or more is accepted, as that has been loaded")]
    Older {
        /// Its number.
        found: u64,
        /// The least that is accepted.
        least: u64,
    },
    /// It is not signed, or not with that key.
    #[error("{0}")]
    Signature(&'static str),
    /// There is no circuit in the payload.
    #[error("the payload is no circuit: {0}")]
    Circuit(String),
}

impl ImageError {
    /// As the part reports it at the image port.
    pub fn code(&self) -> Code {
        match self {
            ImageError::Magic { .. } | ImageError::Version { .. } | ImageError::Field { .. } => {
                Code::Format
            }
            ImageError::Truncated { .. } => Code::Truncated,
            ImageError::TooLong { .. } => Code::TooLong,
            ImageError::Crc { what: "payload", .. } => Code::Payload,
            ImageError::Crc { .. } => Code::Format,
            ImageError::Part { .. } => Code::Part,
            ImageError::Shell { .. } => Code::Shell,
            ImageError::Region { .. } => Code::Region,
            ImageError::Kind { .. } => Code::Kind,
            ImageError::Older { .. } => Code::Older,
            ImageError::Signature(_) => Code::Signature,
            ImageError::Circuit(_) => Code::Circuit,
        }
    }
}
