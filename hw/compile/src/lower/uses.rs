//! The uses of a cell, which become one access.
//!
//! ```text
//! before: if (c) { r.read(x, i); } else { r.write(j, 5); }
//! after:  a0: if (c || !c) register r[c ? i : j]   x = c ? a0.old : x   a0 := 5 if !c
//! ```
//!
//! Uses on one path are refused, but for a read and then a write of a register or map, which share the
//! index of the first.

use super::store::Store;
use super::{Lower, Refusal};
use crate::flow::{
    Access, AccessKind, Cell, Draw, Flow, MapPut, MapUse, Origin, RegisterWrite, Slot, TableUse,
    Value,
};
use restage_manifest::ShellField;
use restage_program::entity::Counter;
use restage_program::loc::Loc;
use restage_program::program::Program;
use std::collections::BTreeMap;

/// All uses of the cells of a flow.
#[derive(Debug, Default)]
pub struct Uses {
    cells: BTreeMap<Cell, CellUses>,
}

#[derive(Debug)]
struct CellUses {
    access: Access,
    /// Where it is issued: condition, and key or index.
    begins: Vec<(Value, Vec<Value>)>,
    places: Vec<Loc>,
    origin: Origin,
    /// Conditions and data of writes.
    writes: Vec<(Value, Vec<Value>)>,
    /// Conditions of lookups that restart a time-out.
    touches: Vec<Value>,
    removes: Vec<Value>,
    draws: Vec<Draw>,
}

/// The name of a cell for people.
pub fn cell_name(program: &Program, cell: Cell) -> String {
    let (kind, name) = match cell {
        Cell::Table(t) => ("table", program.tables.get(t).map(|d| &d.preamble)),
        Cell::Register(r) => ("register", program.registers.get(r).map(|d| &d.preamble)),
        Cell::Counter(c, _) => ("counter", program.counters.get(c).map(|d| &d.preamble)),
        Cell::Meter(m) => ("meter", program.meters.get(m).map(|d| &d.preamble)),
        Cell::Map(m) => ("map", program.maps.get(m).map(|d| &d.preamble)),
        Cell::Random(site) => return format!("`random` {site}"),
    };
    format!("{kind} `{}`", name.map_or("?", |p| p.name.as_str()))
}

impl Uses {
    /// The cells used, and a place of each.
    pub fn cells(&self) -> impl Iterator<Item = (Cell, Loc)> + '_ {
        self.cells.iter().map(|(c, u)| (*c, u.places.first().cloned().unwrap_or_default()))
    }

    /// The cell of an access.
    pub fn cell_of(&self, access: Access) -> Option<Cell> {
        self.cells.iter().find(|(_, u)| u.access == access).map(|(c, _)| *c)
    }
}

/// Cells that more than one part uses; those that the checker's rules W name are left out.
pub fn in_both(program: &Program, flows: [&Flow; 3]) -> Vec<Refusal> {
    let mut seen: BTreeMap<Cell, &str> = BTreeMap::new();
    let mut found = Vec::new();
    for flow in flows {
        for (cell, _) in flow.cells() {
            let other = seen.insert(cell, &flow.name).filter(|other| *other != flow.name);
            let told = matches!(cell, Cell::Register(_) | Cell::Map(_) | Cell::Random(_));
            if let Some(other) = other.filter(|_| !told) {
                let name = cell_name(program, cell);
                let found_in = format!("is used in {other} and in {}", flow.name);
                found.push(Refusal::new(name, found_in, "one of them only is accepted"));
            }
        }
    }
    found
}

