//! The loop that executes instructions, and what it works on.

mod effect;
mod headers;
mod pass;
mod watch;

use crate::code::{Alu, CaseOn, Cases, Code, Eval, Instr, Pc, Words};
use crate::layout::{Layout, Slot, Val};
use crate::meter::GREEN;
use crate::output::Output;
use crate::state::{State, count};
use crate::table::{Goal, KeyRoom};
use crate::trace::{Event, Names};
use restage_program::Type;
use restage_program::entity::ErrorCode;
use restage_program::eval::eval_word;
use restage_program::op::Op;
use restage_program::program::{Program, Unit};
use restage_program::standard::{PARSER_ERROR, error};
use restage_program::types::bit;
use restage_program::word::{Wide, Word};
use std::collections::VecDeque;

pub(crate) use pass::{Again, Enters, Limits, Outside};

/// Who listens.
pub(crate) type Sink<'a> = &'a mut dyn FnMut(Event<'_>);

/// States that a parser may visit.
const MOST_STATES: u32 = 256;

/// What does not change while a packet is processed.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub code: &'a Code,
    pub layout: &'a Layout,
    pub program: &'a Program,
    pub names: &'a Names,
}

/// What a half has decided so far.
#[derive(Clone, Copy, Debug)]
struct Fate {
    clone: Option<(u64, Option<u32>)>,
    digest: Option<u32>,
    resubmit: Option<Option<u32>>,
    recirculate: Option<Option<u32>>,
    truncate: u64,
}

impl Default for Fate {
    fn default() -> Self {
        Fate { clone: None, digest: None, resubmit: None, recirculate: None, truncate: u64::MAX }
    }
}

/// How the last table applied ended.
#[derive(Clone, Copy, Default, Debug)]
struct Applied {
    hit: bool,
    action: u32,
}

/// Registers and memory of the loop.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    slots: Vec<u64>,
    /// Bytes that the parser has taken.
    taken: usize,
    parser_error: u32,
    visited: u32,
    /// Length with which the packet entered this pass: what counters count.
    entered: u64,
    /// Length with validity changes: what egress sees as `packet_length`.
    length: u64,
    wrong_sum: bool,
    fate: Fate,
    applied: Applied,
    room: KeyRoom,
    /// For packing what is hashed.
    scratch: Vec<u8>,
    /// For keys and values of maps.
    words: Vec<u64>,
    /// For a header at the end of a packet, with bytes behind it.
    tail: Vec<u8>,
    jobs: VecDeque<pass::Job>,
    loops: VecDeque<pass::Again>,
    spare_slots: Vec<Vec<u64>>,
    spare_bytes: Vec<Vec<u8>>,
    copies: u32,
    /// Copies that have entered egress.
    egressed: usize,
    /// Clones come round before they are given their copies.
    apart: bool,
    out: Output,
    /// What the instruction is about to write; only with a trace.
    watched: Option<watch::Watched>,
}

/// Whether execution goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Jump(Pc),
    /// The segment has ended.
    Stop,
}

impl Machine {
    pub fn new(code: &Code) -> Self {
        let mut slots = vec![0; code.slots as usize];
        for (slot, value) in &code.constants {
            slots[*slot as usize] = *value;
        }
        let longest = code.headers.iter().map(|h| h.bytes as usize).max().unwrap_or(0);
        Machine {
            slots,
            taken: 0,
            parser_error: 0,
            visited: 0,
            entered: 0,
            length: 0,
            wrong_sum: false,
            fate: Fate::default(),
            applied: Applied::default(),
            room: KeyRoom::default(),
            scratch: Vec::new(),
            words: Vec::new(),
            tail: vec![0; longest + crate::wire::SLACK],
            jobs: VecDeque::new(),
            loops: VecDeque::new(),
            spare_slots: Vec::new(),
            spare_bytes: Vec::new(),
            copies: 0,
            egressed: 0,
            apart: false,
            out: Output::new(),
            watched: None,
        }
    }

