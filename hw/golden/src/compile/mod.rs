//! From a checked program to its flat code.
//!
//! Before: declarations, statements and expressions as written. After: one list of instructions with
//! jumps, a segment for the parser, for verifying, for either half, for updating and for each digest, a
//! piece of code per action; and plans for what instructions are too small to say. Nothing is
//! optimised: every statement is there, in its order.

mod expr;
mod parser;
mod stmt;

use crate::checksum::{List, Listed};
use crate::code::{ActionPlan, At, Code, DigestPlan, Effect, Instr, Pc};
use crate::layout::{self, Layout, Slot, Val, slots_of};
use crate::wire::HeaderPlan;
use restage_program::Type;
use restage_program::entity::{Entity, Header};
use restage_program::program::{Checksum, Elements, Emit, FieldDecl, Item, Program};
use restage_program::random::Sites;
use std::collections::HashMap;

pub(crate) struct Compiler<'a> {
    program: &'a Program,
    pub layout: Layout,
    code: Code,
    /// Next slot never used.
    top: Slot,
    /// Temporary values by length: free ones, and those in use by the current statement.
    free: HashMap<u32, Vec<Slot>>,
    used: Vec<(u32, Slot)>,
    constants: HashMap<(Vec<u64>, u32), Slot>,
    /// Parameters of the action that is being compiled.
    params: &'a [FieldDecl],
    params_at: Slot,
    in_parser: bool,
    sites: Sites<'a>,
    /// Where the code of each state begins, once it is known.
    states: Vec<Pc>,
}

/// Compiles a program; also says where things stand.
pub(crate) fn compile(program: &Program) -> (Code, Layout) {
    let layout = Layout::new(program);
    let peers = |header: Header| -> Vec<u32> {
        let union = program.unions.values().find(|u| u.members.contains(&header));
        let others = union.map(|u| u.members.iter()).into_iter().flatten();
        others.filter(|m| **m != header).map(|m| m.0).collect()
    };
    let headers =
        layout.headers.iter().map(|(h, place)| HeaderPlan::new(place, peers(h))).collect();
    let code = Code {
        instrs: Vec::new(),
        evals: Vec::new(),
        effects: Vec::new(),
        selects: Vec::new(),
        switches: Vec::new(),
        headers,
        by_base: layout::by_base(&layout),
        actions: Vec::new(),
        lookups: Vec::new(),
        digests: Vec::new(),
        keeps: Vec::new(),
        emits: Vec::new(),
        parser: None,
        verify: 0,
        ingress: 0,
        egress: 0,
        update: 0,
        slots: 0,
        constants: Vec::new(),
    };
    let mut compiler = Compiler {
        program,
        top: layout.end,
        layout,
        code,
        free: HashMap::new(),
        used: Vec::new(),
        constants: HashMap::new(),
        params: &[],
        params_at: 0,
        in_parser: false,
        sites: Sites::of(program),
        states: Vec::new(),
    };
    compiler.all();
    (compiler.code, compiler.layout)
}

impl<'a> Compiler<'a> {
    fn all(&mut self) {
        let program = self.program;
        for list in program.field_lists.values() {
            let keep = list.metas.iter().map(|m| self.layout.metas[*m]);
            self.code.keeps.push(keep.map(|v| (v.slot, v.len())).collect());
        }
        for action in program.actions.values() {
            let len = action.params.iter().map(|p| slots_of(p.ty)).sum();
            let params = self.take(len);
            let start = self.here();
            self.code.actions.push(ActionPlan { start, params, params_len: len });
            self.params = &action.params;
            self.params_at = params;
            self.block(&action.body);
            self.params = &[];
            self.emit(Instr::Return);
        }
        self.code.ingress = self.here();
        self.block(&program.ingress);
        self.emit(Instr::End);
        self.code.egress = self.here();
        self.block(&program.egress);
        self.emit(Instr::End);
        self.code.verify = self.here();
        for (index, checksum) in program.verify.iter().enumerate() {
            self.checksum(checksum, Some(index));
        }
        self.emit(Instr::End);
        self.code.update = self.here();
        for checksum in &program.update {
            self.checksum(checksum, None);
        }
        self.emit(Instr::End);
        for digest in program.digests.values() {
            let start = self.here();
            let values = digest.fields.iter().map(|(_, value)| self.expr(value)).collect();
            self.emit(Instr::End);
            self.code.digests.push(DigestPlan { start, values });
            self.end_statement();
        }
        self.parser();
        for emit in &program.deparser {
            match emit {
                Emit::Header(header) => self.code.emits.push(header.0),
                Emit::Union(union) => {
                    self.code.emits.extend(program.unions[*union].members.iter().map(|h| h.0));
                }
                Emit::Stack(stack) => match &program.stacks[*stack].elements {
                    Elements::Headers(headers) => {
                        self.code.emits.extend(headers.iter().map(|h| h.0));
                    }
                    Elements::Unions(unions) => {
                        let members = unions.iter().flat_map(|u| &program.unions[*u].members);
                        self.code.emits.extend(members.map(|h| h.0));
                    }
                },
            }
        }
        self.code.slots = self.top;
    }

