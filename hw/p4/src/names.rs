//! Names that a program may have, out of names that an input has.
//!
//! The compiler's names mostly are well formed; old programs and other compilers also use `$`, `-` or
//! names of their own for the elements of stacks. Other characters than letters, digits and `_` become
//! `_`; a name that is taken gets a number.

use restage_program::Program;
use restage_program::entity::{Header, Stack};
use restage_program::program::Elements;
use std::collections::{HashMap, HashSet};

/// Longest name, some room for a number left.
const MAX_NAME: usize = 240;

/// An identifier.
pub(crate) fn identifier(name: &str) -> String {
    let mut out: String = name
        .chars()
        .take(MAX_NAME)
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    if out.chars().next().is_none_or(|c| c.is_ascii_digit()) {
        out.insert(0, '_');
    }
    out
}

/// Identifiers with dots between them and indices behind them.
pub(crate) fn dotted(name: &str) -> String {
    let short: String = name.chars().take(MAX_NAME).collect();
    let part = |part: &str| {
        let end = part.find('[').unwrap_or(part.len());
        let (front, mut indices) = part.split_at(end);
        while let Some((index, rest)) = indices.strip_prefix('[').and_then(|i| i.split_once(']')) {
            if index.is_empty() || !index.bytes().all(|b| b.is_ascii_digit()) {
                break;
            }
            indices = rest;
        }
        if indices.is_empty() { identifier(front) + &part[end..] } else { identifier(part) }
    };
    short.split('.').map(part).collect::<Vec<_>>().join(".")
}

/// The name of a field: an identifier; in metadata also the type of a struct, a dot and an identifier.
pub(crate) fn of_field(name: &str) -> String {
    if name.contains('.') { dotted(name) } else { identifier(name) }
}

/// The name of a key: printable characters.
pub(crate) fn printable(name: &str) -> String {
    let plain = |c: char| if (' '..='~').contains(&c) && c != '"' && c != '\\' { c } else { '_' };
    let out: String = name.chars().take(MAX_NAME).map(plain).collect();
    if out.is_empty() { "key".into() } else { out }
}

/// The name, or the name and a number when it is taken.
pub(crate) fn unique(taken: &mut HashSet<String>, hint: &str) -> String {
    let mut name = hint.to_string();
    let mut number = 1;
    while !taken.insert(name.clone()) {
        number += 1;
        name = format!("{hint}_{number}");
    }
    name
}

/// Names for headers, unions and stacks: elements are named after their stack, members after their
/// union. `members` has the names that a union's type gives to its members.
pub(crate) fn name_headers(program: &mut Program, members: &HashMap<String, Vec<String>>) {
    let mut taken = HashSet::new();
    let mut headers: HashMap<Header, String> = HashMap::new();
    let mut unions: Vec<Option<String>> = vec![None; program.unions.len()];
    let stacks: Vec<Stack> = program.stacks.keys().collect();
    for stack in stacks {
        let decl = &mut program.stacks[stack];
        decl.name = unique(&mut taken, &dotted(&decl.name));
        for i in 0..decl.elements.len() {
            let name = format!("{}[{i}]", decl.name);
            taken.insert(name.clone());
            match &decl.elements {
                Elements::Headers(elements) => drop(headers.insert(elements[i], name)),
                Elements::Unions(elements) => unions[elements[i].0 as usize] = Some(name),
            }
        }
    }
    for (union, decl) in program.unions.iter_mut() {
        decl.name = match unions[union.0 as usize].take() {
            Some(name) => name,
            None => unique(&mut taken, &dotted(&decl.name)),
        };
        let types = members.get(&decl.type_name).map_or(&[][..], Vec::as_slice);
        for (header, member) in decl.members.iter().zip(types) {
            headers.insert(
                *header,
                unique(&mut taken, &format!("{}.{}", decl.name, identifier(member))),
            );
        }
        decl.type_name = dotted(&decl.type_name);
    }
    for (header, decl) in program.headers.iter_mut() {
        decl.name = match headers.remove(&header) {
            Some(name) => name,
            None => unique(&mut taken, &dotted(&decl.name)),
        };
    }
}

/// Names that differ for the rest: what the input does not keep apart.
pub(crate) fn name_rest(program: &mut Program) {
    let mut taken = HashSet::new();
    for list in program.field_lists.values_mut() {
        list.name = unique(&mut taken, &dotted(&list.name));
    }
    let mut taken = HashSet::new();
    for state in program.states.values_mut() {
        state.name = unique(&mut taken, &dotted(&state.name));
    }
    let mut taken = HashSet::new();
    for table in program.tables.values_mut() {
        let mut keys = HashSet::new();
        for key in &mut table.keys {
            key.name = unique(&mut keys, &printable(&key.name));
        }
        if let Some(counter) = &mut table.counter {
            counter.preamble.name = unique(&mut taken, &counter.preamble.name);
        }
    }
    for action in program.actions.values_mut() {
        let mut params = HashSet::new();
        for param in &mut action.params {
            param.name = unique(&mut params, &identifier(&param.name));
        }
    }
    for digest in program.digests.values_mut() {
        let mut fields = HashSet::new();
        for (field, _) in &mut digest.fields {
            field.name = unique(&mut fields, &identifier(&field.name));
        }
    }
    for set in program.value_sets.values_mut() {
        let mut columns = HashSet::new();
        for column in &mut set.columns {
            column.name = unique(&mut columns, &identifier(&column.name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_well_formed_and_stay_when_they_are() {
        for (name, want) in [
            ("Ing.route", "Ing.route"),
            ("hops[3]", "hops[3]"),
            ("a[1].b[2][3]", "a[1].b[2][3]"),
            ("fabric-full", "fabric_full"),
            ("a[x]", "a_x_"),
            ("9lives", "_9lives"),
            ("", "_"),
            ("a..b", "a._.b"),
            ("ä", "_"),
        ] {
            assert_eq!(dotted(name), want);
        }
    }
}
