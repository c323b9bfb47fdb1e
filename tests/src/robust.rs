//! What must survive any input: each function takes bytes, and neither panics nor takes for ever.
//!
//! The fuzzing targets call these for as long as somebody wants; a test calls them on a fixed corpus and
//! mutations of it.

use crate::random::Rng;
use restage_golden::{Golden, Input, Output};
use restage_program::check::Checked;
use restage_program::{Program, entries_text};
use std::cell::RefCell;

/// Programs that packets are sent into, by name: parsers with loops, varbits, lookahead, unions, passes.
pub const PROGRAMS: [&str; 5] =
    ["l3_acl", "mpls", "varbit_options", "recirculate_demo", "source_routing"];

/// A program of the library with its example entries.
pub fn loaded(name: &str) -> Option<(Checked, Golden)> {
    let item = restage_library::get(name)?;
    let program = item.program().check().ok()?;
    let mut golden = Golden::new(&program).ok()?;
    for write in entries_text::parse(&program, item.entries).ok()? {
        golden.write(&write).ok()?;
    }
    Some((program, golden))
}

thread_local! {
    static MODELS: RefCell<Vec<Golden>> = RefCell::new(
        PROGRAMS.iter().filter_map(|name| loaded(name)).map(|(_, golden)| golden).collect()
    );
}

/// Sends a packet into one of [`PROGRAMS`]: the first byte chooses it and the port.
pub fn packet(data: &[u8]) {
    let Some((first, bytes)) = data.split_first() else { return };
    MODELS.with_borrow_mut(|models| {
        let count = models.len().max(1);
        if let Some(golden) = models.get_mut(usize::from(*first) % count) {
            let port = u16::from(*first) / 8;
            golden.process(&Input::new(port, bytes), &mut Output::new());
        }
    });
}

/// Imports a BMv2 configuration and checks what comes of it.
pub fn bmv2_json(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(program) = restage_p4::import(text, None, "fuzz")
    {
        let _ = program.check();
    }
}

/// Reads entries for `l3_acl`.
pub fn entries(data: &[u8]) {
    thread_local! {
        static PROGRAM: Option<Checked> = loaded("l3_acl").map(|(program, _)| program);
    }
    PROGRAM.with(|program| {
        if let (Some(program), Ok(text)) = (program, std::str::from_utf8(data)) {
            let _ = entries_text::parse(program, text);
        }
    });
}

/// Reads a program, checks it, prints it and sends it a packet.
pub fn program_json(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(program) = Program::from_json(text) else { return };
    let Ok(program) = program.check() else { return };
    let _ = program.to_string();
    if let Ok(mut golden) = Golden::new(&program) {
        golden.process(&Input::new(1, &[0; 64]), &mut Output::new());
    }
}

/// Changes some bytes, or moves, repeats or cuts parts.
pub fn mutate(data: &mut Vec<u8>, rng: &mut Rng) {
    for _ in 0..rng.between(1, 4) {
        let at = rng.below(data.len());
        match rng.below(6) {
            0 | 1 => {
                if let Some(byte) = data.get_mut(at) {
                    *byte ^= 1 << rng.below(8);
                }
            }
            2 => data.truncate(at),
            3 => {
                let end = data.len().min(at + rng.below(40));
                data.drain(at..end);
            }
            4 => {
                let end = data.len().min(at + rng.below(40));
                let part = data[at..end].to_vec();
                let to = rng.below(data.len());
                data.splice(to..to, part);
            }
            _ => {
                // Numbers are where limits are.
                let number = [&b"0"[..], b"-1", b"4294967295", b"99999999999999999999", b"2049"];
                let digits = data.iter().skip(at).position(u8::is_ascii_digit);
                if let Some(start) = digits.map(|d| at + d) {
                    let len = data[start..].iter().take_while(|b| b.is_ascii_digit()).count();
                    let number = number[rng.below(number.len())];
                    data.splice(start..start + len, number.iter().copied());
                }
            }
        }
    }
}
