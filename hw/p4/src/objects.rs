//! Names of the input and what they stand for in the program.
//!
//! Header instances, stacks and unions keep their names. Fields of metadata instances become metadata;
//! those that BMv2's simple_switch knows, by their own name or through `field_aliases`, become the
//! standard ones.

use crate::error::Result;
use crate::json::{Node, short};
use restage_program::entity::{
    Action, Counter, Digest, FieldList, Header, Meta, Meter, Register, Stack, Union, ValueSet,
};
use restage_program::expr::{ElementIndex, HeaderRef, Place};
use restage_program::program::{HashAlgorithm, Item, MetaDecl};
use restage_program::stmt::Stmt;
use restage_program::{Loc, Program, Type};
use std::collections::{HashMap, HashSet};

/// The program so far, and the input's names for what is in it.
#[derive(Default)]
pub(crate) struct Names {
    /// Header instances, metadata ones too.
    pub instances: HashMap<String, Instance>,
    /// Header stacks.
    pub stacks: HashMap<String, Stack>,
    /// Header unions.
    pub unions: HashMap<String, Union>,
    /// Stacks of unions, with the names of the union's members.
    pub union_stacks: HashMap<String, (Stack, Vec<String>)>,
    /// Register arrays.
    pub registers: HashMap<String, Register>,
    /// Counter arrays other than direct ones.
    pub counters: HashMap<String, Counter>,
    /// Meter arrays other than direct ones.
    pub meters: HashMap<String, Meter>,
    /// Named calculations.
    pub calculations: HashMap<String, Calculation>,
    /// Field lists by id.
    pub field_lists: HashMap<u32, FieldList>,
    /// Learn lists by id: the digest, and what must be done before it is asked for.
    pub digests: HashMap<u32, (Digest, Vec<Stmt>)>,
    /// Parser value sets.
    pub value_sets: HashMap<String, ValueSet>,
    /// Actions by id.
    pub actions: HashMap<u32, Action>,
    /// What the input calls each action, in order.
    pub action_names: Vec<String>,
    /// The integer that the input uses for each error, in order of the program's codes.
    pub error_codes: Vec<u32>,
    /// Names of header types that are taken.
    pub header_types: HashSet<String>,
    /// Names of metadata that are taken.
    pub metas: HashSet<String>,
}

/// The program and the names of what is in it.
pub(crate) struct Objects {
    pub program: Program,
    pub names: Names,
}

/// A header instance of the input.
pub(crate) enum Instance {
    /// A header.
    Header(Header),
    /// Metadata: what each field is, and the type with which it was declared.
    Metadata(HashMap<String, (Meta, Type)>),
}

/// A named calculation.
#[derive(Clone)]
pub(crate) struct Calculation {
    pub algorithm: HashAlgorithm,
    pub items: Vec<Item>,
    pub with_payload: bool,
}

/// What a field reference of the input stands for.
#[derive(Clone, Debug)]
pub(crate) enum Field {
    /// A place, and whether it has fewer bits than were declared.
    Place { place: Place, ty: Type, cut: bool },
    /// `$valid$` of a header.
    Valid(HeaderRef),
    /// `$valid$` of metadata.
    Always,
}

/// A union, perhaps one that is chosen at run time.
#[derive(Clone, Debug)]
pub(crate) enum UnionRef {
    Union(Union),
    Element(Stack, ElementIndex),
}

impl Objects {
    /// An object of a map by the name at a node.
    pub fn find<T: Clone>(map: &HashMap<String, T>, node: &Node, kind: &str) -> Result<T> {
        let name = node.text()?;
        map.get(name).cloned().ok_or_else(|| {
            node.fault(format!("there is no {kind} `{}`", short(name)), known(kind, map.keys()))
        })
    }

    /// The header with the name at a node.
    pub fn header(&self, node: &Node) -> Result<Header> {
        let name = node.text()?;
        match self.names.instances.get(name) {
            Some(Instance::Header(header)) => Ok(*header),
            Some(Instance::Metadata(_)) => {
                Err(node
                    .fault(format!("`{}` is metadata", short(name)), "a header that packets have"))
            }
            None => {
                let accepts = known("header", self.names.instances.keys());
                Err(node.fault(format!("there is no header `{}`", short(name)), accepts))
            }
        }
    }

    /// The field that a pair of names stands for.
    pub fn field(&self, node: &Node) -> Result<Field> {
        let [of, name] = node.tuple()?;
        let (header, field) = (of.text()?, name.text()?);
        match self.names.instances.get(header) {
            Some(Instance::Header(h)) if field == "$valid$" => {
                Ok(Field::Valid(HeaderRef::Header(*h)))
            }
            Some(Instance::Metadata(_)) if field == "$valid$" => Ok(Field::Always),
            Some(Instance::Header(h)) => self.field_of(HeaderRef::Header(*h), &name),
            Some(Instance::Metadata(_)) => self.metadata(&of, field),
            None => {
                let accepts = known("header", self.names.instances.keys());
                Err(of.fault(format!("there is no header `{}`", short(header)), accepts))
            }
        }
    }

