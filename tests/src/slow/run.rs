//! Statements and tables: one block after the other, as written.

mod apply;

use super::num;
use super::packet::{Packet, element_headers};
use super::state::State;
use super::value::Scope;
use num_bigint::BigInt;
use restage_program::entity::ErrorCode;
use restage_program::entry::{CounterValue, KeyMatch};
use restage_program::expr::{ElementIndex, Expr, HeaderRef, Place};
use restage_program::program::{Program, Unit};
use restage_program::stmt::{Stmt, StmtKind};
use restage_program::{Bits, Entity, Type, standard};

/// Whether what follows is still to be done.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Flow {
    Go,
    Exit,
}

type Run<T> = Result<T, ErrorCode>;

pub(crate) struct Runner<'a> {
    pub program: &'a Program,
    pub state: &'a mut State,
    pub in_parser: bool,
}

impl Runner<'_> {
    fn scope<'b>(&'b self, params: &'b [(Type, Bits)]) -> Scope<'b> {
        Scope { program: self.program, params, in_parser: self.in_parser }
    }

    pub fn block(
        &mut self,
        packet: &mut Packet,
        block: &[Stmt],
        params: &[(Type, Bits)],
    ) -> Run<Flow> {
        for stmt in block {
            if self.stmt(packet, &stmt.kind, params)? == Flow::Exit {
                return Ok(Flow::Exit);
            }
        }
        Ok(Flow::Go)
    }

    fn stmt(&mut self, packet: &mut Packet, stmt: &StmtKind, params: &[(Type, Bits)]) -> Run<Flow> {
        let program = self.program;
        let in_parser = self.in_parser;
        let scope = Scope { program, params, in_parser };
        match stmt {
            StmtKind::Assign { dst, src } => {
                let value = scope.bits(packet, src)?;
                scope.write(packet, dst, value)?;
            }
            StmtKind::CopyHeader { dst, src } => {
                let from = scope.header(packet, src)?;
                match (scope.header(packet, dst)?, from) {
                    (Some(to), Some(from)) => packet.copy_header(program, to, from),
                    (Some(to), None) => packet.headers[to.index()].valid = false,
                    (None, _) => {}
                }
            }
            StmtKind::CopyStack { dst, src } => {
                let to = element_headers(program, *dst);
                for (to, from) in to.iter().zip(element_headers(program, *src)) {
                    for (to, from) in to.iter().zip(from) {
                        packet.headers[to.index()] = packet.headers[from.index()].clone();
                    }
                }
                packet.next[dst.index()] = packet.next[src.index()];
            }
            StmtKind::SetValid(header) => {
                if let Some(h) = scope.header(packet, header)?
                    && !packet.headers[h.index()].valid
                {
                    packet.headers[h.index()] = super::packet::HeaderValue::zero(program, h);
                    packet.set_valid(program, h, true);
                    let bytes = packet.headers[h.index()].wire().len() / 8;
                    packet.length = packet.length.wrapping_add(bytes as u32);
                }
            }
            StmtKind::SetInvalid(header) => {
                if let Some(h) = scope.header(packet, header)?
                    && packet.headers[h.index()].valid
                {
                    packet.set_valid(program, h, false);
                    let bytes = packet.headers[h.index()].wire().len() / 8;
                    packet.length = packet.length.wrapping_sub(bytes as u32);
                }
            }
            StmtKind::PushFront { stack, count } => {
                packet.shift_stack(program, *stack, i64::from(*count));
            }
            StmtKind::PopFront { stack, count } => {
                packet.shift_stack(program, *stack, -i64::from(*count));
            }
            StmtKind::Extract(header) => self.extract(packet, header, None)?,
            StmtKind::ExtractVar { header, bits } => {
                let bits = scope.bits(packet, bits)?.low_u64();
                self.extract(packet, header, Some(bits))?;
            }
            StmtKind::Advance(bits) => {
                let bits = scope.bits(packet, bits)?.low_u64();
                if !bits.is_multiple_of(8) {
                    return Err(standard::error::PARSER_INVALID_ARGUMENT);
                }
                packet.peek(0, bits)?;
                packet.position += bits as usize;
            }
            StmtKind::Verify { condition, error } => {
                if !scope.truth(packet, condition)? {
                    return Err(*error);
                }
            }
            StmtKind::If { condition, then, otherwise } => {
                let branch = if scope.truth(packet, condition)? { then } else { otherwise };
                return self.block(packet, branch, params);
            }
            StmtKind::Apply { table, then } => return self.apply(packet, *table, then),
            StmtKind::Call { action, args } => {
                let args: Vec<Bits> =
                    args.iter().map(|a| scope.bits(packet, a)).collect::<Run<_>>()?;
                return self.action(packet, *action, &args);
            }
            StmtKind::Exit => {
                self.state.note("exit");
                return Ok(Flow::Exit);
            }
            StmtKind::MarkToDrop => {
                packet.set_meta(standard::EGRESS_SPEC, standard::DROP_PORT.into());
                packet.set_meta(standard::MCAST_GRP, 0);
            }
            StmtKind::Count { counter, index } => {
                if let Some(i) = scope.index(packet, index)?
                    && let Some(cell) = self.state.counters[counter.index()].get_mut(i)
                {
                    count(cell, packet);
                }
            }
            StmtKind::ExecuteMeter { meter, index, dst } => {
                let now = self.state.now;
                let tokens = tokens(program.meters[*meter].unit, packet);
                let mut colour = 0;
                if let Some(i) = scope.index(packet, index)?
                    && let Some(cell) = self.state.meters[meter.index()].get_mut(i)
                {
                    colour = cell.execute(tokens, now);
                }
                self.note_colour(colour);
                self.set_number(packet, params, dst, &BigInt::from(colour))?;
            }
            StmtKind::ReadRegister { register, index, dst } => {
                let ty = program.registers[*register].ty;
                let value = scope
                    .index(packet, index)?
                    .and_then(|i| self.state.registers[register.index()].get(i).cloned())
                    .unwrap_or_else(|| Bits::zero(ty.width()));
                scope.write(packet, dst, value)?;
            }
            StmtKind::WriteRegister { register, index, value } => {
                let value = scope.bits(packet, value)?;
                if let Some(i) = scope.index(packet, index)?
                    && let Some(cell) = self.state.registers[register.index()].get_mut(i)
                {
                    *cell = value;
                }
            }
            StmtKind::MapLookup { map, key, found, values, touch } => {
                let key = scope.all(packet, key)?;
                let now = self.state.now;
                let entry = self.state.map_find(program, *map, &key);
                let there = entry.is_some();
                let content = match entry {
                    Some(entry) => {
                        if *touch {
                            entry.used = now;
                        }
                        entry.values.clone()
                    }
                    None => {
                        let fields = program.maps[*map].values.iter();
                        fields.map(|f| Bits::zero(f.ty.width())).collect()
                    }
                };
                if there {
                    self.state.note("map found");
                }
                scope.write(packet, found, Bits::new(1, there.into()))?;
                for (place, value) in values.iter().zip(content) {
                    scope.write(packet, place, value)?;
                }
            }
            StmtKind::MapPut { map, key, values, stored } => {
                let key = scope.all(packet, key)?;
                let values = scope.all(packet, values)?;
                let done = self.state.map_put(program, *map, &key, &values);
                if !done {
                    self.state.note("map full");
                }
                if let Some(place) = stored {
                    scope.write(packet, place, Bits::new(1, done.into()))?;
                }
            }
            StmtKind::MapRemove { map, key } => {
                let key = scope.all(packet, key)?;
                self.state.map_remove(program, *map, &key);
            }
            StmtKind::Hash { dst, algorithm, base, items, max } => {
                let base = num::natural(&scope.bits(packet, base)?);
                let max = num::natural(&scope.bits(packet, max)?);
                let hash =
                    BigInt::from(self.state.hash(program, *algorithm, &scope.list(packet, items)?));
                let zero = BigInt::from(0);
                let offset = if max == zero { zero } else { hash % max };
                self.set_number(packet, params, dst, &(base + offset))?;
            }
            StmtKind::Random { dst, low, high } => {
                let low = scope.bits(packet, low)?;
                let high = scope.bits(packet, high)?;
                let number = self.state.sequences.next(program, stmt, &low, &high);
                self.set_number(packet, params, dst, &number)?;
            }
            StmtKind::Digest(digest) => packet.digest = Some(*digest),
            StmtKind::CloneIngress { session, keep } | StmtKind::CloneEgress { session, keep } => {
                let session = scope.bits(packet, session)?.to_u64();
                packet.clone = Some((session.and_then(|s| u32::try_from(s).ok()), *keep));
            }
            StmtKind::Resubmit { keep } | StmtKind::Recirculate { keep } => {
                packet.again = Some(*keep);
            }
            StmtKind::Truncate { bytes } => {
                let bytes = scope.bits(packet, bytes)?.low_u64() as u32;
                packet.truncate = Some(packet.truncate.map_or(bytes, |t| t.min(bytes)));
            }
        }
        Ok(Flow::Go)
    }

    /// Writes a number into a place, cut to its width.
    fn set_number(
        &self,
        packet: &mut Packet,
        params: &[(Type, Bits)],
        dst: &Place,
        number: &BigInt,
    ) -> Run<()> {
        let width = self.program.type_of_place(dst).map_or(0, Type::width);
        self.scope(params).write(packet, dst, num::wrap(width, number))
    }

    fn extract(&mut self, packet: &mut Packet, header: &HeaderRef, varbit: Option<u64>) -> Run<()> {
        let scope = self.scope(&[]);
        let target = scope.header(packet, header)?.ok_or(standard::error::STACK_OUT_OF_BOUNDS)?;
        let ty = &self.program.header_types[self.program.headers[target].ty];
        let varbit = varbit.unwrap_or(0);
        if !varbit.is_multiple_of(8) {
            return Err(standard::error::PARSER_INVALID_ARGUMENT);
        }
        packet.peek(0, u64::from(ty.fixed_width()) + varbit)?;
        let longest = u64::from(ty.max_width() - ty.fixed_width());
        if varbit > longest {
            return Err(standard::error::HEADER_TOO_SHORT);
        }
        let mut fields = Vec::new();
        for field in &ty.fields {
            let width = match field.ty {
                Type::Varbit(_) => varbit,
                ty => ty.width().into(),
            };
            fields.push(packet.peek(0, width)?);
            packet.position += width as usize;
        }
        packet.headers[target.index()].fields = fields;
        packet.set_valid(self.program, target, true);
        if let HeaderRef::Element { stack, at: ElementIndex::Next, .. } = header {
            packet.next[stack.index()] += 1;
        }
        Ok(())
    }
}

