//! Faults put into what the slow evaluator is given: the comparison must find them.
//!
//! For every kind of statement, operation and write some program must show the difference when it is
//! taken away or replaced. A kind that could be changed unseen would not be compared at all.

#![allow(clippy::unwrap_used)] // a test may

use restage_program::check::Checked;
use restage_program::entry::{CloneTarget, EntryTarget, Write};
use restage_program::expr::{ElementIndex, Expr, HeaderRef, Place};
use restage_program::op::Op;
use restage_program::stmt::{AfterApply, Block, StmtKind};
use restage_program::{Bits, Program, Type};
use restage_tests::random::compare::{Case, compare, compare_with};
use restage_tests::random::trial::trial;
use std::sync::OnceLock;

const PACKETS: usize = 30;
const FIRST: u64 = 300;
const MOST_PROGRAMS: u64 = 120;

/// Cases that the models agree on, made once.
fn cases() -> &'static [Case] {
    static CASES: OnceLock<Vec<Case>> = OnceLock::new();
    CASES.get_or_init(|| {
        (FIRST..FIRST + MOST_PROGRAMS).map(|seed| trial(seed, PACKETS).unwrap()).collect()
    })
}

/// Whether the comparison sees that the slow evaluator has another program.
fn seen(case: &Case, changed: Program) -> bool {
    let Ok(changed) = changed.check() else { return false };
    compare_with(case, &changed, &case.writes).is_err()
}

#[test]
fn nothing_is_found_where_nothing_was_planted() {
    for case in cases().iter().take(5) {
        compare(case).unwrap();
    }
}

#[test]
fn a_missing_statement_is_found() {
    let cases = cases();
    let mut unseen = Vec::new();
    for kind in restage_tests::random::census::statements() {
        let found = cases.iter().any(|case| {
            (0..6).any(|n| {
                let mut program = (*case.program).clone();
                remove(&mut program, kind, n) && seen(case, program)
            })
        });
        if !found {
            unseen.push(kind);
        }
    }
    assert_eq!(unseen, Vec::<&str>::new());
}

#[test]
fn another_operation_is_found() {
    let cases = cases();
    let swaps = [
        ("\"add\"", "\"sub\""),
        ("\"sub\"", "\"add\""),
        ("\"mul\"", "\"add\""),
        ("\"sat_add\"", "\"add\""),
        ("\"sat_sub\"", "\"sub\""),
        ("\"div\"", "\"mod\""),
        ("\"mod\"", "\"div\""),
        ("\"and\"", "\"or\""),
        ("\"or\"", "\"and\""),
        ("\"xor\"", "\"or\""),
        ("\"shl\"", "\"shr\""),
        ("\"shr\"", "\"shl\""),
        ("\"eq\"", "\"ne\""),
        ("\"ne\"", "\"eq\""),
        ("\"lt\"", "\"le\""),
        ("\"le\"", "\"gt\""),
        ("\"gt\"", "\"ge\""),
        ("\"ge\"", "\"lt\""),
        ("\"not\"", "\"neg\""),
        ("\"neg\"", "\"not\""),
        ("{\"sat_cast\"", "{\"cast\""),
        ("{\"cast\"", "{\"sat_cast\""),
    ];
    let mut unseen = Vec::new();
    for (from, to) in swaps {
        let found = cases.iter().any(|case| {
            let text = serde_json::to_string(&*case.program).unwrap();
            let from = format!("{{\"op\":{from}");
            let places: Vec<usize> = text.match_indices(&from).map(|(at, _)| at).collect();
            places.iter().take(30).any(|at| {
                let changed = format!("{}{{\"op\":{to}{}", &text[..*at], &text[at + from.len()..]);
                serde_json::from_str(&changed).is_ok_and(|program| seen(case, program))
            })
        });
        if !found {
            unseen.push(from);
        }
    }
    assert_eq!(unseen, Vec::<&str>::new());
}

/// For operations that have no sibling: 0 in place of the result.
#[test]
fn no_operation_is_found() {
    let cases = cases();
    let mut unseen = Vec::new();
    for op in Op::ALL {
        let found = cases.iter().any(|case| {
            (0..24).any(|n| {
                let mut program = (*case.program).clone();
                let (mut at, mut planted) = (0, false);
                replace(&mut program, &mut |program, e| {
                    let Expr::Op { op: this, .. } = e else { return None };
                    if this.name() != op.name() {
                        return None;
                    }
                    at += 1;
                    let ty = program.type_of(e, &[]).ok().filter(|_| at == n + 1)?;
                    planted = true;
                    Some(Expr::Const { ty, value: Bits::zero(ty.width()) })
                });
                planted && seen(case, program)
            })
        });
        if !found {
            unseen.push(op.name());
        }
    }
    assert_eq!(unseen, Vec::<&str>::new());
}

