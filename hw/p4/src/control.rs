//! The two halves: tables, conditions and calls, and what follows what.
//!
//! Between the program's tables stand tables of the compiler's, without keys and with a fixed action;
//! they become calls of the action, or what the action does.

use crate::actions::{Actions, Use, Uses, branch};
use crate::arrays::Direct;
use crate::error::{Fault, Faults, Result};
use crate::expr::read::Reader;
use crate::flow::{Circle, Emit, Flow, Graph, MAX_STEPS};
use crate::json::{Node, short};
use crate::objects::{Objects, known};
use crate::p4info::Info;
use crate::tables::Tables;
use restage_program::Type;
use restage_program::entity::{Action, Meta, Table};
use restage_program::expr::Expr;
use restage_program::stmt::{AfterApply, Block, Stmt, StmtKind, SwitchCase};
use std::collections::HashMap;

/// Whether a table is one of the compiler's.
fn is_hidden(node: &Node, info: &Info) -> bool {
    let name = node.name("name").unwrap_or("");
    let made =
        if info.given() { info.find("tables", name).is_none() } else { name.starts_with("tbl_") };
    let none = |key| node.list(key).is_ok_and(|l| l.is_empty());
    let fixed = node.opt("default_entry").is_some_and(|d| d.flag("action_const").unwrap_or(false));
    let one = node.list("action_ids").is_ok_and(|l| l.len() == 1);
    made && fixed
        && one
        && none("key")
        && none("entries")
        && node.name("type").is_ok_and(|t| t == "simple")
        && node.flag("with_counters").is_ok_and(|c| !c)
        && node.opt("direct_meters").is_none()
}

/// How often each action is named, and by whom.
pub(crate) fn uses(root: &Node, info: &Info) -> Result<Uses> {
    let mut uses = Uses::new();
    let mut add = |id: u32, hidden: bool| {
        let used = uses.entry(id).or_insert(Use { count: 0, hidden: true });
        used.count += 1;
        used.hidden &= hidden;
    };
    for pipeline in root.list("pipelines")? {
        for table in pipeline.list("tables")? {
            let hidden = is_hidden(&table, info);
            for id in table.list("action_ids")? {
                add(id.number()?, hidden);
            }
        }
        for call in pipeline.list("action_calls")? {
            add(call.get("action_id")?.number()?, true);
        }
    }
    Ok(uses)
}

/// Imports the pipelines `ingress` and `egress`.
pub(crate) fn halves(
    root: &Node,
    objects: &mut Objects,
    info: &Info,
    direct: &Direct,
    actions: &Actions,
    faults: &mut Faults,
) {
    let mut tables = Tables { objects, info, direct, actions, profiles: HashMap::new() };
    let Some(pipelines) = faults.keep(root.list("pipelines")) else { return };
    let mut seen = Vec::new();
    for pipeline in &pipelines {
        let Some(name) = faults.keep(pipeline.name("name")) else { continue };
        if !["ingress", "egress"].contains(&name) || seen.contains(&name) {
            let found = format!("the pipeline `{}`", short(name));
            faults.keep::<()>(Err(
                pipeline.fault(found, "one `ingress` and one `egress`, as simple_switch has")
            ));
            continue;
        }
        seen.push(name);
        let half = Half::read(pipeline, &mut tables, faults);
        let block = half.and_then(|half| half.block(pipeline, &mut tables));
        if let Some(block) = faults.keep(block) {
            let half = if name == "ingress" {
                &mut tables.objects.program.ingress
            } else {
                &mut tables.objects.program.egress
            };
            *half = block;
        }
    }
}

/// What a step of a half is.
enum Kind {
    /// A table, its actions or hit and miss with what follows them.
    Apply { table: Table, by: After },
    /// A call of a declared action.
    Call { action: Action, args: Vec<Expr> },
    /// The statements of an action that is not declared.
    Inline { id: u32 },
    /// A condition and what follows if it holds.
    If { then: usize },
}

enum After {
    Nothing,
    Hit(usize, usize),
    Action(Vec<(Action, usize)>),
}

struct Half<'a> {
    nodes: Vec<Node<'a>>,
    names: HashMap<&'a str, usize>,
    kinds: Vec<Kind>,
    next: Vec<Vec<usize>>,
}

