//! Running p4c.

use super::Failure;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A p4c for BMv2 and a folder for its files.
#[derive(Clone, Debug)]
pub struct P4c {
    path: PathBuf,
    folder: PathBuf,
}

/// What p4c made.
#[derive(Clone, Debug)]
pub struct Made {
    /// The BMv2 configuration.
    pub json: String,
    /// The P4Info as text.
    pub p4info: String,
}

impl P4c {
    /// Uses the p4c at `path`, with files in `folder`, if it answers.
    pub fn new(path: &Path, folder: &Path) -> std::io::Result<Self> {
        let answer = Command::new(path).arg("--version").output()?;
        if !answer.status.success() {
            return Err(std::io::Error::other(format!("{} does not run", path.display())));
        }
        std::fs::create_dir_all(folder)?;
        Ok(P4c { path: path.into(), folder: folder.into() })
    }

    /// Compiles a text. With `externs` it may use some that BMv2 does not have.
    pub fn compile(&self, name: &str, text: &str, externs: bool) -> Result<Made, Failure> {
        let clean = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let base = self.folder.join(name.chars().map(clean).collect::<String>());
        let (source, json) = (base.with_extension("p4"), base.with_extension("json"));
        let p4info = base.with_extension("txtpb");
        std::fs::write(&source, text)?;
        let mut command = Command::new(&self.path);
        command.args(["--std", "p4-16", "--Wdisable"]);
        if externs {
            // The P4Info of an extern that p4c does not know would be refused.
            command.arg("--emit-externs");
        } else {
            command.arg("--p4runtime-files").arg(&p4info);
        }
        let output = command.arg("-o").arg(&json).arg(&source).output()?;
        if !output.status.success() {
            return Err(Failure::Refused(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        let p4info = if externs { String::new() } else { std::fs::read_to_string(&p4info)? };
        Ok(Made { json: std::fs::read_to_string(&json)?, p4info })
    }
}
