//! Symbolic tests as p4testgen writes them, for a program whose names they use.

use restage_program::entity::Table;
use restage_program::entry::{Entry, EntryTarget, KeyMatch, Write};
use restage_program::program::{ActionCall, FieldDecl, Key, MatchKind};
use restage_program::{Bits, Program, Type, entries_text};

/// A test.
#[derive(Debug, Default)]
pub struct Stf {
    /// What is installed.
    pub writes: Vec<Write>,
    /// What is sent: port and bytes.
    pub packets: Vec<(u16, Vec<u8>)>,
    /// What must come out, port by port in order; nothing else may.
    pub expected: Vec<(u16, Pattern)>,
}

/// What a packet must look like.
#[derive(Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Nibbles; `None` stands for any.
    nibbles: Vec<Option<u8>>,
    /// Whether nothing may follow.
    exact: bool,
}

impl Pattern {
    /// Whether a packet is so.
    pub fn matches(&self, bytes: &[u8]) -> bool {
        let have = bytes.iter().flat_map(|b| [b >> 4, b & 15]);
        let enough = match self.exact {
            true => bytes.len() * 2 == self.nibbles.len(),
            false => bytes.len() * 2 >= self.nibbles.len(),
        };
        enough && self.nibbles.iter().zip(have).all(|(want, have)| want.is_none_or(|w| w == have))
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for nibble in &self.nibbles {
            match nibble {
                Some(n) => write!(f, "{n:x}")?,
                None => f.write_str("*")?,
            }
        }
        f.write_str(if self.exact { "" } else { "..." })
    }
}

/// Reads a test.
pub fn parse(program: &Program, text: &str) -> Result<Stf, String> {
    let mut test = Stf::default();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if !line.is_empty() && !line.starts_with('#') {
            statement(program, &mut test, line).map_err(|e| format!("line {number}: {e}"))?;
        }
    }
    Ok(test)
}

fn statement(program: &Program, test: &mut Stf, line: &str) -> Result<(), String> {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match word {
        "packet" => {
            let (port, pattern) = port_and_bytes(rest)?;
            let nibbles: Option<Vec<u8>> = pattern.nibbles.into_iter().collect();
            let nibbles = nibbles.filter(|n| n.len() % 2 == 0).ok_or("no whole bytes")?;
            test.packets.push((port, nibbles.chunks(2).map(|n| n[0] << 4 | n[1]).collect()));
        }
        "expect" => test.expected.push(port_and_bytes(rest)?),
        "add" => test.writes.push(add(program, rest)?),
        "setdefault" => {
            let (table, rest) = word_of(rest)?;
            let table = program.find_table(table).map_err(|e| e.to_string())?;
            test.writes.push(Write::SetDefault(table, Some(call(program, table, rest)?)));
        }
        _ => {
            let writes = entries_text::parse(program, line).map_err(|e| e.list("command"))?;
            test.writes.extend(writes);
        }
    }
    Ok(())
}

fn port_and_bytes(text: &str) -> Result<(u16, Pattern), String> {
    let (port, bytes) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let port = port.parse().map_err(|e| format!("port `{port}`: {e}"))?;
    let exact = bytes.ends_with('$');
    let nibbles = bytes.trim_end_matches('$').chars().filter(|c| *c != ' ').map(|c| match c {
        '*' => Ok(None),
        _ => c.to_digit(16).map(|d| Some(d as u8)).ok_or(format!("`{c}` is no nibble")),
    });
    Ok((port, Pattern { nibbles: nibbles.collect::<Result<_, _>>()?, exact }))
}

/// A word with or without quotes, and what follows.
fn word_of(text: &str) -> Result<(&str, &str), String> {
    let text = text.trim_start();
    let found = match text.strip_prefix('"') {
        Some(inside) => inside.split_once('"'),
        None => text.split_once([' ', '(']).or(Some((text, ""))),
    };
    found.ok_or_else(|| format!("`{text}`: a quote is not closed"))
}

