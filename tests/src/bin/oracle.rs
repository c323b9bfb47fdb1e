//! `oracle`: do the golden model and the hardware do what BMv2 did?

use anyhow::bail;
use clap::Parser;
use restage_gen::say::{say, say_line};
use restage_tests::oracle::all::{self, Device, Selection};
use restage_tests::oracle::subject::Source;
use restage_tests::oracle::{case, report};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

/// Runs the recorded tests and traces of BMv2 on the golden model, or on verilated hardware.
///
/// Each program is run twice: as imported from p4c's output, and as the library describes it. The exit
/// code is 1 when anything differs.
#[derive(Parser)]
struct Args {
    /// On verilated cards instead of the golden model.
    #[arg(long)]
    hardware: bool,
    /// Only this program; may be repeated.
    #[arg(long, value_name = "NAME")]
    program: Vec<String>,
    /// Only the symbolic test of this number; needs one --program.
    #[arg(long, value_name = "N")]
    stf: Option<u32>,
    /// Only the imported programs.
    #[arg(long, conflicts_with = "library_only")]
    imported_only: bool,
    /// Only the library's programs.
    #[arg(long)]
    library_only: bool,
    /// Print the first difference of each program and what the model did with that packet.
    #[arg(long, short)]
    verbose: bool,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Where the data is.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(e) => {
            eprintln!("oracle: {e:#}");
            ExitCode::from(2)
        }
    }
}

fn run(args: Args) -> anyhow::Result<bool> {
    let start = Instant::now();
    let directory = args.data.unwrap_or_else(case::directory);
    let known = case::names(&directory).map_err(anyhow::Error::msg)?;
    if known.is_empty() {
        bail!("{}: there are no programs here", directory.display());
    }
    if let Some(name) = args.program.iter().find(|name| !known.contains(name)) {
        bail!("the oracle has no program `{name}`; it has {}", known.join(", "));
    }
    let names = if args.program.is_empty() { known } else { args.program };
    if let Some(number) = args.stf {
        let [name] = names.as_slice() else { bail!("--stf needs one --program") };
        let case = case::Case::load(&directory, name).map_err(anyhow::Error::msg)?;
        if !case.stf.contains_key(&number) {
            bail!("{name} has no test {number}; it has {}", case.stf.len());
        }
    }
    let sources = match (args.imported_only, args.library_only) {
        (true, _) => vec![Source::Imported],
        (_, true) => vec![Source::Library],
        _ => vec![Source::Imported, Source::Library],
    };
    let device = if args.hardware { Device::Hardware } else { Device::Model };
    let selection = Selection { device, sources, stf: args.stf };
    let outcomes = all::run(&directory, &names, &selection).map_err(anyhow::Error::msg)?;
    if args.json {
        say_line(serde_json::to_string_pretty(&outcomes)?);
    } else {
        say(report::table(&outcomes));
        let (passed, failed) = report::sum(&outcomes);
        let seconds = start.elapsed().as_secs_f64();
        say_line(format_args!("oracle: {passed} passed, {failed} failed, {seconds:.1} s"));
    }
    if args.verbose && !args.json {
        for outcome in &outcomes {
            let Some(first) = &outcome.first else { continue };
            say_line(format_args!(
                "\n{} ({}), {}:\n    {}",
                outcome.program, outcome.source, first.place, first.what
            ));
            for line in &first.trace {
                say_line(format_args!("    {line}"));
            }
        }
    }
    Ok(!outcomes.iter().any(report::Outcome::failed))
}
