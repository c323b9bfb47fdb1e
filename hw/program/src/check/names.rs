//! Names, ids, annotations, and what every program has at the same index: rules N.

use super::Rule;
use super::cx::Cx;
use crate::ids::Kind;
use crate::loc::Loc;
use crate::program::{Elements, FORMAT, FieldDecl, Preamble};
use crate::standard;
use std::collections::HashMap;

/// Longest name.
const MAX_NAME: usize = 256;

/// What a name may look like.
#[derive(Clone, Copy)]
enum Form {
    Identifier,
    Dotted,
    Printable,
}

impl Form {
    fn admits(self, name: &str) -> bool {
        let within = !name.is_empty() && name.len() <= MAX_NAME;
        within
            && match self {
                Form::Identifier => is_identifier(name),
                Form::Dotted => name.split('.').all(|part| is_identifier(without_indices(part))),
                Form::Printable => {
                    name.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'"' && b != b'\\')
                }
            }
    }

    fn accepts(self) -> &'static str {
        match self {
            Form::Identifier => "letters, digits and _, not beginning with a digit, 256 at most",
            Form::Dotted => {
                "identifiers with dots between and [index] behind, 256 characters at most"
            }
            Form::Printable => "1 to 256 printable ASCII characters other than \" and \\",
        }
    }
}

fn is_identifier(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && name.bytes().next().is_some_and(|b| !b.is_ascii_digit())
}

/// `a[1][2]` without its indices; a bracket that is no index stays, so that it is no identifier.
fn without_indices(part: &str) -> &str {
    let mut rest = part;
    while let Some((front, index)) = rest.strip_suffix(']').and_then(|r| r.rsplit_once('[')) {
        if index.is_empty() || !index.bytes().all(|b| b.is_ascii_digit()) {
            break;
        }
        rest = front;
    }
    rest
}

/// A name and where it stands.
struct Named<'a> {
    step: String,
    name: &'a str,
    loc: Option<&'a Loc>,
}

impl<'p> Cx<'p> {
    /// Reports what the builder could not write down.
    pub fn faults(&mut self) {
        for fault in &self.p.faults {
            self.said(&fault.loc, |cx| cx.fault(Rule::F01, &fault.message, &fault.remedy));
        }
    }

    /// Checks all names and ids.
    pub fn names(&mut self) {
        let p = self.p;
        if p.format != FORMAT {
            self.at(".format", |cx| {
                cx.fault(Rule::N01, format!("format {}", p.format), format!("format {FORMAT}"));
            });
        }
        self.well_formed(".name", &p.name, Form::Dotted, "program");
        self.standard();
        self.namespaces();
        self.members();
        self.objects();
    }

    fn standard(&mut self) {
        let p = self.p;
        for (i, want) in standard::metas().values().enumerate() {
            let found = p.metas.values().nth(i);
            if found != Some(want) {
                self.at(format_args!(".metas[{i}]"), |cx| {
                    let found = match found {
                        Some(m) => format!("`{}`, a {}", m.name, m.ty),
                        None => "nothing".to_owned(),
                    };
                    cx.fault(
                        Rule::N06,
                        format!("standard metadata {i} is {found}"),
                        format!("`{}`, a {}", want.name, want.ty),
                    );
                });
            }
        }
        for (i, want) in standard::ERRORS.iter().enumerate() {
            let found = p.errors.values().nth(i);
            if found.map(String::as_str) != Some(want) {
                self.at(format_args!(".errors[{i}]"), |cx| {
                    let found = found.map_or("nothing".to_owned(), |e| format!("`{e}`"));
                    cx.fault(Rule::N07, format!("error {i} is {found}"), format!("`{want}`"));
                });
            }
        }
    }

