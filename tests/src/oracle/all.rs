//! Runs many cases at once.

use super::case::Case;
use super::report::{Difference, Outcome};
use super::subject::Source;
use super::{hardware, run};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// What it is run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// The golden model.
    Model,
    /// Verilated cards.
    Hardware,
}

/// What is run of each program.
#[derive(Clone, Debug)]
pub struct Selection {
    /// On what.
    pub device: Device,
    /// Which descriptions.
    pub sources: Vec<Source>,
    /// This symbolic test alone.
    pub stf: Option<u32>,
}

/// Runs the named programs, all of them when none is named.
pub fn run(
    directory: &Path,
    names: &[String],
    selection: &Selection,
) -> Result<Vec<Outcome>, String> {
    let cases: Vec<Case> =
        names.iter().map(|name| Case::load(directory, name)).collect::<Result<_, _>>()?;
    let work: Vec<(&Case, Source)> =
        cases.iter().flat_map(|c| selection.sources.iter().map(move |s| (c, *s))).collect();
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    std::thread::scope(|scope| {
        for _ in 0..threads.min(work.len()) {
            scope.spawn(|| {
                while let Some((case, source)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let start = Instant::now();
                    let outcome = one(case, *source, selection);
                    if selection.device == Device::Hardware {
                        // A run takes minutes when models have to be built.
                        let (seconds, source) = (start.elapsed().as_secs_f64(), source.name());
                        eprintln!("{} ({source}): {seconds:.1} s", case.name);
                    }
                    outcomes.lock().unwrap_or_else(|e| e.into_inner()).push(outcome);
                }
            });
        }
    });
    let mut outcomes = outcomes.into_inner().unwrap_or_else(|e| e.into_inner());
    outcomes.sort_by(|a, b| (&a.program, a.source).cmp(&(&b.program, b.source)));
    Ok(outcomes)
}

/// A panic of the model is a failure of this program, not the end of the run.
fn one(case: &Case, source: Source, selection: &Selection) -> Outcome {
    let run = AssertUnwindSafe(|| match selection.device {
        Device::Model => run::run(case, source, selection.stf),
        Device::Hardware => hardware::run(case, source, selection.stf),
    });
    catch_unwind(run).unwrap_or_else(|cause| {
        let text = cause.downcast_ref::<String>().map(String::as_str);
        let text = text.or(cause.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
        let mut outcome = Outcome::new(&case.name, source);
        outcome.broken(case, selection.stf.is_some(), String::new());
        let what = format!("panic: {text}");
        outcome.first = Some(Difference { place: "model".into(), what, trace: Vec::new() });
        outcome
    })
}
