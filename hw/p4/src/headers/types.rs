//! Header types: their fields, and which of them become types of headers.

use super::{twice, width};
use crate::error::Result;
use crate::json::{Node, short};
use crate::names::{dotted, of_field, unique};
use crate::objects::{Objects, known};
use crate::p4info::Info;
use restage_program::Type;
use restage_program::entity::HeaderType;
use restage_program::program::{FieldDecl, HeaderTypeDecl};
use restage_program::types::MAX_VARBIT;
use std::collections::{HashMap, HashSet};

/// Header types as declared.
pub(super) struct Types<'a> {
    pub by_name: HashMap<&'a str, Declared<'a>>,
}

/// A header type.
pub(super) struct Declared<'a> {
    pub node: Node<'a>,
    pub fields: Vec<FieldDecl>,
    /// Its index, once a header has it. Types of metadata have none.
    pub index: Option<HeaderType>,
}

impl<'a> Types<'a> {
    /// Reads the header types of an input.
    pub fn read(root: &Node<'a>) -> Result<Self> {
        let mut by_name = HashMap::new();
        for node in root.list("header_types")? {
            let name = node.name("name")?;
            let fields = fields(&node)?;
            if by_name.insert(name, Declared { node: node.clone(), fields, index: None }).is_some()
            {
                return Err(twice(&node, "header type", name));
            }
        }
        Ok(Types { by_name })
    }

    /// The type that is named.
    pub fn find(&mut self, node: &Node) -> Result<&mut Declared<'a>> {
        let name = node.text()?;
        if !self.by_name.contains_key(name) {
            let names: Vec<String> = self.by_name.keys().map(|n| n.to_string()).collect();
            let accepts = known("header type", names.iter());
            return Err(node.fault(format!("there is no header type `{}`", short(name)), accepts));
        }
        self.by_name.get_mut(name).ok_or_else(|| node.wrong("a header type"))
    }

    /// The type that is named, as the type of a header.
    pub fn header_type(
        &mut self,
        node: &Node,
        objects: &mut Objects,
        info: &Info,
    ) -> Result<HeaderType> {
        let declared = self.find(node)?;
        if let Some(index) = declared.index {
            return Ok(index);
        }
        let decl = HeaderTypeDecl {
            name: unique(&mut objects.names.header_types, &dotted(node.text()?)),
            fields: declared.fields.clone(),
            annotations: info.header_annotations(&declared.fields),
            loc: declared.node.loc(),
        };
        let index = objects.program.header_types.push(decl);
        declared.index = Some(index);
        Ok(index)
    }
}

fn fields(node: &Node) -> Result<Vec<FieldDecl>> {
    let mut out: Vec<FieldDecl> = Vec::new();
    let mut varbit = None;
    let mut names = HashSet::new();
    for field in node.list("fields")? {
        let parts = field.items()?;
        let ([name, size, rest @ ..], true) = (parts.as_slice(), parts.len() <= 4) else {
            return Err(field.wrong("a list of name, width and, if it is signed, true"));
        };
        let signed = rest.first().map_or(Ok(false), |n| n.truth())?;
        if rest.get(1).map_or(Ok(false), |n| n.truth())? {
            return Err(field.fault("a saturating field (P4-14)", "fields without saturation"));
        }
        let name = of_field(name.text()?);
        if !names.insert(name.clone()) {
            return Err(twice(&field, "field", &name));
        }
        let ty = if size.is_number() {
            let width = width(size)?;
            if signed { Type::Int(width) } else { Type::Bit(width) }
        } else if size.text()? == "*" && varbit.is_none() {
            varbit = Some((out.len(), field.clone()));
            Type::Varbit(0)
        } else {
            return Err(size.wrong("a width in bits, or `*` for one field of the type"));
        };
        out.push(FieldDecl { name, ty });
    }
    if let Some((at, field)) = varbit {
        // The longest header, in bytes; the other fields are part of it.
        let Some(longest) = node.opt("max_length") else {
            return Err(field.fault(
                "a varbit field without a greatest length",
                "`max_length` in the header type",
            ));
        };
        let fixed: u32 = out.iter().map(|f| f.ty.width()).fold(0, u32::saturating_add);
        let bits = longest.number()?.saturating_mul(8).saturating_sub(fixed);
        if !(1..=MAX_VARBIT).contains(&bits) {
            return Err(longest.fault(
                format!("room for a varbit field of {bits} bits"),
                format!("a length that leaves 1 to {MAX_VARBIT} bits for it"),
            ));
        }
        out[at].ty = Type::Varbit(bits);
    }
    Ok(out)
}
