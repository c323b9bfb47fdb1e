//! `golden`: captures through the golden model.

use anyhow::{Context, bail};
use clap::Parser;
use restage_gen::replay::{self, Source, Trace};
use restage_gen::say::{say, say_line};
use restage_gen::source;
use restage_golden::Golden;
use restage_program::{Program, entries_text};
use std::path::PathBuf;
use std::process::ExitCode;

/// Runs captures through the golden model of a program.
///
/// Packets of all captures enter in the order of their time stamps. What comes out of port N is written
/// to outN.pcap.
#[derive(Parser)]
struct Args {
    /// A program of the library, restage's own JSON, or p4c's BMv2 JSON.
    #[arg(long, value_name = "NAME|FILE", default_value = "l3_acl")]
    program: String,
    /// The P4Runtime description that belongs to p4c's JSON.
    #[arg(long, value_name = "FILE")]
    p4info: Option<PathBuf>,
    /// What is installed first, one simple_switch_CLI command per line; `none` for nothing. A program of
    /// the library has example entries that are used otherwise.
    #[arg(long, value_name = "FILE")]
    entries: Option<PathBuf>,
    /// A capture and the port on which its packets arrive; may be repeated.
    #[arg(long = "in", value_name = "PORT=FILE", required = true, value_parser = input)]
    inputs: Vec<Source>,
    /// The folder for what comes out.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print every step of every packet, or of packet N alone (from 0).
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true)]
    trace: Option<Option<u64>>,
    /// Stop after so many packets.
    #[arg(long, value_name = "N")]
    max_packets: Option<u64>,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
}

fn input(text: &str) -> Result<Source, String> {
    let wrong = || format!("`{text}` is no PORT=FILE, such as 1=in.pcap; ports go from 0 to 510");
    let (port, path) = text.split_once('=').ok_or_else(wrong)?;
    let port = port.parse().ok().filter(|p| *p <= 510).ok_or_else(wrong)?;
    Ok(Source { port, path: PathBuf::from(path) })
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("golden: {e:#}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args) -> anyhow::Result<()> {
    let loaded = source::load(&args.program, args.p4info.as_deref())?;
    let mut golden = Golden::new(&loaded.program).context(loaded.origin)?;
    match &args.entries {
        Some(path) if path.as_os_str() == "none" => {}
        Some(path) => {
            let text = source::read(path)?;
            install(&mut golden, &loaded.program, &path.display().to_string(), &text)?;
        }
        None => {
            let text = loaded.entries.unwrap_or_default();
            install(&mut golden, &loaded.program, "example entries", text)?;
        }
    }
    let trace = match args.trace {
        None => Trace::None,
        Some(None) => Trace::All,
        Some(Some(number)) => Trace::One(number),
    };
    let tell = &mut |line: String| say_line(line);
    let out = args.out.as_deref();
    let summary = replay::replay(&mut golden, &args.inputs, out, args.max_packets, trace, tell)?;
    if args.json {
        say_line(serde_json::to_string_pretty(&summary)?);
    } else {
        say(summary);
    }
    Ok(())
}

/// Installs entries; all that are refused are named.
fn install(golden: &mut Golden, program: &Program, name: &str, text: &str) -> anyhow::Result<()> {
    let writes = match entries_text::parse(program, text) {
        Ok(writes) => writes,
        Err(errors) => bail!("{errors}\n{}", errors.list(name).trim_end()),
    };
    let mut refused = Vec::new();
    for write in &writes {
        if let Err(e) = golden.write(write) {
            let line = entries_text::print(program, std::slice::from_ref(write));
            refused.push(format!("{name}: {}\n    {e}", line.trim_end()));
        }
    }
    if !refused.is_empty() {
        let (count, shown) = (refused.len(), refused.len().min(entries_text::MAX_FAULTS));
        bail!("{count} of the entries are refused\n{}", refused[..shown].join("\n"));
    }
    Ok(())
}
