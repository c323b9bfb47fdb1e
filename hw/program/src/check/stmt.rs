//! Statements: where each may stand, and the types it takes. Rules S, and those for uses of state.

use super::cx::{Cx, Half, Scope, Spot};
use super::expr::a;
use super::{MAX_DEPTH, Rule};
use crate::entity::{Action, Entity, Stack, Table};
use crate::expr::{Expr, HeaderRef, Place};
use crate::program::{ActionDecl, Elements};
use crate::stmt::{AfterApply, Stmt, StmtKind, SwitchCase};
use crate::types::Type;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Tables that may have been applied, and where.
pub(super) type Applied = BTreeMap<Table, Rc<Spot>>;

/// What a block belongs to.
#[derive(Clone, Copy)]
pub(super) enum Context<'p> {
    State,
    Action(Action, &'p ActionDecl),
    Half(Half),
}

impl<'p> Context<'p> {
    fn scope(self) -> Scope<'p> {
        match self {
            Context::State => Scope::PARSER,
            Context::Action(_, decl) => Scope { parser: false, params: Some(&decl.params) },
            Context::Half(_) => Scope::CONTROL,
        }
    }
}

/// Where a kind of statement may stand.
#[derive(Clone, Copy)]
enum Stands {
    Anywhere,
    State,
    ActionOrHalf,
    Half,
    /// In one half, and in actions which that half alone runs.
    Only(Half),
}

impl Stands {
    fn accepts(self) -> &'static str {
        match self {
            Stands::Anywhere => "anywhere",
            Stands::State => "parser states only",
            Stands::ActionOrHalf => "actions, ingress and egress only",
            Stands::Half => "ingress and egress only",
            Stands::Only(Half::Ingress) => "ingress and its actions only",
            Stands::Only(Half::Egress) => "egress and its actions only",
        }
    }
}

/// The statement's name in the serde form, the name a P4 programmer knows, and where it may stand.
fn describe(kind: &StmtKind) -> (&'static str, &'static str, Stands) {
    use Stands::{ActionOrHalf, Anywhere, Only, State};
    match kind {
        StmtKind::Assign { .. } => ("assign", "assignment", Anywhere),
        StmtKind::CopyHeader { .. } => ("copy_header", "header copy", Anywhere),
        StmtKind::CopyStack { .. } => ("copy_stack", "stack copy", Anywhere),
        StmtKind::SetValid(_) => ("set_valid", "setValid", Anywhere),
        StmtKind::SetInvalid(_) => ("set_invalid", "setInvalid", Anywhere),
        StmtKind::PushFront { .. } => ("push_front", "push_front", Anywhere),
        StmtKind::PopFront { .. } => ("pop_front", "pop_front", Anywhere),
        StmtKind::Extract(_) => ("extract", "extract", State),
        StmtKind::ExtractVar { .. } => ("extract_var", "extract", State),
        StmtKind::Advance(_) => ("advance", "advance", State),
        StmtKind::Verify { .. } => ("verify", "verify", State),
        StmtKind::If { .. } => ("if", "if", ActionOrHalf),
        StmtKind::Apply { .. } => ("apply", "apply", Stands::Half),
        StmtKind::Call { .. } => ("call", "action call", Stands::Half),
        StmtKind::Exit => ("exit", "exit", ActionOrHalf),
        StmtKind::MarkToDrop => ("mark_to_drop", "mark_to_drop", ActionOrHalf),
        StmtKind::Count { .. } => ("count", "count", ActionOrHalf),
        StmtKind::ExecuteMeter { .. } => ("execute_meter", "execute_meter", ActionOrHalf),
        StmtKind::ReadRegister { .. } => ("read_register", "register read", Anywhere),
        StmtKind::WriteRegister { .. } => ("write_register", "register write", Anywhere),
        StmtKind::MapLookup { .. } => ("map_lookup", "map lookup", ActionOrHalf),
        StmtKind::MapPut { .. } => ("map_put", "map put", ActionOrHalf),
        StmtKind::MapRemove { .. } => ("map_remove", "map remove", ActionOrHalf),
        StmtKind::Hash { .. } => ("hash", "hash", ActionOrHalf),
        StmtKind::Random { .. } => ("random", "random", ActionOrHalf),
        StmtKind::Digest(_) => ("digest", "digest", Only(Half::Ingress)),
        StmtKind::CloneIngress { .. } => ("clone_ingress", "ingress clone", Only(Half::Ingress)),
        StmtKind::CloneEgress { .. } => ("clone_egress", "egress clone", Only(Half::Egress)),
        StmtKind::Resubmit { .. } => ("resubmit", "resubmit", Only(Half::Ingress)),
        StmtKind::Recirculate { .. } => ("recirculate", "recirculate", Only(Half::Egress)),
        StmtKind::Truncate { .. } => ("truncate", "truncate", ActionOrHalf),
    }
}

