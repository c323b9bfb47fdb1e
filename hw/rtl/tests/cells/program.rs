//! A program that is one table, and what the encoder says made into steps of the bench's bus.

use crate::bench::{Bench, Bus};
use restage_encode::BusOp;
use restage_manifest::address::region;
use restage_manifest::cell::{Cell, Cells, TableShape};
use restage_program::entity::Table;
use restage_program::expr::{Expr, Place};
use restage_program::program::{
    ActionCall, ActionDecl, ActionRef, ActionScope, FieldDecl, Key, MatchKind, MetaDecl, Preamble,
    Program, TableDecl,
};
use restage_program::{Bits, Loc, Type};

/// Below are the words of the bus itself.
const OTHERS: u32 = 0x20;

/// Bits of an address inside a region.
const ADDRESS: u32 = 14;

/// A table with these keys, and with actions of these parameters; the last is the default.
pub fn one_table(keys: &[(MatchKind, Type)], actions: &[&[u32]], size: u32) -> (Program, Table) {
    let mut program = Program::new("cell");
    let preamble = |name: String| Preamble { name, ..Preamble::default() };
    let keys = keys
        .iter()
        .enumerate()
        .map(|(i, (kind, ty))| {
            let meta = MetaDecl { name: format!("key{i}"), ty: *ty, loc: Loc::default() };
            let value = Expr::Read(Place::Meta(program.metas.push(meta)));
            Key { name: format!("key{i}"), value, kind: *kind }
        })
        .collect();
    let mut refs = Vec::new();
    for (i, params) in actions.iter().enumerate() {
        let param =
            |(j, width): (usize, &u32)| FieldDecl { name: format!("p{j}"), ty: Type::Bit(*width) };
        let params = params.iter().enumerate().map(param).collect();
        let decl =
            ActionDecl { preamble: preamble(format!("action{i}")), params, body: Vec::new() };
        let action = program.actions.push(decl);
        refs.push(ActionRef { action, scope: ActionScope::TableAndDefault });
    }
    let last = refs[refs.len() - 1].action;
    let args = program.actions[last].params.iter().map(|p| Bits::ones(p.ty.width())).collect();
    let table = program.tables.push(TableDecl {
        preamble: preamble("table".into()),
        keys,
        actions: refs,
        default: ActionCall { action: last, args },
        const_default: false,
        entries: Vec::new(),
        const_entries: false,
        size,
        profile: None,
        counter: None,
        meter: None,
        idle_timeout: false,
    });
    (program, table)
}

/// The cells of a program with one table.
pub fn cells(bench: &Bench, table: Table, shape: &TableShape) -> Cells {
    let cell = Cell { unit: 1, first: bench.ports.first, shape: shape.clone() };
    Cells { tables: vec![(table, cell)], ..Cells::default() }
}

/// Puts what the encoder says on the bus; between that writes to addresses which differ from those in one bit and are nobody's.
pub fn send(bench: &mut Bench, ops: &[BusOp]) {
    let held = ops.iter().filter_map(|op| match op {
        BusOp::Write { word, .. } if *word >= region::HOLD => Some(word + 1),
        _ => None,
    });
    bench.held = held.chain([bench.held]).max().unwrap_or(region::HOLD);
    for op in ops {
        bench.bus.push_back(match op {
            BusOp::Write { word, value, .. } => Bus::Write(*word, *value),
            BusOp::Settle { .. } => Bus::Settle,
        });
        let BusOp::Write { word, value, .. } = op else { continue };
        bench.noise = bench.noise.wrapping_mul(0x5851_f42d).wrapping_add(word ^ value);
        let at = word ^ (1 << ((bench.noise >> 16) % ADDRESS));
        let nobody = at >= OTHERS && !(region::HOLD..bench.held).contains(&at);
        if bench.noise >> 28 < 6 && nobody {
            bench.bus.push_back(Bus::Write(at, bench.noise));
        }
    }
}
