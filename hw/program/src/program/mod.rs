//! The program: flat lists of declarations, and the two halves.

use crate::entity::{
    Action, Counter, Crc, Digest, EntityMap, ErrorCode, FieldList, Header, HeaderType, Map, Meta,
    Meter, Profile, Register, Stack, State, Table, Union, ValueSet,
};
use crate::loc::Loc;
use crate::stmt::Block;
use serde::{Deserialize, Serialize};

mod header;
mod list;
mod parser;
mod state;
mod table;

pub use header::*;
pub use list::*;
pub use parser::*;
pub use state::*;
pub use table::*;

/// Version of the serde form. A reader refuses what it does not know.
pub const FORMAT: u32 = 1;

/// A match/action program of the v1model shape.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// [`FORMAT`].
    pub format: u32,
    /// A name for people and file names.
    pub name: String,
    /// Header types.
    pub header_types: EntityMap<HeaderType, HeaderTypeDecl>,
    /// Header instances, those in stacks and unions included.
    pub headers: EntityMap<Header, HeaderDecl>,
    /// Header unions.
    pub unions: EntityMap<Union, UnionDecl>,
    /// Header stacks.
    pub stacks: EntityMap<Stack, StackDecl>,
    /// Metadata: [`crate::standard::FIELDS`] first, then the program's own.
    pub metas: EntityMap<Meta, MetaDecl>,
    /// Parser errors: [`crate::standard::ERRORS`] first, then the program's own.
    pub errors: EntityMap<ErrorCode, String>,
    /// Parser value sets.
    pub value_sets: EntityMap<ValueSet, ValueSetDecl>,
    /// Parser states.
    pub states: EntityMap<State, StateDecl>,
    /// Where parsing starts; a program without states parses nothing.
    pub start: Option<State>,
    /// Checksums verified between parser and ingress, in order.
    pub verify: Vec<Checksum>,
    /// Actions.
    pub actions: EntityMap<Action, ActionDecl>,
    /// Tables.
    pub tables: EntityMap<Table, TableDecl>,
    /// Action profiles and selectors.
    pub profiles: EntityMap<Profile, ProfileDecl>,
    /// Counter arrays.
    pub counters: EntityMap<Counter, CounterDecl>,
    /// Meter arrays.
    pub meters: EntityMap<Meter, MeterDecl>,
    /// Register arrays.
    pub registers: EntityMap<Register, RegisterDecl>,
    /// Maps.
    pub maps: EntityMap<Map, MapDecl>,
    /// CRCs whose parameters are set at run time.
    #[serde(default, skip_serializing_if = "EntityMap::is_empty")]
    pub crcs: EntityMap<Crc, CrcDecl>,
    /// Lists of metadata kept by copies and loops.
    pub field_lists: EntityMap<FieldList, FieldListDecl>,
    /// Messages to the control plane.
    pub digests: EntityMap<Digest, DigestDecl>,
    /// The ingress half.
    pub ingress: Block,
    /// The egress half.
    pub egress: Block,
    /// Checksums updated between egress and deparser, in order.
    pub update: Vec<Checksum>,
    /// What is sent in front of the payload, in order.
    pub deparser: Vec<Emit>,
    /// What the builder was told and could not write down; the checker reports it.
    #[serde(skip)]
    pub faults: Vec<Fault>,
}

/// Something wrong in how a program was described.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// What is wrong.
    pub message: String,
    /// What would be accepted.
    pub remedy: String,
    /// Where it was said.
    pub loc: Loc,
}

/// What P4Runtime knows an object by, beside its name.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Preamble {
    /// The fully qualified control plane name.
    pub name: String,
    /// The P4Runtime id; 0 until [`crate::ids::assign`] has run.
    pub id: u32,
    /// Annotations as written, `@` included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub annotations: Vec<String>,
    /// Where it was declared.
    #[serde(skip)]
    pub loc: Loc,
}

impl Program {
    /// An empty program: standard metadata and errors, and nothing else.
    pub fn new(name: impl Into<String>) -> Self {
        Program {
            format: FORMAT,
            name: name.into(),
            header_types: EntityMap::new(),
            headers: EntityMap::new(),
            unions: EntityMap::new(),
            stacks: EntityMap::new(),
            metas: crate::standard::metas(),
            errors: crate::standard::ERRORS.iter().map(|e| e.to_string()).collect(),
            value_sets: EntityMap::new(),
            states: EntityMap::new(),
            start: None,
            verify: Vec::new(),
            actions: EntityMap::new(),
            tables: EntityMap::new(),
            profiles: EntityMap::new(),
            counters: EntityMap::new(),
            meters: EntityMap::new(),
            registers: EntityMap::new(),
            maps: EntityMap::new(),
            crcs: EntityMap::new(),
            field_lists: EntityMap::new(),
            digests: EntityMap::new(),
            ingress: Vec::new(),
            egress: Vec::new(),
            update: Vec::new(),
            deparser: Vec::new(),
            faults: Vec::new(),
        }
    }
}
