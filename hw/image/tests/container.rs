//! Images that are right, and every way in which they can be wrong.

#![allow(clippy::unwrap_used)] // a test may

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use restage_image::{HEADER_BYTES, Header, Image, ImageError, Place, SigningKey, verilog, words};
use restage_manifest::socket::RegionKind;

fn header() -> Header {
    Header {
        part: "simulated".into(),
        shell: 0x1234_5678,
        kind: RegionKind::Stage,
        unit: 4,
        latency: 16,
        variant: 0x0123_4567_89ab_cdef,
        schema: 42,
        number: 7,
        payload: 0,
        payload_crc: 0,
        signature: [0; 64],
    }
}

fn place() -> Place<'static> {
    Place { part: "simulated", shell: 0x1234_5678, unit: 4, kind: RegionKind::Stage, least: 7 }
}

fn image() -> Image {
    Image::new(header(), (0..=200).collect()).unwrap()
}

/// The bytes with another header sum, so that what is in it is looked at.
fn summed(mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&bytes[..HEADER_BYTES - 4]);
    bytes[HEADER_BYTES - 4..HEADER_BYTES].copy_from_slice(&sum.to_le_bytes());
    bytes
}

#[test]
fn what_is_written_is_read() {
    let image = image();
    let bytes = image.bytes().unwrap();
    assert_eq!(bytes.len(), HEADER_BYTES + 204);
    assert_eq!(Image::parse(&bytes).unwrap(), image);
    assert_eq!(image.header().fits(&place()), Ok(()));
    let back: Vec<u8> = words(&bytes).flat_map(u32::to_le_bytes).collect();
    assert_eq!(back, bytes);
    let empty = Image::new(header(), Vec::new()).unwrap();
    assert_eq!(Image::parse(&empty.bytes().unwrap()).unwrap(), empty);
    let long = Header { part: "x".repeat(64), ..header() };
    let long = Image::new(long, vec![1]).unwrap();
    assert_eq!(Image::parse(&long.bytes().unwrap()).unwrap(), long);
    for part in ["x".repeat(65), "a b".into()] {
        assert!(Image::new(Header { part, ..header() }, Vec::new()).is_err());
    }
}

#[test]
fn every_bit_counts() {
    let bytes = image().bytes().unwrap();
    for bit in 0..8 * bytes.len() {
        let mut wrong = bytes.clone();
        wrong[bit / 8] ^= 1 << (bit % 8);
        assert!(Image::parse(&wrong).is_err(), "bit {bit}");
    }
}

#[test]
fn every_end_counts() {
    let bytes = image().bytes().unwrap();
    for end in 0..bytes.len() {
        let error = Image::parse(&bytes[..end]).unwrap_err();
        assert!(matches!(error, ImageError::Truncated { at, .. } if at == end), "{end}: {error}");
    }
    let longer = [bytes.clone(), vec![0]].concat();
    let (found, wanted) = (longer.len(), bytes.len());
    assert_eq!(Image::parse(&longer), Err(ImageError::TooLong { found, wanted }));
}

#[test]
fn what_is_wrong_is_said() {
    let bytes = image().bytes().unwrap();
    let with = |at: usize, value: u8| {
        let mut wrong = bytes.clone();
        wrong[at] = value;
        Image::parse(&summed(wrong)).unwrap_err().to_string()
    };
    for (at, value, said) in [
        (0, b'X', "this is no image"),
        (4, 9, "version 9 of the format; version 1 is accepted"),
        (6, 1, "byte 6: the header's length cannot be 1"),
        (12, 3, "byte 12: the kind of region cannot be 3"),
        (43, 0x80, "byte 40: the payload's length cannot be"),
        (44, 0, "the payload's CRC-32 is"),
        (50, b'\n', "byte 50: a character of the part's name cannot be 10"),
        (100, 1, "byte 100: what follows the part's name cannot be 1"),
        (180, 1, "byte 180: a reserved byte cannot be 1"),
    ] {
        let found = with(at, value);
        assert!(found.contains(said), "{found}, not: {said}");
    }
    let mut padded = bytes.clone();
    *padded.last_mut().unwrap() = 1;
    let found = Image::parse(&padded).unwrap_err().to_string();
    assert!(found.contains("what follows the payload cannot be 1"), "{found}");
}

