//! Actions: their parameters, and their primitives as statements.
//!
//! The compiler makes actions of its own out of statements between tables. One that is called once
//! needs no name: [`Actions::inline`] has its statements, to be put where the call is.

use crate::error::{Faults, Result};
use crate::expr::read::Reader;
use crate::expr::{Num, read};
use crate::flow::{Circle, Emit, Flow, Graph, MAX_STEPS};
use crate::headers;
use crate::json::Node;
use crate::objects::Objects;
use crate::p4info::Info;
use crate::primitives;
use restage_program::Type;
use restage_program::entity::Meta;
use restage_program::expr::Expr;
use restage_program::program::{ActionDecl, FieldDecl};
use restage_program::stmt::{Block, Stmt, StmtKind};
use std::collections::HashMap;

/// Actions that are not declared because their one call is replaced by what they do.
#[derive(Default)]
pub(crate) struct Actions {
    pub inline: HashMap<u32, Block>,
    /// Parameters of all actions.
    pub params: HashMap<u32, Vec<FieldDecl>>,
}

/// How often each action is named, and whether only by a table of the compiler's.
pub(crate) type Uses = HashMap<u32, Use>;

#[derive(Default, Clone, Copy)]
pub(crate) struct Use {
    pub count: usize,
    pub hidden: bool,
}

/// Imports all actions.
pub(crate) fn actions(
    root: &Node,
    objects: &mut Objects,
    info: &Info,
    uses: &Uses,
    faults: &mut Faults,
) -> Actions {
    let mut out = Actions::default();
    for node in faults.keep(root.list("actions")).unwrap_or_default() {
        let import = action(&node, objects);
        let Some((id, name, params, body)) = faults.keep(import) else { continue };
        let used = uses.get(&id).copied().unwrap_or_default();
        let made = info.find("actions", name).is_none() && (info.given() || !name.contains('.'));
        if out.params.insert(id, params.clone()).is_some() {
            faults.keep::<()>(Err(
                node.fault(format!("a second action with id {id}"), "ids that differ")
            ));
        }
        if made && used.hidden && used.count == 1 && params.is_empty() {
            out.inline.insert(id, body);
            continue;
        }
        let preamble = info.preamble("actions", name, node.loc());
        let action = objects.program.actions.push(ActionDecl { preamble, params, body });
        objects.names.actions.insert(id, action);
        objects.names.action_names.push(name.to_string());
    }
    out
}

fn action<'a>(
    node: &Node<'a>,
    objects: &mut Objects,
) -> Result<(u32, &'a str, Vec<FieldDecl>, Block)> {
    let mut params = Vec::new();
    for param in node.list("runtime_data")? {
        let ty = Type::Bit(headers::width(&param.get("bitwidth")?)?);
        params.push(FieldDecl { name: param.name("name")?.to_string(), ty });
    }
    let body = body(node, objects, &params)?;
    Ok((node.get("id")?.number()?, node.name("name")?, params, body))
}

fn body(node: &Node, objects: &mut Objects, params: &[FieldDecl]) -> Result<Block> {
    let calls = node.list("primitives")?;
    let mut reader = Reader { objects, params, before: Some(Vec::new()) };
    let jumps = calls.iter().any(|c| c.name("op").is_ok_and(|op| op.starts_with("_jump")));
    if !jumps {
        let mut block = Block::new();
        for call in &calls {
            block.extend(primitives::statements(&mut reader, call)?);
        }
        return Ok(block);
    }
    if calls.len() > MAX_STEPS {
        return Err(node.fault(
            format!("{} primitives with jumps", calls.len()),
            format!("{MAX_STEPS} at most"),
        ));
    }
    let mut next = Vec::new();
    for (i, call) in calls.iter().enumerate() {
        next.push(match call.name("op")? {
            "_jump" => {
                let [to] = call.get("parameters")?.tuple()?;
                vec![offset(&mut reader, &to, calls.len())?]
            }
            "_jump_if_zero" => {
                let [_, to] = call.get("parameters")?.tuple()?;
                let to = offset(&mut reader, &to, calls.len())?;
                if to == i + 1 { vec![to] } else { vec![i + 1, to] }
            }
            _ => vec![i + 1],
        });
    }
    let flow = Flow::new(Graph { next, start: 0 }).map_err(|Circle(at)| {
        calls.get(at).unwrap_or(node).fault("jumps back: a loop", "jumps forward only")
    })?;
    flow.block(&mut Primitives { reader, calls })
}