impl<'a> Half<'a> {
    fn read(pipeline: &Node<'a>, tables: &mut Tables, faults: &mut Faults) -> Result<Self> {
        for profile in pipeline.list("action_profiles")? {
            faults.keep(tables.profile(&profile));
        }
        let lists = [
            pipeline.list("tables")?,
            pipeline.list("conditionals")?,
            pipeline.list("action_calls")?,
        ];
        let [first, second, _] = [lists[0].len(), lists[1].len(), lists[2].len()];
        let nodes: Vec<Node<'a>> = lists.into_iter().flatten().collect();
        if nodes.len() > MAX_STEPS {
            return Err(pipeline.fault(
                format!("{} tables and conditions", nodes.len()),
                format!("{MAX_STEPS} at most"),
            ));
        }
        let mut names = HashMap::new();
        for (i, node) in nodes.iter().enumerate() {
            let name = node.name("name")?;
            if names.insert(name, i).is_some() {
                return Err(node.fault(format!("a second `{}`", short(name)), "names that differ"));
            }
        }
        let mut half = Half { nodes: nodes.clone(), names, kinds: Vec::new(), next: Vec::new() };
        for (i, node) in nodes.iter().enumerate() {
            let step = if i < first {
                half.table(node, tables)
            } else if i < first + second {
                half.condition(node)
            } else {
                half.call(node, tables)
            };
            if let Some((kind, mut next)) = faults.keep(step) {
                let mut seen = Vec::new();
                next.retain(|n| {
                    !seen.contains(n) && {
                        seen.push(*n);
                        true
                    }
                });
                half.kinds.push(kind);
                half.next.push(next);
            }
        }
        if half.kinds.len() < half.nodes.len() {
            // Something is wrong with a step, and has been said.
            half.kinds.clear();
        }
        Ok(half)
    }

    fn target(&self, from: &Node, key: &str) -> Result<usize> {
        let Some(node) = from.opt(key) else { return Ok(self.nodes.len()) };
        let name = node.text()?;
        self.names.get(name).copied().ok_or_else(|| {
            let names: Vec<String> = self.names.keys().map(|n| n.to_string()).collect();
            let accepts = known("table or condition", names.iter());
            node.fault(format!("there is no `{}` in this pipeline", short(name)), accepts)
        })
    }

    fn table(&self, node: &Node, tables: &mut Tables) -> Result<(Kind, Vec<usize>)> {
        let follow = node.opt("next_tables");
        let empty = self.target(node, "base_default_next")?;
        if is_hidden(node, tables.info) {
            let next = match follow.map(|f| f.members()).transpose()?.as_deref() {
                Some([(name, _)]) => self.target(&node.get("next_tables")?, name)?,
                _ => empty,
            };
            let entry = node.get("default_entry")?;
            return Ok((
                self.direct(&entry.get("action_id")?, entry.opt("action_data"), tables)?,
                vec![next],
            ));
        }
        let listed = tables.listed_actions(node)?;
        let decl = tables.table(node)?;
        let allowed: Vec<Action> = decl.actions.iter().map(|a| a.action).collect();
        let table = tables.objects.program.tables.push(decl);
        let Some(follow) = follow else {
            return Ok((Kind::Apply { table, by: After::Nothing }, vec![empty]));
        };
        let members = follow.members()?;
        if members.iter().any(|(name, _)| *name == "__HIT__" || *name == "__MISS__") {
            let (hit, miss) = (self.target(&follow, "__HIT__")?, self.target(&follow, "__MISS__")?);
            if hit == miss {
                return Ok((Kind::Apply { table, by: After::Nothing }, vec![hit]));
            }
            return Ok((Kind::Apply { table, by: After::Hit(hit, miss) }, vec![hit, miss]));
        }
        let mut by = Vec::new();
        for action in allowed {
            let name = tables.objects.names.action_names.get(action.0 as usize);
            let target = match name.filter(|n| follow.opt(n).is_some()) {
                Some(name) => self.target(&follow, name)?,
                // Null is the end of the pipeline; the default that the input does not name is followed
                // by what follows when there is none.
                None if listed.contains(&action) => self.nodes.len(),
                None => empty,
            };
            by.push((action, target));
        }
        let next: Vec<usize> = by.iter().map(|(_, to)| *to).collect();
        let next = if next.is_empty() { vec![empty] } else { next };
        let by =
            if next.iter().all(|n| *n == next[0]) { After::Nothing } else { After::Action(by) };
        Ok((Kind::Apply { table, by }, next))
    }

    fn direct(&self, id: &Node, data: Option<Node>, tables: &Tables) -> Result<Kind> {
        let number = id.number()?;
        if tables.actions.inline.contains_key(&number) {
            return Ok(Kind::Inline { id: number });
        }
        let (_, action) = crate::actions::find(tables.objects, id)?;
        let params = tables.actions.params.get(&number).map_or(&[][..], Vec::as_slice);
        let args = match data {
            Some(data) => crate::actions::data(&data, params)?,
            None if params.is_empty() => Vec::new(),
            None => {
                return Err(id.fault(
                    "calls an action without its arguments",
                    "an action without parameters",
                ));
            }
        };
        let typed = args.into_iter().zip(params).map(|(value, p)| Expr::Const { ty: p.ty, value });
        Ok(Kind::Call { action, args: typed.collect() })
    }

