//! Faults put into every kind of circuit by yosys, one at a time, to see whether the checks notice them.
//!
//! Exit code 1 when fewer than 95 % of those that make a difference are caught, or one survives for which there is no reason in
//! `tests/src/mutants/survivors.txt`.

use anyhow::{Result, bail};
use clap::Parser;
use restage_tests::mutants::check::Programs;
use restage_tests::mutants::circuits::{ALL, Circuit};
use restage_tests::mutants::known::Known;
use restage_tests::mutants::{Fate, Plan, Tally, groups, judge};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(about = "Puts faults into circuits and counts how many of them their checks notice")]
struct Args {
    /// Which faults are picked.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Faults of each circuit.
    #[arg(long)]
    count: Option<u32>,
    /// Names of circuits with commas between; all of them unless said otherwise.
    #[arg(long)]
    circuit: Option<String>,
    /// Five times as many faults of each circuit.
    #[arg(long)]
    long: bool,
    /// Lists the circuits and the checks of each.
    #[arg(long)]
    list: bool,
    /// Takes every check for passed, to see that this command notices.
    #[arg(long)]
    blind: bool,
    /// Checks that run at a time; as many as there are processors unless said otherwise.
    #[arg(long)]
    jobs: Option<usize>,
}

/// Faults of each circuit.
const COUNT: u32 = 6;
const LONG: u32 = 5;

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let circuits: Vec<Circuit> = match &args.circuit {
        None => ALL.to_vec(),
        Some(names) => {
            let mut chosen = Vec::new();
            for name in names.split(',') {
                let Some(circuit) = ALL.iter().find(|c| c.name == name) else {
                    bail!("there is no circuit `{name}`; --list names them");
                };
                chosen.push(*circuit);
            }
            chosen
        }
    };
    if args.list {
        for circuit in &circuits {
            println!("{:<30} {:?}", circuit.name, circuit.checks);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let count = args.count.unwrap_or(if args.long { COUNT * LONG } else { COUNT });
    let jobs = args.jobs.or_else(|| std::thread::available_parallelism().ok().map(Into::into));
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/mutants");
    let plan = Plan { seed: args.seed, count, jobs: jobs.unwrap_or(1), folder, blind: args.blind };
    let known = Known::kept()?;
    let programs = Programs::build()?;
    println!("seed {}, {count} faults of each circuit", args.seed);
    println!(
        "{:<30} {:>7} {:>7} {:>7} {:>7} {:>7} {:>6}",
        "circuit", "faults", "caught", "hung", "equal", "left", "s"
    );
    let mut tally = Tally::default();
    for group in groups(&circuits) {
        for judged in judge(&programs, &plan, &group)? {
            let of = |wanted: fn(&Fate) -> bool| {
                judged.fates.iter().filter(|(.., fate)| wanted(fate)).count()
            };
            let hung = of(|fate| matches!(fate, Fate::Hung(_)));
            let failed = of(|fate| matches!(fate, Fate::Caught(_)));
            let left = of(|fate| *fate == Fate::Survived);
            let same = of(|fate| matches!(fate, Fate::Equal(_)));
            println!(
                "{:<30} {:>7} {failed:>7} {hung:>7} {same:>7} {left:>7} {:>6.1}",
                judged.circuit.name,
                judged.fates.len(),
                judged.seconds
            );
            for (mutation, place, fate) in &judged.fates {
                let reason = known.reason(judged.circuit.name, mutation, place);
                tally.add(fate, reason);
                let (fate, reason) = match fate {
                    Fate::Survived => ("left".to_string(), reason.unwrap_or("not known")),
                    Fate::Equal(proof) => (format!("equal ({proof:?})"), ""),
                    _ => continue,
                };
                println!(
                    "    {fate} | {} | {} of {} | {reason}",
                    place.section, mutation.mode, mutation.place
                );
                println!("        {}: {}", place.at, place.text);
            }
        }
    }
    println!(
        "{} faults, {} of which make no difference; {} of {} caught; {} survived for no known reason",
        tally.faults,
        tally.equal,
        tally.caught,
        tally.different(),
        tally.unknown
    );
    Ok(if tally.fine() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
