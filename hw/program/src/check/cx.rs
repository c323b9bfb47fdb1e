//! What a check in progress knows: the place it is at, and what it has found.

use super::flow::Applied;
use super::{Related, Rule, Violation};
use crate::entity::{Action, Entity, Table};
use crate::loc::Loc;
use crate::op::Op;
use crate::program::{FieldDecl, Program};
use crate::typing::TypeError;
use std::collections::BTreeMap;
use std::fmt::{Display, Write};

/// A check in progress.
pub(super) struct Cx<'p> {
    pub p: &'p Program,
    pub found: Vec<Violation>,
    path: String,
    subject: Vec<String>,
    loc: Loc,
    /// Nesting of the statement.
    pub stmt_depth: u32,
    /// Nesting of the expression inside it.
    pub expr_depth: u32,
    /// Whether that was reported to be too much.
    pub too_deep: bool,
    /// Where the outermost statement, and where the outermost expression around here begins.
    pub outermost: [Option<Spot>; 2],
    /// Tables that may have been applied before this point of a half; `None` where nothing comes.
    pub applied: Option<Applied>,
    /// Where each table is applied first, in which half.
    pub table_half: BTreeMap<Table, (Half, Spot)>,
    /// Which halves run an action, and from where.
    pub action_halves: BTreeMap<(Action, Half), Spot>,
    /// Statements in actions that only one half may run.
    pub half_only: Vec<(Action, Half, Spot)>,
}

/// An operation with its parameters.
fn op_name(op: Op) -> String {
    match op {
        Op::Slice { hi, lo } => format!("[{hi}:{lo}]"),
        Op::Cast(to) | Op::SatCast(to) => format!("{} to {to}", op.name()),
        op => op.name().to_owned(),
    }
}

/// One of the two halves.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Half {
    Ingress,
    Egress,
}

impl Half {
    pub fn name(self) -> &'static str {
        match self {
            Half::Ingress => "ingress",
            Half::Egress => "egress",
        }
    }
}

/// A place to come back to.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    pub path: String,
    pub subject: String,
    pub loc: Loc,
}

impl Spot {
    pub fn related(&self, what: impl Into<String>) -> Related {
        Related { what: what.into(), path: self.path.clone(), loc: self.loc.clone() }
    }
}

/// What an expression may contain.
#[derive(Clone, Copy)]
pub(super) struct Scope<'p> {
    /// Whether it is evaluated in a parser state.
    pub parser: bool,
    /// The parameters of the action around it.
    pub params: Option<&'p [FieldDecl]>,
}

impl Scope<'_> {
    /// Neither a parser state nor an action.
    pub const CONTROL: Scope<'static> = Scope { parser: false, params: None };
    /// A parser state.
    pub const PARSER: Scope<'static> = Scope { parser: true, params: None };
}

impl<'p> Cx<'p> {
    pub fn new(p: &'p Program) -> Self {
        Cx {
            p,
            found: Vec::new(),
            path: String::new(),
            subject: Vec::new(),
            loc: Loc::default(),
            stmt_depth: 0,
            expr_depth: 0,
            too_deep: false,
            outermost: [None, None],
            applied: None,
            table_half: BTreeMap::new(),
            action_halves: BTreeMap::new(),
            half_only: Vec::new(),
        }
    }

    /// Goes one step down the path: `.keys`, `[3]`.
    pub fn at<R>(&mut self, step: impl Display, f: impl FnOnce(&mut Self) -> R) -> R {
        let length = self.path.len();
        // Writing to a string cannot fail.
        let _ = write!(self.path, "{step}");
        if length == 0 && self.path.starts_with('.') {
            self.path.remove(0);
        }
        let result = f(self);
        self.path.truncate(length);
        result
    }

    /// Goes through a list: `.keys[0]`, `.keys[1]`, ...
    pub fn each<T>(
        &mut self,
        step: &str,
        items: impl IntoIterator<Item = T>,
        mut f: impl FnMut(&mut Self, usize, T),
    ) {
        for (i, item) in items.into_iter().enumerate() {
            self.at(format_args!("{step}[{i}]"), |cx| f(cx, i, item));
        }
    }

    /// Names what the following is about.
    pub fn about<R>(&mut self, subject: impl Into<String>, f: impl FnOnce(&mut Self) -> R) -> R {
        self.subject.push(subject.into());
        let result = f(self);
        self.subject.pop();
        result
    }

    /// Says where the description says the following; an unknown place leaves the one around it.
    pub fn said<R>(&mut self, loc: &Loc, f: impl FnOnce(&mut Self) -> R) -> R {
        if loc.site().is_none() {
            return f(self);
        }
        let outer = std::mem::replace(&mut self.loc, loc.clone());
        let result = f(self);
        self.loc = outer;
        result
    }

    /// This place.
    pub fn spot(&self) -> Spot {
        Spot { path: self.path.clone(), subject: self.subject.join(", "), loc: self.loc.clone() }
    }

    /// Reports a violation here.
    pub fn fault(&mut self, rule: Rule, found: impl Into<String>, accepts: impl Into<String>) {
        self.fault_with(rule, found, accepts, Vec::new());
    }

    /// Reports a violation here in which other places have a part.
    pub fn fault_with(
        &mut self,
        rule: Rule,
        found: impl Into<String>,
        accepts: impl Into<String>,
        related: Vec<Related>,
    ) {
        let spot = self.spot();
        self.fault_at(spot, rule, found, accepts, related);
    }

    /// Reports a violation at a place noted before.
    pub fn fault_at(
        &mut self,
        spot: Spot,
        rule: Rule,
        found: impl Into<String>,
        accepts: impl Into<String>,
        related: Vec<Related>,
    ) {
        self.found.push(Violation {
            rule,
            path: spot.path,
            subject: spot.subject,
            loc: spot.loc,
            found: found.into(),
            accepts: accepts.into(),
            related,
        });
    }

    /// Whether an index names something; reports it if not.
    pub fn exists<K: Entity>(&mut self, key: K, count: usize) -> bool {
        let there = key.index() < count;
        if !there {
            self.no_such(K::KIND, key.index(), count);
        }
        there
    }

    /// The type or the declaration, or a report of why there is none.
    pub fn typed<T>(&mut self, result: Result<T, TypeError>) -> Option<T> {
        match result {
            Ok(value) => return Some(value),
            Err(TypeError::NoSuch { kind, index, count }) => {
                self.no_such(kind, index as usize, count);
            }
            Err(TypeError::Op(e)) => {
                let found: Vec<String> = e.found.iter().map(|t| t.to_string()).collect();
                self.fault(
                    Rule::E01,
                    format!("`{}` of ({})", op_name(e.op), found.join(", ")),
                    format!("it takes {}", e.accepts),
                );
            }
            Err(TypeError::Slice { hi, lo, of }) => {
                self.fault(
                    Rule::E09,
                    format!("slice [{hi}:{lo}] of a {of}"),
                    "[high:low] of a number, with low <= high < its width",
                );
            }
        }
        None
    }

    pub fn no_such(&mut self, kind: &str, index: usize, count: usize) {
        let accepts = match count {
            0 => format!("there is no {kind}: declare one"),
            1 => format!("the only {kind} is 0"),
            n => format!("0 to {}", n - 1),
        };
        let found = match index == u32::MAX as usize {
            // What the builder writes for something that was never declared.
            true => format!("a {kind} that does not exist"),
            false => format!("there is no {kind} {index}"),
        };
        self.fault(Rule::I01, found, accepts);
    }
}
