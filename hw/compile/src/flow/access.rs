//! Accesses: what a packet asks of tables and state.

use super::Value;
use restage_program::Type;
use restage_program::entity::{Action, Counter, Map, Meter, Register, Table, ValueSet};
use restage_program::program::Program;
use restage_program::types::bit;
use serde::{Deserialize, Serialize};

use super::{Origin, bits_for, flow_type};

/// One access. When its guard is false nothing happens and its outputs are 0.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AccessDecl {
    /// Whether it happens, a `bool`.
    pub guard: Value,
    /// Of what, and how.
    pub kind: AccessKind,
    /// What of the program it comes from.
    pub origin: Origin,
}

/// What is accessed, and the ports that it gives.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum AccessKind {
    /// A table. Ports: 0 hit (`bool`), 1 the action that runs as its position in `TableDecl::actions` (the
    /// default's on a miss), 2 the colour of the direct meter (`bit<2>`, 0 without one or on a miss), then
    /// the parameters of every action in order: those of the action that runs hold its data, the others
    /// are free.
    Table(TableUse),
    /// A register. Port 0: the content before; 0 when the index is out of range.
    Register {
        /// Which.
        register: Register,
        /// Which one of them, any `bit`; out of range nothing is written.
        index: Value,
        /// What it becomes. May depend on port 0: that part runs in one clock.
        write: Option<RegisterWrite>,
    },
    /// A counter. No ports. One that several uses on one path count has a bank for each; what it counts is
    /// the sum of its banks.
    Counter {
        /// Which.
        counter: Counter,
        /// The bank, from 0 on.
        bank: u32,
        /// Which one of them, any `bit`; out of range nothing is counted.
        index: Value,
        /// Bytes of the packet as it entered, a `bit<16>`.
        length: Value,
    },
    /// A meter. Port 0: the colour, a `bit<2>`; green when the index is out of range.
    Meter {
        /// Which.
        meter: Meter,
        /// Which one of them, any `bit`.
        index: Value,
        /// Bytes of the packet as it entered, a `bit<16>`.
        length: Value,
    },
    /// A map: perhaps looked up, then perhaps written or cleared at the same key. Ports: 0 found (`bool`),
    /// then the values (0 when not found), then room (`bool`): whether an entry
    /// of this key that is written now is stored.
    Map(MapUse),
    /// The generator of a `random`. One draw for each place that runs the statement; each guarded one steps
    /// the generator, in order. Port i: the number of draw i, as wide as `high`.
    Random {
        /// Which statement: see [`restage_program::random::Sites`].
        site: u32,
        /// The draws.
        draws: Vec<Draw>,
    },
    /// Parsers only: whether the columns are a member of a value set. Port 0: `bool`.
    ValueSet {
        /// Which.
        set: ValueSet,
        /// A value for each column.
        columns: Vec<Value>,
    },
}

/// How a table is used.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TableUse {
    /// Which.
    pub table: Table,
    /// A value for each key. A parser error is extended to 32 bits.
    pub keys: Vec<Value>,
    /// The hash by which its profile's selector chooses, if there is one.
    pub selector: Option<Value>,
    /// Bytes of the packet as it entered, a `bit<16>`, when it has a direct counter or meter.
    pub length: Option<Value>,
}

/// What a register becomes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RegisterWrite {
    /// Whether it is written, a `bool`; implies the access's guard.
    pub enable: Value,
    /// Its new content.
    pub data: Value,
}

/// How a map is used.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MapUse {
    /// Which.
    pub map: Map,
    /// The key's fields.
    pub key: Vec<Value>,
    /// Whether finding an entry counts as use, a `bool`.
    pub touch: Value,
    /// An entry that is written. May depend on `found` and the values: that part runs in one clock.
    pub put: Option<MapPut>,
    /// Whether the entry is removed, a `bool`. May depend on `found` and the values.
    pub remove: Option<Value>,
}

/// An entry that is written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MapPut {
    /// Whether, a `bool`; implies the access's guard.
    pub enable: Value,
    /// Its values.
    pub values: Vec<Value>,
}

/// One random number.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Draw {
    /// Whether, a `bool`; implies the access's guard.
    pub guard: Value,
    /// The smallest.
    pub low: Value,
    /// The largest.
    pub high: Value,
}

/// A cell of which a flow may have one access.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// A table.
    Table(Table),
    /// A register array.
    Register(Register),
    /// A bank of a counter array.
    Counter(Counter, u32),
    /// A meter array.
    Meter(Meter),
    /// A map.
    Map(Map),
    /// The generator of a `random`, by its site.
    Random(u32),
}

