//! What the command line says a program is compiled for.

use crate::hardware::{Hardware, Target, build_with, part::Part};
use crate::source;
use anyhow::{Context, bail};
use clap::Args;
use restage_compile::place::{self, Placement};
use restage_manifest::{Manifest, ShellConfig};
use restage_program::Checked;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// For which shell.
#[derive(Args, Debug, Default)]
pub struct Wanted {
    /// Sizes of the shell as JSON: {"window_bytes": 256, "phv_bits": 2048}.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Regions of the shell; without it as many as are used. With it there are two places for parsers and deparsers.
    #[arg(long, value_name = "N")]
    pub regions: Option<u32>,
    /// What a card's regions offer, as the files in parts/.
    #[arg(long, value_name = "FILE")]
    pub part: Option<PathBuf>,
    /// The build folder of what runs: its shell is taken, and what did not change stays where it is.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["config", "regions"])]
    pub after: Option<PathBuf>,
}

impl Wanted {
    /// Compiles a program for it.
    pub fn build(&self, program: &Checked) -> anyhow::Result<Hardware> {
        let like: Option<ShellConfig> = self.config.as_deref().map(json).transpose()?;
        let part: Option<Part> = self.part.as_deref().map(json).transpose()?;
        let old = self.after.as_ref().map(|dir| dir.join("placement.json"));
        let old: Option<Placement> = old.map(|path| versioned(&path, place::FORMAT)).transpose()?;
        let running = self.running()?;
        let target = Target {
            like: like.as_ref(),
            regions: self.regions,
            region: part.map(|part| part.region),
            old: old.as_ref().zip(running.as_ref()),
        };
        build_with(program, &target).with_context(|| format!("{} cannot be hardware", program.name))
    }

    /// What runs, if it was named.
    pub fn running(&self) -> anyhow::Result<Option<Manifest>> {
        let path = self.after.as_ref().map(|dir| dir.join("manifest.json"));
        path.map(|path| versioned(&path, restage_manifest::FORMAT)).transpose()
    }
}

fn json<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = source::read(path)?;
    let short = std::any::type_name::<T>().rsplit("::").next().unwrap_or_default();
    serde_json::from_str(&text).with_context(|| format!("{}: no {short}", path.display()))
}

/// As [`json`], of a file that says its format: that is looked at first, the rest may be of another shape.
fn versioned<T: DeserializeOwned>(path: &Path, accepted: u32) -> anyhow::Result<T> {
    #[derive(Deserialize)]
    struct Version {
        format: u32,
    }
    let Version { format } = json(path)?;
    if format != accepted {
        bail!(
            "{}: format {format} is of another version, {accepted} would be accepted; make that folder again",
            path.display()
        );
    }
    json(path)
}
