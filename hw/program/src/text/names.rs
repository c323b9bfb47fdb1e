//! Names: every entity gets an identifier that P4 accepts and that nothing else in its scope has.
//!
//! A name that is a good identifier already stays. Control plane names are kept whatever happens to
//! the identifier: where the two differ, an annotation says the control plane's.

use super::uses::{Object, Part, Uses};
use super::words::{Words, is_identifier, quoted};
use crate::entity::{Action, Entity, Header, Map, Stack, Union, ValueSet};
use crate::ids::{Kind, one_at_a_time};
use crate::program::{Elements, Program};
use std::collections::HashMap;

/// Names of the blocks of a v1model switch.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    pub parser: String,
    pub verify: String,
    pub ingress: String,
    pub egress: String,
    pub update: String,
    pub deparser: String,
}

/// An object where it is declared.
#[derive(Debug, Clone)]
pub(super) struct Local {
    /// Its identifier.
    pub name: String,
    /// Its control plane name, when that is not the identifier's.
    pub rename: Option<String>,
}

/// All names of a program.
#[derive(Debug)]
pub(super) struct Names {
    /// Names at the top of the file.
    pub top: Words,
    pub blocks: Blocks,
    pub headers_type: String,
    pub metadata_type: String,
    pub header_types: Vec<String>,
    /// Fields of each header type.
    pub fields: Vec<Vec<String>>,
    /// Path in the headers structure: `ipv4`, `mpls[2]`, `l4.tcp`.
    pub headers: Vec<String>,
    pub unions: Vec<String>,
    /// The type of each union; several may share one.
    pub union_types: Vec<String>,
    /// Names of each union's members.
    pub members: Vec<Vec<String>>,
    pub stacks: Vec<String>,
    pub metas: Vec<String>,
    pub errors: Vec<String>,
    pub states: Vec<String>,
    /// The state for packets that match no case.
    pub no_match: String,
    /// The structure of each digest; several may share one.
    pub digests: Vec<String>,
    /// Key and value structures of each map.
    pub map_types: Vec<(String, String)>,
    /// A variable for the bits of a signed field before they are put in.
    pub temporary: String,
    value_set_types: Vec<String>,
    objects: HashMap<(Part, Object), Local>,
    /// Variables for the values of a map and for whether something was stored.
    map_variables: HashMap<(Part, Map), (String, String)>,
}

impl Names {
    /// Names everything.
    pub fn of(p: &Program, uses: &Uses) -> Self {
        let mut top = Words::top();
        let blocks = blocks(p, uses, &mut top);
        let header_types: Vec<String> =
            p.header_types.values().map(|t| top.take(&t.name)).collect();
        let fields = p.header_types.values().map(|t| {
            let mut words = Words::fields();
            t.fields.iter().map(|f| words.take(&f.name)).collect()
        });
        let fields = fields.collect();
        let members: Vec<Vec<String>> = p
            .unions
            .values()
            .map(|u| {
                let mut words = Words::fields();
                let name = |h: &Header| p.headers.get(*h).map_or("", |h| h.name.as_str());
                let last = |n: &str| n.rsplit('.').next().unwrap_or(n).to_string();
                u.members.iter().map(|h| words.take(&last(name(h)))).collect()
            })
            .collect();
        let (states, no_match) = states(p);
        let union_types = union_types(p, &members, &mut top);
        let mut names = Names {
            blocks,
            headers_type: top.take("headers_t"),
            metadata_type: top.take("metadata_t"),
            header_types,
            fields,
            headers: Vec::new(),
            unions: Vec::new(),
            union_types,
            members,
            stacks: Vec::new(),
            metas: metas(p),
            errors: errors(p),
            states,
            no_match,
            digests: digests(p, &mut top),
            map_types: Vec::new(),
            temporary: String::new(),
            value_set_types: value_set_types(p, &mut top),
            objects: HashMap::new(),
            map_variables: HashMap::new(),
            top,
        };
        names.instances(p);
        names.objects(p, uses);
        names.temporary = names.top.take("bits");
        names
    }

    /// An object as one part of the program knows it.
    pub fn local(&self, part: Part, object: impl Into<Object>) -> Option<&Local> {
        let object = object.into();
        self.objects.get(&(part, object)).or_else(|| self.objects.get(&(Part::Top, object)))
    }

