//! Images: a variant made loadable for one region of one build of the shell. For a card the payload is a partial
//! bitstream, for the simulated part it is the variant's [Verilog](verilog).
//!
//! An image is a header of 192 bytes, little-endian, and a payload; zeros make it whole words of 32 bits.
//!
//! | byte | |
//! | --- | --- |
//! | 0 | `RSTI` |
//! | 4 | version of this format, 16 bits: [`VERSION`] |
//! | 6 | bytes of the header, 16 bits |
//! | 8 | hash of the shell's build, 32 bits |
//! | 12 | the region's kind: 0 parser, 1 stage, 2 deparser |
//! | 13 | the region's unit |
//! | 14 | the variant's latency in clocks, 16 bits |
//! | 16 | the variant's hash, 64 bits |
//! | 24 | hash of the shape of its state, 64 bits |
//! | 32 | its number, 64 bits: a part that has loaded one takes none below it |
//! | 40 | bytes of the payload, 32 bits |
//! | 44 | CRC-32 of the payload |
//! | 48 | the part's name, 64 bytes, zeros behind it |
//! | 112 | signature, ed25519: 64 bytes, or zeros. Over bytes 0 to 111 and the payload |
//! | 176 | reserved: 12 bytes of 0 |
//! | 188 | CRC-32 of bytes 0 to 187 |
//!
//! [`Header::parse`] and [`Image::parse`] say whether this is an image, [`Header::fits`] whether it is for a place. Neither
//! does more work, nor takes more memory, than the bytes that it was given are long.
//!
//! Not here: making bitstreams, and what a load is.

mod error;
mod header;
mod image;
pub mod verilog;

pub use ed25519_dalek::{SigningKey, VerifyingKey};
pub use error::ImageError;
pub use header::{HEADER_BYTES, Header, MOST_PAYLOAD, PART_BYTES, Place, VERSION};
pub use image::{Image, words};

/// The name of the simulated part.
pub const SIMULATED: &str = "simulated";
