//! The part of a flow that is built inside a cell: what lies between what it reads and what it writes.
//!
//! All of it happens in one clock. So what depends on nothing but a few bits of one thing that is read, and would be more
//! than one lookup table, becomes a table: `1 << (27 - rank)` is a function of the five bits of `rank`. And where that is
//! shorter, both sides of a late choice are worked with and the choice is made in the end: `min(a, b) + c` becomes
//! `a < b ? a + c : b + c`.

use super::late::{Late, MOST_SIDES, saturated};
use super::socket::zeros;
use super::values::value;
use crate::op;
use crate::pipe::{Pipe, Sig};
use restage_compile::flow::{Access, Def, Flow, Value, evaluate};
use restage_program::op::Op;
use restage_program::{Bits, Type};
use std::collections::{BTreeMap, HashMap};

/// Bits of which a function is one lookup table.
const TABLE_BITS: u32 = 6;

/// Depths up to which nothing else is tried.
const SHORT_LUTS: u32 = 4;
const SHORT_LEVELS: u32 = 6;

/// The part of a flow that is built inside a cell.
pub(super) struct Inside<'f> {
    flow: &'f Flow,
    /// Which values are outputs of the accesses.
    ports: BTreeMap<Value, (Access, u32)>,
    /// Values in order, the outputs left out.
    inner: Vec<Value>,
    /// Values from outside.
    pub taken: Vec<Value>,
    tables: HashMap<Value, Table>,
}

/// A function of one output alone.
struct Table {
    of: Value,
    contents: Vec<Bits>,
}

impl<'f> Inside<'f> {
    pub fn new(flow: &'f Flow, members: &[Access], inner: &[Value], ends: &[Value]) -> Self {
        let mut ports = BTreeMap::new();
        let mut values = Vec::new();
        for value in inner {
            match flow.values[*value].def {
                Def::Out(from, port) if members.contains(&from) => {
                    ports.insert(*value, (from, port));
                }
                _ => values.push(*value),
            }
        }
        let mut taken = Vec::new();
        let mut take = |v: Value| {
            if !inner.contains(&v) && !taken.contains(&v) {
                taken.push(v);
            }
        };
        ends.iter().copied().for_each(&mut take);
        values.iter().for_each(|v| flow.values[*v].def.operands(&mut take));
        let tables = tables(flow, &ports, &values);
        Inside { flow, ports, inner: values, taken, tables }
    }

    /// Builds it from what the access reads and what comes from outside.
    pub fn build<R: Fn(Access, u32) -> Option<Sig>>(
        &self,
        pipe: &mut Pipe,
        read: R,
        taken: &[Sig],
    ) -> impl Fn(Value) -> Sig + use<R> {
        self.built(pipe, read, taken, false)
    }

    /// As [`build`](Self::build), in the way that is shorter up to `ends`: choosing first, as it is written, or computing
    /// both sides of what is chosen late.
    pub fn build_short<R: Fn(Access, u32) -> Option<Sig> + Copy>(
        &self,
        pipe: &mut Pipe,
        read: R,
        taken: &[Sig],
        ends: &[Value],
    ) -> impl Fn(Value) -> Sig + use<R> {
        let plain = self.built(pipe, read, taken, false);
        let depth = |pipe: &Pipe, built: &dyn Fn(Value) -> Sig| {
            let ends = ends.iter().map(|v| built(*v));
            ends.map(|e| (pipe.timing(e).level, pipe.luts(e))).max().unwrap_or_default()
        };
        let usual = depth(pipe, &plain);
        if usual.0 <= SHORT_LEVELS && usual.1 <= SHORT_LUTS {
            return plain;
        }
        let both = self.built(pipe, read, taken, true);
        if depth(pipe, &both) <= usual { both } else { plain }
    }

    fn built<R: Fn(Access, u32) -> Option<Sig>>(
        &self,
        pipe: &mut Pipe,
        read: R,
        taken: &[Sig],
        late: bool,
    ) -> Box<dyn Fn(Value) -> Sig> {
        let nothing = zeros(pipe, 1);
        let mut built: HashMap<Value, Sig> =
            self.taken.iter().copied().zip(taken.iter().copied()).collect();
        for (value, (access, port)) in &self.ports {
            built.insert(*value, read(*access, *port).unwrap_or(nothing));
        }
        let mut open: HashMap<Value, Late> = HashMap::new();
        for at in &self.inner {
            let get = |v: Value| built.get(&v).copied().unwrap_or(nothing);
            if late && let Some(late) = self.late(pipe, *at, &get, &open) {
                built.insert(*at, late.chosen(pipe));
                open.insert(*at, late);
                continue;
            }
            let mut sig = value(pipe, self.flow, *at, None, &get);
            if sig.is_none() {
                pipe.refuse(
                    "a cell's update needs another cell, which would have to be in the same clock",
                );
            }
            if let Some(table) = self.tables.get(at)
                && sig.is_some_and(|sig| pipe.luts(sig) > 1)
            {
                let of = get(table.of);
                sig = Some(looked_up(pipe, of, &table.contents));
            }
            built.insert(*at, sig.unwrap_or(nothing));
        }
        Box::new(move |v| built.get(&v).copied().unwrap_or(nothing))
    }

