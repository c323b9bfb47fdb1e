//! Other people's tools on generated Verilog: lint, a second simulator, synthesis, mutations.
//!
//! Each takes a [`Design`] and works in a folder of its own, which is removed afterwards.

pub mod icarus;
pub mod levels;
pub mod lint;
pub mod mutate;
pub mod netlist;
pub mod recording;
pub mod synth;
pub mod yosys;

use restage_sim_verilator::{Build, SimError};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

/// Files of Verilog, and the module that is meant.
#[derive(Clone, Debug, Default)]
pub struct Design {
    /// The module.
    pub top: String,
    /// Names and texts, as they are given to the tools.
    pub files: Vec<(String, String)>,
}

impl Design {
    /// A design of one file.
    pub fn new(top: &str, verilog: impl Into<String>) -> Self {
        Design { top: top.to_string(), files: Vec::new() }.file(&format!("{top}.v"), verilog)
    }

    /// Adds a file.
    pub fn file(mut self, name: &str, verilog: impl Into<String>) -> Self {
        self.files.push((name.to_string(), verilog.into()));
        self
    }

    /// The same for Verilator.
    pub fn build(&self) -> Build {
        let build = Build::new(self.top.as_str());
        self.files.iter().fold(build, |b, (name, text)| b.source(name.as_str(), text.as_str()))
    }

    /// The same without comments and without a name of its own: what is made of it does not depend on these, so that equal
    /// circuits of several programs are worked on once.
    pub(super) fn neutral(&self) -> Self {
        let name = |name: &str| {
            let word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
            let mut rest = name;
            let mut text = String::new();
            while let Some(at) = rest.find(&self.top) {
                let end = at + self.top.len();
                let inside = rest[..at].ends_with(word) || rest[end..].starts_with(word);
                text += &rest[..at];
                text += if inside { &self.top } else { NEUTRAL };
                rest = &rest[end..];
            }
            text + rest
        };
        let code = |line: &str| name(line.split("//").next().unwrap_or_default().trim_end());
        let lines = |text: &str| text.lines().map(|line| code(line) + "\n").collect();
        let file = |(path, text): &(String, String)| (name(path), lines(text));
        Design { top: NEUTRAL.to_string(), files: self.files.iter().map(file).collect() }
    }

    /// All that it is made of, behind other things, as the name of what is made of it.
    fn pieces<'a>(&'a self, others: impl IntoIterator<Item = &'a str>) -> Vec<&'a [u8]> {
        let files = self.files.iter().flat_map(|(name, text)| [name.as_str(), text.as_str()]);
        let all = others.into_iter().chain([self.top.as_str()]).chain(files);
        all.map(str::as_bytes).collect()
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|f| f.0.as_str())
    }
}

/// The name of what has none of its own.
const NEUTRAL: &str = "restage_unnamed";

/// Why a tool has no good word for a design.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// It is not there.
    #[error("`{0}` is not installed: `apt install {0}`, or `make setup`")]
    Missing(&'static str),
    /// It refuses the design.
    #[error("{tool} of `{top}`:\n{text}")]
    Refused {
        /// Which, or which of its checks.
        tool: &'static str,
        /// The module.
        top: String,
        /// What it said.
        text: String,
    },
    /// What it wrote is not understood.
    #[error("{tool} of `{top}` wrote what is not understood: {what}")]
    Output {
        /// Which.
        tool: &'static str,
        /// The module.
        top: String,
        /// What is wrong.
        what: String,
    },
    /// Its files cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A model cannot be made or run.
    #[error(transparent)]
    Sim(#[from] SimError),
}

impl ToolError {
    fn io(path: &Path) -> impl FnOnce(std::io::Error) -> ToolError {
        let path = path.to_path_buf();
        move |source| ToolError::Io { path, source }
    }
}

/// A folder with a design's files in it.
struct Scratch(PathBuf);

static COUNTER: AtomicU64 = AtomicU64::new(0);

impl Scratch {
    fn new(design: &Design) -> Result<Self, ToolError> {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("restage-{}-{number}", std::process::id());
        let scratch = Scratch(std::env::temp_dir().join(name));
        std::fs::create_dir_all(&scratch.0).map_err(ToolError::io(&scratch.0))?;
        for (name, text) in &design.files {
            scratch.write(name, text)?;
        }
        Ok(scratch)
    }

    fn write(&self, name: &str, text: &str) -> Result<(), ToolError> {
        let path = self.0.join(name);
        std::fs::write(&path, text).map_err(ToolError::io(&path))
    }

    fn read(&self, name: &str) -> Result<String, ToolError> {
        let path = self.0.join(name);
        std::fs::read_to_string(&path).map_err(ToolError::io(&path))
    }

    /// Runs a tool here. What it said is the error if it fails.
    fn run<'a>(
        &self,
        design: &Design,
        tool: &'static str,
        package: &'static str,
        args: impl IntoIterator<Item = &'a str>,
    ) -> Result<String, ToolError> {
        let output = Command::new(tool).args(args).current_dir(&self.0).output();
        let output = output.map_err(|_| ToolError::Missing(package))?;
        let text: String = [output.stderr, output.stdout]
            .iter()
            .map(|t| String::from_utf8_lossy(t).into_owned())
            .collect();
        if output.status.success() {
            return Ok(text);
        }
        let text = text.chars().take(20_000).collect();
        Err(ToolError::Refused { tool, top: design.top.clone(), text })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_circuits_are_the_same_without_their_names() {
        let text = |name: &str, of: &str, body: &str| {
            format!("// {of}\nmodule {name}(\n  input a_{name} // {of}\n);{body}\nendmodule\n")
        };
        let design = |name: &str, of, body| {
            let design = Design::new(name, text(name, of, body));
            design.file("other.v", format!("module other(input {name}_i); endmodule"))
        };
        let (a, b) =
            (design("a", "table one", "").neutral(), design("b", "table two", "").neutral());
        assert_eq!((a.top.as_str(), a.files[0].0.as_str()), (NEUTRAL, "restage_unnamed.v"));
        assert!(a.files[0].1.contains("module restage_unnamed(\n  input a_a\n);"));
        assert_eq!(a.files[1].1, "module other(input a_i); endmodule\n");
        assert_ne!(a.files, b.files, "ports have names of their own");
        let (a, b) = ("module a(input x); // A\nendmodule", "module bb(input x);\nendmodule");
        assert_eq!(Design::new("a", a).neutral().files, Design::new("bb", b).neutral().files);
        let c = "module bb(input y);\nendmodule";
        assert_ne!(Design::new("bb", b).neutral().files, Design::new("bb", c).neutral().files);
    }
}
