//! In which order the values and accesses of a flow are built.
//!
//! A flow orders values alone. Circuits are built access by access, and the part of a flow between what an
//! access reads and what it writes, its *loop*, is built inside the cell: everything else that the loop needs must
//! be there before. Accesses of which each writes what depends on what the others read have one loop: they are
//! built together.

use restage_compile::flow::{Access, Def, Flow, Value};
use restage_program::entity::{Entity, EntityMap};
use std::collections::{BTreeSet, HashMap, HashSet};

/// What is built next.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Step {
    Value(Value),
    /// The group with this number.
    Group(usize),
}

/// Accesses that are built together, one as a rule.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    pub members: Vec<Access>,
    /// Values that depend on what members read and on which depends what they write, operands first.
    pub inner: Vec<Value>,
}

/// The order.
#[derive(Debug)]
pub(super) struct Order {
    pub steps: Vec<Step>,
    pub groups: Vec<Group>,
}

/// Accesses that wait for each other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Knot(pub Vec<Access>);

/// Orders what outputs and accesses need; the rest is left out.
pub(super) fn order(flow: &Flow) -> Result<Order, Knot> {
    let groups = groups(flow);
    let group_of: HashMap<Access, usize> =
        (0..).zip(&groups).flat_map(|(n, g)| g.members.iter().map(move |a| (*a, n))).collect();
    let needs: Vec<BTreeSet<Value>> = groups.iter().map(|group| needs(flow, group)).collect();
    let mut steps = Vec::new();
    let mut done: HashSet<Step> = HashSet::new();
    let mut open: Vec<Step> = Vec::new();
    let roots =
        flow.outputs.iter().map(|(_, v)| Step::Value(*v)).chain((0..groups.len()).map(Step::Group));
    for root in roots {
        let mut todo = vec![(root, false)];
        while let Some((step, ready)) = todo.pop() {
            if ready {
                open.pop();
                done.insert(step);
                steps.push(step);
                continue;
            }
            if done.contains(&step) {
                continue;
            }
            if let Some(from) = open.iter().position(|s| *s == step) {
                let waiting = open[from..].iter().filter_map(|s| match s {
                    Step::Group(group) => Some(groups[*group].members.clone()),
                    Step::Value(_) => None,
                });
                return Err(Knot(waiting.flatten().collect()));
            }
            open.push(step);
            todo.push((step, true));
            let mut need = |s: Step| todo.push((s, false));
            match step {
                Step::Value(value) => match &flow.values[value].def {
                    Def::Out(access, _) => need(Step::Group(group_of[access])),
                    def => def.operands(&mut |v| need(Step::Value(v))),
                },
                Step::Group(group) => needs[group].iter().for_each(|v| need(Step::Value(*v))),
            }
        }
    }
    Ok(Order { steps, groups })
}

/// What must be there before a group: guards, what its members begin with, and what its loop takes from outside.
fn needs(flow: &Flow, group: &Group) -> BTreeSet<Value> {
    let inner: HashSet<Value> = group.inner.iter().copied().collect();
    let mut needs = BTreeSet::new();
    for access in &group.members {
        let decl = &flow.accesses[*access];
        needs.insert(decl.guard);
        decl.kind.issue(&mut |v| {
            needs.insert(v);
        });
        decl.kind.update(&mut |v| {
            if !inner.contains(&v) {
                needs.insert(v);
            }
        });
    }
    for value in &group.inner {
        flow.values[*value].def.operands(&mut |v| {
            if !inner.contains(&v) {
                needs.insert(v);
            }
        });
    }
    needs
}

/// The accesses, those that depend on each other's reading together.
fn groups(flow: &Flow) -> Vec<Group> {
    let asks: EntityMap<Access, BTreeSet<Access>> =
        flow.accesses.keys().map(|access| asked(flow, access)).collect();
    let mut groups: Vec<Group> = Vec::new();
    let mut placed: HashSet<Access> = HashSet::new();
    for access in flow.accesses.keys() {
        if placed.contains(&access) {
            continue;
        }
        let from_here = reached(&asks, access);
        let members: Vec<Access> = flow
            .accesses
            .keys()
            .filter(|a| {
                *a == access || from_here.contains(a) && reached(&asks, *a).contains(&access)
            })
            .collect();
        placed.extend(&members);
        let inner = inner(flow, &members);
        groups.push(Group { members, inner });
    }
    groups
}

/// Accesses on whose reading depends, by values alone, what an access writes.
fn asked(flow: &Flow, access: Access) -> BTreeSet<Access> {
    let mut todo = Vec::new();
    flow.accesses[access].kind.update(&mut |v| todo.push(v));
    let (mut seen, mut found) = (HashSet::new(), BTreeSet::new());
    while let Some(value) = todo.pop() {
        if !seen.insert(value) {
            continue;
        }
        match &flow.values[value].def {
            Def::Out(other, _) => {
                found.insert(*other);
            }
            def => def.operands(&mut |v| todo.push(v)),
        }
    }
    found
}

