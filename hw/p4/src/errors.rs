//! Which metadata holds errors.
//!
//! The format knows no types: an error is a number of 32 bits. Metadata that errors are copied to and
//! from, and to which nothing but errors and their codes is ever written, is of type `error`.

use crate::expr::Int;
use crate::json::Node;
use std::collections::{HashMap, HashSet};

/// A field: instance and name.
pub(crate) type FieldName = (String, String);

/// What is written to a field.
enum Source {
    Field(FieldName),
    Code(u32),
    Other,
}

/// The fields that hold errors; `codes` are the integers that stand for errors.
pub(crate) fn fields(root: &Node, codes: &[u32]) -> HashSet<FieldName> {
    let start = ("standard_metadata".to_string(), "parser_error".to_string());
    let mut writes: HashMap<FieldName, Vec<Source>> = HashMap::new();
    root.calls(&mut |op, params| {
        let copies = matches!(op, "assign" | "set" | "modify_field");
        match (op, params) {
            (_, [dst, src]) if copies => {
                if let Some(dst) = field(dst) {
                    writes.entry(dst).or_default().push(source(src));
                }
            }
            // Whole structures are copied as if they were headers.
            ("assign_header", [dst, src]) => {
                if let (Some(dst), Some(src)) = (header(dst), header(src)) {
                    let from = Source::Field((src, start.1.clone()));
                    writes.entry((dst, start.1.clone())).or_default().push(from);
                }
            }
            _ => {
                for param in params {
                    if let Some(dst) = field(param) {
                        writes.entry(dst).or_default().push(Source::Other);
                    }
                }
            }
        }
    });
    let mut found = linked(&start, &writes);
    loop {
        let sound = |f: &FieldName| {
            *f == start
                || writes.get(f).into_iter().flatten().all(|s| match s {
                    Source::Field(from) => found.contains(from),
                    Source::Code(code) => codes.contains(code),
                    Source::Other => false,
                })
        };
        let kept: HashSet<FieldName> = found.iter().filter(|f| sound(f)).cloned().collect();
        if kept.len() == found.len() {
            return found;
        }
        found = kept;
    }
}

/// The fields that values go to or come from, over any number of copies.
fn linked(start: &FieldName, writes: &HashMap<FieldName, Vec<Source>>) -> HashSet<FieldName> {
    let mut links: HashMap<&FieldName, Vec<&FieldName>> = HashMap::new();
    for (dst, sources) in writes {
        for source in sources {
            if let Source::Field(src) = source {
                links.entry(dst).or_default().push(src);
                links.entry(src).or_default().push(dst);
            }
        }
    }
    let mut found = HashSet::from([start.clone()]);
    let mut todo = vec![start];
    while let Some(field) = todo.pop() {
        for other in links.get(field).into_iter().flatten() {
            if found.insert((*other).clone()) {
                todo.push(other);
            }
        }
    }
    found
}

fn field(node: &Node) -> Option<FieldName> {
    if node.name("type").ok()? != "field" {
        return None;
    }
    let [of, name] = node.get("value").ok()?.tuple().ok()?;
    Some((of.text().ok()?.to_string(), name.text().ok()?.to_string()))
}

fn header(node: &Node) -> Option<String> {
    if node.name("type").ok()? != "header" {
        return None;
    }
    Some(node.name("value").ok()?.to_string())
}

fn source(node: &Node) -> Source {
    if let Some(field) = field(node) {
        return Source::Field(field);
    }
    let code = || {
        (node.name("type").ok()? == "hexstr").then_some(())?;
        Int::parse(node.name("value").ok()?)?.to_u32()
    };
    code().map_or(Source::Other, Source::Code)
}
