//! Commands on tables: entries and default actions.

use super::commands::Args;
use super::error::Stop;
use super::live::live;
use super::session::Session;
use super::value;
use crate::entity::Table;
use crate::entry::{Entry, EntryTarget, KeyMatch, Write};
use crate::program::{ActionScope, Key, MatchKind, TableDecl};
use crate::types::Type;

/// Whether entries of a table have priorities.
pub(super) fn has_priority(table: &TableDecl) -> bool {
    let wild = |k: &Key| !matches!(k.kind, MatchKind::Exact | MatchKind::Lpm);
    table.keys.iter().any(wild)
}

/// What a command on a table's entries is about.
struct Subject<'p> {
    table: Table,
    decl: &'p TableDecl,
}

fn subject<'p, 'a, 't>(
    s: &mut Session<'p>,
    args: Args<'a, 't>,
) -> Result<(Subject<'p>, Args<'a, 't>), Stop> {
    let (name, rest) = args.first(s)?;
    let table = s.named(args.line, name, s.program.find_table(name.text))?;
    let program = s.program;
    match program.tables.get(table) {
        Some(decl) => Ok((Subject { table, decl }, rest)),
        None => Err(rest.unexpected(s, name)),
    }
}

/// How the target of an entry is said.
#[derive(Clone, Copy, PartialEq)]
enum By {
    Action,
    Member,
    Group,
}

pub(super) fn add(s: &mut Session, args: &Args) -> Result<(), Stop> {
    add_by(s, *args, By::Action)
}

pub(super) fn add_member(s: &mut Session, args: &Args) -> Result<(), Stop> {
    add_by(s, *args, By::Member)
}

pub(super) fn add_group(s: &mut Session, args: &Args) -> Result<(), Stop> {
    add_by(s, *args, By::Group)
}

fn add_by(s: &mut Session, args: Args, by: By) -> Result<(), Stop> {
    let (on, rest) = subject(s, args)?;
    writable(s, args, &on, by)?;
    let (action, rest) = entry_action(s, rest, &on, by)?;
    let (keys, values) = rest.arrow(s)?;
    // Keys and values are read both before giving up, so that the faults of either are reported.
    let keys = table_keys(s, keys, &on);
    let (idle_timeout_us, values) = timeout(s, values)?;
    let (priority, values) = priority(s, values, on.decl)?;
    let target = target(s, values, by, action)?;
    s.insert(on.table, Entry { keys: keys?, priority, target, idle_timeout_us });
    Ok(())
}

pub(super) fn modify(s: &mut Session, args: &Args) -> Result<(), Stop> {
    modify_by(s, *args, By::Action)
}

pub(super) fn modify_member(s: &mut Session, args: &Args) -> Result<(), Stop> {
    modify_by(s, *args, By::Member)
}

pub(super) fn modify_group(s: &mut Session, args: &Args) -> Result<(), Stop> {
    modify_by(s, *args, By::Group)
}

fn modify_by(s: &mut Session, args: Args, by: By) -> Result<(), Stop> {
    let (on, rest) = subject(s, args)?;
    writable(s, args, &on, by)?;
    let (action, rest) = entry_action(s, rest, &on, by)?;
    let (known, rest) = entry(s, rest, on.table)?;
    let rest = rest.skip_arrow();
    let (idle_timeout_us, rest) = timeout(s, rest)?;
    let target = target(s, rest, by, action)?;
    let (keys, priority) = (known.keys, known.priority);
    if let Some(handle) = known.handle {
        s.retarget(on.table, handle, false);
    }
    s.writes.push(Write::Modify(on.table, Entry { keys, priority, target, idle_timeout_us }));
    Ok(())
}

pub(super) fn delete(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (on, rest) = subject(s, *args)?;
    let (known, rest) = entry(s, rest, on.table)?;
    rest.end(s)?;
    if let Some(handle) = known.handle {
        s.retarget(on.table, handle, true);
    }
    let (keys, priority) = (known.keys, known.priority);
    s.writes.push(Write::Delete { table: on.table, keys, priority });
    Ok(())
}

pub(super) fn clear(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (on, rest) = subject(s, *args)?;
    rest.end(s)?;
    if on.decl.const_entries {
        let message = format_args!("the entries of {} are constant", on.decl.preamble.name);
        return Err(s.fault(args.line, args.words[0], message, None));
    }
    let all = live(s, args.line, on.table)?;
    s.clear(on.table, all);
    Ok(())
}