impl Lower<'_> {
    fn cell(&mut self, cell: Cell) -> &mut CellUses {
        let make = &mut self.make;
        let place = self.place.clone();
        let uses = self.uses.cells.entry(cell).or_insert_with(|| CellUses {
            access: make.access(),
            begins: Vec::new(),
            places: Vec::new(),
            origin: make.origin().clone(),
            writes: Vec::new(),
            touches: Vec::new(),
            removes: Vec::new(),
            draws: Vec::new(),
        });
        uses.places.push(place);
        uses
    }

    /// The access of a table, applied here with these keys (and the selector's hash behind them).
    pub fn use_table<S: Store>(&mut self, store: &mut S, cell: Cell, keys: Vec<Value>) -> Access {
        let path = store.path(&mut self.make);
        let uses = self.cell(cell);
        uses.begins.push((path, keys));
        uses.access
    }

    /// The access of a register or map, unless the packet has begun one already, then that one.
    pub fn use_state<S: Store>(&mut self, store: &mut S, cell: Cell, index: Vec<Value>) -> Access {
        let path = store.path(&mut self.make);
        let touched = store.touched(&mut self.make, cell);
        let first = self.make.not(touched);
        let first = self.make.and(path, first);
        let known = self.make.as_truth(first);
        store.touch(&mut self.make, cell);
        let uses = self.cell(cell);
        if known != Some(false) {
            uses.begins.push((first, index));
        }
        uses.access
    }

    /// A counter counts, in the first bank in which this packet has not counted.
    pub fn use_counter<S: Store>(&mut self, store: &mut S, counter: Counter, index: Value) {
        let path = store.path(&mut self.make);
        let banks = self.uses.cells.len() as u32 + 1;
        for cell in (0..banks).map(|bank| Cell::Counter(counter, bank)) {
            let touched = store.touched(&mut self.make, cell);
            if self.make.exclusive(path, touched) {
                store.touch(&mut self.make, cell);
                return self.cell(cell).begins.push((path, vec![index]));
            }
        }
    }

    /// The access of a meter; a second one on the same path is refused.
    pub fn use_once<S: Store>(&mut self, store: &mut S, cell: Cell, index: Value) -> Access {
        let path = store.path(&mut self.make);
        let touched = store.touched(&mut self.make, cell);
        if !self.make.exclusive(path, touched) {
            let name = cell_name(self.program, cell);
            let before = self.cell(cell).places.first().cloned().unwrap_or_default();
            let refusal = Refusal::new(
                name,
                "is used again by one packet",
                "one use on every path is accepted; declare a second array for the other",
            )
            .at(&self.place)
            .with("used here before", &before);
            self.refuse(refusal);
        }
        store.touch(&mut self.make, cell);
        let uses = self.cell(cell);
        uses.begins.push((path, vec![index]));
        uses.access
    }

    /// A register or map is written (or a map's entry removed) when the packet comes here.
    pub fn use_write<S: Store>(&mut self, store: &mut S, cell: Cell, data: Vec<Value>) {
        let path = store.path(&mut self.make);
        self.cell(cell).writes.push((path, data));
    }

    /// A lookup restarts the time-out when the packet comes here.
    pub fn use_touch<S: Store>(&mut self, store: &mut S, cell: Cell) {
        let path = store.path(&mut self.make);
        self.cell(cell).touches.push(path);
    }

    /// An entry of a map is removed when the packet comes here.
    pub fn use_remove<S: Store>(&mut self, store: &mut S, cell: Cell) {
        let path = store.path(&mut self.make);
        self.cell(cell).removes.push(path);
    }

    /// A random number; the access and the port on which it comes.
    pub fn use_random<S: Store>(
        &mut self,
        store: &mut S,
        site: u32,
        low: Value,
        high: Value,
    ) -> (Access, u32) {
        let guard = store.path(&mut self.make);
        let uses = self.cell(Cell::Random(site));
        uses.draws.push(Draw { guard, low, high });
        (uses.access, uses.draws.len() as u32 - 1)
    }

    /// Says what every access needs.
    pub fn fill_uses(&mut self) {
        let cells: Vec<Cell> = self.uses.cells.keys().copied().collect();
        for cell in cells {
            let Some(uses) = self.uses.cells.get(&cell) else { continue };
            let (access, origin) = (uses.access, uses.origin.clone());
            let begins = uses.begins.clone();
            let (writes, touches) = (uses.writes.clone(), uses.touches.clone());
            let (removes, draws) = (uses.removes.clone(), uses.draws.clone());
            let mut guard = self.make.any(begins.iter().map(|(g, _)| *g));
            let issue = self.united(&begins);
            let first = issue.first().copied().unwrap_or(guard);
            let length = self.make.slot(Slot::Shell(ShellField::PacketLength));
            let enable = self.make.any(writes.iter().map(|(g, _)| *g));
            let data = self.united(&writes);
            let kind = match cell {
                Cell::Table(table) => {
                    let decl = &self.program.tables[table];
                    let mut keys = issue;
                    let selector = (keys.len() > decl.keys.len()).then(|| keys.pop()).flatten();
                    let counts = decl.counter.is_some() || decl.meter.is_some();
                    let length = counts.then_some(length);
                    AccessKind::Table(TableUse { table, keys, selector, length })
                }
                Cell::Register(register) => {
                    let data = data.first().copied();
                    let write = data.map(|data| RegisterWrite { enable, data });
                    AccessKind::Register { register, index: first, write }
                }
                Cell::Counter(counter, bank) => {
                    AccessKind::Counter { counter, bank, index: first, length }
                }
                Cell::Meter(meter) => AccessKind::Meter { meter, index: first, length },
                Cell::Map(map) => AccessKind::Map(MapUse {
                    map,
                    key: issue,
                    touch: self.make.any(touches),
                    put: (!writes.is_empty()).then_some(MapPut { enable, values: data }),
                    remove: (!removes.is_empty()).then(|| self.make.any(removes)),
                }),
                Cell::Random(site) => {
                    guard = self.make.any(draws.iter().map(|d| d.guard));
                    AccessKind::Random { site, draws }
                }
            };
            self.make.fill(access, guard, kind, origin);
        }
    }

    /// One list of values out of several, of which one counts at a time.
    fn united(&mut self, lists: &[(Value, Vec<Value>)]) -> Vec<Value> {
        let Some((_, last)) = lists.last() else { return Vec::new() };
        let mut out = Vec::new();
        for i in 0..last.len() {
            let column: Vec<(Value, Value)> =
                lists.iter().filter_map(|(g, l)| Some((*g, *l.get(i)?))).collect();
            // Indices may have been said in different widths.
            let types: Vec<_> = column.iter().map(|(_, v)| self.make.ty(*v)).collect();
            let widest = types.iter().map(|t| t.width()).max().unwrap_or(1);
            let mixed = types.windows(2).any(|t| t[0] != t[1]);
            let column: Vec<(Value, Value)> = column
                .into_iter()
                .map(|(g, v)| (g, if mixed { self.make.natural(widest, v) } else { v }))
                .collect();
            let Some(((_, default), others)) = column.split_last() else { continue };
            out.push(self.make.select(others, *default));
        }
        out
    }
}
