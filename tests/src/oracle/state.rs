//! Registers and counters after the last packet, against `state.txt`.
//!
//! BMv2 keeps packets and bytes whatever a counter is declared to count, and so does the model. Hardware keeps what is
//! declared; the other number is then left out of the comparison, and that is counted.

use super::subject::Subject;
use super::translate::by_name;
use restage_golden::Golden;
use restage_program::Bits;
use restage_program::entity::{Counter, Register, Table};
use restage_program::entry::{CounterValue, KeyMatch, Write};
use restage_program::program::Unit;
use std::collections::BTreeMap;

/// What has state.
pub trait State {
    /// Whether counters keep packets and bytes whatever they are declared to count.
    const KEEPS_ALL: bool;

    /// Content of a register.
    fn register(&mut self, register: Register, index: u32) -> Result<Bits, String>;

    /// Content of a counter.
    fn counter(&mut self, counter: Counter, index: u32) -> Result<CounterValue, String>;

    /// Content of the direct counter of an entry.
    fn direct_counter(
        &mut self,
        table: Table,
        keys: &[KeyMatch],
        priority: u32,
    ) -> Result<CounterValue, String>;
}

impl State for Golden {
    const KEEPS_ALL: bool = true;

    fn register(&mut self, register: Register, index: u32) -> Result<Bits, String> {
        Golden::register(self, register, index).ok_or_else(|| "a register is missing".into())
    }

    fn counter(&mut self, counter: Counter, index: u32) -> Result<CounterValue, String> {
        Golden::counter(self, counter, index).ok_or_else(|| "a counter is missing".into())
    }

    fn direct_counter(
        &mut self,
        table: Table,
        keys: &[KeyMatch],
        priority: u32,
    ) -> Result<CounterValue, String> {
        let found = Golden::direct_counter(self, table, keys, priority);
        found.ok_or_else(|| "an entry is missing".into())
    }
}

/// What a comparison found.
#[derive(Clone, Debug, Default)]
pub struct Compared {
    /// Contents that agree.
    pub right: usize,
    /// In words what does not.
    pub wrong: Vec<String>,
    /// Numbers that the recording has and a counter of another kind does not keep.
    pub not_kept: usize,
}

/// What is compared: kind, name of the reference, index.
type Key = (&'static str, String, u32);
/// What is recorded. What is not listed is 0.
type Contents = BTreeMap<Key, Value>;

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

    /// What a counter of this kind keeps of it.
    fn kept(&self, unit: Unit) -> Value {
        match (self, unit) {
            (Value::Counter(c), Unit::Packets) => Value::Counter(CounterValue { bytes: 0, ..*c }),
            (Value::Counter(c), Unit::Bytes) => Value::Counter(CounterValue { packets: 0, ..*c }),
            _ => self.clone(),
        }
    }

    fn is_zero(&self) -> bool {
        match self {
            Value::Register(bits) => bits.is_zero(),
            Value::Counter(c) => *c == CounterValue::default(),
        }
    }
}

/// Compares the state with what is recorded.
pub fn compare<S: State>(
    subject: &Subject,
    state: &mut S,
    entries: &[Write],
    lines: &[String],
) -> Result<Compared, String> {
    let want = listed(lines)?;
    let have = contents(subject, state, entries)?;
    let mut found = Compared::default();
    for (key, want) in &want {
        match have.get(key) {
            Some((have, unit)) => {
                let kept = want.kept(*unit);
                found.not_kept += usize::from(kept != *want);
                match have.recorded() == kept {
                    true => found.right += 1,
                    false => found.wrong.push(difference(key, &kept.to_string(), have)),
                }
            }
            None => found.wrong.push(difference(key, &want.to_string(), &"nothing")),
        }
    }
    let more =
        |(key, (have, _)): &(&Key, &(Value, Unit))| !have.is_zero() && !want.contains_key(*key);
    for (key, (have, _)) in have.iter().filter(more) {
        found.wrong.push(difference(key, "nothing", have));
    }
    Ok(found)
}

fn difference((kind, name, index): &Key, want: &str, have: &dyn std::fmt::Display) -> String {
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

/// All state under the names of the reference, and what of each counter is kept.
fn contents<S: State>(
    subject: &Subject,
    state: &mut S,
    entries: &[Write],
) -> Result<BTreeMap<Key, (Value, Unit)>, String> {
    let (from, to) = (subject.reference(), subject.program());
    let kept = |unit| if S::KEEPS_ALL { Unit::Both } else { unit };
    let mut contents = BTreeMap::new();
    for decl in from.registers.values() {
        let name = &decl.preamble.name;
        let register = by_name(Some(name), |n| to.find_register(n))?;
        for index in 0..decl.size {
            let value = Value::Register(state.register(register, index)?.resize(2048));
            contents.insert(("register", name.clone(), index), (value, Unit::Both));
        }
    }
    for decl in from.counters.values() {
        let name = &decl.preamble.name;
        let counter = by_name(Some(name), |n| to.find_counter(n))?;
        let unit = kept(to.counters[counter].unit);
        for index in 0..decl.size {
            let value = Value::Counter(state.counter(counter, index)?);
            contents.insert(("counter", name.clone(), index), (value, unit));
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
            let Write::Insert(table, entry) = translated else { continue };
            let value = state.direct_counter(table, &entry.keys, entry.priority)?;
            let unit = to.tables[table].counter.as_ref().map_or(Unit::Both, |c| kept(c.unit));
            let name = decl.preamble.name.clone();
            contents.insert(("direct_counter", name, index), (Value::Counter(value), unit));
        }
    }
    Ok(contents)
}
