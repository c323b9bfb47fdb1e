//! The programs of a soak: five functions, each in a region of its own, a parser and a deparser, all in many versions.
//!
//! ```text
//! packet:   kind index op | parser's stamp | x | stamps of functions 0..4 | results of functions 0..4 | marks | header a or b
//! ingress:  0 sums up in registers   1 drops by rules, with counters   2 remembers in a map
//! egress:   3 counts, with ternary rules   4 meters
//! ```
//!
//! A version writes its number as its stamp (with a 1 on top where a rule was met), computes something else than any other
//! version, and takes another time. The deparser's stamp is the order of the three marks. What is a program here is plain to see in a packet.

use crate::random::Rng;
use restage_program::entity::{Action, Table};
use restage_program::prelude::*;
use restage_program::prelude::{bits as number, build as describe};
use restage_program::program::Program;

header! {
    struct Probe {
        kind: bit<8>, index: bit<8>, op: bit<8>, parser: bit<8>, x: bit<32>,
        stamp0: bit<8>, stamp1: bit<8>, stamp2: bit<8>, stamp3: bit<8>, stamp4: bit<8>,
        result0: bit<32>, result1: bit<32>, result2: bit<32>, result3: bit<32>, result4: bit<32>,
    }
    struct Mark { value: bit<8> }
    struct Known { value: bit<32> }
}

/// How many functions there are.
pub const FUNCTIONS: usize = 5;
/// How many of them are in ingress.
pub const INGRESS: usize = 3;
/// Versions of parsers: bit 0 and bit 1 say which headers are known.
pub const PARSERS: u8 = 4;
/// Versions of deparsers: the orders of three marks.
pub const DEPARSERS: u8 = 6;
/// Versions of each function that are the same for every seed.
pub const POOL: u8 = 8;
/// The first number of versions that are made from the seed.
pub const FRESH: u8 = 64;
/// Where the stamps begin in a packet.
pub const STAMPS: usize = 8;
/// Where the marks begin.
pub const MARKS: usize = STAMPS + FUNCTIONS + 4 * FUNCTIONS;
/// What the marks are in packets that arrive.
pub const MARKED: [u8; 3] = [0xa1, 0xb2, 0xc3];
/// Entries that a function's table holds.
pub const ENTRIES: u32 = 16;

/// A program: which version of everything; functions may be left out.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Versions {
    /// The parser, below [`PARSERS`].
    pub parser: u8,
    /// The functions; not 0.
    pub functions: [Option<u8>; FUNCTIONS],
    /// The deparser, below [`DEPARSERS`].
    pub deparser: u8,
}

impl std::fmt::Display for Versions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "p{}", self.parser)?;
        for version in self.functions {
            match version {
                Some(version) => write!(f, " {version}")?,
                None => write!(f, " -")?,
            }
        }
        write!(f, " d{}", self.deparser)
    }
}

/// Whether a version of function 0 has wide registers: to one that has not, state must begin anew.
pub fn wide(version: u8) -> bool {
    version.is_multiple_of(2)
}

/// What the name of everything that belongs to a function ends in.
pub fn suffix(function: usize) -> String {
    format!("_{function}")
}

/// The order of the marks that a deparser sends.
pub fn order(deparser: u8) -> [usize; 3] {
    let all = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    all[usize::from(deparser) % all.len()]
}

/// The program of some versions.
pub fn program(versions: &Versions, seed: u64) -> Program {
    let mut program = describe("soak", |p| {
        let probe: Probe = p.header("probe");
        let marks: [Mark; 3] = [p.header("mark0"), p.header("mark1"), p.header("mark2")];
        let known: [Known; 2] = [p.header("a"), p.header("b")];
        let number = versions.parser;
        let s = p.standard();
        p.state("start", |c| {
            c.extract(probe);
            marks.into_iter().for_each(|mark| c.extract(mark));
            c.set(probe.parser, u32::from(number));
            // Not in a stage: none of the functions shall do more than is its own.
            c.set(s.egress_spec, s.ingress_port);
            let mut select = c.select(probe.kind);
            for (bit, state) in [(0, "has_a"), (1, "has_b")] {
                if number >> bit & 1 == 1 {
                    select = select.case(bit + 1, state);
                }
            }
            select.default("accept");
        });
        for (bit, state) in [(0, "has_a"), (1, "has_b")] {
            if number >> bit & 1 == 1 {
                p.state(state, |c| {
                    let known = known[bit];
                    c.extract(known);
                    c.set(known.value, known.value + (u32::from(number) + 1));
                    c.accept();
                });
            }
        }
        let mut parts = Vec::new();
        for (function, version) in versions.functions.iter().enumerate() {
            if let Some(version) = version {
                parts.push(Part::new(p, &probe, function, *version, seed));
            }
        }
        p.ingress(|c| {
            parts.iter().filter(|part| part.function < INGRESS).for_each(|part| part.pass(c));
        });
        p.egress(|c| {
            parts.iter().filter(|part| part.function >= INGRESS).for_each(|part| part.pass(c));
        });
        p.emit(probe);
        order(versions.deparser).into_iter().for_each(|at| p.emit(marks[at]));
        known.into_iter().for_each(|known| p.emit(known));
    });
    // Each function has a region to itself.
    let label = |name: &str| {
        let function = name.split('.').next().and_then(|first| first.rsplit('_').next());
        format!("@region(\"{}\")", function.unwrap_or_default())
    };
    let tables = program.tables.values_mut().map(|d| &mut d.preamble);
    let registers = program.registers.values_mut().map(|d| &mut d.preamble);
    let counters = program.counters.values_mut().map(|d| &mut d.preamble);
    let meters = program.meters.values_mut().map(|d| &mut d.preamble);
    let maps = program.maps.values_mut().map(|d| &mut d.preamble);
    for preamble in tables.chain(registers).chain(counters).chain(meters).chain(maps) {
        preamble.annotations.push(label(&preamble.name));
    }
    program
}

