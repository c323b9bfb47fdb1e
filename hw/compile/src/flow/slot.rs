//! Where values are kept between flows.

use super::{bits_for, flow_type};
use restage_manifest::ShellField;
use restage_program::Type;
use restage_program::entity::{Digest, Header, Meta, Stack};
use restage_program::program::Program;
use serde::{Deserialize, Serialize};

/// A place in the PHV.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Slot {
    /// A field that the shell reads or writes.
    Shell(ShellField),
    /// Parsers only, read only: bytes of the packet that are in the window, a `bit<9>`.
    Available,
    /// Whether a header is valid.
    Valid(Header),
    /// A field of a header.
    Field(Header, u32),
    /// Bytes of a header's varbit.
    VarLength(Header),
    /// The next index of a stack.
    NextIndex(Stack),
    /// Metadata. Those of field lists lie in the keep area, so that copies and further passes bring them
    /// along; the parser (egress for a clone made there) clears what `Shell(Kept)` does not list.
    Meta(Meta),
    /// In the keep area: the value, at the end of a half, of standard metadata that lies in a shell field
    /// and is in a field list.
    Keep(Meta),
    /// `packet_length` as egress will see it, followed through changes of validity: an `int<20>`.
    Length,
    /// The one's complement sum of the payload, a `bit<16>`; 0 only when all its bytes are 0.
    PayloadSum,
    /// A field of a message to the control plane; written at the end of ingress.
    Message(Digest, u32),
    /// A value that is computed in one stage and used in a later one.
    Temp(u32),
    /// The fields of headers of which at most one is valid: see [`crate::share`].
    Shared(u32),
}

/// The type of what is in a slot. Temporaries and shared slots have the type of the value that is put there;
/// they and what does not exist are `None`.
pub fn slot_type(program: &Program, slot: Slot) -> Option<Type> {
    let header_type =
        |header: Header| program.headers.get(header).and_then(|h| program.header_types.get(h.ty));
    Some(match slot {
        Slot::Shell(ShellField::Run | ShellField::Clone | ShellField::Loop) | Slot::Valid(_) => {
            Type::Bool
        }
        Slot::Shell(field) => Type::Bit(field.width()),
        Slot::Available => Type::Bit(9),
        Slot::Field(header, field) => {
            flow_type(program, header_type(header)?.fields.get(field as usize)?.ty)
        }
        Slot::VarLength(header) => {
            let ty = header_type(header)?;
            let bytes = (ty.max_width() - ty.fixed_width()) / 8;
            Type::Bit(bits_for(bytes as usize + 1))
        }
        Slot::NextIndex(stack) => {
            Type::Bit(bits_for(program.stacks.get(stack)?.elements.len() + 1))
        }
        Slot::Meta(meta) | Slot::Keep(meta) => flow_type(program, program.metas.get(meta)?.ty),
        Slot::Length => Type::Int(20),
        Slot::PayloadSum => Type::Bit(16),
        Slot::Message(digest, field) => {
            flow_type(program, program.digests.get(digest)?.fields.get(field as usize)?.0.ty)
        }
        Slot::Temp(_) | Slot::Shared(_) => return None,
    })
}