#[test]
fn another_entry_is_found() {
    let cases = cases();
    type Plant = fn(&Case, &mut Write) -> bool;
    let plants: [(&str, Plant); 10] = [
        ("action data", |_, write| match write {
            Write::Insert(_, entry) => match &mut entry.target {
                EntryTarget::Action(call) => flip(call.args.last_mut()),
                _ => false,
            },
            _ => false,
        }),
        ("priority", |_, write| match write {
            Write::Insert(_, entry) if entry.priority > 0 => {
                entry.priority = 1000;
                true
            }
            _ => false,
        }),
        ("member", |_, write| match write {
            Write::SetMember { call, .. } => flip(call.args.last_mut()),
            _ => false,
        }),
        ("group", |_, write| match write {
            Write::SetGroup { members, .. } => members.pop().is_some(),
            _ => false,
        }),
        ("default", |_, write| match write {
            Write::SetDefault(_, call) => call.take().is_some(),
            _ => false,
        }),
        ("multicast", |_, write| match write {
            Write::SetMulticast { replicas: Some(replicas), .. } => replicas.pop().is_some(),
            _ => false,
        }),
        ("clone session", |_, write| match write {
            Write::SetClone { target: Some((CloneTarget::Replicas(replicas), _)), .. } => {
                replicas.pop().is_some()
            }
            _ => false,
        }),
        ("register", |_, write| match write {
            Write::SetRegister(_, _, value) => flip(Some(value)),
            _ => false,
        }),
        ("custom CRC", |_, write| match write {
            Write::SetCrc(_, params) => {
                params.xor ^= 1;
                true
            }
            _ => false,
        }),
        ("value set", |_, write| match write {
            Write::SetValueSet(_, members) => members.pop().is_some(),
            _ => false,
        }),
    ];
    for (what, plant) in plants {
        let found = cases.iter().any(|case| {
            (0..case.writes.len()).any(|i| {
                let mut writes = case.writes.clone();
                plant(case, &mut writes[i]) && compare_with(case, &case.program, &writes).is_err()
            })
        });
        assert!(found, "a changed {what} was never found");
    }
}

/// Changes the lowest bit of a value.
fn flip(value: Option<&mut Bits>) -> bool {
    let Some(value) = value.filter(|v| v.width() > 0) else { return false };
    let mut limbs = value.limbs().to_vec();
    limbs[0] ^= 1;
    *value = Bits::from_limbs(value.width(), &limbs);
    true
}

/// Takes away statement number `n` of a kind.
fn remove(program: &mut Program, kind: &str, n: usize) -> bool {
    let mut left = n;
    blocks(program).into_iter().any(|block| remove_in(block, kind, &mut left))
}

fn blocks(program: &mut Program) -> Vec<&mut Block> {
    let Program { states, actions, ingress, egress, .. } = program;
    let states = states.values_mut().map(|s| &mut s.body);
    let actions = actions.values_mut().map(|a| &mut a.body);
    states.chain(actions).chain([ingress, egress]).collect()
}

fn remove_in(block: &mut Block, kind: &str, left: &mut usize) -> bool {
    for i in 0..block.len() {
        let json = serde_json::to_value(&block[i].kind).unwrap();
        let name = json.as_str().map(str::to_string);
        let name = name.or_else(|| Some(json.as_object()?.keys().next()?.clone()));
        if name.as_deref() == Some(kind) {
            if *left == 0 {
                block.remove(i);
                return true;
            }
            *left -= 1;
        }
        if inner(&mut block[i].kind).into_iter().any(|b| remove_in(b, kind, left)) {
            return true;
        }
    }
    false
}

fn inner(stmt: &mut StmtKind) -> Vec<&mut Block> {
    match stmt {
        StmtKind::If { then, otherwise, .. } => vec![then, otherwise],
        StmtKind::Apply { then: AfterApply::Hit { hit, miss }, .. } => vec![hit, miss],
        StmtKind::Apply { then: AfterApply::Switch { cases, default }, .. } => {
            cases.iter_mut().map(|c| &mut c.body).chain([default]).collect()
        }
        _ => Vec::new(),
    }
}

/// Replaces expressions on the right of assignments, in conditions and in keys.
fn replace(program: &mut Program, f: &mut dyn FnMut(&Program, &Expr) -> Option<Expr>) {
    let types = program.clone();
    for block in blocks(program) {
        replace_in(&types, block, f);
    }
    for table in program.tables.values_mut() {
        table.keys.iter_mut().for_each(|k| replace_expr(&types, &mut k.value, f));
    }
}

fn replace_in(
    types: &Program,
    block: &mut Block,
    f: &mut dyn FnMut(&Program, &Expr) -> Option<Expr>,
) {
    for stmt in block {
        match &mut stmt.kind {
            StmtKind::Assign { src, dst } => {
                replace_expr(types, src, f);
                if let Place::Field { header: HeaderRef::Element { at, .. }, .. } = dst
                    && let ElementIndex::Expr(index) = at
                {
                    replace_expr(types, index, f);
                }
            }
            StmtKind::If { condition, .. } => replace_expr(types, condition, f),
            StmtKind::Count { index, .. } | StmtKind::ReadRegister { index, .. } => {
                replace_expr(types, index, f);
            }
            StmtKind::WriteRegister { index, value, .. } => {
                replace_expr(types, index, f);
                replace_expr(types, value, f);
            }
            _ => {}
        }
        inner(&mut stmt.kind).into_iter().for_each(|b| replace_in(types, b, f));
    }
}

fn replace_expr(
    types: &Program,
    expr: &mut Expr,
    f: &mut dyn FnMut(&Program, &Expr) -> Option<Expr>,
) {
    if let Some(other) = f(types, expr) {
        *expr = other;
    } else if let Expr::Op { args, .. } = expr {
        args.iter_mut().for_each(|a| replace_expr(types, a, f));
    }
}

/// What is planted must itself be a program: the tests above would find nothing otherwise.
#[test]
fn planted_programs_are_accepted() {
    let case = trial(FIRST, 1).unwrap();
    let mut program = (*case.program).clone();
    assert!(remove(&mut program, "assign", 0));
    let changed: Checked = program.clone().check().unwrap();
    assert_ne!(changed, case.program);
    assert_eq!(case.program.type_of(&Expr::bool(true), &[]), Ok(Type::Bool));
}