/// What a version of a function does beside its stamp.
struct Twist {
    /// What it computes with.
    with: u32,
    /// How many products it takes one after the other.
    slow: usize,
}

fn twist(function: usize, version: u8, seed: u64) -> Twist {
    let seed = if version < FRESH { 0 } else { seed };
    let mut rng = Rng::new(seed ^ (function as u64) << 40 ^ u64::from(version) << 32);
    Twist { with: rng.bits64() as u32 | 1, slow: rng.below(4) }
}

/// A function of a program.
struct Part {
    function: usize,
    twist: Twist,
    probe: Probe,
    table: Table,
    kept: Kept,
}

/// What a function keeps.
enum Kept {
    Sum(Register, Field),
    Nothing,
    Flows(Map, Field, Field),
    Seen(Counter),
    Rate(Meter, Field),
}

impl Part {
    fn new(p: &mut Builder, probe: &Probe, function: usize, version: u8, seed: u64) -> Self {
        let probe = *probe;
        let own = |name: &str| format!("{name}{}", suffix(function));
        let (stamp, result) = fields(&probe, function);
        let number = u128::from(version);
        let hit: Action = p.action(&own("hit"), [("value", bit(32))], move |c, [value]| {
            c.set(stamp, number_of(number | 0x80));
            c.set(result, result ^ value);
        });
        let miss = p.action(&own("miss"), [], move |c, []| c.set(stamp, number_of(number)));
        let block = (function == 1).then(|| {
            p.action(&own("block"), [], move |c, []| {
                c.set(stamp, number_of(number | 0x80));
                c.mark_to_drop();
            })
        });
        let counter = own("met");
        let table = p.table(&own("rule"), |t| {
            match function {
                2 => t.lpm(probe.x),
                3 => t.ternary(probe.op),
                _ => t.exact(probe.op),
            };
            t.actions([hit, miss]).default(miss, []).size(ENTRIES);
            if let Some(block) = block {
                t.actions([block]).counter(&counter, Unit::Both);
            }
        });
        let kept = match function {
            0 => {
                let width = if wide(version) { 32 } else { 24 };
                Kept::Sum(p.register(&own("sum"), bit(width), 16), p.meta(&own("old"), bit(width)))
            }
            2 => {
                let found = p.meta(&own("found"), Type::Bool);
                let times = p.meta(&own("times"), bit(16));
                let flows =
                    p.map(&own("flows"), [("key", bit(8))], [("times", bit(16))], (8, 2), 50);
                Kept::Flows(flows, found, times)
            }
            3 => Kept::Seen(p.counter(&own("seen"), Unit::Both, 16)),
            4 => {
                Kept::Rate(p.meter(&own("rate"), Unit::Packets, 16), p.meta(&own("colour"), bit(2)))
            }
            _ => Kept::Nothing,
        };
        Part { function, twist: twist(function, version, seed), probe, table, kept }
    }

    /// What it does with a packet.
    fn pass(&self, c: &mut Body<'_>) {
        let (_, result) = fields(&self.probe, self.function);
        let (index, with) = (self.probe.index & 15, u128::from(self.twist.with));
        c.apply(self.table);
        match self.kept {
            Kept::Sum(sum, old) => {
                let more = self.probe.x ^ number(32, with);
                c.read(old, sum, index.clone());
                c.write(sum, index, old + more.cast(old.ty()));
                c.set(result, result + old.cast(bit(32)));
            }
            Kept::Flows(flows, found, times) => {
                let key = (self.probe.x ^ number(32, with & 0xf)).cast(bit(8)) & 31;
                c.map_lookup(flows, (key.clone(),), found, [times], true);
                c.if_(self.probe.op.lt(128), |c| {
                    c.map_put(flows, (key,), (times + 1,), None);
                });
                c.set(result, result + times.cast(bit(32)));
            }
            Kept::Seen(seen) => c.count(seen, index),
            Kept::Rate(rate, colour) => {
                c.execute_meter(colour, rate, index);
                c.set(result, result + colour.cast(bit(32)));
            }
            Kept::Nothing => {}
        }
        for _ in 0..self.twist.slow {
            c.set(result, result * number(32, with));
        }
        c.set(result, result ^ number(32, with));
    }
}

fn number_of(stamp: u128) -> Val {
    number(8, stamp)
}

fn fields(probe: &Probe, function: usize) -> (Field, Field) {
    let stamps = [probe.stamp0, probe.stamp1, probe.stamp2, probe.stamp3, probe.stamp4];
    let results = [probe.result0, probe.result1, probe.result2, probe.result3, probe.result4];
    (stamps[function], results[function])
}
