//! Expressions and places.

use super::num;
use super::packet::{Packet, element_headers};
use restage_program::entity::{ErrorCode, Header};
use restage_program::expr::{ElementIndex, Expr, HeaderRef, Place};
use restage_program::program::{Item, Program};
use restage_program::{Bits, Entity, Type, standard};

/// Where an expression stands.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub program: &'a Program,
    pub params: &'a [(Type, Bits)],
    pub in_parser: bool,
}

/// Only parser states have errors; elsewhere `Err` does not come up.
type Value<T> = Result<T, ErrorCode>;

impl Scope<'_> {
    pub fn eval(&self, packet: &Packet, expr: &Expr) -> Value<(Type, Bits)> {
        Ok(match expr {
            Expr::Const { ty, value } => (*ty, value.clone()),
            Expr::Read(place) => self.read(packet, place)?,
            Expr::Param(index) => self.params[*index as usize].clone(),
            Expr::Valid(header) => {
                let valid =
                    self.header(packet, header)?.is_some_and(|h| packet.headers[h.index()].valid);
                (Type::Bool, Bits::new(1, valid.into()))
            }
            Expr::LastIndex(stack) => {
                let last = packet.next[stack.index()].wrapping_sub(1);
                (Type::Bit(32), Bits::new(32, last.into()))
            }
            Expr::Lookahead { skip, ty } => (*ty, packet.peek((*skip).into(), ty.width().into())?),
            Expr::Op { op, args } => {
                let args: Vec<(Type, Bits)> =
                    args.iter().map(|a| self.eval(packet, a)).collect::<Value<_>>()?;
                num::compute(*op, &args).unwrap_or((Type::Bool, Bits::zero(1)))
            }
        })
    }

    pub fn bits(&self, packet: &Packet, expr: &Expr) -> Value<Bits> {
        Ok(self.eval(packet, expr)?.1)
    }

    pub fn truth(&self, packet: &Packet, expr: &Expr) -> Value<bool> {
        Ok(!self.bits(packet, expr)?.is_zero())
    }

    /// The instance meant, if there is one.
    pub fn header(&self, packet: &Packet, header: &HeaderRef) -> Value<Option<Header>> {
        let (stack, at, member) = match header {
            HeaderRef::Header(header) => return Ok(Some(*header)),
            HeaderRef::Element { stack, at, member } => (*stack, at, *member),
        };
        let elements = element_headers(self.program, stack);
        let next = u64::from(packet.next[stack.index()]);
        let index = match at {
            ElementIndex::Next => Some(next),
            ElementIndex::Last => next.checked_sub(1),
            ElementIndex::Expr(index) => self.bits(packet, index)?.to_u64(),
        };
        let found = index
            .and_then(|i| elements.get(usize::try_from(i).ok()?))
            .and_then(|element| element.get(member as usize).copied());
        match (found, at) {
            (None, ElementIndex::Next | ElementIndex::Last) if self.in_parser => {
                Err(standard::error::STACK_OUT_OF_BOUNDS)
            }
            (found, _) => Ok(found),
        }
    }

    fn read(&self, packet: &Packet, place: &Place) -> Value<(Type, Bits)> {
        match place {
            Place::Meta(meta) => {
                Ok((self.program.metas[*meta].ty, packet.metas[meta.index()].clone()))
            }
            Place::Field { header, field } => {
                let declared = self.program.header_type(header).map(|t| &t.fields[*field as usize]);
                let ty = declared.map_or(Type::Bool, |f| f.ty);
                let value = match self.header(packet, header)? {
                    Some(h) if packet.headers[h.index()].valid => {
                        packet.headers[h.index()].fields[*field as usize].clone()
                    }
                    _ if matches!(ty, Type::Varbit(_)) => Bits::zero(0),
                    _ => Bits::zero(ty.width()),
                };
                Ok((ty, value))
            }
            Place::Slice { of, hi, lo } => {
                let (_, whole) = self.read(packet, of)?;
                let width = hi - lo + 1;
                let number = num::natural(&whole) >> *lo;
                Ok((Type::Bit(width), num::wrap(width, &number)))
            }
        }
    }

    /// Writes a place; into an invalid header, or one that is not there, nothing is written.
    pub fn write(&self, packet: &mut Packet, place: &Place, value: Bits) -> Value<()> {
        match place {
            Place::Meta(meta) => packet.metas[meta.index()] = value,
            Place::Field { header, field } => match self.header(packet, header)? {
                Some(h) if packet.headers[h.index()].valid => {
                    packet.headers[h.index()].fields[*field as usize] = value;
                }
                _ => packet.lost_write = true,
            },
            Place::Slice { of, hi, lo } => {
                let (_, whole) = self.read(packet, of)?;
                let mut limbs = whole.limbs().to_vec();
                for i in *lo..=*hi {
                    let (word, bit) = ((i / 64) as usize, i % 64);
                    limbs[word] &= !(1 << bit);
                    limbs[word] |= u64::from(value.bit(i - lo)) << bit;
                }
                self.write(packet, of, Bits::from_limbs(whole.width(), &limbs))?;
            }
        }
        Ok(())
    }

    /// The bits of a list, in order and without gaps.
    pub fn list(&self, packet: &Packet, items: &[Item]) -> Value<Vec<bool>> {
        let mut out = Vec::new();
        for item in items {
            match item {
                Item::Value(expr) => {
                    out.extend(super::hash::wire_bits(&self.bits(packet, expr)?));
                }
                Item::IfValid { header, field } => {
                    if let Some(h) = self.header(packet, header)?
                        && packet.headers[h.index()].valid
                    {
                        let value = &packet.headers[h.index()].fields[*field as usize];
                        out.extend(super::hash::wire_bits(value));
                    }
                }
                Item::Header(header) => {
                    if let Some(h) = self.header(packet, header)?
                        && packet.headers[h.index()].valid
                    {
                        out.extend(packet.headers[h.index()].wire());
                    }
                }
            }
        }
        Ok(out)
    }
}
