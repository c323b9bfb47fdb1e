//! Two programs on the golden model: what comes out of the packets of a case, and what is left behind.

use super::translate;
use crate::random::compare::{Case, Packet, hex};
use restage_golden::{Golden, Input, Output};
use restage_program::Program;
use restage_program::check::Checked;
use restage_program::entity::{Counter, Register};
use restage_program::program::Preamble;

/// A difference, and the packet with which it showed, unless it was found before or behind all packets.
#[derive(Debug)]
pub struct Differs {
    /// In words.
    pub text: String,
    /// Index of the packet.
    pub packet: Option<usize>,
}

impl From<String> for Differs {
    fn from(text: String) -> Self {
        Differs { text, packet: None }
    }
}

/// Runs the case's program and another one, whose objects have the same names.
pub fn compare(case: &Case, other: &Checked) -> Result<(), Differs> {
    let load = |p: &Checked| Golden::new(p).map_err(|e| format!("it does not load: {e}"));
    let (mut one, mut two) = (load(&case.program)?, load(other)?);
    for write in &case.writes {
        // What the compiler threw away as unused cannot be filled.
        let Some(new) = translate::write(&case.program, other, write) else { continue };
        match (one.write(write), two.write(&new)) {
            (Ok(()), Ok(())) | (Err(_), Err(_)) => {}
            (Ok(()), Err(e)) => return Err(format!("{new:?} is refused: {e}").into()),
            (Err(e), Ok(())) => {
                return Err(format!("{new:?} is accepted, before it was not: {e}").into());
            }
        }
    }
    let (mut out, mut again) = (Output::new(), Output::new());
    for (i, packet) in case.packets.iter().enumerate() {
        run(&mut one, packet, &mut out);
        run(&mut two, packet, &mut again);
        let (before, after) = (seen(&case.program, &out), seen(other, &again));
        if before != after {
            let text = format!(
                "packet {i} on port {}: {}\nbefore {before:#?}\nafter  {after:#?}",
                packet.port,
                hex(&packet.bytes)
            );
            return Err(Differs { text, packet: Some(i) });
        }
    }
    left_behind(&case.program, other, &one, &two).map_err(Differs::from)
}

fn run(golden: &mut Golden, packet: &Packet, out: &mut Output) {
    let (port, bytes) = (packet.port, packet.bytes.as_slice());
    golden.process(&Input { port, bytes, time_us: packet.time_us, queue: packet.queue() }, out);
}

/// Packets and digests, as text.
fn seen(program: &Program, out: &Output) -> Vec<String> {
    let packets = out.packets().map(|(port, bytes)| format!("port {port}: {}", hex(bytes)));
    let digests = out.digests().map(|(digest, values)| {
        let name = program.digests.get(digest).map_or("?", |d| &d.preamble.name);
        format!("digest {name}: {values:?}")
    });
    packets.chain(digests).collect()
}

fn left_behind(from: &Program, to: &Program, one: &Golden, two: &Golden) -> Result<(), String> {
    let differ =
        |p: &Preamble, what: &str, before: &dyn std::fmt::Debug, after: &dyn std::fmt::Debug| {
            Err(format!("{what} of {}: before {before:?}, after {after:?}", p.name))
        };
    for (register, decl) in from.registers.iter() {
        let found = to.registers.iter().find(|(_, d)| d.preamble.name == decl.preamble.name);
        let Some((other, _)): Option<(Register, _)> = found else { continue };
        for i in 0..decl.size {
            let (a, b) = (one.register(register, i), two.register(other, i));
            if a != b {
                return differ(&decl.preamble, &format!("register {i}"), &a, &b);
            }
        }
    }
    for (counter, decl) in from.counters.iter() {
        let found = to.counters.iter().find(|(_, d)| d.preamble.name == decl.preamble.name);
        let Some((other, _)): Option<(Counter, _)> = found else { continue };
        for i in 0..decl.size {
            let (a, b) = (one.counter(counter, i), two.counter(other, i));
            if a != b {
                return differ(&decl.preamble, &format!("counter {i}"), &a, &b);
            }
        }
    }
    for (table, decl) in from.tables.iter().filter(|(_, t)| t.counter.is_some()) {
        let Some(other) = translate::table(from, to, table) else { continue };
        for entry in one.entries(table) {
            let keys = &entry.entry.keys;
            let priority = entry.entry.priority;
            let a = one.direct_counter(table, keys, priority);
            let b = two.direct_counter(other, keys, priority);
            // Entries of the program itself get new priorities.
            if a != b && b.is_some() {
                return differ(&decl.preamble, &format!("counter of {keys:?}"), &a, &b);
            }
        }
    }
    Ok(())
}
