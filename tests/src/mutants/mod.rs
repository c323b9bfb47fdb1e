//! Faults put into every kind of circuit, one at a time, to see whether the checks that anybody runs notice them.
//!
//! The circuit with all its faults takes the original's place in the models that a check builds (`RESTAGE_INSTEAD`), an input
//! chooses the fault. A check that fails or does not end has caught it. What no check catches is compared with the original
//! by proof ([`prove`]).

pub mod check;
pub mod circuits;
mod gates;
pub mod known;
pub mod place;
mod product;
pub mod prove;

use crate::tools::mutate::{Mutation, SELECT, mutate, mutate_modules};
use crate::tools::{Design, ToolError};
use check::{Check, Outcome, Programs};
use circuits::Circuit;
use place::Place;
use prove::Proof;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum MutantsError {
    /// A program cannot be started, or its output not be read.
    #[error("a check cannot be run: {0}")]
    Cargo(std::io::Error),
    /// The checks cannot be built.
    #[error("the checks cannot be built: see what cargo says")]
    Build,
    /// What a check builds has no such module.
    #[error("no check of `{circuit}` builds a module `{module}`")]
    NoModule {
        /// The circuit.
        circuit: String,
        /// The module.
        module: String,
    },
    /// A check fails without a fault.
    #[error("{check:?} fails without a fault in `{circuit}`:\n{said}")]
    Baseline {
        /// The circuit.
        circuit: String,
        /// The check.
        check: Check,
        /// What it said.
        said: String,
    },
    /// A file.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Yosys.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// The list of survivors.
    #[error(transparent)]
    Known(#[from] known::KnownError),
}

/// What became of a mutation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A check failed.
    Caught(Check),
    /// A check did not end.
    Hung(Check),
    /// No check noticed, and none can: it makes no difference.
    Equal(Proof),
    /// No check noticed.
    Survived,
}

/// A circuit's mutations.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Which.
    pub circuit: Circuit,
    /// All.
    pub fates: Vec<(Mutation, Place, Fate)>,
    /// Seconds for all that were judged together with it.
    pub seconds: f64,
}

/// What came of all circuits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Mutations.
    pub faults: usize,
    /// Those that a check noticed.
    pub caught: usize,
    /// Those that make no difference.
    pub equal: usize,
    /// Those that survived for no reason that is known.
    pub unknown: usize,
}

/// Percent of the mutations that make a difference which must be caught.
const ENOUGH: usize = 95;

impl Tally {
    /// Counts one more.
    pub fn add(&mut self, fate: &Fate, reason: Option<&str>) {
        self.faults += 1;
        match fate {
            Fate::Caught(_) | Fate::Hung(_) => self.caught += 1,
            Fate::Equal(_) => self.equal += 1,
            Fate::Survived => self.unknown += usize::from(reason.is_none()),
        }
    }

    /// Those that make a difference, as far as is known.
    pub fn different(&self) -> usize {
        self.faults - self.equal
    }

    /// Whether enough were caught, and there is a reason for each that was not.
    pub fn fine(&self) -> bool {
        self.unknown == 0 && self.different() > 0 && 100 * self.caught >= ENOUGH * self.different()
    }
}

/// What is done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Which mutations are picked.
    pub seed: u64,
    /// So many of each circuit.
    pub count: u32,
    /// Checks that run at a time.
    pub jobs: usize,
    /// Where files go.
    pub folder: PathBuf,
    /// Takes every check for passed: whoever counts must notice.
    pub blind: bool,
}

/// Circuits that are one module judged by the same checks.
pub fn groups(circuits: &[Circuit]) -> Vec<Vec<Circuit>> {
    let mut groups: Vec<Vec<Circuit>> = Vec::new();
    for circuit in circuits {
        let same = |group: &&mut Vec<Circuit>| {
            group.iter().all(|c| c.module == circuit.module && c.checks == circuit.checks)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(*circuit),
            None => groups.push(vec![*circuit]),
        }
    }
    groups
}

