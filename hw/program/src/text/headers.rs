//! The head of the file: errors, header types, structures.

use super::file::File;
use super::gaps::Gap;
use super::layout::Layout;
use super::table::unsigned;
use super::words::{Words, quoted};
use crate::entity::{Entity, Header, HeaderType, Meta, Union};
use crate::program::{Elements, FieldDecl};
use std::collections::BTreeSet;

/// Writes it.
pub(super) fn write(file: &File<'_>, out: &mut Layout) {
    let (p, names) = (file.program, &file.names);
    for line in p.name.lines().take(1).filter(|l| !l.is_empty()) {
        out.line(format!("// {line}"));
    }
    out.line("#include <core.p4>");
    out.line("#include <v1model.p4>");
    let own = names.errors.iter().skip(crate::standard::ERRORS.len());
    let own: Vec<String> = own.cloned().collect();
    if !own.is_empty() {
        out.gap();
        out.list("error { ", &own, " }");
    }
    if !p.maps.is_empty() {
        out.gap();
        map_extern(out);
    }
    for (ty, decl) in p.header_types.iter() {
        out.gap();
        let words: String = decl.annotations.iter().map(|a| format!("{a} ")).collect();
        out.open(format!("{words}header {}", names.header_types[ty.index()]));
        let fields = decl.fields.iter().zip(&names.fields[ty.index()]);
        let rows: Vec<_> =
            fields.map(|(f, name)| vec![f.ty.to_string(), format!("{name};")]).collect();
        out.columns(&rows);
        out.close();
    }
    let mut written = BTreeSet::new();
    for (union, decl) in p.unions.iter() {
        let name = &names.union_types[union.index()];
        if !written.insert(name) {
            continue;
        }
        out.gap();
        out.open(format!("header_union {name}"));
        let members = decl.members.iter().zip(&names.members[union.index()]);
        let rows: Vec<_> =
            members.map(|(h, member)| vec![header_type(file, *h), format!("{member};")]).collect();
        out.columns(&rows);
        out.close();
    }
    digests(file, out);
    maps(file, out);
    headers(file, out);
    metadata(file, out);
}

fn header_type(file: &File<'_>, header: Header) -> String {
    let ty = file.program.headers.get(header).map(|h| h.ty);
    type_name(file, ty)
}

fn type_name(file: &File<'_>, ty: Option<HeaderType>) -> String {
    let name = ty.and_then(|t| file.names.header_types.get(t.index()));
    name.cloned().unwrap_or_else(|| "?type".into())
}

/// The headers structure: single headers and unions, and stacks.
fn headers(file: &File<'_>, out: &mut Layout) {
    let (p, names) = (file.program, &file.names);
    let mut rows = Vec::new();
    let mut inside: BTreeSet<Header> = p.unions.values().flat_map(|u| u.members.clone()).collect();
    let mut unions_inside: BTreeSet<Union> = BTreeSet::new();
    for (stack, decl) in p.stacks.iter() {
        let name = &names.stacks[stack.index()];
        let ty = match &decl.elements {
            Elements::Headers(headers) => {
                inside.extend(headers);
                headers.first().map(|h| header_type(file, *h))
            }
            Elements::Unions(unions) => {
                unions_inside.extend(unions);
                unions.first().and_then(|u| names.union_types.get(u.index()).cloned())
            }
        };
        let ty = ty.unwrap_or_else(|| "?type".into());
        // The first element says where among the headers the stack stands.
        let order = match &decl.elements {
            Elements::Headers(headers) => headers.first().copied(),
            Elements::Unions(unions) => first_member(file, unions.first().copied()),
        };
        rows.push((order, vec![format!("{ty}[{}]", decl.elements.len()), format!("{name};")]));
    }
    for (union, decl) in p.unions.iter().filter(|(u, _)| !unions_inside.contains(u)) {
        let name = &names.unions[union.index()];
        let row = vec![names.union_types[union.index()].clone(), format!("{name};")];
        rows.push((decl.members.first().copied(), row));
    }
    for (header, _) in p.headers.iter().filter(|(h, _)| !inside.contains(h)) {
        let name = &names.headers[header.index()];
        rows.push((Some(header), vec![header_type(file, header), format!("{name};")]));
    }
    rows.sort_by_key(|(order, _)| *order);
    out.gap();
    out.open(format!("struct {}", names.headers_type));
    out.columns(&rows.into_iter().map(|(_, row)| row).collect::<Vec<_>>());
    out.close();
}

