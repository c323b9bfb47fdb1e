//! Programs of the library as verilated hardware against the golden model, on traffic made from their parsers and
//! entries.
//!
//! Exit code 1 when something differs, when a program cannot be hardware, or when too few packets are accepted or meet an entry.

use anyhow::{Context, Result, anyhow, bail};
use clap::Parser;
use restage_gen::source;
use restage_program::entries_text;
use restage_sim_verilator::BenchOptions;
use restage_tests::hardware::Packet;
use restage_tests::hardware::regress::{Report, regress};
use restage_tests::traffic::Traffic;
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
        "{:<20} {:>7} {:>9} {:>8} {:>9} {:>5} {:>5} {:>5} {:>5} {:>7} {:>6}  tables: hits/misses",
        "program",
        "packets",
        "bytes",
        "cycles",
        "latency",
        "acc%",
        "hit%",
        "mod%",
        "drop%",
        "sent",
        "s"
    );
    let mut failed = 0;
    for name in names {
        let start = Instant::now();
        match one(name, &args) {
            Ok(report) => {
                print(name, &report, start.elapsed().as_secs_f64());
                let mut wrong = shortfalls(&report);
                wrong.extend(report.difference.clone());
                for table in unmet(&report) {
                    println!("  {name}: {table}");
                }
                for text in &wrong {
                    println!("  {name}, seed {}: {text}", args.seed);
                }
                failed += usize::from(!wrong.is_empty());
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

fn one(name: &str, args: &Args) -> Result<Report> {
    let loaded = source::load(name, None)?;
    let text = loaded.entries.unwrap_or_default();
    let writes = entries_text::parse(&loaded.program, text).map_err(|e| anyhow!("{e}"))?;
    let packets: Vec<Packet> = Traffic::new(&loaded.program, &writes, args.seed)
        .take(args.packets)
        .map(|(port, bytes)| Packet { port, bytes })
        .collect();
    let options = BenchOptions {
        gaps: args.gaps,
        back_pressure: args.back_pressure,
        seed: args.seed,
        ..BenchOptions::default()
    };
    regress(&loaded.program, &writes, &packets, options).context("no hardware")
}

fn share(part: u64, whole: u64) -> u64 {
    (100 * part).checked_div(whole).unwrap_or(0)
}

/// Where the traffic asks too little.
fn shortfalls(report: &Report) -> Vec<String> {
    let tally = &report.tally;
    let mut found = Vec::new();
    let accepted = share(tally.accepted, tally.packets);
    if accepted < 70 {
        found.push(format!("only {accepted} % of the packets are accepted by the parser"));
    }
    let met = share(tally.met, tally.packets);
    if !tally.tables.is_empty() && met < 50 {
        found.push(format!("only {met} % of the packets meet an entry"));
    }
    found
}

/// Tables of which this traffic and these entries show one side only; said, and no failure.
fn unmet(report: &Report) -> Vec<String> {
    let mut found = Vec::new();
    for (table, (hits, misses)) in &report.tally.tables {
        if *hits == 0 {
            found.push(format!("table {table} never hits"));
        }
        if *misses == 0 {
            found.push(format!("table {table} never misses"));
        }
    }
    found
}

fn print(name: &str, report: &Report, seconds: f64) {
    let tally = &report.tally;
    let latency = report.latency.map_or("-".into(), |(low, high)| format!("{low}-{high}"));
    let percent = |part| share(part, tally.packets);
    let tables: Vec<String> = tally
        .tables
        .iter()
        .map(|(name, (hits, misses))| format!("{name} {hits}/{misses}"))
        .collect();
    println!(
        "{name:<20} {:>7} {:>9} {:>8} {latency:>9} {:>5} {:>5} {:>5} {:>5} {:>7} {seconds:>6.1}  {}",
        tally.packets,
        tally.bytes,
        report.cycles,
        percent(tally.accepted),
        percent(tally.met),
        percent(tally.modified),
        percent(tally.dropped),
        tally.sent,
        tables.join(", ")
    );
}
