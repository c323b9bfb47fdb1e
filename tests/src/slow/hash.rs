//! Hashes and checksums, bit by bit, straight from their definitions.

use restage_program::Bits;
use restage_program::entity::Crc;
use restage_program::entry::CrcParams;
use restage_program::program::HashAlgorithm;

/// The bits of a value, first bit on the wire first.
pub fn wire_bits(value: &Bits) -> Vec<bool> {
    (0..value.width()).rev().map(|i| value.bit(i)).collect()
}

/// The value of bits, the first being the most significant.
pub fn from_wire(bits: &[bool]) -> Bits {
    let mut bytes = Vec::new();
    let lead = (8 - bits.len() % 8) % 8;
    let padded: Vec<bool> = std::iter::repeat_n(false, lead).chain(bits.iter().copied()).collect();
    for byte in padded.chunks(8) {
        bytes.push(byte.iter().fold(0u8, |b, bit| b << 1 | u8::from(*bit)));
    }
    Bits::from_be_bytes(bits.len() as u32, &bytes)
}

/// Width and parameters of a custom CRC.
pub type Custom = (u32, CrcParams);

/// The hash of a string of bits; zeros are added behind to whole bytes.
pub fn hash(algorithm: HashAlgorithm, data: &[bool], custom: impl Fn(Crc) -> Custom) -> u64 {
    let mut data = data.to_vec();
    while !data.len().is_multiple_of(8) {
        data.push(false);
    }
    match algorithm {
        HashAlgorithm::Crc32 => crc(&data, 32, 0x04c1_1db7, 0xffff_ffff, [true; 2]) ^ 0xffff_ffff,
        HashAlgorithm::Crc16 => crc(&data, 16, 0x8005, 0, [true; 2]),
        HashAlgorithm::CrcCcitt => crc(&data, 16, 0x1021, 0xffff, [false; 2]),
        HashAlgorithm::Custom(which) => {
            let (width, p) = custom(which);
            let reflected = [p.reflect_data, p.reflect_result];
            crc(&data, width, p.polynomial.into(), p.start.into(), reflected) ^ u64::from(p.xor)
        }
        HashAlgorithm::Csum16 => {
            let mut sum: u64 = 0;
            for word in words(&data) {
                sum += word;
                if sum > 0xffff {
                    sum -= 0xffff;
                }
            }
            sum ^ 0xffff
        }
        HashAlgorithm::Xor16 => words(&data).fold(0, |a, b| a ^ b),
        HashAlgorithm::Identity => data.iter().take(64).fold(0, |n, bit| n << 1 | u64::from(*bit)),
    }
}

/// The CRC-32 of Ethernet of a string of bits.
pub fn crc32(data: &[bool]) -> u64 {
    hash(HashAlgorithm::Crc32, data, |_| (32, CrcParams::standard(32)))
}

/// 16-bit words, zeros behind the last byte when it stands alone.
fn words(data: &[bool]) -> impl Iterator<Item = u64> + '_ {
    data.chunks(16)
        .map(|word| (0..16).fold(0, |n, i| n << 1 | u64::from(word.get(i) == Some(&true))))
}

/// Long division of the message by the polynomial, one bit at a time. Either the bits of each byte are
/// turned around, or those of the result, or both.
fn crc(data: &[bool], width: u32, polynomial: u64, start: u64, [bytes, result]: [bool; 2]) -> u64 {
    let top = 1u64 << (width - 1);
    let mask = top | (top - 1);
    let mut rest = start;
    for byte in data.chunks(8) {
        for i in 0..8 {
            let bit = byte[if bytes { 7 - i } else { i }];
            let out = (rest & top != 0) != bit;
            rest = rest << 1 & mask;
            if out {
                rest ^= polynomial;
            }
        }
    }
    if result { (0..width).fold(0, |n, i| n << 1 | rest >> i & 1) } else { rest }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values that catalogues of CRCs give for the text "123456789".
    #[test]
    fn hashes_have_their_published_check_values() {
        let standard = |crc: Crc| {
            let width = [16, 32][crc.0 as usize];
            (width, CrcParams::standard(width))
        };
        let text: Vec<bool> =
            b"123456789".iter().flat_map(|b| (0..8).rev().map(move |i| b >> i & 1 == 1)).collect();
        for (algorithm, want) in [
            (HashAlgorithm::Crc32, 0xcbf4_3926),
            (HashAlgorithm::Crc16, 0xbb3d),
            (HashAlgorithm::CrcCcitt, 0x29b1),
            (HashAlgorithm::Custom(Crc(0)), 0xbb3d),
            (HashAlgorithm::Custom(Crc(1)), 0xcbf4_3926),
            (HashAlgorithm::Identity, 0x3132_3334_3536_3738),
        ] {
            assert_eq!(hash(algorithm, &text, standard), want, "{algorithm:?}");
        }
        // RFC 1071, section 3: the words 0001 f203 f4f5 f6f7 sum to ddf2.
        let words = Bits::new(64, 0x0001_f203_f4f5_f6f7);
        assert_eq!(hash(HashAlgorithm::Csum16, &wire_bits(&words), standard), !0xddf2 & 0xffff);
        assert_eq!(
            hash(HashAlgorithm::Xor16, &wire_bits(&Bits::new(24, 0x12_3456)), standard),
            0x4434
        );
    }
}
