//! What is rarer than an instruction.

use super::{Context, Flow, Machine, Sink, tokens};
use crate::checksum::{crc32_of, hash};
use crate::code::{At, Effect, Which};
use crate::layout::{Slot, Val};
use crate::meter::GREEN;
use crate::state::{State, count};
use crate::trace::Event;
use crate::wire::take_many;
use restage_program::Type;
use restage_program::entity::{Counter, ErrorCode, Meter as MeterIndex};
use restage_program::random;
use restage_program::standard::{DROP_PORT, EGRESS_SPEC, MCAST_GRP, error};

impl Machine {
    pub(super) fn effect<const T: bool>(
        &mut self,
        cx: Context<'_>,
        state: &mut State,
        bytes: &[u8],
        effect: &Effect,
        sink: Sink<'_>,
    ) -> Flow {
        match effect {
            Effect::Find { .. }
            | Effect::Load { .. }
            | Effect::Store { .. }
            | Effect::IfInvalid { .. }
            | Effect::LastIndex { .. }
            | Effect::Put { .. }
            | Effect::SetValid(_)
            | Effect::SetInvalid(_)
            | Effect::Copy { .. }
            | Effect::CopyStack { .. }
            | Effect::Shift { .. } => return self.on_headers::<T>(cx, effect, sink),
            Effect::Extract { .. }
            | Effect::Advance(_)
            | Effect::Lookahead { .. }
            | Effect::Verify { .. }
            | Effect::Reject => {
                return match self.in_parser::<T>(cx, bytes, effect, sink) {
                    Ok(()) => Flow::Next,
                    Err(None) => Flow::Stop,
                    Err(Some(error)) => {
                        self.fail::<T>(cx, error, sink);
                        Flow::Stop
                    }
                };
            }
            Effect::MarkToDrop => {
                self.set(cx.layout.metas[EGRESS_SPEC].slot, DROP_PORT.into());
                self.set(cx.layout.metas[MCAST_GRP].slot, 0);
            }
            Effect::Digest(digest) => self.fate.digest = Some(*digest),
            Effect::CloneIngress { session, keep } | Effect::CloneEgress { session, keep } => {
                self.fate.clone = Some((self.number(*session), *keep));
            }
            Effect::Resubmit(keep) => self.fate.resubmit = Some(*keep),
            Effect::Recirculate(keep) => self.fate.recirculate = Some(*keep),
            Effect::Truncate(length) => {
                self.fate.truncate = self.fate.truncate.min(self.number(*length));
            }
            other => self.on_state::<T>(cx, state, bytes, other, sink),
        }
        Flow::Next
    }

    fn on_headers<const T: bool>(
        &mut self,
        cx: Context<'_>,
        effect: &Effect,
        sink: Sink<'_>,
    ) -> Flow {
        match effect {
            Effect::Find { dst, bases, next, which, strict } => {
                let index = match which {
                    Which::Next => self.get(*next),
                    Which::Last => self.get(*next).wrapping_sub(1),
                    Which::Index(index) => self.number(*index),
                };
                let base = usize::try_from(index).ok().and_then(|i| bases.get(i)).copied();
                if base.is_none() && *strict {
                    self.fail::<T>(cx, error::STACK_OUT_OF_BOUNDS, sink);
                    return Flow::Stop;
                }
                self.set(*dst, base.unwrap_or(cx.layout.null).into());
            }
            Effect::Load { base, offset, dst } => {
                let from = (self.get(*base) + u64::from(*offset)) as usize;
                self.slots.copy_within(from..from + dst.len() as usize, dst.slot as usize);
            }
            Effect::Store { base, offset, src } => {
                let base = self.get(*base);
                if self.slots[base as usize] != 0 {
                    let to = (base + u64::from(*offset)) as usize;
                    self.slots.copy_within(src.range(), to);
                }
            }
            Effect::IfInvalid { base, to } if self.slots[self.get(*base) as usize] == 0 => {
                return Flow::Jump(*to);
            }
            Effect::IfInvalid { .. } => {}
            Effect::LastIndex { dst, next } => {
                self.set(*dst, self.get(*next).wrapping_sub(1) & 0xffff_ffff);
            }
            Effect::Put { dst, lo, src } => self.put_bits(*dst, *lo, *src),
            Effect::SetValid(at) => {
                if let Some(header) = self.resolve(cx, *at) {
                    self.set_valid(cx, header);
                }
            }
            Effect::SetInvalid(at) => {
                if let Some(header) = self.resolve(cx, *at) {
                    self.set_invalid(cx, header);
                }
            }
            Effect::Copy { dst, src } => self.copy_header(cx, *dst, *src),
            Effect::CopyStack { pairs, dst, src } => self.copy_stack(cx, pairs, *dst, *src),
            Effect::Shift { elements, next, by } => self.shift(cx, elements, *next, *by),
            _ => {}
        }
        Flow::Next
    }

