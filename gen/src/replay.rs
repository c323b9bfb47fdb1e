//! Captures through the golden model: packets of several files in the order of their time stamps, what
//! comes out into a file per port.
//!
//! One packet of each file is held at a time. The model's clock is 0 at the first packet and does not go
//! back where a file does; what comes out carries the time stamp of the packet that caused it.

use crate::pcap::{ETHERNET, Packet, PcapError, Reader, Writer};
use crate::summary::Summary;
use restage_golden::{Event, Golden, Input, Output, Queue};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter};
use std::path::{Path, PathBuf};

/// What stops a replay.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A file cannot be opened or written.
    #[error("{path}: {why}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// A capture is damaged.
    #[error("{path}: {why}")]
    Capture {
        /// The file.
        path: PathBuf,
        /// How.
        why: PcapError,
    },
}

/// A capture whose packets arrive on a port.
#[derive(Clone, Debug)]
pub struct Source {
    /// The port.
    pub port: u16,
    /// The file.
    pub path: PathBuf,
}

/// One capture and its next packet.
struct Open {
    port: u16,
    path: PathBuf,
    reader: Reader<BufReader<File>>,
    next: Option<Owned>,
}

struct Owned {
    seconds: u32,
    micros: u32,
    bytes: Vec<u8>,
}

impl Open {
    fn new(source: &Source) -> Result<Self, ReplayError> {
        let path = source.path.clone();
        let file = File::open(&path).map_err(|why| ReplayError::Io { path: path.clone(), why })?;
        let reader = Reader::new(BufReader::new(file))
            .map_err(|why| ReplayError::Capture { path: path.clone(), why })?;
        let mut open = Open { port: source.port, path, reader, next: None };
        open.take()?;
        Ok(open)
    }

    /// The next packet; the one behind it is read.
    fn take(&mut self) -> Result<Option<Owned>, ReplayError> {
        let packet = self
            .reader
            .packet()
            .map_err(|why| ReplayError::Capture { path: self.path.clone(), why })?;
        let next =
            packet.map(|p| Owned { seconds: p.seconds, micros: p.micros, bytes: p.bytes.to_vec() });
        Ok(std::mem::replace(&mut self.next, next))
    }
}

impl Owned {
    fn time_us(&self) -> u64 {
        Packet { seconds: self.seconds, micros: self.micros, bytes: &[] }.time_us()
    }
}

/// Which packets are told about, step by step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trace {
    /// None.
    None,
    /// The one with this number, from 0.
    One(u64),
    /// All.
    All,
}

/// Sends the packets of all captures through the model, at most `max` of them. `say` gets the lines of
/// the trace; what comes out is written to `outN.pcap` in `out`.
pub fn replay(
    golden: &mut Golden,
    sources: &[Source],
    out: Option<&Path>,
    max: Option<u64>,
    trace: Trace,
    say: &mut dyn FnMut(String),
) -> Result<Summary, ReplayError> {
    let mut open: Vec<Open> = sources.iter().map(Open::new).collect::<Result<_, _>>()?;
    let link_type = open.first().map_or(ETHERNET, |o| o.reader.link_type());
    let mut files = out.map(|folder| Files::new(folder, link_type)).transpose()?;
    let mut summary = Summary::new(golden.program());
    let mut output = Output::new();
    let (mut start, mut clock) = (None, 0);
    while max.is_none_or(|max| summary.packets < max) {
        let earliest = (0..open.len())
            .filter_map(|i| open.get(i)?.next.as_ref().map(|p| (p.time_us(), i)))
            .min();
        let Some((time, at)) = earliest else { break };
        let Some(from) = open.get_mut(at) else { break };
        let port = from.port;
        let Some(packet) = from.take()? else { break };
        clock = time.saturating_sub(*start.get_or_insert(time)).max(clock);
        let input = Input { port, bytes: &packet.bytes, time_us: clock, queue: Queue::default() };
        let number = summary.packets;
        let told = trace == Trace::All || trace == Trace::One(number);
        if told {
            let text = format!("packet {number}: {} bytes on port {port}", packet.bytes.len());
            say(text);
        }
        golden.process_traced(&input, &mut output, &mut |event: Event| {
            summary.event(&event);
            if told {
                say(format!("  {event}"));
            }
        });
        summary.packet(&input, &output);
        if told {
            for line in summary.in_words(&output) {
                say(format!("  {line}"));
            }
        }
        if let Some(files) = &mut files {
            files.write(&packet, &output)?;
        }
    }
    if let Some(files) = files {
        files.finish()?;
    }
    Ok(summary)
}

/// A capture per port, made when its first packet comes.
struct Files<'p> {
    folder: &'p Path,
    link_type: u32,
    ports: BTreeMap<u16, Writer<BufWriter<File>>>,
}

impl<'p> Files<'p> {
    fn new(folder: &'p Path, link_type: u32) -> Result<Self, ReplayError> {
        fs::create_dir_all(folder)
            .map_err(|why| ReplayError::Io { path: folder.to_path_buf(), why })?;
        Ok(Files { folder, link_type, ports: BTreeMap::new() })
    }

    fn write(&mut self, cause: &Owned, output: &Output) -> Result<(), ReplayError> {
        for (port, bytes) in output.packets() {
            let path = self.folder.join(format!("out{port}.pcap"));
            let wrong = |why| ReplayError::Io { path: path.clone(), why };
            let writer = match self.ports.entry(port) {
                std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
                std::collections::btree_map::Entry::Vacant(entry) => {
                    let file = File::create(&path).map_err(wrong)?;
                    let writer = Writer::new(BufWriter::new(file), self.link_type);
                    entry.insert(writer.map_err(wrong)?)
                }
            };
            let packet = Packet { seconds: cause.seconds, micros: cause.micros, bytes };
            writer.packet(packet).map_err(wrong)?;
        }
        Ok(())
    }

    fn finish(self) -> Result<(), ReplayError> {
        for (port, writer) in self.ports {
            let path = self.folder.join(format!("out{port}.pcap"));
            writer.finish().map_err(|why| ReplayError::Io { path, why })?;
        }
        Ok(())
    }
}