    /// The names that are no control plane objects'.
    fn namespaces(&mut self) {
        let p = self.p;
        fn named<'a>(list: &str, i: usize, name: &'a str, loc: &'a Loc) -> Named<'a> {
            Named { step: format!(".{list}[{i}].name"), name, loc: Some(loc) }
        }
        let mut wire: Vec<Named<'_>> = Vec::new();
        let headers = p.headers.values().enumerate();
        wire.extend(headers.map(|(i, h)| named("headers", i, &h.name, &h.loc)));
        let unions = p.unions.values().enumerate();
        wire.extend(unions.map(|(i, u)| named("unions", i, &u.name, &u.loc)));
        let stacks = p.stacks.values().enumerate();
        wire.extend(stacks.map(|(i, s)| named("stacks", i, &s.name, &s.loc)));
        self.namespace("header", Form::Dotted, wire);

        let types = p.header_types.values().enumerate();
        let types = types.map(|(i, t)| named("header_types", i, &t.name, &t.loc)).collect();
        self.namespace("header type", Form::Dotted, types);
        let metas = p.metas.values().enumerate();
        let metas = metas.map(|(i, m)| named("metas", i, &m.name, &m.loc)).collect();
        self.namespace("metadata", Form::Dotted, metas);
        let states = p.states.values().enumerate();
        let states = states.map(|(i, s)| named("states", i, &s.name, &s.loc)).collect();
        self.namespace("state", Form::Dotted, states);
        let lists = p.field_lists.values().enumerate();
        let lists = lists.map(|(i, l)| named("field_lists", i, &l.name, &l.loc)).collect();
        self.namespace("field list", Form::Dotted, lists);
        let crcs = p.crcs.values().enumerate();
        let crcs = crcs.map(|(i, c)| named("crcs", i, &c.name, &c.loc)).collect();
        self.namespace("custom CRC", Form::Dotted, crcs);
        let errors = p.errors.values().enumerate();
        let errors = errors
            .map(|(i, e)| Named { step: format!(".errors[{i}]"), name: e, loc: None })
            .collect();
        self.namespace("error", Form::Identifier, errors);
        for (i, union) in p.unions.values().enumerate() {
            self.said(&union.loc, |cx| {
                let step = format!(".unions[{i}].type_name");
                cx.well_formed(&step, &union.type_name, Form::Dotted, "union type");
            });
        }
        for (i, ty) in p.header_types.values().enumerate() {
            self.said(&ty.loc, |cx| {
                cx.about(format!("header type `{}`", ty.name), |cx| {
                    cx.at(format_args!(".header_types[{i}]"), |cx| {
                        cx.fields(".fields", "field", &ty.fields);
                        cx.annotations(&ty.annotations);
                    });
                });
            });
        }
    }

    /// Elements of stacks and members of unions are named after what they are in.
    fn members(&mut self) {
        let p = self.p;
        for decl in p.stacks.values() {
            let names: Vec<Option<(&str, &str, usize)>> = match &decl.elements {
                Elements::Headers(list) => list
                    .iter()
                    .map(|h| p.headers.get(*h).map(|d| (d.name.as_str(), "headers", h.0 as usize)))
                    .collect(),
                Elements::Unions(list) => list
                    .iter()
                    .map(|u| p.unions.get(*u).map(|d| (d.name.as_str(), "unions", u.0 as usize)))
                    .collect(),
            };
            for (i, (name, list, index)) in
                names.into_iter().enumerate().filter_map(|(i, n)| Some((i, n?)))
            {
                let want = format!("{}[{i}]", decl.name);
                if name != want {
                    self.said(&decl.loc, |cx| {
                        cx.at(format_args!(".{list}[{index}].name"), |cx| {
                            let found =
                                format!("element {i} of stack `{}` is named `{name}`", decl.name);
                            cx.fault(Rule::N09, found, format!("`{want}`"));
                        });
                    });
                }
            }
        }
        for decl in p.unions.values() {
            for (i, header) in decl.members.iter().enumerate() {
                let Some(name) = p.headers.get(*header).map(|h| &h.name) else { continue };
                let rest = name.strip_prefix(decl.name.as_str()).and_then(|r| r.strip_prefix('.'));
                if !rest.is_some_and(is_identifier) {
                    self.said(&decl.loc, |cx| {
                        cx.at(format_args!(".headers[{}].name", header.0), |cx| {
                            cx.fault(
                                Rule::N09,
                                format!("member {i} of union `{}` is named `{name}`", decl.name),
                                format!("`{}.` and an identifier", decl.name),
                            );
                        });
                    });
                }
            }
        }
    }