    /// The value as a choice between values that do not wait for the condition, if it is one.
    fn late(
        &self,
        pipe: &mut Pipe,
        at: Value,
        get: &impl Fn(Value) -> Sig,
        open: &HashMap<Value, Late>,
    ) -> Option<Late> {
        let Def::Op(op, args) = &self.flow.values[at].def else { return None };
        let ty = self.flow.ty(at);
        let late = |v: Value| open.get(&v).cloned().unwrap_or(Late::Is(get(v)));
        match (op, args.as_slice()) {
            (Op::Mux, [condition, then, otherwise]) => {
                let (condition, plain) = (get(*condition), |v: &Value| Late::Is(get(*v)));
                if ty.width() == 1 || pipe.timing(condition).level <= 1 {
                    return None;
                }
                let all = Late::either(condition, late(*then), late(*otherwise));
                let few = || Late::either(condition, plain(then), plain(otherwise));
                Some(if all.count() <= MOST_SIDES { all } else { few() })
            }
            (Op::And | Op::Or | Op::Xor | Op::Mux, _) => None,
            (Op::SatAdd | Op::SatSub, [a, b]) if !ty.is_signed() => {
                let (a, b) = (late(*a), late(*b));
                if a.count() * b.count() * 2 > MOST_SIDES {
                    return None;
                }
                Some(Late::each(pipe, &[a, b], &mut |pipe, args| {
                    saturated(pipe, *op == Op::SatAdd, args[0], args[1])
                }))
            }
            _ => {
                let lates: Vec<Late> = args.iter().map(|v| late(*v)).collect();
                let count: usize = lates.iter().map(Late::count).product();
                if count == 1 || count > MOST_SIDES {
                    return None;
                }
                let types: Vec<Type> = args.iter().map(|v| self.flow.ty(*v)).collect();
                Some(Late::each(pipe, &lates, &mut |pipe, args| {
                    let operands: Vec<(Type, Sig)> =
                        types.iter().copied().zip(args.iter().copied()).collect();
                    Late::Is(op::circuit(pipe, *op, &operands))
                }))
            }
        }
    }
}

fn looked_up(pipe: &mut Pipe, of: Sig, contents: &[Bits]) -> Sig {
    let words: Vec<Sig> = contents.iter().map(|bits| pipe.bits(bits)).collect();
    let Some((default, rest)) = words.split_last() else { return of };
    let arms: Vec<(u64, Sig)> = (0..).zip(rest.iter().copied()).collect();
    pipe.case(of, &arms, *default)
}

/// The values that depend on one output of few bits, and on nothing else.
fn tables(
    flow: &Flow,
    ports: &BTreeMap<Value, (Access, u32)>,
    inner: &[Value],
) -> HashMap<Value, Table> {
    let mut tables: HashMap<Value, Table> = HashMap::new();
    for at in inner {
        let def = &flow.values[*at].def;
        let (mut sources, mut others) = (Vec::new(), false);
        def.operands(&mut |v| {
            let source = match tables.get(&v) {
                Some(table) => Some(table.of),
                None => ports.contains_key(&v).then_some(v),
            };
            match source {
                Some(source) => sources.push(source),
                None => others |= !matches!(flow.values[v].def, Def::Const(_)),
            }
        });
        sources.dedup();
        let [of] = sources[..] else { continue };
        let width = flow.ty(of).width();
        if others || width > TABLE_BITS {
            continue;
        }
        let contents: Option<Vec<Bits>> = (0..1usize << width)
            .map(|number| {
                evaluate(def, |v| {
                    let bits = match (tables.get(&v), &flow.values[v].def) {
                        (Some(table), _) => table.contents.get(number).cloned(),
                        (None, Def::Const(bits)) => Some(bits.clone()),
                        (None, _) => Some(Bits::new(width, number as u128)),
                    };
                    (flow.ty(v), bits.unwrap_or_default())
                })
            })
            .collect();
        if let Some(contents) = contents {
            tables.insert(*at, Table { of, contents });
        }
    }
    tables
}
