//! `gen`: a build folder out of a program.

use anyhow::Context;
use clap::Parser;
use restage_gen::say::say_line;
use restage_gen::{files, source};
use std::path::PathBuf;
use std::process::ExitCode;

/// Makes a build folder out of a program: its P4-16 text, its JSON, its example entries.
#[derive(Parser)]
struct Args {
    /// A program of the library, restage's own JSON, or p4c's BMv2 JSON.
    #[arg(long, value_name = "NAME|FILE", default_value = "l3_acl")]
    program: String,
    /// The P4Runtime description that belongs to p4c's JSON.
    #[arg(long, value_name = "FILE")]
    p4info: Option<PathBuf>,
    /// The folder; build/NAME by default.
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// List the programs of the library.
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("gen: {e:#}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args) -> anyhow::Result<()> {
    if args.list {
        for item in restage_library::ALL {
            say_line(format_args!("{:<20} {}", item.name, item.summary));
        }
        return Ok(());
    }
    let loaded = source::load(&args.program, args.p4info.as_deref())?;
    let folder =
        args.out.clone().unwrap_or_else(|| PathBuf::from("build").join(&loaded.program.name));
    let made = files::write(&loaded, &folder).with_context(|| folder.display().to_string())?;
    say_line(format_args!("{} ({})", loaded.program.name, loaded.origin));
    let width = made.iter().map(|m| m.path.display().to_string().len()).max().unwrap_or(0);
    for file in made {
        say_line(format_args!(
            "  {:width$}  {:>9} bytes  {}",
            file.path.display(),
            file.bytes,
            file.what
        ));
    }
    Ok(())
}