impl<'p> Cx<'p> {
    /// Checks statements in order.
    pub fn block(&mut self, block: &'p [Stmt], context: Context<'p>) {
        if self.stmt_depth == MAX_DEPTH {
            if !block.is_empty() {
                self.fault(
                    Rule::L01,
                    format!("statements are nested more than {MAX_DEPTH} deep"),
                    "a switch instead of a chain of ifs, or an action called for the inner part",
                );
            }
            return;
        }
        self.stmt_depth += 1;
        self.each("", block, |cx, _, stmt| cx.said(&stmt.loc, |cx| cx.stmt(&stmt.kind, context)));
        self.stmt_depth -= 1;
    }

    fn stmt(&mut self, kind: &'p StmtKind, context: Context<'p>) {
        let (tag, word, stands) = describe(kind);
        // The blocks inside have their own statements, which name themselves.
        let nests = matches!(kind, StmtKind::If { .. } | StmtKind::Apply { .. });
        self.at(format_args!(".{tag}"), |cx| {
            cx.about(word, |cx| {
                cx.stands(stands, context, word);
                if !nests {
                    cx.simple(kind, context.scope());
                    cx.flow(kind, context);
                }
            });
            match kind {
                StmtKind::If { condition, then, otherwise } => {
                    cx.about(word, |cx| {
                        cx.at(".condition", |cx| cx.condition(condition, context.scope()));
                    });
                    cx.branches(
                        context,
                        [
                            (".then".to_owned(), then.as_slice()),
                            (".otherwise".to_owned(), otherwise),
                        ],
                    );
                }
                StmtKind::Apply { table, then } => cx.apply(*table, then, context),
                _ => {}
            }
        });
    }

    fn stands(&mut self, stands: Stands, context: Context<'p>, word: &'static str) {
        let (legal, found) = match (stands, context) {
            (Stands::Anywhere, _) => return,
            (Stands::State, Context::State) => return,
            (Stands::Only(half), Context::Action(action, _)) => {
                let spot = self.spot();
                self.half_only.push((action, half, word, spot));
                return;
            }
            (Stands::ActionOrHalf, context) => (!matches!(context, Context::State), context),
            (Stands::Half, context) => (matches!(context, Context::Half(_)), context),
            (Stands::Only(want), context) => {
                (matches!(context, Context::Half(half) if half == want), context)
            }
            (Stands::State, context) => (false, context),
        };
        if !legal {
            let found = match found {
                Context::State => "in a parser state",
                Context::Action(..) => "in an action",
                Context::Half(Half::Ingress) => "in ingress",
                Context::Half(Half::Egress) => "in egress",
            };
            self.fault(Rule::S01, format!("`{word}` {found}"), stands.accepts());
        }
    }

    /// What a statement without blocks does to the paths through a half.
    fn flow(&mut self, kind: &'p StmtKind, context: Context<'p>) {
        let Context::Half(half) = context else { return };
        match kind {
            StmtKind::Exit => self.applied = None,
            StmtKind::Call { action, .. } => {
                self.runs(*action, half);
                if self.p.actions.get(*action).is_some_and(|a| exits(&a.body, 0)) {
                    self.applied = None;
                }
            }
            _ => {}
        }
    }

    fn runs(&mut self, action: Action, half: Half) {
        if !self.action_halves.contains_key(&(action, half)) {
            let spot = self.spot();
            self.action_halves.insert((action, half), spot);
        }
    }

