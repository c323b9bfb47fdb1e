//! Types, header types, headers, unions and stacks: rules T and H.

use super::cx::{Cx, Spot};
use super::{MAX_HEADER_BITS, MAX_HEADERS_BITS, MAX_STACK, Rule};
use crate::entity::{Entity, Header, HeaderType, Union};
use crate::program::{Elements, FieldDecl, HeaderTypeDecl, StackDecl};
use crate::types::Type;
use std::collections::HashMap;

/// What a declared thing may hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// Numbers and bools.
    Values,
    /// Those and errors.
    Metadata,
    /// Values and varbits.
    Wire,
}

/// A type that can be reckoned with: its width is one that there is.
pub(super) fn sound(ty: Type) -> Option<Type> {
    (1..=ty.widest()).contains(&ty.width()).then_some(ty)
}

impl<'p> Cx<'p> {
    /// Checks a declared type.
    pub fn declared_type(&mut self, ty: Type, holds: Holds) {
        self.at(".ty", |cx| {
            if sound(ty).is_none() {
                cx.fault(Rule::T01, format!("{ty}"), format!("1 to {} bits", ty.widest()));
            }
            match ty {
                Type::Varbit(_) if holds != Holds::Wire => {
                    cx.fault(
                        Rule::T02,
                        format!("{ty}"),
                        "bit, int or bool; a varbit is a header's field",
                    );
                }
                Type::Error if holds != Holds::Metadata => {
                    cx.fault(Rule::T03, "an error", "bit, int or bool; keep an error in metadata");
                }
                _ => {}
            }
        });
    }

    /// Checks the types of a list of fields.
    pub fn field_types(&mut self, step: &str, fields: &[FieldDecl], holds: Holds) {
        self.each(step, fields, |cx, _, field| {
            cx.about(format!("`{}`", field.name), |cx| cx.declared_type(field.ty, holds));
        });
    }

    /// Checks everything that holds packet data.
    pub fn headers(&mut self) {
        let p = self.p;
        self.each(".metas", p.metas.values(), |cx, _, meta| {
            cx.said(&meta.loc, |cx| {
                cx.about(format!("metadata `{}`", meta.name), |cx| {
                    cx.declared_type(meta.ty, Holds::Metadata);
                });
            });
        });
        self.each(".header_types", p.header_types.values(), |cx, _, ty| {
            cx.said(&ty.loc, |cx| {
                cx.about(format!("header type `{}`", ty.name), |cx| cx.header_type(ty));
            });
        });
        let mut bits = 0u64;
        self.each(".headers", p.headers.values(), |cx, _, header| {
            cx.said(&header.loc, |cx| {
                cx.about(format!("header `{}`", header.name), |cx| {
                    cx.at(".ty", |cx| cx.exists(header.ty, p.header_types.len()));
                });
            });
            bits += p.header_types.get(header.ty).map_or(0, |t| u64::from(t.max_width()));
        });
        if bits > MAX_HEADERS_BITS {
            self.at(".headers", |cx| {
                let found = format!("all headers together have {bits} bits");
                cx.fault(Rule::L02, found, format!("{MAX_HEADERS_BITS} bits at most"));
            });
        }
        self.containers();
    }

    fn header_type(&mut self, ty: &HeaderTypeDecl) {
        if ty.fields.is_empty() {
            self.fault(Rule::H01, "it has no fields", "one field at least");
        }
        self.field_types(".fields", &ty.fields, Holds::Wire);
        if ty.fields.iter().any(|f| sound(f.ty).is_none()) {
            return;
        }
        if !ty.fixed_width().is_multiple_of(8) {
            let rest = 8 - ty.fixed_width() % 8;
            self.fault(
                Rule::H02,
                format!("its fields have {} bits without varbits", ty.fixed_width()),
                format!("a multiple of 8: {rest} bits more, say"),
            );
        }
        if ty.max_width() > MAX_HEADER_BITS {
            let found = format!("it has {} bits", ty.max_width());
            self.fault(Rule::L02, found, format!("{MAX_HEADER_BITS} bits at most"));
        }
        let mut first = None;
        self.each(".fields", &ty.fields, |cx, _, field| {
            let Type::Varbit(width) = field.ty else { return };
            if !width.is_multiple_of(8) {
                let found = format!("`{}` is a {}", field.name, field.ty);
                cx.fault(Rule::H02, found, "a varbit of a multiple of 8 bits");
            }
            match first {
                None => first = Some(&field.name),
                Some(first) => cx.fault(
                    Rule::H03,
                    format!("`{}` is a varbit, and `{first}` is one too", field.name),
                    "one varbit in a header; split the header in two",
                ),
            }
        });
    }

