//! Expressions, places and header references: rules E and I.

use super::cx::{Cx, Scope};
use super::headers::sound;
use super::{MAX_DEPTH, MAX_LOOKAHEAD_BITS, Rule};
use crate::entity::HeaderType;
use crate::expr::{ElementIndex, Expr, HeaderRef, Place};
use crate::op::Op;
use crate::types::{MAX_WIDTH, Type};
use crate::typing::TypeError;

impl<'p> Cx<'p> {
    /// Checks an expression. Its type, unless something inside has none.
    pub fn expr(&mut self, expr: &'p Expr, scope: Scope<'p>) -> Option<Type> {
        self.deeper(|cx| match expr {
            Expr::Const { ty, value } => cx.at(".const", |cx| cx.constant(*ty, value)),
            Expr::Read(place) => cx.at(".read", |cx| match cx.place(place, scope)? {
                Type::Varbit(_) => {
                    cx.fault(
                        Rule::E08,
                        format!("`{}` is a varbit", cx.place_name(place)),
                        "a value of fixed width; varbits are only copied, extracted, emitted and summed",
                    );
                    None
                }
                ty => Some(ty),
            }),
            Expr::Param(index) => cx.at(".param", |cx| cx.param(*index, scope)),
            Expr::Valid(header) => {
                cx.at(".valid", |cx| cx.header(header, scope));
                Some(Type::Bool)
            }
            Expr::LastIndex(stack) => {
                cx.at(".last_index", |cx| cx.exists(*stack, cx.p.stacks.len()));
                Some(Type::Bit(32))
            }
            Expr::Lookahead { skip, ty } => {
                cx.at(".lookahead", |cx| cx.lookahead(*skip, *ty, scope))
            }
            Expr::Op { op, args } => cx.at(".op", |cx| cx.op(*op, args, scope)),
        })
    }

    /// Checks that an expression has the type that is wanted; `words` says which.
    pub fn want(
        &mut self,
        expr: &'p Expr,
        scope: Scope<'p>,
        what: &str,
        accepts: impl Fn(Type) -> bool,
        words: &str,
    ) -> Option<Type> {
        let ty = self.expr(expr, scope)?;
        if !accepts(ty) {
            self.fault(Rule::E04, format!("{what} is {}", a(ty)), words);
            return None;
        }
        Some(ty)
    }

    /// A condition.
    pub fn condition(&mut self, expr: &'p Expr, scope: Scope<'p>) {
        self.want(
            expr,
            scope,
            "the condition",
            |t| t == Type::Bool,
            "a bool, such as a comparison",
        );
    }

    /// An unsigned number of any width.
    pub fn unsigned(&mut self, expr: &'p Expr, scope: Scope<'p>, what: &str) -> Option<Type> {
        self.want(expr, scope, what, |t| matches!(t, Type::Bit(_)), "a bit of any width")
    }

    /// A value of exactly this type.
    pub fn exactly(&mut self, expr: &'p Expr, scope: Scope<'p>, what: &str, ty: Option<Type>) {
        match ty {
            Some(ty) => {
                self.want(expr, scope, what, |t| t == ty, &format!("{}; cast it", a(ty)));
            }
            None => {
                self.expr(expr, scope);
            }
        }
    }

    fn deeper<R>(&mut self, f: impl FnOnce(&mut Self) -> Option<R>) -> Option<R> {
        if self.expr_depth == 0 {
            self.too_deep = false;
            self.outermost[1] = Some(self.spot());
        }
        if self.expr_depth == MAX_DEPTH {
            // Once is enough for all branches of one expression.
            if !std::mem::replace(&mut self.too_deep, true) {
                let spot = self.outermost[1].clone().unwrap_or_else(|| self.spot());
                self.fault_at(
                    spot,
                    Rule::L01,
                    format!("an expression is nested more than {MAX_DEPTH} deep"),
                    "store a part of it in metadata first",
                    Vec::new(),
                );
            }
            return None;
        }
        self.expr_depth += 1;
        let result = f(self);
        self.expr_depth -= 1;
        result
    }

