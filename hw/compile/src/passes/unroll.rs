//! Unrolls parser loops that fill a stack.
//!
//! ```text
//! before: mpls { extract(mpls.next); select (...) { 0: mpls; default: ipv4; } }    a stack of two
//! after:  mpls { ...; 0: mpls_1; ... }  mpls_1 { ...; 0: mpls_2; ... }  mpls_2 { extract(mpls.next) fails }
//! ```
//!
//! The last copy finds the stack full. Only states that go to themselves are unrolled, and only as long as the
//! parser stays small.

use restage_program::Program;
use restage_program::entity::State;
use restage_program::expr::{ElementIndex, HeaderRef};
use restage_program::program::{StateDecl, Target, Transition};
use restage_program::stmt::StmtKind;

/// States that a parser may have when it is unrolled.
const MOST_STATES: usize = 128;

/// Unrolls loops over stacks.
pub fn unroll(mut program: Program) -> Program {
    let states: Vec<State> = program.states.keys().collect();
    for state in states {
        let decl = program.states[state].clone();
        let Some(size) = rounds(&program, &decl) else { continue };
        if !decl.targets().any(|t| t == state) || program.states.len() + size > MOST_STATES {
            continue;
        }
        let mut before = state;
        for round in 1..=size {
            let mut copy = decl.clone();
            copy.name = fresh(&program, &format!("{}_{round}", decl.name));
            let next = program.states.push(copy);
            redirect(&mut program.states[before], state, Target::State(next));
            before = next;
        }
        // The stack is full before it gets here.
        redirect(&mut program.states[before], state, Target::Reject);
    }
    program
}

/// How often a state can extract into a stack, if it does so each time, first thing and without taking
/// anything out.
fn rounds(program: &Program, decl: &StateDecl) -> Option<usize> {
    let first = decl.body.first()?;
    let header = match &first.kind {
        StmtKind::Extract(header) | StmtKind::ExtractVar { header, .. } => header,
        _ => return None,
    };
    let HeaderRef::Element { stack, at: ElementIndex::Next, .. } = header else { return None };
    let shrinks = decl.body.iter().any(|s| match &s.kind {
        StmtKind::PopFront { stack: other, .. } | StmtKind::CopyStack { dst: other, .. } => {
            other == stack
        }
        _ => false,
    });
    (!shrinks).then(|| program.stacks[*stack].elements.len())
}

fn redirect(decl: &mut StateDecl, from: State, to: Target) {
    let replace = |target: &mut Target| {
        if *target == Target::State(from) {
            *target = to;
        }
    };
    match &mut decl.next {
        Transition::To(target) => replace(target),
        Transition::Select { cases, .. } => cases.iter_mut().for_each(|c| replace(&mut c.to)),
    }
}

fn fresh(program: &Program, name: &str) -> String {
    let mut name = name.to_string();
    while program.states.values().any(|s| s.name == name) {
        name.push('_');
    }
    name
}