impl Scope<'_> {
    /// An index, unless it is larger than any array.
    fn index(&self, packet: &Packet, expr: &Expr) -> Run<Option<usize>> {
        let value = self.bits(packet, expr)?;
        Ok(value.to_u64().and_then(|i| usize::try_from(i).ok()))
    }

    fn all(&self, packet: &Packet, exprs: &[Expr]) -> Run<Vec<Bits>> {
        exprs.iter().map(|e| self.bits(packet, e)).collect()
    }
}

/// Whether a value is what a match says, bit by bit or as numbers.
pub(crate) fn matches(key: &KeyMatch, (ty, value): &(Type, Bits)) -> bool {
    let width = value.width();
    match key {
        KeyMatch::Any => true,
        KeyMatch::Exact(wanted) => wanted == value,
        KeyMatch::Lpm { value: wanted, prefix } => {
            (0..*prefix).all(|i| wanted.bit(width - 1 - i) == value.bit(width - 1 - i))
        }
        KeyMatch::Masked { value: wanted, mask } => {
            (0..width).all(|i| !mask.bit(i) || wanted.bit(i) == value.bit(i))
        }
        KeyMatch::Range { low, high } => {
            let n = num::number(*ty, value);
            num::number(*ty, low) <= n && n <= num::number(*ty, high)
        }
    }
}

fn count(cell: &mut CounterValue, packet: &Packet) {
    cell.packets = cell.packets.wrapping_add(1);
    cell.bytes = cell.bytes.wrapping_add(packet.entered());
}

fn tokens(unit: Unit, packet: &Packet) -> u64 {
    match unit {
        Unit::Bytes => packet.entered(),
        Unit::Packets | Unit::Both => 1,
    }
}
