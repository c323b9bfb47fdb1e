//! Registers and counters after the last packet, against `state.txt`.

use super::subject::Subject;
use super::translate::by_name;
use restage_golden::Golden;
use restage_program::Bits;
use restage_program::entry::{CounterValue, KeyMatch, Write};
use std::collections::BTreeMap;

/// What is compared: kind, name of the reference, index; and its contents. What is not listed is 0.
type Contents = BTreeMap<(&'static str, String, u32), Value>;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Register(Bits),
    Counter(CounterValue),
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Register(bits) => write!(f, "{bits:#x}"),
            Value::Counter(c) => write!(f, "{} packets, {} bytes", c.packets, c.bytes),
        }
    }
}

/// BMv2's interface hands registers out as signed 64-bit numbers, and clamps what is larger.
const LARGEST_RECORDED: u64 = i64::MAX as u64;

impl Value {
    /// As the recording would have it.
    fn recorded(&self) -> Value {
        match self {
            Value::Register(bits) if bits.to_u64().is_none_or(|n| n > LARGEST_RECORDED) => {
                Value::Register(Bits::new(bits.width(), LARGEST_RECORDED.into()))
            }
            other => other.clone(),
        }
    }

    fn is_zero(&self) -> bool {
        match self {
            Value::Register(bits) => bits.is_zero(),
            Value::Counter(c) => *c == CounterValue::default(),
        }
    }
}

/// Compares; how many contents agree, and in words what does not.
pub fn compare(
    subject: &Subject,
    golden: &Golden,
    entries: &[Write],
    lines: &[String],
) -> Result<(usize, Vec<String>), String> {
    let want = listed(lines)?;
    let have = contents(subject, golden, entries)?;
    let mut wrong = Vec::new();
    let mut right = 0;
    for (key, want) in &want {
        match have.get(key) {
            Some(have) if have.recorded() == *want => right += 1,
            Some(have) => wrong.push(difference(key, &want.to_string(), &have.to_string())),
            None => wrong.push(difference(key, &want.to_string(), "nothing")),
        }
    }
    for (key, have) in have.iter().filter(|(key, have)| !have.is_zero() && !want.contains_key(key))
    {
        wrong.push(difference(key, "nothing", &have.to_string()));
    }
    Ok((right, wrong))
}

fn difference((kind, name, index): &(&str, String, u32), want: &str, have: &str) -> String {
    format!("{kind} {name}[{index}]: BMv2 has {want}, the model {have}")
}

fn listed(lines: &[String]) -> Result<Contents, String> {
    let mut contents = Contents::new();
    for line in lines {
        let wrong = || format!("state.txt: `{line}` is not understood");
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |text: &str| text.parse::<u64>().map_err(|_| wrong());
        let (key, value) = match words.as_slice() {
            ["register", name, index, value] => {
                // The width is that of the register; it is compared below by number.
                let bits = Bits::parse(2048, value).map_err(|_| wrong())?;
                (("register", name, index), Value::Register(bits))
            }
            ["counter", name, index, "packets", packets, "bytes", bytes] => {
                let value = CounterValue { packets: number(packets)?, bytes: number(bytes)? };
                (("counter", name, index), Value::Counter(value))
            }
            ["direct_counter", name, "entry", index, "packets", packets, "bytes", bytes] => {
                let value = CounterValue { packets: number(packets)?, bytes: number(bytes)? };
                (("direct_counter", name, index), Value::Counter(value))
            }
            _ => return Err(wrong()),
        };
        let (kind, name, index) = key;
        contents.insert((kind, name.to_string(), number(index)? as u32), value);
    }
    Ok(contents)
}

/// All state of the model under the names of the reference.
fn contents(subject: &Subject, golden: &Golden, entries: &[Write]) -> Result<Contents, String> {
    let (from, to) = (subject.reference(), subject.program());
    let mut contents = Contents::new();
    for decl in from.registers.values() {
        let name = &decl.preamble.name;
        let register = by_name(Some(name), |n| to.find_register(n))?;
        for index in 0..decl.size {
            let bits = golden.register(register, index).ok_or("a register is missing")?;
            contents.insert(("register", name.clone(), index), Value::Register(bits.resize(2048)));
        }
    }
    for decl in from.counters.values() {
        let name = &decl.preamble.name;
        let counter = by_name(Some(name), |n| to.find_counter(n))?;
        for index in 0..decl.size {
            let value = golden.counter(counter, index).ok_or("a counter is missing")?;
            contents.insert(("counter", name.clone(), index), Value::Counter(value));
        }
    }
    for (table, decl) in from.tables.iter().filter(|(_, t)| t.counter.is_some()) {
        let own = decl.entries.iter();
        let installed = entries.iter().filter_map(|write| match write {
            Write::Insert(t, entry) if *t == table => Some(entry),
            _ => None,
        });
        for (index, entry) in (0..).zip(own.chain(installed)) {
            let translated = subject.translation().write(&Write::Insert(table, entry.clone()))?;
            let Write::Insert(to, entry) = translated else { continue };
            let value = direct(golden, to, &entry.keys, entry.priority)?;
            let name = decl.preamble.name.clone();
            contents.insert(("direct_counter", name, index), Value::Counter(value));
        }
    }
    Ok(contents)
}

fn direct(
    golden: &Golden,
    table: restage_program::entity::Table,
    keys: &[KeyMatch],
    priority: u32,
) -> Result<CounterValue, String> {
    golden.direct_counter(table, keys, priority).ok_or_else(|| "an entry is missing".to_string())
}