impl AccessKind {
    /// What it accesses; value sets may be asked more than once.
    pub fn cell(&self) -> Option<Cell> {
        Some(match self {
            AccessKind::Table(u) => Cell::Table(u.table),
            AccessKind::Register { register, .. } => Cell::Register(*register),
            AccessKind::Counter { counter, bank, .. } => Cell::Counter(*counter, *bank),
            AccessKind::Meter { meter, .. } => Cell::Meter(*meter),
            AccessKind::Map(u) => Cell::Map(u.map),
            AccessKind::Random { site, .. } => Cell::Random(*site),
            AccessKind::ValueSet { .. } => return None,
        })
    }

    /// The types of its ports.
    pub fn ports(&self, program: &Program) -> Vec<Type> {
        match self {
            AccessKind::Table(u) => table_ports(program, u.table),
            AccessKind::Register { register, .. } => {
                program.registers.get(*register).map(|r| r.ty).into_iter().collect()
            }
            AccessKind::Counter { .. } => Vec::new(),
            AccessKind::Meter { .. } => vec![bit(2)],
            AccessKind::Map(u) => {
                let values = program.maps.get(u.map).into_iter().flat_map(|m| &m.values);
                let middle = values.map(|f| f.ty);
                [Type::Bool].into_iter().chain(middle).chain([Type::Bool]).collect()
            }
            // They depend on the values.
            AccessKind::Random { .. } => Vec::new(),
            AccessKind::ValueSet { .. } => vec![Type::Bool],
        }
    }

    /// What must be there when the access begins; its outputs come after. The guard is not among them.
    pub fn issue(&self, f: &mut impl FnMut(Value)) {
        match self {
            AccessKind::Table(u) => {
                u.keys.iter().copied().chain(u.selector).chain(u.length).for_each(f);
            }
            AccessKind::Register { index, .. } => f(*index),
            AccessKind::Counter { index, length, .. } | AccessKind::Meter { index, length, .. } => {
                f(*index);
                f(*length);
            }
            AccessKind::Map(u) => {
                u.key.iter().copied().for_each(&mut *f);
                f(u.touch);
            }
            AccessKind::Random { draws, .. } => draws.iter().for_each(|d| {
                f(d.guard);
                f(d.low);
                f(d.high);
            }),
            AccessKind::ValueSet { columns, .. } => columns.iter().copied().for_each(f),
        }
    }

    /// What is written in the end; may depend on the access's own outputs.
    pub fn update(&self, f: &mut impl FnMut(Value)) {
        match self {
            AccessKind::Register { write: Some(write), .. } => {
                f(write.enable);
                f(write.data);
            }
            AccessKind::Map(u) => {
                if let Some(put) = &u.put {
                    f(put.enable);
                    put.values.iter().copied().for_each(&mut *f);
                }
                u.remove.into_iter().for_each(f);
            }
            _ => {}
        }
    }

    /// Replaces every value in it.
    pub fn map_values(&mut self, f: &mut impl FnMut(Value) -> Value) {
        match self {
            AccessKind::Table(u) => {
                u.keys.iter_mut().for_each(|k| *k = f(*k));
                u.selector = u.selector.map(&mut *f);
                u.length = u.length.map(f);
            }
            AccessKind::Register { index, write, .. } => {
                *index = f(*index);
                if let Some(write) = write {
                    write.enable = f(write.enable);
                    write.data = f(write.data);
                }
            }
            AccessKind::Counter { index, length, .. } | AccessKind::Meter { index, length, .. } => {
                *index = f(*index);
                *length = f(*length);
            }
            AccessKind::Map(u) => {
                u.key.iter_mut().for_each(|k| *k = f(*k));
                u.touch = f(u.touch);
                if let Some(put) = &mut u.put {
                    put.enable = f(put.enable);
                    put.values.iter_mut().for_each(|v| *v = f(*v));
                }
                u.remove = u.remove.map(f);
            }
            AccessKind::Random { draws, .. } => {
                for draw in draws {
                    draw.guard = f(draw.guard);
                    draw.low = f(draw.low);
                    draw.high = f(draw.high);
                }
            }
            AccessKind::ValueSet { columns, .. } => columns.iter_mut().for_each(|c| *c = f(*c)),
        }
    }
}

/// The ports of a table.
fn table_ports(program: &Program, table: Table) -> Vec<Type> {
    let Some(decl) = program.tables.get(table) else { return Vec::new() };
    let mut ports = vec![Type::Bool, bit(bits_for(decl.actions.len())), bit(2)];
    for listed in &decl.actions {
        let params = program.actions.get(listed.action).into_iter().flat_map(|a| &a.params);
        ports.extend(params.map(|p| flow_type(program, p.ty)));
    }
    ports
}

/// The port of the first parameter of an action of a table, counted by its position in the table.
pub fn first_param(program: &Program, table: Table, position: usize) -> u32 {
    let actions = program.tables.get(table).map(|t| t.actions.as_slice()).unwrap_or_default();
    let params = |action: Action| program.actions.get(action).map_or(0, |a| a.params.len());
    3 + actions.iter().take(position).map(|a| params(a.action) as u32).sum::<u32>()
}