fn reached(asks: &EntityMap<Access, BTreeSet<Access>>, from: Access) -> BTreeSet<Access> {
    let (mut found, mut todo) = (BTreeSet::new(), vec![from]);
    while let Some(access) = todo.pop() {
        todo.extend(asks[access].iter().filter(|a| found.insert(**a)));
    }
    found
}

fn inner(flow: &Flow, members: &[Access]) -> Vec<Value> {
    let mut ends = Vec::new();
    for access in members {
        flow.accesses[*access].kind.update(&mut |v| ends.push(v));
    }
    if ends.is_empty() {
        return Vec::new();
    }
    let mut behind = vec![false; flow.values.len()];
    for (value, decl) in flow.values.iter() {
        behind[value.index()] = match &decl.def {
            Def::Out(from, _) => members.contains(from),
            def => {
                let mut any = false;
                def.operands(&mut |v| any |= behind[v.index()]);
                any
            }
        };
    }
    let mut inner = BTreeSet::new();
    while let Some(value) = ends.pop() {
        if behind[value.index()] && inner.insert(value) {
            flow.values[value].def.operands(&mut |v| ends.push(v));
        }
    }
    inner.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use restage_compile::flow::{AccessDecl, AccessKind, Origin, RegisterWrite, Slot, ValueDecl};
    use restage_manifest::ShellField;
    use restage_program::Type;
    use restage_program::entity::Register;
    use restage_program::op::Op;

    fn value(flow: &mut Flow, ty: Type, def: Def) -> Value {
        flow.values.push(ValueDecl { ty, def, name: None, origin: Origin::default() })
    }

    fn register(flow: &mut Flow, index: u32, guard: Value, by: Value) -> Access {
        flow.accesses.push(AccessDecl {
            guard,
            kind: AccessKind::Register {
                register: Register(index),
                index: by,
                write: Some(RegisterWrite { enable: guard, data: by }),
            },
            origin: Origin::default(),
        })
    }

    fn set_data(flow: &mut Flow, access: Access, new: Value) {
        if let AccessKind::Register { write: Some(write), .. } = &mut flow.accesses[access].kind {
            write.data = new;
        }
    }

    #[test]
    fn a_loop_is_what_lies_between_reading_and_writing() {
        let mut flow = Flow::default();
        let run = value(&mut flow, Type::Bool, Def::Slot(Slot::Shell(ShellField::Run)));
        let port = value(&mut flow, Type::Bit(9), Def::Slot(Slot::Shell(ShellField::IngressPort)));
        let cell = register(&mut flow, 0, run, port);
        let old = value(&mut flow, Type::Bit(9), Def::Out(cell, 0));
        let other = value(&mut flow, Type::Bit(9), Def::Op(Op::Not, vec![port]));
        let sum = value(&mut flow, Type::Bit(9), Def::Op(Op::Add, vec![old, other]));
        let shown = value(&mut flow, Type::Bit(9), Def::Op(Op::Neg, vec![old]));
        set_data(&mut flow, cell, sum);
        flow.outputs = vec![(Slot::Temp(0), shown)];
        let order = order(&flow).unwrap();
        assert_eq!(order.groups[0].inner, [old, sum]);
        let at = |step| order.steps.iter().position(|s| *s == step);
        assert!(at(Step::Value(other)) < at(Step::Group(0)));
        assert!(at(Step::Group(0)) < at(Step::Value(shown)));
        assert_eq!(at(Step::Value(sum)), None);
    }

    #[test]
    fn cells_that_write_what_others_read_are_built_together() {
        let mut flow = Flow::default();
        let run = value(&mut flow, Type::Bool, Def::Slot(Slot::Shell(ShellField::Run)));
        let port = value(&mut flow, Type::Bit(9), Def::Slot(Slot::Shell(ShellField::IngressPort)));
        let first = register(&mut flow, 0, run, port);
        let second = register(&mut flow, 1, run, port);
        let one = value(&mut flow, Type::Bit(9), Def::Out(first, 0));
        let two = value(&mut flow, Type::Bit(9), Def::Out(second, 0));
        set_data(&mut flow, first, two);
        set_data(&mut flow, second, one);
        let order = order(&flow).unwrap();
        assert_eq!(order.groups.len(), 1);
        assert_eq!(order.groups[0].members, [first, second]);
        assert_eq!(order.groups[0].inner, [one, two]);
    }
    #[test]
    fn cells_that_wait_for_each_other_are_found() {
        let mut flow = Flow::default();
        let run = value(&mut flow, Type::Bool, Def::Slot(Slot::Shell(ShellField::Run)));
        let port = value(&mut flow, Type::Bit(9), Def::Slot(Slot::Shell(ShellField::IngressPort)));
        let first = register(&mut flow, 0, run, port);
        let one = value(&mut flow, Type::Bit(9), Def::Out(first, 0));
        let second = register(&mut flow, 1, run, one);
        let two = value(&mut flow, Type::Bit(9), Def::Out(second, 0));
        set_data(&mut flow, first, two);
        assert_eq!(order(&flow).unwrap_err(), Knot(vec![first, second]));
    }
}
