//! Finding what a person names.
//!
//! An object is known by its fully qualified name or by any suffix of it at a dot that only it has:
//! `Ing.acl` is also `acl` when no other table ends so. What is not found is answered with the names
//! that come near.

use crate::entity::{
    Action, Counter, Crc, Digest, Entity, Map, Meter, Profile, Register, Table, ValueSet,
};
use crate::program::{Preamble, Program};

/// Names that an error lists at most.
const LISTED: usize = 12;
/// Longer words are not compared with the known names.
const COMPARED: usize = 200;

/// Why a name is nobody's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing has it.
    #[error("there is no {kind} `{name}`")]
    Unknown {
        /// Kind of object.
        kind: &'static str,
        /// What was asked for.
        name: String,
        /// Known names that come near, the nearest first.
        similar: Vec<String>,
        /// Known names, not all of them when there are many.
        known: Vec<String>,
        /// How many there are.
        count: usize,
    },
    /// Several end so.
    #[error("`{name}` could be {}", quoted(.matches))]
    Ambiguous {
        /// Kind of object.
        kind: &'static str,
        /// What was asked for.
        name: String,
        /// Full names that end so.
        matches: Vec<String>,
    },
}

impl NameError {
    /// What would be accepted.
    pub fn help(&self) -> String {
        match self {
            NameError::Ambiguous { kind, .. } => format!("write the {kind}'s full name"),
            NameError::Unknown { kind, count: 0, .. } => format!("there is no {kind} at all"),
            NameError::Unknown { similar, .. } if !similar.is_empty() => {
                format!("did you mean {}?", quoted(similar))
            }
            NameError::Unknown { known, count, .. } => {
                let more = count.saturating_sub(known.len());
                let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
                format!("there are {}{rest}", quoted(known))
            }
        }
    }
}

fn quoted(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
    quoted.join(", ")
}

/// Whether `wanted` is `full` or a suffix of it at a dot.
pub fn ends_with(full: &str, wanted: &str) -> bool {
    match full.strip_suffix(wanted) {
        Some(rest) => !wanted.is_empty() && (rest.is_empty() || rest.ends_with('.')),
        None => false,
    }
}

/// Finds what `wanted` names among `all`. Full names come before suffixes. Where several have the very
/// same full name (p4c writes one action per table that uses it) the first one is taken.
pub fn find<'n, K: Copy>(
    kind: &'static str,
    wanted: &str,
    all: impl Iterator<Item = (K, &'n str)> + Clone,
) -> Result<K, NameError> {
    if let Some((key, _)) = all.clone().find(|(_, name)| *name == wanted) {
        return Ok(key);
    }
    let mut suffix = all.clone().filter(|(_, name)| ends_with(name, wanted));
    let name = wanted.chars().take(80).collect();
    let Some((key, first)) = suffix.next() else {
        let mut near: Vec<(f64, &str)> = all
            .clone()
            .map(|(_, known)| (likeness(known, wanted), known))
            .filter(|(likeness, _)| *likeness > 0.6)
            .collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0));
        let similar = near.iter().take(3).map(|(_, n)| n.to_string()).collect();
        let known = all.clone().take(LISTED).map(|(_, n)| n.to_string()).collect();
        return Err(NameError::Unknown { kind, name, similar, known, count: all.count() });
    };
    let others: Vec<String> =
        suffix.map(|(_, n)| n).filter(|n| *n != first).take(LISTED).map(str::to_string).collect();
    if others.is_empty() {
        return Ok(key);
    }
    let matches = std::iter::once(first.to_string()).chain(others).collect();
    Err(NameError::Ambiguous { kind, name, matches })
}

/// How alike two names are, from 0 to 1; the last part of the known name counts as well.
fn likeness(known: &str, wanted: &str) -> f64 {
    if known.len() > COMPARED || wanted.len() > COMPARED {
        return 0.0;
    }
    let last = known.rsplit('.').next().unwrap_or(known);
    let compare = strsim::normalized_damerau_levenshtein;
    compare(known, wanted).max(compare(last, wanted))
}

