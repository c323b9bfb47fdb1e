//! Parser states and what is sent.

use crate::error::{Faults, Result};
use crate::expr::read::{Reader, position, unknown};
use crate::expr::{Num, Truth};
use crate::json::{Node, short};
use crate::lengths::{self, LengthExpressions};
use crate::objects::Objects;
use crate::p4info::Info;
use crate::primitives;
use restage_program::entity::{ErrorCode, State};
use restage_program::expr::{ElementIndex, Expr, HeaderRef};
use restage_program::program::{Elements, Emit, StateDecl, Target, ValueSetDecl};
use restage_program::stmt::{Block, Stmt, StmtKind};
use std::collections::HashMap;

/// Declares the value sets. Their columns are the P4Info's, or those of the first select that uses them.
pub(crate) fn value_sets(root: &Node, objects: &mut Objects, info: &Info) -> Result<()> {
    for node in root.list("parse_vsets")? {
        let name = node.name("name")?;
        let found = info.find("value_sets", name);
        let decl = ValueSetDecl {
            preamble: info.preamble("value_sets", name, node.loc()),
            columns: found.map_or(Vec::new(), |o| o.columns()),
            // The format has had the size since 2.18 only.
            size: found
                .and_then(|o| o.size())
                .or(node.opt("max_size").and_then(|s| s.number().ok()))
                .unwrap_or(1024),
        };
        let set = objects.program.value_sets.push(decl);
        objects.names.value_sets.insert(name.to_string(), set);
    }
    Ok(())
}

/// Imports the parser.
pub(crate) fn parser(
    root: &Node,
    objects: &mut Objects,
    lengths: &LengthExpressions,
    faults: &mut Faults,
) {
    let Some(parsers) = faults.keep(root.list("parsers")) else { return };
    if let Some(second) = parsers.get(1) {
        faults.keep::<()>(Err(second.fault("a second parser", "one parser, as simple_switch has")));
    }
    let Some(parser) = parsers.first() else { return };
    let Some(nodes) = faults.keep(parser.list("parse_states")) else { return };
    let mut states = HashMap::new();
    for (i, node) in nodes.iter().enumerate() {
        if let Some(name) = faults.keep(node.name("name"))
            && states.insert(name.to_string(), State(i as u32)).is_some()
        {
            faults.keep::<()>(Err(
                node.fault(format!("a second state `{}`", short(name)), "names that differ")
            ));
        }
    }
    for node in &nodes {
        let mut import = States { objects, states: &states, lengths };
        if let Some(state) = faults.keep(import.state(node)) {
            objects.program.states.push(state);
        }
    }
    let start = parser.opt("init_state").map(|n| Objects::find(&states, &n, "state"));
    if let Some(start) = start {
        objects.program.start = faults.keep(start);
    }
}

pub(crate) struct States<'a, 'n> {
    pub objects: &'a mut Objects,
    states: &'a HashMap<String, State>,
    lengths: &'a LengthExpressions<'n>,
}

