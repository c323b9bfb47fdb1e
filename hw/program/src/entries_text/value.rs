//! Values and keys as people write them.

use crate::bits::Bits;
use crate::entry::KeyMatch;
use crate::program::MatchKind;
use crate::types::Type;
use core::net::{Ipv4Addr, Ipv6Addr};

/// Reads a value: decimal, `0x`, `0b`, dotted IPv4, colon IPv6, colon MAC, `true`, `false`.
pub(super) fn parse(ty: Type, text: &str) -> Result<Bits, String> {
    let width = ty.width();
    let short: String = text.chars().take(80).collect();
    let bytes: Vec<u8> = if text.contains(':') {
        match mac(text) {
            Some(bytes) => bytes.to_vec(),
            None => match text.parse::<Ipv6Addr>() {
                Ok(ip) => ip.octets().to_vec(),
                Err(_) => return Err(format!("`{short}` is neither a MAC nor an IPv6 address")),
            },
        }
    } else if text.contains('.') {
        match text.parse::<Ipv4Addr>() {
            Ok(ip) => ip.octets().to_vec(),
            Err(_) => return Err(format!("`{short}` is not an IPv4 address")),
        }
    } else {
        match text {
            "true" if width == 1 => vec![1],
            "false" if width == 1 => vec![0],
            _ => return Bits::parse(width, text).map_err(|e| e.to_string()),
        }
    };
    let bits = Bits::from_be_bytes(8 * bytes.len() as u32, &bytes);
    if bits.significant() > width {
        return Err(format!("`{short}` needs {} bits, and there are {width}", bits.significant()));
    }
    Ok(bits.resize(width))
}

fn mac(text: &str) -> Option<[u8; 6]> {
    let mut out = [0u8; 6];
    let mut parts = text.split(':');
    for byte in &mut out {
        let part = parts.next().filter(|p| (1..=2).contains(&p.len()))?;
        *byte = u8::from_str_radix(part, 16).ok().filter(|_| !part.starts_with('+'))?;
    }
    parts.next().is_none().then_some(out)
}

/// How a key of this kind is written.
pub(super) fn format(kind: MatchKind) -> &'static str {
    match kind {
        MatchKind::Exact => "VALUE",
        MatchKind::Lpm => "VALUE/LENGTH or *",
        MatchKind::Ternary => "VALUE&&&MASK, VALUE or *",
        MatchKind::Range => "LOW->HIGH, VALUE or *",
        MatchKind::Optional => "VALUE or *",
    }
}

/// Reads a key of a table.
pub(super) fn parse_key(kind: MatchKind, ty: Type, text: &str) -> Result<KeyMatch, String> {
    let width = ty.width();
    let any = match kind {
        MatchKind::Exact => None,
        _ => (text == "*").then_some(KeyMatch::Any),
    };
    if let Some(any) = any {
        return Ok(any);
    }
    let wrong = || {
        let short: String = text.chars().take(80).collect();
        format!("`{short}` is no {} key", name(kind))
    };
    let form = form(text);
    match (kind, form) {
        (MatchKind::Exact | MatchKind::Optional, Form::Value) => {
            parse(ty, text).map(KeyMatch::Exact)
        }
        (MatchKind::Lpm, Form::Prefix(value, length)) => prefix(ty, value, length),
        (MatchKind::Ternary, Form::Value) => {
            Ok(KeyMatch::Masked { value: parse(ty, text)?, mask: Bits::ones(width) })
        }
        (MatchKind::Ternary, Form::Mask(value, mask)) => {
            Ok(KeyMatch::masked(&parse(ty, value)?, parse(ty, mask)?))
        }
        (MatchKind::Optional, Form::Mask(value, mask)) => match parse(ty, mask)? {
            mask if mask.is_zero() => parse(ty, value).map(|_| KeyMatch::Any),
            mask if mask == Bits::ones(width) => parse(ty, value).map(KeyMatch::Exact),
            _ => Err(format!("{}: its mask must be 0 or all ones", wrong())),
        },
        (MatchKind::Range, Form::Value) => {
            let low = parse(ty, text)?;
            Ok(KeyMatch::Range { high: low.clone(), low })
        }
        (MatchKind::Range, Form::Range(low, high)) => range(ty, low, high),
        _ => Err(wrong()),
    }
}

