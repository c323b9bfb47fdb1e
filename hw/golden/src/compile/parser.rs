//! Parser states: their statements, and where they go.

use super::Compiler;
use crate::code::{At, CaseOn, Cases, Effect, Instr, Pc, Select};
use crate::layout::Val;
use crate::matching::Test;
use restage_program::entity::Entity;
use restage_program::expr::{ElementIndex, Expr, HeaderRef};
use restage_program::program::{SelectCase, SelectOn, Target, Transition};

/// With more exact cases than this a select searches instead of comparing one after the other.
const FEW_CASES: usize = 6;

impl<'a> Compiler<'a> {
    pub(super) fn parser(&mut self) {
        let program = self.program;
        let Some(start) = program.start else { return };
        self.in_parser = true;
        // Targets are numbers of states until all states have their code; then they become places.
        let accept = self.emit(Instr::End);
        let reject = self.effect(Effect::Reject);
        let first = self.here();
        for (state, decl) in program.states.iter() {
            let here = self.here();
            self.states.push(here);
            self.emit(Instr::Enter(state.0));
            self.block(&decl.body);
            match &decl.next {
                Transition::To(target) => {
                    self.emit(Instr::Jump(target_number(*target)));
                }
                Transition::Select { keys, cases } => {
                    let keys: Vec<Val> = keys.iter().map(|k| self.expr(k)).collect();
                    let cases = cases_of(&keys, cases);
                    self.code.selects.push(Select { keys, cases });
                    self.emit(Instr::Select(self.code.selects.len() as u32 - 1));
                }
            }
            self.end_statement();
        }
        let states = std::mem::take(&mut self.states);
        let place = |number: Pc| match number {
            ACCEPT => accept,
            REJECT => reject,
            state => states[state as usize],
        };
        for instr in &mut self.code.instrs[first as usize..] {
            // Guards jump inside their statement: their targets are places already.
            if let Instr::Jump(to) = instr {
                *to = place(*to);
            }
        }
        for select in &mut self.code.selects {
            match &mut select.cases {
                Cases::Sorted(all, other) => {
                    all.iter_mut().map(|(_, to)| to).chain(other).for_each(|to| *to = place(*to));
                }
                Cases::Masked(all) => all.iter_mut().for_each(|(_, _, to)| *to = place(*to)),
                Cases::Any(all) => all.iter_mut().for_each(|(_, to)| *to = place(*to)),
            }
        }
        self.code.parser = Some(place(start.index() as Pc));
        self.in_parser = false;
    }

    pub(super) fn extract(&mut self, header: &'a HeaderRef, bits: Option<&'a Expr>) {
        // The length is computed first; it may fail.
        let bits = bits.map(|b| self.expr(b));
        let next = match header {
            HeaderRef::Element { stack, at: ElementIndex::Next, .. } => {
                Some(self.layout.nexts[*stack])
            }
            _ => None,
        };
        match (self.header(header), bits) {
            (At::Fixed(header), None) if self.code.headers[header as usize].varbit.is_none() => {
                self.emit(Instr::Extract(header));
            }
            (at, bits) => {
                self.effect(Effect::Extract { at, next, bits });
            }
        }
    }
}

const ACCEPT: Pc = Pc::MAX;
const REJECT: Pc = Pc::MAX - 1;

fn target_number(target: Target) -> Pc {
    match target {
        Target::Accept => ACCEPT,
        Target::Reject => REJECT,
        Target::State(state) => state.0,
    }
}

/// The cases in the fastest form that they allow.
fn cases_of(keys: &[Val], cases: &[SelectCase]) -> Cases {
    let narrow = matches!(keys, [key] if key.width() <= 64);
    let mut masked = Vec::new();
    let mut all = Vec::new();
    for case in cases {
        let to = target_number(case.to);
        match &case.on {
            SelectOn::Default => {
                masked.push((0, 0, to));
                let any = keys.iter().map(|_| Test::Any).collect();
                all.push((CaseOn::Keys(any), to));
            }
            SelectOn::Keys(on) => {
                let tests: Vec<Test> =
                    on.iter().zip(keys).map(|(on, key)| Test::new(on, key.ty)).collect();
                match tests.as_slice() {
                    [Test::Any] => masked.push((0, 0, to)),
                    [Test::Masked { value, mask }] if narrow => {
                        masked.push((mask[0], value[0] & mask[0], to));
                    }
                    _ => {}
                }
                all.push((CaseOn::Keys(tests), to));
            }
            SelectOn::ValueSet(set) => all.push((CaseOn::ValueSet(set.0), to)),
        }
    }
    if !narrow || masked.len() != all.len() {
        return Cases::Any(all);
    }
    let ones = u64::MAX >> (64 - keys.first().map_or(64, |k| k.width()).clamp(1, 64));
    let other = masked.iter().position(|(mask, _, _)| *mask == 0);
    let exact = &masked[..other.unwrap_or(masked.len())];
    if exact.len() <= FEW_CASES || exact.iter().any(|(mask, _, _)| *mask != ones) {
        return Cases::Masked(masked);
    }
    let mut sorted: Vec<(u64, Pc)> = exact.iter().map(|(_, value, to)| (*value, *to)).collect();
    // The sort is stable, so of equal cases the first one stays first.
    sorted.sort_by_key(|(value, _)| *value);
    sorted.dedup_by_key(|(value, _)| *value);
    Cases::Sorted(sorted, other.map(|at| masked[at].2))
}
