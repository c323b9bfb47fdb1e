//! Header and payload.

use crate::error::ImageError;
use crate::header::{CRC_32, HEADER_BYTES, Header, MOST_PAYLOAD, SIGNED};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

/// An image that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    header: Header,
    payload: Vec<u8>,
}

impl Image {
    /// Puts a payload behind a header, whose `payload`, `payload_crc` and `signature` do not count.
    pub fn new(header: Header, payload: Vec<u8>) -> Result<Self, ImageError> {
        if payload.len() > MOST_PAYLOAD {
            let found = payload.len() as u64;
            return Err(ImageError::Field { at: 40, what: "the payload's length", found });
        }
        let header = Header {
            payload: payload.len() as u32,
            payload_crc: CRC_32.checksum(&payload),
            signature: [0; 64],
            ..header
        };
        header.bytes()?;
        Ok(Image { header, payload })
    }

    /// Reads an image; nothing may follow it.
    pub fn parse(bytes: &[u8]) -> Result<Self, ImageError> {
        let header = Header::parse(bytes)?;
        let wanted = header.image_bytes();
        if bytes.len() < wanted {
            return Err(ImageError::Truncated { at: bytes.len(), wanted });
        }
        if bytes.len() > wanted {
            return Err(ImageError::TooLong { found: bytes.len(), wanted });
        }
        let end = HEADER_BYTES + header.payload as usize;
        let payload = &bytes[HEADER_BYTES..end];
        let found = CRC_32.checksum(payload);
        if found != header.payload_crc {
            return Err(ImageError::Crc { what: "payload", found, wanted: header.payload_crc });
        }
        if let Some(at) = (end..wanted).find(|at| bytes[*at] != 0) {
            let found = bytes[at].into();
            return Err(ImageError::Field { at, what: "what follows the payload", found });
        }
        Ok(Image { payload: payload.to_vec(), header })
    }

    /// What it is.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What is loaded.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Signs it.
    pub fn sign(&mut self, key: &SigningKey) -> Result<(), ImageError> {
        self.header.signature = key.sign(&self.signed()?).to_bytes();
        Ok(())
    }

    /// Whether it was signed with a key.
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), ImageError> {
        if self.header.signature == [0; 64] {
            return Err(ImageError::Signature("it is not signed, and a signature is asked for"));
        }
        let signature = Signature::from_bytes(&self.header.signature);
        key.verify_strict(&self.signed()?, &signature)
            .map_err(|_| ImageError::Signature("it was signed with another key, or changed since"))
    }

    fn signed(&self) -> Result<Vec<u8>, ImageError> {
        let mut bytes = self.header.bytes()?[..SIGNED].to_vec();
        bytes.extend(&self.payload);
        Ok(bytes)
    }

    /// The image as a file has it.
    pub fn bytes(&self) -> Result<Vec<u8>, ImageError> {
        let mut bytes = self.header.bytes()?.to_vec();
        bytes.extend(&self.payload);
        bytes.resize(self.header.image_bytes(), 0);
        Ok(bytes)
    }
}

/// Bytes of an image as the words that are written to the image port; what is missing in the last one is 0.
pub fn words(bytes: &[u8]) -> impl ExactSizeIterator<Item = u32> + '_ {
    bytes.chunks(4).map(|piece| {
        let mut word = [0; 4];
        word[..piece.len()].copy_from_slice(piece);
        u32::from_le_bytes(word)
    })
}
