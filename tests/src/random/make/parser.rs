//! The parser: a graph of states that select on what they extracted.

use super::{Maker, Site, SiteKind};
use restage_program::entity::{HeaderType, State};
use restage_program::entry::KeyMatch;
use restage_program::expr::{ElementIndex, Expr, HeaderRef, Place};
use restage_program::op::Op;
use restage_program::program::{
    Elements, Emit, SelectCase, SelectOn, StateDecl, Target, Transition,
};
use restage_program::stmt::{Stmt, StmtKind};
use restage_program::types::bit;
use restage_program::{Bits, Loc, Type};

/// What a state extracts.
#[derive(Clone, Debug)]
enum Take {
    Header(HeaderRef),
    /// Goes round as long as the next element says so.
    Loop(HeaderRef),
    Nothing,
}

impl Maker {
    pub(super) fn parser(&mut self) {
        let mut takes = vec![Take::Header(HeaderRef::Header(self.plain[0]))];
        for header in self.plain.clone().into_iter().skip(1) {
            if self.rng.chance(75) {
                takes.push(Take::Header(HeaderRef::Header(header)));
            }
        }
        for stack in self.stacks.clone() {
            let member = self.member_of(stack);
            takes.push(Take::Loop(HeaderRef::Element { stack, at: ElementIndex::Next, member }));
        }
        for union in self.free_unions.clone() {
            let members = self.program.unions[union].members.clone();
            takes.extend(members.into_iter().map(|m| Take::Header(HeaderRef::Header(m))));
        }
        if self.rng.chance(50) {
            takes.push(Take::Nothing);
        }
        self.rng.shuffle(&mut takes[1..]);
        takes.truncate(9);
        // States that come later are declared first in the mind: each goes on to later ones only,
        // loops apart.
        let count = takes.len();
        for (i, take) in takes.iter().enumerate() {
            let state = self.state(i, take, count);
            self.program.states.push(state);
        }
        self.program.start = Some(State(0));
        self.deparser();
    }

    fn state(&mut self, number: usize, take: &Take, count: usize) -> StateDecl {
        let mut site = Site::new(SiteKind::Parser);
        site.ahead = if self.rng.chance(40) { 40 } else { 0 };
        let mut body = Vec::new();
        if self.rng.chance(15) {
            body.extend(self.parser_stmt(&site));
        }
        let header = match take {
            Take::Header(header) | Take::Loop(header) => Some(header.clone()),
            Take::Nothing => None,
        };
        if let Some(header) = &header {
            body.push(self.extract(header));
        }
        for _ in 0..self.rng.below(3) {
            body.extend(self.parser_stmt(&site));
        }
        let next = self.transition(&site, number, take, count);
        let name = if number == 0 { "start".into() } else { format!("s{number}") };
        StateDecl { name, body, next, loc: Loc::default() }
    }

    fn extract(&mut self, header: &HeaderRef) -> Stmt {
        let decl = match self.program.header_type(header) {
            Ok(decl) => decl.clone(),
            Err(_) => return StmtKind::Extract(header.clone()).into(),
        };
        let Some(varbit) = decl.varbit() else {
            return StmtKind::Extract(header.clone()).into();
        };
        // `len` is looked up ahead when it stands in front of the varbit; else a constant must do.
        let len = decl.field("len").unwrap_or(0);
        let longest = decl.fields[varbit as usize].ty.width();
        let bits = if len < varbit {
            let skip = decl.fields[..len as usize].iter().map(|f| f.ty.width()).sum();
            let raw = Expr::Lookahead { skip, ty: bit(8) };
            let wide = Expr::op(Op::Cast(bit(32)), [raw]);
            match self.rng.below(3) {
                // Mostly short enough.
                0 => Expr::op(
                    Op::Shl,
                    [Expr::op(Op::And, [wide, Expr::bit(32, 7)]), Expr::bit(8, 3)],
                ),
                // Often no whole number of bytes.
                1 => wide,
                _ => Expr::op(Op::Shl, [wide, Expr::bit(8, 3)]),
            }
        } else {
            Expr::bit(32, self.rng.between(0, longest / 8).into())
        };
        let bits = match bits {
            Expr::Const { value, .. } => Expr::bit(32, u128::from(value.low_u64() * 8)),
            other => other,
        };
        StmtKind::ExtractVar { header: header.clone(), bits }.into()
    }

