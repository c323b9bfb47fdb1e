//! Parser states.

use super::Builder;
use super::body::Body;
use super::header::HeaderView;
use super::value::{Field, FieldSlice, Operand, Param, Val, number};
use crate::bits::Bits;
use crate::entity::{ErrorCode, ValueSet};
use crate::entry::KeyMatch;
use crate::expr::Expr;
use crate::loc::Loc;
use crate::program::{SelectCase, SelectOn, Transition};
use crate::stmt::{Stmt, StmtKind};
use crate::types::Type;
use std::ops::{Deref, DerefMut};

/// A parser state that is being described.
#[derive(Debug)]
pub struct StateBody<'b> {
    body: Body<'b>,
    pub(super) next: Option<Transition>,
}

impl<'b> Deref for StateBody<'b> {
    type Target = Body<'b>;
    fn deref(&self) -> &Body<'b> {
        &self.body
    }
}

impl<'b> DerefMut for StateBody<'b> {
    fn deref_mut(&mut self) -> &mut Body<'b> {
        &mut self.body
    }
}

impl<'b> StateBody<'b> {
    pub(super) fn new(builder: &'b mut Builder) -> Self {
        StateBody { body: Body::new(builder), next: None }
    }

    pub(super) fn finish(self) -> (Vec<Stmt>, Option<Transition>) {
        (self.body.stmts, self.next)
    }

    #[track_caller]
    fn push(&mut self, kind: StmtKind) {
        self.body.stmts.push(Stmt { kind, loc: Loc::caller() });
    }

    /// `packet.extract(header)`
    #[track_caller]
    pub fn extract(&mut self, header: impl HeaderView) {
        self.push(StmtKind::Extract(header.href().into()));
    }

    /// `packet.extract(header, bits)`
    #[track_caller]
    pub fn extract_var(&mut self, header: impl HeaderView, bits: impl Into<Operand>) {
        let bits = bits.into().fit(Type::Bit(32));
        self.push(StmtKind::ExtractVar { header: header.href().into(), bits });
    }

    /// `packet.advance(bits)`
    #[track_caller]
    pub fn advance(&mut self, bits: impl Into<Operand>) {
        let bits = bits.into().fit(Type::Bit(32));
        self.push(StmtKind::Advance(bits));
    }

    /// `verify(condition, error)`
    #[track_caller]
    pub fn verify(&mut self, condition: impl Into<Operand>, error: ErrorCode) {
        let condition = condition.into().fit(Type::Bool);
        self.push(StmtKind::Verify { condition, error });
    }

    /// `transition state`; `"accept"` and `"reject"` end parsing.
    #[track_caller]
    pub fn goto(&mut self, state: &str) {
        let target = self.body.builder.target(state, Loc::caller());
        self.next = Some(Transition::To(target));
    }

    /// `transition accept`
    pub fn accept(&mut self) {
        self.next = Some(Transition::To(crate::program::Target::Accept));
    }

    /// `transition select(keys)`, to be followed by `.case(...)` and `.default(...)`. Without a default,
    /// what matches no case is the error `NoMatch`.
    pub fn select(&mut self, keys: impl SelectKeys) -> Select<'_, 'b> {
        let keys: Vec<Val> = keys.keys();
        let types = keys.iter().map(|k| k.ty).collect();
        let keys = keys.into_iter().map(Val::into_expr).collect();
        self.next = Some(Transition::Select { keys, cases: Vec::new() });
        Select { state: self, types }
    }
}

/// `packet.lookahead<bit<width>>()`
pub fn lookahead(width: u32) -> Val {
    lookahead_at(0, width)
}

/// The bits from `skip` on that lie ahead.
pub fn lookahead_at(skip: u32, width: u32) -> Val {
    let ty = Type::Bit(width);
    Val::new(Expr::Lookahead { skip, ty }, ty)
}

/// The cases of a select.
#[derive(Debug)]
pub struct Select<'s, 'b> {
    state: &'s mut StateBody<'b>,
    types: Vec<Type>,
}

impl Select<'_, '_> {
    fn push(&mut self, on: SelectOn, to: &str, loc: Loc) {
        let to = self.state.body.builder.target(to, loc);
        if let Some(Transition::Select { cases, .. }) = &mut self.state.next {
            cases.push(SelectCase { on, to });
        }
    }

