//! Removes what nothing reads and what is never reached.
//!
//! ```text
//! before: meta.unused = hdr.ip.ttl;  exit;  meta.a = 1;      state s7, to which nothing goes
//! after:  exit;                                              meta.unused and s7 are gone
//! ```
//!
//! Tables, actions and everything else that a control plane knows stays, and so does every header: whether its
//! bytes are needed is for the layout to find out.

use super::walk::{self, Visit};
use restage_program::Program;
use restage_program::entity::{Entity, EntityMap, Meta, State};
use restage_program::expr::{Expr, Place};
use restage_program::program::{Target, Transition};
use restage_program::standard::is_standard;
use restage_program::stmt::{Block, StmtKind};
use std::collections::BTreeSet;

/// Prunes until there is nothing left to prune.
pub fn prune(mut program: Program) -> Program {
    states(&mut program);
    loop {
        let mut reads = Reads { read: BTreeSet::new() };
        walk::program(&mut program, &mut reads);
        for list in program.field_lists.values() {
            reads.read.extend(&list.metas);
        }
        let mut drop = Drop { read: reads.read, dropped: false };
        walk::program(&mut program, &mut drop);
        if !drop.dropped {
            return metas(program, &drop.read);
        }
    }
}

/// Which metadata is read.
struct Reads {
    read: BTreeSet<Meta>,
}

impl Visit for Reads {
    fn expr(&mut self, expr: &mut Expr) {
        if let Expr::Read(place) = expr {
            self.read.extend(meta(place));
        }
    }
}

fn meta(place: &Place) -> Option<Meta> {
    match place {
        Place::Meta(meta) => Some(*meta),
        Place::Field { .. } => None,
        Place::Slice { of, .. } => meta(of),
    }
}

struct Drop {
    read: BTreeSet<Meta>,
    dropped: bool,
}

impl Drop {
    fn needless(&self, stmt: &StmtKind) -> bool {
        let unread =
            |place: &Place| meta(place).is_some_and(|m| !is_standard(m) && !self.read.contains(&m));
        match stmt {
            StmtKind::Assign { dst, src } => unread(dst) && !walk::fails(src),
            StmtKind::ReadRegister { dst, index, .. } => unread(dst) && !walk::fails(index),
            StmtKind::Hash { dst, .. } => unread(dst),
            StmtKind::If { then, otherwise, .. } => then.is_empty() && otherwise.is_empty(),
            _ => false,
        }
    }
}

impl Visit for Drop {
    fn block(&mut self, block: &mut Block) {
        let before = block.len();
        block.retain(|s| !self.needless(&s.kind));
        if let Some(exit) = block.iter().position(|s| s.kind == StmtKind::Exit)
            && !walk::draws(&block[exit..])
        {
            block.truncate(exit + 1);
        }
        self.dropped |= block.len() < before;
    }
}

/// Removes the program's own metadata that nothing reads or writes any more.
fn metas(mut program: Program, read: &BTreeSet<Meta>) -> Program {
    let mut used = Used(read.clone());
    walk::program(&mut program, &mut used);
    let mut kept = EntityMap::new();
    let mut moved: Vec<Option<Meta>> = Vec::new();
    for (meta, decl) in program.metas.iter() {
        let stays = is_standard(meta) || used.0.contains(&meta);
        moved.push(stays.then(|| kept.push(decl.clone())));
    }
    program.metas = kept;
    for list in program.field_lists.values_mut() {
        list.metas.iter_mut().for_each(|m| *m = moved[m.index()].unwrap_or(*m));
    }
    walk::program(&mut program, &mut Move(moved));
    program
}

struct Used(BTreeSet<Meta>);

impl Visit for Used {
    fn place(&mut self, place: &mut Place) {
        self.0.extend(meta(place));
    }
}

struct Move(Vec<Option<Meta>>);

impl Visit for Move {
    fn place(&mut self, place: &mut Place) {
        if let Place::Meta(meta) = place {
            *meta = self.0.get(meta.index()).copied().flatten().unwrap_or(*meta);
        }
    }
}

/// Removes parser states that are never reached.
fn states(program: &mut Program) {
    let mut reached: BTreeSet<State> = program.start.into_iter().collect();
    let mut todo: Vec<State> = reached.iter().copied().collect();
    while let Some(state) = todo.pop() {
        let targets: Vec<State> = program.states[state].targets().collect();
        todo.extend(targets.into_iter().filter(|t| reached.insert(*t)));
    }
    let mut moved: Vec<Option<State>> = Vec::new();
    let mut kept = EntityMap::new();
    for (state, decl) in program.states.iter() {
        moved.push(reached.contains(&state).then(|| kept.push(decl.clone())));
    }
    let new = |state: State| moved.get(state.index()).copied().flatten().unwrap_or(state);
    program.states = kept;
    program.start = program.start.map(new);
    for decl in program.states.values_mut() {
        let replace = |target: &mut Target| {
            if let Target::State(state) = target {
                *state = new(*state);
            }
        };
        match &mut decl.next {
            Transition::To(target) => replace(target),
            Transition::Select { cases, .. } => cases.iter_mut().for_each(|c| replace(&mut c.to)),
        }
    }
}