    fn transition(&mut self, site: &Site, number: usize, take: &Take, count: usize) -> Transition {
        let later = |maker: &mut Self| {
            if number + 1 < count && maker.rng.chance(75) {
                Target::State(State(maker.rng.between(number as u32 + 1, count as u32 - 1)))
            } else if maker.rng.chance(6) {
                Target::Reject
            } else {
                Target::Accept
            }
        };
        let header = match take {
            Take::Header(header) => Some(header.clone()),
            // `next` has moved on: the element extracted is now the last one.
            Take::Loop(HeaderRef::Element { stack, member, .. }) => {
                Some(HeaderRef::Element { stack: *stack, at: ElementIndex::Last, member: *member })
            }
            Take::Loop(other) => Some(other.clone()),
            Take::Nothing => None,
        };
        let Some(header) = header.filter(|_| self.rng.chance(92)) else {
            return Transition::To(later(self));
        };
        let mut keys = vec![self.next_field(&header)];
        if self.rng.chance(25) {
            let ty = self.known_number();
            keys.push(self.expr(site, ty, 1));
        } else if self.rng.chance(10) {
            keys.push(Expr::Lookahead { skip: self.rng.between(0, 1) * 4, ty: bit(4) });
        }
        let types: Vec<Type> =
            keys.iter().map(|k| self.program.type_of(k, &[]).unwrap_or(bit(8))).collect();
        let mut cases = Vec::new();
        if matches!(take, Take::Loop(_)) {
            let on = SelectOn::Keys(self.row(&types));
            cases.push(SelectCase { on, to: Target::State(State(number as u32)) });
        }
        for _ in 0..self.rng.between(1, 4) {
            let sets: Vec<_> = self
                .value_sets
                .iter()
                .copied()
                .filter(|s| {
                    let columns = self.program.value_sets[*s].columns.iter().map(|c| c.ty);
                    columns.eq(types.iter().copied())
                })
                .collect();
            let on = match self.one(&sets) {
                Some(set) if self.rng.chance(50) => SelectOn::ValueSet(set),
                _ => SelectOn::Keys(self.row(&types)),
            };
            cases.push(SelectCase { on, to: later(self) });
        }
        if self.rng.chance(80) {
            cases.push(SelectCase { on: SelectOn::Default, to: later(self) });
        }
        Transition::Select { keys, cases }
    }

    /// One match for each key; the first key is rarely open.
    fn row(&mut self, types: &[Type]) -> Vec<KeyMatch> {
        types
            .iter()
            .enumerate()
            .map(|(i, ty)| {
                let value = match i {
                    0 => Bits::new(ty.width(), self.rng.below(6) as u128),
                    _ => self.rng.value(*ty),
                };
                match self.rng.below(10) {
                    0 => {
                        let mask = self.rng.value(*ty);
                        KeyMatch::masked(&value, mask)
                    }
                    1 if !ty.is_signed() => {
                        let other = self.rng.value(*ty);
                        let (low, high) = super::super::entries::ordered(*ty, value, other);
                        KeyMatch::Range { low, high }
                    }
                    2 | 3 if i > 0 => KeyMatch::Any,
                    _ => KeyMatch::Exact(value),
                }
            })
            .collect()
    }

    fn next_field(&mut self, header: &HeaderRef) -> Expr {
        let field = self.program.header_type(header).ok().and_then(|t| t.field("next"));
        Expr::Read(Place::Field { header: header.clone(), field: field.unwrap_or(0) })
    }

    /// One of the statements that parser states have beside extraction.
    fn parser_stmt(&mut self, site: &Site) -> Option<Stmt> {
        let kind = match self.rng.below(12) {
            0 | 1 => {
                // Most conditions hold, or nothing would ever get through.
                let condition = self.condition(site, 1);
                let condition = if self.rng.chance(80) {
                    let ty = bit(8);
                    let rare = Expr::op(Op::Ne, [self.leaf_of(site, ty), Expr::bit(8, 3)]);
                    Expr::op(Op::Or, [condition, rare])
                } else {
                    condition
                };
                let all: Vec<_> = self.own_errors.clone();
                let error = self.one(&all).unwrap_or(restage_program::standard::error::NO_MATCH);
                StmtKind::Verify { condition, error }
            }
            2 => StmtKind::Advance(match self.rng.below(4) {
                0 => {
                    let small = self.leaf_of(site, bit(3));
                    Expr::op(Op::Cast(bit(32)), [small])
                }
                n => Expr::bit(32, 8 * n as u128),
            }),
            3 => {
                let ty = self.any_fixed();
                let dst = self.header_of(site, ty)?;
                let src = self.header_of(site, ty)?;
                StmtKind::CopyHeader { dst, src }
            }
            4 if self.rng.chance(40) => StmtKind::SetValid(self.header(site)),
            5 if self.rng.chance(40) => StmtKind::SetInvalid(self.header(site)),
            6 if self.rng.chance(30) => return self.register_stmt(site),
            7 if self.rng.chance(20) => return self.stack_stmt(),
            _ => {
                let ty = self.assignable();
                let dst = self.target(site, ty)?;
                StmtKind::Assign { dst, src: self.expr(site, ty, 2) }
            }
        };
        Some(kind.into())
    }

    fn leaf_of(&mut self, site: &Site, ty: Type) -> Expr {
        self.expr(site, ty, 0)
    }

    pub(super) fn any_fixed(&mut self) -> HeaderType {
        self.fixed_types[self.rng.below(self.fixed_types.len())]
    }

    /// Everything in the order of declaration, stacks and unions as a whole.
    fn deparser(&mut self) {
        let mut emits: Vec<Emit> = self.plain.iter().copied().map(Emit::Header).collect();
        emits.extend(self.stacks.iter().copied().map(Emit::Stack));
        emits.extend(self.free_unions.iter().copied().map(Emit::Union));
        if self.rng.chance(60) {
            self.rng.shuffle(&mut emits);
        }
        if let Some(stack) = self.one(&self.stacks.clone())
            && let Elements::Headers(elements) = &self.program.stacks[stack].elements
            && self.rng.chance(15)
        {
            // Elements one by one in place of the stack.
            let elements = elements.clone();
            emits.retain(|e| *e != Emit::Stack(stack));
            emits.extend(elements.into_iter().map(Emit::Header));
        }
        self.program.deparser = emits;
    }
}