/// Reads a column of a value set, which may be written in any form.
pub(super) fn parse_any(ty: Type, text: &str) -> Result<KeyMatch, String> {
    match form(text) {
        _ if text == "*" => Ok(KeyMatch::Any),
        Form::Value => parse(ty, text).map(KeyMatch::Exact),
        Form::Prefix(value, length) => prefix(ty, value, length),
        Form::Mask(value, mask) => Ok(KeyMatch::masked(&parse(ty, value)?, parse(ty, mask)?)),
        Form::Range(low, high) => range(ty, low, high),
    }
}

/// The kind's name as P4 writes it.
pub(super) fn name(kind: MatchKind) -> &'static str {
    match kind {
        MatchKind::Exact => "exact",
        MatchKind::Lpm => "lpm",
        MatchKind::Ternary => "ternary",
        MatchKind::Range => "range",
        MatchKind::Optional => "optional",
    }
}

enum Form<'t> {
    Value,
    Prefix(&'t str, &'t str),
    Mask(&'t str, &'t str),
    Range(&'t str, &'t str),
}

fn form(text: &str) -> Form<'_> {
    if let Some((value, mask)) = text.split_once("&&&") {
        Form::Mask(value, mask)
    } else if let Some((low, high)) = text.split_once("->") {
        Form::Range(low, high)
    } else if let Some((value, length)) = text.split_once('/') {
        Form::Prefix(value, length)
    } else {
        Form::Value
    }
}

fn prefix(ty: Type, value: &str, length: &str) -> Result<KeyMatch, String> {
    match length.parse::<u32>() {
        Ok(length) if length <= ty.width() => Ok(KeyMatch::lpm(&parse(ty, value)?, length)),
        _ => {
            let short: String = length.chars().take(80).collect();
            Err(format!("`{short}` is no prefix length from 0 to {}", ty.width()))
        }
    }
}

fn range(ty: Type, low: &str, high: &str) -> Result<KeyMatch, String> {
    let (low, high) = (parse(ty, low)?, parse(ty, high)?);
    let key = KeyMatch::Range { low: low.clone(), high: high.clone() };
    // The range that contains its own low end is not empty.
    if !key.matches(&low, ty.is_signed()) {
        return Err(format!("the range from {low} to {high} is empty"));
    }
    Ok(key)
}

/// Writes a value so that a person knows it: addresses as addresses, the rest as numbers. `name` is
/// that of the key or parameter.
pub(super) fn show(ty: Type, name: &str, value: &Bits) -> String {
    let bytes = value.to_be_bytes();
    let address = || {
        let name = name.to_ascii_lowercase();
        ["ip", "addr", "src", "dst", "nhop", "gateway"].iter().any(|part| name.contains(part))
    };
    match (ty.width(), bytes.as_slice()) {
        (48, [a, b, c, d, e, f]) => format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}"),
        (32, [a, b, c, d]) if address() => Ipv4Addr::new(*a, *b, *c, *d).to_string(),
        (128, _) if address() => Ipv6Addr::from(value.low_u128()).to_string(),
        _ => match value.to_u64() {
            Some(n) if n < 100_000 => n.to_string(),
            _ => format!("{value:#x}"),
        },
    }
}

/// Writes a key.
pub(super) fn show_key(ty: Type, name: &str, key: &KeyMatch) -> String {
    let value = |v: &Bits| show(ty, name, v);
    match key {
        KeyMatch::Any => "*".into(),
        KeyMatch::Exact(v) => value(v),
        KeyMatch::Lpm { value: v, prefix } => format!("{}/{prefix}", value(v)),
        KeyMatch::Masked { value: v, mask } => format!("{}&&&{}", value(v), value(mask)),
        KeyMatch::Range { low, high } => format!("{}->{}", value(low), value(high)),
    }
}