    fn call(&self, node: &Node, tables: &Tables) -> Result<(Kind, Vec<usize>)> {
        let next = self.target(node, "next_node")?;
        Ok((self.direct(&node.get("action_id")?, None, tables)?, vec![next]))
    }

    fn condition(&self, node: &Node) -> Result<(Kind, Vec<usize>)> {
        let (then, otherwise) = (self.target(node, "true_next")?, self.target(node, "false_next")?);
        Ok((Kind::If { then }, vec![then, otherwise]))
    }

    fn block(self, pipeline: &Node, tables: &mut Tables) -> Result<Block> {
        if self.kinds.len() < self.nodes.len() {
            return Ok(Block::new());
        }
        let start = self.target(pipeline, "init_table")?;
        let flow = Flow::new(Graph { next: self.next, start }).map_err(|Circle(at)| {
            let node = self.nodes.get(at).unwrap_or(pipeline);
            node.fault(
                "tables that follow each other in a circle",
                "every packet passes a table once at most",
            )
        })?;
        let Tables { objects, actions, .. } = tables;
        flow.block(&mut Steps { nodes: &self.nodes, kinds: &self.kinds, objects, actions })
    }
}

struct Steps<'t, 'n> {
    nodes: &'t [Node<'n>],
    kinds: &'t [Kind],
    objects: &'t mut Objects,
    actions: &'t Actions,
}

impl Emit for Steps<'_, '_> {
    type Error = Box<Fault>;

    fn step(&mut self, step: usize, mut arms: Vec<(usize, Block)>) -> Result<Block> {
        let (Some(node), Some(kind)) = (self.nodes.get(step), self.kinds.get(step)) else {
            return Ok(Block::new());
        };
        let stmt = |kind| Stmt { kind, loc: node.loc() };
        let mut take = |to: usize| {
            let at = arms.iter().position(|(n, _)| *n == to);
            at.map_or(Block::new(), |at| arms.swap_remove(at).1)
        };
        Ok(match kind {
            Kind::Inline { id } => self.actions.inline.get(id).cloned().unwrap_or_default(),
            Kind::Call { action, args } => {
                vec![stmt(StmtKind::Call { action: *action, args: args.clone() })]
            }
            Kind::If { then } => {
                let mut reader =
                    Reader { objects: self.objects, params: &[], before: Some(Vec::new()) };
                let condition = reader.condition(&node.get("expression")?)?;
                let mut block = reader.before.take().unwrap_or_default();
                block.extend(branch(condition, arms, *then, node));
                block
            }
            Kind::Apply { table, by: After::Nothing } => {
                vec![stmt(StmtKind::Apply { table: *table, then: AfterApply::Nothing })]
            }
            Kind::Apply { table, by: After::Hit(hit, miss) } => {
                let then = AfterApply::Hit { hit: take(*hit), miss: take(*miss) };
                vec![stmt(StmtKind::Apply { table: *table, then })]
            }
            Kind::Apply { table, by: After::Action(by) } => {
                vec![stmt(StmtKind::Apply { table: *table, then: switch(by, take) })]
            }
        })
    }

    fn flag(&mut self, step: usize) -> Meta {
        let name = self.nodes.get(step).and_then(|n| n.name("name").ok()).unwrap_or("step");
        let plain: String =
            name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        self.objects.fresh(&format!("run_{plain}"), Type::Bool)
    }
}

/// The switch over what actions are followed by. What most are followed by is the default.
fn switch(by: &[(Action, usize)], mut take: impl FnMut(usize) -> Block) -> AfterApply {
    let mut targets: Vec<(usize, Vec<Action>)> = Vec::new();
    for (action, to) in by {
        match targets.iter_mut().find(|(t, _)| t == to) {
            Some((_, actions)) => actions.push(*action),
            None => targets.push((*to, vec![*action])),
        }
    }
    let mut cases: Vec<SwitchCase> =
        targets.into_iter().map(|(to, actions)| SwitchCase { actions, body: take(to) }).collect();
    // An empty default reads best; else the body that most actions share.
    let weight = |case: &SwitchCase| (case.body.is_empty(), case.actions.len());
    let Some(at) = (0..cases.len()).max_by_key(|i| (weight(&cases[*i]), std::cmp::Reverse(*i)))
    else {
        return AfterApply::Nothing;
    };
    let default = cases.remove(at).body;
    if default.is_empty() {
        cases.retain(|c| !c.body.is_empty());
    }
    if cases.is_empty() && default.is_empty() {
        return AfterApply::Nothing;
    }
    AfterApply::Switch { cases, default }
}