    /// What the keys must be, and where parsing goes on then.
    #[track_caller]
    pub fn case(mut self, matches: impl SelectMatches, to: &str) -> Self {
        let ty = |i: usize| self.types.get(i).copied().unwrap_or(Type::Bool);
        let on = matches.matches().into_iter().enumerate().map(|(i, m)| m.fit(ty(i))).collect();
        self.push(SelectOn::Keys(on), to, Loc::caller());
        self
    }

    /// A value set, and where parsing goes on when it has the keys.
    #[track_caller]
    pub fn value_set(mut self, set: ValueSet, to: &str) -> Self {
        self.push(SelectOn::ValueSet(set), to, Loc::caller());
        self
    }

    /// Where parsing goes on otherwise.
    #[track_caller]
    pub fn default(mut self, to: &str) {
        self.push(SelectOn::Default, to, Loc::caller());
    }
}

/// What one key of a select must be.
#[derive(Clone, Copy, Debug)]
pub enum Match {
    /// This number.
    Number(i128),
    /// This number where the mask is 1.
    Mask(u128, u128),
    /// Between these numbers.
    Range(u128, u128),
    /// Anything.
    Any,
}

/// `value &&& mask`
pub fn mask(value: u128, mask: u128) -> Match {
    Match::Mask(value, mask)
}

/// `low .. high`
pub fn range(low: u128, high: u128) -> Match {
    Match::Range(low, high)
}

/// `_`
pub const ANY: Match = Match::Any;

impl Match {
    pub(super) fn fit(self, ty: Type) -> KeyMatch {
        let bits = |n: u128| match number(n as i128, ty) {
            Expr::Const { value, .. } => value,
            _ => Bits::default(),
        };
        match self {
            Match::Number(n) => KeyMatch::Exact(bits(n as u128)),
            Match::Mask(value, mask) => {
                KeyMatch::Masked { value: bits(value & mask), mask: bits(mask) }
            }
            Match::Range(low, high) => KeyMatch::Range { low: bits(low), high: bits(high) },
            Match::Any => KeyMatch::Any,
        }
    }
}

/// One value, or a tuple of them, to select on.
pub trait SelectKeys {
    /// The values.
    fn keys(self) -> Vec<Val>;
}

/// One match, or a tuple of them.
pub trait SelectMatches {
    /// The matches.
    fn matches(self) -> Vec<Match>;
}

macro_rules! select_keys {
    ($($value:ty)*) => {$(
        impl SelectKeys for $value {
            fn keys(self) -> Vec<Val> {
                vec![self.into()]
            }
        }
    )*};
}

select_keys! { Field FieldSlice Param Val }

macro_rules! select_matches {
    ($($number:ty)*) => {$(
        impl From<$number> for Match {
            fn from(n: $number) -> Match {
                Match::Number(n as i128)
            }
        }
        impl SelectMatches for $number {
            fn matches(self) -> Vec<Match> {
                vec![self.into()]
            }
        }
    )*};
}

select_matches! { i32 u8 u16 u32 i64 u64 i128 bool }

impl<const N: usize> SelectMatches for [Match; N] {
    fn matches(self) -> Vec<Match> {
        self.into()
    }
}

impl SelectMatches for Match {
    fn matches(self) -> Vec<Match> {
        vec![self]
    }
}

macro_rules! tuples {
    ($($name:ident)*) => {
        impl<$($name: Into<Val>),*> SelectKeys for ($($name,)*) {
            #[allow(non_snake_case)]
            fn keys(self) -> Vec<Val> {
                let ($($name,)*) = self;
                vec![$($name.into()),*]
            }
        }
        impl<$($name: Into<Match>),*> SelectMatches for ($($name,)*) {
            #[allow(non_snake_case)]
            fn matches(self) -> Vec<Match> {
                let ($($name,)*) = self;
                vec![$($name.into()),*]
            }
        }
    };
}

tuples! { A }
tuples! { A B }
tuples! { A B C }
tuples! { A B C D }
tuples! { A B C D E }
tuples! { A B C D E F }