    fn containers(&mut self) {
        let p = self.p;
        let mut owners: HashMap<Header, Spot> = HashMap::new();
        let mut union_owners: HashMap<Union, Spot> = HashMap::new();
        self.each(".unions", p.unions.values(), |cx, _, union| {
            cx.said(&union.loc, |cx| {
                cx.about(format!("union `{}`", union.name), |cx| {
                    if union.members.is_empty() {
                        cx.fault(Rule::H04, "it has no members", "one member at least");
                    }
                    cx.each(".members", &union.members, |cx, _, header| {
                        cx.own(*header, p.headers.get(*header).map(|h| &h.name), &mut owners)
                    });
                });
            });
        });
        self.each(".stacks", p.stacks.values(), |cx, _, stack| {
            cx.said(&stack.loc, |cx| {
                cx.about(format!("stack `{}`", stack.name), |cx| {
                    let size = stack.elements.len();
                    if size == 0 || size > MAX_STACK {
                        let found = format!("it has {size} elements");
                        cx.fault(Rule::H05, found, format!("1 to {MAX_STACK} elements"));
                    }
                    cx.stack(stack, &mut owners, &mut union_owners);
                });
            });
        });
    }

    fn stack(
        &mut self,
        stack: &StackDecl,
        owners: &mut HashMap<Header, Spot>,
        union_owners: &mut HashMap<Union, Spot>,
    ) {
        let p = self.p;
        match &stack.elements {
            Elements::Headers(list) => {
                let type_of = |h: &Header| p.headers.get(*h).map(|h| h.ty);
                let first = list.first().and_then(type_of);
                self.each(".elements.headers", list, |cx, _, header| {
                    cx.own(*header, p.headers.get(*header).map(|h| &h.name), owners);
                    if let (Some(first), Some(ty)) = (first, type_of(header))
                        && first != ty
                    {
                        let (found, want) = (cx.type_name(ty), cx.type_name(first));
                        cx.fault(
                            Rule::H06,
                            format!("an element is of type `{found}`, the first of type `{want}`"),
                            "elements of one type",
                        );
                    }
                });
            }
            Elements::Unions(list) => {
                let shape = |u: &Union| {
                    let union = p.unions.get(*u)?;
                    let members: Option<Vec<HeaderType>> =
                        union.members.iter().map(|h| p.headers.get(*h).map(|h| h.ty)).collect();
                    Some((&union.type_name, members?))
                };
                let first = list.first().and_then(shape);
                self.each(".elements.unions", list, |cx, _, union| {
                    cx.own(*union, p.unions.get(*union).map(|u| &u.name), union_owners);
                    if let (Some(first), Some(this)) = (&first, shape(union))
                        && *first != this
                    {
                        let found = match this.0 == first.0 {
                            true => "the members of an element differ from those of the first".into(),
                            false => format!(
                                "an element is of union type `{}`, the first of `{}`",
                                this.0, first.0
                            ),
                        };
                        cx.fault(
                            Rule::H06,
                            found,
                            "unions of one type, whose members have the same types in the same order",
                        );
                    }
                });
            }
        }
    }

    /// Notes what a header or union is part of; `name` is there when it exists.
    fn own<K: Entity + std::hash::Hash>(
        &mut self,
        part: K,
        name: Option<&String>,
        owners: &mut HashMap<K, Spot>,
    ) {
        let Some(name) = name else {
            let count =
                if K::KIND == Union::KIND { self.p.unions.len() } else { self.p.headers.len() };
            self.no_such(K::KIND, part.index(), count);
            return;
        };
        match owners.get(&part) {
            Some(spot) => {
                let found = format!("{} `{name}` is in {} too", K::KIND, spot.subject);
                let accepts = format!("a {} of its own in each place", K::KIND);
                self.fault_with(Rule::H07, found, accepts, vec![spot.related("also here")]);
            }
            None => {
                owners.insert(part, self.spot());
            }
        }
    }

    /// Name of a header type.
    pub fn type_name(&self, ty: HeaderType) -> &'p str {
        self.p.header_types.get(ty).map_or("?", |t| t.name.as_str())
    }
}
