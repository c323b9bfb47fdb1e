//! Other Verilog in the place of what a test asks for, to see whether the test notices.
//!
//! With `RESTAGE_INSTEAD=FOLDER` every build looks for a folder of its name in there, which is the module's name and a hash of
//! all that it depends on. If `instead.v` is in it that is built, and `RESTAGE_INSTEAD_INPUT=NAME=VALUE` is what its models have
//! at an input that nobody else sees. If there is no such folder it is made, with the sources in it.
//!
//! Not here: making that Verilog. Without the variable nothing of this happens.

use crate::error::SimError;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

/// Where other Verilog is.
const FOLDER: &str = "RESTAGE_INSTEAD";
/// What its further input has.
const INPUT: &str = "RESTAGE_INSTEAD_INPUT";
/// The file in the folder of a build.
const FILE: &str = "instead.v";

/// Verilog that is to be built, and what one of its inputs always has.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Instead {
    pub text: String,
    pub input: Option<(String, u64)>,
}

/// What is to be built in place of these sources.
pub(crate) fn instead(
    name: &str,
    sources: &[(String, String)],
) -> Result<Option<Instead>, SimError> {
    let Some(folder) = std::env::var_os(FOLDER) else { return Ok(None) };
    let folder = PathBuf::from(folder).join(name);
    let path = folder.join(FILE);
    match fs::read_to_string(&path) {
        Ok(text) => {
            let input = std::env::var(INPUT).ok().as_deref().and_then(input);
            return Ok(Some(Instead { text, input }));
        }
        Err(e) if e.kind() == ErrorKind::NotFound => {}
        Err(e) => return Err(SimError::io(&path)(e)),
    }
    if !folder.is_dir() {
        fs::create_dir_all(&folder).map_err(SimError::io(&folder))?;
        for (name, text) in sources {
            let path = folder.join(name);
            fs::write(&path, text).map_err(SimError::io(&path))?;
        }
    }
    Ok(None)
}

/// `NAME=VALUE`.
fn input(text: &str) -> Option<(String, u64)> {
    let (name, value) = text.split_once('=')?;
    Some((name.to_string(), value.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_names_and_values() {
        assert_eq!(input("a=12"), Some(("a".into(), 12)));
        assert_eq!((input("a"), input("a=b")), (None, None));
    }
}
