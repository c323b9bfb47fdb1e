//! What circuits cost on a card, by yosys: LUTs, registers, RAM, and the longest path between registers; and what yosys
//! has against them before it makes gates of them.
//!
//! Exit code 1 when a path is longer than it may be, when the compiler's estimate is too far off, or when a module or
//! program is refused.

mod folder;
mod table;
mod task;

use anyhow::Result;
use clap::Parser;
use restage_sim_verilator::Cache;
use restage_tests::tools::ToolError;
use restage_tests::tools::synth::{Cost, synth_cached};
use restage_tests::tools::yosys::check_cached;
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use task::{Around, Group, Task, Work};

/// Percent by which the compiler's estimate of LUTs may be off.
const ESTIMATE: i64 = 25;

#[derive(Parser)]
#[command(about = "Synthesizes circuits for a Xilinx UltraScale+ card and prints what they cost")]
struct Args {
    /// The circuits of programs: `all`, or names of the library or files with commas between.
    #[arg(
        long,
        alias = "program",
        value_delimiter = ',',
        default_value = "l3_acl",
        conflicts_with = "dir"
    )]
    programs: Vec<String>,
    /// A folder of Verilog. Every module in it that no other uses is synthesized.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Only this module; it may be one that others use.
    #[arg(long)]
    module: Vec<String>,
    /// Only regions, without what is around them.
    #[arg(long)]
    regions: bool,
    /// Does not synthesize, but has yosys look for latches, loops, second drivers and memories that are no RAM.
    #[arg(long)]
    check: bool,
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

/// What a module came to.
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
    let mut work = match &args.dir {
        Some(dir) => {
            let tasks = folder::tasks(dir, &args.module)?;
            let all = Group { name: "module".into(), tasks: (0..tasks.len()).collect() };
            Work { tasks, groups: vec![all], ..Work::default() }
        }
        None => {
            let around = match (args.regions, args.check) {
                (true, _) => Around::Nothing,
                (false, false) => Around::Fabric,
                (false, true) => Around::Top,
            };
            task::of_programs(&args.programs, &args.module, around)?
        }
    };
    for (name, why) in &work.refused {
        eprintln!("{name} is no hardware: {why}");
    }
    if let Some(levels) = args.levels {
        work.tasks.iter_mut().for_each(|t| t.levels = levels);
    }
    let jobs = args.jobs.or_else(|| std::thread::available_parallelism().ok().map(Into::into));
    let done = if args.check {
        check(&work, jobs.unwrap_or(1))
    } else {
        costs(&work, args, jobs.unwrap_or(1))?
    };
    Ok(done && work.refused.is_empty())
}

/// Whether yosys takes them all.
fn check(work: &Work, jobs: usize) -> bool {
    let cache = Cache::standard();
    let results = all(&work.tasks, jobs, |task| check_cached(&task.design, &cache));
    let refused: Vec<&ToolError> =
        results.iter().flatten().filter_map(|r| r.as_ref().err()).collect();
    for error in &refused {
        eprintln!("{error}");
    }
    let (programs, modules) = (work.groups.len(), work.tasks.len());
    println!(
        "{programs} programs, {modules} different modules, {} refused by yosys",
        refused.len()
    );
    refused.is_empty()
}

/// Whether paths are short enough, with all costs in tables.
fn costs(work: &Work, args: &Args, jobs: usize) -> Result<bool> {
    let cache = Cache::standard();
    let results = all(&work.tasks, jobs, |task| {
        let result = synth_cached(&task.design, task.luts, &cache);
        if work.tasks.len() > 10 && !args.json {
            eprintln!("{} is done", task.design.top);
        }
        result
    });
    let mut good = true;
    let mut rows = Vec::new();
    // Where the row of a task is.
    let mut row_of = Vec::new();
    for (task, result) in work.tasks.iter().zip(results) {
        row_of.push(None);
        let Some(result) = result else { continue };
        match result {
            Ok(cost) => {
                if cost.worst.luts > task.levels {
                    let (found, most) = (cost.worst.luts, task.levels);
                    let module = &cost.module;
                    eprintln!("{module}: {found} LUTs between registers, {most} are allowed");
                    good = false;
                }
                row_of.pop();
                row_of.push(Some(rows.len()));
                let row = Row {
                    cost,
                    estimated_luts: task.estimate.map(|e| e.luts),
                    estimated_half_rams: task.estimate.map(|e| e.bram18),
                };
                for wrong in wrong_estimate(&row) {
                    eprintln!("{}: {wrong}", task.design.top);
                    good = false;
                }
                rows.push(row);
            }
            Err(error) => {
                eprintln!("{error}");
                good = false;
            }
        }
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
        return Ok(good);
    }
    for Group { name, tasks } in &work.groups {
        let own: Vec<&Row> = tasks.iter().filter_map(|t| rows.get(row_of[*t]?)).collect();
        table::print(name, &own, args.paths);
    }
    table::summary(&rows);
    Ok(good)
}

/// What the compiler's estimate should not be.
fn wrong_estimate(row: &Row) -> Vec<String> {
    let luts = table::off(row).filter(|off| off.abs() > ESTIMATE);
    let luts =
        luts.map(|off| format!("the estimate of LUTs is {off} % off, {ESTIMATE} are allowed"));
    let (found, estimate) = (row.cost.half_rams, row.estimated_half_rams);
    let rams = estimate.filter(|e| *e != found);
    let rams = rams.map(|e| format!("{e} halves of block RAMs are estimated, {found} found"));
    luts.into_iter().chain(rams).collect()
}

/// The results in the order of the tasks.
fn all<T: Send>(tasks: &[Task], jobs: usize, one: impl Fn(&Task) -> T + Sync) -> Vec<Option<T>> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(tasks.iter().map(|_| None).collect::<Vec<_>>());
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, tasks.len().max(1)) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(task) = tasks.get(at) else { break };
                    let result = one(task);
                    if let Ok(mut results) = results.lock() {
                        results[at] = Some(result);
                    }
                }
            });
        }
    });
    results.into_inner().unwrap_or_default()
}
