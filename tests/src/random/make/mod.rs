//! Programs from a seed: valid by construction, over everything that a program can say.
//!
//! A program gets header types with a field that says what follows, a parser that walks from one to the
//! next, tables on what it extracted, actions, and a few cells of every kind. Loops are bounded: a packet
//! is recirculated or resubmitted only while a counter in its metadata is small, and clones are not
//! cloned. What is generated is meant to be accepted by the checker; one that is not is a fault here.

mod action;
mod data;
mod expr;
mod half;
mod parser;
mod stmt;

pub use stmt::{ALGORITHMS, GROUPS, PORTS, SESSIONS};

use super::Rng;
use restage_program::entity::{
    Action, Counter, Digest, ErrorCode, FieldList, Header, HeaderType, Map, Meta, Meter, Profile,
    Register, Stack, Table, Union, ValueSet,
};
use restage_program::expr::Expr;
use restage_program::program::{FieldDecl, Preamble, Program};
use restage_program::{Loc, Type};

/// Makes the program of a seed.
pub fn program(seed: u64) -> Program {
    let mut maker = Maker::new(seed);
    maker.data();
    maker.cells();
    maker.parser();
    maker.halves();
    maker.ends();
    restage_program::ids::assign(&mut maker.program);
    maker.program
}

/// Where a statement or an expression stands, and so what may be said there.
#[derive(Clone, Debug)]
struct Site {
    kind: SiteKind,
    params: Vec<FieldDecl>,
    /// Bits that may be looked at ahead; 0 outside of parser states.
    ahead: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SiteKind {
    Parser,
    Action(Half),
    Body(Half),
    /// Expressions of checksums, digests and selectors.
    Outside,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    Ingress,
    Egress,
}

impl Site {
    fn new(kind: SiteKind) -> Self {
        Site { kind, params: Vec::new(), ahead: 0 }
    }

    fn half(&self) -> Option<Half> {
        match self.kind {
            SiteKind::Action(half) | SiteKind::Body(half) => Some(half),
            SiteKind::Parser | SiteKind::Outside => None,
        }
    }
}

struct Maker {
    rng: Rng,
    program: Program,
    /// Types that metadata and fields have, so that new expressions meet old ones.
    number_types: Vec<Type>,
    /// Header types without a varbit.
    fixed_types: Vec<HeaderType>,
    /// Instances that are neither in a stack nor in a union.
    plain: Vec<Header>,
    stacks: Vec<Stack>,
    unions: Vec<Union>,
    /// Unions that are no elements of stacks.
    free_unions: Vec<Union>,
    /// Metadata of the program that may be written, the pass counter not among them.
    metas: Vec<Meta>,
    /// Counts passes; kept by every list.
    passes: Meta,
    lists: Vec<FieldList>,
    own_errors: Vec<ErrorCode>,
    value_sets: Vec<ValueSet>,
    counters: Vec<Counter>,
    meters: Vec<Meter>,
    registers: Vec<Register>,
    maps: Vec<Map>,
    /// For each map the key that it is mostly used with, so that what is put is found again.
    map_keys: Vec<Vec<Expr>>,
    digests: Vec<Digest>,
    profiles: Vec<Profile>,
    /// Actions and tables of a half.
    actions: [Vec<Action>; 2],
    tables: [Vec<Table>; 2],
    /// Whether expressions may be slow and large just now.
    wide: bool,
}

impl Maker {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let wide = rng.chance(15);
        Maker {
            rng,
            program: Program::new(format!("random_{seed}")),
            number_types: Vec::new(),
            fixed_types: Vec::new(),
            plain: Vec::new(),
            stacks: Vec::new(),
            unions: Vec::new(),
            free_unions: Vec::new(),
            metas: Vec::new(),
            passes: Meta(0),
            lists: Vec::new(),
            own_errors: Vec::new(),
            value_sets: Vec::new(),
            counters: Vec::new(),
            meters: Vec::new(),
            registers: Vec::new(),
            maps: Vec::new(),
            map_keys: Vec::new(),
            digests: Vec::new(),
            profiles: Vec::new(),
            actions: [Vec::new(), Vec::new()],
            tables: [Vec::new(), Vec::new()],
            wide,
        }
    }

    /// One of these, copied.
    fn one<T: Copy>(&mut self, items: &[T]) -> Option<T> {
        self.rng.pick(items).copied()
    }
}

fn preamble(name: String) -> Preamble {
    Preamble { name, id: 0, annotations: Vec::new(), loc: Loc::default() }
}

fn field(name: impl Into<String>, ty: Type) -> FieldDecl {
    FieldDecl { name: name.into(), ty }
}
