//! Tables and the entries that come with the program: rules B.

use super::cx::{Cx, Scope};
use super::expr::a;
use super::headers::sound;
use super::matches::Column;
use super::stmt::one_each;
use super::{MAX_ENTRIES, Rule};
use crate::entry::{Entry, EntryTarget, KeyMatch};
use crate::program::{ActionCall, ActionScope, MatchKind, TableDecl};
use crate::types::Type;
use std::collections::{HashMap, HashSet};

impl<'p> Cx<'p> {
    /// Checks all tables.
    pub fn tables(&mut self) {
        let p = self.p;
        let mut sharing: HashMap<_, (&TableDecl, HashSet<_>)> = HashMap::new();
        self.each(".tables", p.tables.values(), |cx, _, table| {
            cx.object("table", &table.preamble, |cx| {
                let types = cx.keys(table);
                cx.actions(table);
                cx.at(".default", |cx| cx.default_action(table));
                cx.size_of_table(table);
                cx.entries(table, &types);
                if let Some(meter) = &table.meter {
                    cx.at(".meter", |cx| {
                        cx.object("direct meter", &meter.preamble, |cx| {
                            cx.meter_unit(meter.unit);
                            cx.colour(&meter.dst, Scope::CONTROL);
                        });
                    });
                }
                let Some(profile) = table.profile else { return };
                if !cx.at(".profile", |cx| cx.exists(profile, p.profiles.len())) {
                    return;
                }
                let actions: HashSet<_> = table.actions.iter().map(|a| a.action).collect();
                let (first, want) = sharing.entry(profile).or_insert((table, actions.clone()));
                if *want != actions {
                    let found = format!(
                        "table `{}` has the same profile and other actions",
                        first.preamble.name
                    );
                    let accepts = cx.listed(first);
                    let related = super::Related {
                        what: "the other table".into(),
                        path: "tables".into(),
                        loc: first.preamble.loc.clone(),
                    };
                    cx.at(".profile", |cx| {
                        let accepts =
                            format!("the same actions in both, or a profile for each ({accepts})");
                        cx.fault_with(Rule::B13, found, accepts, vec![related]);
                    });
                }
            });
        });
    }

    fn keys(&mut self, table: &'p TableDecl) -> Vec<Option<Type>> {
        let mut types = Vec::new();
        let mut lpm: Option<&str> = None;
        self.each(".keys", &table.keys, |cx, i, key| {
            cx.about(format!("key {i} `{}`", key.name), |cx| {
                let ty = cx.at(".value", |cx| cx.expr(&key.value, Scope::CONTROL));
                types.push(ty);
                cx.at(".kind", |cx| {
                    let accepts = match (key.kind, ty) {
                        (MatchKind::Exact, _) | (_, None) => None,
                        (_, Some(Type::Error)) => Some("an error is matched with `exact`"),
                        (MatchKind::Lpm | MatchKind::Range, Some(Type::Bool)) => {
                            Some("a bool is matched with `exact`, `ternary` or `optional`")
                        }
                        _ => None,
                    };
                    if let (Some(accepts), Some(ty)) = (accepts, ty) {
                        cx.fault(
                            Rule::B01,
                            format!("{} key that is {}", word(key.kind), a(ty)),
                            accepts,
                        );
                    }
                    if key.kind == MatchKind::Lpm {
                        match lpm {
                            None => lpm = Some(&key.name),
                            Some(first) => {
                                let found = format!("a second lpm key; `{first}` is one");
                                cx.fault(Rule::B02, found, "one lpm key; `ternary` for the others");
                            }
                        }
                    }
                });
            });
        });
        types
    }

    fn actions(&mut self, table: &'p TableDecl) {
        let mut seen = HashSet::new();
        self.each(".actions", &table.actions, |cx, _, listed| {
            let there = cx.at(".action", |cx| cx.exists(listed.action, cx.p.actions.len()));
            if there && !seen.insert(listed.action) {
                let found = format!("action `{}` is listed twice", cx.action_name(listed.action));
                cx.fault(Rule::B03, found, "each action once");
            }
        });
    }

    fn default_action(&mut self, table: &'p TableDecl) {
        let call = &table.default;
        if !self.at(".action", |cx| cx.exists(call.action, cx.p.actions.len())) {
            return;
        }
        let name = self.action_name(call.action);
        let mut scopes = table.actions.iter().filter(|a| a.action == call.action).map(|a| a.scope);
        match scopes.next() {
            None => {
                let found = format!("the default action `{name}` is not listed");
                self.fault(Rule::B04, found, self.listed(table));
            }
            Some(ActionScope::TableOnly) => {
                let found = format!("the default action `{name}` is listed as table only");
                self.fault(Rule::B04, found, "an action listed for the default too");
            }
            Some(_) => {}
        }
        self.action_data(call);
    }