fn first_member(file: &File<'_>, union: Option<Union>) -> Option<Header> {
    file.program.unions.get(union?)?.members.first().copied()
}

/// The program's own metadata, with the field lists that keep it.
fn metadata(file: &File<'_>, out: &mut Layout) {
    let (p, names) = (file.program, &file.names);
    for list in p.field_lists.values() {
        file.at(format!("field list {}", list.name));
        if list.metas.iter().any(|m| crate::standard::is_standard(*m)) {
            file.gap(Gap::KEPT_STANDARD);
        }
    }
    let kept = |meta: Meta| -> String {
        let lists = p.field_lists.iter().filter(|(_, l)| l.metas.contains(&meta));
        let lists: Vec<String> = lists.map(|(i, _)| (i.index() + 1).to_string()).collect();
        if lists.is_empty() { String::new() } else { format!("@field_list({})", lists.join(", ")) }
    };
    out.gap();
    out.open(format!("struct {}", names.metadata_type));
    let own = p.metas.iter().filter(|(m, _)| !crate::standard::is_standard(*m));
    let rows: Vec<_> = own
        .map(|(meta, decl)| {
            vec![kept(meta), decl.ty.to_string(), format!("{};", names.metas[meta.index()])]
        })
        .collect();
    out.columns(&rows);
    out.close();
}

fn structure(out: &mut Layout, head: &str, fields: &[FieldDecl]) {
    out.gap();
    out.open(head);
    let names = field_names(fields);
    let rows: Vec<_> =
        fields.iter().zip(names).map(|(f, n)| vec![f.ty.to_string(), format!("{n};")]).collect();
    out.columns(&rows);
    out.close();
}

/// Identifiers for the fields of a structure.
pub(super) fn field_names(fields: &[FieldDecl]) -> Vec<String> {
    let mut words = Words::fields();
    fields.iter().map(|f| words.take(&f.name)).collect()
}

fn digests(file: &File<'_>, out: &mut Layout) {
    let mut written = BTreeSet::new();
    for (digest, decl) in file.program.digests.iter() {
        let name = &file.names.digests[digest.index()];
        if !written.insert(name) {
            continue;
        }
        let fields: Vec<FieldDecl> = decl.fields.iter().map(|(f, _)| f.clone()).collect();
        let rename = match decl.preamble.name == *name {
            true => String::new(),
            false => format!("@name({}) ", quoted(&decl.preamble.name)),
        };
        structure(out, &format!("{rename}struct {name}"), &fields);
    }
    for set in file.program.value_sets.iter().filter(|(_, d)| d.columns.len() != 1) {
        if let Some(name) = file.names.value_set_type(set.0) {
            let columns = set.1.columns.iter();
            let columns: Vec<FieldDecl> =
                columns.map(|c| FieldDecl { name: c.name.clone(), ty: unsigned(c.ty) }).collect();
            structure(out, &format!("struct {name}"), &columns);
        }
    }
}

fn maps(file: &File<'_>, out: &mut Layout) {
    for (decl, (key, value)) in file.program.maps.values().zip(&file.names.map_types) {
        structure(out, &format!("struct {key}"), &decl.key);
        structure(out, &format!("struct {value}"), &decl.values);
    }
}

/// P4 has no tables that packets fill.
fn map_extern(out: &mut Layout) {
    out.line("// A map that packets fill: `buckets` times `ways` entries; one that was not used for longer");
    out.line("// than the time-out is dead (0: never). `peek` finds without counting as use. `put` makes or");
    out.line("// changes an entry, and stores nothing when the bucket is full of other live ones.");
    out.open("extern restage_map<K, V>");
    out.line("restage_map(bit<32> buckets, bit<32> ways, bit<64> idle_timeout_us);");
    out.line("void lookup(in K key, out bool found, out V value);");
    out.line("void peek(in K key, out bool found, out V value);");
    out.line("void put(in K key, in V value, out bool stored);");
    out.line("void remove(in K key);");
    out.close();
}