    fn constant(&mut self, ty: Type, value: &crate::Bits) -> Option<Type> {
        let there_is = self.used_type(".ty", ty);
        if value.width() != ty.width() {
            self.at(".value", |cx| {
                let found = match value.significant() > ty.width() {
                    true => format!("{value} needs {} bits, as {ty}", value.significant()),
                    false => format!("{value} of {} bits as {ty}", value.width()),
                };
                cx.fault(Rule::E02, found, format!("a value of {} bits", ty.width()));
            });
            return there_is;
        }
        let errors = self.p.errors.len();
        if ty == Type::Error && value.to_u64().is_none_or(|code| code >= errors as u64) {
            self.at(".value", |cx| {
                cx.fault(
                    Rule::E02,
                    format!("error {value}"),
                    format!("the number of an error, below {errors}"),
                );
            });
        }
        there_is
    }

    /// A type that an expression names.
    fn used_type(&mut self, step: &str, ty: Type) -> Option<Type> {
        self.at(step, |cx| {
            if sound(ty).is_none() {
                cx.fault(Rule::T01, format!("{ty}"), format!("1 to {MAX_WIDTH} bits"));
                return None;
            }
            if let Type::Varbit(_) = ty {
                cx.fault(Rule::T02, format!("{ty}"), "bit, int, bool or error");
                return None;
            }
            Some(ty)
        })
    }

    fn param(&mut self, index: u32, scope: Scope<'p>) -> Option<Type> {
        let Some(params) = scope.params else {
            self.fault(
                Rule::E05,
                format!("action parameter {index} outside an action"),
                "parameters in the body of their action only",
            );
            return None;
        };
        match params.get(index as usize) {
            Some(param) => sound(param.ty),
            None => {
                let accepts = match params.len() {
                    0 => "none: the action has no parameters".to_owned(),
                    1 => "the only parameter is 0".to_owned(),
                    n => format!("0 to {}", n - 1),
                };
                self.fault(Rule::E05, format!("there is no parameter {index}"), accepts);
                None
            }
        }
    }

    fn lookahead(&mut self, skip: u32, ty: Type, scope: Scope<'p>) -> Option<Type> {
        if !scope.parser {
            self.fault(
                Rule::E06,
                "lookahead outside a parser state",
                "extract a header and read its field",
            );
        }
        if ty == Type::Error {
            self.at(".ty", |cx| cx.fault(Rule::E06, "lookahead of an error", "bit, int or bool"));
            return None;
        }
        let ty = self.used_type(".ty", ty)?;
        let reach = u64::from(skip) + u64::from(ty.width());
        if reach > MAX_LOOKAHEAD_BITS {
            let found = format!("lookahead to bit {reach}");
            self.fault(Rule::E06, found, format!("{MAX_LOOKAHEAD_BITS} bits at most"));
        }
        Some(ty)
    }

    fn op(&mut self, op: Op, args: &'p [Expr], scope: Scope<'p>) -> Option<Type> {
        let mut types = Vec::new();
        self.each(".args", args, |cx, _, arg| types.push(cx.expr(arg, scope)));
        let to = match op {
            Op::Cast(to) => self.at(".op", |cx| Some(cx.used_type(".cast", to))),
            Op::SatCast(to) => self.at(".op", |cx| Some(cx.used_type(".sat_cast", to))),
            _ => None,
        };
        if let (Op::Div | Op::Mod, [_, divisor]) = (op, args) {
            let zero = match divisor {
                Expr::Const { value, .. } => value.is_zero().then_some("0"),
                _ => Some("no constant"),
            };
            if let Some(found) = zero {
                self.at(".args[1]", |cx| {
                    let found = format!("the divisor of `{}` is {found}", op.name());
                    cx.fault(Rule::E03, found, "a constant other than 0");
                });
            }
        }
        // A type that has no width, and an operand that has no type, were reported above.
        if to == Some(None) {
            return None;
        }
        match types.into_iter().collect::<Option<Vec<Type>>>() {
            Some(types) => {
                let result = op.result_type(&types).map_err(TypeError::Op);
                self.typed(result).or(to.flatten()).and_then(sound)
            }
            None => match op {
                Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Gt | Op::Ge => Some(Type::Bool),
                _ => to.flatten(),
            },
        }
    }

