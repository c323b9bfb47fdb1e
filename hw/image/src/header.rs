//! The header: what an image is, and for which place.

use crate::error::ImageError;
use restage_manifest::socket::RegionKind;

/// Bytes of a header.
pub const HEADER_BYTES: usize = 192;
/// The version that is written and read.
pub const VERSION: u16 = 1;
/// Bytes for the part's name.
pub const PART_BYTES: usize = 64;
/// Bytes of the longest payload: more than the partial bitstream of any region.
pub const MOST_PAYLOAD: usize = 1 << 28;

const MAGIC: [u8; 4] = *b"RSTI";
const PART: usize = 48;
const SIGNATURE: usize = PART + PART_BYTES;
const SIGNATURE_END: usize = SIGNATURE + 64;
const CRC: usize = HEADER_BYTES - 4;
/// What a signature is over, of the header.
pub(crate) const SIGNED: usize = SIGNATURE;

/// CRC-32 as in Ethernet.
pub(crate) const CRC_32: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);

/// What stands in front of a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The part's name: letters, digits and `_`, `-`, `.`; 64 at most.
    pub part: String,
    /// [`fingerprint`](restage_manifest::ShellConfig::fingerprint) of the shell; on a card, of its build.
    pub shell: u32,
    /// The kind of region.
    pub kind: RegionKind,
    /// The region's unit.
    pub unit: u8,
    /// The variant's latency in clocks.
    pub latency: u16,
    /// The variant's hash.
    pub variant: u64,
    /// The hash of its state's shape.
    pub schema: u64,
    /// A number that never goes back.
    pub number: u64,
    /// Bytes of the payload.
    pub payload: u32,
    /// The payload's CRC-32.
    pub payload_crc: u32,
    /// The signature; zeros for none.
    pub signature: [u8; 64],
}

/// A place for an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The part's name.
    pub part: &'a str,
    /// The shell that runs.
    pub shell: u32,
    /// The region's unit.
    pub unit: u8,
    /// Its kind.
    pub kind: RegionKind,
    /// The largest number that has been loaded.
    pub least: u64,
}

impl Header {
    /// Reads a header; what follows it is not looked at.
    pub fn parse(bytes: &[u8]) -> Result<Self, ImageError> {
        let short = ImageError::Truncated { at: bytes.len(), wanted: HEADER_BYTES };
        let found: [u8; 4] = get(bytes, 0).ok_or(short.clone())?;
        if found != MAGIC {
            return Err(ImageError::Magic { found });
        }
        let version = u16::from_le_bytes(get(bytes, 4).ok_or(short.clone())?);
        if version != VERSION {
            return Err(ImageError::Version { found: version, accepted: VERSION });
        }
        let Some(bytes) = bytes.get(..HEADER_BYTES) else { return Err(short) };
        let u16_at = |at| get(bytes, at).map_or(0, u16::from_le_bytes);
        let u32_at = |at| get(bytes, at).map_or(0, u32::from_le_bytes);
        let u64_at = |at| get(bytes, at).map_or(0, u64::from_le_bytes);
        let (sum, wanted) = (CRC_32.checksum(&bytes[..CRC]), u32_at(CRC));
        if sum != wanted {
            return Err(ImageError::Crc { what: "header", found: sum, wanted });
        }
        let field = |at, what, found| Err(ImageError::Field { at, what, found });
        if usize::from(u16_at(6)) != HEADER_BYTES {
            return field(6, "the header's length", u16_at(6).into());
        }
        let kind = match bytes[12] {
            0 => RegionKind::Parser,
            1 => RegionKind::Stage,
            2 => RegionKind::Deparser,
            other => return field(12, "the kind of region", other.into()),
        };
        let payload = u32_at(40);
        if payload as usize > MOST_PAYLOAD {
            return field(40, "the payload's length", payload.into());
        }
        let name = &bytes[PART..SIGNATURE];
        let end = name.iter().position(|b| *b == 0).unwrap_or(PART_BYTES);
        if let Some(other) = name[..end].iter().position(|b| !named(*b)) {
            return field(PART + other, "a character of the part's name", name[other].into());
        }
        for (range, what) in [
            (PART + end..SIGNATURE, "what follows the part's name"),
            (SIGNATURE_END..CRC, "a reserved byte"),
        ] {
            if let Some(at) = range.clone().find(|at| bytes[*at] != 0) {
                return field(at, what, bytes[at].into());
            }
        }
        Ok(Header {
            part: String::from_utf8_lossy(&name[..end]).into_owned(),
            shell: u32_at(8),
            kind,
            unit: bytes[13],
            latency: u16_at(14),
            variant: u64_at(16),
            schema: u64_at(24),
            number: u64_at(32),
            payload,
            payload_crc: u32_at(44),
            signature: get(bytes, SIGNATURE).unwrap_or([0; 64]),
        })
    }

    /// Whether this is for a place; the first thing that is not right otherwise.
    pub fn fits(&self, place: &Place<'_>) -> Result<(), ImageError> {
        if self.part != place.part {
            let (found, wanted) = (self.part.clone(), place.part.to_string());
            return Err(ImageError::Part { found, wanted });
        }
        if self.shell != place.shell {
            return Err(ImageError::Shell { found: self.shell, wanted: place.shell });
        }
        if self.kind != place.kind {
            return Err(ImageError::Kind { found: self.kind, wanted: place.kind });
        }
        if self.unit != place.unit {
            return Err(ImageError::Region { found: self.unit, wanted: place.unit });
        }
        if self.number < place.least {
            return Err(ImageError::Older { found: self.number, least: place.least });
        }
        Ok(())
    }

    /// Bytes of the whole image, zeros at its end included.
    pub fn image_bytes(&self) -> usize {
        HEADER_BYTES + (self.payload as usize).next_multiple_of(4)
    }

    /// Its bytes. A name that is too long, or has other characters, is refused.
    pub(crate) fn bytes(&self) -> Result<[u8; HEADER_BYTES], ImageError> {
        let name = self.part.as_bytes();
        let wrong = name
            .iter()
            .position(|b| !named(*b))
            .or((name.len() > PART_BYTES).then_some(PART_BYTES));
        if let Some(at) = wrong {
            let found = name.get(at).copied().unwrap_or_default().into();
            return Err(ImageError::Field {
                at: PART + at,
                what: "a character of the part's name",
                found,
            });
        }
        let mut bytes = [0; HEADER_BYTES];
        let mut put = |at: usize, what: &[u8]| bytes[at..at + what.len()].copy_from_slice(what);
        put(0, &MAGIC);
        put(4, &VERSION.to_le_bytes());
        put(6, &(HEADER_BYTES as u16).to_le_bytes());
        put(8, &self.shell.to_le_bytes());
        put(12, &[self.kind as u8, self.unit]);
        put(14, &self.latency.to_le_bytes());
        put(16, &self.variant.to_le_bytes());
        put(24, &self.schema.to_le_bytes());
        put(32, &self.number.to_le_bytes());
        put(40, &self.payload.to_le_bytes());
        put(44, &self.payload_crc.to_le_bytes());
        put(PART, name);
        put(SIGNATURE, &self.signature);
        let sum = CRC_32.checksum(&bytes[..CRC]);
        bytes[CRC..].copy_from_slice(&sum.to_le_bytes());
        Ok(bytes)
    }
}

fn named(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

fn get<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}
