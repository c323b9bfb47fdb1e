//! Violations as `miette` diagnostics, and as text that shows the lines of the description.
//!
//! The crate reads no files: whoever wants source lines gives a function from a path to its text.

use super::{Violation, Violations};
use crate::loc::Site;
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode,
};
use std::collections::HashMap;
use std::fmt;

impl Diagnostic for Violation {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(match self.path.as_str() {
            "" => Box::new(self.rule),
            path => Box::new(format!("{} at {path}", self.rule)),
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.accepts))
    }
}

impl Diagnostic for Violations {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.0.iter().map(|v| v as &dyn Diagnostic)))
    }
}

/// A violation with the text of the file in which it is.
#[derive(Debug)]
struct Sited<'v> {
    violation: &'v Violation,
    source: Option<NamedSource<String>>,
    labels: Vec<LabeledSpan>,
    help: String,
}

impl fmt::Display for Sited<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.violation.fmt(f)
    }
}

impl std::error::Error for Sited<'_> {}

impl Diagnostic for Sited<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.violation.code()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|s| s as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

impl Violations {
    /// All violations as text without colours. `read` gives the text of a source file by the path that
    /// the compiler or the input named it; where it gives none, places are told by path and line.
    pub fn report(&self, read: impl Fn(&str) -> Option<String>) -> String {
        report(&self.0, GraphicalTheme::unicode_nocolor(), read)
    }

    /// As [`report`](Self::report), with colours for a terminal.
    pub fn report_coloured(&self, read: impl Fn(&str) -> Option<String>) -> String {
        report(&self.0, GraphicalTheme::unicode(), read)
    }
}

impl Violation {
    /// This one as text without colours; see [`Violations::report`].
    pub fn report(&self, read: impl Fn(&str) -> Option<String>) -> String {
        report(std::slice::from_ref(self), GraphicalTheme::unicode_nocolor(), read)
    }
}

fn report(
    violations: &[Violation],
    theme: GraphicalTheme,
    read: impl Fn(&str) -> Option<String>,
) -> String {
    let handler = GraphicalReportHandler::new_themed(theme).with_width(100).with_links(false);
    let mut files: HashMap<&str, Option<String>> = HashMap::new();
    let mut out = String::new();
    for violation in violations {
        let text = |site: &Site| -> Option<String> { read(&site.file) };
        let source = violation
            .loc
            .site()
            .and_then(|s| files.entry(&s.file).or_insert_with(|| text(s)).clone());
        let sited = site(violation, source);
        if !out.is_empty() {
            out.push('\n');
        }
        // Writing to a string cannot fail.
        let _ = handler.render_report(&mut out, &sited);
    }
    out
}

/// Labels what is in the violation's own file, and tells the rest in words.
fn site(violation: &Violation, source: Option<String>) -> Sited<'_> {
    let mut labels = Vec::new();
    let mut help = violation.accepts.clone();
    let file = violation.loc.site().map(|s| &s.file);
    let place = |site: &Site, path: &str| match (&source, file == Some(&site.file)) {
        (Some(text), true) => span(text, site),
        _ => Err(format!("{path} ({}:{}:{})", site.file, site.line, site.column)),
    };
    let here = violation.loc.site().map(|s| place(s, &violation.path));
    match here {
        Some(Ok((at, len))) => {
            labels.push(LabeledSpan::new_primary_with_span(Some("here".into()), (at, len)));
        }
        Some(Err(words)) => help = format!("{help}\nplace: {words}"),
        None => {}
    }
    for other in &violation.related {
        match other.loc.site().map(|s| place(s, &other.path)) {
            Some(Ok((at, len))) => {
                labels.push(LabeledSpan::new_with_span(Some(other.what.clone()), (at, len)));
            }
            Some(Err(words)) => help = format!("{help}\n{}: {words}", other.what),
            None => help = format!("{help}\n{}: {}", other.what, other.path),
        }
    }
    let name = file.map(|f| f.to_string()).unwrap_or_default();
    Sited { violation, source: source.map(|text| NamedSource::new(name, text)), labels, help }
}

/// Offset and length of what stands in a line from a column on, without the space behind it. A text
/// that has no such line is not the one that was compiled, so it is not shown.
fn span(text: &str, site: &Site) -> Result<(usize, usize), String> {
    let mut start = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if number + 1 == site.line as usize {
            let column = line
                .char_indices()
                .nth((site.column as usize).saturating_sub(1))
                .map_or(0, |(offset, _)| offset);
            return Ok((start + column, line[column..].trim_end().len().max(1)));
        }
        start += line.len();
    }
    Err(format!("{}:{}:{}", site.file, site.line, site.column))
}
