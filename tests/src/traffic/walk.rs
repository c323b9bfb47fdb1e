//! One packet, bit by bit along the parser.

mod solve;

use super::wish::{Wish, Wishes};
use crate::random::Rng;
use crate::slow::Slow;
use crate::slow::hash::{from_wire, wire_bits};
use crate::slow::packet::Packet;
use crate::slow::pass::{Outcome, Queue, Way};
use crate::slow::value::Scope;
use restage_program::entry::KeyMatch;
use restage_program::expr::{Expr, HeaderRef, Place};
use restage_program::program::{Program, SelectOn, Target, Transition};
use restage_program::stmt::StmtKind;
use restage_program::{Bits, Entity, Type, standard};

/// Bits behind the parser's position that a state may look at ahead.
const AHEAD: usize = 4096;
/// States that a packet is led through; parsers that loop longer are left.
const MOST_STATES: usize = 40;
/// Attempts at a condition that cannot be solved.
const TRIES: u32 = 24;

pub(super) struct Walk<'a> {
    slow: &'a mut Slow,
    wishes: &'a Wishes,
    rng: &'a mut Rng,
    program: Program,
    /// Where on the wire each header was extracted from.
    origin: Vec<Option<usize>>,
    /// Where metadata that the parser has set came from.
    sources: Vec<Option<Vec<Option<usize>>>>,
    /// Bits that decided something and must stay.
    pinned: Vec<bool>,
}

impl<'a> Walk<'a> {
    pub fn new(slow: &'a mut Slow, wishes: &'a Wishes, rng: &'a mut Rng) -> Self {
        let program: Program = (*slow.program).clone();
        let origin = vec![None; program.headers.len()];
        let sources = vec![None; program.metas.len()];
        Walk { slow, wishes, rng, program, origin, sources, pinned: Vec::new() }
    }

    /// Makes a packet that arrives on this port.
    pub fn packet(mut self, port: u16, table: usize, wishes: &[Wish]) -> Vec<u8> {
        let mut packet = Packet::new(&self.program, &[]);
        packet.set_meta(standard::INGRESS_PORT, port.into());
        let mut at = self.program.start.map_or(Target::Accept, Target::State);
        for _ in 0..MOST_STATES {
            let Target::State(state) = at else { break };
            let declared = self.program.states[state].clone();
            if declared.body.iter().any(|s| !self.step(&mut packet, &s.kind)) {
                break;
            }
            match self.choose(&mut packet, &declared.next) {
                Some(next) => at = next,
                None => break,
            }
        }
        let ahead = self.pinned.iter().rposition(|p| *p).map_or(0, |last| last + 1);
        let end = packet.position.max(ahead).next_multiple_of(8);
        self.room(&mut packet, end);
        packet.bits.truncate(end);
        let payload = match self.rng.below(10) {
            0 => 0,
            1 => self.rng.below(300),
            _ => self.rng.below(48),
        };
        for _ in 0..payload {
            let byte = Bits::new(8, self.rng.bits64().into());
            packet.bits.extend(wire_bits(&byte));
        }
        self.pinned.resize(packet.bits.len(), false);
        packet.set_meta(standard::PACKET_LENGTH, packet.entered());
        for wish in wishes {
            self.grant(&mut packet, wish);
        }
        for (condition, holds) in self.wishes.guards(table) {
            self.solve(&mut packet, condition, *holds);
        }
        if self.rng.chance(92) {
            self.sums(&mut packet);
        }
        let mut bytes = from_wire(&packet.bits).to_be_bytes();
        bytes.truncate(9216);
        bytes
    }

