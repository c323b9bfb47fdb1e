//! What the deparser writes in front of the payload.

use restage_program::entity::{Entity, Header};
use restage_program::program::{Elements, Emit, Program};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Headers in the order in which they are sent, each if it is valid.
///
/// `Valid`, `Field` and `VarLength` slots of egress hold what is sent. The payload follows the last header.
/// All fields of an invalid header are 0, but for [`Emission::shared`] ones.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct DeparserPlan {
    /// The headers.
    pub emissions: Vec<Emission>,
    /// Bytes of all headers together, at most.
    pub most_bytes: u32,
}

/// One header.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Emission {
    /// The header.
    pub header: Header,
    /// Widths of its fields in wire order, a varbit at its longest.
    pub widths: Vec<u32>,
    /// Which field is a varbit. It and what follows it are shorter than `widths` says.
    pub varbit: Option<u32>,
    /// Byte offsets at which it may begin, ascending.
    pub offsets: Vec<u32>,
    /// Its bits are not its own: they hold something else when it is invalid.
    pub shared: bool,
}

/// Plans the deparser of a checked program.
pub fn plan(program: &Program) -> DeparserPlan {
    let mut plan = DeparserPlan::default();
    let mut offsets = BTreeSet::from([0]);
    for emit in &program.deparser {
        match emit {
            Emit::Header(header) => emit_one_of(program, &mut plan, &mut offsets, &[*header]),
            Emit::Union(union) => {
                emit_one_of(program, &mut plan, &mut offsets, &program.unions[*union].members);
            }
            Emit::Stack(stack) => match &program.stacks[*stack].elements {
                Elements::Headers(headers) => {
                    for header in headers {
                        emit_one_of(program, &mut plan, &mut offsets, &[*header]);
                    }
                }
                Elements::Unions(unions) => {
                    for union in unions {
                        let members = &program.unions[*union].members;
                        emit_one_of(program, &mut plan, &mut offsets, members);
                    }
                }
            },
        }
    }
    plan.most_bytes = offsets.last().copied().unwrap_or(0);
    plan
}

/// Headers of which at most one is valid: all of them begin at the same offsets.
fn emit_one_of(
    program: &Program,
    plan: &mut DeparserPlan,
    offsets: &mut BTreeSet<u32>,
    headers: &[Header],
) {
    let before = offsets.clone();
    for header in headers {
        let ty = &program.header_types[program.headers[*header].ty];
        plan.emissions.push(Emission {
            header: *header,
            widths: ty.fields.iter().map(|f| f.ty.width()).collect(),
            varbit: ty.varbit(),
            offsets: before.iter().copied().collect(),
            shared: false,
        });
        let (fixed, most) = (ty.fixed_width() / 8, ty.max_width() / 8);
        for at in &before {
            offsets.extend((fixed..=most).map(|bytes| at + bytes));
        }
    }
}

impl DeparserPlan {
    /// What is planned for a header.
    pub fn of(&self, header: Header) -> Option<&Emission> {
        self.emissions.iter().find(|e| e.header.index() == header.index())
    }
}
