//! Expressions and places.
//!
//! What stands in a slot already (metadata, fields, constants, parameters, validity) is used where it
//! is; only operations and what is chosen at run time need instructions.

use super::Compiler;
use crate::code::{Alu, At, Effect, Eval, Instr, Pc, Which, Words};
use crate::layout::{Layout, Slot, Val, slots_of};
use restage_program::Type;
use restage_program::expr::{ElementIndex, Expr, HeaderRef, Place};
use restage_program::op::Op;

/// A place without its slices: where it begins, and which bits of it are meant.
struct Bits<'e> {
    place: &'e Place,
    slice: Option<(u32, u32)>,
}

fn unslice(place: &Place) -> Bits<'_> {
    match place {
        Place::Slice { of, hi, lo } => {
            let inner = unslice(of);
            let shift = inner.slice.map_or(0, |(_, lo)| lo);
            Bits { place: inner.place, slice: Some((hi + shift, lo + shift)) }
        }
        place => Bits { place, slice: None },
    }
}

impl<'a> Compiler<'a> {
    pub(super) fn place_type(&self, place: &Place) -> Type {
        // A checked program's places have types.
        self.program.type_of_place(place).unwrap_or(Type::Bit(1))
    }

    fn type_of(&self, expr: &Expr) -> Type {
        self.program.type_of(expr, self.params).unwrap_or(Type::Bit(1))
    }

    /// The value of an expression.
    pub(super) fn expr(&mut self, expr: &Expr) -> Val {
        match expr {
            Expr::Const { ty, value } => self.constant(*ty, value.limbs()),
            Expr::Read(place) => self.read(place),
            Expr::Param(index) => {
                let before = self.params.iter().take(*index as usize);
                let slot = self.params_at + before.map(|p| slots_of(p.ty)).sum::<u32>();
                Val { slot, ty: self.type_of(expr) }
            }
            Expr::Valid(header) => match self.header(header) {
                At::Fixed(header) => {
                    Val { slot: self.code.headers[header as usize].base, ty: Type::Bool }
                }
                At::Found(base) => {
                    let dst = self.temp(Type::Bool);
                    self.effect(Effect::Load { base, offset: 0, dst });
                    dst
                }
            },
            Expr::LastIndex(stack) => {
                let dst = self.temp(Type::Bit(32));
                self.effect(Effect::LastIndex { dst: dst.slot, next: self.layout.nexts[*stack] });
                dst
            }
            Expr::Lookahead { skip, ty } => {
                let dst = self.temp(*ty);
                self.effect(Effect::Lookahead { dst, skip: *skip });
                dst
            }
            Expr::Op { op, args } => {
                let vals: Vec<Val> = args.iter().map(|a| self.expr(a)).collect();
                let ty = self.type_of(expr);
                self.operation(*op, &vals, ty)
            }
        }
    }

    /// The value of an expression, put into a place of its own if it is computed at all.
    fn expr_into(&mut self, expr: &Expr, dst: Val) {
        if let Expr::Op { op, args } = expr {
            let vals: Vec<Val> = args.iter().map(|a| self.expr(a)).collect();
            return self.operation_into(*op, &vals, dst);
        }
        let val = self.expr(expr);
        self.copy(dst.slot, val.slot, dst.len());
    }

    fn operation(&mut self, op: Op, args: &[Val], ty: Type) -> Val {
        let dst = self.temp(ty);
        self.operation_into(op, args, dst);
        dst
    }