    fn way(&mut self) -> Way<'_> {
        Way {
            program: &self.slow.program,
            state: &mut self.slow.state,
            port: 0,
            queue: Queue::default(),
            most_passes: 1,
            outcome: Outcome::default(),
        }
    }

    fn scope(&self) -> Scope<'_> {
        Scope { program: &self.program, params: &[], in_parser: true }
    }

    /// Makes the packet at least so long.
    fn room(&mut self, packet: &mut Packet, bits: usize) {
        while packet.bits.len() < bits {
            let word = Bits::new(64, self.rng.bits64().into());
            packet.bits.extend(wire_bits(&word));
        }
        self.pinned.resize(packet.bits.len(), false);
    }

    /// Runs a statement of a state, after making the bits that it wants; says whether parsing goes on.
    fn step(&mut self, packet: &mut Packet, stmt: &StmtKind) -> bool {
        self.room(packet, packet.position + AHEAD);
        match stmt {
            StmtKind::Extract(header) => self.fill(packet, header),
            StmtKind::ExtractVar { header, bits } => {
                self.fill(packet, header);
                let longest =
                    self.program.header_type(header).map_or(0, |t| t.max_width() - t.fixed_width());
                self.satisfy(packet, bits, &|walk, packet| {
                    let length = walk.scope().bits(packet, bits).map_or(1, |b| b.low_u64());
                    length.is_multiple_of(8) && length <= u64::from(longest)
                });
            }
            StmtKind::Advance(bits) => {
                self.satisfy(packet, bits, &|walk, packet| {
                    let length = walk.scope().bits(packet, bits).map_or(1, |b| b.low_u64());
                    length.is_multiple_of(8) && length < 1024
                });
            }
            StmtKind::Verify { condition, .. } if self.rng.chance(96) => {
                self.solve(packet, condition, true);
            }
            _ => {}
        }
        let before = packet.position;
        let target = match stmt {
            StmtKind::Extract(header) | StmtKind::ExtractVar { header, .. } => {
                self.scope().header(packet, header).ok().flatten()
            }
            _ => None,
        };
        let source = match stmt {
            StmtKind::Assign { dst: Place::Meta(meta), src } => {
                Some((*meta, self.spots(packet, src)))
            }
            _ => None,
        };
        let block = [stmt.clone().into()];
        if self.way().runner(true).block(packet, &block, &[]).is_err() {
            return false;
        }
        if let Some(header) = target {
            self.origin[header.index()] = Some(before);
        }
        if let Some((meta, spots)) = source {
            self.sources[meta.index()] = spots;
        }
        true
    }

    /// Random fields for a header that is about to be extracted.
    fn fill(&mut self, packet: &mut Packet, header: &HeaderRef) {
        let Ok(ty) = self.program.header_type(header).cloned() else { return };
        self.room(packet, packet.position + ty.max_width() as usize + AHEAD);
        let mut at = packet.position;
        for field in &ty.fields {
            if matches!(field.ty, Type::Varbit(_)) {
                break;
            }
            let value = self.rng.value(field.ty);
            for bit in wire_bits(&value) {
                if !self.pinned[at] {
                    packet.bits[at] = bit;
                }
                at += 1;
            }
        }
    }

    /// Chooses where a state goes, and makes the packet agree; `None` when parsing ends.
    fn choose(&mut self, packet: &mut Packet, next: &Transition) -> Option<Target> {
        self.room(packet, packet.position + AHEAD);
        if let Transition::Select { keys, cases } = next {
            let weights: Vec<u32> = cases.iter().map(|c| self.weight(c.to)).collect();
            let case = &cases[self.rng.weighted(&weights)];
            let row = match &case.on {
                SelectOn::Default => None,
                SelectOn::Keys(row) => Some(row.clone()),
                SelectOn::ValueSet(set) => {
                    self.rng.pick(&self.slow.state.value_sets[set.index()]).cloned()
                }
            };
            for (expr, key) in keys.iter().zip(row.iter().flatten()) {
                self.meet(packet, expr, key);
            }
            for key in keys {
                self.pin(packet, key);
            }
        }
        self.way().select(packet, next).ok()
    }

    /// How much a way through the parser is worth: the more it extracts, the more there is to match.
    fn weight(&self, to: Target) -> u32 {
        let Target::State(first) = to else { return if to == Target::Accept { 3 } else { 1 } };
        let mut seen = vec![first];
        let mut at = 0;
        while at < seen.len() && seen.len() < 24 {
            let targets = match &self.program.states[seen[at]].next {
                Transition::To(to) => vec![*to],
                Transition::Select { cases, .. } => cases.iter().map(|c| c.to).collect(),
            };
            for target in targets {
                if let Target::State(state) = target
                    && !seen.contains(&state)
                {
                    seen.push(state);
                }
            }
            at += 1;
        }
        3 + 2 * seen.len() as u32
    }

    /// Makes an expression be what a match says, if its bits are those of the packet.
    fn meet(&mut self, packet: &mut Packet, expr: &Expr, key: &KeyMatch) {
        let Ok((ty, _)) = self.scope().eval(packet, expr) else { return };
        let (value, mask) = match key {
            KeyMatch::Any => return,
            KeyMatch::Exact(value) => (value.clone(), Bits::ones(ty.width())),
            KeyMatch::Lpm { value, prefix } => {
                (value.clone(), restage_program::entry::prefix_mask(ty.width(), *prefix))
            }
            KeyMatch::Masked { value, mask } => (value.clone(), mask.clone()),
            KeyMatch::Range { low, high } => {
                let end = if self.rng.chance(50) { low } else { high };
                (end.clone(), Bits::ones(ty.width()))
            }
        };
        self.set(packet, expr, &value, &mask);
    }

    fn grant(&mut self, packet: &mut Packet, wish: &Wish) {
        if self.set(packet, &wish.expr, &wish.value, &wish.mask) {
            self.pin(packet, &wish.expr);
            return;
        }
        // Metadata that the halves set: try what they set it from.
        if let Expr::Read(Place::Meta(meta)) = &wish.expr {
            for source in self.wishes.sources.get(meta).into_iter().flatten() {
                if self.set(packet, source, &wish.value, &wish.mask) {
                    self.pin(packet, source);
                    return;
                }
            }
        }
    }

    /// Makes the checksums right that are verified.
    fn sums(&mut self, packet: &mut Packet) {
        for checksum in &self.slow.program.clone().verify {
            if let Some(sum) = self.way().sum(packet, checksum) {
                let place = Expr::Read(checksum.field.clone());
                let mask = Bits::ones(sum.width());
                self.set(packet, &place, &sum, &mask);
            }
        }
    }
}
