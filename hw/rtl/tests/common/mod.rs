//! What the tests share: the tools must be there, and they must accept every circuit.

#![allow(dead_code)] // each test uses some of it

use restage_program::Bits;
use restage_rtl::Circuit;
use restage_sim_verilator::{Build, Cache, Model, PortId, SimError};
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

/// Verilator's lint without a word, and Icarus. What they have accepted once is not asked again.
pub fn lint(circuits: &[&Circuit], folder: &Path) {
    let files: Vec<PathBuf> = circuits.iter().map(|c| write(c, folder)).collect();
    let version = |tool: &str, flag| run(Command::new(tool).arg(flag)).stdout;
    let versions = [version("verilator", "--version"), version("iverilog", "-V")];
    let texts: Vec<String> = circuits.iter().map(|c| c.verilog()).collect();
    let pieces: Vec<&[u8]> =
        versions.iter().map(Vec::as_slice).chain(texts.iter().map(String::as_bytes)).collect();
    let done = Cache::standard().made_of("linted", &pieces, |work| {
        lint_now(&files, circuits.last().unwrap().name());
        let fine = work.join("fine");
        std::fs::write(&fine, "").unwrap();
        Ok::<_, SimError>(fine)
    });
    done.unwrap();
}

fn lint_now(files: &[PathBuf], top: &str) {
    let output = run(Command::new("verilator")
        .args(["--lint-only", "-Wall", "-Wno-DECLFILENAME", "--top-module", top])
        .args(files));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = run(Command::new("iverilog")
        .args(["-g2005", "-Wall", "-t", "null", "-s", top])
        .args(files));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A circuit in simulation, with new inputs at every clock.
pub struct Stream {
    model: Model,
    inputs: Vec<PortId>,
    outputs: Vec<(PortId, usize)>,
}

impl Stream {
    /// Inputs, and outputs with the clocks that they take.
    pub fn new(circuit: &Circuit, inputs: &[&str], outputs: &[(&str, usize)]) -> Self {
        let file = format!("{}.v", circuit.name());
        let library = Build::new(circuit.name())
            .source(&file, circuit.verilog())
            .build(&Cache::standard())
            .unwrap();
        let mut model = library.instance(1).unwrap();
        let port = |name: &str| library.port(name).unwrap();
        let inputs = inputs.iter().map(|name| port(name)).collect();
        let outputs = outputs.iter().map(|(name, latency)| (port(name), *latency)).collect();
        if let Ok(reset) = library.port("rst_ni") {
            model.set_u64(reset, 0);
            model.tick();
            model.tick();
            model.set_u64(reset, 1);
        }
        Stream { model, inputs, outputs }
    }

    /// The outputs for each set of inputs.
    pub fn run(&mut self, sets: &[Vec<Bits>]) -> Vec<Vec<Bits>> {
        let longest = self.outputs.iter().map(|(_, latency)| *latency).max().unwrap_or(0);
        let mut results = vec![vec![Bits::default(); self.outputs.len()]; sets.len()];
        for clock in 0..sets.len() + longest {
            for (index, (port, latency)) in self.outputs.iter().enumerate() {
                let set = clock.checked_sub(*latency).and_then(|at| results.get_mut(at));
                if let Some(set) = set {
                    set[index] = self.model.get(*port);
                }
            }
            if let Some(set) = sets.get(clock) {
                for (port, value) in self.inputs.iter().zip(set) {
                    self.model.set(*port, value);
                }
            }
            self.model.tick();
        }
        self.model.check().unwrap();
        results
    }
}
