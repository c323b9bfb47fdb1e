//! What the lines so far have made: writes, and the handles that later lines use.

use super::error::{Faults, Stop};
use super::lines::{Line, Word};
use super::replication::Replication;
use crate::entity::{Entity, Profile, Table, ValueSet};
use crate::entry::{Entry, KeyMatch, Write};
use crate::names::NameError;
use crate::program::Program;
use std::collections::BTreeMap;
use std::fmt;

/// Members of groups and value sets, and cells of whole arrays, that the writes of one text may hold together. A line that adds to
/// a list written before other lines repeats the whole list, so a text could otherwise ask for the
/// square of its length.
const MAX_LIST_ITEMS: usize = 1 << 22;

pub(super) struct Session<'p> {
    pub program: &'p Program,
    pub writes: Vec<Write>,
    pub faults: Faults,
    entries: BTreeMap<Table, Vec<Option<Source>>>,
    /// The next handle of members and of groups.
    pub members: BTreeMap<Profile, u32>,
    pub groups: BTreeMap<Profile, u32>,
    /// Which write said a group last.
    pub groups_at: BTreeMap<(Profile, u32), usize>,
    /// The same of value sets.
    pub value_sets_at: BTreeMap<ValueSet, usize>,
    /// How many writes there were when a table was cleared last.
    pub cleared_at: BTreeMap<Table, usize>,
    /// Multicast groups and their nodes.
    pub replication: Replication,
    list_items: usize,
}

/// Where an entry was said last.
#[derive(Clone, Copy)]
enum Source {
    Program(usize),
    Write(usize),
}

impl<'p> Session<'p> {
    pub fn new(program: &'p Program, text: &str) -> Self {
        let own = |e: &[Entry]| (0..e.len()).map(|i| Some(Source::Program(i))).collect();
        Session {
            program,
            writes: Vec::new(),
            faults: Faults::new(text),
            entries: program.tables.iter().map(|(k, t)| (k, own(&t.entries))).collect(),
            members: BTreeMap::new(),
            groups: BTreeMap::new(),
            groups_at: BTreeMap::new(),
            value_sets_at: BTreeMap::new(),
            cleared_at: BTreeMap::new(),
            replication: Replication::default(),
            list_items: 0,
        }
    }

    /// Notes an inserted entry under the next handle.
    pub fn insert(&mut self, table: Table, entry: Entry) {
        self.entries.entry(table).or_default().push(Some(Source::Write(self.writes.len())));
        self.writes.push(Write::Insert(table, entry));
    }

    /// The entry of a handle and its latest form.
    pub fn entry(&self, table: Table, handle: usize) -> Option<&Entry> {
        match (*self.entries.get(&table)?.get(handle)?)? {
            Source::Program(i) => self.program.tables.get(table)?.entries.get(i),
            Source::Write(i) => match self.writes.get(i) {
                Some(Write::Insert(_, e) | Write::Modify(_, e)) => Some(e),
                _ => None,
            },
        }
    }

    /// How many handles of a table there are.
    pub fn handles(&self, table: Table) -> usize {
        self.entries.get(&table).map_or(0, Vec::len)
    }

    /// Notes that the entry of a handle is now what the next write says, or gone.
    pub fn retarget(&mut self, table: Table, handle: usize, gone: bool) {
        let now = (!gone).then_some(Source::Write(self.writes.len()));
        if let Some(slot) = self.entries.get_mut(&table).and_then(|e| e.get_mut(handle)) {
            *slot = now;
        }
    }

    /// Deletes these entries, all that a table has.
    pub fn clear(&mut self, table: Table, all: Vec<(Vec<KeyMatch>, u32)>) {
        let gone = all.into_iter().map(|(keys, priority)| Write::Delete { table, keys, priority });
        self.writes.extend(gone);
        self.entries.entry(table).or_default().fill(None);
        self.cleared_at.insert(table, self.writes.len());
    }

    /// Accounts for a list of `items` members in a write, or for so many writes of one line.
    pub fn list(&mut self, line: &Line, items: usize) -> Result<(), Stop> {
        self.list_items = self.list_items.saturating_add(items);
        if self.list_items <= MAX_LIST_ITEMS {
            return Ok(());
        }
        let help = "write all lines of one group together: they are then one write".to_string();
        let message = "groups or whole tables and arrays are changed too often";
        Err(self.fault(line, line.words[0], message, Some(help)))
    }

    pub fn fault(
        &mut self,
        line: &Line,
        word: Word,
        message: impl fmt::Display,
        help: Option<String>,
    ) -> Stop {
        self.faults.add(line.place, word.at(), message, help)
    }

    pub fn fault_at_end(&mut self, line: &Line, message: impl fmt::Display, help: String) -> Stop {
        self.faults.add(line.place, line.end(), message, Some(help))
    }

    /// What a name was found to be, or the fault that it is nothing.
    pub fn named<K>(
        &mut self,
        line: &Line,
        word: Word,
        found: Result<K, NameError>,
    ) -> Result<K, Stop> {
        found.map_err(|e| self.fault(line, word, &e, Some(e.help())))
    }

    /// A number from 0 to `max`.
    pub fn number(&mut self, line: &Line, word: Word, what: &str, max: u64) -> Result<u64, Stop> {
        let text = word.text;
        let parsed = match text.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).ok().filter(|_| !hex.starts_with('+')),
            None => text.parse::<u64>().ok(),
        };
        match parsed {
            Some(n) if n <= max => Ok(n),
            _ => {
                let short: String = text.chars().take(80).collect();
                let help = Some(format!("{what} is a number from 0 to {max}"));
                Err(self.fault(line, word, format_args!("`{short}` is no {what}"), help))
            }
        }
    }

    /// An index into an array of `size`.
    pub fn index<K: Entity>(&mut self, line: &Line, word: Word, size: u32) -> Result<u32, Stop> {
        let Some(last) = size.checked_sub(1) else {
            let message = format_args!("this {} has no elements", K::KIND);
            return Err(self.fault(line, word, message, None));
        };
        self.number(line, word, &format!("index of this {}", K::KIND), last.into())
            .map(|n| n as u32)
    }
}