/// Names as iterators that can be walked twice.
macro_rules! finders {
    ($($(#[$doc:meta])* $find:ident $list:ident $kind:ty;)*) => {
        impl Program {$(
            $(#[$doc])*
            pub fn $find(&self, name: &str) -> Result<$kind, NameError> {
                let all: Vec<($kind, &str)> =
                    self.$list.iter().map(|(k, d)| (k, d.preamble.name.as_str())).collect();
                find(<$kind as Entity>::KIND, name, all.into_iter())
            }
        )*}
    };
}

finders! {
    /// The table with this name or unique suffix.
    find_table tables Table;
    /// The action with this name or unique suffix; of several with the same full name the first.
    find_action actions Action;
    /// The action profile with this name or unique suffix.
    find_profile profiles Profile;
    /// The counter array with this name or unique suffix.
    find_counter counters Counter;
    /// The meter array with this name or unique suffix.
    find_meter meters Meter;
    /// The register array with this name or unique suffix.
    find_register registers Register;
    /// The map with this name or unique suffix.
    find_map maps Map;
    /// The value set with this name or unique suffix.
    find_value_set value_sets ValueSet;
    /// The digest with this name or unique suffix.
    find_digest digests Digest;
}

impl Program {
    /// The action with this name or unique suffix among those that a table may run.
    pub fn find_table_action(&self, table: Table, name: &str) -> Result<Action, NameError> {
        self.find_action_among(self.tables.get(table).into_iter(), name)
    }

    /// The action with this name or unique suffix among those of the tables that use a profile.
    pub fn find_profile_action(&self, profile: Profile, name: &str) -> Result<Action, NameError> {
        self.find_action_among(self.tables.values().filter(|t| t.profile == Some(profile)), name)
    }

    /// The table whose direct counter has this name or unique suffix.
    pub fn find_direct_counter(&self, name: &str) -> Result<Table, NameError> {
        let all = self.tables.iter().filter_map(|(k, t)| Some((k, &t.counter.as_ref()?.preamble)));
        find_preamble("direct counter", name, all)
    }

    /// The table whose direct meter has this name or unique suffix.
    pub fn find_direct_meter(&self, name: &str) -> Result<Table, NameError> {
        let all = self.tables.iter().filter_map(|(k, t)| Some((k, &t.meter.as_ref()?.preamble)));
        find_preamble("direct meter", name, all)
    }

    /// The custom CRC with this name or unique suffix.
    pub fn find_crc(&self, name: &str) -> Result<Crc, NameError> {
        let all: Vec<(Crc, &str)> = self.crcs.iter().map(|(k, d)| (k, d.name.as_str())).collect();
        find(Crc::KIND, name, all.into_iter())
    }

    fn find_action_among<'p>(
        &'p self,
        tables: impl Iterator<Item = &'p crate::program::TableDecl>,
        name: &str,
    ) -> Result<Action, NameError> {
        let all = tables
            .flat_map(|t| &t.actions)
            .filter_map(|r| Some((r.action, &self.actions.get(r.action)?.preamble)));
        find_preamble(Action::KIND, name, all)
    }
}

fn find_preamble<'p, K: Copy>(
    kind: &'static str,
    name: &str,
    all: impl Iterator<Item = (K, &'p Preamble)>,
) -> Result<K, NameError> {
    let all: Vec<(K, &str)> = all.map(|(k, p)| (k, p.name.as_str())).collect();
    find(kind, name, all.into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 5] = ["Ing.acl", "Egr.acl", "Ing.sub.route", "route", "Ing.nexthop"];

    fn look(name: &str) -> Result<usize, NameError> {
        find("table", name, NAMES.iter().enumerate().map(|(i, n)| (i, *n)))
    }

    #[test]
    fn full_names_come_before_unique_suffixes() {
        assert_eq!(look("Ing.acl"), Ok(0));
        assert_eq!(look("route"), Ok(3));
        assert_eq!(look("sub.route"), Ok(2));
        assert_eq!(look("nexthop"), Ok(4));
        for wrong in ["hop", "", ".acl", "ub.route"] {
            assert!(matches!(look(wrong), Err(NameError::Unknown { .. })), "{wrong}");
        }
    }

    #[test]
    fn what_is_not_found_is_answered_with_what_is_near() {
        let error = look("nexthp").unwrap_err();
        assert_eq!(error.to_string(), "there is no table `nexthp`");
        assert_eq!(error.help(), "did you mean `Ing.nexthop`?");
        let error = look("acl").unwrap_err();
        assert_eq!(error.to_string(), "`acl` could be `Ing.acl`, `Egr.acl`");
        assert!(look("zzz").unwrap_err().help().starts_with("there are `Ing.acl`"));
    }
}