    /// Checks a place. Its type may be a varbit.
    pub fn place(&mut self, place: &'p Place, scope: Scope<'p>) -> Option<Type> {
        self.deeper(|cx| match place {
            Place::Meta(meta) => cx.at(".meta", |cx| {
                cx.exists(*meta, cx.p.metas.len());
                cx.p.metas.get(*meta).and_then(|m| sound(m.ty))
            }),
            Place::Field { header, field } => cx.at(".field", |cx| {
                let ty = cx.at(".header", |cx| cx.header(header, scope))?;
                cx.field(ty, *field)
            }),
            Place::Slice { of, hi, lo } => cx.at(".slice", |cx| {
                let of = cx.at(".of", |cx| cx.place(of, scope))?;
                if of.is_number() && lo <= hi && *hi < of.width() {
                    return Some(Type::Bit(hi - lo + 1));
                }
                cx.typed(Err(TypeError::Slice { hi: *hi, lo: *lo, of }))
            }),
        })
    }

    /// Checks the position of a field.
    pub fn field(&mut self, ty: HeaderType, field: u32) -> Option<Type> {
        // A header type that does not exist was reported where the header is declared.
        let decl = self.p.header_types.get(ty)?;
        match decl.fields.get(field as usize) {
            Some(field) => sound(field.ty),
            None => {
                self.at(".field", |cx| {
                    let kind = format!("field of header type `{}` numbered", decl.name);
                    cx.no_such(&kind, field as usize, decl.fields.len());
                });
                None
            }
        }
    }

    /// Checks a header reference.
    pub fn header(&mut self, header: &'p HeaderRef, scope: Scope<'p>) -> Option<HeaderType> {
        let p = self.p;
        match header {
            HeaderRef::Header(header) => {
                self.at(".header", |cx| cx.exists(*header, p.headers.len()));
            }
            HeaderRef::Element { stack, at, .. } => self.at(".element", |cx| {
                match at {
                    ElementIndex::Next if !scope.parser => cx.at(".at", |cx| {
                        cx.fault(
                            Rule::E07,
                            "`next` outside a parser state",
                            "an element by its index, or `last`",
                        );
                    }),
                    ElementIndex::Next | ElementIndex::Last => {}
                    ElementIndex::Expr(index) => {
                        cx.at(".at.expr", |cx| cx.unsigned(index, scope, "the index"));
                    }
                }
                let there = cx.at(".stack", |cx| cx.exists(*stack, p.stacks.len()));
                if there
                    && let Err(TypeError::NoSuch { kind: "stack member", index, count }) =
                        p.type_of_header(header)
                {
                    cx.at(".member", |cx| cx.no_such("stack member", index as usize, count));
                }
            }),
        }
        // What is left to go wrong was reported where the stack is declared.
        p.type_of_header(header).ok()
    }

    /// A place as P4 would write it.
    pub fn place_name(&self, place: &Place) -> String {
        match place {
            Place::Meta(meta) => self.p.metas.get(*meta).map_or("?".into(), |m| m.name.clone()),
            Place::Field { header, field } => {
                let decl = self.p.header_type(header).ok();
                let field = decl.and_then(|d| d.fields.get(*field as usize));
                let field = field.map_or("?", |f| f.name.as_str());
                format!("{}.{field}", self.header_name(header))
            }
            // No deeper: what is named here may be nested without bound.
            Place::Slice { of, hi, lo } => match &**of {
                Place::Slice { .. } => format!("...[{hi}:{lo}]"),
                of => format!("{}[{hi}:{lo}]", self.place_name(of)),
            },
        }
    }

    /// A header as P4 would write it.
    pub fn header_name(&self, header: &HeaderRef) -> String {
        match header {
            HeaderRef::Header(h) => self.p.headers.get(*h).map_or("?".into(), |h| h.name.clone()),
            HeaderRef::Element { stack, at, .. } => {
                let stack = self.p.stacks.get(*stack).map_or("?", |s| s.name.as_str());
                match at {
                    ElementIndex::Next => format!("{stack}.next"),
                    ElementIndex::Last => format!("{stack}.last"),
                    ElementIndex::Expr(_) => format!("{stack}[...]"),
                }
            }
        }
    }
}

/// A type with its article.
pub(super) fn a(ty: Type) -> String {
    match ty {
        Type::Int(_) | Type::Error => format!("an {ty}"),
        _ => format!("a {ty}"),
    }
}