pub(super) fn set_timeout(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (on, rest) = subject(s, *args)?;
    let (handle, rest) = rest.one(s, "entry handle", u64::MAX)?;
    let (ms, rest) = rest.first(s)?;
    rest.end(s)?;
    let idle_timeout_us = milliseconds(s, rest, ms, ms.text)?;
    let Some(entry) = s.entry(on.table, handle as usize).cloned() else {
        return Err(no_entry(s, *args, args.words[1], on.table));
    };
    s.retarget(on.table, handle as usize, false);
    s.writes.push(Write::Modify(on.table, Entry { idle_timeout_us, ..entry }));
    Ok(())
}

pub(super) fn set_default(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (on, rest) = subject(s, *args)?;
    let (name, rest) = rest.first(s)?;
    let action = s.named(args.line, name, s.program.find_table_action(on.table, name.text))?;
    let scope =
        |r: &crate::program::ActionRef| r.action == action && r.scope == ActionScope::TableOnly;
    if on.decl.actions.iter().any(scope) {
        let message = format_args!("action {} is for entries only", name.text);
        return Err(s.fault(args.line, name, message, None));
    }
    not_constant(s, *args, &on)?;
    let call = rest.call(s, action)?;
    s.writes.push(Write::SetDefault(on.table, Some(call)));
    Ok(())
}

pub(super) fn reset_default(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (on, rest) = subject(s, *args)?;
    rest.end(s)?;
    not_constant(s, *args, &on)?;
    s.writes.push(Write::SetDefault(on.table, None));
    Ok(())
}

fn not_constant(s: &mut Session, args: Args, on: &Subject) -> Result<(), Stop> {
    if !on.decl.const_default {
        return Ok(());
    }
    let message = format_args!("the default action of {} is constant", on.decl.preamble.name);
    Err(s.fault(args.line, args.words[0], message, None))
}

/// Whether the table takes entries of this sort.
fn writable(s: &mut Session, args: Args, on: &Subject, by: By) -> Result<(), Stop> {
    let name = &on.decl.preamble.name;
    let word = args.words[0];
    if on.decl.const_entries {
        let message = format_args!("the entries of {name} are constant");
        return Err(s.fault(args.line, word, message, None));
    }
    let profile = on.decl.profile.and_then(|p| s.program.profiles.get(p));
    let (message, help) = match (by, profile) {
        (By::Action, Some(profile)) => (
            format!("the actions of {name} are in the profile {}", profile.preamble.name),
            "use act_prof_create_member and table_indirect_add",
        ),
        (By::Member | By::Group, None) => {
            (format!("{name} has no action profile"), "use table_add")
        }
        (By::Group, Some(profile)) if profile.selector.is_none() => (
            format!("the profile {} has no groups", profile.preamble.name),
            "use table_indirect_add",
        ),
        _ => return Ok(()),
    };
    Err(s.fault(args.line, word, message, Some(help.into())))
}

/// The action that the next word names, if targets are said by actions.
fn entry_action<'a, 't>(
    s: &mut Session,
    args: Args<'a, 't>,
    on: &Subject,
    by: By,
) -> Result<(Option<crate::entity::Action>, Args<'a, 't>), Stop> {
    if by != By::Action {
        return Ok((None, args));
    }
    let (name, rest) = args.first(s)?;
    let action = s.named(args.line, name, s.program.find_table_action(on.table, name.text))?;
    let scope = |r: &&crate::program::ActionRef| r.action == action;
    let scope = on.decl.actions.iter().find(scope).map(|r| r.scope);
    if scope == Some(ActionScope::DefaultOnly) {
        let message = format_args!("action {} is for the default only", name.text);
        let help = Some("use table_set_default".to_string());
        return Err(s.fault(args.line, name, message, help));
    }
    Ok((Some(action), rest))
}

fn target(
    s: &mut Session,
    args: Args,
    by: By,
    action: Option<crate::entity::Action>,
) -> Result<EntryTarget, Stop> {
    if let Some(action) = action {
        return args.call(s, action).map(EntryTarget::Action);
    }
    let what = if by == By::Member { "member" } else { "group" };
    let (number, rest) = args.one(s, what, u32::MAX.into())?;
    rest.end(s)?;
    let number = number as u32;
    Ok(if by == By::Member { EntryTarget::Member(number) } else { EntryTarget::Group(number) })
}

