//! Tables, their entries, and action profiles.

use crate::actions::{self, Actions, fitting};
use crate::arrays::Direct;
use crate::error::Result;
use crate::expr::Num;
use crate::expr::read::{Reader, Value, unknown};
use crate::json::{Node, short};
use crate::objects::Objects;
use crate::p4info::Info;
use crate::sums;
use restage_program::entity::{Action, Profile};
use restage_program::entry::{Entry, EntryTarget, KeyMatch};
use restage_program::expr::Expr;
use restage_program::op::Op;
use restage_program::program::{
    ActionCall, ActionDecl, ActionRef, ActionScope, DirectCounter, Key, MatchKind, Preamble,
    ProfileDecl, SelectorDecl, TableDecl, Unit,
};
use restage_program::{Bits, Type};
use std::collections::HashMap;

/// What tables are made with.
pub(crate) struct Tables<'a> {
    pub objects: &'a mut Objects,
    pub info: &'a Info,
    pub direct: &'a Direct,
    pub actions: &'a Actions,
    pub profiles: HashMap<String, Profile>,
}

impl Tables<'_> {
    /// Declares an action profile.
    pub fn profile(&mut self, node: &Node) -> Result<()> {
        let name = node.name("name")?;
        self.add_profile(name, profile_size(node)?, node, node.opt("selector"))
    }

    fn add_profile(
        &mut self,
        name: &str,
        size: u32,
        node: &Node,
        selector: Option<Node>,
    ) -> Result<()> {
        let found = self.info.find("action_profiles", name);
        let selector = match selector {
            Some(selector) => {
                Some(self.selector(&selector, found.map_or(0, |p| p.max_group_size()))?)
            }
            None => None,
        };
        let preamble = self.info.preamble("action_profiles", name, node.loc());
        let profile = self.objects.program.profiles.push(ProfileDecl { preamble, size, selector });
        if self.profiles.insert(name.to_string(), profile).is_some() {
            return Err(node
                .fault(format!("a second action profile `{}`", short(name)), "names that differ"));
        }
        Ok(())
    }

    fn selector(&mut self, node: &Node, max_group_size: u32) -> Result<SelectorDecl> {
        let algorithm = sums::algorithm(&node.get("algo")?)?;
        let input = node.get("input")?;
        let (items, payload) = sums::items(self.objects, &input)?;
        if payload {
            return Err(input.fault("a selector that hashes the payload", "fields"));
        }
        Ok(SelectorDecl { algorithm, items, max_group_size })
    }

    /// The declaration of a table.
    pub fn table(&mut self, node: &Node) -> Result<TableDecl> {
        let name = node.name("name")?;
        let found = self.info.find("tables", name);
        let named = found.map_or(Vec::new(), |t| t.keys());
        let key_nodes = node.list("key")?;
        let mut keys = Vec::new();
        for (i, key) in key_nodes.iter().enumerate() {
            let known = named.get(i).filter(|_| named.len() == key_nodes.len());
            keys.push(self.key(key, known.copied())?);
        }
        let profile = self.profile_of(node)?;
        let mut refs = Vec::new();
        for action in self.listed_actions(node)? {
            let preamble = &self.objects.program.actions[action].preamble;
            let scopes = found.map_or(Vec::new(), |t| t.action_refs());
            let scope = scopes
                .iter()
                .find(|(id, _)| self.info.action_name(*id) == Some(preamble.name.as_str()));
            refs.push(ActionRef {
                action,
                scope: scope.map_or(ActionScope::TableAndDefault, |s| s.1),
            });
        }
        let (default, const_default) = self.default_action(node, &mut refs)?;
        let entries = match node.opt("entries") {
            Some(list) => self.entries(&list, &keys)?,
            None => Vec::new(),
        };
        // The configuration does not tell `entries` from `const entries`.
        let const_entries = node.opt("entries").is_some() && found.is_none_or(|t| t.is_const());
        let size = node.opt("max_size").map_or(Ok(0), |n| n.number())?;
        // For a table with entries the configuration says how many these are; the P4Info says how many
        // fit, which matters unless they are all there ever are.
        let said = found.filter(|_| !const_entries).and_then(|t| t.size()).unwrap_or(0);
        let size = size.max(said).max(entries.len() as u32).max(1);
        let counted = node.flag("with_counters")?;
        let counter = self.direct.counters.get(name).cloned().or_else(|| {
            // P4-14 counts in tables without naming the counter.
            counted.then(|| DirectCounter {
                preamble: Preamble {
                    name: format!("{name}_counter"),
                    loc: node.loc(),
                    ..Preamble::default()
                },
                unit: Unit::Both,
            })
        });
        let meter = match node.opt("direct_meters") {
            Some(meter) => Some(Objects::find(&self.direct.meters, &meter, "direct meter array")?),
            None => None,
        };
        Ok(TableDecl {
            preamble: self.info.preamble("tables", name, node.loc()),
            keys,
            actions: refs,
            default,
            const_default,
            entries,
            const_entries,
            size,
            profile,
            counter,
            meter,
            idle_timeout: node.flag("support_timeout")?,
        })
    }

    fn profile_of(&mut self, node: &Node) -> Result<Option<Profile>> {
        match node.name("type")? {
            "simple" => return Ok(None),
            "indirect" | "indirect_ws" => {}
            other => {
                return Err(unknown(node, other, "a table type: simple, indirect, indirect_ws"));
            }
        }
        if let Some(name) = node.opt("action_profile") {
            return Ok(Some(Objects::find(&self.profiles, &name, "action profile")?));
        }
        // An old form: the profile is the table's own.
        let name = node.get("act_prof_name")?.text()?;
        self.add_profile(name, profile_size(node)?, node, node.opt("selector"))?;
        Ok(self.profiles.get(name).copied())
    }

    /// The actions that a table names: by id, or in an old form by name.
    pub fn listed_actions(&self, node: &Node) -> Result<Vec<Action>> {
        if node.opt("action_ids").is_some() {
            return node
                .list("action_ids")?
                .iter()
                .map(|id| Ok(actions::find(self.objects, id)?.1))
                .collect();
        }
        let by_name = |name: Node| {
            let wanted = name.text()?;
            let at = self.objects.names.action_names.iter().position(|n| n == wanted);
            let found = at.map(|at| Action(at as u32));
            found.ok_or_else(|| {
                name.fault(format!("there is no action `{}`", short(wanted)), "an action")
            })
        };
        node.list("actions")?.into_iter().map(by_name).collect()
    }

    fn default_action(
        &mut self,
        node: &Node,
        refs: &mut Vec<ActionRef>,
    ) -> Result<(ActionCall, bool)> {
        if let Some(entry) = node.opt("default_entry") {
            let id = entry.get("action_id")?;
            let (number, action) = actions::find(self.objects, &id)?;
            let args = match entry.opt("action_data") {
                Some(data) => actions::data(&data, self.params(number))?,
                None => Vec::new(),
            };
            self.allow(refs, action);
            return Ok((ActionCall { action, args }, entry.flag("action_const")?));
        }
        let said = self.info.find("tables", node.name("name")?).map_or(0, |t| t.default_action());
        let wanted = self.info.action_name(said).unwrap_or("NoAction");
        let program = &self.objects.program;
        let fits = |a: &Action| {
            program.actions[*a].preamble.name == wanted && program.actions[*a].params.is_empty()
        };
        let action = match refs.iter().map(|r| r.action).find(fits) {
            Some(action) => action,
            None => self.no_action(),
        };
        self.allow(refs, action);
        Ok((ActionCall { action, args: Vec::new() }, false))
    }

    fn params(&self, id: u32) -> &[restage_program::program::FieldDecl] {
        self.actions.params.get(&id).map_or(&[], Vec::as_slice)
    }

    fn allow(&self, refs: &mut Vec<ActionRef>, action: Action) {
        if refs.iter().all(|r| r.action != action) {
            refs.push(ActionRef { action, scope: ActionScope::DefaultOnly });
        }
    }

    /// The action that does nothing: a table of the input can be without a default.
    fn no_action(&mut self) -> Action {
        let nothing = |a: &ActionDecl| {
            a.preamble.name == "NoAction" && a.params.is_empty() && a.body.is_empty()
        };
        let found = self.objects.program.actions.iter().find(|(_, a)| nothing(a)).map(|(a, _)| a);
        if let Some(action) = found {
            return action;
        }
        let preamble = self.info.preamble("actions", "NoAction", Default::default());
        self.objects.program.actions.push(ActionDecl {
            preamble,
            params: Vec::new(),
            body: Vec::new(),
        })
    }

    fn key(&mut self, node: &Node, known: Option<(&str, bool)>) -> Result<Key> {
        let target = node.get("target")?;
        let kind = node.name("match_type")?;
        let mut own = String::new();
        let value = if kind == "valid" {
            // A header; compilers have also written the field `$valid$`.
            let header = if target.text().is_ok() {
                target.clone()
            } else {
                let [h, _] = target.tuple()?;
                h
            };
            own.push_str(header.text()?);
            Expr::Valid(restage_program::expr::HeaderRef::Header(self.objects.header(&header)?))
        } else {
            let [header, field] = target.tuple()?;
            own = format!("{}.{}", header.text()?, field.text()?);
            self.key_value(&target)?
        };
        let ty = self
            .objects
            .program
            .type_of(&value, &[])
            .map_err(|e| target.fault(e.to_string(), "a field"))?;
        let value = match node.opt("mask") {
            None => value,
            Some(mask) if ty.is_number() => {
                let mask = crate::expr::read::constant(&mask)?.bits(ty.width());
                if mask == Bits::ones(ty.width()) {
                    value
                } else {
                    Expr::op(Op::And, [value, Expr::Const { ty, value: mask }])
                }
            }
            Some(mask) => return Err(mask.fault("a mask on a key that is no number", "null")),
        };
        let kind = match (kind, known) {
            ("ternary", Some((_, true))) => MatchKind::Optional,
            ("exact" | "valid", _) => MatchKind::Exact,
            ("lpm", _) => MatchKind::Lpm,
            ("ternary", _) => MatchKind::Ternary,
            ("range", _) => MatchKind::Range,
            (other, _) => {
                return Err(unknown(
                    node,
                    other,
                    "a match type: exact, lpm, ternary, range, valid",
                ));
            }
        };
        let name = match (known, node.opt("name")) {
            (Some((name, _)), _) if !name.is_empty() => name.to_string(),
            (_, Some(name)) => name.text()?.to_string(),
            _ => own,
        };
        Ok(Key { name, value, kind })
    }

    fn key_value(&mut self, target: &Node) -> Result<Expr> {
        let field = self.objects.field(target)?;
        let mut reader = Reader { objects: self.objects, params: &[], before: None };
        match reader.read_field(target, field)? {
            Value::Num(Num::Leaf(expr, _)) => Ok(expr),
            Value::Num(Num::FromTruth(truth)) => reader.lowered(target, &truth),
            Value::Num(num) => reader.typed(target, &num, Type::Bit(32)),
            _ => Err(target.wrong("a field")),
        }
    }

    fn entries(&mut self, list: &Node, keys: &[Key]) -> Result<Vec<Entry>> {
        let ranked =
            |k: &Key| matches!(k.kind, MatchKind::Ternary | MatchKind::Range | MatchKind::Optional);
        let ranked = keys.iter().any(ranked);
        let mut entries = Vec::new();
        for node in list.items()? {
            let action = node.get("action_entry")?;
            let (id, called) = actions::find(self.objects, &action.get("action_id")?)?;
            let args = actions::data(&action.get("action_data")?, self.params(id))?;
            let matches = node.get("match_key")?;
            let nodes = matches.items()?;
            if nodes.len() != keys.len() {
                return Err(
                    matches.fault(format!("{} keys", nodes.len()), format!("{} keys", keys.len()))
                );
            }
            let mut found = Vec::new();
            for (key, node) in keys.iter().zip(&nodes) {
                found.push(self.key_match(node, key)?);
            }
            entries.push(Entry {
                keys: found,
                priority: match node.opt("priority") {
                    Some(priority) if ranked => priority.number()?,
                    _ => 0,
                },
                target: EntryTarget::Action(ActionCall { action: called, args }),
                idle_timeout_us: 0,
            });
        }
        // The smaller number wins in the input, the larger here.
        if let Some(last) = entries.iter().map(|e| e.priority).max().filter(|_| ranked) {
            for entry in &mut entries {
                entry.priority = (last - entry.priority).saturating_add(1);
            }
        }
        Ok(entries)
    }

    fn key_match(&self, node: &Node, key: &Key) -> Result<KeyMatch> {
        let ty = self
            .objects
            .program
            .type_of(&key.value, &[])
            .map_err(|e| node.fault(e.to_string(), "a key"))?;
        let width = ty.width();
        let value = |name: &str| fitting(&node.get(name)?, width);
        match (key.kind, node.name("match_type")?) {
            (MatchKind::Exact, "valid") => {
                Ok(KeyMatch::Exact(Bits::new(1, node.get("key")?.truth()?.into())))
            }
            (MatchKind::Exact, "exact") => Ok(KeyMatch::Exact(value("key")?)),
            (MatchKind::Lpm, "lpm") => {
                let length = node.get("prefix_length")?;
                match length.number()? {
                    n if n <= width => Ok(KeyMatch::lpm(&value("key")?, n)),
                    n => {
                        Err(length
                            .fault(format!("a prefix of {n} bits"), format!("{width} at most")))
                    }
                }
            }
            (MatchKind::Ternary, "ternary") => Ok(KeyMatch::masked(&value("key")?, value("mask")?)),
            (MatchKind::Optional, "ternary") => match value("mask")? {
                mask if mask.is_zero() => Ok(KeyMatch::Any),
                mask if mask == Bits::ones(width) => Ok(KeyMatch::Exact(value("key")?)),
                _ => Err(node.fault("an optional key under a mask", "a mask of zeros or of ones")),
            },
            (MatchKind::Range, "range") => {
                Ok(KeyMatch::Range { low: value("start")?, high: value("end")? })
            }
            (_, other) => Err(node.fault(
                format!("a match of type `{}`", short(other)),
                "the match type of the table's key",
            )),
        }
    }
}

/// BMv2 does not look at the size of a profile, and inputs have 0 for it.
fn profile_size(node: &Node) -> Result<u32> {
    let size = node.opt("max_size").map_or(Ok(0), |n| n.number())?;
    Ok(if size == 0 { 1024 } else { size })
}