    /// An object declared in this very part.
    pub fn declared(&self, part: Part, object: impl Into<Object>) -> Option<&Local> {
        self.objects.get(&(part, object.into()))
    }

    /// Variables for the values of a map and for whether something was stored.
    pub fn map_variables(&self, part: Part, map: Map) -> Option<&(String, String)> {
        self.map_variables.get(&(part, map))
    }

    /// Headers, stacks and unions in the headers structure.
    fn instances(&mut self, p: &Program) {
        let mut words = Words::fields();
        self.headers = vec![String::new(); p.headers.len()];
        self.unions = vec![String::new(); p.unions.len()];
        let set = |names: &mut Vec<String>, index: usize, name: String| {
            if let Some(slot) = names.get_mut(index) {
                *slot = name;
            }
        };
        for stack in p.stacks.values() {
            let name = words.take(&stack.name);
            match &stack.elements {
                Elements::Headers(headers) => {
                    for (i, h) in headers.iter().enumerate() {
                        set(&mut self.headers, h.index(), format!("{name}[{i}]"));
                    }
                }
                Elements::Unions(unions) => {
                    for (i, u) in unions.iter().enumerate() {
                        set(&mut self.unions, u.index(), format!("{name}[{i}]"));
                    }
                }
            }
            self.stacks.push(name);
        }
        for (union, decl) in p.unions.iter() {
            if self.unions[union.index()].is_empty() {
                self.unions[union.index()] = words.take(&decl.name);
            }
            for (header, member) in decl.members.iter().zip(&self.members[union.index()]) {
                let path = format!("{}.{member}", self.unions[union.index()]);
                set(&mut self.headers, header.index(), path);
            }
        }
        for (header, decl) in p.headers.iter() {
            if self.headers[header.index()].is_empty() {
                self.headers[header.index()] = words.take(&decl.name);
            }
        }
    }

    /// Everything that the control plane knows by name.
    fn objects(&mut self, p: &Program, uses: &Uses) {
        let homes: Vec<(Object, Vec<Part>)> =
            Object::all(p).into_iter().map(|o| (o, uses.homes(o))).collect();
        for (object, _) in homes.iter().filter(|(_, parts)| parts.contains(&Part::Top)) {
            let name = object.preamble(p).map_or("", |d| d.name.as_str());
            let local = local(name, "", &mut self.top);
            self.objects.insert((Part::Top, *object), local);
        }
        self.map_types = p
            .maps
            .values()
            .map(|m| {
                let last = m.preamble.name.rsplit('.').next().unwrap_or("map").to_string();
                (self.top.take(&format!("{last}_key_t")), self.top.take(&format!("{last}_value_t")))
            })
            .collect();
        for part in [Part::Parser, Part::Ingress, Part::Egress] {
            let mut words = self.top.clone();
            ["h", "m", "s", "pkt"].into_iter().for_each(|w| {
                words.take(w);
            });
            let block = self.block(part).to_string();
            for (object, _) in homes.iter().filter(|(_, parts)| parts.contains(&part)) {
                let name = object.preamble(p).map_or("", |d| d.name.as_str());
                let local = match *object {
                    Object::Action(i) if is_no_action(p, Action(i)) => {
                        Local { name: "NoAction".into(), rename: None }
                    }
                    _ => local(name, &block, &mut words),
                };
                self.objects.insert((part, *object), local);
            }
            for (map, _) in p.maps.iter() {
                if let Some(name) = self.local(part, map).map(|l| l.name.clone()) {
                    let variables = (
                        words.take(&format!("{name}_value")),
                        words.take(&format!("{name}_stored")),
                    );
                    self.map_variables.insert((part, map), variables);
                }
            }
        }
    }

    /// The name of the block of a part.
    pub fn block(&self, part: Part) -> &str {
        match part {
            Part::Top => "",
            Part::Parser => &self.blocks.parser,
            Part::Ingress => &self.blocks.ingress,
            Part::Egress => &self.blocks.egress,
        }
    }

