//! What the tests share: the tools must be there, and they must accept every circuit.

#![allow(dead_code)] // each test uses some of it

use restage_rtl::Circuit;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder of its own under the target folder.
pub fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// Runs a tool that must succeed.
pub fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|e| {
        panic!("{command:?} cannot be started ({e}); `.ci/setup` installs the tools of the tests")
    });
    assert!(
        output.status.success(),
        "{command:?} failed:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// Writes a circuit to its folder.
pub fn write(circuit: &Circuit, folder: &Path) -> PathBuf {
    let path = folder.join(format!("{}.v", circuit.name()));
    std::fs::write(&path, circuit.verilog()).unwrap();
    path
}

/// Verilator's lint without a word, and Icarus.
pub fn lint(circuits: &[&Circuit], folder: &Path) {
    let files: Vec<PathBuf> = circuits.iter().map(|c| write(c, folder)).collect();
    let top = circuits.last().unwrap().name();
    let output = run(Command::new("verilator")
        .args(["--lint-only", "-Wall", "-Wno-DECLFILENAME", "--top-module", top])
        .args(&files));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = run(Command::new("iverilog")
        .args(["-g2005", "-Wall", "-t", "null", "-s", top])
        .args(&files));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}
