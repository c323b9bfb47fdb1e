//! Statements: where each may stand, and the types it takes. Rules S, and those for uses of state.

use super::cx::{Cx, Half, Scope};
use super::expr::a;
use super::{MAX_DEPTH, Rule};
use crate::entity::{Action, Entity, Stack};
use crate::expr::{Expr, HeaderRef, Place};
use crate::program::{ActionDecl, Elements, FieldDecl};
use crate::stmt::{Stmt, StmtKind};
use crate::types::Type;

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
            Stands::State => "in parser states only",
            Stands::ActionOrHalf => "in actions, ingress and egress only",
            Stands::Half => "in ingress and egress only",
            Stands::Only(Half::Ingress) => "in ingress and its actions only",
            Stands::Only(Half::Egress) => "in egress and its actions only",
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
                let spot = self.outermost[0].clone().unwrap_or_else(|| self.spot());
                self.fault_at(
                    spot,
                    Rule::L01,
                    format!("statements are nested more than {MAX_DEPTH} deep"),
                    "a table instead of a chain of ifs, or an action called for the inner part",
                    Vec::new(),
                );
            }
            return;
        }
        self.stmt_depth += 1;
        self.each("", block, |cx, _, stmt| {
            cx.said(&stmt.loc, |cx| {
                if cx.stmt_depth == 1 {
                    cx.outermost[0] = Some(cx.spot());
                }
                cx.stmt(&stmt.kind, context);
            });
        });
        self.stmt_depth -= 1;
    }

    fn stmt(&mut self, kind: &'p StmtKind, context: Context<'p>) {
        let (tag, word, stands) = describe(kind);
        // The blocks inside have their own statements, which name themselves.
        let nests = matches!(kind, StmtKind::If { .. } | StmtKind::Apply { .. });
        self.at(format_args!(".{tag}"), |cx| {
            cx.about(word, |cx| {
                cx.stands(stands, context);
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
                    let blocks = [(".then", then.as_slice()), (".otherwise", otherwise)];
                    cx.branches(context, blocks);
                }
                StmtKind::Apply { table, then } => cx.apply(*table, then, context),
                _ => {}
            }
        });
    }

    fn stands(&mut self, stands: Stands, context: Context<'p>) {
        let (legal, found) = match (stands, context) {
            (Stands::Anywhere, _) => return,
            (Stands::State, Context::State) => return,
            (Stands::Only(half), Context::Action(action, _)) => {
                let spot = self.spot();
                self.half_only.push((action, half, spot));
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
            self.fault(Rule::S01, format!("it stands {found}"), stands.accepts());
        }
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
            StmtKind::Hash { dst, algorithm, base, items, max } => {
                self.algorithm(*algorithm);
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
                one_each(params),
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

/// As many arguments as there are parameters, in words.
pub(super) fn one_each(params: &[FieldDecl]) -> String {
    let names: Vec<String> = params.iter().map(|p| format!("`{}`", p.name)).collect();
    match names.as_slice() {
        [] => "none: it has no parameters".to_owned(),
        [one] => format!("one, for {one}"),
        many => format!("{}, for {}", many.len(), many.join(", ")),
    }
}
