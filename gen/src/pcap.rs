//! Capture files in the classic pcap format: both byte orders, microseconds or nanoseconds.
//!
//! A reader holds one packet at a time and trusts no length. The newer pcapng format is recognised and
//! refused with the way to convert it.

use std::io::{self, Read, Write};

/// The longest packet that is read; captures are taken with less.
pub const MAX_PACKET: u32 = 256 * 1024;
/// Link type of Ethernet.
pub const ETHERNET: u32 = 1;

const MICROSECONDS: u32 = 0xa1b2_c3d4;
const NANOSECONDS: u32 = 0xa1b2_3c4d;
const PCAPNG: u32 = 0x0a0d_0d0a;

/// Why a capture cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PcapError {
    /// It is something else.
    #[error("this is no pcap file: it starts with {0:02x?}")]
    NotPcap(Vec<u8>),
    /// It is a pcapng file.
    #[error(
        "this is a pcapng file; convert it with `editcap -F pcap IN OUT` or `tcpdump -r IN -w OUT`"
    )]
    Pcapng,
    /// It ends inside its header or a packet.
    #[error("the file is cut off in {what}, at byte {offset}")]
    Truncated {
        /// In what.
        what: String,
        /// Where.
        offset: u64,
    },
    /// A packet has an impossible length: the file is damaged.
    #[error("packet {index} at byte {offset} claims {length} bytes; at most {MAX_PACKET} are read")]
    TooLong {
        /// Which packet, from 0.
        index: u64,
        /// Where.
        offset: u64,
        /// The length that it claims.
        length: u32,
    },
    /// The file cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// When a packet was captured, and its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Whole seconds.
    pub seconds: u32,
    /// Microseconds beyond.
    pub micros: u32,
    /// What was captured of it.
    pub bytes: &'a [u8],
}

impl Packet<'_> {
    /// Microseconds since the epoch of the file.
    pub fn time_us(&self) -> u64 {
        u64::from(self.seconds) * 1_000_000 + u64::from(self.micros)
    }
}

/// Reads a capture packet by packet.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    swapped: bool,
    nanoseconds: bool,
    link_type: u32,
    buffer: Vec<u8>,
    offset: u64,
    index: u64,
}

impl<R: Read> Reader<R> {
    /// Reads the file's header.
    pub fn new(mut input: R) -> Result<Self, PcapError> {
        let mut header = [0u8; 24];
        let got = fill(&mut input, &mut header)?;
        let magic = u32::from_le_bytes([header[0], header[1], header[2], header[3]]);
        let (swapped, nanoseconds) = match magic {
            MICROSECONDS => (false, false),
            NANOSECONDS => (false, true),
            PCAPNG => return Err(PcapError::Pcapng),
            other if other.swap_bytes() == MICROSECONDS => (true, false),
            other if other.swap_bytes() == NANOSECONDS => (true, true),
            _ => return Err(PcapError::NotPcap(header[..got.min(4)].to_vec())),
        };
        if got < header.len() {
            return Err(PcapError::Truncated { what: "its header".into(), offset: got as u64 });
        }
        let link_type = word(swapped, &header, 20) & 0x0fff_ffff;
        let (buffer, offset, index) = (Vec::new(), header.len() as u64, 0);
        Ok(Reader { input, swapped, nanoseconds, link_type, buffer, offset, index })
    }

    /// What kind of frames these are; [`ETHERNET`] mostly.
    pub fn link_type(&self) -> u32 {
        self.link_type
    }

    /// The next packet, `None` at the end.
    pub fn packet(&mut self) -> Result<Option<Packet<'_>>, PcapError> {
        let mut header = [0u8; 16];
        let got = fill(&mut self.input, &mut header)?;
        if got == 0 {
            return Ok(None);
        }
        let truncated =
            |index, offset| PcapError::Truncated { what: format!("packet {index}"), offset };
        if got < header.len() {
            return Err(truncated(self.index, self.offset + got as u64));
        }
        let length = word(self.swapped, &header, 8);
        if length > MAX_PACKET {
            return Err(PcapError::TooLong { index: self.index, offset: self.offset, length });
        }
        self.buffer.resize(length as usize, 0);
        let got = fill(&mut self.input, &mut self.buffer)?;
        if got < self.buffer.len() {
            return Err(truncated(self.index, self.offset + 16 + got as u64));
        }
        self.offset += 16 + u64::from(length);
        self.index += 1;
        let fraction = word(self.swapped, &header, 4);
        let micros = if self.nanoseconds { fraction / 1000 } else { fraction };
        let seconds = word(self.swapped, &header, 0);
        Ok(Some(Packet { seconds, micros, bytes: &self.buffer }))
    }
}

