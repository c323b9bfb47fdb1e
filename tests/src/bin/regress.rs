//! Programs of the library as verilated hardware against the golden model, on traffic made from their parsers and
//! entries.
//!
//! Exit code 1 when something differs, when a program cannot be hardware, or when too few packets are accepted or meet an entry.

use anyhow::{Context, Result, anyhow, bail};
use clap::Parser;
use restage_gen::hardware::{Hardware, HardwareError, build};
use restage_gen::source;
use restage_program::{Checked, entries_text};
use restage_sim_verilator::{BenchOptions, Trace};
use restage_tests::hardware::card::Special;
use restage_tests::hardware::pace::Pace;
use restage_tests::hardware::prepare::prepare;
use restage_tests::hardware::random;
use restage_tests::hardware::regress::{Difference, Job, RegressError, Report, regress_with};
use restage_tests::hardware::verdict::{share, shortfalls};
use restage_tests::random::census::Census;
use restage_tests::random::compare::{Case, compare};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

#[derive(Parser)]
#[command(about = "Runs programs as verilated hardware against the golden model")]
struct Args {
    /// `all`, or names of the library with commas between.
    #[arg(long, default_value = "all")]
    programs: String,
    /// Packets for each.
    #[arg(long)]
    packets: Option<usize>,
    /// Seed of traffic, gaps and initial contents.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// So many random programs instead, from the seed on; 200 packets for each unless said otherwise.
    #[arg(long)]
    random: Option<u64>,
    /// How many random programs at once; with more than one, what building took is what it took all of them.
    #[arg(long)]
    jobs: Option<usize>,
    /// Seconds for making a random program that shows a difference smaller.
    #[arg(long, default_value_t = 120)]
    shrink: u64,
    /// Writes the smaller program to this file, for `gen --program`.
    #[arg(long)]
    small: Option<PathBuf>,
    /// Writes waves of the fabric to this file, and of each region to one beside it whose name ends in the region's.
    #[arg(long, conflicts_with = "random")]
    vcd: Option<PathBuf>,
    /// As `--vcd`, in GTKWave's compressed format.
    #[arg(long, conflicts_with_all = ["random", "vcd"])]
    fst: Option<PathBuf>,
    /// Plants a fault, to see what is said of it: FROM=TO, of a text in the regions' Verilog and what stands there instead.
    #[arg(long, value_parser = planted)]
    plant: Option<(String, String)>,
    /// Percent of the clocks in which nothing is offered.
    #[arg(long, default_value_t = 0)]
    gaps: u8,
    /// Percent of the clocks in which nothing is taken.
    #[arg(long, default_value_t = 0)]
    back_pressure: u8,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    if let Some(count) = args.random {
        return random(&args, count);
    }
    let all = restage_library::ALL.iter().map(|item| item.name);
    let names: Vec<&str> = match args.programs.as_str() {
        "all" => all.collect(),
        names => names.split(',').collect(),
    };
    if names.len() > 1 && (args.vcd.is_some() || args.fst.is_some()) {
        bail!("waves are written of one program; name it with --programs");
    }
    for name in &names {
        if restage_library::get(name).is_none() {
            bail!("there is no program `{name}` in the library; gen --list names them");
        }
    }
    println!(
        "{:<20} {:>7} {:>9} {:>8} {:>7} {:>5} {:>5} {:>5} {:>5} {:>5} {:>5} {:>5} {:>7} {:>6} {:>6} {:>6} {:>6} {:>6}  tables: hits/misses",
        "program",
        "packets",
        "bytes",
        "cycles",
        "latency",
        "in",
        "out",
        "busy",
        "acc%",
        "hit%",
        "mod%",
        "drop%",
        "sent",
        "looped",
        "state",
        "region",
        "shell",
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

/// Packets for a program of the library and for a random one.
const PACKETS: usize = 10_000;
const RANDOM_PACKETS: usize = 200;

/// Programs over which everything must come up, and percent of them that hardware may refuse.
const ENOUGH: u64 = 100;
const REFUSED: u64 = 10;

/// Frames in every clock, at most.
const DENSE: usize = 2000;

fn one(name: &str, args: &Args) -> Result<(Checked, Report)> {
    let loaded = source::load(name, None)?;
    let text = loaded.entries.unwrap_or_default();
    let writes = entries_text::parse(&loaded.program, text).map_err(|e| anyhow!("{e}"))?;
    let packets = args.packets.unwrap_or(PACKETS);
    let counts = (packets, packets.min(DENSE));
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
    let report = regress_with(&build(job.program)?, &job, args.special()).context("no hardware")?;
    Ok((loaded.program, report))
}

/// Random programs.
fn random(args: &Args, count: u64) -> Result<ExitCode> {
    let packets = args.packets.unwrap_or(RANDOM_PACKETS);
    let mut census = Census::default();
    let mut refused: BTreeMap<String, u64> = BTreeMap::new();
    let (mut ran, mut sent, mut looped, mut rows, mut failed) = (0, 0, 0, 0, 0);
    let seeds = args.seed..args.seed.saturating_add(count);
    let jobs =
        args.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, Into::into));
    let refuse =
        |why: String, refused: &mut BTreeMap<String, u64>| *refused.entry(why).or_default() += 1;
    in_order(
        seeds,
        jobs,
        |seed| one_random(seed, packets, args.special()),
        |seed, tried| {
            let tried = match tried? {
                Random::Nothing => {
                    refuse("nothing is left of it at line rate".into(), &mut refused);
                    return Ok(());
                }
                Random::Refused(error) => {
                    println!("seed {seed}: refused: {error}");
                    refuse(reason(&error), &mut refused);
                    return Ok(());
                }
                Random::Ran(tried) => tried,
            };
            let Ran { case, hardware, tally, sent: leave, report, built, ran: took } = *tried;
            census.program(&case.program);
            census.fates(&tally);
            let report = match report {
                Ok(report) => report,
                Err(error) => {
                    println!("seed {seed}: {error}");
                    failed += 1;
                    return Ok(());
                }
            };
            ran += 1;
            sent += report.tally.sent;
            looped += report.tally.looped;
            rows += report.rows;
            println!(
                "seed {seed}: {} regions, PHV {}, {} of {leave} sent, {} came round, {} rows, {built:.1} + {took:.1} s, \
             built a region in {:.1} s, the shell in {:.1} s",
                hardware.variants.len(),
                hardware.manifest.config.phv_bits,
                report.tally.sent,
                report.tally.looped,
                report.rows,
                report.built.region,
                report.built.shell
            );
            if let Some(difference) = report.difference {
                failed += 1;
                println!("seed {seed}: {}", difference.text);
                println!("  again: regress --random 1 --seed {seed} --packets {packets}");
                if args.shrink > 0 {
                    let limit = Duration::from_secs(args.shrink);
                    let mut said = |said| eprintln!("  {said}");
                    let small =
                        random::shrunk(&case, seed, &difference, args.special(), limit, &mut said);
                    tell(&small);
                    if let Some(path) = &args.small {
                        std::fs::write(path, serde_json::to_string(&*small.0.program)?)?;
                    }
                }
            }
            Ok(())
        },
    )?;
    if count >= ENOUGH {
        print!("{census}");
    }
    for (why, count) in &refused {
        println!("{count:6} refused: {why}");
    }
    let refusals: u64 = refused.values().sum();
    let missing = census.missing();
    println!(
        "{ran} of {count} random programs from seed {} ran: {sent} packets left, {looped} came round, {rows} rows of state \
         compared; {failed} failed, {refusals} refused, {} things never came up",
        args.seed,
        missing.len()
    );
    let mut fine = failed == 0;
    if 100 * refusals > REFUSED * count {
        println!("more than {REFUSED} % of the programs are refused");
        fine = false;
    }
    if count >= ENOUGH && !missing.is_empty() {
        println!("never came up: {}", missing.join(", "));
        fine = false;
    }
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What came of a random program.
enum Random {
    /// Nothing is left of it at line rate.
    Nothing,
    /// No hardware holds it.
    Refused(HardwareError),
    /// It ran.
    Ran(Box<Ran>),
}

/// A random program that ran.
struct Ran {
    case: Case,
    hardware: Hardware,
    /// What the models did, and packets that left them.
    tally: BTreeMap<&'static str, u64>,
    sent: u64,
    report: Result<Report, RegressError>,
    /// Seconds until there was hardware, and from then on.
    built: f64,
    ran: f64,
}

fn one_random(seed: u64, packets: usize, special: Special<'_>) -> Result<Random> {
    let start = Instant::now();
    let Some(case) = random::case(seed, packets)? else { return Ok(Random::Nothing) };
    let hardware = match random::build(&case.program) {
        Ok(hardware) => hardware,
        Err(error) => return Ok(Random::Refused(error)),
    };
    let built = start.elapsed().as_secs_f64();
    let agreement = compare(&case).map_err(|d| anyhow!("seed {seed}: the models differ: {d}"))?;
    let report = random::run(&hardware, &case, seed, special);
    let ran = start.elapsed().as_secs_f64() - built;
    let (tally, sent) = (agreement.tally, agreement.sent);
    Ok(Random::Ran(Box::new(Ran { case, hardware, tally, sent, report, built, ran })))
}

/// Does things in several threads and takes what comes of them in order.
fn in_order<T: Send>(
    all: std::ops::Range<u64>,
    jobs: usize,
    one: impl Fn(u64) -> T + Sync,
    mut take: impl FnMut(u64, T) -> Result<()>,
) -> Result<()> {
    let next = AtomicU64::new(all.start);
    let (done, results) = std::sync::mpsc::sync_channel(jobs);
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            let (done, next, one, end) = (done.clone(), &next, &one, all.end);
            scope.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    // Nobody listens any more when something has gone wrong.
                    if at >= end || done.send((at, one(at))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(done);
        let (mut wanted, mut early) = (all.start, BTreeMap::new());
        for (at, result) in results {
            early.insert(at, result);
            while let Some(result) = early.remove(&wanted) {
                take(wanted, result)?;
                wanted += 1;
            }
        }
        Ok(())
    })
}

