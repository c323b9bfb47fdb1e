//! The mutations that are known to survive, each with the reason: `survivors.txt` beside this file.
//!
//! A line is `CIRCUIT | SECTION | PLACE | REASON`: the circuit's name, the section of its source, what is done and where; `*`
//! stands for anything. What survives and is not in the list is a failure of the command.

use super::place::Place;
use crate::tools::mutate::Mutation;

/// The list.
#[derive(Clone, Debug, Default)]
pub struct Known {
    entries: Vec<[String; 4]>,
}

/// A line that is no entry.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("survivors, line {line}: `{found}`; CIRCUIT | SECTION | PLACE | REASON is accepted")]
pub struct KnownError {
    /// Its number, from 1.
    pub line: usize,
    /// What it says.
    pub found: String,
}

impl Known {
    /// The list that is kept with the sources.
    pub fn kept() -> Result<Known, KnownError> {
        Known::read(include_str!("survivors.txt"))
    }

    /// Reads a list; lines that begin with `#` say something about it.
    pub fn read(text: &str) -> Result<Known, KnownError> {
        let mut entries = Vec::new();
        for (at, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let fields: Vec<String> =
                line.splitn(4, " | ").map(|field| field.trim().to_string()).collect();
            let entry: Result<[String; 4], _> = fields.try_into();
            match entry {
                Ok(entry) if entry.iter().all(|field| !field.is_empty()) => entries.push(entry),
                _ => return Err(KnownError { line: at + 1, found: line.to_string() }),
            }
        }
        Ok(Known { entries })
    }

    /// Why a mutation survives, if that is known.
    pub fn reason(&self, circuit: &str, mutation: &Mutation, place: &Place) -> Option<&str> {
        let what = format!("{} of {}", mutation.mode, mutation.place);
        let entry = self.entries.iter().find(|[of, section, at, _]| {
            like(of, circuit) && like(section, &place.section) && like(at, &what)
        });
        entry.map(|[.., reason]| reason.as_str())
    }
}

/// Whether a text is what a pattern says.
fn like(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(head) else { return false };
    let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    ends.into_iter().any(|at| like(rest, &text[at..]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a test may
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, text, is) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "", true),
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*c", "abcd", false),
            ("*[3?]", "x[31]", false),
            ("*[3*]", "x[31]", true),
            ("* of count*[4*]", "inv of count_sent[41]", true),
        ] {
            assert_eq!(like(pattern, text), is, "{pattern} {text}");
        }
    }

    #[test]
    fn a_survivor_has_a_reason_or_none() {
        let known =
            Known::read("# why\n\nc_* | section | inv of a[*] | nobody reads it\n").unwrap();
        let mutation = |place: &str| Mutation {
            number: 1,
            mode: "inv".into(),
            place: place.into(),
            source: String::new(),
            part: 0,
        };
        let place = |section: &str| Place { section: section.into(), ..Place::default() };
        let reason = |circuit, at, section| {
            known.reason(circuit, &mutation(at), &place(section)).map(str::to_string)
        };
        assert_eq!(reason("c_1", "a[3]", "section").as_deref(), Some("nobody reads it"));
        assert_eq!(reason("d", "a[3]", "section"), None);
        assert_eq!(reason("c_1", "b[3]", "section"), None);
        assert_eq!(reason("c_1", "a[3]", "other"), None);
        assert_eq!(Known::read("a | b | c").unwrap_err().line, 1);
        Known::kept().unwrap();
    }
}
