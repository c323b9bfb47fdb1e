//! The build folder of a program: everything that is made from its description.
//!
//! The same program and configuration give the same bytes.

use crate::bus_writes;
use crate::hardware::{Hardware, map, picture};
use crate::source::Loaded;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A file of a build folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Where in the folder.
    pub path: PathBuf,
    /// What it is.
    pub what: String,
    /// Its text.
    pub text: String,
}

/// The files of a program.
pub fn make(loaded: &Loaded, hardware: &Hardware) -> io::Result<Vec<Made>> {
    let name = &loaded.program.name;
    let json = serde_json::to_string_pretty(&*loaded.program).map_err(io::Error::other)?;
    let manifest = serde_json::to_string_pretty(&hardware.manifest).map_err(io::Error::other)?;
    let placement = serde_json::to_string(&hardware.placement).map_err(io::Error::other)?;
    let mut files = Vec::new();
    let mut add = |path: String, what: &str, text: String| {
        files.push(Made { path: path.into(), what: what.to_string(), text });
    };
    add(format!("{name}.p4"), "the program as P4-16 for v1model", loaded.program.to_string());
    add(format!("{name}.json"), "the program as restage's own JSON", json);
    if let Some(entries) = loaded.entries {
        add("entries.txt".into(), "example entries", entries.to_string());
    }
    add("manifest.json".into(), "what a host must know", manifest);
    add("placement.json".into(), "what is where, for gen --after", placement);
    add("boot.txt".into(), "the AXI4-Lite accesses that bring it up", bus_writes::boot(hardware));
    add("registers.md".into(), "register map, to read", map::markdown(hardware, &loaded.program));
    add("registers.h".into(), "register map, for C", map::c_header(hardware, &loaded.program));
    add("pipeline.svg".into(), "the pipeline as a picture", picture::svg(hardware));
    let mut list = String::new();
    let fabric = hardware.fabric.circuits().map(|c| (c, "part of the shell"));
    let variants = hardware.variants.iter().map(|c| (c, "region variant"));
    for (circuit, what) in fabric.chain(variants).chain([(&hardware.top, "the top")]) {
        let path = format!("rtl/{}.v", circuit.name());
        list.push_str(&path);
        list.push('\n');
        add(path, what, circuit.verilog());
    }
    add("filelist.f".into(), "the Verilog files, the top last", list);
    for variant in &hardware.variants {
        let path = format!("stubs/{}.v", variant.name());
        add(path, "the region as a black box", variant.interface().stub());
    }
    Ok(files)
}

/// Writes files into a folder, which is made if need be. Verilog of modules that there are no more is removed.
pub fn write(files: &[Made], folder: &Path) -> io::Result<()> {
    for sub in ["rtl", "stubs"] {
        fs::create_dir_all(folder.join(sub))?;
        for old in fs::read_dir(folder.join(sub))? {
            let path = old?.path();
            let known = files.iter().any(|f| folder.join(&f.path) == path);
            if !known && path.extension().is_some_and(|e| e == "v") {
                fs::remove_file(path)?;
            }
        }
    }
    for file in files {
        fs::write(folder.join(&file.path), &file.text)?;
    }
    Ok(())
}

/// Files that are missing in a folder or not what they should be.
pub fn stale<'a>(files: &'a [Made], folder: &Path) -> Vec<&'a Path> {
    let fresh = |file: &Made| {
        fs::read(folder.join(&file.path)).is_ok_and(|found| found == file.text.as_bytes())
    };
    files.iter().filter(|file| !fresh(file)).map(|file| file.path.as_path()).collect()
}