#[test]
fn an_image_is_for_one_place() {
    let header = image().header().clone();
    let wrong = |place: Place<'_>| header.fits(&place).unwrap_err().to_string();
    for (place, said) in [
        (Place { part: "xcu50", ..place() }, "for part `simulated`; this is `xcu50`"),
        (Place { shell: 1, ..place() }, "for the shell 0x12345678; 0x00000001 runs"),
        (Place { unit: 5, ..place() }, "for unit 4, not for unit 5"),
        (Place { kind: RegionKind::Parser, ..place() }, "for a Stage region, not for a Parser"),
        (Place { least: 8, ..place() }, "number 7; 8 or more is accepted"),
    ] {
        let found = wrong(place);
        assert!(found.contains(said), "{found}, not: {said}");
    }
}

#[test]
fn signatures_are_of_all_that_counts() {
    let key = SigningKey::from_bytes(&[3; 32]);
    let mut image = image();
    assert!(image.verify(&key.verifying_key()).is_err(), "not signed");
    image.sign(&key).unwrap();
    let read = Image::parse(&image.bytes().unwrap()).unwrap();
    read.verify(&key.verifying_key()).unwrap();
    assert!(read.verify(&SigningKey::from_bytes(&[4; 32]).verifying_key()).is_err());
    let signed = read.header().clone();
    let signature = signed.signature;
    let forged = Header { number: 8, ..signed };
    let mut bytes = Image::new(forged, read.payload().to_vec()).unwrap().bytes().unwrap();
    bytes[112..176].copy_from_slice(&signature);
    let forged = Image::parse(&summed(bytes)).unwrap();
    assert!(forged.verify(&key.verifying_key()).is_err(), "another number");
}

#[test]
fn any_bytes_are_read_without_harm() {
    let mut rng = SmallRng::seed_from_u64(1);
    let good = image().bytes().unwrap();
    let packed = verilog::pack("top", &"module top; endmodule\n".repeat(100));
    for round in 0..20_000 {
        let mut bytes: Vec<u8> = match round % 3 {
            0 => (0..rng.random_range(0..300)).map(|_| rng.random()).collect(),
            1 => good.clone(),
            _ => packed.clone(),
        };
        for _ in 0..rng.random_range(1..5) {
            if let Some(count) = bytes.len().checked_sub(1).filter(|c| *c > 0) {
                bytes[rng.random_range(0..count)] = rng.random();
            }
        }
        if bytes.len() > HEADER_BYTES && rng.random() {
            bytes = summed(bytes);
        }
        let _ = Header::parse(&bytes);
        let _ = Image::parse(&bytes);
        let _ = verilog::unpack(&bytes);
    }
}

#[test]
fn verilog_is_packed() {
    let text = "module top(input clk_i); // `it` costs $1 /* */\nendmodule\n".repeat(1000);
    let packed = verilog::pack("top", &text);
    assert!(packed.len() < text.len() / 10, "{}", packed.len());
    assert_eq!(verilog::unpack(&packed).unwrap(), ("top".to_string(), text));
    for (module, text, said) in [
        ("to p", "", "no name of a module"),
        ("", "", "no name of a module"),
        ("top", "\ninitial $system(\"x\");", "line 3 has `$`"),
        ("top", "`include \"x\"", "line 2 has ``"),
        ("top", "(* a = \"//\" *) `include \"x\"", "line 2 has ``"),
        ("top", "/* // */ $finish", "line 2 has `/*`"),
        ("top", "(* a = \"", "a string without an end"),
        ("top", "wire \\a$b ;", "line 2 has `\\`"),
    ] {
        let found = verilog::unpack(&verilog::pack(module, text)).unwrap_err().to_string();
        assert!(found.contains(said), "{found}");
    }
    // 128 MB of nothing are a few bytes; they are not unpacked as a whole.
    let bomb = verilog::pack("top", &"\0".repeat(128 << 20));
    let found = verilog::unpack(&bomb).unwrap_err().to_string();
    assert!(found.contains("zlib"), "{found}");
}