    /// Checks blocks of which one is executed.
    fn branches<'b>(
        &mut self,
        context: Context<'p>,
        blocks: impl IntoIterator<Item = (String, &'b [Stmt])>,
    ) where
        'p: 'b,
        'b: 'p,
    {
        let before = self.applied.take();
        let mut after: Option<Applied> = None;
        for (step, block) in blocks {
            self.applied = before.clone();
            self.at(step, |cx| cx.block(block, context));
            match (&mut after, self.applied.take()) {
                (Some(all), Some(this)) => all.extend(this),
                (None, this) => after = this,
                (Some(_), None) => {}
            }
        }
        self.applied = after;
    }

    fn apply(&mut self, table: Table, then: &'p AfterApply, context: Context<'p>) {
        let there =
            self.at(".table", |cx| cx.about("apply", |cx| cx.exists(table, cx.p.tables.len())));
        let decl = self.p.tables.get(table);
        if there && let (Some(decl), Context::Half(half)) = (decl, context) {
            self.once(table, &decl.preamble.name, half);
            for action in decl.actions.iter().map(|a| a.action).chain([decl.default.action]) {
                self.about(format!("table `{}`", decl.preamble.name), |cx| cx.runs(action, half));
            }
        }
        match then {
            AfterApply::Nothing => {}
            AfterApply::Hit { hit, miss } => self.at(".then.hit", |cx| {
                cx.branches(
                    context,
                    [(".hit".to_owned(), hit.as_slice()), (".miss".to_owned(), miss)],
                );
            }),
            AfterApply::Switch { cases, default } => self.at(".then.switch", |cx| {
                if let Some(decl) = decl {
                    cx.about("switch", |cx| cx.cases(cases, decl));
                }
                let blocks = cases.iter().enumerate();
                let blocks = blocks.map(|(i, c)| (format!(".cases[{i}].body"), c.body.as_slice()));
                cx.branches(context, blocks.chain([(".default".to_owned(), default.as_slice())]));
            }),
        }
    }

    /// A table is applied in one half, and there once on every path.
    fn once(&mut self, table: Table, name: &str, half: Half) {
        let spot = Rc::new(self.spot());
        match self.table_half.get(&table) {
            Some((first, at)) if *first != half => {
                let found =
                    format!("table `{name}` is applied in {} and {}", first.name(), half.name());
                let related = vec![at.related("applied here first")];
                self.fault_with(Rule::S09, found, "one table for each half", related);
            }
            Some(_) => {}
            None => {
                self.table_half.insert(table, (half, (*spot).clone()));
            }
        }
        if let Some(first) = self.applied.as_ref().and_then(|a| a.get(&table)).cloned() {
            self.fault_with(
                Rule::S10,
                format!("table `{name}` is applied a second time on a path"),
                "one application of a table per packet, or several in branches that exclude each other",
                vec![first.related("applied here before")],
            );
        } else if let Some(applied) = &mut self.applied {
            applied.insert(table, spot);
        }
    }

    fn cases(&mut self, cases: &'p [SwitchCase], table: &'p crate::program::TableDecl) {
        let mut seen = Vec::new();
        self.each(".cases", cases, |cx, _, case| {
            cx.each(".actions", &case.actions, |cx, _, action| {
                if !cx.exists(*action, cx.p.actions.len()) {
                    return;
                }
                let name = cx.action_name(*action);
                if !table.actions.iter().any(|a| a.action == *action) {
                    let found =
                        format!("action `{name}` is none of table `{}`", table.preamble.name);
                    cx.fault(Rule::S07, found, cx.listed(table));
                } else if seen.contains(action) {
                    let found = format!("action `{name}` has a case already");
                    cx.fault(Rule::S07, found, "one case for an action");
                } else {
                    seen.push(*action);
                }
            });
        });
    }

