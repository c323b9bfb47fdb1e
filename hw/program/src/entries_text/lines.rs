//! Lines into words.

use std::ops::Range;

/// A word and where it stands in the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<'t> {
    pub text: &'t str,
    start: usize,
}

impl Word<'_> {
    pub fn at(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }
}

/// Words that a line may have; what is behind them is not read.
pub(super) const MAX_WORDS: usize = 4096;

/// A line with its words; never without any. One word more than [`MAX_WORDS`] says that there are more.
#[derive(Debug)]
pub(super) struct Line<'t> {
    /// Number from 1, and the byte at which the line starts.
    pub place: (u32, usize),
    pub words: Vec<Word<'t>>,
}

impl<'t> Line<'t> {
    /// Where something missing would stand.
    pub fn end(&self) -> Range<usize> {
        let end = self.words.last().map_or(self.place.1, |w| w.at().end);
        end..end
    }
}

/// The lines that say something. `#` at the start of a word starts a comment; `[` in front of a word
/// and `]` behind it are words of their own.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut start = 0;
    (1..).zip(text.split_inclusive('\n')).filter_map(move |(number, line)| {
        let place = (number, start);
        start += line.len();
        let words = words(line, place.1);
        (!words.is_empty()).then_some(Line { place, words })
    })
}

fn words(line: &str, start: usize) -> Vec<Word<'_>> {
    let mut out = Vec::new();
    let mut at = start;
    for piece in line.split_inclusive(char::is_whitespace) {
        let from = at;
        at += piece.len();
        let word = piece.trim_end();
        if word.starts_with('#') {
            break;
        }
        let open = usize::from(word.starts_with('['));
        let close = word.len() - usize::from(word.len() > open && word.ends_with(']'));
        for part in [0..open, open..close, close..word.len()] {
            let start = from + part.start;
            if let Some(text) = word.get(part).filter(|t| !t.is_empty()) {
                out.push(Word { text, start });
            }
        }
        if out.len() > MAX_WORDS {
            break;
        }
    }
    out
}
