//! What has a name in packets: header instances, metadata, stacks, unions and errors.

mod types;

use crate::error::{Fault, Result};
use crate::errors;
use crate::json::{Node, short};
use crate::lengths::LengthExpressions;
use crate::names::{dotted, identifier, name_headers, unique};
use crate::objects::{Instance, Objects};
use crate::p4info::Info;
use restage_program::entity::{Header, Meta, Union};
use restage_program::program::{Elements, FieldDecl, HeaderDecl, MetaDecl, StackDecl, UnionDecl};
use restage_program::types::{ERROR_WIDTH, MAX_WIDTH};
use restage_program::{Type, standard};
use std::collections::HashMap;
use types::Types;

/// What an input calls a standard metadata field: old programs have other headers for some.
const INSTANCES: [&str; 3] = ["standard_metadata", "intrinsic_metadata", "queueing_metadata"];

/// Most errors that an input may declare.
const MAX_ERRORS: usize = 256;

/// A width in bits.
pub(crate) fn width(node: &Node) -> Result<u32> {
    match node.number()? {
        w if (1..=MAX_WIDTH).contains(&w) => Ok(w),
        w => {
            Err(node
                .fault(format!("a width of {w} bits"), format!("a width from 1 to {MAX_WIDTH}")))
        }
    }
}

/// Declares everything that has a name in packets or metadata.
pub(crate) fn declare<'a>(
    root: &Node<'a>,
    objects: &mut Objects,
    info: &Info,
) -> Result<LengthExpressions<'a>> {
    declare_errors(root, objects)?;
    let mut types = Types::read(root)?;
    let by_id = instances(root, objects, &mut types, info)?;
    stacks(root, objects, &by_id)?;
    let members = unions(root, objects, &by_id)?;
    name_headers(&mut objects.program, &members);
    let lengths =
        types.by_name.values().filter_map(|t| Some((t.index?, t.node.opt("length_exp")?)));
    Ok(lengths.collect())
}

fn declare_errors(root: &Node, objects: &mut Objects) -> Result<()> {
    let list = root.list("errors")?;
    if list.len() > MAX_ERRORS {
        let errors = root.get("errors")?;
        return Err(errors.fault(format!("{} errors", list.len()), format!("{MAX_ERRORS} at most")));
    }
    let mut codes: Vec<(String, u32, Node)> = Vec::new();
    for node in list {
        let [name, code] = node.tuple()?;
        let (name, code) = (name.text()?.to_string(), code.number()?);
        if codes.iter().any(|(n, c, _)| *n == name || *c == code) {
            return Err(node.fault("an error that is there twice", "names and codes that differ"));
        }
        codes.push((name, code, node));
    }
    // Core errors that are not declared get codes from the top, as BMv2 gives them.
    let mut spare = i32::MAX as u32;
    for name in standard::ERRORS {
        let code = match codes.iter().find(|(n, ..)| n == name) {
            Some((_, code, _)) => *code,
            None if *name == "NoError" && codes.iter().all(|(_, c, _)| *c != 0) => 0,
            None => {
                while codes.iter().any(|(_, c, _)| *c == spare)
                    || objects.names.error_codes.contains(&spare)
                {
                    spare -= 1;
                }
                spare
            }
        };
        objects.names.error_codes.push(code);
    }
    for (name, code, _) in codes {
        if !standard::ERRORS.contains(&name.as_str()) {
            objects.program.errors.push(identifier(&name));
            objects.names.error_codes.push(code);
        }
    }
    Ok(())
}

fn twice(node: &Node, kind: &str, name: &str) -> Box<Fault> {
    node.fault(format!("a second {kind} `{}`", short(name)), format!("one {kind} of a name"))
}

type ById = HashMap<u32, Header>;

