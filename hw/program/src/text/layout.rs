//! Lines of text: indentation, blocks, columns, long lists.
//!
//! Knows nothing of P4 beyond its braces.

/// Lines longer than this are broken where a list allows it.
const WIDTH: usize = 96;

/// Text in the making.
#[derive(Debug, Default)]
pub(super) struct Layout {
    out: String,
    depth: usize,
}

impl Layout {
    /// A line at the present depth.
    pub fn line(&mut self, text: impl AsRef<str>) {
        let text = text.as_ref();
        if !text.is_empty() {
            self.out.extend(std::iter::repeat_n("    ", self.depth));
            self.out.push_str(text);
        }
        self.out.push('\n');
    }

    /// An empty line, unless there is one already or a block has just begun.
    pub fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") && !self.out.ends_with("{\n") {
            self.out.push('\n');
        }
    }

    /// A line that ends in `{`; what follows is inside.
    pub fn open(&mut self, text: impl AsRef<str>) {
        self.line(format!("{} {{", text.as_ref()));
        self.depth += 1;
    }

    /// A block without a head.
    pub fn open_block(&mut self) {
        self.line("{");
        self.depth += 1;
    }

    /// `} middle {`
    pub fn reopen(&mut self, middle: impl AsRef<str>) {
        self.depth = self.depth.saturating_sub(1);
        self.line(format!("}} {} {{", middle.as_ref()));
        self.depth += 1;
    }

    /// The end of a block.
    pub fn close(&mut self) {
        self.close_with("}");
    }

    /// The end of a block that is not only a brace.
    pub fn close_with(&mut self, text: &str) {
        self.depth = self.depth.saturating_sub(1);
        self.line(text);
    }

    /// `before a, b, c after`, broken between items when it is too long.
    pub fn list(&mut self, before: &str, items: &[String], after: &str) {
        let whole = format!("{before}{}{after}", items.join(", "));
        if whole.len() + 4 * self.depth <= WIDTH || items.len() < 2 {
            self.line(whole);
            return;
        }
        let mut line = before.to_string();
        let mut fresh = true;
        let mut first = true;
        for (i, item) in items.iter().enumerate() {
            let comma = if i + 1 < items.len() { "," } else { after };
            let room = 4 * (self.depth + 1) + line.len() + item.len() + comma.len() + 1;
            if !fresh && room > WIDTH {
                self.line(line.trim_end());
                line = String::new();
                if first {
                    self.depth += 1;
                    first = false;
                }
            }
            line.push_str(item);
            line.push_str(comma);
            line.push(' ');
            fresh = false;
        }
        self.line(line.trim_end());
        if !first {
            self.depth = self.depth.saturating_sub(1);
        }
    }

    /// Rows of cells, every column but the last as wide as its widest cell.
    pub fn columns(&mut self, rows: &[Vec<String>]) {
        let count = rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = rows.iter().filter(|r| r.len() > column + 1).map(|r| r[column].len());
            cells.max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..count).map(width).collect();
        for row in rows {
            let mut line = String::new();
            for (i, cell) in row.iter().enumerate() {
                line.push_str(cell);
                if i + 1 < row.len() && widths[i] > 0 {
                    let pad = (widths[i] + 1).saturating_sub(cell.len());
                    line.extend(std::iter::repeat_n(' ', pad));
                }
            }
            self.line(line.trim_end());
        }
    }

    /// A text to be pasted one level deeper than here.
    pub fn inner(&self) -> Layout {
        Layout { out: String::new(), depth: self.depth + 1 }
    }

    /// Appends such a text.
    pub fn paste(&mut self, inner: Layout) {
        self.out.push_str(&inner.out);
    }

    /// What was written.
    pub fn finish(self) -> String {
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_broken_and_columns_aligned() {
        let mut layout = Layout::default();
        layout.open("x");
        let items: Vec<String> = (0..30).map(|i| format!("item_{i}")).collect();
        layout.list("f({ ", &items, " });");
        layout.columns(&[
            vec!["bit<9>".into(), "a;".into()],
            vec!["bit<16>".into(), "b;".into()],
            vec!["whole line".into()],
        ]);
        layout.close();
        let text = layout.finish();
        assert!(text.lines().all(|l| l.len() <= WIDTH), "{text}");
        assert!(text.contains("    bit<9>  a;\n    bit<16> b;\n    whole line\n}"), "{text}");
        assert_eq!(text.matches("item_").count(), 30);
    }
}