    /// What P4Runtime knows: names, ids and annotations.
    fn objects(&mut self) {
        let mut kinds: Vec<(Kind, &str, Vec<Named<'_>>)> = Vec::new();
        let mut ids: HashMap<u32, (String, Loc)> = HashMap::new();
        for (kind, step, preamble) in crate::ids::objects(self.p) {
            let word = kind_word(kind);
            self.said(&preamble.loc, |cx| {
                cx.about(format!("{word} `{}`", preamble.name), |cx| {
                    cx.at(&step, |cx| {
                        cx.annotations(&preamble.annotations);
                        cx.id(kind, preamble, &mut ids);
                    });
                });
            });
            let named = Named {
                step: format!("{step}.name"),
                name: &preamble.name,
                loc: Some(&preamble.loc),
            };
            match kinds.iter_mut().find(|(k, ..)| *k == kind) {
                Some((.., list)) => list.push(named),
                None => kinds.push((kind, word, vec![named])),
            }
        }
        for (_, word, list) in kinds {
            self.namespace(word, Form::Dotted, list);
        }
        let p = self.p;
        for (i, a) in p.actions.values().enumerate() {
            self.inner(&a.preamble, "action", format!(".actions[{i}]"), |cx| {
                cx.fields(".params", "parameter", &a.params);
            });
        }
        for (i, t) in p.tables.values().enumerate() {
            self.inner(&t.preamble, "table", format!(".tables[{i}]"), |cx| {
                let keys = t.keys.iter().enumerate().map(|(i, k)| Named {
                    step: format!(".keys[{i}].name"),
                    name: &k.name,
                    loc: None,
                });
                cx.namespace("key", Form::Printable, keys.collect());
            });
        }
        for (i, v) in p.value_sets.values().enumerate() {
            self.inner(&v.preamble, "value set", format!(".value_sets[{i}]"), |cx| {
                cx.fields(".columns", "column", &v.columns);
            });
        }
        for (i, m) in p.maps.values().enumerate() {
            self.inner(&m.preamble, "map", format!(".maps[{i}]"), |cx| {
                cx.fields(".key", "key field", &m.key);
                cx.fields(".values", "value", &m.values);
            });
        }
        for (i, d) in p.digests.values().enumerate() {
            self.inner(&d.preamble, "digest", format!(".digests[{i}]"), |cx| {
                let fields = d.fields.iter().enumerate().map(|(i, (f, _))| Named {
                    step: format!(".fields[{i}][0].name"),
                    name: &f.name,
                    loc: None,
                });
                cx.namespace("field", Form::Identifier, fields.collect());
            });
        }
    }

    fn inner(&mut self, object: &Preamble, word: &str, step: String, f: impl FnOnce(&mut Self)) {
        self.said(&object.loc, |cx| {
            cx.about(format!("{word} `{}`", object.name), |cx| cx.at(step, f));
        });
    }

    fn fields(&mut self, step: &str, word: &str, fields: &[FieldDecl]) {
        let fields = fields.iter().enumerate().map(|(i, f)| Named {
            step: format!("{step}[{i}].name"),
            name: &f.name,
            loc: None,
        });
        self.namespace(word, Form::Identifier, fields.collect());
    }

    fn annotations(&mut self, annotations: &[String]) {
        self.each(".annotations", annotations, |cx, _, text| {
            if !text.starts_with('@') {
                cx.fault(Rule::N08, format!("annotation `{text}`"), "`@name` or `@name(...)`");
            }
        });
    }

    fn id(&mut self, kind: Kind, preamble: &'p Preamble, seen: &mut HashMap<u32, (String, Loc)>) {
        let id = preamble.id;
        if id == 0 {
            return;
        }
        self.at(".id", |cx| {
            let prefix = kind as u32;
            if id >> 24 != prefix {
                cx.fault(
                    Rule::N04,
                    format!("id {id} ({id:#010x})"),
                    format!(
                        "0, or {prefix:#04x} in the top byte of the id of a {}",
                        kind_word(kind)
                    ),
                );
            }
            let spot = cx.spot();
            if let Some((first, loc)) = seen.get(&id) {
                let related = super::Related {
                    what: "first used here".into(),
                    path: first.clone(),
                    loc: loc.clone(),
                };
                cx.fault_with(
                    Rule::N05,
                    format!("id {id} ({id:#010x}) is taken"),
                    "an id of its own, or 0 to be given one",
                    vec![related],
                );
            } else {
                seen.insert(id, (spot.path, preamble.loc.clone()));
            }
        });
    }

    fn namespace(&mut self, word: &str, form: Form, names: Vec<Named<'_>>) {
        let mut first: HashMap<&str, super::cx::Spot> = HashMap::new();
        let nowhere = Loc::default();
        for named in &names {
            self.said(named.loc.unwrap_or(&nowhere), |cx| {
                if !cx.well_formed(&named.step, named.name, form, word) {
                    return;
                }
                cx.at(&named.step, |cx| match first.get(named.name) {
                    Some(spot) => {
                        let related = vec![spot.related("first declared here")];
                        let found =
                            format!("there are two {} named `{}`", plural(word), named.name);
                        cx.fault_with(Rule::N03, found, "a name of its own", related);
                    }
                    None => {
                        first.insert(named.name, cx.spot());
                    }
                });
            });
        }
    }

    fn well_formed(&mut self, step: &str, name: &str, form: Form, word: &str) -> bool {
        let admitted = form.admits(name);
        if !admitted {
            let short: String = name.chars().take(40).collect();
            self.at(step, |cx| {
                cx.fault(Rule::N02, format!("{word} named {short:?}"), form.accepts());
            });
        }
        admitted
    }
}

fn plural(word: &str) -> String {
    match word {
        "metadata" => word.to_owned(),
        _ => format!("{word}s"),
    }
}

fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Action => "action",
        Kind::Table => "table",
        Kind::ValueSet => "value set",
        Kind::Profile => "action profile",
        Kind::Counter => "counter",
        Kind::DirectCounter => "direct counter",
        Kind::Meter => "meter",
        Kind::DirectMeter => "direct meter",
        Kind::Register => "register",
        Kind::Digest => "digest",
        Kind::Map => "map",
    }
}