impl States<'_, '_> {
    pub fn reader(&mut self) -> Reader<'_> {
        Reader { objects: self.objects, params: &[], before: Some(Vec::new()) }
    }

    fn state(&mut self, node: &Node) -> Result<StateDecl> {
        let mut body = Block::new();
        for op in node.list("parser_ops")? {
            body.extend(self.operation(&op)?);
        }
        let next = self.transition(node)?;
        Ok(StateDecl { name: node.name("name")?.to_string(), body, next, loc: node.loc() })
    }

    fn operation(&mut self, node: &Node) -> Result<Block> {
        let op = node.name("op")?;
        let one = || -> Result<Node> {
            let [param] = node.get("parameters")?.tuple()?;
            Ok(param)
        };
        let kind = match op {
            "extract" => {
                let header = self.extracted(&one()?)?;
                self.extract(node, header)?
            }
            "extract_VL" => {
                let [what, length] = node.get("parameters")?.tuple()?;
                let header = self.extracted(&what)?;
                let mut reader = self.reader();
                let num = reader.num(&length)?;
                StmtKind::ExtractVar { header, bits: reader.length(&length, &num)? }
            }
            "set" => return primitives::statements(&mut self.reader(), node),
            "verify" => return self.verify(node),
            "shift" => {
                let bytes = one()?;
                let bits = bytes.number()?.checked_mul(8);
                let bits = bits.ok_or_else(|| bytes.wrong("a number of bytes below 2^29"))?;
                StmtKind::Advance(Expr::bit(32, bits.into()))
            }
            "advance" => {
                let bits = one()?;
                let mut reader = self.reader();
                let num = reader.num(&bits)?;
                StmtKind::Advance(reader.length(&bits, &num)?)
            }
            "primitive" => {
                let call = one()?;
                let block = primitives::statements(&mut self.reader(), &call)?;
                if block.iter().any(|s| !may_stand_in_parser(&s.kind)) {
                    let name = short(call.name("op")?);
                    return Err(call.fault(
                        format!("`{name}` in a parser state"),
                        "assignments, header operations and registers",
                    ));
                }
                return Ok(block);
            }
            other => {
                return Err(unknown(
                    node,
                    other,
                    "a parser operation: extract, extract_VL, set, verify, shift, advance, primitive",
                ));
            }
        };
        Ok(vec![Stmt { kind, loc: node.loc() }])
    }

    fn extracted(&mut self, node: &Node) -> Result<HeaderRef> {
        let value = node.get("value")?;
        let next = |stack, member| HeaderRef::Element { stack, at: ElementIndex::Next, member };
        match node.name("type")? {
            "regular" => Ok(HeaderRef::Header(self.objects.header(&value)?)),
            "stack" => {
                Ok(next(Objects::find(&self.objects.names.stacks, &value, "header stack")?, 0))
            }
            "union_stack" => {
                let [stack, member] = value.tuple()?;
                let (stack, members) = self.reader().union_stack(&stack)?;
                Ok(next(stack, position(&members, &member)?))
            }
            other => Err(unknown(node, other, "what is extracted: regular, stack, union_stack")),
        }
    }

    fn extract(&mut self, node: &Node, header: HeaderRef) -> Result<StmtKind> {
        let wrong = |e: restage_program::typing::TypeError| node.fault(e.to_string(), "a header");
        let ty = self.objects.program.type_of_header(&header).map_err(wrong)?;
        if self.objects.program.header_types.get(ty).is_none_or(|t| t.varbit().is_none()) {
            return Ok(StmtKind::Extract(header));
        }
        let lengths = self.lengths;
        let bits = lengths::declared_length(&mut self.reader(), ty, lengths, node)?;
        Ok(StmtKind::ExtractVar { header, bits })
    }

    fn verify(&mut self, node: &Node) -> Result<Block> {
        let [condition, error] = node.get("parameters")?.tuple()?;
        let mut reader = self.reader();
        let condition = reader.truth(&condition)?;
        let (num, constant_code) = if error.is_number() {
            (None, Some(error.number()?))
        } else {
            match reader.num(&error)? {
                Num::Const(c) => (None, Some(c.to_u32().unwrap_or(u32::MAX))),
                num => (Some(num), None),
            }
        };
        let codes = reader.objects.names.error_codes.clone();
        let mut checks = Vec::new();
        match (num, constant_code) {
            (_, Some(code)) => match codes.iter().position(|c| *c == code) {
                Some(at) => checks.push((reader.lowered(node, &condition)?, at)),
                None => {
                    return Err(
                        error.fault(format!("there is no error {code}"), "the code of an error")
                    );
                }
            },
            // The error is computed: one check for each that it can be.
            (Some(num), None) => {
                for (at, code) in codes.iter().enumerate() {
                    let wanted = Num::Const(crate::expr::Int::from(*code));
                    let other = Truth::Compare(crate::expr::Compare::Ne, num.clone(), wanted);
                    let either = Truth::Or(Box::new(condition.clone()), Box::new(other));
                    checks.push((reader.lowered(node, &either)?, at));
                }
            }
            (None, None) => {}
        }
        let mut block = reader.before.take().unwrap_or_default();
        block.extend(checks.into_iter().map(|(condition, at)| Stmt {
            kind: StmtKind::Verify { condition, error: ErrorCode(at as u32) },
            loc: node.loc(),
        }));
        Ok(block)
    }

    pub fn target(&self, node: &Node) -> Result<Target> {
        match node.opt("next_state") {
            Some(name) => Ok(Target::State(Objects::find(self.states, &name, "state")?)),
            None => Ok(Target::Accept),
        }
    }
}

/// What [`StmtKind`] says may stand in parser states, of what primitives become.
fn may_stand_in_parser(kind: &StmtKind) -> bool {
    matches!(
        kind,
        StmtKind::Assign { .. }
            | StmtKind::CopyHeader { .. }
            | StmtKind::CopyStack { .. }
            | StmtKind::SetValid(_)
            | StmtKind::SetInvalid(_)
            | StmtKind::PushFront { .. }
            | StmtKind::PopFront { .. }
            | StmtKind::ReadRegister { .. }
            | StmtKind::WriteRegister { .. }
    )
}

/// Imports the deparser. Runs of all elements of a stack or all members of a union are sent as one.
pub(crate) fn deparser(root: &Node, objects: &mut Objects) -> Result<()> {
    let deparsers = root.list("deparsers")?;
    if let Some(second) = deparsers.get(1) {
        return Err(second.fault("a second deparser", "one deparser, as simple_switch has"));
    }
    let Some(deparser) = deparsers.first() else { return Ok(()) };
    for call in deparser.list("primitives")? {
        let mut reader = Reader { objects, params: &[], before: None };
        if !primitives::statements(&mut reader, &call)?.is_empty() {
            let name = short(call.name("op")?);
            return Err(
                call.fault(format!("`{name}` in a deparser"), "headers to be sent, and log_msg")
            );
        }
    }
    let mut order = Vec::new();
    for name in deparser.list("order")? {
        order.push(objects.header(&name)?);
    }
    let program = &mut objects.program;
    let mut groups = Vec::new();
    for (stack, decl) in program.stacks.iter() {
        let headers = match &decl.elements {
            Elements::Headers(headers) => headers.clone(),
            Elements::Unions(unions) => unions
                .iter()
                .filter_map(|u| program.unions.get(*u))
                .flat_map(|u| u.members.clone())
                .collect(),
        };
        groups.push((headers, Emit::Stack(stack)));
    }
    for (union, decl) in program.unions.iter() {
        groups.push((decl.members.clone(), Emit::Union(union)));
    }
    // A header starts at most one stack and one union; the longer run is tried first.
    groups.sort_by_key(|(headers, _)| std::cmp::Reverse(headers.len()));
    let mut starting: HashMap<_, Vec<(Vec<_>, Emit)>> = HashMap::new();
    for (headers, emit) in groups {
        if let Some(first) = headers.first() {
            starting.entry(*first).or_default().push((headers.clone(), emit));
        }
    }
    let mut rest = order.as_slice();
    while let Some(first) = rest.first() {
        let group = starting.get(first).and_then(|g| g.iter().find(|(h, _)| rest.starts_with(h)));
        let (emit, count) = group.map_or((Emit::Header(*first), 1), |(h, emit)| (*emit, h.len()));
        program.deparser.push(emit);
        rest = &rest[count..];
    }
    Ok(())
}
