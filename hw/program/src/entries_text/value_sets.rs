//! Commands on parser value sets. A write says a whole set, so each line repeats what lines before have
//! made of it; consecutive lines on one set are one write.

use super::commands::Args;
use super::error::Stop;
use super::session::Session;
use super::value;
use crate::entity::ValueSet;
use crate::entry::{KeyMatch, Write};

pub(super) fn clear(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (name, rest) = args.first(s)?;
    let set = s.named(args.line, name, s.program.find_value_set(name.text))?;
    rest.end(s)?;
    s.value_sets_at.insert(set, s.writes.len());
    s.writes.push(Write::SetValueSet(set, Vec::new()));
    Ok(())
}

pub(super) fn add(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (set, member) = member(s, args)?;
    change(s, args, set, |members| {
        members.push(member);
        true
    })
}

pub(super) fn remove(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (set, member) = member(s, args)?;
    change(s, args, set, |members| match members.iter().position(|m| *m == member) {
        Some(at) => {
            members.remove(at);
            true
        }
        None => false,
    })
}

/// The set that a line names, and one match for each of its columns.
fn member(s: &mut Session, args: &Args) -> Result<(ValueSet, Vec<KeyMatch>), Stop> {
    let (name, rest) = args.first(s)?;
    let set = s.named(args.line, name, s.program.find_value_set(name.text))?;
    let program = s.program;
    let Some(decl) = program.value_sets.get(set) else { return Err(rest.unexpected(s, name)) };
    if rest.words.len() != decl.columns.len() {
        let columns: Vec<String> =
            decl.columns.iter().map(|c| format!("{} ({})", c.name, c.ty)).collect();
        let help = format!("{} takes {}", decl.preamble.name, columns.join(", "));
        let message = super::commands::there_are(rest.words.len(), "key");
        return Err(s.fault_at_end(args.line, message, help));
    }
    let mut member = Vec::with_capacity(rest.words.len());
    for (word, column) in rest.words.iter().zip(&decl.columns) {
        match value::parse_any(column.ty, word.text) {
            Ok(key) => member.push(key),
            Err(message) => {
                let help = Some("VALUE, VALUE&&&MASK, LOW->HIGH or *".to_string());
                return Err(s.fault(args.line, *word, message, help));
            }
        }
    }
    Ok((set, member))
}

/// Changes a set, unless `change` says that it cannot be.
fn change(
    s: &mut Session,
    args: &Args,
    set: ValueSet,
    change: impl FnOnce(&mut Vec<Vec<KeyMatch>>) -> bool,
) -> Result<(), Stop> {
    let at = s.value_sets_at.get(&set).copied();
    let last = at.is_some_and(|at| at + 1 == s.writes.len());
    let mut members = match at.and_then(|at| s.writes.get_mut(at)) {
        Some(Write::SetValueSet(_, members)) if last => std::mem::take(members),
        Some(Write::SetValueSet(_, members)) => members.clone(),
        _ => Vec::new(),
    };
    let done = change(&mut members);
    let items = if last { 1 } else { members.len() };
    if last {
        s.writes.pop();
    }
    s.value_sets_at.insert(set, s.writes.len());
    s.writes.push(Write::SetValueSet(set, members));
    if !done {
        let help = Some("pvs_remove wants what a pvs_add above this line said".to_string());
        return Err(s.fault(args.line, args.words[0], "the set has no such member", help));
    }
    s.list(args.line, items)
}
