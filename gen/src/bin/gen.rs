//! `gen`: a build folder out of a program.

use anyhow::Context;
use clap::{Parser, Subcommand};
use restage_gen::hardware::Hardware;
use restage_gen::say::say_line;
use restage_gen::source::Loaded;
use restage_gen::wanted::Wanted;
use restage_gen::{bus_writes, files, images, source};
use restage_manifest::{Manifest, Region};
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
    /// Also writes images for the simulated part, in images/.
    #[arg(long, conflicts_with = "check")]
    images: bool,
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
    #[command(flatten)]
    wanted: Wanted,
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
    let running = args.program.wanted.running()?;
    files::write(&files, &folder).with_context(|| folder.display().to_string())?;
    say_line(format_args!("{} ({}) in {}", loaded.program.name, loaded.origin, folder.display()));
    summary(&hardware, running.as_ref());
    let width = files.iter().map(|f| f.path.display().to_string().len()).max().unwrap_or(0);
    for file in &files {
        say_line(format_args!(
            "  {:width$}  {:>9} bytes  {}",
            file.path.display(),
            file.text.len(),
            file.what
        ));
    }
    if args.images {
        let images = images::write(&hardware, restage_image::SIMULATED, &folder.join("images"))?;
        for (path, bytes) in images {
            let path = path.strip_prefix(&folder).unwrap_or(&path).display().to_string();
            say_line(format_args!("  {path:width$}  {bytes:>9} bytes  for the simulated part"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn built(program: &Program) -> anyhow::Result<(Loaded, Hardware)> {
    let loaded = source::load(&program.program, program.p4info.as_deref())?;
    let hardware = program.wanted.build(&loaded.program)?;
    Ok((loaded, hardware))
}

/// The regions as a table; with what runs, whether it can stay.
fn summary(hardware: &Hardware, running: Option<&Manifest>) {
    let manifest = &hardware.manifest;
    let width = manifest.regions.iter().map(|r| r.module.len()).max().unwrap_or(0).max(6);
    let state = |what: &str| running.map_or(String::new(), |_| format!("{what:<7}"));
    say_line(format_args!(
        "  {:width$}  {}{:>6}  {:>6}  {:>7}  {:>7}  {:>6}  {:>4}  contents",
        "region",
        state("change"),
        "clocks",
        "needed",
        "LUT",
        "FF",
        "RAM18",
        "DSP"
    ));
    for region in &manifest.regions {
        let same = |r: &Region| r.unit == region.unit && r.hash == region.hash;
        let stays = running.is_some_and(|running| running.regions.iter().any(same));
        say_line(format_args!(
            "  {:width$}  {}{:>6}  {:>6}  {:>7}  {:>7}  {:>6}  {:>4}  {}",
            region.module,
            state(if stays { "stays" } else { "new" }),
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