    /// Checks what a statement without blocks takes.
    fn simple(&mut self, kind: &'p StmtKind, scope: Scope<'p>) {
        let p = self.p;
        match kind {
            StmtKind::Assign { dst, src } => self.assign(dst, src, scope),
            StmtKind::CopyHeader { dst, src } => {
                let to = self.at(".dst", |cx| cx.header(dst, scope));
                let from = self.at(".src", |cx| cx.header(src, scope));
                if let (Some(to), Some(from)) = (to, from)
                    && to != from
                {
                    let found = format!(
                        "`{}` of type `{}` from `{}` of type `{}`",
                        self.header_name(dst),
                        self.type_name(to),
                        self.header_name(src),
                        self.type_name(from)
                    );
                    self.fault(Rule::S03, found, "two headers of one type");
                }
            }
            StmtKind::CopyStack { dst, src } => self.copy_stack(*dst, *src),
            StmtKind::SetValid(header) | StmtKind::SetInvalid(header) => {
                self.header(header, scope);
            }
            StmtKind::PushFront { stack, count } | StmtKind::PopFront { stack, count } => {
                self.at(".stack", |cx| cx.exists(*stack, p.stacks.len()));
                if *count == 0 {
                    self.at(".count", |cx| cx.fault(Rule::S05, "by 0 elements", "1 or more"));
                }
            }
            StmtKind::Extract(header) => {
                let ty = self.header(header, scope);
                self.extracted(header, ty, false);
            }
            StmtKind::ExtractVar { header, bits } => {
                let ty = self.at(".header", |cx| cx.header(header, scope));
                self.extracted(header, ty, true);
                self.at(".bits", |cx| cx.bit32(bits, scope, "the length"));
            }
            StmtKind::Advance(bits) => self.bit32(bits, scope, "the distance"),
            StmtKind::Verify { condition, error } => {
                self.at(".condition", |cx| cx.condition(condition, scope));
                self.at(".error", |cx| cx.exists(*error, p.errors.len()));
            }
            StmtKind::Call { action, args } => self.call(*action, args, scope),
            StmtKind::Hash { dst, base, items, max, .. } => {
                self.at(".dst", |cx| cx.sum_place(dst, scope));
                self.at(".base", |cx| cx.unsigned(base, scope, "the base"));
                self.at(".max", |cx| cx.unsigned(max, scope, "the number of results"));
                self.items(items, scope, false);
            }
            StmtKind::Random { dst, low, high } => {
                let ty = self.at(".dst", |cx| {
                    let ty = cx.place(dst, scope)?;
                    if matches!(ty, Type::Bit(_)) {
                        return Some(ty);
                    }
                    let found = format!("`{}` is {}", cx.place_name(dst), a(ty));
                    cx.fault(Rule::E04, found, "a bit of any width");
                    None
                });
                self.at(".low", |cx| cx.exactly(low, scope, "the smallest number", ty));
                self.at(".high", |cx| cx.exactly(high, scope, "the largest number", ty));
            }
            StmtKind::Digest(digest) => {
                self.exists(*digest, p.digests.len());
            }
            StmtKind::CloneIngress { session, keep } | StmtKind::CloneEgress { session, keep } => {
                self.at(".session", |cx| cx.unsigned(session, scope, "the session"));
                self.keep(*keep);
            }
            StmtKind::Resubmit { keep } | StmtKind::Recirculate { keep } => self.keep(*keep),
            StmtKind::Truncate { bytes } => {
                self.at(".bytes", |cx| cx.bit32(bytes, scope, "the length"));
            }
            StmtKind::Count { .. }
            | StmtKind::ExecuteMeter { .. }
            | StmtKind::ReadRegister { .. }
            | StmtKind::WriteRegister { .. }
            | StmtKind::MapLookup { .. }
            | StmtKind::MapPut { .. }
            | StmtKind::MapRemove { .. } => self.uses_state(kind, scope),
            StmtKind::If { .. }
            | StmtKind::Apply { .. }
            | StmtKind::Exit
            | StmtKind::MarkToDrop => {}
        }
    }

    fn assign(&mut self, dst: &'p Place, src: &'p Expr, scope: Scope<'p>) {
        let to = self.at(".dst", |cx| cx.place(dst, scope));
        let from = self.at(".src", |cx| match (to, src) {
            (Some(Type::Varbit(_)), Expr::Read(place)) => {
                cx.at(".read", |cx| cx.place(place, scope))
            }
            _ => cx.expr(src, scope),
        });
        if let (Some(to), Some(from)) = (to, from)
            && to != from
        {
            let found =
                format!("`{}` is {}, its new value {}", self.place_name(dst), a(to), a(from));
            let accepts = match (to.is_number(), from.is_number()) {
                (true, true) => format!("{}: cast the value", a(to)),
                _ => a(to),
            };
            self.fault(Rule::S02, found, accepts);
        }
    }

