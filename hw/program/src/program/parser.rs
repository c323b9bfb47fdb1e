//! Parser states, where they go, and the value sets they ask.

use super::{FieldDecl, Preamble};
use crate::entity::{State, ValueSet};
use crate::entry::KeyMatch;
use crate::expr::Expr;
use crate::loc::Loc;
use crate::stmt::Block;
use serde::{Deserialize, Serialize};

/// A parser value set: whole select keys, filled at run time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ValueSetDecl {
    /// Name and id.
    #[serde(flatten)]
    pub preamble: Preamble,
    /// Types of the columns.
    pub columns: Vec<FieldDecl>,
    /// Most members.
    pub size: u32,
}

/// A parser state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StateDecl {
    /// Its name.
    pub name: String,
    /// What it does.
    pub body: Block,
    /// Where it goes.
    pub next: Transition,
    /// Where it was declared.
    #[serde(skip)]
    pub loc: Loc,
}

impl StateDecl {
    /// The states that may follow.
    pub fn targets(&self) -> impl Iterator<Item = State> {
        let (to, cases) = match &self.next {
            Transition::To(to) => (Some(to), &[][..]),
            Transition::Select { cases, .. } => (None, cases.as_slice()),
        };
        to.into_iter().chain(cases.iter().map(|c| &c.to)).filter_map(|t| match t {
            Target::State(state) => Some(*state),
            Target::Accept | Target::Reject => None,
        })
    }
}

/// Where a parser state goes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transition {
    /// Always there.
    To(Target),
    /// To the first case that matches; none is the error `NoMatch`.
    Select {
        /// What is compared.
        keys: Vec<Expr>,
        /// The cases in order.
        cases: Vec<SelectCase>,
    },
}

/// Where parsing goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Parsing has ended well.
    Accept,
    /// Parsing has ended; the packet is processed all the same.
    Reject,
    /// Another state.
    State(State),
}

/// One case of a select.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SelectCase {
    /// What the keys must be.
    pub on: SelectOn,
    /// Where parsing goes on.
    pub to: Target,
}

/// What the keys of a select must be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SelectOn {
    /// Anything: `default`.
    Default,
    /// One match for every key.
    Keys(Vec<KeyMatch>),
    /// A member of a value set.
    ValueSet(ValueSet),
}
