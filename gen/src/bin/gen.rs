//! `gen`: a build folder out of a program.

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use restage_gen::hardware::{Hardware, build_like};
use restage_gen::say::say_line;
use restage_gen::source::Loaded;
use restage_gen::{bus_writes, files, source};
use restage_manifest::ShellConfig;
use std::path::PathBuf;
use std::process::ExitCode;

/// Makes a build folder out of a program: its Verilog, what a host must know, its P4-16 text, pictures and maps.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    program: Program,
    /// The folder; build/NAME by default.
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Writes nothing; exit code 1 if the folder is not what it would be.
    #[arg(long)]
    check: bool,
    /// List the programs of the library.
    #[arg(long)]
    list: bool,
}

#[derive(Parser)]
struct Program {
    /// A program of the library, restage's own JSON, or p4c's BMv2 JSON.
    #[arg(long, value_name = "NAME|FILE", default_value = "l3_acl")]
    program: String,
    /// The P4Runtime description that belongs to p4c's JSON.
    #[arg(long, value_name = "FILE")]
    p4info: Option<PathBuf>,
    /// Sizes of the shell as JSON: {"window_bytes": 256, "phv_bits": 2048}.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Turns entries into the AXI4-Lite writes that install them: an address and a value in hexadecimal per line.
    Entries {
        #[command(flatten)]
        program: Program,
        /// Commands as simple_switch_CLI takes them, one per line.
        file: PathBuf,
    },
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(code) => code,
        Err(e) => {
            eprintln!("gen: {e:#}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if args.list {
        for item in restage_library::ALL {
            say_line(format_args!("{:<20} {}", item.name, item.summary));
        }
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(Command::Entries { program, file }) = &args.command {
        let (loaded, hardware) = built(program)?;
        let text = source::read(file)?;
        for line in bus_writes::lines(&loaded.program, &hardware, &text)? {
            say_line(line);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let (loaded, hardware) = built(&args.program)?;
    let folder =
        args.out.clone().unwrap_or_else(|| PathBuf::from("build").join(&loaded.program.name));
    let files = files::make(&loaded, &hardware).with_context(|| folder.display().to_string())?;
    if args.check {
        let stale = files::stale(&files, &folder);
        for path in &stale {
            say_line(format_args!("stale: {}", folder.join(path).display()));
        }
        return Ok(if stale.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    files::write(&files, &folder).with_context(|| folder.display().to_string())?;
    say_line(format_args!("{} ({}) in {}", loaded.program.name, loaded.origin, folder.display()));
    summary(&hardware);
    let width = files.iter().map(|f| f.path.display().to_string().len()).max().unwrap_or(0);
    for file in &files {
        say_line(format_args!(
            "  {:width$}  {:>9} bytes  {}",
            file.path.display(),
            file.text.len(),
            file.what
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn built(program: &Program) -> anyhow::Result<(Loaded, Hardware)> {
    let loaded = source::load(&program.program, program.p4info.as_deref())?;
    let like = match &program.config {
        None => ShellConfig::default(),
        Some(path) => {
            let text = source::read(path)?;
            serde_json::from_str(&text)
                .with_context(|| format!("{}: not a shell's configuration", path.display()))?
        }
    };
    if let Err(faults) = like.check() {
        let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
        bail!("the shell's configuration: {}", texts.join("; "));
    }
    let hardware = build_like(&loaded.program, &like)
        .with_context(|| format!("{} cannot be hardware", loaded.program.name))?;
    Ok((loaded, hardware))
}

/// The regions as a table.
fn summary(hardware: &Hardware) {
    let manifest = &hardware.manifest;
    let width = manifest.regions.iter().map(|r| r.module.len()).max().unwrap_or(0).max(6);
    say_line(format_args!(
        "  {:width$}  {:>6}  {:>6}  {:>7}  {:>7}  {:>6}  {:>4}  contents",
        "region", "clocks", "needed", "LUT", "FF", "RAM18", "DSP"
    ));
    for region in &manifest.regions {
        say_line(format_args!(
            "  {:width$}  {:>6}  {:>6}  {:>7}  {:>7}  {:>6}  {:>4}  {}",
            region.module,
            region.latency,
            region.needed,
            region.cost.luts,
            region.cost.registers,
            region.cost.bram18,
            region.cost.dsp,
            region.contents.join(", ")
        ));
    }
}