fn offset(reader: &mut Reader, node: &Node, count: usize) -> Result<usize> {
    let number = match reader.num(node)? {
        Num::Const(c) => c.to_u32().map(|n| n as usize),
        _ => None,
    };
    match number {
        Some(to) if to <= count => Ok(to),
        _ => Err(node.fault(
            "jumps to a place that is not in the action",
            format!("a constant from 0 to {count}"),
        )),
    }
}

struct Primitives<'a, 'n> {
    reader: Reader<'a>,
    calls: Vec<Node<'n>>,
}

impl Emit for Primitives<'_, '_> {
    type Error = Box<crate::error::Fault>;

    fn step(&mut self, step: usize, arms: Vec<(usize, Block)>) -> Result<Block> {
        let Some(call) = self.calls.get(step).cloned() else { return Ok(Block::new()) };
        match call.name("op")? {
            "_jump" => Ok(Block::new()),
            "_jump_if_zero" => {
                let [condition, _] = call.get("parameters")?.tuple()?;
                self.reader.before = Some(Vec::new());
                let num = self.reader.number_or_truth(&condition)?;
                let condition =
                    self.reader.lowered(&condition, &crate::expr::Truth::NonZero(num))?;
                let mut block = self.reader.before.take().unwrap_or_default();
                block.extend(branch(condition, arms, step + 1, &call));
                Ok(block)
            }
            _ => primitives::statements(&mut self.reader, &call),
        }
    }

    fn flag(&mut self, step: usize) -> Meta {
        self.reader.objects.fresh(&format!("run_{step}"), Type::Bool)
    }
}

/// An `if` whose first arm is the one of step `taken`; nothing when both are empty.
pub(crate) fn branch(
    condition: Expr,
    arms: Vec<(usize, Block)>,
    taken: usize,
    node: &Node,
) -> Option<Stmt> {
    let (mut then, mut otherwise) = (Block::new(), Block::new());
    for (to, block) in arms {
        if to == taken { then = block } else { otherwise = block }
    }
    let (condition, then, otherwise) = match (then.is_empty(), otherwise.is_empty()) {
        (true, true) => return None,
        (true, false) => (negation(condition), otherwise, Block::new()),
        _ => (condition, then, otherwise),
    };
    Some(Stmt { kind: StmtKind::If { condition, then, otherwise }, loc: node.loc() })
}

fn negation(condition: Expr) -> Expr {
    use restage_program::op::Op;
    match condition {
        Expr::Op { op: Op::Not, mut args } if args.len() == 1 => args.remove(0),
        other => Expr::op(Op::Not, [other]),
    }
}

/// The action with the id at a node.
pub(crate) fn find(
    objects: &Objects,
    node: &Node,
) -> Result<(u32, restage_program::entity::Action)> {
    let id = node.number()?;
    match objects.names.actions.get(&id) {
        Some(action) => Ok((id, *action)),
        None => Err(node.fault(format!("there is no action with id {id}"), "the id of an action")),
    }
}

/// Action data: a value for each parameter.
pub(crate) fn data(node: &Node, params: &[FieldDecl]) -> Result<Vec<restage_program::Bits>> {
    let values = node.items()?;
    if values.len() != params.len() {
        return Err(node
            .fault(format!("{} arguments", values.len()), format!("{} arguments", params.len())));
    }
    let pairs = values.iter().zip(params);
    pairs.map(|(value, param)| fitting(value, param.ty.width())).collect()
}

/// A constant of so many bits at most.
pub(crate) fn fitting(node: &Node, width: u32) -> Result<restage_program::Bits> {
    let number = read::constant(node)?;
    if number.is_negative() || number.significant() > width {
        return Err(node.wrong(format!("a number of {width} bits")));
    }
    Ok(number.bits(width))
}
