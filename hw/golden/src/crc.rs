//! CRCs whose parameters are set at run time: one byte at a time with a table made for them.
//!
//! The register holds the sum in its upper bits, so that one table serves all widths.

use restage_program::entry::CrcParams;

/// A CRC with its parameters.
#[derive(Clone, Debug)]
pub(crate) struct CustomCrc {
    width: u32,
    params: CrcParams,
    table: Box<[u32; 256]>,
}

impl CustomCrc {
    /// With the parameters that it has before any are set.
    pub fn standard(width: u32) -> Self {
        Self::new(width, CrcParams::standard(width))
    }

    /// A width from 1 to 32, and numbers below 2^width.
    pub fn new(width: u32, params: CrcParams) -> Self {
        let polynomial = params.polynomial << (32 - width);
        let one = |byte: usize| {
            (0..8).fold((byte as u32) << 24, |register, _| match register >> 31 {
                0 => register << 1,
                _ => register << 1 ^ polynomial,
            })
        };
        CustomCrc { width, params, table: Box::new(std::array::from_fn(one)) }
    }

    pub fn params(&self) -> CrcParams {
        self.params
    }

    /// The sum of bytes.
    pub fn checksum(&self, bytes: &[u8]) -> u64 {
        let CrcParams { start, xor, reflect_data, reflect_result, .. } = self.params;
        let sum = bytes.iter().fold(start << (32 - self.width), |register, byte| {
            let byte = if reflect_data { byte.reverse_bits() } else { *byte };
            register << 8 ^ self.table[(register >> 24) as usize ^ usize::from(byte)]
        });
        let sum = if reflect_result { sum.reverse_bits() } else { sum >> (32 - self.width) };
        u64::from(sum ^ xor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Check values for the text "123456789", from the catalogue of CRCs by Greg Cook.
    #[test]
    fn published_check_values() {
        let sum = |width, polynomial, start, xor, reflect_data, reflect_result| {
            let params = CrcParams { polynomial, start, xor, reflect_data, reflect_result };
            CustomCrc::new(width, params).checksum(b"123456789")
        };
        // XMODEM, KERMIT, DNP, RIELLO.
        assert_eq!(sum(16, 0x1021, 0, 0, false, false), 0x31c3);
        assert_eq!(sum(16, 0x1021, 0, 0, true, true), 0x2189);
        assert_eq!(sum(16, 0x3d65, 0, 0xffff, true, true), 0xea82);
        assert_eq!(sum(16, 0x1021, 0xb2aa, 0, true, true), 0x63d0);
        // BZIP2, ISCSI, XFER.
        assert_eq!(sum(32, 0x04c1_1db7, !0, !0, false, false), 0xfc89_1918);
        assert_eq!(sum(32, 0x1edc_6f41, !0, !0, true, true), 0xe306_9283);
        assert_eq!(sum(32, 0x0000_00af, 0, 0, false, false), 0xbd0b_e338);
        // Before any are set: ARC and ISO-HDLC.
        assert_eq!(CustomCrc::standard(16).checksum(b"123456789"), 0xbb3d);
        assert_eq!(CustomCrc::standard(32).checksum(b"123456789"), 0xcbf4_3926);
    }
}