/// One match for every key; all faults are noted.
fn table_keys(s: &mut Session, args: Args, on: &Subject) -> Result<Vec<KeyMatch>, Stop> {
    let types: Vec<Type> = on
        .decl
        .keys
        .iter()
        .map(|k| s.program.type_of(&k.value, &[]).unwrap_or(Type::Bit(0)))
        .collect();
    if args.words.len() != types.len() {
        let list: Vec<String> =
            on.decl.keys.iter().zip(&types).map(|(k, ty)| describe(k, *ty)).collect();
        let help = match list.len() {
            0 => format!("table {} takes no keys", on.decl.preamble.name),
            1 => format!("table {} takes 1 key: {}", on.decl.preamble.name, list[0]),
            n => format!("table {} takes {n} keys: {}", on.decl.preamble.name, list.join(", ")),
        };
        let found = super::commands::there_are(args.words.len(), "key");
        return Err(match args.words.get(types.len()).or(args.words.last()) {
            Some(word) => s.fault(args.line, *word, found, Some(help)),
            None => s.fault_at_end(args.line, found, help),
        });
    }
    let mut out = Vec::with_capacity(types.len());
    let mut stop = None;
    for ((word, key), ty) in args.words.iter().zip(&on.decl.keys).zip(types) {
        match value::parse_key(key.kind, ty, word.text) {
            Ok(parsed) => out.push(parsed),
            Err(message) => {
                let help = Some(format!("write {}", describe(key, ty)));
                stop = Some(s.fault(args.line, *word, message, help));
            }
        }
    }
    stop.map_or(Ok(out), Err)
}

fn describe(key: &Key, ty: Type) -> String {
    format!("{} ({}, {ty}: {})", key.name, value::name(key.kind), value::format(key.kind))
}

/// Takes the priority off the end, where there is one.
fn priority<'a, 't>(
    s: &mut Session,
    args: Args<'a, 't>,
    decl: &TableDecl,
) -> Result<(u32, Args<'a, 't>), Stop> {
    if !has_priority(decl) {
        return Ok((0, args));
    }
    let help = "the last number is the entry's priority; the smaller one wins".to_string();
    let Some((last, words)) = args.words.split_last() else {
        return Err(s.fault_at_end(args.line, "the priority is missing", help));
    };
    match last.text.parse().ok().and_then(super::priority) {
        Some(priority) => Ok((priority, args.with(words))),
        None => {
            let short: String = last.text.chars().take(80).collect();
            let message = format_args!("`{short}` is no priority");
            Err(s.fault(args.line, *last, message, Some(help)))
        }
    }
}

/// Takes `timeout=MS` off the end.
fn timeout<'a, 't>(s: &mut Session, args: Args<'a, 't>) -> Result<(u64, Args<'a, 't>), Stop> {
    let (word, rest) = args.option("timeout");
    match word {
        Some(word) => {
            let text = word.text.split_once('=').map_or("", |(_, ms)| ms);
            Ok((milliseconds(s, args, word, text)?, rest))
        }
        None => Ok((0, rest)),
    }
}

/// Milliseconds with up to three decimals, as microseconds.
fn milliseconds(
    s: &mut Session,
    args: Args,
    word: super::lines::Word,
    text: &str,
) -> Result<u64, Stop> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    let us = (digits(whole) && digits(part) && part.len() <= 3)
        .then(|| format!("{whole}{part:0<3}").parse::<u64>().ok())
        .flatten();
    us.ok_or_else(|| {
        let help = Some("milliseconds, such as 500 or 0.25".to_string());
        s.fault(args.line, word, "this is no time", help)
    })
}

/// An entry that a command names.
pub(super) struct Known {
    pub keys: Vec<KeyMatch>,
    pub priority: u32,
    handle: Option<usize>,
}

/// Reads a handle, or keys and priority in brackets.
pub(super) fn entry<'a, 't>(
    s: &mut Session,
    args: Args<'a, 't>,
    table: Table,
) -> Result<(Known, Args<'a, 't>), Stop> {
    let (word, rest) = args.first(s)?;
    let program = s.program;
    let Some(decl) = program.tables.get(table) else { return Err(args.unexpected(s, word)) };
    if word.text == "[" {
        let Some(close) = rest.words.iter().position(|w| w.text == "]") else {
            return Err(s.fault(args.line, word, "the bracket is not closed", None));
        };
        let (inside, behind) = rest.words.split_at(close);
        let inside = rest.with(inside);
        let (priority, inside) = priority(s, inside, decl)?;
        let keys = table_keys(s, inside, &Subject { table, decl })?;
        let behind = rest.with(behind.get(1..).unwrap_or_default());
        return Ok((Known { keys, priority, handle: None }, behind));
    }
    let handle = s.number(args.line, word, "entry handle", u64::MAX)? as usize;
    match s.entry(table, handle) {
        Some(e) => {
            let known = Known { keys: e.keys.clone(), priority: e.priority, handle: Some(handle) };
            Ok((known, rest))
        }
        None => Err(no_entry(s, args, word, table)),
    }
}

fn no_entry(s: &mut Session, args: Args, word: super::lines::Word, table: Table) -> Stop {
    let help = format!(
        "handles count from 0; there are {} so far, deleted ones included. An entry can also be named \
         by its keys, in brackets",
        s.handles(table)
    );
    let message = format_args!("there is no entry {}", word.text);
    s.fault(args.line, word, message, Some(help))
}
