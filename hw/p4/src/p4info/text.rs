//! Protobuf's text form, read without a schema.
//!
//! A message is a list of named fields, in order; a field that repeats is there more than once. What a
//! field means is for the caller to say, and fields that it does not ask for do no harm.

use crate::error::{Fault, Result};
use crate::json::short;
use restage_program::Loc;

/// A message.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Message {
    fields: Vec<(String, Value)>,
}

/// The value of a field.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    /// A number, a name of an enum or a truth value, as written.
    Word(String),
    /// A text.
    Text(String),
    /// A message.
    Message(Message),
}

/// Messages within messages; the P4Info schema has about ten.
const MAX_DEPTH: usize = 64;

impl Message {
    /// Reads a whole text.
    pub fn parse(text: &str) -> Result<Message> {
        let mut reader = Reader { rest: text, line: 1 };
        reader.message(None, 0)
    }

    /// The messages of a field.
    pub fn messages<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Message> {
        self.values(name).filter_map(|v| match v {
            Value::Message(m) => Some(m),
            _ => None,
        })
    }

    /// The message of a field; the last one counts, as in protobuf.
    pub fn message(&self, name: &str) -> Option<&Message> {
        self.fields.iter().rev().find_map(|(n, v)| match v {
            Value::Message(m) if n == name => Some(m),
            _ => None,
        })
    }

    /// The texts or words of a field.
    pub fn words<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.values(name).filter_map(|v| match v {
            Value::Word(w) | Value::Text(w) => Some(w.as_str()),
            _ => None,
        })
    }

    /// The text or word of a field, or nothing.
    pub fn word(&self, name: &str) -> &str {
        self.fields
            .iter()
            .rev()
            .find_map(|(n, v)| match v {
                Value::Word(w) | Value::Text(w) if n == name => Some(w.as_str()),
                _ => None,
            })
            .unwrap_or("")
    }

    /// The number of a field; 0 when it is not there or is no number of 32 bits.
    pub fn number(&self, name: &str) -> u32 {
        number(self.word(name))
    }

    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Value> {
        self.fields.iter().filter(move |(n, _)| n == name).map(|(_, v)| v)
    }
}

/// A number as protobuf writes it; 0 when it is none of 32 bits.
pub(crate) fn number(word: &str) -> u32 {
    match word.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).unwrap_or(0),
        None => word.parse().unwrap_or(0),
    }
}

struct Reader<'a> {
    rest: &'a str,
    line: u32,
}

impl<'a> Reader<'a> {
    fn fault(&self, accepts: &str) -> Box<Fault> {
        let found = match self.rest.lines().next() {
            Some(line) if !self.rest.is_empty() => format!("found `{}`", short(line)),
            _ => "the text ends".to_string(),
        };
        Box::new(Fault {
            place: format!("P4Info line {}", self.line),
            found,
            accepts: accepts.into(),
            source_loc: Loc::default(),
        })
    }

    fn skip(&mut self) {
        loop {
            let trimmed = self.rest.trim_start();
            let skipped = &self.rest[..self.rest.len() - trimmed.len()];
            self.line += skipped.matches('\n').count() as u32;
            self.rest = trimmed;
            if !trimmed.starts_with('#') {
                return;
            }
            self.rest = &trimmed[trimmed.find('\n').unwrap_or(trimmed.len())..];
        }
    }

