//! Which entries a table has at a line of the text, for the commands that are about all of them.

use super::error::Stop;
use super::lines::Line;
use super::session::Session;
use crate::entity::Table;
use crate::entry::{KeyMatch, Write};
use std::collections::HashMap;

/// What identifies an entry: its keys and its priority.
pub(super) type Identity = (Vec<KeyMatch>, u32);

/// The entries that the program has and the lines so far have left, in the order in which they came.
pub(super) fn live(s: &mut Session, line: &Line, table: Table) -> Result<Vec<Identity>, Stop> {
    let (own, from) = match s.cleared_at.get(&table) {
        Some(at) => (&[][..], *at),
        None => (s.program.tables.get(table).map_or(&[][..], |t| &t.entries), 0),
    };
    let writes = s.writes.get(from..).unwrap_or_default();
    let mut order = Vec::new();
    let mut at: HashMap<Identity, usize> = HashMap::new();
    let inserted = writes.iter().filter_map(|w| match w {
        Write::Insert(t, entry) if *t == table => Some((Some(entry), None)),
        Write::Delete { table: t, keys, priority } if *t == table => {
            Some((None, Some((keys.clone(), *priority))))
        }
        _ => None,
    });
    for (entry, gone) in own.iter().map(|e| (Some(e), None)).chain(inserted) {
        if let Some(entry) = entry {
            let identity = (entry.keys.clone(), entry.priority);
            at.entry(identity.clone()).or_insert_with(|| {
                order.push(Some(identity));
                order.len() - 1
            });
        }
        if let Some(slot) = gone.and_then(|g| at.remove(&g)).and_then(|i| order.get_mut(i)) {
            *slot = None;
        }
    }
    let steps = own.len() + writes.len();
    s.list(line, steps)?;
    Ok(order.into_iter().flatten().collect())
}