    fn copy_stack(&mut self, dst: Stack, src: Stack) {
        let p = self.p;
        let to = self.at(".dst", |cx| cx.exists(dst, p.stacks.len()));
        let from = self.at(".src", |cx| cx.exists(src, p.stacks.len()));
        if !to || !from {
            return;
        }
        let shape = |stack: Stack| {
            let decl = p.stacks.get(stack)?;
            let first = match &decl.elements {
                Elements::Headers(list) => {
                    let header = p.headers.get(*list.first()?)?;
                    format!("`{}`", self.type_name(header.ty))
                }
                Elements::Unions(list) => format!("`{}`", p.unions.get(*list.first()?)?.type_name),
            };
            Some(format!("{} of {first}", decl.elements.len()))
        };
        if let (Some(to), Some(from)) = (shape(dst), shape(src))
            && to != from
        {
            self.fault(Rule::S04, format!("{to} from {from}"), "two stacks of one type and size");
        }
    }

    fn extracted(&mut self, header: &HeaderRef, ty: Option<crate::entity::HeaderType>, var: bool) {
        let Some(decl) = ty.and_then(|t| self.p.header_types.get(t)) else { return };
        if decl.varbit().is_some() != var {
            let name = self.header_name(header);
            let (found, accepts) = match var {
                true => ("has no varbit field", "`extract` without a length"),
                false => ("has a varbit field", "`extract` with the length of the varbit"),
            };
            self.fault(Rule::S06, format!("`{name}` {found}"), accepts);
        }
    }

    fn bit32(&mut self, expr: &'p Expr, scope: Scope<'p>, what: &str) {
        self.exactly(expr, scope, what, Some(Type::Bit(32)));
    }

    fn keep(&mut self, list: Option<crate::entity::FieldList>) {
        if let Some(list) = list {
            self.at(".keep", |cx| cx.exists(list, cx.p.field_lists.len()));
        }
    }

    fn call(&mut self, action: Action, args: &'p [Expr], scope: Scope<'p>) {
        let there = self.at(".action", |cx| cx.exists(action, cx.p.actions.len()));
        let decl = self.p.actions.get(action);
        let params = decl.map_or(&[][..], |d| &d.params);
        if there && params.len() != args.len() {
            let name = self.action_name(action);
            self.fault(
                Rule::S08,
                format!("action `{name}` is called with {} arguments", args.len()),
                format!("{}, one for each parameter", params.len()),
            );
        }
        self.each(".args", args, |cx, i, arg| {
            let found = cx.expr(arg, scope);
            if let (Some(found), Some(param)) = (found, params.get(i))
                && found != param.ty
            {
                let found = format!("`{}` is {}", param.name, a(found));
                cx.fault(Rule::S08, found, a(param.ty));
            }
        });
    }

    /// Name of an action.
    pub fn action_name(&self, action: Action) -> &'p str {
        self.p.actions.get(action).map_or("?", |a| a.preamble.name.as_str())
    }

    /// The actions of a table as what would be accepted.
    pub fn listed(&self, table: &crate::program::TableDecl) -> String {
        let names: Vec<String> = table
            .actions
            .iter()
            .take(8)
            .map(|a| format!("`{}`", self.action_name(a.action)))
            .collect();
        match (names.len(), table.actions.len()) {
            (0, _) => format!("the table lists no {}", Action::KIND),
            (shown, all) if shown < all => format!("one of {}, ...", names.join(", ")),
            _ => format!("one of {}", names.join(", ")),
        }
    }
}

/// Whether a block always ends the half.
fn exits(block: &[Stmt], depth: u32) -> bool {
    block.iter().any(|stmt| match &stmt.kind {
        StmtKind::Exit => true,
        StmtKind::If { then, otherwise, .. } => {
            depth < MAX_DEPTH && exits(then, depth + 1) && exits(otherwise, depth + 1)
        }
        _ => false,
    })
}