    /// Replaces the bits of `dst` from `lo` on.
    fn put_bits(&mut self, dst: Val, lo: u32, src: Val) {
        let mut rest = src.width();
        for (i, from) in src.range().enumerate() {
            let (value, width) = (self.slots[from], rest.min(64));
            rest -= width;
            let mask = u64::MAX.checked_shr(64 - width).unwrap_or(0);
            let at = lo + 64 * i as u32;
            let (slot, bit) = (dst.slot + at / 64, at % 64);
            self.set(slot, self.get(slot) & !(mask << bit) | value << bit);
            let above = 64 - bit;
            if bit > 0 && width > above {
                let old = self.get(slot + 1) & !(mask >> above);
                self.set(slot + 1, old | value >> above);
            }
        }
    }

    /// Effects of parser states: an error, or the end without one.
    fn in_parser<const T: bool>(
        &mut self,
        cx: Context<'_>,
        bytes: &[u8],
        effect: &Effect,
        sink: Sink<'_>,
    ) -> Result<(), Option<ErrorCode>> {
        let rest = bytes.get(self.taken..).unwrap_or_default();
        match effect {
            Effect::Extract { at, next, bits } => {
                let Some(header) = self.resolve(cx, *at) else {
                    return Err(Some(error::STACK_OUT_OF_BOUNDS));
                };
                self.extract(cx, bytes, header, *bits).map_err(Some)?;
                if let Some(next) = next {
                    self.set(*next, self.get(*next) + 1);
                }
                if T {
                    self.tell_extract(cx, header, sink);
                }
            }
            Effect::Advance(bits) => {
                let bits = self.number(*bits);
                if !bits.is_multiple_of(8) {
                    return Err(Some(error::PARSER_INVALID_ARGUMENT));
                }
                if bits / 8 > rest.len() as u64 {
                    return Err(Some(error::PACKET_TOO_SHORT));
                }
                self.taken += (bits / 8) as usize;
            }
            Effect::Lookahead { dst, skip } => {
                if u64::from(*skip) + u64::from(dst.width()) > rest.len() as u64 * 8 {
                    return Err(Some(error::PACKET_TOO_SHORT));
                }
                take_many(rest, (*skip).into(), dst.width(), &mut self.slots[dst.range()]);
            }
            Effect::Verify { condition, error } => {
                if self.get(*condition) == 0 {
                    return Err(Some(ErrorCode(*error)));
                }
            }
            _ => return Err(None),
        }
        Ok(())
    }

    fn extract(
        &mut self,
        cx: Context<'_>,
        bytes: &[u8],
        header: u32,
        bits: Option<Val>,
    ) -> Result<(), ErrorCode> {
        let plan = &cx.code.headers[header as usize];
        let Some(varbit) = plan.varbit else {
            let fits = self.extract_fixed(cx, bytes, header);
            return if fits { Ok(()) } else { Err(error::PACKET_TOO_SHORT) };
        };
        let bits = bits.map_or(0, |val| self.number(val));
        if !bits.is_multiple_of(8) {
            return Err(error::PARSER_INVALID_ARGUMENT);
        }
        let rest = bytes.get(self.taken..).unwrap_or_default();
        if u64::from(plan.bytes) + bits / 8 > rest.len() as u64 {
            return Err(error::PACKET_TOO_SHORT);
        }
        if bits > u64::from(plan.fields[varbit].width()) {
            return Err(error::HEADER_TOO_SHORT);
        }
        plan.load_varbit(rest, bits as u32, &mut self.slots);
        self.taken += plan.length(&self.slots) as usize;
        self.invalidate_peers(cx, header);
        Ok(())
    }

