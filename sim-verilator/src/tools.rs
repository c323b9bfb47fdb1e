//! The programs that are needed: Verilator and a C++ compiler, found once per process.
//!
//! The compiler is the one that the `cc` crate would take in a build script (`CXX`, or the system's).

use crate::error::SimError;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// What was found.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    /// How Verilator is called.
    pub verilator: OsString,
    /// What it says of its version.
    pub verilator_version: String,
    /// Where its C++ headers and sources are.
    pub include: PathBuf,
    /// The compiler.
    pub compiler: PathBuf,
    /// What comes before other arguments of the compiler.
    pub compiler_args: Vec<OsString>,
    /// What it says of its version.
    pub compiler_version: String,
    /// Whether it is clang, which names some things differently.
    pub clang: bool,
    /// The processor that code is made for.
    pub cpu: String,
}

static TOOLS: OnceLock<Tools> = OnceLock::new();

/// The tools of this machine. A failure is not kept: what is missing may be installed meanwhile.
pub(crate) fn tools() -> Result<&'static Tools, SimError> {
    if let Some(tools) = TOOLS.get() {
        return Ok(tools);
    }
    let found = Tools::find()?;
    Ok(TOOLS.get_or_init(|| found))
}

impl Tools {
    fn find() -> Result<Self, SimError> {
        let verilator = std::env::var_os("VERILATOR").unwrap_or_else(|| "verilator".into());
        let ask = |args: &[&str]| {
            first_line(Command::new(&verilator).args(args)).ok_or_else(|| SimError::Missing {
                program: verilator.to_string_lossy().into_owned(),
                package: "verilator".into(),
            })
        };
        let verilator_version = ask(&["--version"])?;
        let root = ask(&["--getenv", "VERILATOR_ROOT"])?;
        // Outside a build script `cc` has to be told what Cargo tells there.
        let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
        let missing =
            || SimError::Missing { program: "a C++ compiler".into(), package: "g++".into() };
        let tool = cc::Build::new()
            .cpp(true)
            .cargo_metadata(false)
            .cargo_warnings(false)
            .no_default_flags(true)
            .opt_level(2)
            .target(&triple)
            .host(&triple)
            .try_get_compiler()
            .map_err(|_| missing())?;
        let compiler_version =
            first_line(Command::new(tool.path()).args(tool.args()).arg("--version"))
                .ok_or_else(missing)?;
        Ok(Tools {
            verilator,
            verilator_version,
            include: PathBuf::from(root).join("include"),
            compiler: tool.path().to_path_buf(),
            compiler_args: tool.args().to_vec(),
            compiler_version,
            clang: tool.is_like_clang(),
            cpu: cpu(),
        })
    }

    /// A call of the compiler.
    pub fn compile(&self) -> Command {
        let mut command = Command::new(&self.compiler);
        command.args(&self.compiler_args);
        command
    }
}

fn first_line(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|o| o.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout);
    Some(text.lines().next().unwrap_or_default().trim().to_string())
}

/// What `-march=native` depends on.
fn cpu() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    text.lines()
        .take_while(|l| !l.is_empty())
        .filter(|l| {
            ["vendor_id", "cpu family", "model", "flags", "Features"]
                .iter()
                .any(|k| l.split(':').next().is_some_and(|name| name.trim() == *k))
        })
        .collect::<Vec<_>>()
        .join("\n")
}