    #[inline(always)]
    fn get(&self, slot: Slot) -> u64 {
        self.slots[slot as usize]
    }

    #[inline(always)]
    fn set(&mut self, slot: Slot, value: u64) {
        self.slots[slot as usize] = value;
    }

    /// A value as an index or a number: `u64::MAX` when it is larger than that.
    fn number(&self, val: Val) -> u64 {
        let mut limbs = self.slots[val.range()].iter();
        let low = limbs.next().copied().unwrap_or(0);
        if limbs.all(|l| *l == 0) { low } else { u64::MAX }
    }

    /// Sets a value to a number, cut to its width.
    fn put_number(&mut self, val: Val, number: u64) {
        let range = val.range();
        self.slots[range].fill(0);
        let width = val.width().min(64);
        self.set(val.slot, eval_word(Op::Cast(bit(width)), [bit(64); 2], number, 0, 0));
    }

    /// Executes from `pc` to the end of the segment. With `T` it tells every step.
    fn run<const T: bool>(
        &mut self,
        cx: Context<'_>,
        state: &mut State,
        bytes: &[u8],
        start: Pc,
        sink: Sink<'_>,
    ) {
        let code = cx.code;
        let mut pc = start as usize;
        let mut back = 0;
        while let Some(instr) = code.instrs.get(pc).copied() {
            pc += 1;
            if T {
                self.watch(cx, instr);
            }
            match instr {
                Instr::Jump(to) => pc = to as usize,
                Instr::IfZero(a, to) => {
                    if self.get(a) == 0 {
                        pc = to as usize;
                    }
                }
                Instr::IfNotZero(a, to) => {
                    if self.get(a) != 0 {
                        pc = to as usize;
                    }
                }
                Instr::IfEq(a, b, to) => {
                    if self.get(a) == self.get(b) {
                        pc = to as usize;
                    }
                }
                Instr::IfNe(a, b, to) => {
                    if self.get(a) != self.get(b) {
                        pc = to as usize;
                    }
                }
                Instr::Move { dst, src } => self.set(dst, self.get(src)),
                Instr::MoveMany { dst, src, count } => {
                    let src = src as usize;
                    self.slots.copy_within(src..src + usize::from(count), dst as usize);
                }
                Instr::Alu { op, width, dst, a, b } => {
                    let (a, b, ty) = (self.get(a), self.get(b), bit(width.into()));
                    self.set(dst, alu(op, ty, a, b));
                }
                Instr::Slice { hi, lo, dst, a } => {
                    let op = Op::Slice { hi: hi.into(), lo: lo.into() };
                    self.set(dst, eval_word(op, [bit(64); 2], self.get(a), 0, 0));
                }
                Instr::Cast { width, dst, a } => {
                    let op = Op::Cast(bit(width.into()));
                    self.set(dst, eval_word(op, [bit(64); 2], self.get(a), 0, 0));
                }
                Instr::Concat { low, dst, a, b } => {
                    let types = [bit(64), bit(low.into())];
                    self.set(dst, eval_word(Op::Concat, types, self.get(a), self.get(b), 0));
                }
                Instr::Eval(index) => self.eval(&code.evals[index as usize]),
                Instr::Put { lo, width, dst, src } => {
                    let mask = u64::ones(width.into()) << lo;
                    let old = self.get(dst) & !mask;
                    self.set(dst, old | self.get(src) << lo);
                }
                Instr::Run => {
                    if T {
                        self.tell_action(cx, self.applied.action, sink);
                    }
                    back = pc;
                    pc = code.actions[self.applied.action as usize].start as usize;
                }
                Instr::Call(action) => {
                    if T {
                        self.tell_action(cx, action, sink);
                    }
                    back = pc;
                    pc = code.actions[action as usize].start as usize;
                }
                Instr::Return => pc = back,
                Instr::End => return,
                Instr::Lookup(index) => {
                    let id = self.lookup(cx, state, index);
                    if T {
                        self.tell_lookup(cx, state, index, id, sink);
                    }
                }
                Instr::IfMiss(to) => {
                    if !self.applied.hit {
                        pc = to as usize;
                    }
                }
                Instr::Switch(index) => {
                    let places = &code.switches[index as usize];
                    pc = places[self.applied.action as usize] as usize;
                }
                Instr::Enter(index) => {
                    self.visited += 1;
                    if self.visited > MOST_STATES {
                        return self.fail::<T>(cx, error::PARSER_TIMEOUT, sink);
                    }
                    if T {
                        let index = restage_program::entity::State(index);
                        sink(Event::State(&cx.program.states[index].name));
                    }
                }
                Instr::Extract(header) => {
                    if !self.extract_fixed(cx, bytes, header) {
                        return self.fail::<T>(cx, error::PACKET_TOO_SHORT, sink);
                    }
                    if T {
                        self.tell_extract(cx, header, sink);
                    }
                }
                Instr::Select(index) => {
                    let to = self.select(cx, state, index);
                    if T {
                        self.tell_select(cx, index, to, sink);
                    }
                    match to {
                        Some(to) => pc = to as usize,
                        None => return self.fail::<T>(cx, error::NO_MATCH, sink),
                    }
                }
                Instr::Do(index) => {
                    let effect = &code.effects[index as usize];
                    let flow = self.effect::<T>(cx, state, bytes, effect, sink);
                    if T && flow != Flow::Stop {
                        self.tell_effect(cx, effect, sink);
                    }
                    match flow {
                        Flow::Next => {}
                        Flow::Jump(to) => pc = to as usize,
                        Flow::Stop => return,
                    }
                }
            }
            if T {
                self.tell_change(cx, sink);
            }
        }
    }

