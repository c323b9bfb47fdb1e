//! What circuits cost on a card, by yosys: LUTs, registers, RAM, and the longest path between registers.
//!
//! Exit code 1 when a path is longer than it may be, or a module is refused.

use anyhow::{Context, Result, bail};
use clap::Parser;
use restage_tests::tools::Design;
use restage_tests::tools::synth::{Cost, synth};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Parser)]
#[command(about = "Synthesizes Verilog for a Xilinx UltraScale+ card and prints what it costs")]
struct Args {
    /// A folder of Verilog. Every module in it that no other uses is synthesized.
    #[arg(long)]
    dir: PathBuf,
    /// Only this module; it may be one that others use.
    #[arg(long)]
    module: Vec<String>,
    /// Most LUTs on a path between registers.
    #[arg(long, default_value_t = 8)]
    levels: u32,
    /// How many modules at once.
    #[arg(long)]
    jobs: Option<usize>,
    /// Prints the longest path of each module, signal by signal.
    #[arg(long)]
    paths: bool,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether all modules are as they should be.
fn run(args: &Args) -> Result<bool> {
    let files = read(&args.dir)?;
    let tops = tops(&files, &args.module)?;
    let jobs = args.jobs.or_else(|| std::thread::available_parallelism().ok().map(Into::into));
    let mut results = all(&files, &tops, jobs.unwrap_or(1));
    results.sort_by(|a, b| a.0.cmp(&b.0));
    let mut good = true;
    let mut costs = Vec::new();
    for (module, result) in results {
        match result {
            Ok(cost) => {
                if cost.worst.luts > args.levels {
                    let (found, most) = (cost.worst.luts, args.levels);
                    eprintln!("{module}: {found} LUTs between registers, {most} are allowed");
                    good = false;
                }
                costs.push(cost);
            }
            Err(error) => {
                eprintln!("{error}");
                good = false;
            }
        }
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&costs)?);
    } else {
        print(&costs, args.paths);
    }
    Ok(good)
}

fn read(dir: &Path) -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).with_context(|| dir.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "v")
            && let Some(name) = path.file_name().and_then(|n| n.to_str())
        {
            let text =
                std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            files.push((name.to_string(), text));
        }
    }
    files.sort();
    if files.is_empty() {
        bail!("{} has no file that ends with .v", dir.display());
    }
    Ok(files)
}

/// The modules to be synthesized.
fn tops(files: &[(String, String)], wanted: &[String]) -> Result<Vec<String>> {
    let word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let code: Vec<&str> = files
        .iter()
        .flat_map(|f| f.1.lines())
        .map(|line| line.split("//").next().unwrap_or_default())
        .flat_map(|line| line.split(|c: char| !word(c)))
        .filter(|w| !w.is_empty())
        .collect();
    let modules: Vec<&str> = code.windows(2).filter(|w| w[0] == "module").map(|w| w[1]).collect();
    if let Some(unknown) = wanted.iter().find(|w| !modules.contains(&w.as_str())) {
        bail!("there is no module `{unknown}`; there are {}", modules.join(", "));
    }
    if !wanted.is_empty() {
        return Ok(wanted.to_vec());
    }
    // Used is what is named anywhere but behind `module`.
    let used = |module: &&str| code.windows(2).any(|w| w[1] == *module && w[0] != "module");
    Ok(modules.iter().filter(|m| !used(m)).map(|m| m.to_string()).collect())
}

type Outcome = (String, Result<Cost, restage_tests::tools::ToolError>);

fn all(files: &[(String, String)], tops: &[String], jobs: usize) -> Vec<Outcome> {
    let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, tops.len().max(1)) {
            scope.spawn(|| {
                while let Some(top) = tops.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let design = Design { top: top.clone(), files: files.to_vec() };
                    let outcome = (top.clone(), synth(&design));
                    if let Ok(mut outcomes) = outcomes.lock() {
                        outcomes.push(outcome);
                    }
                }
            });
        }
    });
    outcomes.into_inner().unwrap_or_default()
}

fn print(costs: &[Cost], paths: bool) {
    let width = costs.iter().map(|c| c.module.len()).max().unwrap_or(0).max(6);
    println!(
        "{:width$} {:>8} {:>8} {:>8} {:>9} {:>7} {:>5} {:>7} {:>6} {:>6} {:>6}",
        "module",
        "LUT",
        "as RAM",
        "as SRL",
        "registers",
        "RAM36",
        "DSP",
        "levels",
        "+MUXF",
        "+carry",
        "chain"
    );
    for cost in costs {
        println!(
            "{:width$} {:>8} {:>8} {:>8} {:>9} {:>7} {:>5} {:>7} {:>6} {:>6} {:>6}",
            cost.module,
            cost.luts,
            cost.ram_luts,
            cost.shift_luts,
            cost.registers,
            cost.half_rams as f64 / 2.0,
            cost.dsps,
            cost.worst.luts,
            cost.worst.muxf,
            cost.worst.carry,
            cost.longest_carry,
        );
        if paths {
            println!("    {}", cost.worst.through.join(" -> "));
        }
    }
}