fn instances(root: &Node, objects: &mut Objects, types: &mut Types, info: &Info) -> Result<ById> {
    let aliases = aliases(root)?;
    let mut by_id = ById::new();
    let mut metadata = Vec::new();
    for node in root.list("headers")? {
        let name = node.name("name")?.to_string();
        if objects.names.instances.contains_key(&name) {
            return Err(twice(&node, "header", &name));
        }
        if node.flag("metadata")? {
            let fields = types.find(&node.get("header_type")?)?.fields.clone();
            metadata.push((name.clone(), fields, node.clone()));
            objects.names.instances.insert(name, Instance::Metadata(HashMap::new()));
            continue;
        }
        let ty = types.header_type(&node.get("header_type")?, objects, info)?;
        let header =
            objects.program.headers.push(HeaderDecl { name: name.clone(), ty, loc: node.loc() });
        by_id.insert(node.get("id")?.number()?, header);
        objects.names.instances.insert(name, Instance::Header(header));
    }
    let names = meta_names(&metadata, &aliases);
    objects.names.metas.extend(standard::FIELDS.iter().map(|(name, _)| name.to_ascii_lowercase()));
    let used = root.strings();
    let errors = errors::fields(root, &objects.names.error_codes);
    for (instance, fields, node) in metadata {
        let mut known = HashMap::new();
        for field in fields {
            if field.name.starts_with("_padding") && !used.contains(field.name.as_str()) {
                continue;
            }
            if matches!(field.ty, Type::Varbit(_)) {
                return Err(
                    node.fault("metadata with a varbit field", "varbit fields in headers only")
                );
            }
            let full = (instance.clone(), field.name.clone());
            let meta = match standard_meta(&full, &aliases) {
                Some(meta) => meta,
                None => {
                    let is_error = field.ty == Type::Bit(ERROR_WIDTH) && errors.contains(&full);
                    let ty = if is_error { Type::Error } else { field.ty };
                    let hint = names.get(&full).unwrap_or(&field.name);
                    let name = unique(&mut objects.names.metas, &dotted(hint));
                    objects.program.metas.push(MetaDecl { name, ty, loc: node.loc() })
                }
            };
            known.insert(field.name, (meta, field.ty));
        }
        objects.names.instances.insert(instance, Instance::Metadata(known));
    }
    Ok(by_id)
}

type FullName = (String, String);

/// From a field to the names that BMv2 expects it to have.
fn aliases(root: &Node) -> Result<HashMap<FullName, Vec<String>>> {
    let mut out: HashMap<FullName, Vec<String>> = HashMap::new();
    for node in root.list("field_aliases")? {
        let [from, to] = node.tuple()?;
        let [header, field] = to.tuple()?;
        let full = (header.text()?.to_string(), field.text()?.to_string());
        out.entry(full).or_default().push(from.text()?.to_string());
    }
    Ok(out)
}

/// The standard metadata that a field is.
fn standard_meta(full: &FullName, aliases: &HashMap<FullName, Vec<String>>) -> Option<Meta> {
    let own = format!("{}.{}", full.0, full.1);
    let names = std::iter::once(&own).chain(aliases.get(full).into_iter().flatten());
    names.into_iter().find_map(|name| {
        let (instance, field) = name.split_once('.')?;
        if !INSTANCES.contains(&instance) {
            return None;
        }
        let found = standard::FIELDS.iter().position(|(n, _)| n.eq_ignore_ascii_case(field))?;
        Some(Meta(found as u32))
    })
}

/// Names for the metadata: the compiler's `struct_type.field` without the type, and other programs'
/// `instance.field`; the full name where the short one is not unique.
fn meta_names(
    metadata: &[(String, Vec<FieldDecl>, Node)],
    aliases: &HashMap<FullName, Vec<String>>,
) -> HashMap<FullName, String> {
    let mut short: HashMap<FullName, String> = HashMap::new();
    let mut count: HashMap<String, usize> = HashMap::new();
    for (name, _) in standard::FIELDS {
        count.insert(name.to_ascii_lowercase(), 1);
    }
    for (instance, fields, _) in metadata {
        for field in fields {
            let full = (instance.clone(), field.name.clone());
            if standard_meta(&full, aliases).is_some() {
                continue;
            }
            let name = match (instance.as_str(), field.name.split_once('.')) {
                ("scalars", Some((_, rest))) => rest.to_string(),
                ("scalars", None) => field.name.clone(),
                _ => format!("{instance}.{}", field.name),
            };
            *count.entry(name.clone()).or_default() += 1;
            short.insert(full, name);
        }
    }
    for (full, name) in &mut short {
        if count.get(name).is_some_and(|c| *c > 1) {
            *name = full.1.clone();
        }
    }
    short
}