/// A case that was made smaller.
fn tell((case, difference): &(Case, Difference)) {
    println!("smaller, as P4:\n{}", *case.program);
    for write in &case.writes {
        println!("write: {write:?}");
    }
    for packet in &case.packets {
        let bytes: String = packet.bytes.iter().map(|b| format!("{b:02x}")).collect();
        println!("packet on port {}: {bytes}", packet.port);
    }
    println!("{}", difference.text);
}

/// A refusal without names and numbers.
fn reason(error: &HardwareError) -> String {
    match error {
        HardwareError::Refused(all) => all
            .first()
            .map_or_else(|| "no shell is large enough".to_string(), |r| r.accepts.to_string()),
        other => other.to_string(),
    }
}

/// A text and another, with an equals sign between.
fn planted(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((from, to)) if !from.is_empty() => Ok((from.into(), to.into())),
        _ => Err("what is replaced, `=`, and what stands there instead are accepted".into()),
    }
}

impl Args {
    fn special(&self) -> Special<'_> {
        let waves = match (&self.vcd, &self.fst) {
            (Some(path), _) => Some((Trace::Vcd, path.as_path())),
            (_, Some(path)) => Some((Trace::Fst, path.as_path())),
            _ => None,
        };
        let planted = self.plant.as_ref().map(|(from, to)| (from.as_str(), to.as_str()));
        Special { waves, planted }
    }

    /// The command that does the same for one program.
    fn again(&self, program: &str) -> String {
        let Args { seed, gaps, back_pressure, .. } = self;
        let packets = self.packets.unwrap_or(PACKETS);
        format!(
            "regress --programs {program} --packets {packets} --seed {seed} --gaps {gaps} --back-pressure {back_pressure}"
        )
    }
}

fn print(name: &str, report: &Report, seconds: f64) {
    let tally = &report.tally;
    let latency = report.latency.map_or("-".into(), |(low, high)| format!("{low}-{high}"));
    let pace =
        |of: fn(&Pace) -> f64| report.pace.as_ref().map_or("-".into(), |p| format!("{:.3}", of(p)));
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
        "{name:<20} {:>7} {:>9} {:>8} {latency:>7} {:>5} {:>5} {:>5} {:>5} {:>5} {:>5} {:>5} {:>7} {looped:>6} {:>6} {:>6.1} {:>6.1} {seconds:>6.1}  {}",
        tally.packets,
        tally.bytes,
        report.cycles,
        pace(|p| p.clocks_in),
        pace(|p| p.beats_out),
        pace(Pace::busiest),
        percent(tally.accepted),
        percent(tally.met),
        percent(tally.modified),
        percent(tally.dropped),
        tally.sent,
        report.rows,
        report.built.region,
        report.built.shell,
        tables.join(", ")
    );
}
