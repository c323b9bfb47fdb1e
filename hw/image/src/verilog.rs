//! Payloads for the simulated part: a module's name, the end of a line, and its Verilog, compressed by zlib. So an image is
//! all that is needed to load it. Verilog is five to ten times smaller that way.
//!
//! Whoever loads an image has this Verilog built and run. [`unpack`] refuses what no circuit of restage has: directives
//! and system tasks, which could read files or start programs.

use crate::error::ImageError;
use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

/// Bytes of the longest text.
const MOST_TEXT: usize = 64 << 20;
/// A middle way between time and size.
const LEVEL: u8 = 6;

/// A module as a payload.
pub fn pack(module: &str, verilog: &str) -> Vec<u8> {
    compress_to_vec_zlib(format!("{module}\n{verilog}").as_bytes(), LEVEL)
}

/// The module's name and its Verilog.
pub fn unpack(payload: &[u8]) -> Result<(String, String), ImageError> {
    let wrong = |what: &str| ImageError::Circuit(what.to_string());
    let text = decompress_to_vec_zlib_with_limit(payload, MOST_TEXT)
        .map_err(|e| ImageError::Circuit(format!("zlib: {e}")))?;
    let text = String::from_utf8(text).map_err(|_| wrong("it is no text"))?;
    let (module, verilog) = text.split_once('\n').ok_or(wrong("it has one line only"))?;
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if module.is_empty() || !module.chars().all(good) {
        return Err(wrong("its first line is no name of a module"));
    }
    if let Some((line, found)) = (2..).zip(verilog.lines()).find_map(|(n, l)| Some((n, alien(l)?)))
    {
        let text = format!("line {line} has `{found}`; no circuit of restage has that");
        return Err(ImageError::Circuit(text));
    }
    Ok((module.to_string(), verilog.to_string()))
}

/// What is in a line, outside of strings and of a comment that ends it, and in no circuit of restage.
fn alien(line: &str) -> Option<&'static str> {
    let mut string = false;
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, rest.peek()) {
            ('"', _) => string = !string,
            ('\\', _) => return Some("\\"),
            (_, _) if string => {}
            ('/', Some('/')) => return None,
            ('/', Some('*')) => return Some("/*"),
            ('$', _) => return Some("$"),
            ('`', _) => return Some("`"),
            _ => {}
        }
    }
    string.then_some("a string without an end")
}