    fn operation_into(&mut self, op: Op, args: &[Val], dst: Val) {
        let Some(first) = args.first().copied() else { return };
        let second = args.get(1).copied().unwrap_or(first);
        let third = args.get(2).copied().unwrap_or(first);
        let widest = args.iter().map(|a| a.width()).fold(dst.width(), u32::max);
        let (a, b) = (first.slot, second.slot);
        let narrow = widest <= 64 && !first.ty.is_signed() && !second.ty.is_signed();
        let alu = match op {
            Op::Add => Some(Alu::Add),
            Op::Sub => Some(Alu::Sub),
            Op::And => Some(Alu::And),
            Op::Or => Some(Alu::Or),
            Op::Xor => Some(Alu::Xor),
            Op::Eq => Some(Alu::Eq),
            Op::Ne => Some(Alu::Ne),
            Op::Lt => Some(Alu::Lt),
            Op::Le => Some(Alu::Le),
            Op::Gt => Some(Alu::Gt),
            Op::Ge => Some(Alu::Ge),
            _ => None,
        };
        let width = first.width() as u8;
        let instr = match (op, alu) {
            (_, Some(op)) if narrow => Instr::Alu { op, width, dst: dst.slot, a, b },
            (Op::Slice { hi, lo }, _) if narrow => {
                Instr::Slice { hi: hi as u8, lo: lo as u8, dst: dst.slot, a }
            }
            (Op::Cast(to), _) if narrow && !to.is_signed() => {
                Instr::Cast { width: to.width() as u8, dst: dst.slot, a }
            }
            (Op::Concat, _) if narrow => {
                Instr::Concat { low: second.width() as u8, dst: dst.slot, a, b }
            }
            _ => {
                let words = match widest {
                    0..=64 => Words::One,
                    65..=128 => Words::Two,
                    _ => Words::Many,
                };
                let types = [first.ty, second.ty];
                self.code.evals.push(Eval { op, types, dst, args: [first, second, third], words });
                Instr::Eval(self.code.evals.len() as u32 - 1)
            }
        };
        self.emit(instr);
    }

    pub(super) fn cast(&mut self, val: Val, ty: Type) -> Val {
        if val.ty == ty { val } else { self.operation(Op::Cast(ty), &[val], ty) }
    }

    /// The content of a place.
    pub(super) fn read(&mut self, place: &Place) -> Val {
        let Bits { place, slice } = unslice(place);
        let whole = match place {
            Place::Field { header, field } => match self.header(header) {
                At::Fixed(header) => self.code.headers[header as usize].fields[*field as usize],
                At::Found(base) => {
                    let (offset, ty) = self.field_offset(header, *field as usize);
                    let dst = self.temp(ty);
                    self.effect(Effect::Load { base, offset, dst });
                    dst
                }
            },
            Place::Meta(meta) => self.layout.metas[*meta],
            Place::Slice { .. } => self.temp(Type::Bit(1)),
        };
        match slice {
            Some((hi, lo)) => {
                self.operation(Op::Slice { hi, lo }, &[whole], Type::Bit(hi - lo + 1))
            }
            None => whole,
        }
    }

    /// A jump, to be aimed, that is taken when the place's header is invalid.
    pub(super) fn guard(&mut self, place: &Place) -> Option<Pc> {
        match unslice(place).place {
            Place::Field { header, .. } => Some(match self.header(header) {
                At::Fixed(header) => {
                    let base = self.code.headers[header as usize].base;
                    self.emit(Instr::IfZero(base, 0))
                }
                At::Found(base) => self.effect(Effect::IfInvalid { base, to: 0 }),
            }),
            _ => None,
        }
    }

    /// `place = expr`. In the parser the expression comes first: computing it can fail.
    pub(super) fn assign(&mut self, place: &Place, expr: &Expr) {
        let dst = match place {
            Place::Meta(meta) => Some((self.layout.metas[*meta], None)),
            Place::Field { header: HeaderRef::Header(header), field } if !self.in_parser => {
                let header = &self.layout.headers[*header];
                Some((header.fields[*field as usize], Some(header.base)))
            }
            _ => None,
        };
        let Some((dst, valid)) = dst else {
            let value = self.expr(expr);
            return self.assign_value(place, value);
        };
        let skip = valid.map(|base| self.emit(Instr::IfZero(base, 0)));
        self.expr_into(expr, dst);
        if let Some(skip) = skip {
            let end = self.here();
            self.aim(skip, end);
        }
    }

    /// `place = value`.
    pub(super) fn assign_value(&mut self, place: &Place, value: Val) {
        let Bits { place, slice } = unslice(place);
        match place {
            Place::Field { header, field } => match self.header(header) {
                At::Fixed(header) => {
                    let plan = &self.code.headers[header as usize];
                    let dst = plan.fields[*field as usize];
                    let skip = self.emit(Instr::IfZero(plan.base, 0));
                    self.write(dst, slice, value);
                    let end = self.here();
                    self.aim(skip, end);
                }
                At::Found(base) => {
                    let (offset, ty) = self.field_offset(header, *field as usize);
                    let src = match slice {
                        Some(_) => {
                            let whole = self.temp(ty);
                            self.effect(Effect::Load { base, offset, dst: whole });
                            self.write(whole, slice, value);
                            whole
                        }
                        None => value,
                    };
                    self.effect(Effect::Store { base, offset, src });
                }
            },
            Place::Meta(meta) => self.write(self.layout.metas[*meta], slice, value),
            Place::Slice { .. } => {}
        }
    }

