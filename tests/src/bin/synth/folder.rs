//! A folder of Verilog, and the modules in it.

use super::task::{LEVELS, Task, check_wanted};
use anyhow::{Context, Result, bail};
use restage_tests::tools::Design;
use restage_tests::tools::synth::Luts;
use std::path::Path;

/// What is in a folder: every module that no other uses, or those that are wanted.
pub fn tasks(dir: &Path, wanted: &[String]) -> Result<Vec<Task>> {
    let files = read(dir)?;
    let tops = tops(&files, wanted)?;
    let task = |top| Task {
        design: Design { top, files: files.clone() },
        luts: Luts::Wide,
        levels: LEVELS,
        estimate: None,
    };
    Ok(tops.into_iter().map(task).collect())
}

fn read(dir: &Path) -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).with_context(|| dir.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "v")
            && let Some(name) = path.file_name().and_then(|n| n.to_str())
        {
            let text =
                std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            files.push((name.to_string(), text));
        }
    }
    files.sort();
    if files.is_empty() {
        bail!("{} has no file that ends with .v", dir.display());
    }
    Ok(files)
}

/// The modules of files that are to be synthesized.
fn tops(files: &[(String, String)], wanted: &[String]) -> Result<Vec<String>> {
    let word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let code: Vec<&str> = files
        .iter()
        .flat_map(|f| f.1.lines())
        .map(|line| line.split("//").next().unwrap_or_default())
        .flat_map(|line| line.split(|c: char| !word(c)))
        .filter(|w| !w.is_empty())
        .collect();
    let named = code.windows(2).filter(|w| w[0] == "module").map(|w| w[1].to_string());
    let modules: Vec<String> = named.collect();
    check_wanted(wanted, &modules)?;
    if !wanted.is_empty() {
        return Ok(wanted.to_vec());
    }
    // Used is what is named anywhere but behind `module`.
    let used = |module: &String| code.windows(2).any(|w| w[1] == module && w[0] != "module");
    Ok(modules.into_iter().filter(|m| !used(m)).collect())
}