    /// Names for the parameters of an action.
    pub fn params(&self, p: &Program, part: Part, action: Action) -> Vec<String> {
        let mut words = self.top.clone();
        ["h", "m", "s"].into_iter().for_each(|w| {
            words.take(w);
        });
        for (_, local) in self.objects.iter().filter(|((at, _), _)| *at == part) {
            words.take(&local.name);
        }
        let Some(decl) = p.actions.get(action) else { return Vec::new() };
        decl.params.iter().map(|f| words.take(&f.name)).collect()
    }

    /// All identifiers that are declared in some part.
    pub fn locals(&self) -> impl Iterator<Item = &str> {
        self.objects.values().map(|l| l.name.as_str())
    }

    /// The structure of a value set's columns, if it has several.
    pub fn value_set_type(&self, set: ValueSet) -> Option<&String> {
        self.value_set_types.get(set.index()).filter(|name| !name.is_empty())
    }

    /// Whether a header is in no stack.
    pub fn is_single(&self, header: Header) -> bool {
        self.headers.get(header.index()).is_some_and(|name| !name.contains('['))
    }

    /// A stack in the headers structure.
    pub fn stack(&self, stack: Stack) -> Option<&String> {
        self.stacks.get(stack.index())
    }
}

/// Whether an action is core.p4's `NoAction`.
pub(super) fn is_no_action(p: &Program, action: Action) -> bool {
    p.actions
        .get(action)
        .is_some_and(|a| a.preamble.name == "NoAction" && a.params.is_empty() && a.body.is_empty())
}

/// Annotations of an object: its control plane name and id where they are not the usual ones, then its
/// own, all with a blank behind.
pub(super) fn annotations(p: &Program, object: Object, local: &Local) -> String {
    let Some(preamble) = object.preamble(p) else { return String::new() };
    let mut out = String::new();
    if let Some(name) = &local.rename {
        out.push_str(&format!("@name({}) ", quoted(name)));
    }
    let usual = (kind(object) as u32) << 24 | one_at_a_time(&preamble.name) & 0xff_ffff;
    if preamble.id != 0 && preamble.id != usual {
        out.push_str(&format!("@id({:#010x}) ", preamble.id));
    }
    for text in &preamble.annotations {
        if !text.starts_with("@name(") && !text.starts_with("@id(") {
            out.push_str(text);
            out.push(' ');
        }
    }
    out
}

fn kind(object: Object) -> Kind {
    match object {
        Object::Action(_) => Kind::Action,
        Object::Table(_) => Kind::Table,
        Object::DirectCounter(_) => Kind::DirectCounter,
        Object::DirectMeter(_) => Kind::DirectMeter,
        Object::Profile(_) => Kind::Profile,
        Object::Counter(_) => Kind::Counter,
        Object::Meter(_) => Kind::Meter,
        Object::Register(_) => Kind::Register,
        Object::Map(_) => Kind::Map,
        Object::ValueSet(_) => Kind::ValueSet,
    }
}

/// The identifier of something that the control plane calls `full`, declared in `block`.
fn local(full: &str, block: &str, words: &mut Words) -> Local {
    let inside = full.strip_prefix(block).and_then(|rest| rest.strip_prefix('.'));
    let natural = if block.is_empty() { Some(full) } else { inside };
    let last = full.rsplit('.').next().unwrap_or(full);
    let name = match natural {
        Some(text) if is_identifier(text) => words.take(text),
        _ => words.take(last),
    };
    let rename = match (natural, inside) {
        _ if full.is_empty() => None,
        (Some(text), _) if text == name => None,
        (_, Some(rest)) if !block.is_empty() => Some(rest.to_string()),
        _ => Some(format!(".{full}")),
    };
    Local { name, rename }
}

