//! What circuits cost on a card, by yosys: LUTs, registers, RAM, and the longest path between registers.
//!
//! Exit code 1 when a path is longer than it may be, or a module is refused.

use anyhow::{Context, Result, bail};
use clap::Parser;
use restage_gen::hardware::Hardware;
use restage_gen::{hardware, source};
use restage_rtl::net::Circuit;
use restage_sim_verilator::Cache;
use restage_tests::tools::synth::{Cost, synth_cached};
use restage_tests::tools::{Design, ToolError};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Most LUTs on a path of a region's circuit.
const REGION_LEVELS: u32 = 6;
/// Most LUTs on any path.
const LEVELS: u32 = 8;

#[derive(Parser)]
#[command(about = "Synthesizes circuits for a Xilinx UltraScale+ card and prints what they cost")]
struct Args {
    /// The circuits of a program: one of the library, or a file. l3_acl if nothing else is said.
    #[arg(long, conflicts_with = "dir")]
    program: Vec<String>,
    /// A folder of Verilog. Every module in it that no other uses is synthesized.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Only this module; it may be one that others use.
    #[arg(long)]
    module: Vec<String>,
    /// Most LUTs on a path between registers; 6 in a region and 8 elsewhere if not said.
    #[arg(long)]
    levels: Option<u32>,
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

/// A module to be synthesized.
#[derive(Debug)]
struct Task {
    design: Design,
    levels: u32,
    /// What the compiler thinks that it costs: LUTs, and block RAMs in halves.
    estimate: Option<(u64, u64)>,
}

/// What it came to.
#[derive(Debug, Serialize)]
struct Row {
    #[serde(flatten)]
    cost: Cost,
    estimated_luts: Option<u64>,
    estimated_half_rams: Option<u64>,
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
    let mut tasks = match &args.dir {
        Some(dir) => of_folder(dir, &args.module)?,
        None => of_programs(&args.program, &args.module)?,
    };
    if let Some(levels) = args.levels {
        tasks.iter_mut().for_each(|t| t.levels = levels);
    }
    let jobs = args.jobs.or_else(|| std::thread::available_parallelism().ok().map(Into::into));
    let mut good = true;
    let mut rows = Vec::new();
    for (task, result) in tasks.iter().zip(all(&tasks, jobs.unwrap_or(1))) {
        let Some(result) = result else { continue };
        match result {
            Ok(cost) => {
                if cost.worst.luts > task.levels {
                    let (found, most) = (cost.worst.luts, task.levels);
                    eprintln!(
                        "{}: {found} LUTs between registers, {most} are allowed",
                        cost.module
                    );
                    good = false;
                }
                let (luts, rams) = task.estimate.unzip();
                rows.push(Row { cost, estimated_luts: luts, estimated_half_rams: rams });
            }
            Err(error) => {
                eprintln!("{error}");
                good = false;
            }
        }
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else {
        print(&rows, args.paths);
    }
    Ok(good)
}

/// The region variants of programs, and the static parts around them, each once.
fn of_programs(programs: &[String], wanted: &[String]) -> Result<Vec<Task>> {
    let default = ["l3_acl".to_string()];
    let mut tasks: Vec<Task> = Vec::new();
    let mut known = Vec::new();
    for name in if programs.is_empty() { &default } else { programs } {
        let loaded = source::load(name, None)?;
        let built = hardware::build(&loaded.program).with_context(|| name.clone())?;
        let Hardware { variants, fabric, .. } = built;
        let file = |c: &Circuit| (format!("{}.v", c.name()), c.verilog());
        for circuit in &variants {
            let found = circuit.resources();
            let estimate = Some((found.luts, found.bram18));
            let design = Design { top: circuit.name().into(), files: vec![file(circuit)] };
            tasks.push(Task { design, levels: REGION_LEVELS, estimate });
        }
        let design = Design {
            top: fabric.fabric.name().into(),
            files: fabric.circuits().map(file).collect(),
        };
        tasks.push(Task { design, levels: LEVELS, estimate: None });
    }
    known.extend(tasks.iter().map(|t| t.design.top.clone()));
    check_wanted(wanted, &known)?;
    tasks.retain(|t| wanted.is_empty() || wanted.contains(&t.design.top));
    // Programs with equal shells have one.
    let mut kept: Vec<Task> = Vec::new();
    for task in tasks {
        if !kept.iter().any(|k| k.design.files == task.design.files) {
            kept.push(task);
        }
    }
    Ok(kept)
}

fn check_wanted(wanted: &[String], known: &[String]) -> Result<()> {
    match wanted.iter().find(|w| !known.contains(w)) {
        Some(unknown) => bail!("there is no module `{unknown}`; there are {}", known.join(", ")),
        None => Ok(()),
    }
}

/// What is in a folder.
fn of_folder(dir: &Path, wanted: &[String]) -> Result<Vec<Task>> {
    let files = read(dir)?;
    let tops = tops(&files, wanted)?;
    let task =
        |top| Task { design: Design { top, files: files.clone() }, levels: LEVELS, estimate: None };
    Ok(tops.into_iter().map(task).collect())
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

/// The modules of files that are to be synthesized.
fn tops(files: &[(String, String)], wanted: &[String]) -> Result<Vec<String>> {
    let word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let code: Vec<&str> = files
        .iter()
        .flat_map(|f| f.1.lines())
        .map(|line| line.split("//").next().unwrap_or_default())
        .flat_map(|line| line.split(|c: char| !word(c)))
        .filter(|w| !w.is_empty())
        .collect();
    let named = code.windows(2).filter(|w| w[0] == "module").map(|w| w[1].to_string());
    let modules: Vec<String> = named.collect();
    check_wanted(wanted, &modules)?;
    if !wanted.is_empty() {
        return Ok(wanted.to_vec());
    }
    // Used is what is named anywhere but behind `module`.
    let used = |module: &String| code.windows(2).any(|w| w[1] == module && w[0] != "module");
    Ok(modules.into_iter().filter(|m| !used(m)).collect())
}

/// The results in the order of the tasks.
fn all(tasks: &[Task], jobs: usize) -> Vec<Option<Result<Cost, ToolError>>> {
    let cache = Cache::standard();
    let next = AtomicUsize::new(0);
    let results = Mutex::new(tasks.iter().map(|_| None).collect::<Vec<_>>());
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, tasks.len().max(1)) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(task) = tasks.get(at) else { break };
                    let result = synth_cached(&task.design, &cache);
                    if let Ok(mut results) = results.lock() {
                        results[at] = Some(result);
                    }
                }
            });
        }
    });
    results.into_inner().unwrap_or_default()
}

fn print(rows: &[Row], paths: bool) {
    let width = rows.iter().map(|r| r.cost.module.len()).max().unwrap_or(0).max(6);
    println!(
        "{:width$} {:>8} {:>9} {:>7} {:>7} {:>9} {:>7} {:>9} {:>5} {:>7} {:>6} {:>6} {:>6}",
        "module",
        "LUT",
        "estimate",
        "as RAM",
        "as SRL",
        "registers",
        "RAM36",
        "estimate",
        "DSP",
        "levels",
        "+MUXF",
        "+carry",
        "chain"
    );
    let number = |n: Option<String>| n.unwrap_or_else(|| "-".to_string());
    let halves = |n: u64| (n as f64 / 2.0).to_string();
    for Row { cost, estimated_luts, estimated_half_rams } in rows {
        println!(
            "{:width$} {:>8} {:>9} {:>7} {:>7} {:>9} {:>7} {:>9} {:>5} {:>7} {:>6} {:>6} {:>6}",
            cost.module,
            cost.luts,
            number(estimated_luts.map(|n| n.to_string())),
            cost.ram_luts,
            cost.shift_luts,
            cost.registers,
            halves(cost.half_rams),
            number(estimated_half_rams.map(halves)),
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