    /// Ends parsing with an error.
    #[cold]
    fn fail<const T: bool>(&mut self, cx: Context<'_>, error: ErrorCode, sink: Sink<'_>) {
        self.parser_error = error.0;
        self.set(cx.layout.metas[PARSER_ERROR].slot, error.0.into());
        if T {
            sink(Event::ParserError(&cx.program.errors[error]));
        }
    }

    fn eval(&mut self, eval: &Eval) {
        let [a, b, c] = eval.args;
        match eval.words {
            Words::One => {
                let (a, b, c) = (self.get(a.slot), self.get(b.slot), self.get(c.slot));
                self.set(eval.dst.slot, eval_word(eval.op, eval.types, a, b, c));
            }
            Words::Two => self.eval_as::<u128>(eval),
            Words::Many => self.eval_as::<Wide>(eval),
        }
    }

    fn eval_as<W: Word>(&mut self, eval: &Eval) {
        let [a, b, c] = eval.args.map(|val| W::from_limbs(&self.slots[val.range()]));
        let result = eval_word(eval.op, eval.types, a, b, c);
        for (i, slot) in self.slots[eval.dst.range()].iter_mut().enumerate() {
            *slot = result.limb(i);
        }
    }

    #[inline(always)]
    fn select(&self, cx: Context<'_>, state: &State, index: u32) -> Option<Pc> {
        let select = &cx.code.selects[index as usize];
        match &select.cases {
            Cases::Masked(cases) => {
                let key = self.get(select.keys[0].slot);
                cases.iter().find(|(mask, value, _)| key & mask == *value).map(|(_, _, to)| *to)
            }
            Cases::Sorted(cases, other) => {
                let key = self.get(select.keys[0].slot);
                match cases.binary_search_by_key(&key, |(value, _)| *value) {
                    Ok(at) => Some(cases[at].1),
                    Err(_) => *other,
                }
            }
            Cases::Any(cases) => {
                let fits = |tests: &[crate::matching::Test]| {
                    tests.iter().zip(&select.keys).all(|(t, k)| t.matches(&self.slots[k.range()]))
                };
                let on = |on: &CaseOn| match on {
                    CaseOn::Keys(tests) => fits(tests),
                    CaseOn::ValueSet(set) => {
                        state.value_sets[*set as usize].tests.iter().any(|m| fits(m))
                    }
                };
                cases.iter().find(|(case, _)| on(case)).map(|(_, to)| *to)
            }
        }
    }