/// `"A"("PARAM":V,...)`.
fn call(program: &Program, table: Table, text: &str) -> Result<ActionCall, String> {
    let (name, rest) = word_of(text)?;
    let action = program.find_table_action(table, name).map_err(|e| e.to_string())?;
    let params = program.actions.get(action).map_or(&[][..], |a| &a.params);
    let given = rest.trim().trim_start_matches('(').trim_end_matches(')');
    let mut args = vec![None; params.len()];
    for arg in given.split(',').filter(|a| !a.trim().is_empty()) {
        let (param, value) = key_value(arg)?;
        let at = params.iter().position(|p| p.name == param);
        let at = at.ok_or_else(|| format!("action {name} has no parameter `{param}`"))?;
        args[at] = Some(number(params[at].ty, value)?);
    }
    let missing = |(p, a): (&FieldDecl, Option<Bits>)| a.ok_or(format!("no value for {}", p.name));
    let args = params.iter().zip(args).map(missing).collect::<Result<_, _>>()?;
    Ok(ActionCall { action, args })
}

fn key_value(text: &str) -> Result<(&str, &str), String> {
    let (key, rest) = word_of(text.trim())?;
    let value = rest.trim_start().strip_prefix(':');
    Ok((key, value.ok_or_else(|| format!("`{text}` is no \"NAME\":VALUE"))?.trim()))
}

fn number(ty: Type, text: &str) -> Result<Bits, String> {
    Bits::parse(ty.width(), text).map_err(|e| e.to_string())
}

/// `"T" [PRIO] "KEY":V... "A"(...)`.
fn add(program: &Program, text: &str) -> Result<Write, String> {
    let (name, rest) = word_of(text)?;
    let table = program.find_table(name).map_err(|e| e.to_string())?;
    let decl = program.tables.get(table).ok_or("no such table")?;
    let open = rest.find("\"(").ok_or("there is no action")?;
    let action = rest.get(..open).and_then(|t| t.rfind('"')).ok_or("there is no action")?;
    let (keys, action) = rest.split_at(action);
    let mut given = Vec::new();
    let mut priority = 0;
    for word in keys.split_whitespace() {
        match word.parse::<u32>() {
            Ok(number) => priority = number,
            Err(_) => given.push(key_value(word)?),
        }
    }
    let mut keys = Vec::with_capacity(decl.keys.len());
    for key in &decl.keys {
        let ty = program.type_of(&key.value, &[]).map_err(|e| e.to_string())?;
        let at = given.iter().position(|(name, _)| *name == key.name);
        keys.push(key_match(key, ty, at.map(|at| given.swap_remove(at).1))?);
    }
    if let Some((name, _)) = given.first() {
        return Err(format!("table {} has no key `{name}`", decl.preamble.name));
    }
    if !decl.keys.iter().any(|k| !matches!(k.kind, MatchKind::Exact | MatchKind::Lpm)) {
        priority = 0;
    }
    let target = EntryTarget::Action(call(program, table, action)?);
    Ok(Write::Insert(table, Entry { keys, priority, target, idle_timeout_us: 0 }))
}

