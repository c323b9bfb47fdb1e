//! Programs by name or file.
//!
//! A name of the library, a program in restage's own JSON, or the JSON that p4c writes for BMv2 (with its
//! P4Runtime description, if there is one). What a file holds is told from its content.

use restage_program::{Checked, Program, Violations};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Files larger than this are refused; p4c's output for the largest public programs has a few megabytes.
pub const MAX_FILE: u64 = 256 << 20;

/// Why there is no program.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Neither the library nor the file system has it.
    #[error("there is no program `{name}` in the library and no such file; {help}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What would be accepted.
        help: String,
    },
    /// It is P4 source.
    #[error(
        "{0}: this is P4 source; compile it first: p4c-bm2-ss --std p4-16 --p4runtime-files x.p4info.txtpb \
         -o x.json {0}"
    )]
    P4Source(PathBuf),
    /// The file cannot be read.
    #[error("{path}: {why}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
    },
    /// The file is larger than any program.
    #[error("{0}: the file is larger than {MAX_FILE} bytes")]
    TooLarge(PathBuf),
    /// The file is no text.
    #[error("{0}: the file is not UTF-8 text")]
    NotText(PathBuf),
    /// The file is no JSON of either kind.
    #[error("{path}: {what}; a program is restage's own JSON or p4c's BMv2 JSON")]
    NotAProgram {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        what: String,
    },
    /// p4c's JSON cannot be imported.
    #[error("{path}: {what}")]
    Import {
        /// The file.
        path: PathBuf,
        /// Why.
        what: String,
    },
    /// The program is wrong.
    #[error("{origin}: {violations}\n{}", .violations.report(source_text))]
    Wrong {
        /// Where it is from.
        origin: String,
        /// All that is wrong with it.
        violations: Violations,
    },
}

/// A program and where it is from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The program.
    pub program: Checked,
    /// Example entries, when it is one of the library's.
    pub entries: Option<&'static str>,
    /// Where it is from, for people.
    pub origin: String,
}

/// Loads a program; `p4info` belongs to p4c's JSON. Without it, a file of the same name beside the JSON
/// that ends in `.p4info.txtpb` or `.p4info.txt` is used.
pub fn load(what: &str, p4info: Option<&Path>) -> Result<Loaded, SourceError> {
    if let Some(item) = restage_library::get(what) {
        let origin = format!("{what} of the library");
        return checked(item.program(), Some(item.entries), origin);
    }
    let path = Path::new(what);
    if !path.exists() {
        return Err(unknown(what));
    }
    if path.extension().is_some_and(|e| e == "p4") {
        return Err(SourceError::P4Source(path.to_path_buf()));
    }
    let text = read(path)?;
    let wrong = |what: String| SourceError::NotAProgram { path: path.to_path_buf(), what };
    // Both kinds are JSON objects; one key of each tells them apart without reading either twice.
    let kind: Kind = serde_json::from_str(&text).map_err(|e| wrong(e.to_string()))?;
    let program = match kind {
        Kind { format: Some(_), .. } => {
            Program::from_json(&text).map_err(|e| wrong(e.to_string()))?
        }
        Kind { pipelines: Some(_), .. } => {
            let p4info = match p4info.map(Path::to_path_buf).or_else(|| beside(path)) {
                Some(path) => Some(read(&path)?),
                None => None,
            };
            let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or("program");
            restage_p4::import(&text, p4info.as_deref(), stem).map_err(|e| SourceError::Import {
                path: path.to_path_buf(),
                what: e.to_string(),
            })?
        }
        _ => return Err(wrong("it has neither `format` nor `pipelines`".into())),
    };
    checked(program, None, path.display().to_string())
}

#[derive(serde::Deserialize)]
struct Kind {
    #[serde(default)]
    format: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    pipelines: Option<serde::de::IgnoredAny>,
}

fn checked(
    program: Program,
    entries: Option<&'static str>,
    origin: String,
) -> Result<Loaded, SourceError> {
    match program.check() {
        Ok(program) => Ok(Loaded { program, entries, origin }),
        Err(violations) => Err(SourceError::Wrong { origin, violations }),
    }
}

/// The text of a source file that a violation names, to be shown with it.
fn source_text(path: &str) -> Option<String> {
    read(Path::new(path)).ok()
}

fn unknown(what: &str) -> SourceError {
    let all = restage_library::ALL.iter().map(|item| ((), item.name));
    let help = match restage_program::names::find("program", what, all) {
        Err(e) => e.help(),
        Ok(()) => String::new(),
    };
    SourceError::Unknown { name: what.to_string(), help }
}

fn beside(json: &Path) -> Option<PathBuf> {
    ["p4info.txtpb", "p4info.txt"].iter().map(|e| json.with_extension(e)).find(|p| p.is_file())
}

/// Reads a text file of bounded size.
pub fn read(path: &Path) -> Result<String, SourceError> {
    let io = |why| SourceError::Io { path: path.to_path_buf(), why };
    let mut bytes = Vec::new();
    File::open(path).map_err(io)?.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(SourceError::TooLarge(path.to_path_buf()));
    }
    String::from_utf8(bytes).map_err(|_| SourceError::NotText(path.to_path_buf()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn temporary(name: &str, content: &str) -> PathBuf {
        let path =
            std::env::temp_dir().join(format!("restage-source-{}-{name}", std::process::id()));
        std::fs::write(&path, content).unwrap();
        path
    }

    fn error(what: &Path) -> String {
        load(what.to_str().unwrap(), None).unwrap_err().to_string()
    }

    #[test]
    fn the_library_is_known_by_name() {
        let loaded = load("l3_acl", None).unwrap();
        assert_eq!(loaded.program.name, "l3_acl");
        assert!(loaded.entries.is_some());
        let error = load("l3_acll", None).unwrap_err().to_string();
        assert!(error.contains("did you mean `l3_acl`"), "{error}");
    }

    #[test]
    fn our_own_json_is_read_again() {
        let program = load("l3_acl", None).unwrap().program;
        let path = temporary("own.json", &serde_json::to_string(&*program).unwrap());
        assert_eq!(load(path.to_str().unwrap(), None).unwrap().program, program);
    }

    #[test]
    fn other_files_are_refused_with_the_remedy() {
        for (name, content, part) in [
            ("a.p4", "control C() {}", "p4c-bm2-ss"),
            ("b.json", "{}", "neither `format` nor `pipelines`"),
            ("c.json", "garbage", "restage's own JSON or p4c's"),
            ("d.json", "{\"format\": 1}", "missing field"),
            ("e.json", "[[[[", "restage's own JSON or p4c's"),
        ] {
            let error = error(&temporary(name, content));
            assert!(error.contains(part), "{name}: {error}");
        }
        let binary =
            std::env::temp_dir().join(format!("restage-source-{}-bin", std::process::id()));
        std::fs::write(&binary, [0xff, 0xfe, 0]).unwrap();
        assert!(error(&binary).contains("not UTF-8"));
        assert!(error(&std::env::temp_dir()).contains("directory"));
    }
}
