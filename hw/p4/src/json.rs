//! A value of the input together with its path, so that every fault can name its place.

use crate::error::{Fault, Result};
use restage_program::Loc;
use serde_json::Value;
use std::collections::HashSet;
use std::rc::Rc;

/// A value and where it stands.
#[derive(Clone)]
pub(crate) struct Node<'a> {
    value: &'a Value,
    path: Option<Rc<Step>>,
    source: Option<&'a Value>,
}

enum Key {
    Name(String),
    Index(usize),
}

struct Step {
    parent: Option<Rc<Step>>,
    key: Key,
}

impl<'a> Node<'a> {
    /// The whole input.
    pub fn root(value: &'a Value) -> Self {
        Node { value, path: None, source: value.get("source_info") }
    }

    fn child(&self, key: Key, value: &'a Value) -> Node<'a> {
        let path = Some(Rc::new(Step { parent: self.path.clone(), key }));
        Node { value, path, source: value.get("source_info").or(self.source) }
    }

    /// The path, as a person writes it.
    pub fn place(&self) -> String {
        let mut steps = Vec::new();
        let mut at = self.path.as_ref();
        while let Some(step) = at {
            steps.push(step);
            at = step.parent.as_ref();
        }
        let mut out = String::new();
        for step in steps.into_iter().rev() {
            match &step.key {
                Key::Name(name) if out.is_empty() => out.push_str(name),
                Key::Name(name) => {
                    out.push('.');
                    out.push_str(name);
                }
                Key::Index(index) => out.push_str(&format!("[{index}]")),
            }
        }
        if out.is_empty() { "the file".into() } else { out }
    }

    /// Where in the P4 program this comes from.
    pub fn loc(&self) -> Loc {
        let Some(source) = self.source else { return Loc::default() };
        let number =
            |key| source.get(key).and_then(Value::as_u64).unwrap_or(0).min(u32::MAX.into());
        match source.get("filename").and_then(Value::as_str) {
            // BMv2's columns count from 0.
            Some(file) if !file.is_empty() => {
                Loc::at(file, number("line") as u32, (number("column") as u32).saturating_add(1))
            }
            _ => Loc::default(),
        }
    }

    /// A fault at this place.
    pub fn fault(&self, found: impl Into<String>, accepts: impl Into<String>) -> Box<Fault> {
        Box::new(Fault {
            place: self.place(),
            found: found.into(),
            accepts: accepts.into(),
            source_loc: self.loc(),
        })
    }

    /// A fault that says what the value is, where something else was wanted.
    pub fn wrong(&self, accepts: impl Into<String>) -> Box<Fault> {
        self.fault(format!("found {}", self.describe()), accepts)
    }

    /// What the value is, in a few words.
    pub fn describe(&self) -> String {
        match self.value {
            Value::Null => "null".into(),
            Value::Bool(b) => b.to_string(),
            Value::Number(n) => format!("the number {n}"),
            Value::String(s) => format!("the string `{}`", short(s)),
            Value::Array(a) => format!("a list of {}", a.len()),
            Value::Object(_) => "an object".into(),
        }
    }

    /// All strings in lists of two, where references to fields stand.
    pub fn strings(&self) -> HashSet<&'a str> {
        let mut out = HashSet::new();
        let mut todo = vec![self.value];
        while let Some(value) = todo.pop() {
            match value {
                Value::Array(items) => {
                    if let [Value::String(_), Value::String(field)] = items.as_slice() {
                        out.insert(field.as_str());
                    }
                    todo.extend(items);
                }
                Value::Object(map) => todo.extend(map.values()),
                _ => {}
            }
        }
        out
    }

    /// Calls `f` with the name and the parameters of everything here that has both.
    pub fn calls(&self, f: &mut impl FnMut(&str, &[Node<'a>])) {
        let mut todo = vec![self.clone()];
        while let Some(node) = todo.pop() {
            if let (Ok(op), Ok(params)) = (node.name("op"), node.list("parameters")) {
                f(op, &params);
            }
            match node.value {
                Value::Array(_) => todo.extend(node.items().unwrap_or_default()),
                Value::Object(_) => {
                    todo.extend(node.members().unwrap_or_default().into_iter().map(|(_, n)| n));
                }
                _ => {}
            }
        }
    }

    /// Whether it is a number.
    pub fn is_number(&self) -> bool {
        self.value.is_number()
    }

    /// The value of a key that must be there. It may be null.
    pub fn get(&self, key: &str) -> Result<Node<'a>> {
        let Value::Object(map) = self.value else {
            return Err(self.wrong(format!("an object with the key `{key}`")));
        };
        match map.get(key) {
            Some(value) => Ok(self.child(Key::Name(key.into()), value)),
            None => Err(self
                .fault(format!("there is no `{key}`"), format!("an object with the key `{key}`"))),
        }
    }

    /// The value of a key, unless it is missing or null.
    pub fn opt(&self, key: &str) -> Option<Node<'a>> {
        let value = self.value.as_object()?.get(key)?;
        (!value.is_null()).then(|| self.child(Key::Name(key.into()), value))
    }

    /// The elements of the list at a key; none when it is missing or null, as in older formats.
    pub fn list(&self, key: &str) -> Result<Vec<Node<'a>>> {
        self.opt(key).map_or(Ok(Vec::new()), |n| n.items())
    }

    /// The elements of a list.
    pub fn items(&self) -> Result<Vec<Node<'a>>> {
        match self.value {
            Value::Array(items) => Ok(items
                .iter()
                .enumerate()
                .map(|(i, value)| self.child(Key::Index(i), value))
                .collect()),
            _ => Err(self.wrong("a list")),
        }
    }

    /// The members of an object.
    pub fn members(&self) -> Result<Vec<(&'a str, Node<'a>)>> {
        match self.value {
            Value::Object(map) => Ok(map
                .iter()
                .map(|(key, value)| (key.as_str(), self.child(Key::Name(key.clone()), value)))
                .collect()),
            _ => Err(self.wrong("an object")),
        }
    }

    /// The elements of a list of known length.
    pub fn tuple<const N: usize>(&self) -> Result<[Node<'a>; N]> {
        self.items()?.try_into().map_err(|_| self.wrong(format!("a list of {N}")))
    }

    /// A text.
    pub fn text(&self) -> Result<&'a str> {
        self.value.as_str().ok_or_else(|| self.wrong("a string"))
    }

    /// The text at a key.
    pub fn name(&self, key: &str) -> Result<&'a str> {
        self.get(key)?.text()
    }

    /// A number from 0 to 2^32 - 1.
    pub fn number(&self) -> Result<u32> {
        let number = self.value.as_u64().and_then(|n| u32::try_from(n).ok());
        number.ok_or_else(|| self.wrong("a number from 0 to 4294967295"))
    }

    /// A truth value; old compilers write 0 and 1.
    pub fn truth(&self) -> Result<bool> {
        let number = self.value.as_u64().filter(|n| *n <= 1).map(|n| n == 1);
        self.value.as_bool().or(number).ok_or_else(|| self.wrong("true or false"))
    }

    /// The truth value at a key; false when it is missing or null.
    pub fn flag(&self, key: &str) -> Result<bool> {
        self.opt(key).map_or(Ok(false), |n| n.truth())
    }
}

/// A text for a message.
pub(crate) fn short(text: &str) -> String {
    let mut out: String = text.chars().take(60).collect();
    if out.len() < text.len() {
        out.push('…');
    }
    out
}