fn word(swapped: bool, bytes: &[u8], at: usize) -> u32 {
    let word = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
    if swapped { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
}

/// Reads until the buffer is full or the input ends; how much it was.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while let Some(rest) = buffer.get_mut(got..).filter(|r| !r.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(got)
}

/// Writes a capture, little-endian, in microseconds.
#[derive(Debug)]
pub struct Writer<W> {
    output: W,
}

impl<W: Write> Writer<W> {
    /// Writes the file's header.
    pub fn new(mut output: W, link_type: u32) -> io::Result<Self> {
        output.write_all(&MICROSECONDS.to_le_bytes())?;
        output.write_all(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0])?;
        output.write_all(&MAX_PACKET.to_le_bytes())?;
        output.write_all(&link_type.to_le_bytes())?;
        Ok(Writer { output })
    }

    /// Writes a packet; one longer than a file can say is cut.
    pub fn packet(&mut self, packet: Packet) -> io::Result<()> {
        let bytes = packet.bytes.get(..MAX_PACKET as usize).unwrap_or(packet.bytes);
        let length = (bytes.len() as u32).to_le_bytes();
        self.output.write_all(&packet.seconds.to_le_bytes())?;
        self.output.write_all(&packet.micros.to_le_bytes())?;
        self.output.write_all(&length)?;
        self.output.write_all(&(packet.bytes.len() as u32).to_le_bytes())?;
        self.output.write_all(bytes)
    }

    /// Ends the file.
    pub fn finish(mut self) -> io::Result<W> {
        self.output.flush()?;
        Ok(self.output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let mut w = Writer::new(Vec::new(), ETHERNET).unwrap();
        w.packet(Packet { seconds: 3, micros: 4, bytes: b"abc" }).unwrap();
        w.packet(Packet { seconds: 5, micros: 6, bytes: b"" }).unwrap();
        w.finish().unwrap()
    }

    fn read(bytes: &[u8]) -> Result<Vec<(u64, Vec<u8>)>, PcapError> {
        let mut r = Reader::new(bytes)?;
        let mut out = Vec::new();
        while let Some(p) = r.packet()? {
            out.push((p.time_us(), p.bytes.to_vec()));
        }
        Ok(out)
    }

    #[test]
    fn what_is_written_is_read() {
        let want = vec![(3_000_004, b"abc".to_vec()), (5_000_006, Vec::new())];
        assert_eq!(read(&sample()).unwrap(), want);
    }

    #[test]
    fn big_endian_nanoseconds_are_read() {
        let mut file = NANOSECONDS.to_be_bytes().to_vec();
        file.extend([0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 0, 0, 0, 1]);
        file.extend([0, 0, 0, 1, 0, 0, 7, 208, 0, 0, 0, 1, 0, 0, 0, 9, 42]);
        assert_eq!(read(&file).unwrap(), [(1_000_002, vec![42])]);
    }

    #[test]
    fn damaged_files_are_refused_with_the_place() {
        let file = sample();
        for end in (0..file.len()).filter(|end| ![24, 43].contains(end)) {
            let text = read(&file[..end]).unwrap_err().to_string();
            assert!(text.contains("cut off") || end < 4, "{end}: {text}");
        }
        let mut long = file.clone();
        long[35] = 0xff;
        let text = read(&long).unwrap_err().to_string();
        assert!(text.starts_with("packet 0 at byte 24 claims"), "{text}");
        assert!(matches!(read(b"\x0a\x0d\x0d\x0a"), Err(PcapError::Pcapng)));
        assert!(matches!(read(b"garbage garbage garbage"), Err(PcapError::NotPcap(_))));
    }
}
