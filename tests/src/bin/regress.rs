//! Programs of the library as verilated hardware against the golden model, on traffic made from their parsers and
//! entries.
//!
//! Exit code 1 when something differs, when a program cannot be hardware, or when too few packets are accepted or meet an entry.

use anyhow::{Context, Result, anyhow, bail};
use clap::Parser;
use restage_gen::source;
use restage_program::{Checked, entries_text};
use restage_sim_verilator::BenchOptions;
use restage_tests::hardware::prepare::prepare;
use restage_tests::hardware::regress::{Job, Pace, Report, regress};
use restage_tests::hardware::verdict::{share, shortfalls};
use std::process::ExitCode;
use std::time::Instant;

#[derive(Parser)]
#[command(about = "Runs programs as verilated hardware against the golden model")]
struct Args {
    /// `all`, or names of the library with commas between.
    #[arg(long, default_value = "all")]
    programs: String,
    /// Packets for each.
    #[arg(long, default_value_t = 10_000)]
    packets: usize,
    /// Seed of traffic, gaps and initial contents.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Percent of the clocks in which nothing is offered.
    #[arg(long, default_value_t = 0)]
    gaps: u8,
    /// Percent of the clocks in which nothing is taken.
    #[arg(long, default_value_t = 0)]
    back_pressure: u8,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let all = restage_library::ALL.iter().map(|item| item.name);
    let names: Vec<&str> = match args.programs.as_str() {
        "all" => all.collect(),
        names => names.split(',').collect(),
    };
    for name in &names {
        if restage_library::get(name).is_none() {
            bail!("there is no program `{name}` in the library; gen --list names them");
        }
    }
    println!(
        "{:<20} {:>7} {:>9} {:>8} {:>7} {:>5} {:>5} {:>5} {:>5} {:>5} {:>5} {:>7} {:>6} {:>6} {:>6}  tables: hits/misses",
        "program",
        "packets",
        "bytes",
        "cycles",
        "latency",
        "in",
        "out",
        "acc%",
        "hit%",
        "mod%",
        "drop%",
        "sent",
        "looped",
        "state",
        "s"
    );
    let mut failed = 0;
    for name in names {
        let start = Instant::now();
        match one(name, &args) {
            Ok((program, report)) => {
                print(name, &report, start.elapsed().as_secs_f64());
                let (mut wrong, excused) = match &report.difference {
                    None => shortfalls(&program, &report),
                    Some(_) => Default::default(),
                };
                for text in excused {
                    println!("  {name}: {text}");
                }
                wrong.extend(report.difference.as_ref().map(|d| d.text.clone()));
                for text in &wrong {
                    println!("  {name}: {text}");
                }
                if !wrong.is_empty() {
                    println!("  again: {}", args.again(name));
                    failed += 1;
                }
            }
            Err(error) => {
                println!("{name:<20} {error:#}");
                failed += 1;
            }
        }
    }
    println!("{failed} programs failed");
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Frames in every clock, at most.
const DENSE: usize = 2000;

fn one(name: &str, args: &Args) -> Result<(Checked, Report)> {
    let loaded = source::load(name, None)?;
    let text = loaded.entries.unwrap_or_default();
    let writes = entries_text::parse(&loaded.program, text).map_err(|e| anyhow!("{e}"))?;
    let counts = (args.packets, args.packets.min(DENSE));
    let prepared = prepare(&loaded.program, writes, args.seed, counts);
    let options = BenchOptions {
        gaps: args.gaps,
        back_pressure: args.back_pressure,
        seed: args.seed,
        ..BenchOptions::default()
    };
    let job = Job {
        program: &loaded.program,
        writes: &prepared.writes,
        lone: &prepared.lone,
        packets: &prepared.packets,
        dense: &prepared.dense,
        options,
    };
    let report = regress(&job).context("no hardware")?;
    Ok((loaded.program, report))
}

impl Args {
    /// The command that does the same for one program.
    fn again(&self, program: &str) -> String {
        let Args { packets, seed, gaps, back_pressure, .. } = self;
        format!(
            "regress --programs {program} --packets {packets} --seed {seed} --gaps {gaps} --back-pressure {back_pressure}"
        )
    }
}

fn print(name: &str, report: &Report, seconds: f64) {
    let tally = &report.tally;
    let latency = report.latency.map_or("-".into(), |(low, high)| format!("{low}-{high}"));
    let pace =
        |of: fn(&Pace) -> f64| report.pace.as_ref().map_or("-".into(), |p| format!("{:.2}", of(p)));
    let percent = |part| share(part, tally.packets);
    let tables: Vec<String> = tally
        .tables
        .iter()
        .map(|(name, (hits, misses))| format!("{name} {hits}/{misses}"))
        .collect();
    let looped = match tally.no_room {
        0 => tally.looped.to_string(),
        lost => format!("{}-{lost}", tally.looped),
    };
    println!(
        "{name:<20} {:>7} {:>9} {:>8} {latency:>7} {:>5} {:>5} {:>5} {:>5} {:>5} {:>5} {:>7} {looped:>6} {:>6} {seconds:>6.1}  {}",
        tally.packets,
        tally.bytes,
        report.cycles,
        pace(|p| p.clocks_in),
        pace(|p| p.beats_out),
        percent(tally.accepted),
        percent(tally.met),
        percent(tally.modified),
        percent(tally.dropped),
        tally.sent,
        report.rows,
        tables.join(", ")
    );
}
