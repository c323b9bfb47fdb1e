//! Where in a circuit's Verilog a mutation is, in words.

use crate::tools::Design;
use crate::tools::mutate::Mutation;

/// The section of the source, as the comment above it says, and the line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// What the circuit's builder called it.
    pub section: String,
    /// `FILE:LINE`.
    pub at: String,
    /// What stands there.
    pub text: String,
}

impl Place {
    /// Of the last of a mutation's lines that is there: the others are declarations, or where an instance is.
    pub fn of(design: &Design, mutation: &Mutation) -> Place {
        let lines = mutation.source.split_whitespace().rev();
        lines.filter_map(|source| Place::find(design, source)).next().unwrap_or_default()
    }

    /// `FILE:LINE.COLUMN-LINE.COLUMN`.
    fn find(design: &Design, source: &str) -> Option<Place> {
        let (name, rest) = source.rsplit_once(':')?;
        let number: usize = rest.split('.').next()?.parse().ok()?;
        let (_, text) = design.files.iter().find(|(file, _)| file == name)?;
        let lines: Vec<&str> = text.lines().take(number).collect();
        let line = lines.get(number.checked_sub(1)?)?;
        let comment = lines.iter().rev().find_map(|l| l.trim().strip_prefix("// "));
        Some(Place {
            section: comment.unwrap_or_default().to_string(),
            at: format!("{name}:{number}"),
            text: line.trim().to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_that_is_there_counts() {
        let design =
            Design::new("m", "module m;\n    // head\n    wire a;\n    // body\n    b = a;\n");
        let of = |source: &str| {
            let (mode, place) = (String::new(), String::new());
            let source = source.to_string();
            Place::of(&design, &Mutation { number: 1, mode, place, source, part: 0 })
        };
        let place = |section: &str, line, text: &str| Place {
            section: section.into(),
            at: format!("m.v:{line}"),
            text: text.into(),
        };
        assert_eq!(of("m.v:3.1-3.2 m.v:5.1-5.3"), place("body", 5, "b = a;"));
        assert_eq!(of("m.v:3.1-3.2 m.v:0.0-0.0"), place("head", 3, "wire a;"));
        assert_eq!(of("n.v:3.1-3.2"), Place::default());
    }
}
