//! The checks that a mutant has to pass: commands that anybody runs, in a process of their own each, with other Verilog in the
//! place of a module.

use super::MutantsError;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// A test of `restage-rtl`: which executable, which of its tests.
    Rtl(&'static str, &'static str),
    /// `regress` on a program of the library, with so many packets.
    Regress(&'static str, u32),
}

/// The executables of all checks.
#[derive(Clone, Debug)]
pub struct Programs {
    rtl: Vec<(String, PathBuf)>,
    regress: PathBuf,
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All was fine.
    Passed,
    /// It failed; what it said.
    Failed(String),
    /// It did not end in time.
    Hung,
}

impl Programs {
    /// Builds what is not there; cargo says where it is.
    pub fn build() -> Result<Self, MutantsError> {
        let built = |args: &[&str]| -> Result<Vec<(String, PathBuf)>, MutantsError> {
            let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
            let mut command = Command::new(cargo);
            command.args(args).args(["--quiet", "--message-format", "json-render-diagnostics"]);
            command.current_dir(env!("CARGO_MANIFEST_DIR")).stderr(Stdio::inherit());
            let output = command.output().map_err(MutantsError::Cargo)?;
            if !output.status.success() {
                return Err(MutantsError::Build);
            }
            let text = String::from_utf8_lossy(&output.stdout);
            Ok(text.lines().filter_map(executable).collect())
        };
        let tests = ["--test", "cells", "--test", "shell", "--test", "ops", "--test", "hashes"];
        // With the features of all, as `make test` has built them.
        let rtl = built(&[&["test", "--no-run", "--workspace"], &tests[..]].concat())?;
        let bins = built(&["build", "-p", "restage-tests", "--bin", "regress"])?;
        let regress = bins.into_iter().find(|(name, _)| name == "regress");
        Ok(Programs { rtl, regress: regress.ok_or(MutantsError::Build)?.1 })
    }

    fn command(&self, check: Check) -> Command {
        match check {
            Check::Rtl(target, filter) => {
                let found = self.rtl.iter().find(|(name, _)| name == target);
                let mut command = Command::new(found.map_or(Path::new(target), |(_, path)| path));
                command.args([filter, "--exact"]);
                command
            }
            Check::Regress(program, packets) => {
                let mut command = Command::new(&self.regress);
                let packets = packets.to_string();
                command.args(["--programs", program, "--packets", &packets]);
                command.args(["--gaps", "20", "--back-pressure", "20"]);
                command
            }
        }
    }

    /// Runs a check with what is in a folder in the place of what it asks for, and a number at the input that chooses.
    pub fn run(
        &self,
        check: Check,
        folder: &Path,
        select: Option<(&str, u64)>,
        limit: Duration,
    ) -> Result<Outcome, MutantsError> {
        let mut command = self.command(check);
        command.env("RESTAGE_INSTEAD", folder).env("RUST_BACKTRACE", "0");
        if let Some((input, value)) = select {
            command.env("RESTAGE_INSTEAD_INPUT", format!("{input}={value}"));
        }
        let said = tempfile(folder)?;
        let told = |file: &std::fs::File| file.try_clone().map_err(MutantsError::Cargo);
        command.stdin(Stdio::null()).stdout(told(&said.1)?).stderr(told(&said.1)?);
        let child = command.spawn().map_err(MutantsError::Cargo)?;
        let outcome = match wait(child, limit)? {
            None => Outcome::Hung,
            Some(status) if status.success() => Outcome::Passed,
            Some(_) => Outcome::Failed(std::fs::read_to_string(&said.0).unwrap_or_default()),
        };
        let _ = std::fs::remove_file(&said.0);
        Ok(outcome)
    }
}

/// Waits for a process, and ends it when it takes too long.
pub(super) fn wait(mut child: Child, limit: Duration) -> Result<Option<ExitStatus>, MutantsError> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().map_err(MutantsError::Cargo)? {
            return Ok(Some(status));
        }
        if start.elapsed() > limit {
            // It may have ended meanwhile.
            let _ = child.kill();
            let _ = child.wait();
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A test or program that cargo's message is about.
fn executable(line: &str) -> Option<(String, PathBuf)> {
    let message: serde_json::Value = serde_json::from_str(line).ok()?;
    let path = message.get("executable")?.as_str()?;
    let name = message.get("target")?.get("name")?.as_str()?;
    Some((name.to_string(), PathBuf::from(path)))
}

/// A file for what a check says.
fn tempfile(folder: &Path) -> Result<(PathBuf, std::fs::File), MutantsError> {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = folder.join(format!("said-{number}.txt"));
    let file = std::fs::File::create(&path).map_err(MutantsError::Cargo)?;
    Ok((path, file))
}
