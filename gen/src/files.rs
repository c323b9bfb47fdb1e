//! The build folder of a program: everything that is made from its description.

use crate::source::Loaded;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Where.
    pub path: PathBuf,
    /// What it is.
    pub what: &'static str,
    /// Its size.
    pub bytes: usize,
}

/// Writes the files of a program into a folder, which is made if need be.
pub fn write(loaded: &Loaded, folder: &Path) -> io::Result<Vec<Made>> {
    fs::create_dir_all(folder)?;
    let name = &loaded.program.name;
    let json = serde_json::to_string_pretty(&*loaded.program).map_err(io::Error::other)?;
    let mut files = vec![
        (format!("{name}.p4"), "the program as P4-16 for v1model", loaded.program.to_string()),
        (format!("{name}.json"), "the program as restage's own JSON", json),
    ];
    if let Some(entries) = loaded.entries {
        files.push(("entries.txt".into(), "example entries", entries.to_string()));
    }
    let mut made = Vec::with_capacity(files.len());
    for (name, what, text) in files {
        let path = folder.join(name);
        fs::write(&path, &text)?;
        made.push(Made { path, what, bytes: text.len() });
    }
    Ok(made)
}
