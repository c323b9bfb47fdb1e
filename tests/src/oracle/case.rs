//! The files of one program of the oracle.

use restage_gen::pcap::Reader;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the data is in a checkout.
pub fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle")
}

/// What the folder of a program holds.
#[derive(Debug)]
pub struct Case {
    /// The program's name.
    pub name: String,
    /// p4c's BMv2 configuration.
    pub json: String,
    /// Its P4Runtime description.
    pub p4info: String,
    /// Configuration of the trace.
    pub entries: String,
    /// Symbolic tests by number.
    pub stf: BTreeMap<u32, String>,
    /// The trace.
    pub trace: Trace,
}

/// A recorded trace.
#[derive(Debug, Default)]
pub struct Trace {
    /// Packets in, in order; the key is the packet's number.
    pub inputs: BTreeMap<u32, Frame>,
    /// Frames out by the input that caused them, in order on each port.
    pub outputs: BTreeMap<u32, Vec<Frame>>,
    /// Digests by the input that caused them: name and content.
    pub digests: BTreeMap<u32, Vec<(String, String)>>,
    /// Lines of `state.txt`.
    pub state: Vec<String>,
}

/// A port and what went through it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Frame {
    /// The port.
    pub port: u16,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Names of the programs there are.
pub fn names(directory: &Path) -> Result<Vec<String>, String> {
    let wrong = |e| format!("{}: {e}", directory.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        if let Some(name) = path.file_name().and_then(|n| n.to_str())
            && path.join(format!("{name}.json")).is_file()
        {
            names.push(name.to_string());
        }
    }
    names.sort();
    Ok(names)
}

impl Case {
    /// Reads the folder of a program.
    pub fn load(directory: &Path, name: &str) -> Result<Case, String> {
        let folder = directory.join(name);
        Ok(Case {
            name: name.to_string(),
            json: text(&folder.join(format!("{name}.json")))?,
            p4info: text(&folder.join(format!("{name}.p4info.txtpb")))?,
            entries: text(&folder.join("entries.txt"))?,
            stf: stf(&folder.join("stf"), name)?,
            trace: trace(&folder.join("trace"))?,
        })
    }
}

fn text(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let wrong = |e| format!("{}: {e}", folder.display());
    fs::read_dir(folder).map_err(wrong)?.map(|e| e.map(|e| e.path()).map_err(wrong)).collect()
}

/// The number in a file name between two parts.
fn number(path: &Path, before: &str, after: &str) -> Option<u32> {
    path.file_name()?.to_str()?.strip_prefix(before)?.strip_suffix(after)?.parse().ok()
}

fn stf(folder: &Path, name: &str) -> Result<BTreeMap<u32, String>, String> {
    let mut tests = BTreeMap::new();
    for path in files(folder)? {
        if let Some(number) = number(&path, &format!("{name}_"), ".stf") {
            tests.insert(number, text(&path)?);
        }
    }
    Ok(tests)
}

fn trace(folder: &Path) -> Result<Trace, String> {
    let mut trace = Trace::default();
    let mut outputs: BTreeMap<(u32, u16), Vec<(u32, Frame)>> = BTreeMap::new();
    for path in files(folder)? {
        if let Some(port) = number(&path, "in", ".pcap") {
            for (number, _, frame) in frames(&path, port as u16)? {
                if trace.inputs.insert(number, frame).is_some() {
                    return Err(format!("{}: packet {number} comes twice", path.display()));
                }
            }
        } else if let Some(port) = number(&path, "out", ".pcap") {
            for (number, at, frame) in frames(&path, port as u16)? {
                outputs.entry((number, port as u16)).or_default().push((at, frame));
            }
        }
    }
    for ((number, _), mut frames) in outputs {
        frames.sort_by_key(|(at, _)| *at);
        trace.outputs.entry(number).or_default().extend(frames.into_iter().map(|(_, f)| f));
    }
    let state = folder.join("state.txt");
    if state.is_file() {
        trace.state = text(&state)?.lines().map(str::to_string).collect();
    }
    let digests = folder.join("digests.txt");
    if digests.is_file() {
        for line in text(&digests)?.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [number, name, _, content] = words.as_slice() else {
                return Err(format!("{}: `{line}` is no digest", digests.display()));
            };
            let number: u32 =
                number.parse().map_err(|e| format!("{}: `{line}`: {e}", digests.display()))?;
            let digest = (name.to_string(), content.to_string());
            trace.digests.entry(number).or_default().push(digest);
        }
    }
    Ok(trace)
}

/// The frames of a capture with the two parts of their time stamps.
fn frames(path: &Path, port: u16) -> Result<Vec<(u32, u32, Frame)>, String> {
    let wrong = |e: restage_gen::pcap::PcapError| format!("{}: {e}", path.display());
    let bytes = fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut reader = Reader::new(bytes.as_slice()).map_err(wrong)?;
    let mut out = Vec::new();
    while let Some(p) = reader.packet().map_err(wrong)? {
        out.push((p.seconds, p.micros, Frame { port, bytes: p.bytes.to_vec() }));
    }
    Ok(out)
}