    /// A field of the metadata with the name at a node.
    pub fn metadata(&self, node: &Node, field: &str) -> Result<Field> {
        let instance = node.text()?;
        let Some(Instance::Metadata(fields)) = self.names.instances.get(instance) else {
            return Err(node.wrong("metadata"));
        };
        let (meta, declared) = fields.get(&crate::names::of_field(field)).ok_or_else(|| {
            let found = format!("`{}` has no field `{}`", short(instance), short(field));
            node.fault(found, known("field", fields.keys()))
        })?;
        let ty = self.program.metas.get(*meta).map_or(*declared, |m| m.ty);
        let (place, width) = (Place::Meta(*meta), declared.width());
        Ok(match ty {
            Type::Bit(own) if width < own => Field::Place {
                place: Place::Slice { of: Box::new(place), hi: width - 1, lo: 0 },
                ty: Type::Bit(width),
                cut: false,
            },
            Type::Bit(own) => Field::Place { place, ty, cut: width > own },
            _ => Field::Place { place, ty, cut: false },
        })
    }

    /// The field of a header with the name at a node.
    pub fn field_of(&self, header: HeaderRef, node: &Node) -> Result<Field> {
        let name = node.text()?;
        if name == "$valid$" {
            return Ok(Field::Valid(header));
        }
        let decl =
            self.program.header_type(&header).map_err(|e| node.fault(e.to_string(), "a header"))?;
        match decl.field(&crate::names::of_field(name)) {
            Some(field) => {
                let ty = decl.fields[field as usize].ty;
                Ok(Field::Place { place: Place::Field { header, field }, ty, cut: false })
            }
            None => {
                let accepts = known("field", decl.fields.iter().map(|f| &f.name));
                Err(node.fault(format!("`{}` has no field `{}`", decl.name, short(name)), accepts))
            }
        }
    }

    /// The field of a header with the position at a node.
    pub fn field_at(&self, header: HeaderRef, node: &Node) -> Result<Field> {
        let field = node.number()?;
        let decl =
            self.program.header_type(&header).map_err(|e| node.fault(e.to_string(), "a header"))?;
        match decl.fields.get(field as usize) {
            Some(f) => {
                Ok(Field::Place { ty: f.ty, place: Place::Field { header, field }, cut: false })
            }
            // BMv2 keeps the validity behind the last field.
            None if field as usize == decl.fields.len() => Ok(Field::Valid(header)),
            None => Err(node.fault(
                format!("`{}` has no field {field}", decl.name),
                format!("a position below {}", decl.fields.len()),
            )),
        }
    }

    /// The place that a field reference can write, and its type.
    pub fn written(&self, node: &Node, field: Field) -> Result<(Place, Type)> {
        match field {
            Field::Place { place, ty, cut: false } => Ok((place, ty)),
            Field::Place { ty, cut: true, .. } => Err(node.fault(
                "writes a standard metadata field that was declared wider than it is",
                format!("a declaration as {ty}"),
            )),
            Field::Valid(_) | Field::Always => {
                Err(node.fault("writes `$valid$`", "add_header or remove_header"))
            }
        }
    }

    /// A member of a union.
    pub fn member(&self, union: &UnionRef, index: usize, node: &Node) -> Result<HeaderRef> {
        let members = self.members(union, node)?;
        match (members.get(index), union) {
            (None, _) => Err(node.fault(
                format!("the union has no member {index}"),
                format!("a position below {}", members.len()),
            )),
            (Some(header), UnionRef::Union(_)) => Ok(HeaderRef::Header(*header)),
            (Some(_), UnionRef::Element(stack, at)) => {
                Ok(HeaderRef::Element { stack: *stack, at: at.clone(), member: index as u32 })
            }
        }
    }

    /// The members of a union (of the first element's, for an element of a stack).
    pub fn members(&self, union: &UnionRef, node: &Node) -> Result<Vec<Header>> {
        use restage_program::program::Elements;
        let first = match union {
            UnionRef::Union(union) => Some(*union),
            UnionRef::Element(stack, _) => {
                match self.program.stacks.get(*stack).map(|s| &s.elements) {
                    Some(Elements::Unions(unions)) => unions.first().copied(),
                    _ => None,
                }
            }
        };
        let decl = first.and_then(|u| self.program.unions.get(u));
        Ok(decl
            .ok_or_else(|| node.fault("the stack has no unions", "a stack of unions"))?
            .members
            .clone())
    }

    /// A metadata field of our own.
    pub fn fresh(&mut self, hint: &str, ty: Type) -> Meta {
        let name = crate::names::unique(&mut self.names.metas, hint);
        self.program.metas.push(MetaDecl { name, ty, loc: Loc::default() })
    }
}

/// What there is, for a message.
pub(crate) fn known<'a>(kind: &str, names: impl Iterator<Item = &'a String>) -> String {
    let mut names: Vec<String> = names.map(|n| short(n)).collect();
    names.sort();
    match names.len() {
        0 => format!("a declared {kind}; there is none"),
        1..=12 => format!("a declared {kind}: {}", names.join(", ")),
        _ => format!("a declared {kind}: {}, ...", names[..12].join(", ")),
    }
}