    fn eat(&mut self, c: char) -> bool {
        self.skip();
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn word(&mut self) -> Option<&'a str> {
        self.skip();
        let end = self
            .rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || "_.+-".contains(c)))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }

    /// Name of a field; extensions and types are names in brackets.
    fn name(&mut self) -> Option<String> {
        if self.eat('[') {
            let end = self.rest.find(']')?;
            let name = self.rest[..end].to_string();
            self.rest = &self.rest[end + 1..];
            return Some(name);
        }
        self.word().map(str::to_string)
    }

    fn message(&mut self, end: Option<char>, depth: usize) -> Result<Message> {
        if depth > MAX_DEPTH {
            return Err(self.fault("messages that are not nested so deeply"));
        }
        let mut message = Message::default();
        loop {
            while self.eat(',') || self.eat(';') {}
            match end {
                Some(end) if self.eat(end) => return Ok(message),
                None if self.rest.is_empty() => return Ok(message),
                _ => {}
            }
            let name = self.name().ok_or_else(|| self.fault("the name of a field"))?;
            let colon = self.eat(':');
            if self.eat('[') {
                while !self.eat(']') {
                    let value = self.value(true, depth)?;
                    message.fields.push((name.clone(), value));
                    self.eat(',');
                }
                continue;
            }
            let value = self.value(colon, depth)?;
            message.fields.push((name, value));
        }
    }

    fn value(&mut self, colon: bool, depth: usize) -> Result<Value> {
        if self.eat('{') {
            return Ok(Value::Message(self.message(Some('}'), depth + 1)?));
        }
        if self.eat('<') {
            return Ok(Value::Message(self.message(Some('>'), depth + 1)?));
        }
        if !colon {
            return Err(self.fault("`:` and a value, or a message in braces"));
        }
        let mut text = String::new();
        let mut quoted = false;
        while self.rest.starts_with(['"', '\'']) {
            quoted = true;
            self.string(&mut text)?;
            self.skip();
        }
        if quoted {
            return Ok(Value::Text(text));
        }
        match self.word() {
            Some(word) => Ok(Value::Word(word.to_string())),
            None => Err(self.fault("a value")),
        }
    }

    /// One quoted string; strings that follow each other are one.
    fn string(&mut self, out: &mut String) -> Result<()> {
        let mut bytes = Vec::new();
        let mut chars = self.rest.char_indices();
        let quote = chars.next().map(|(_, c)| c);
        let mut utf8 = [0; 4];
        while let Some((at, c)) = chars.next() {
            if Some(c) == quote {
                self.rest = &self.rest[at + 1..];
                out.push_str(&String::from_utf8_lossy(&bytes));
                return Ok(());
            }
            if c == '\n' {
                break;
            }
            if c != '\\' {
                bytes.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
                continue;
            }
            let Some((_, c)) = chars.next() else { break };
            match c {
                'n' => bytes.push(b'\n'),
                't' => bytes.push(b'\t'),
                'r' => bytes.push(b'\r'),
                '0'..='7' => {
                    let mut code = c.to_digit(8).unwrap_or(0);
                    for _ in 0..2 {
                        let mut ahead = chars.clone();
                        match ahead.next().and_then(|(_, c)| c.to_digit(8)) {
                            Some(digit) => {
                                code = code * 8 + digit;
                                chars = ahead;
                            }
                            None => break,
                        }
                    }
                    bytes.push(code as u8);
                }
                'x' => {
                    let mut code = 0;
                    for _ in 0..2 {
                        let mut ahead = chars.clone();
                        match ahead.next().and_then(|(_, c)| c.to_digit(16)) {
                            Some(digit) => {
                                code = code * 16 + digit;
                                chars = ahead;
                            }
                            None => break,
                        }
                    }
                    bytes.push(code as u8);
                }
                other => bytes.extend_from_slice(other.encode_utf8(&mut utf8).as_bytes()),
            }
        }
        Err(self.fault("a string that ends on its line"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_are_read() {
        let text = "# comment\npkg_info { arch: \"v1\" 'model' }\ntables: < id: 0x10; size: 8, >\n\
                    numbers: [1, 2,3] note: \"a\\\"b\\n\\101\\x42\" [type.x/y] { z: true }";
        let m = Message::parse(text).unwrap();
        assert_eq!(m.message("pkg_info").unwrap().word("arch"), "v1model");
        assert_eq!(m.message("tables").unwrap().number("id"), 16);
        assert_eq!(m.words("numbers").collect::<Vec<_>>(), ["1", "2", "3"]);
        assert_eq!(m.word("note"), "a\"b\nAB");
        assert!(m.message("type.x/y").is_some());
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, line) in
            [("a {\n b: 1", 2), ("a: \"x", 1), ("\n\n}", 3), ("a 1", 1), ("a: [1", 1)]
        {
            let fault = Message::parse(text).unwrap_err();
            assert_eq!(fault.place, format!("P4Info line {line}"), "{text}");
        }
        assert!(Message::parse(&"a {".repeat(100_000)).is_err());
    }
}