    fn write(&mut self, dst: Val, slice: Option<(u32, u32)>, src: Val) {
        match slice {
            Some((hi, lo)) if dst.width() <= 64 => {
                let (lo, width) = (lo as u8, (hi - lo + 1) as u8);
                self.emit(Instr::Put { lo, width, dst: dst.slot, src: src.slot });
            }
            Some((_, lo)) => {
                self.effect(Effect::Put { dst, lo, src });
            }
            None => self.copy(dst.slot, src.slot, dst.len()),
        }
    }

    pub(super) fn copy(&mut self, dst: Slot, src: Slot, count: u32) {
        if count == 1 {
            self.emit(Instr::Move { dst, src });
        } else {
            self.emit(Instr::MoveMany { dst, src, count: count as u16 });
        }
    }

    /// A header, found at run time if need be.
    pub(super) fn header(&mut self, header: &HeaderRef) -> At {
        match header {
            HeaderRef::Header(header) => At::Fixed(Self::header_index(*header)),
            HeaderRef::Element { stack, at, member } => {
                let (which, strict) = match at {
                    ElementIndex::Next => (Which::Next, self.in_parser),
                    ElementIndex::Last => (Which::Last, self.in_parser),
                    ElementIndex::Expr(index) => (Which::Index(self.expr(index)), false),
                };
                let elements = Layout::elements(self.program, *stack, *member);
                let bases = elements.iter().map(|h| self.layout.headers[*h].base).collect();
                let dst = self.temp(Type::Bit(64)).slot;
                let next = self.layout.nexts[*stack];
                self.effect(Effect::Find { dst, bases, next, which, strict });
                At::Found(dst)
            }
        }
    }

    /// Where a field stands in headers of this type, and its type.
    pub(super) fn field_offset(&self, header: &HeaderRef, field: usize) -> (u32, Type) {
        let Some(first) = self.program.candidates(header).first().copied() else {
            return (0, Type::Bit(1));
        };
        let layout = &self.layout.headers[first];
        let val = layout.fields[field];
        (val.slot - layout.base, val.ty)
    }

    pub(super) fn fields_of(&self, header: &HeaderRef) -> usize {
        self.program.header_type(header).map_or(0, |t| t.fields.len())
    }

    /// Jumps, to be aimed, that are taken when a condition does not hold.
    pub(super) fn unless(&mut self, condition: &Expr) -> Vec<Pc> {
        self.branch(condition, false)
    }

    /// Jumps, to be aimed, that are taken when a condition comes out as `sense`. No operation has an
    /// effect, so what is not needed for the answer is not computed.
    fn branch(&mut self, condition: &Expr, sense: bool) -> Vec<Pc> {
        match condition {
            Expr::Const { value, .. } if value.is_zero() == sense => Vec::new(),
            Expr::Op { op: op @ (Op::And | Op::Or), args } if args.len() == 2 => {
                // The first operand alone decides `and` when it is false, `or` when it is true.
                let decides = *op == Op::Or;
                let mut first = self.branch(&args[0], decides);
                let second = self.branch(&args[1], sense);
                if decides == sense {
                    first.extend(second);
                    return first;
                }
                let here = self.here();
                first.into_iter().for_each(|at| self.aim(at, here));
                second
            }
            Expr::Op { op: Op::Not, args } if args.len() == 1 => self.branch(&args[0], !sense),
            Expr::Op { op: op @ (Op::Eq | Op::Ne), args }
                if args.len() == 2 && self.type_of(&args[0]).width() <= 64 =>
            {
                let (a, b) = (self.expr(&args[0]).slot, self.expr(&args[1]).slot);
                let same = (*op == Op::Eq) == sense;
                vec![self.emit(if same { Instr::IfEq(a, b, 0) } else { Instr::IfNe(a, b, 0) })]
            }
            other => {
                let a = self.expr(other).slot;
                vec![self.emit(if sense { Instr::IfNotZero(a, 0) } else { Instr::IfZero(a, 0) })]
            }
        }
    }
}
