//! What a replay came to: packets and bytes per port, what was dropped and why, table hits.

use restage_golden::{Drops, Event, Input, Output};
use restage_program::Checked;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// Packets and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// Packets.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Traffic {
    fn add(&mut self, bytes: usize) {
        self.packets += 1;
        self.bytes += bytes as u64;
    }
}

/// What went in and out of a port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Port {
    /// In.
    pub received: Traffic,
    /// Out.
    pub sent: Traffic,
}

/// How often a table was applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Lookups {
    /// With an entry that matched.
    pub hits: u64,
    /// Without.
    pub misses: u64,
}

/// The counts of a replay.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The program.
    pub program: String,
    /// Packets in.
    pub packets: u64,
    /// Port by port.
    pub ports: BTreeMap<u16, Port>,
    /// Packets that caused nothing to be sent.
    pub without_output: u64,
    /// Packets and copies not sent, by reason.
    pub drops: BTreeMap<&'static str, u64>,
    /// Table by table.
    pub tables: BTreeMap<String, Lookups>,
    /// Parser errors.
    pub parser_errors: BTreeMap<String, u64>,
    /// Messages to the control plane.
    pub digests: BTreeMap<String, u64>,
    #[serde(skip)]
    digest_names: Vec<String>,
}

impl Summary {
    /// Nothing has happened.
    pub fn new(program: &Checked) -> Self {
        Summary {
            program: program.name.clone(),
            packets: 0,
            ports: BTreeMap::new(),
            without_output: 0,
            drops: BTreeMap::new(),
            tables: program
                .tables
                .values()
                .map(|t| (t.preamble.name.clone(), Lookups::default()))
                .collect(),
            parser_errors: BTreeMap::new(),
            digests: BTreeMap::new(),
            digest_names: program.digests.values().map(|d| d.preamble.name.clone()).collect(),
        }
    }

    /// Counts a step of a packet.
    pub fn event(&mut self, event: &Event) {
        match event {
            Event::Lookup { table, hit, .. } => {
                let lookups = match self.tables.get_mut(*table) {
                    Some(lookups) => lookups,
                    None => self.tables.entry(table.to_string()).or_default(),
                };
                match hit {
                    Some(_) => lookups.hits += 1,
                    None => lookups.misses += 1,
                }
            }
            Event::ParserError(error) => {
                *self.parser_errors.entry(error.to_string()).or_default() += 1;
            }
            _ => {}
        }
    }

    /// Counts a packet and what it caused.
    pub fn packet(&mut self, input: &Input, output: &Output) {
        self.packets += 1;
        self.ports.entry(input.port).or_default().received.add(input.bytes.len());
        for (port, bytes) in output.packets() {
            self.ports.entry(port).or_default().sent.add(bytes.len());
        }
        self.without_output += u64::from(output.packets().len() == 0);
        for (digest, _) in output.digests() {
            let name = self.digest_names.get(digest.0 as usize).cloned().unwrap_or_default();
            *self.digests.entry(name).or_default() += 1;
        }
        for (reason, count) in reasons(&output.drops).into_iter().filter(|(_, n)| *n > 0) {
            *self.drops.entry(reason).or_default() += count;
        }
    }

    /// What a packet caused, for the end of its trace.
    pub fn in_words(&self, output: &Output) -> Vec<String> {
        let mut lines = Vec::new();
        for (digest, fields) in output.digests() {
            let name = self.digest_names.get(digest.0 as usize).map_or("?", String::as_str);
            let fields: Vec<String> = fields.iter().map(|f| format!("{f:#x}")).collect();
            lines.push(format!("=> digest {name}: {}", fields.join(", ")));
        }
        for (port, bytes) in output.packets() {
            lines.push(format!("=> {} bytes out of port {port}", bytes.len()));
        }
        if lines.is_empty() {
            lines.push("=> nothing is sent".into());
        }
        lines
    }
}

fn reasons(drops: &Drops) -> [(&'static str, u64); 6] {
    [
        ("dropped by ingress", drops.ingress),
        ("dropped by egress", drops.egress),
        ("no such multicast group, or an empty one", drops.no_group),
        ("too many passes", drops.max_passes),
        ("too many copies", drops.max_copies),
        ("clones without a session", drops.no_session),
    ]
}

/// For people.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: {} packets, {} without output",
            self.program, self.packets, self.without_output
        )?;
        writeln!(
            f,
            "{:>6} {:>12} {:>14} {:>12} {:>14}",
            "port", "packets in", "bytes in", "packets out", "bytes out"
        )?;
        for (port, Port { received, sent }) in &self.ports {
            writeln!(
                f,
                "{port:>6} {:>12} {:>14} {:>12} {:>14}",
                received.packets, received.bytes, sent.packets, sent.bytes
            )?;
        }
        if !self.tables.is_empty() {
            writeln!(f, "{:>12} {:>12}  table", "hits", "misses")?;
        }
        for (table, Lookups { hits, misses }) in &self.tables {
            writeln!(f, "{hits:>12} {misses:>12}  {table}")?;
        }
        for (reason, count) in &self.drops {
            writeln!(f, "{count:>12}  {reason}")?;
        }
        for (error, count) in &self.parser_errors {
            writeln!(f, "{count:>12}  parser error {error}")?;
        }
        for (digest, count) in &self.digests {
            writeln!(f, "{count:>12}  digest {digest}")?;
        }
        Ok(())
    }
}
