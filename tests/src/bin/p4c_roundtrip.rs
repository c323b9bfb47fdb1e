//! Prints programs as P4, compiles them with p4c, imports what it made, and compares the behaviour of
//! both on random traffic.
//!
//! This needs a p4c for BMv2 (`p4c-bm2-ss`), which is not part of restage: without one it exits with 2.
//! Exit code 1 when a program does not come back as it was.

use anyhow::{Context, Result};
use clap::Parser;
use restage_program::Program;
use restage_program::check::Checked;
use restage_tests::random::trial::{case_for, trial};
use restage_tests::roundtrip::p4c::P4c;
use restage_tests::roundtrip::tame;
use restage_tests::roundtrip::{Outcome, round_trip};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Parser)]
#[command(
    about = "Programs printed as P4, compiled by p4c, imported again: do they behave as before?"
)]
struct Args {
    /// The p4c for BMv2 to use, `p4c-bm2-ss`.
    #[arg(long)]
    p4c: PathBuf,
    /// Where the texts and what p4c makes of them are kept.
    #[arg(long, default_value = "target/p4c_roundtrip")]
    folder: PathBuf,
    /// The oracle's folder; its programs are imported, printed and sent around.
    #[arg(long, default_value = "tests/oracle")]
    oracle: PathBuf,
    /// How many random programs.
    #[arg(long, default_value_t = 100)]
    random: u64,
    /// Seed of the first one; the others follow.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Packets for each program.
    #[arg(long, default_value_t = 300)]
    packets: usize,
    /// Only programs whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let p4c = match P4c::new(&args.p4c, &args.folder) {
        Ok(p4c) => p4c,
        Err(error) => {
            eprintln!("this needs a p4c for BMv2, and {} is none: {error}", args.p4c.display());
            return ExitCode::from(2);
        }
    };
    match run(&args, &p4c) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args, p4c: &P4c) -> Result<bool> {
    let mut tally = Tally::default();
    for item in restage_library::ALL {
        let name = format!("library_{}", item.name);
        let entries = |p: &Program| restage_program::entries_text::parse(p, item.entries);
        let mut program = item.program();
        let writes = entries(&program).with_context(|| name.clone())?;
        program.name.clone_from(&name);
        tally.add(args, &name, || {
            let program = checked(program)?;
            Ok(round_trip(p4c, &case_for(program, writes, 7, args.packets)))
        })?;
    }
    for folder in oracle(&args.oracle)? {
        let base = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = format!("oracle_{base}");
        tally.add(args, &name, || {
            let read = |end: &str| std::fs::read_to_string(folder.join(format!("{base}.{end}")));
            let program = restage_p4::import(&read("json")?, Some(&read("p4info.txtpb")?), &name)?;
            let entries = std::fs::read_to_string(folder.join("entries.txt"))?;
            let writes = restage_program::entries_text::parse(&program, &entries)?;
            let program = checked(program)?;
            Ok(round_trip(p4c, &case_for(program, writes, 8, args.packets)))
        })?;
    }
    for seed in args.seed..args.seed.saturating_add(args.random) {
        tally.add(args, &format!("random_{seed}"), || {
            // Nearly every random program has something that P4 cannot say: it goes around without.
            let case = trial(seed, args.packets)?;
            let mut program = tame::tame(&case.program).context("it is no program any more")?;
            program.name = format!("random_{seed}");
            let writes = tame::writes(&program, &case.writes);
            Ok(round_trip(p4c, &case_for(checked(program)?, writes, seed, args.packets)))
        })?;
    }
    tally.print();
    Ok(tally.failed == 0)
}

fn checked(program: Program) -> Result<Checked> {
    program.check().map_err(|e| anyhow::anyhow!("{e:?}"))
}

/// Folders of the oracle's programs.
fn oracle(root: &Path) -> Result<Vec<PathBuf>> {
    let list =
        std::fs::read_dir(root).with_context(|| format!("no oracle in {}", root.display()))?;
    let mut folders: Vec<PathBuf> = list.filter_map(|e| Some(e.ok()?.path())).collect();
    folders.retain(|f| f.join("entries.txt").exists());
    folders.sort();
    Ok(folders)
}

#[derive(Default)]
struct Tally {
    same: usize,
    packets: usize,
    maps: usize,
    gaps: usize,
    open: usize,
    p4c: usize,
    failed: usize,
    reasons: BTreeMap<String, usize>,
}

impl Tally {
    fn add(
        &mut self,
        args: &Args,
        name: &str,
        run: impl FnOnce() -> Result<Outcome>,
    ) -> Result<()> {
        if !name.contains(&args.only) {
            return Ok(());
        }
        match run().with_context(|| name.to_string())? {
            Outcome::Same { packets, lines, again: (second, new) } => {
                self.same += 1;
                self.packets += packets;
                println!(
                    "{name}: {lines} lines; imported and printed again {second}, {new} of them new"
                );
            }
            Outcome::Maps => {
                self.maps += 1;
                println!("{name}: compiles; its maps are not imported");
            }
            Outcome::Open(what) => {
                self.open += 1;
                println!("{name}: differs on a packet with which p4c may: {}", what.join("; "));
            }
            Outcome::P4c(fault) => {
                self.p4c += 1;
                println!("{name}: p4c is at fault: {fault}");
            }
            Outcome::Gaps(gaps) => {
                self.gaps += 1;
                println!("{name}: P4 cannot say it: {}", gaps.join("; "));
                for gap in gaps {
                    let reason = gap.split_once(": ").map_or(gap.as_str(), |(_, r)| r);
                    *self.reasons.entry(reason.to_string()).or_default() += 1;
                }
            }
            Outcome::Failed(failure) => {
                self.failed += 1;
                println!("{name}: FAILED: {failure}");
            }
        }
        Ok(())
    }

    fn print(&self) {
        println!(
            "{} programs came back and behave as before on {} packets; {} have maps and compile; \
             {} say what P4 cannot; {} differ where they may; {} are beyond p4c; {} failed",
            self.same, self.packets, self.maps, self.gaps, self.open, self.p4c, self.failed
        );
        for (reason, count) in &self.reasons {
            println!("  {count} times: {reason}");
        }
    }
}