/// Names of the blocks: those with which the names of their objects begin, where they do.
fn blocks(p: &Program, uses: &Uses, top: &mut Words) -> Blocks {
    let mut prefix = |part: Part, usual: &str| {
        let here = |o: &Object| uses.homes(*o) == [part];
        let mut objects: Vec<Object> = Object::all(p).into_iter().filter(here).collect();
        // Tables and actions say more than state, which may belong to several parts.
        let main = |o: &Object| matches!(o, Object::Action(_) | Object::Table(_));
        if objects.iter().any(main) {
            objects.retain(main);
        }
        let mut seen: Vec<(&str, usize)> = Vec::new();
        for object in objects {
            let Some((first, _)) = object.preamble(p).and_then(|d| d.name.split_once('.')) else {
                continue;
            };
            match seen.iter_mut().find(|(text, _)| *text == first) {
                Some((_, count)) => *count += 1,
                None => seen.push((first, 1)),
            }
        }
        let mut best: Option<(&str, usize)> = None;
        for (text, count) in seen {
            let free = is_identifier(text) && top.is_free(text);
            if free && best.is_none_or(|(_, most)| count > most) {
                best = Some((text, count));
            }
        }
        top.take(best.map_or(usual, |(text, _)| text))
    };
    let ingress = prefix(Part::Ingress, "MyIngress");
    let egress = prefix(Part::Egress, "MyEgress");
    let parser = prefix(Part::Parser, "MyParser");
    Blocks {
        parser,
        ingress,
        egress,
        verify: top.take("MyVerifyChecksum"),
        update: top.take("MyComputeChecksum"),
        deparser: top.take("MyDeparser"),
    }
}

/// One type for all unions of one declared name and the same members.
fn union_types(p: &Program, members: &[Vec<String>], top: &mut Words) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let shape = |u: &crate::program::UnionDecl| -> Vec<_> {
        u.members.iter().map(|h| p.headers.get(*h).map(|h| h.ty)).collect()
    };
    for (union, decl) in p.unions.iter() {
        let same = p.unions.iter().take(union.index()).find(|(other, d)| {
            d.type_name == decl.type_name
                && shape(d) == shape(decl)
                && members[other.index()] == members[union.index()]
        });
        let name = match same {
            Some((other, _)) => out[Union::index(other)].clone(),
            None => top.take(&decl.type_name),
        };
        out.push(name);
    }
    out
}

/// Metadata: without the name of their structure where they all come from one.
fn metas(p: &Program) -> Vec<String> {
    let standard = crate::standard::FIELDS.len();
    let own = || p.metas.values().skip(standard).map(|m| m.name.as_str());
    let mut words = Words::fields();
    let structs: Vec<&str> = own().filter_map(|n| n.split_once('.')).map(|(s, _)| s).collect();
    let one = structs.first().filter(|s| structs.iter().all(|t| t == *s));
    let wish = |name: &str| match (one, name.split_once('.')) {
        (Some(one), Some((first, rest))) if first == *one => rest.to_string(),
        _ => name.to_string(),
    };
    let names = p.metas.values().take(standard).map(|m| m.name.clone()).collect::<Vec<_>>();
    names.into_iter().chain(own().map(|n| words.take(&wish(n)))).collect()
}

fn errors(p: &Program) -> Vec<String> {
    let mut words = Words::fields();
    p.errors.values().map(|e| words.take(e)).collect()
}

/// Names of the states, and of one more.
fn states(p: &Program) -> (Vec<String>, String) {
    let mut words = Words::top();
    words.take("start");
    let one = |(state, decl): (_, &crate::program::StateDecl)| match p.start {
        Some(start) if start == state => "start".to_string(),
        _ => words.take(&decl.name),
    };
    let names = p.states.iter().map(one).collect();
    (names, words.take("no_match"))
}

/// One structure for all digests of one name and the same fields.
fn digests(p: &Program, top: &mut Words) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for (digest, decl) in p.digests.iter() {
        let shape = |d: &crate::program::DigestDecl| {
            d.fields.iter().map(|(f, _)| f.clone()).collect::<Vec<_>>()
        };
        let same = p
            .digests
            .iter()
            .take(digest.index())
            .find(|(_, d)| d.preamble.name == decl.preamble.name && shape(d) == shape(decl));
        let name = match same {
            Some((other, _)) => out[other.index()].clone(),
            None => top.take(&decl.preamble.name),
        };
        out.push(name);
    }
    out
}

/// Structures for value sets of more or less than one column.
fn value_set_types(p: &Program, top: &mut Words) -> Vec<String> {
    let name = |d: &crate::program::ValueSetDecl| {
        let last = d.preamble.name.rsplit('.').next().unwrap_or("set").to_string();
        format!("{last}_t")
    };
    p.value_sets
        .values()
        .map(|d| if d.columns.len() == 1 { String::new() } else { top.take(&name(d)) })
        .collect()
}
