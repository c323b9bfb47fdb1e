//! Random traffic for a program as pcap files: one for each port, in the form of the oracle's traces, so
//! that another implementation can be fed the same packets.
//!
//! The number of a packet is the seconds of its time stamp.

use anyhow::{Context, Result, anyhow};
use clap::Parser;
use restage_gen::pcap::{ETHERNET, Packet, Writer};
use restage_gen::source;
use restage_program::entries_text;
use restage_tests::traffic::Traffic;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(about = "Writes random traffic for a program as pcap files")]
struct Args {
    /// A name of the library, or a file.
    #[arg(long, default_value = "l3_acl")]
    program: String,
    /// The entries that packets should meet; the library's examples by default.
    #[arg(long, value_name = "FILE")]
    entries: Option<PathBuf>,
    /// How many packets.
    #[arg(long, default_value_t = 1000)]
    packets: u32,
    /// Seed of the generator.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Packets in a hundred that are damaged.
    #[arg(long, default_value_t = 10)]
    damage: u32,
    /// Where the files go: DIR/inPORT.pcap.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("traffic: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args) -> Result<()> {
    let loaded = source::load(&args.program, None)?;
    let text = match &args.entries {
        Some(path) => source::read(path)?,
        None => loaded.entries.unwrap_or_default().to_owned(),
    };
    let writes = entries_text::parse(&loaded.program, &text).map_err(|e| anyhow!("{e}"))?;
    let mut traffic = Traffic::new(&loaded.program, &writes, args.seed).with_damage(args.damage);
    fs::create_dir_all(&args.out).with_context(|| format!("{}", args.out.display()))?;
    let mut files = BTreeMap::new();
    for seconds in 0..args.packets {
        let (port, bytes) = traffic.packet();
        let writer = match files.entry(port) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(new) => {
                let path = args.out.join(format!("in{port}.pcap"));
                let file = File::create(&path).with_context(|| format!("{}", path.display()))?;
                new.insert(Writer::new(BufWriter::new(file), ETHERNET)?)
            }
        };
        writer.packet(Packet { seconds, micros: 0, bytes: &bytes })?;
    }
    for (_, writer) in files {
        writer.finish()?;
    }
    println!("{} packets for {} in {}", args.packets, loaded.origin, args.out.display());
    Ok(())
}
