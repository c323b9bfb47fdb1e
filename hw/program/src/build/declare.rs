//! Declaring headers, stacks, unions and metadata.

use super::header::{self, HeaderView, MetadataView, StackView};
use super::{Builder, Field, Href, field_decl};
use crate::entity::{Header, HeaderType, Meta, Union};
use crate::loc::Loc;
use crate::program::*;
use crate::types::Type;
use std::marker::PhantomData;

impl Builder {
    fn header_type<H: HeaderView>(&mut self, loc: &Loc) -> HeaderType {
        let program = &mut self.program;
        *self.types.entry(H::NAME).or_insert_with(|| {
            let name = header::p4_type_name(H::NAME);
            let (fields, loc) = (H::fields(), loc.clone());
            program.header_types.push(HeaderTypeDecl { name, fields, annotations: Vec::new(), loc })
        })
    }

    fn instance<H: HeaderView>(&mut self, name: String, loc: Loc) -> Header {
        let ty = self.header_type::<H>(&loc);
        self.program.headers.push(HeaderDecl { name, ty, loc })
    }

    /// A header.
    #[track_caller]
    pub fn header<H: HeaderView>(&mut self, name: &str) -> H {
        H::view(Href::One(self.instance::<H>(name.into(), Loc::caller())))
    }

    /// A header that the switch and its controller exchange: `@controller_header("packet_in")`.
    #[track_caller]
    pub fn controller_header<H: HeaderView>(&mut self, name: &str) -> H {
        let loc = Loc::caller();
        let ty = self.header_type::<H>(&loc);
        if let Some(decl) = self.program.header_types.get_mut(ty) {
            decl.annotations = vec![format!("@controller_header(\"{name}\")")];
        }
        H::view(Href::One(self.program.headers.push(HeaderDecl { name: name.into(), ty, loc })))
    }

    /// A stack of headers.
    #[track_caller]
    pub fn stack<H: HeaderView>(&mut self, name: &str, size: u32) -> StackView<H> {
        let loc = Loc::caller();
        let element = |i| format!("{name}[{i}]");
        let headers: Vec<Header> =
            (0..size).map(|i| self.instance::<H>(element(i), loc.clone())).collect();
        let first = headers.first().copied().unwrap_or(Header(u32::MAX));
        let elements = Elements::Headers(headers);
        let stack = self.program.stacks.push(StackDecl { name: name.into(), elements, loc });
        StackView { stack, first, size, kind: PhantomData }
    }

    /// A header union, without members yet.
    #[track_caller]
    pub fn union(&mut self, name: &str) -> Union {
        let type_name = format!("{name}_u");
        let loc = Loc::caller();
        self.program.unions.push(UnionDecl {
            name: name.into(),
            type_name,
            members: Vec::new(),
            loc,
        })
    }

    /// A member of a union.
    #[track_caller]
    pub fn member<H: HeaderView>(&mut self, union: Union, name: &str) -> H {
        let outer = self.program.unions.get(union).map_or("?", |u| u.name.as_str());
        let name = format!("{outer}.{name}");
        let header = self.instance::<H>(name, Loc::caller());
        if let Some(union) = self.program.unions.get_mut(union) {
            union.members.push(header);
        }
        H::view(Href::One(header))
    }

    /// A metadata field.
    #[track_caller]
    pub fn meta(&mut self, name: &str, ty: Type) -> Field {
        let FieldDecl { name, ty } = field_decl(name, ty);
        Field::meta(self.program.metas.push(MetaDecl { name, ty, loc: Loc::caller() }), ty)
    }

    /// Metadata fields `name0`, `name1`, ... of one type, for what is done in rows.
    #[track_caller]
    pub fn metas<const N: usize>(&mut self, name: &str, ty: Type) -> [Field; N] {
        let loc = Loc::caller();
        std::array::from_fn(|i| {
            let (name, loc) = (format!("{name}{i}"), loc.clone());
            Field::meta(self.program.metas.push(MetaDecl { name, ty, loc }), ty)
        })
    }

    /// A name that no metadata field has yet: `name`, or `name_2` and so on.
    pub(super) fn free_meta_name(&self, name: &str) -> String {
        let taken = |name: &str| self.program.metas.values().any(|m| m.name == name);
        let numbered = (2u32..).map(|n| format!("{name}_{n}"));
        std::iter::once(name.to_string()).chain(numbered).find(|n| !taken(n)).unwrap_or_default()
    }

    /// A group of metadata fields, declared by [`metadata!`](crate::metadata!).
    #[track_caller]
    pub fn metadata<M: MetadataView>(&mut self) -> M {
        let loc = Loc::caller();
        let mut fields = M::fields().into_iter().map(|f| {
            let (name, ty, loc) = (f.name, f.ty, loc.clone());
            Field::meta(self.program.metas.push(MetaDecl { name, ty, loc }), ty)
        });
        // A view takes exactly as many fields as it has declared.
        M::view(&mut || fields.next().unwrap_or(Field::meta(Meta(u32::MAX), Type::Bool)))
    }
}
