//! Random programs on the golden model and on the slow evaluator: their outputs and states must agree.
//!
//! Exit code 1 when they do not, or when the programs leave something out that a program can say.

use anyhow::Result;
use clap::Parser;
use restage_compile::flow::verify;
use restage_manifest::ShellConfig;
use restage_tests::flow_run::{self, FlowRun};
use restage_tests::random::census::Census;
use restage_tests::random::compare::{Case, Difference, compare};
use restage_tests::random::line_rate::line_rate;
use restage_tests::random::shrink::shrink;
use restage_tests::random::trial::trial;
use std::collections::BTreeMap;
use std::process::ExitCode;

/// Programs over which everything must come up.
const ENOUGH: u64 = 100;

#[derive(Parser)]
#[command(about = "Runs random programs on the golden model and the slow evaluator")]
struct Args {
    /// How many programs.
    #[arg(long, default_value_t = 100)]
    programs: u64,
    /// Packets for each.
    #[arg(long, default_value_t = 200)]
    packets: usize,
    /// Seed of the first program; the others follow.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Most attempts at making a failing case smaller.
    #[arg(long, default_value_t = 3000)]
    shrink: u32,
    /// Goes on after a difference, and only names the seeds that have one.
    #[arg(long)]
    all: bool,
    /// Compares the golden model with the lowered program instead; programs that are refused are counted by
    /// what is said of them.
    #[arg(long)]
    flows: bool,
    /// With `--flows`: cut into as many stages as there are tables.
    #[arg(long)]
    spread: bool,
    /// Prints the counts and the result as JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    if args.flows {
        return flows(&args);
    }
    let mut census = Census::default();
    let (mut packets, mut sent, mut refused, mut differing) = (0, 0, 0, 0);
    for seed in args.seed..args.seed.saturating_add(args.programs) {
        let case = match trial(seed, args.packets) {
            Ok(case) => case,
            Err(error) => {
                eprintln!("{error}");
                return Ok(ExitCode::FAILURE);
            }
        };
        census.program(&case.program);
        match compare(&case) {
            Ok(agreement) => {
                packets += case.packets.len() as u64;
                sent += agreement.sent;
                refused += agreement.refused;
                census.fates(&agreement.tally);
            }
            Err(difference) => {
                if args.all {
                    differing += 1;
                    eprintln!("seed {seed}: {difference:.400}");
                    continue;
                }
                eprintln!("seed {seed}: the models differ\n{difference}");
                let kind = difference.kind;
                report(&case, args.shrink, &mut |case| {
                    compare(case).err().filter(|d| d.kind == kind)
                })?;
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    if differing > 0 {
        eprintln!("{differing} of {} programs differ", args.programs);
        return Ok(ExitCode::FAILURE);
    }
    let missing = census.missing();
    if args.json {
        let counts: Vec<_> = census.counts().collect();
        let summary = serde_json::json!({
            "programs": args.programs, "seed": args.seed, "packets": packets, "sent": sent,
            "writes_refused": refused, "counts": counts, "missing": missing,
        });
        println!("{}", serde_json::to_string_pretty(&summary)?);
    } else {
        print!("{census}");
        println!(
            "{} programs from seed {}: {packets} packets in, {sent} out, both models agree; \
             {refused} writes refused by both; {} things never came up",
            args.programs,
            args.seed,
            missing.len()
        );
    }
    if args.programs >= ENOUGH && !missing.is_empty() {
        eprintln!("never came up: {}", missing.join(", "));
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// The lowered programs against the golden model.
fn flows(args: &Args) -> Result<ExitCode> {
    let like =
        ShellConfig { window_bytes: 256, phv_bits: 8192, regions: 16, ..ShellConfig::default() };
    let (mut packets, mut sent, mut lowered, mut differing) = (0, 0, 0, 0);
    let mut refused: BTreeMap<String, u64> = BTreeMap::new();
    for seed in args.seed..args.seed.saturating_add(args.programs) {
        let case = trial(seed, args.packets)?;
        let Some(case) = line_rate(case, like.window_bytes) else {
            *refused.entry("nothing is left of it".into()).or_default() += 1;
            continue;
        };
        let run = match if args.spread {
            flow_run::spread(&case.program, &like)
        } else {
            FlowRun::new(&case.program, &like)
        } {
            Ok(run) => run,
            Err(refusals) => {
                let mut kinds: Vec<String> =
                    refusals.into_iter().map(|r| r.accepts.into()).collect();
                kinds.sort_unstable();
                kinds.dedup();
                kinds.into_iter().for_each(|kind| *refused.entry(kind).or_default() += 1);
                continue;
            }
        };
        lowered += 1;
        packets += case.packets.len();
        let faults = run.flows().all().filter_map(|f| verify(&case.program, f).err());
        for fault in faults.flatten() {
            differing += 1;
            eprintln!("seed {seed}: {fault}");
        }
        match flow_run::compare(&case, run) {
            Ok(out) => sent += out,
            Err(difference) => {
                differing += 1;
                eprintln!("seed {seed}: {difference:.600}");
                if !args.all {
                    let kind = difference.kind;
                    report(&case, args.shrink, &mut |case| {
                        let run = match args.spread {
                            true => flow_run::spread(&case.program, &like).ok()?,
                            false => FlowRun::new(&case.program, &like).ok()?,
                        };
                        flow_run::compare(case, run).err().filter(|d| d.kind == kind)
                    })?;
                    return Ok(ExitCode::FAILURE);
                }
            }
        }
    }
    for (why, count) in &refused {
        println!("{count:6} refused: {why}");
    }
    println!(
        "{lowered} of {} programs from seed {} lowered: {packets} packets in, {sent} out, {differing} \
         differences",
        args.programs, args.seed
    );
    Ok(if differing == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints a case that fails, smaller if possible.
fn report(
    case: &Case,
    budget: u32,
    fails: &mut dyn FnMut(&Case) -> Option<Difference>,
) -> Result<()> {
    let small = shrink(case, budget, &mut |case| fails(case).is_some());
    eprintln!("shrunk program as P4:\n{}", *small.program);
    eprintln!("as JSON:\n{}", small.program.to_json());
    eprintln!("writes:\n{}", serde_json::to_string(&small.writes)?);
    for packet in &small.packets {
        eprintln!("packet at {} us on port {}: {:02x?}", packet.time_us, packet.port, packet.bytes);
    }
    if let Some(difference) = fails(&small) {
        eprintln!("{difference}");
    }
    Ok(())
}
