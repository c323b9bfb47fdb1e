//! Headers, their stacks and unions, metadata, and what the deparser sends.

use crate::entity::{Header, HeaderType, Meta, Stack, Union};
use crate::loc::Loc;
use crate::types::Type;
use serde::{Deserialize, Serialize};

/// A header type.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HeaderTypeDecl {
    /// Its name.
    pub name: String,
    /// Its fields in wire order.
    pub fields: Vec<FieldDecl>,
    /// Annotations as written, such as `@controller_header("packet_in")`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub annotations: Vec<String>,
    /// Where it was declared.
    #[serde(skip)]
    pub loc: Loc,
}

impl HeaderTypeDecl {
    /// Bits on the wire, varbits at their longest.
    pub fn max_width(&self) -> u32 {
        self.fields.iter().map(|f| f.ty.width()).fold(0, u32::saturating_add)
    }

    /// Bits on the wire without the varbit field.
    pub fn fixed_width(&self) -> u32 {
        self.fields
            .iter()
            .filter(|f| !matches!(f.ty, Type::Varbit(_)))
            .map(|f| f.ty.width())
            .fold(0, u32::saturating_add)
    }

    /// The position of its varbit field.
    pub fn varbit(&self) -> Option<u32> {
        self.fields.iter().position(|f| matches!(f.ty, Type::Varbit(_))).map(|i| i as u32)
    }

    /// The position of the field with this name.
    pub fn field(&self, name: &str) -> Option<u32> {
        self.fields.iter().position(|f| f.name == name).map(|i| i as u32)
    }
}

/// A named, typed field: of a header type, a digest, an entry of a map.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FieldDecl {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
}

/// A header instance.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HeaderDecl {
    /// Its name in the headers structure: `ipv4`, `mpls[2]`, `l4.tcp`.
    pub name: String,
    /// Its type.
    pub ty: HeaderType,
    /// Where it was declared.
    #[serde(skip)]
    pub loc: Loc,
}

/// A header union.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct UnionDecl {
    /// Its name in the headers structure.
    pub name: String,
    /// The name of its type.
    pub type_name: String,
    /// Its members in order; the last part of a member's name is its name in the union.
    pub members: Vec<Header>,
    /// Where it was declared.
    #[serde(skip)]
    pub loc: Loc,
}

/// A header stack.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StackDecl {
    /// Its name in the headers structure.
    pub name: String,
    /// Its elements, first to last.
    pub elements: Elements,
    /// Where it was declared.
    #[serde(skip)]
    pub loc: Loc,
}

/// The elements of a stack.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Elements {
    /// Headers of one type.
    Headers(Vec<Header>),
    /// Unions of one type.
    Unions(Vec<Union>),
}

impl Elements {
    /// Number of elements.
    pub fn len(&self) -> usize {
        match self {
            Elements::Headers(h) => h.len(),
            Elements::Unions(u) => u.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A metadata field.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MetaDecl {
    /// Its name in the metadata structure; dots for nested structures.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Where it was declared.
    #[serde(skip)]
    pub loc: Loc,
}

/// Metadata that a clone, resubmission or recirculation keeps.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FieldListDecl {
    /// Its name.
    pub name: String,
    /// What is kept.
    pub metas: Vec<Meta>,
    /// Where it was declared.
    #[serde(skip)]
    pub loc: Loc,
}

/// What a deparser sends. Invalid headers are left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Emit {
    /// A header.
    Header(Header),
    /// The valid elements of a stack, in order.
    Stack(Stack),
    /// The valid member of a union.
    Union(Union),
}