fn find_header(by_id: &ById, node: &Node) -> Result<Header> {
    let id = node.number()?;
    by_id
        .get(&id)
        .copied()
        .ok_or_else(|| node.fault(format!("there is no header with id {id}"), "the id of a header"))
}

fn stacks(root: &Node, objects: &mut Objects, by_id: &ById) -> Result<()> {
    for node in root.list("header_stacks")? {
        let name = node.name("name")?.to_string();
        let ids = node.get("header_ids")?;
        let mut headers = Vec::new();
        for id in ids.items()? {
            headers.push(find_header(by_id, &id)?);
        }
        let ty = |h: &Header| objects.program.headers.get(*h).map(|h| h.ty);
        let first = headers.first().map(ty);
        if first.is_none() || headers.iter().any(|h| Some(ty(h)) != first) {
            return Err(
                ids.fault("a stack without elements, or of several types", "headers of one type")
            );
        }
        let elements = Elements::Headers(headers);
        let stack = objects.program.stacks.push(StackDecl {
            name: name.clone(),
            elements,
            loc: node.loc(),
        });
        if objects.names.stacks.insert(name.clone(), stack).is_some() {
            return Err(twice(&node, "header stack", &name));
        }
    }
    Ok(())
}

/// Declares unions and stacks of them; returns the names of members by type.
fn unions(
    root: &Node,
    objects: &mut Objects,
    by_id: &ById,
) -> Result<HashMap<String, Vec<String>>> {
    let mut types: HashMap<String, Vec<String>> = HashMap::new();
    for node in root.list("header_union_types")? {
        let mut members = Vec::new();
        for member in node.list("headers")? {
            let [name, _] = member.tuple()?;
            members.push(name.text()?.to_string());
        }
        types.insert(node.name("name")?.to_string(), members);
    }
    let members = |node: &Node| -> Result<Vec<String>> {
        let ty = node.get("union_type")?;
        let name = ty.text()?;
        types.get(name).cloned().ok_or_else(|| {
            ty.fault(
                format!("there is no union type `{}`", short(name)),
                "a declared header union type",
            )
        })
    };
    let mut unions: HashMap<u32, Union> = HashMap::new();
    for node in root.list("header_unions")? {
        let name = node.name("name")?.to_string();
        let names = members(&node)?;
        let ids = node.get("header_ids")?;
        let mut headers = Vec::new();
        for id in ids.items()? {
            headers.push(find_header(by_id, &id)?);
        }
        if headers.len() != names.len() || headers.is_empty() {
            return Err(
                ids.fault(format!("{} members", headers.len()), format!("{} members", names.len()))
            );
        }
        let decl = UnionDecl {
            name: name.clone(),
            type_name: node.name("union_type")?.to_string(),
            members: headers,
            loc: node.loc(),
        };
        let union = objects.program.unions.push(decl);
        unions.insert(node.get("id")?.number()?, union);
        if objects.names.unions.insert(name.clone(), union).is_some() {
            return Err(twice(&node, "header union", &name));
        }
    }
    for node in root.list("header_union_stacks")? {
        let name = node.name("name")?.to_string();
        let names = members(&node)?;
        let ids = node.get("header_union_ids")?;
        let mut elements = Vec::new();
        for id in ids.items()? {
            let number = id.number()?;
            elements.push(*unions.get(&number).ok_or_else(|| {
                id.fault(
                    format!("there is no header union with id {number}"),
                    "the id of a header union",
                )
            })?);
        }
        let same = |u: &Union| {
            let decl = objects.program.unions.get(*u)?;
            let types = decl.members.iter().map(|h| objects.program.headers.get(*h).map(|h| h.ty));
            types.collect::<Option<Vec<_>>>()
        };
        let first = elements.first().and_then(same);
        if first.as_ref().is_none_or(|f| f.len() != names.len())
            || elements.iter().any(|u| same(u) != first)
        {
            return Err(
                ids.fault("a stack without elements, or of several types", "unions of one type")
            );
        }
        let elements = Elements::Unions(elements);
        let stack = objects.program.stacks.push(StackDecl {
            name: name.clone(),
            elements,
            loc: node.loc(),
        });
        if objects.names.union_stacks.insert(name.clone(), (stack, names)).is_some() {
            return Err(twice(&node, "stack of header unions", &name));
        }
    }
    Ok(types)
}
