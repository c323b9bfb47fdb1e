//! Where packets come from and go to: TAP devices, capture files, a generator.

use anyhow::{Context, bail};
use restage_gen::pcap::{ETHERNET, Packet, Reader, Writer};
use restage_sim_verilator::{Line, Received};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, ErrorKind, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tappers::{Interface, Tap};

/// Packets from a device in one exchange, at most: as many may wait for the card.
const AT_ONCE: usize = 64;
/// The longest frame that a device is asked for.
const FRAME: usize = 9728;
/// Clocks of the simulated card in a microsecond.
const CLOCKS: u64 = 250;

/// A port and something that belongs to it.
#[derive(Clone, Debug)]
pub struct At<T> {
    pub port: u16,
    pub what: T,
}

/// A TAP device.
struct Device {
    port: u16,
    tap: Tap,
}

/// A capture that is played.
struct Capture {
    port: u16,
    reader: Reader<BufReader<File>>,
    name: PathBuf,
    over: bool,
}

/// All of them.
#[derive(Default)]
pub struct Ends {
    devices: Vec<Device>,
    captures: Vec<Capture>,
    /// Packets that are sent again and again.
    generated: Vec<(u16, Vec<u8>)>,
    next: usize,
    /// Where what leaves is written, a file for each port.
    folder: Option<PathBuf>,
    files: BTreeMap<u16, Writer<BufWriter<File>>>,
    /// Set when nothing more will come.
    over: Arc<AtomicBool>,
    buffer: Vec<u8>,
}

impl fmt::Debug for Ends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ends").field("devices", &self.devices.len()).finish_non_exhaustive()
    }
}

impl Ends {
    /// Makes devices and opens files.
    pub fn new(
        taps: &[At<String>],
        captures: &[At<PathBuf>],
        generated: Vec<(u16, Vec<u8>)>,
        folder: Option<PathBuf>,
    ) -> anyhow::Result<Self> {
        let mut ends = Ends::default();
        (ends.generated, ends.folder, ends.buffer) = (generated, folder, vec![0; FRAME]);
        for At { port, what: name } in taps {
            let tap = device(name).map_err(|error| match error.kind() {
                ErrorKind::PermissionDenied => anyhow::anyhow!(
                    "{name}: no TAP device without the capability CAP_NET_ADMIN (and /dev/net/tun); with --generator the card \
                     makes its packets itself"
                ),
                _ => anyhow::anyhow!("{name}: {error}"),
            })?;
            ends.devices.push(Device { port: *port, tap });
        }
        for At { port, what: name } in captures {
            let file = File::open(name).with_context(|| name.display().to_string())?;
            let reader =
                Reader::new(BufReader::new(file)).with_context(|| name.display().to_string())?;
            if reader.link_type() != ETHERNET {
                bail!("{}: link type {}, not Ethernet", name.display(), reader.link_type());
            }
            ends.captures.push(Capture { port: *port, reader, name: name.clone(), over: false });
        }
        Ok(ends)
    }

    /// Becomes true when all that comes has come.
    pub fn over(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.over)
    }

    fn take(&mut self, packet: &Received) -> io::Result<()> {
        let port = packet.destination();
        for device in self.devices.iter_mut().filter(|d| d.port == port) {
            match device.tap.send(&packet.bytes) {
                // A device that is down, or nobody reads, loses packets as a cable does.
                Err(e) if e.kind() != ErrorKind::WouldBlock && e.raw_os_error() != Some(EIO) => {
                    return Err(e);
                }
                _ => {}
            }
        }
        let Some(folder) = &self.folder else { return Ok(()) };
        let file = match self.files.entry(port) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let file = File::create(folder.join(format!("out{port}.pcap")))?;
                entry.insert(Writer::new(BufWriter::new(file), ETHERNET)?)
            }
        };
        let micros = packet.first / CLOCKS;
        let (seconds, micros) = ((micros / 1_000_000) as u32, (micros % 1_000_000) as u32);
        file.packet(Packet { seconds, micros, bytes: &packet.bytes })
    }
}

/// EIO: a device that is down.
const EIO: i32 = 5;

fn device(name: &str) -> io::Result<Tap> {
    let mut tap = Tap::new_named(Interface::new(name)?)?;
    tap.set_nonblocking(true)?;
    tap.set_up()?;
    Ok(tap)
}

impl Line for Ends {
    fn exchange(&mut self, left: Vec<Received>, waiting: usize) -> io::Result<Vec<(u16, Vec<u8>)>> {
        for packet in &left {
            self.take(packet)?;
        }
        let mut new = Vec::new();
        let room = AT_ONCE.saturating_sub(waiting);
        for device in &mut self.devices {
            for _ in 0..room {
                match device.tap.recv(&mut self.buffer) {
                    Ok(length) => new.push((device.port, self.buffer[..length].to_vec())),
                    Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                    // Down, for now.
                    Err(e) if e.raw_os_error() == Some(EIO) => break,
                    Err(e) => return Err(e),
                }
            }
        }
        for capture in self.captures.iter_mut().filter(|c| !c.over) {
            for _ in 0..room {
                match capture.reader.packet() {
                    Ok(Some(packet)) => new.push((capture.port, packet.bytes.to_vec())),
                    Ok(None) => {
                        capture.over = true;
                        break;
                    }
                    Err(e) => {
                        let text = format!("{}: {e}", capture.name.display());
                        return Err(io::Error::other(text));
                    }
                }
            }
        }
        if !self.generated.is_empty() {
            for _ in 0..room {
                new.push(self.generated[self.next % self.generated.len()].clone());
                self.next += 1;
            }
        }
        let over = self.devices.is_empty()
            && self.generated.is_empty()
            && self.captures.iter().all(|c| c.over);
        self.over.store(over, Ordering::Relaxed);
        Ok(new)
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        for (port, file) in std::mem::take(&mut self.files) {
            if let Err(e) = file.finish().and_then(|mut f| f.flush()) {
                eprintln!("restage-sim: out{port}.pcap: {e}");
            }
        }
    }
}
