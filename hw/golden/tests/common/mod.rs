//! Small programs, run on one packet.

#![allow(dead_code, clippy::unwrap_used)]

pub mod traffic;

use restage_golden::{Event, Golden, Input, Output};
use restage_program::entry::{Entry, EntryTarget, KeyMatch, Write};
use restage_program::prelude::*;
use restage_program::program::ActionCall;
use restage_program::{Bits, Checked};

header! {
    /// What a test looks at.
    pub struct Result { v: bit<32> }
    /// A byte.
    pub struct Byte { v: bit<8> }
    /// Two bytes.
    pub struct Two { v: bit<16> }
}

/// A model of what `describe` describes.
pub fn model(describe: impl FnOnce(&mut Builder)) -> Golden {
    let program = build("test", describe);
    let checked = program.check().unwrap_or_else(|e| panic!("{e:?}"));
    Golden::new(&checked).unwrap()
}

/// What comes out for one packet on port 1.
pub fn send(golden: &mut Golden, bytes: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut out = Output::new();
    golden.process(&Input::new(1, bytes), &mut out);
    out.packets().map(|(port, bytes)| (port, bytes.to_vec())).collect()
}

/// The number that ingress computes: `describe` declares what it needs, then says in the body what the
/// result is.
pub fn number<D>(
    bytes: &[u8],
    declare: impl FnOnce(&mut Builder) -> D,
    body: impl FnOnce(&mut Body<'_>, D, Result),
) -> u32 {
    let mut golden = model(|p| {
        let result: Result = p.header("result");
        let declared = declare(p);
        p.ingress(|c| {
            c.set_valid(result);
            body(c, declared, result);
        });
        p.emit(result);
    });
    let out = send(&mut golden, bytes);
    u32::from_be_bytes(out[0].1[..4].try_into().unwrap())
}

/// The parser's error, in a program that only parses, and the bytes that it has taken.
pub fn parse(bytes: &[u8], describe: impl FnOnce(&mut Builder)) -> (Option<String>, usize) {
    let mut golden = model(describe);
    let (mut error, mut taken) = (None, 0);
    let mut out = Output::new();
    golden.process_traced(&Input::new(1, bytes), &mut out, &mut |event| match event {
        Event::ParserError(name) => error = Some(name.to_string()),
        Event::Parsed(bytes) => taken = bytes,
        _ => {}
    });
    assert_eq!(out.packets().count(), 1, "the pipeline runs");
    (error, taken)
}

/// An entry for a table.
pub fn insert(
    program: &Checked,
    table: &str,
    keys: Vec<KeyMatch>,
    action: &str,
    args: Vec<Bits>,
    priority: u32,
) -> Write {
    let table = program.find_table(table).unwrap();
    let action = program.find_table_action(table, action).unwrap();
    let target = EntryTarget::Action(ActionCall { action, args });
    Write::Insert(table, Entry { keys, priority, target, idle_timeout_us: 0 })
}
