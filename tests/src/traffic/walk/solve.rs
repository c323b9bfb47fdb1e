//! Making expressions come out as wanted, by writing the bits of the packet that they read.

use super::{TRIES, Walk};
use crate::slow::hash::{from_wire, wire_bits};
use crate::slow::packet::Packet;
use restage_program::expr::{Expr, Place};
use restage_program::op::Op;
use restage_program::{Bits, Entity, Type};

impl Walk<'_> {
    /// The bits of the packet that an expression consists of, most significant first; `None` for a bit
    /// that is none of the packet's. Only copies, cuts and extensions are seen through.
    pub(super) fn spots(&self, packet: &Packet, expr: &Expr) -> Option<Vec<Option<usize>>> {
        match expr {
            Expr::Read(place) => self.place_spots(packet, place),
            Expr::Lookahead { skip, ty } => {
                let first = packet.position + *skip as usize;
                Some((first..first + ty.width() as usize).map(Some).collect())
            }
            Expr::Op { op: Op::Slice { hi, lo }, args } => {
                cut(self.spots(packet, args.first()?)?, *hi, *lo)
            }
            Expr::Op { op: Op::Cast(to), args } => {
                let from = self.spots(packet, args.first()?)?;
                let width = to.width() as usize;
                let fresh = width.saturating_sub(from.len());
                let kept = from.len().saturating_sub(width);
                Some(std::iter::repeat_n(None, fresh).chain(from.into_iter().skip(kept)).collect())
            }
            Expr::Op { op: Op::Concat, args } => {
                let part = |e: &Expr| {
                    let width = self.program.type_of(e, &[]).map_or(0, Type::width) as usize;
                    self.spots(packet, e).unwrap_or_else(|| vec![None; width])
                };
                Some(args.iter().flat_map(part).collect())
            }
            _ => None,
        }
    }

    fn place_spots(&self, packet: &Packet, place: &Place) -> Option<Vec<Option<usize>>> {
        match place {
            Place::Meta(meta) => self.sources[meta.index()].clone(),
            Place::Field { header, field } => {
                let header = self.scope().header(packet, header).ok()??;
                let value = &packet.headers[header.index()];
                let mut at = self.origin[header.index()].filter(|_| value.valid)?;
                let fields = &value.fields;
                for before in &fields[..*field as usize] {
                    at += before.width() as usize;
                }
                let width = fields[*field as usize].width() as usize;
                Some((at..at + width).map(Some).collect())
            }
            Place::Slice { of, hi, lo } => cut(self.place_spots(packet, of)?, *hi, *lo),
        }
    }

    /// Sets bits of an expression; says whether it is made of bits of the packet at all.
    pub(super) fn set(
        &mut self,
        packet: &mut Packet,
        expr: &Expr,
        value: &Bits,
        mask: &Bits,
    ) -> bool {
        let Some(spots) = self.spots(packet, expr) else { return false };
        let width = spots.len() as u32;
        for (i, spot) in spots.iter().enumerate() {
            let bit = width - 1 - i as u32;
            // What was only looked at may lie behind the end by now.
            if let Some(at) = *spot
                && mask.bit(bit)
                && self.pinned.get(at) == Some(&false)
                && let Some(there) = packet.bits.get_mut(at)
            {
                *there = value.bit(bit);
            }
        }
        self.refresh(packet);
        true
    }

    /// Reads the headers, and metadata that was copied from bits, again after bits have been changed.
    fn refresh(&mut self, packet: &mut Packet) {
        for (i, origin) in self.origin.iter().enumerate() {
            let Some(mut at) = *origin else { continue };
            for field in &mut packet.headers[i].fields {
                let width = field.width() as usize;
                if let Some(bits) = packet.bits.get(at..at + width) {
                    *field = from_wire(bits);
                }
                at += width;
            }
        }
        for (meta, source) in packet.metas.iter_mut().zip(&self.sources) {
            let Some(spots) = source else { continue };
            let old = wire_bits(meta);
            let bit = |at: usize| packet.bits.get(at).copied();
            let new: Vec<bool> =
                spots.iter().zip(old).map(|(s, old)| s.and_then(bit).unwrap_or(old)).collect();
            *meta = from_wire(&new);
        }
    }

    /// Keeps the bits of everything that an expression reads.
    pub(super) fn pin(&mut self, packet: &Packet, expr: &Expr) {
        let mut leaves = Vec::new();
        match self.spots(packet, expr) {
            // A slice of what was looked at ahead leaves the other bits free.
            Some(own) => leaves.push(own),
            None => expr.walk(&mut |e| leaves.extend(self.spots(packet, e))),
        }
        for at in leaves.into_iter().flatten().flatten() {
            if let Some(pin) = self.pinned.get_mut(at) {
                *pin = true;
            }
        }
    }

    /// Tries to make a condition hold, or not, term by term.
    pub(super) fn solve(&mut self, packet: &mut Packet, condition: &Expr, holds: bool) {
        let Expr::Op { op, args } = condition else {
            self.satisfy(packet, condition, &|walk, packet| {
                walk.scope().truth(packet, condition) == Ok(holds)
            });
            return;
        };
        let boolean = |e: &Expr| self.program.type_of(e, &[]) == Ok(Type::Bool);
        match (op, args.as_slice()) {
            (Op::Not, [inner]) => self.solve(packet, inner, !holds),
            (Op::And | Op::Or, [a, b]) if boolean(a) => {
                if (*op == Op::And) == holds {
                    self.solve(packet, a, holds);
                    self.solve(packet, b, holds);
                } else if self.scope().truth(packet, condition) != Ok(holds) {
                    let one = if self.rng.chance(50) { a } else { b };
                    self.solve(packet, one, holds);
                }
            }
            _ => self.satisfy(packet, condition, &|walk, packet| {
                walk.scope().truth(packet, condition) == Ok(holds)
            }),
        }
    }

    /// Tries values for what an expression reads until something holds; then they stay.
    pub(super) fn satisfy(
        &mut self,
        packet: &mut Packet,
        expr: &Expr,
        holds: &dyn Fn(&Self, &Packet) -> bool,
    ) {
        let mut leaves: Vec<&Expr> = Vec::new();
        let mut constants: Vec<&Bits> = Vec::new();
        expr.walk(&mut |e| match e {
            Expr::Read(_) | Expr::Lookahead { .. } => leaves.push(e),
            Expr::Const { value, .. } => constants.push(value),
            _ => {}
        });
        for _ in 0..TRIES {
            if holds(self, packet) {
                break;
            }
            let Some(leaf) = self.rng.pick(&leaves).copied() else { break };
            let Ok(ty) = self.program.type_of(leaf, &[]) else { break };
            let value = match (self.rng.below(4), self.rng.pick(&constants)) {
                (0 | 1, Some(constant)) => constant.resize(ty.width()),
                (2, _) => Bits::new(ty.width(), self.rng.below(8) as u128),
                _ => self.rng.value(ty),
            };
            self.set(packet, leaf, &value, &Bits::ones(ty.width()));
        }
        self.pin(packet, expr);
    }
}

fn cut(spots: Vec<Option<usize>>, hi: u32, lo: u32) -> Option<Vec<Option<usize>>> {
    let width = spots.len();
    let from = width.checked_sub(1 + hi as usize)?;
    let to = width.checked_sub(lo as usize)?;
    spots.get(from..to).map(<[_]>::to_vec)
}