/// A key from its digits; the `*` among them are not compared.
fn key_match(key: &Key, ty: Type, text: Option<&str>) -> Result<KeyMatch, String> {
    let width = ty.width();
    let Some(text) = text else {
        return Ok(match key.kind {
            MatchKind::Exact => KeyMatch::Exact(Bits::zero(width)),
            _ => KeyMatch::Any,
        });
    };
    let value = number(ty, &text.replace('*', "0"))?;
    let (per, one) = if text.starts_with("0b") { (1, "1") } else { (4, "f") };
    let digits = text.get(2..).unwrap_or_default();
    let stars = digits.matches('*').count() as u32;
    match key.kind {
        MatchKind::Exact | MatchKind::Optional if stars == 0 => Ok(KeyMatch::Exact(value)),
        MatchKind::Optional => Ok(KeyMatch::Any),
        MatchKind::Lpm if digits.trim_end_matches('*').contains('*') => {
            Err(format!("`{text}` is no prefix"))
        }
        MatchKind::Lpm => Ok(KeyMatch::lpm(&value, width.saturating_sub(per * stars))),
        MatchKind::Ternary => {
            let of = |c: char| if c == '*' { "0" } else { one };
            let mask: String = digits.chars().map(of).collect();
            let prefix = text.get(..2).unwrap_or_default();
            // The first of several bits of a digit may lie beyond the key.
            let mask = number(Type::Bit(width + 3), &format!("{prefix}{mask}"))?.resize(width);
            Ok(KeyMatch::masked(&value, mask))
        }
        _ => Err(format!("`{text}` is no value of a {:?} key", key.kind)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use restage_program::prelude::*;

    fn program() -> Program {
        build("stf", |p| {
            let port = p.meta("port", bit(9));
            let ip = p.meta("ip", bit(32));
            let to = p.action("Ing.to", [("a", bit(9)), ("b", bit(4))], |_, [_, _]| {});
            p.table("Ing.t", |t| {
                t.exact(port).lpm(ip).ternary(port).named("wild").actions([to]).size(4);
            });
            p.table("Ing.e", |t| {
                t.exact(port).actions([to]).size(4);
            });
        })
    }

    fn keys(line: &str) -> Result<Vec<KeyMatch>, String> {
        match parse(&program(), line)?.writes.pop() {
            Some(Write::Insert(_, entry)) => Ok(entry.keys),
            other => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn stars_are_what_is_not_compared() {
        let line = r#"add "Ing.t" 5 "m.port":0b000000111 "m.ip":0x0A01**** "wild":0x1*5 "Ing.to"("b":0x3,"a":0b101)"#;
        let test = parse(&program(), line).unwrap();
        let [Write::Insert(_, entry)] = test.writes.as_slice() else { panic!("{test:?}") };
        assert_eq!(entry.priority, 5);
        assert_eq!(
            entry.keys,
            [
                KeyMatch::Exact(Bits::new(9, 7)),
                KeyMatch::Lpm { value: Bits::new(32, 0x0a01_0000), prefix: 16 },
                KeyMatch::Masked { value: Bits::new(9, 0x105), mask: Bits::new(9, 0x10f) },
            ]
        );
        let EntryTarget::Action(call) = &entry.target else { panic!("{entry:?}") };
        assert_eq!(call.args, [Bits::new(9, 5), Bits::new(4, 3)]);
    }

    #[test]
    fn keys_that_are_not_given_match_anything_and_exact_ones_zero() {
        let keys = keys(r#"add "Ing.t" "Ing.to"("a":0x1,"b":0x1)"#).unwrap();
        assert_eq!(keys, [KeyMatch::Exact(Bits::zero(9)), KeyMatch::Any, KeyMatch::Any]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (line, part) in [
            (r#"add "Ing.x" "Ing.to"()"#, "no table `Ing.x`"),
            (r#"add "Ing.e" "m.port":0x1* "Ing.to"("a":0x1,"b":0x1)"#, "no value of a Exact key"),
            (r#"add "Ing.e" "m.prt":0x1 "Ing.to"("a":0x1,"b":0x1)"#, "no key `m.prt`"),
            (r#"add "Ing.e" "Ing.to"("a":0x1)"#, "no value for b"),
            (r#"add "Ing.t" "m.ip":0x*1*** "Ing.to"("a":0x1,"b":0x1)"#, "is no prefix"),
            ("packet 0 0g", "no nibble"),
            ("packet 0 000", "no whole bytes"),
            ("expec 0 00", "no command `expec`"),
        ] {
            let error = parse(&program(), line).unwrap_err();
            assert!(error.contains(part), "{line}: {error}");
        }
    }

    #[test]
    fn patterns_compare_nibbles_and_ends() {
        let pattern = |text: &str| port_and_bytes(text).unwrap().1;
        assert!(pattern("1 0a*b$").matches(&[0x0a, 0x5b]));
        assert!(!pattern("1 0a*b$").matches(&[0x0a, 0x5c]));
        assert!(!pattern("1 0a*b$").matches(&[0x0a, 0x5b, 0]));
        assert!(pattern("1 0a*b").matches(&[0x0a, 0x5b, 0]));
        assert!(!pattern("1 0a*b").matches(&[0x0a]));
        assert!(pattern("1").matches(&[]));
    }
}