    /// Looks up, counts, meters, and makes the action ready; returns the entry's id, 0 for a miss.
    #[inline(always)]
    fn lookup(&mut self, cx: Context<'_>, state: &mut State, index: u32) -> u32 {
        let plan = &cx.code.lookups[index as usize];
        let table = &mut state.tables[plan.table as usize];
        let mut id = table.lookup(&plan.keys, &self.slots, &mut self.room).unwrap_or(0);
        let mut place = |goal| match goal {
            Goal::Action(_) => None,
            Goal::Member(member) => Some(member),
            Goal::Group(group) => {
                let profile = &state.profiles[plan.profile? as usize];
                let choices = &profile.choices[group as usize];
                let hash = plan.selector.as_ref().map_or(0, |(algorithm, items)| {
                    let scratch = &mut self.scratch;
                    crate::checksum::hash(*algorithm, &state.crcs, items, &self.slots, &[], scratch)
                });
                choices.get((hash % choices.len().max(1) as u64) as usize).copied()
            }
        };
        let (action, args) = match (table.hot[id as usize].goal, plan.profile) {
            (Goal::Action(action), _) => (action, &table.args[id as usize * table.stride..]),
            (goal, profile) => match (place(goal), profile) {
                (Some(member), Some(profile)) => {
                    let profile = &state.profiles[profile as usize];
                    let at = member as usize;
                    (profile.actions[at], &profile.args[at * profile.stride..])
                }
                // A group without members: the default action, as a miss.
                _ => {
                    id = 0;
                    (table.default.action.0, &table.args[..])
                }
            },
        };
        let params = cx.code.actions[action as usize];
        let (at, len) = (params.params as usize, params.params_len as usize);
        self.slots[at..at + len].copy_from_slice(&args[..len]);
        self.applied = Applied { hit: id != 0, action };
        if id != 0 {
            let at = id as usize;
            table.hot[at].used = state.now;
            if plan.counts {
                count(&mut table.hot[at].counter, self.entered);
            }
            if let Some((unit, colour)) = plan.meter {
                let colour_of = table.meters[at].execute(tokens(unit, self.entered), state.now);
                self.set(colour, colour_of);
            }
        } else if let Some((_, colour)) = plan.meter {
            self.set(colour, GREEN);
        }
        id
    }
}

/// Tokens that a packet costs.
fn tokens(unit: Unit, bytes: u64) -> u64 {
    match unit {
        Unit::Packets => 1,
        Unit::Bytes | Unit::Both => bytes,
    }
}

/// `eval_word` for each of these operations.
#[inline(always)]
fn alu(op: Alu, ty: Type, a: u64, b: u64) -> u64 {
    let types = [ty; 2];
    match op {
        Alu::Add => eval_word(Op::Add, types, a, b, 0),
        Alu::Sub => eval_word(Op::Sub, types, a, b, 0),
        Alu::And => eval_word(Op::And, types, a, b, 0),
        Alu::Or => eval_word(Op::Or, types, a, b, 0),
        Alu::Xor => eval_word(Op::Xor, types, a, b, 0),
        Alu::Eq => eval_word(Op::Eq, types, a, b, 0),
        Alu::Ne => eval_word(Op::Ne, types, a, b, 0),
        Alu::Lt => eval_word(Op::Lt, types, a, b, 0),
        Alu::Le => eval_word(Op::Le, types, a, b, 0),
        Alu::Gt => eval_word(Op::Gt, types, a, b, 0),
        Alu::Ge => eval_word(Op::Ge, types, a, b, 0),
    }
}