    /// A checksum to be verified (with its number) or updated.
    fn checksum(&mut self, checksum: &'a Checksum, verify: Option<usize>) {
        let skip = self.unless(&checksum.condition);
        // The field of an invalid header is neither verified nor written.
        let guard = self.guard(&checksum.field);
        let items = self.items(&checksum.items);
        let (algorithm, with_payload) = (checksum.algorithm, checksum.with_payload);
        let sum = self.temp(Type::Bit(64));
        self.effect(Effect::Sum { dst: sum, algorithm, items, with_payload });
        match verify {
            Some(index) => {
                let field = self.read(&checksum.field);
                self.effect(Effect::Verified { index, sum, field });
            }
            None => {
                let ty = self.place_type(&checksum.field);
                let cut = self.cast(sum, ty);
                self.assign_value(&checksum.field, cut);
            }
        }
        let end = self.here();
        skip.into_iter().chain(guard).for_each(|at| self.aim(at, end));
        self.end_statement();
    }

    /// The members of a list; their values are computed here.
    fn items(&mut self, items: &'a [Item]) -> List {
        let mut listed = Vec::new();
        for item in items {
            match item {
                Item::Value(value) => {
                    let val = self.expr(value);
                    listed.push(Listed::Value(val));
                }
                Item::IfValid { header, field } => {
                    let at = self.header(header);
                    let one = self.listed(at, header, *field as usize);
                    listed.push(one);
                }
                Item::Header(header) => {
                    let at = self.header(header);
                    for field in 0..self.fields_of(header) {
                        let one = self.listed(at, header, field);
                        listed.push(one);
                    }
                }
            }
        }
        List::new(listed)
    }

    fn listed(&self, at: At, header: &restage_program::expr::HeaderRef, field: usize) -> Listed {
        match at {
            At::Fixed(header) => {
                let plan = &self.code.headers[header as usize];
                Listed::Guarded(plan.base, plan.fields[field])
            }
            At::Found(base) => {
                let (offset, ty) = self.field_offset(header, field);
                Listed::Found { base, offset, ty }
            }
        }
    }

    fn here(&self) -> Pc {
        self.code.instrs.len() as Pc
    }

    fn emit(&mut self, instr: Instr) -> Pc {
        self.code.instrs.push(instr);
        self.here() - 1
    }

    fn effect(&mut self, effect: Effect) -> Pc {
        self.code.effects.push(effect);
        self.emit(Instr::Do(self.code.effects.len() as u32 - 1))
    }

    /// Gives a jump its target.
    fn aim(&mut self, at: Pc, target: Pc) {
        match &mut self.code.instrs[at as usize] {
            Instr::Jump(to)
            | Instr::IfZero(_, to)
            | Instr::IfNotZero(_, to)
            | Instr::IfEq(_, _, to)
            | Instr::IfNe(_, _, to)
            | Instr::IfMiss(to) => *to = target,
            Instr::Do(index) => {
                if let Effect::IfInvalid { to, .. } = &mut self.code.effects[*index as usize] {
                    *to = target;
                }
            }
            _ => {}
        }
    }

    fn take(&mut self, len: u32) -> Slot {
        let slot = self.top;
        self.top += len;
        slot
    }

    /// A place for a value until the end of the statement.
    fn temp(&mut self, ty: Type) -> Val {
        let len = slots_of(ty);
        let free = self.free.get_mut(&len).and_then(Vec::pop);
        let slot = free.unwrap_or_else(|| self.take(len));
        self.used.push((len, slot));
        Val { slot, ty }
    }

    /// Temporary values may be overwritten from here on.
    fn end_statement(&mut self) {
        for (len, slot) in self.used.drain(..) {
            self.free.entry(len).or_default().push(slot);
        }
    }

    fn constant(&mut self, ty: Type, limbs: &[u64]) -> Val {
        let len = slots_of(ty);
        let mut limbs = limbs.to_vec();
        limbs.resize(len as usize, 0);
        if let Some(slot) = self.constants.get(&(limbs.clone(), len)) {
            return Val { slot: *slot, ty };
        }
        let slot = self.take(len);
        for (at, limb) in (slot..).zip(&limbs) {
            self.code.constants.push((at, *limb));
        }
        self.constants.insert((limbs, len), slot);
        Val { slot, ty }
    }

    fn header_index(header: Header) -> u32 {
        header.index() as u32
    }
}
