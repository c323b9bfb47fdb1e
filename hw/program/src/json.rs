//! A program as JSON text.
//!
//! [`Program::from_json`] reads exactly what [`Program::to_json`] writes, of this version, and says of
//! anything else where it differs. What it gives back is not checked yet. Text is trusted with nothing:
//! nesting is bounded, so that reading needs a bounded stack.

use crate::program::{FORMAT, Program};
use serde::Deserialize;
use serde_json::Value;

/// How deep brackets may be nested: enough for statements and expressions as deep as the checker
/// accepts them (seven brackets for a case of a switch, seven for the index of a stack).
pub const MAX_NESTING: usize = 16 * crate::check::MAX_DEPTH as usize;

/// Why a text is not a program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// It is not JSON.
    #[error("line {line}, column {column}: {message}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What the reader says.
        message: String,
    },
    /// It is nested too deep.
    #[error("line {line}: brackets are nested more than {MAX_NESTING} deep")]
    TooDeep {
        /// Line, from 1.
        line: usize,
    },
    /// It is of another version.
    #[error("`format` is {found}; this version reads format {FORMAT}")]
    Format {
        /// The format found, as JSON.
        found: String,
    },
    /// It says no format.
    #[error("there is no `format`; a program is an object with `\"format\": {FORMAT}` in it")]
    NoFormat,
    /// Something in it is not what belongs there.
    #[error("{path} (line {line}, column {column}): {message}")]
    Content {
        /// The place: `tables[0].keys[1].kind`.
        path: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What was found and what is accepted.
        message: String,
    },
    /// Fields that a program does not have.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Unknown(Vec<UnknownField>),
}

/// A field that a program does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: there is no field `{name}` here; there are {}", .known.join(", "))]
pub struct UnknownField {
    /// The object in which it is.
    pub path: String,
    /// Its name.
    pub name: String,
    /// The fields that the object has.
    pub known: Vec<String>,
}

impl Program {
    /// Reads a program, unchecked.
    pub fn from_json(text: &str) -> Result<Program, JsonError> {
        bounded(text)?;
        // First as mere JSON: a text of another format is told so, whatever else is in it.
        let value: Value = read(text)?;
        match value.get("format") {
            None => return Err(JsonError::NoFormat),
            Some(format) if *format != FORMAT => {
                return Err(JsonError::Format {
                    found: format.to_string().chars().take(40).collect(),
                });
            }
            Some(_) => {}
        }
        let program: Program = read(text)?;
        // Declarations with a name and id flattened into them cannot refuse unknown fields themselves.
        // What was read is written again, and every field must come back.
        let mut unknown = Vec::new();
        if let Ok(written) = serde_json::to_value(&program) {
            compare("", &value, &written, &mut unknown);
        }
        if unknown.is_empty() { Ok(program) } else { Err(JsonError::Unknown(unknown)) }
    }

    /// Writes the program, with one declaration field on a line.
    pub fn to_json(&self) -> String {
        // Neither a map with keys that are no strings nor anything else that JSON lacks is in a program.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

fn read<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, JsonError> {
    let mut reader = serde_json::Deserializer::from_str(text);
    reader.disable_recursion_limit();
    let result = serde_path_to_error::deserialize(&mut reader).map_err(|e| {
        let path = Some(e.path().to_string()).filter(|p| p != ".");
        let path = path.unwrap_or_else(|| "the program".into());
        let e = e.into_inner();
        let (line, column) = (e.line(), e.column());
        let message = plain(&e);
        match e.classify() {
            serde_json::error::Category::Data => JsonError::Content { path, line, column, message },
            _ => JsonError::Syntax { line, column, message },
        }
    })?;
    reader.end().map_err(|e| JsonError::Syntax {
        line: e.line(),
        column: e.column(),
        message: plain(&e),
    })?;
    Ok(result)
}

/// The message without the place, which is told apart.
fn plain(e: &serde_json::Error) -> String {
    let text = e.to_string();
    let text = text.rfind(" at line ").map_or(text.as_str(), |end| &text[..end]);
    // Rust's names of number types say little to who writes JSON.
    text.replace("expected u32", "expected a whole number below 2^32")
        .replace("expected u64", "expected a whole number below 2^64")
}

/// Refuses nesting that would need more stack than anyone has.
fn bounded(text: &str) -> Result<(), JsonError> {
    let (mut depth, mut line, mut string, mut escape) = (0usize, 1, false, false);
    for byte in text.bytes() {
        line += usize::from(byte == b'\n');
        match byte {
            _ if escape => escape = false,
            b'\\' if string => escape = true,
            b'"' => string = !string,
            b'[' | b'{' if !string => depth += 1,
            b']' | b'}' if !string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_NESTING {
            return Err(JsonError::TooDeep { line });
        }
    }
    Ok(())
}

/// Collects the fields of `read` that were not `written` again. Fields with nothing in them may be left
/// out in writing.
fn compare(path: &str, read: &Value, written: &Value, unknown: &mut Vec<UnknownField>) {
    match (read, written) {
        (Value::Object(read), Value::Object(written)) => {
            for (name, value) in read {
                match written.get(name) {
                    Some(written) => {
                        let dot = if path.is_empty() { "" } else { "." };
                        compare(&format!("{path}{dot}{name}"), value, written, unknown);
                    }
                    None if value.as_array().is_some_and(Vec::is_empty) => {}
                    None => unknown.push(UnknownField {
                        path: if path.is_empty() { "the program".into() } else { path.into() },
                        name: name.chars().take(40).collect(),
                        known: written.keys().cloned().collect(),
                    }),
                }
            }
        }
        (Value::Array(read), Value::Array(written)) => {
            for (i, (read, written)) in read.iter().zip(written).enumerate() {
                compare(&format!("{path}[{i}]"), read, written, unknown);
            }
        }
        _ => {}
    }
}