    fn action_data(&mut self, call: &'p ActionCall) {
        let Some(action) = self.p.actions.get(call.action) else { return };
        let name = &action.preamble.name;
        if call.args.len() != action.params.len() {
            self.fault(
                Rule::B05,
                format!("{} values for action `{name}`", call.args.len()),
                one_each(&action.params),
            );
        }
        self.each(".args", call.args.iter().zip(&action.params), |cx, _, (value, param)| {
            if sound(param.ty).is_some() && value.width() != param.ty.width() {
                let found = format!(
                    "{value:#x} of {} bits for `{}` of action `{name}`",
                    value.width(),
                    param.name
                );
                cx.fault(Rule::B05, found, a(param.ty));
            }
        });
    }

    fn size_of_table(&mut self, table: &TableDecl) {
        let needed = table.entries.len();
        if table.size == 0 || table.size > MAX_ENTRIES || (table.size as usize) < needed {
            self.at(".size", |cx| {
                let found = format!("its size is {}, it has {needed} entries", table.size);
                cx.fault(Rule::B10, found, format!("{} to {MAX_ENTRIES}", needed.max(1)));
            });
        }
    }

    fn entries(&mut self, table: &'p TableDecl, types: &[Option<Type>]) {
        if table.profile.is_some() && !table.entries.is_empty() {
            self.at(".entries", |cx| {
                let found = format!("{} entries in a table with a profile", table.entries.len());
                cx.fault(Rule::B11, found, "none; a control plane installs members, then entries");
            });
        }
        let ranked = table
            .keys
            .iter()
            .any(|k| matches!(k.kind, MatchKind::Ternary | MatchKind::Range | MatchKind::Optional));
        let mut seen: HashMap<(&[KeyMatch], u32), usize> = HashMap::new();
        self.each(".entries", &table.entries, |cx, i, entry| {
            cx.about(format!("entry {i}"), |cx| {
                cx.entry(table, entry, types, ranked);
                if let Some(first) = seen.insert((&entry.keys, entry.priority), i) {
                    let found = format!("keys and priority are those of entry {first}");
                    cx.fault(Rule::B09, found, "other keys, or another priority");
                }
            });
        });
    }

    fn entry(
        &mut self,
        table: &'p TableDecl,
        entry: &'p Entry,
        types: &[Option<Type>],
        ranked: bool,
    ) {
        if entry.keys.len() != table.keys.len() || table.keys.is_empty() {
            self.at(".keys", |cx| {
                let accepts = match table.keys.len() {
                    0 => "no entries: the table has no keys, its default action always runs"
                        .to_owned(),
                    n => format!("{n}, one for each key"),
                };
                cx.fault(Rule::B06, format!("{} matches", entry.keys.len()), accepts);
            });
        }
        self.each(".keys", entry.keys.iter().zip(&table.keys), |cx, i, (found, key)| {
            cx.about(format!("key {i} `{}`", key.name), |cx| {
                cx.key_match(found, Column::Key(key.kind), types.get(i).copied().flatten());
            });
        });
        if entry.priority != 0 && !ranked {
            self.at(".priority", |cx| {
                cx.fault(
                    Rule::B08,
                    format!("priority {}", entry.priority),
                    "0: only tables with a ternary, range or optional key have priorities",
                );
            });
        }
        if entry.idle_timeout_us != 0 && !table.idle_timeout {
            self.at(".idle_timeout_us", |cx| {
                let found = format!("a time-out of {} us", entry.idle_timeout_us);
                cx.fault(Rule::B12, found, "0, or `idle_timeout` in the table");
            });
        }
        self.at(".target", |cx| match &entry.target {
            EntryTarget::Action(call) => cx.at(".action", |cx| cx.entry_action(table, call)),
            EntryTarget::Member(_) | EntryTarget::Group(_) => cx.fault(
                Rule::B11,
                "an entry of the program that names a member or group",
                "an action; members and groups are installed by a control plane",
            ),
        });
    }

    fn entry_action(&mut self, table: &'p TableDecl, call: &'p ActionCall) {
        if !self.at(".action", |cx| cx.exists(call.action, cx.p.actions.len())) {
            return;
        }
        let name = self.action_name(call.action);
        let mut scopes = table.actions.iter().filter(|a| a.action == call.action).map(|a| a.scope);
        match scopes.next() {
            None => {
                let found = format!("action `{name}` is not listed");
                self.fault(Rule::B07, found, self.listed(table));
            }
            Some(ActionScope::DefaultOnly) => {
                let found = format!("action `{name}` is listed as default only");
                self.fault(Rule::B07, found, "an action listed for entries too");
            }
            Some(_) => {}
        }
        self.action_data(call);
    }
}

fn word(kind: MatchKind) -> &'static str {
    match kind {
        MatchKind::Exact => "an exact",
        MatchKind::Lpm => "an lpm",
        MatchKind::Ternary => "a ternary",
        MatchKind::Range => "a range",
        MatchKind::Optional => "an optional",
    }
}