/// Judges the mutations of circuits that are one module.
pub fn judge(
    programs: &Programs,
    plan: &Plan,
    group: &[Circuit],
) -> Result<Vec<Judged>, MutantsError> {
    let Some(Circuit { name, module, checks, .. }) = group.first().copied() else {
        return Ok(Vec::new());
    };
    let start = Instant::now();
    let folder = plan.folder.join(name);
    // What an earlier run left.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).map_err(io(&folder))?;
    let mut limits = Vec::new();
    let mut baseline = |select: Option<u64>| {
        for check in checks {
            let start = Instant::now();
            let select = select.map(|number| (SELECT, number));
            match programs.run(*check, &folder, select, BASELINE)? {
                Outcome::Passed => limits.push(start.elapsed() * SLOWER + SLACK),
                Outcome::Failed(said) => {
                    let circuit = name.to_string();
                    return Err(MutantsError::Baseline { circuit, check: *check, said });
                }
                Outcome::Hung => {
                    let (circuit, said) = (name.to_string(), "it does not end".to_string());
                    return Err(MutantsError::Baseline { circuit, check: *check, said });
                }
            }
        }
        Ok(())
    };
    baseline(None)?;
    let place = recorded(&folder, name, module)?;
    let design = read(&place, module)?;
    let modules: Option<Vec<&str>> = group.iter().map(|c| c.part).collect();
    let mutants = match modules {
        Some(modules) => mutate_modules(&design, &modules, plan.count, plan.seed)?,
        None => mutate(&design, plan.count, plan.seed)?,
    };
    put(&place, &mutants.design)?;
    // A check that builds a part alone has the same faults.
    for part in mutants.parts.iter().filter(|part| part.top != mutants.design.top) {
        if let Ok(place) = recorded(&folder, name, &part.top) {
            put(&place, part)?;
        }
    }
    baseline(Some(0))?;
    let checks: Vec<_> = checks.iter().copied().zip(limits.split_off(checks.len())).collect();
    let mut fates = each(plan.jobs, &mutants.mutations, |_, mutation| match plan.blind {
        true => Ok(Fate::Survived),
        false => fate(programs, &folder, mutation, &checks),
    })?;
    for (number, part) in mutants.parts.iter().enumerate() {
        let left = |at: usize, mutation: &Mutation| {
            mutation.part == number && fates.get(at) == Some(&Fate::Survived)
        };
        if !mutants.mutations.iter().enumerate().any(|(at, mutation)| left(at, mutation)) {
            continue;
        }
        let Some(gates) = prove::gates(part, &folder)? else { continue };
        fates = each(plan.jobs, &mutants.mutations, |at, mutation| {
            if !left(at, mutation) {
                return Ok(fates.get(at).cloned().unwrap_or(Fate::Survived));
            }
            let proof = prove::prove(&gates, mutation, &folder)?;
            Ok(proof.map_or(Fate::Survived, Fate::Equal))
        })?;
    }
    let seconds = start.elapsed().as_secs_f64();
    let mut judged: Vec<Judged> = group
        .iter()
        .map(|circuit| Judged { circuit: *circuit, fates: Vec::new(), seconds })
        .collect();
    for (mutation, fate) in mutants.mutations.into_iter().zip(fates) {
        if let Some(of) = judged.get_mut(mutation.part) {
            let place = Place::of(&design, &mutation);
            of.fates.push((mutation, place, fate));
        }
    }
    Ok(judged)
}

/// A check without faults may take so long, models that have to be built first included.
const BASELINE: Duration = Duration::from_secs(540);

/// A check with a fault may take so much longer than without, and that on top.
const SLOWER: u32 = 4;
const SLACK: Duration = Duration::from_secs(10);

/// The fates of all mutations, in their order, so many at a time.
fn each(
    jobs: usize,
    mutations: &[Mutation],
    fate: impl Fn(usize, &Mutation) -> Result<Fate, MutantsError> + Sync,
) -> Result<Vec<Fate>, MutantsError> {
    let next = AtomicUsize::new(0);
    let fates = Mutex::new(vec![Fate::Survived; mutations.len()]);
    let work = || -> Result<(), MutantsError> {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(mutation) = mutations.get(at) else { return Ok(()) };
            let fate = fate(at, mutation)?;
            if let Some(place) = fates.lock().unwrap_or_else(|e| e.into_inner()).get_mut(at) {
                *place = fate;
            }
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(work)).collect();
        // A worker that panicked has left its mutation as one that survived.
        workers.into_iter().filter_map(|worker| worker.join().ok()).collect::<Result<(), _>>()
    })?;
    Ok(fates.into_inner().unwrap_or_else(|e| e.into_inner()))
}

/// Has a design built in place of what a folder holds.
fn put(place: &Path, design: &Design) -> Result<(), MutantsError> {
    let path = place.join("instead.v");
    let texts: Vec<&str> = design.files.iter().map(|(_, text)| text.as_str()).collect();
    std::fs::write(&path, texts.join("\n")).map_err(io(&path))
}

fn fate(
    programs: &Programs,
    folder: &Path,
    mutation: &Mutation,
    checks: &[(Check, Duration)],
) -> Result<Fate, MutantsError> {
    for (check, limit) in checks {
        match programs.run(*check, folder, Some((SELECT, mutation.number)), *limit)? {
            Outcome::Passed => {}
            Outcome::Failed(_) => return Ok(Fate::Caught(*check)),
            Outcome::Hung => return Ok(Fate::Hung(*check)),
        }
    }
    Ok(Fate::Survived)
}

/// The folder of a module's build, of the largest if there are several.
fn recorded(folder: &Path, circuit: &str, module: &str) -> Result<PathBuf, MutantsError> {
    let entries = std::fs::read_dir(folder).map_err(io(folder))?;
    let name = |path: &Path| path.file_name().map(|n| n.to_string_lossy().into_owned());
    let of_module = |path: &PathBuf| {
        let name = name(path).unwrap_or_default();
        path.is_dir() && name.rsplit_once('-').is_some_and(|(top, _)| top == module)
    };
    let paths = entries.flatten().map(|entry| entry.path()).filter(of_module);
    let bytes = |path: &Path| -> u64 {
        let files = std::fs::read_dir(path).into_iter().flatten().flatten();
        files.filter_map(|file| file.metadata().ok()).map(|meta| meta.len()).sum()
    };
    paths.max_by_key(|path| (bytes(path), path.clone())).ok_or_else(|| MutantsError::NoModule {
        circuit: circuit.to_string(),
        module: module.to_string(),
    })
}

fn read(folder: &Path, module: &str) -> Result<Design, MutantsError> {
    let entries = std::fs::read_dir(folder).map_err(io(folder))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let mut design = Design { top: module.to_string(), files: Vec::new() };
    for path in paths {
        let text = std::fs::read_to_string(&path).map_err(io(&path))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        design = design.file(&name, text);
    }
    Ok(design)
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> MutantsError {
    let path = path.to_path_buf();
    move |source| MutantsError::Io { path, source }
}