    fn on_state<const T: bool>(
        &mut self,
        cx: Context<'_>,
        state: &mut State,
        bytes: &[u8],
        effect: &Effect,
        sink: Sink<'_>,
    ) {
        match effect {
            Effect::Count { counter, index } => {
                let index = self.number(*index) as usize;
                if let Some(one) = state.counters[*counter as usize].get_mut(index) {
                    count(one, self.entered);
                }
                if T {
                    let name = &cx.program.counters[Counter(*counter)].preamble.name;
                    sink(Event::Effect { text: format!("count {name}[{index}]") });
                }
            }
            Effect::Meter { meter, index, dst } => {
                let unit = cx.program.meters[MeterIndex(*meter)].unit;
                let index = self.number(*index) as usize;
                let one = state.meters[*meter as usize].get_mut(index);
                let cost = tokens(unit, self.entered);
                self.set(*dst, one.map_or(GREEN, |m| m.execute(cost, state.now)));
            }
            Effect::ReadRegister { register, index, dst } => {
                let index = self.number(*index);
                let cells = &state.registers[*register as usize];
                let range = dst.range();
                if index < u64::from(cells.size) {
                    let at = index as usize * cells.limbs;
                    self.slots[range].copy_from_slice(&cells.words[at..at + cells.limbs]);
                } else {
                    self.slots[range].fill(0);
                }
            }
            Effect::WriteRegister { register, index, value } => {
                let index = self.number(*index);
                let cells = &mut state.registers[*register as usize];
                if index < u64::from(cells.size) {
                    let at = index as usize * cells.limbs;
                    let value = &self.slots[value.range()];
                    cells.words[at..at + cells.limbs].copy_from_slice(value);
                }
            }
            Effect::MapLookup { map, key, found, values, touch } => {
                let hash = self.map_key(key);
                let map = &mut state.maps[*map as usize];
                let hit = map.get(hash, &self.words, state.now, *touch);
                self.slots[*found as usize] = hit.is_some().into();
                let mut rest = hit.unwrap_or_default();
                for val in values {
                    let slots = &mut self.slots[val.range()];
                    let some = rest.get(..slots.len());
                    rest = rest.get(slots.len()..).unwrap_or_default();
                    match some {
                        Some(words) => slots.copy_from_slice(words),
                        None => slots.fill(0),
                    }
                }
            }
            Effect::MapPut { map, key, values, stored } => {
                let hash = self.map_key(key);
                let split = self.words.len();
                for val in values {
                    self.words.extend_from_slice(&self.slots[val.range()]);
                }
                let (key, values) = self.words.split_at(split);
                let done = state.maps[*map as usize].put(hash, key, values, state.now);
                self.set(*stored, done.into());
            }
            Effect::MapRemove { map, key } => {
                let hash = self.map_key(key);
                state.maps[*map as usize].remove(hash, &self.words, state.now);
            }
            Effect::Hash { dst, algorithm, base, items, max } => {
                let number =
                    hash(*algorithm, &state.crcs, items, &self.slots, &[], &mut self.scratch);
                let (base, max) = (self.get(base.slot), self.get(max.slot));
                let offset = number.checked_rem(max).unwrap_or(0);
                self.put_number(*dst, base.wrapping_add(offset));
            }
            Effect::Sum { dst, algorithm, items, with_payload } => {
                let rest = bytes.get(self.taken..).unwrap_or_default();
                let payload = if *with_payload { rest } else { &[] };
                let scratch = &mut self.scratch;
                let sum = hash(*algorithm, &state.crcs, items, &self.slots, payload, scratch);
                self.set(dst.slot, sum);
            }
            Effect::Verified { index, sum, field } => {
                let right = self.number(*field) == self.get(sum.slot);
                self.wrong_sum |= !right;
                if T {
                    sink(Event::Verified { index: *index, right });
                }
            }
            Effect::Random { site, dst, low, high } => {
                let x = &mut state.random[*site as usize];
                *x = random::step(*x);
                let number = random::between(*x, self.get(low.slot), self.get(high.slot));
                self.put_number(*dst, number);
            }
            _ => {}
        }
    }

    /// Puts a map's key into `words` and returns its hash.
    fn map_key(&mut self, key: &[Val]) -> u32 {
        self.words.clear();
        for val in key {
            self.words.extend_from_slice(&self.slots[val.range()]);
        }
        crc32_of(key, &self.slots, &mut self.scratch)
    }

    /// Whether a header is valid now.
    pub(super) fn is_valid(&self, base: Slot) -> bool {
        self.get(base) != 0
    }

    /// The name of what an [`At`] means now.
    pub(super) fn header_of(&self, cx: Context<'_>, at: At) -> Option<u32> {
        self.resolve(cx, at)
    }

    /// A value of a type in slots.
    pub(super) fn bits(&self, slot: Slot, ty: Type) -> restage_program::Bits {
        let val = Val { slot, ty };
        if matches!(ty, Type::Varbit(_)) {
            let length = self.get(slot) as u32;
            let mut bytes = Vec::new();
            let mut packer = crate::wire::Packer::new(&mut bytes);
            crate::wire::parts(&self.slots, slot, ty, |value, width| packer.put(value, width));
            packer.finish();
            return restage_program::Bits::from_be_bytes(length, &bytes);
        }
        restage_program::Bits::from_limbs(ty.width(), &self.slots[val.range()])
    }
}
