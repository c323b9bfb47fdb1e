//! From bytes to headers and back: parser, checksums, deparser.

use super::hash::{from_wire, wire_bits};
use super::num;
use super::packet::Packet;
use super::pass::Way;
use super::run::matches;
use super::value::Scope;
use restage_program::entity::ErrorCode;
use restage_program::expr::{Expr, Place};
use restage_program::program::{Checksum, Emit, SelectOn, Target, Transition};
use restage_program::{Bits, Entity, Type, standard};

/// Parser states that a packet may visit.
const MOST_STATES: usize = 256;

impl Way<'_> {
    /// Runs the parser; says what ended it.
    pub(super) fn parse(&mut self, packet: &mut Packet) -> ErrorCode {
        let mut at = self.program.start.map_or(Target::Accept, Target::State);
        for _ in 0..MOST_STATES {
            let Target::State(state) = at else {
                let accepts = at == Target::Accept;
                self.state.note(if accepts { "parser accepts" } else { "parser rejects" });
                return standard::error::NO_ERROR;
            };
            match self.parser_state(packet, state) {
                Ok(next) => at = next,
                Err(error) => return error,
            }
        }
        match at {
            Target::State(_) => standard::error::PARSER_TIMEOUT,
            _ => standard::error::NO_ERROR,
        }
    }

    fn parser_state(
        &mut self,
        packet: &mut Packet,
        state: restage_program::entity::State,
    ) -> Result<Target, ErrorCode> {
        let declared = &self.program.states[state];
        self.runner(true).block(packet, &declared.body, &[])?;
        self.select(packet, &declared.next)
    }

    /// Where a state goes.
    pub(crate) fn select(&self, packet: &Packet, next: &Transition) -> Result<Target, ErrorCode> {
        let program = self.program;
        let (keys, cases) = match next {
            Transition::To(target) => return Ok(*target),
            Transition::Select { keys, cases } => (keys, cases),
        };
        let scope = Scope { program, params: &[], in_parser: true };
        let values: Vec<(Type, Bits)> =
            keys.iter().map(|k| scope.eval(packet, k)).collect::<Result<_, _>>()?;
        let all = |row: &[_]| row.iter().zip(&values).all(|(k, v)| matches(k, v));
        for case in cases {
            let taken = match &case.on {
                SelectOn::Default => true,
                SelectOn::Keys(row) => all(row),
                SelectOn::ValueSet(set) => {
                    self.state.value_sets[set.index()].iter().any(|row| all(row))
                }
            };
            if taken {
                return Ok(case.to);
            }
        }
        Err(standard::error::NO_MATCH)
    }

    /// The value of a checksum, unless its condition does not hold.
    pub(crate) fn sum(&self, packet: &Packet, checksum: &Checksum) -> Option<Bits> {
        let scope = self.scope();
        if !scope.truth(packet, &checksum.condition).ok()? {
            return None;
        }
        let mut data = scope.list(packet, &checksum.items).ok()?;
        if checksum.with_payload {
            data.extend_from_slice(packet.payload());
        }
        let width = self.program.type_of_place(&checksum.field).ok()?.width();
        let sum = self.state.hash(self.program, checksum.algorithm, &data);
        Some(num::wrap(width, &sum.into()))
    }

    /// Whether a checksum that is there does not hold.
    pub(super) fn is_wrong(&self, packet: &Packet, checksum: &Checksum) -> bool {
        let mut place = &checksum.field;
        while let Place::Slice { of, .. } = place {
            place = of;
        }
        if let Place::Field { header, .. } = place {
            let there = self.scope().header(packet, header).ok().flatten();
            if !there.is_some_and(|h| packet.headers[h.index()].valid) {
                return false;
            }
        }
        let stands = Expr::Read(checksum.field.clone());
        match (self.sum(packet, checksum), self.scope().bits(packet, &stands)) {
            (Some(sum), Ok(stands)) => sum != stands,
            _ => false,
        }
    }

    /// Checksums updated, headers in order, payload.
    pub(super) fn deparse(&mut self, packet: &mut Packet) -> Vec<u8> {
        let program = self.program;
        for checksum in &program.update {
            if let Some(sum) = self.sum(packet, checksum) {
                let _ = self.scope().write(packet, &checksum.field, sum);
            }
        }
        let mut bits = Vec::new();
        for emit in &program.deparser {
            let headers = match emit {
                Emit::Header(header) => vec![*header],
                Emit::Stack(stack) => super::packet::element_headers(program, *stack).concat(),
                Emit::Union(union) => program.unions[*union].members.clone(),
            };
            for header in headers.iter().map(|h| &packet.headers[h.index()]).filter(|h| h.valid) {
                bits.extend(header.fields.iter().flat_map(wire_bits));
            }
        }
        bits.extend_from_slice(packet.payload());
        from_wire(&bits).to_be_bytes()
    }
}
